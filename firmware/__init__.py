"""The box as a telephone: one folder per foreign thing, and `compose.py`, the only file that constructs."""
