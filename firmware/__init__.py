"""The box as a telephone: one folder per foreign thing. `appliance.py` puts the box together, `compose.py` one
agent from a file; nothing else constructs."""
