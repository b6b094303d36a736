"""Updates: a bundle is checked, installed into the other slot, and must prove itself before the box stays with it.

The phone process decides (`service.py`) and has no right to do any of it. What needs root is done by a program of its
own (`servant.py`), which knows a handful of fixed commands and is started by systemd when there is a wish in a folder.
"""
