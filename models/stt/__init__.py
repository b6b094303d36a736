"""Speech to text: what a caller said, as words."""
