"""What keeps a box's settings safe, and what makes it new again: backup, keys, factory reset, support bundle."""
