"""`just flash`: the image onto a card, and onto nothing else. Standard library only."""
