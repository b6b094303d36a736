"""Running the box on a development machine."""
