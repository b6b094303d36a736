"""`just demo`: the main job, shown on real parts: an office PBX, the box, and two callers."""
