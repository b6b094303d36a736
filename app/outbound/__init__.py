"""Calls that go out: what is dialled, and what is said to whom."""
