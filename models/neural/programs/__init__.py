"""Programs that make a neural engine a speech server: each a process of its own, on a unix socket that only the box
can reach, with Home Assistant's Wyoming protocol. `run.py` is where they start.
"""
