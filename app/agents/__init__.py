"""Agents at work: which calls they take, and what surrounds each call."""
