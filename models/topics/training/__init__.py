"""Makes the table of topics: README.md."""
