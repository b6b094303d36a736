"""Calls that take minutes: callers who never stop, hundreds who hang up, servers that die in mid-turn."""
