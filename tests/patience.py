"""How long a test waits for what must come."""

from __future__ import annotations

PATIENCE_S = 60.0
"""For what takes a second at most on an idle machine: only what is broken takes this long. The tests share two cores
with each other, and with whatever else the machine does."""
