"""`just image`: the disk image and what an update bundle holds, made by one recipe. Standard library only."""
