"""A bug of ours met a visitor: what the log keeps of it, and what the visitor is told."""

from __future__ import annotations

import logging
from pathlib import Path

from app.control.refusals import Refusal, Why

OUR_FAULT = Refusal(
    why=Why.BOX_FAULT,
    text="The page met an error of its own. Go back and try again; the log of the box has the details.",
)

_log = logging.getLogger(__name__)


def log_fault(fault: Exception) -> None:
    """The kind and place only: the text may quote what was typed."""
    place = fault.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
    _log.error("a page failed", extra={"problem": type(fault).__name__, "path": where})
