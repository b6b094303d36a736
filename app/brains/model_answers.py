"""One answer of a language model, heard with patience and made into clauses."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import trio

from app.brains.patience import Patience
from app.brains.speakable import Speakable
from app.language_models import ModelAnswer, ModelFailed

_AT_ONCE_S = 0.05


async def clauses_of(answer: ModelAnswer, patience: Patience) -> AsyncGenerator[str, None]:
    """The answer as it comes, and the filler. Raises: ModelFailed."""
    text, over = Speakable(), False
    while not over:
        piece = await _piece(answer, patience)
        if piece is None:
            patience.has_filled = True
            yield patience.filler
            continue
        patience.has_word, over = True, not piece or text.is_long
        for clause in text.rest() if over else text.feed(piece):
            yield clause
            patience.has_clause, patience.waits_since_s = True, trio.current_time()


async def _piece(answer: ModelAnswer, patience: Patience) -> str | None:
    """The next piece of the answer; None when it is time for the filler. Raises: ModelFailed."""
    while True:
        patience.has_word = patience.has_word or answer.is_calling
        filler_at_s, gives_up_at_s = patience.filler_at_s, patience.gives_up_at_s
        # What came while the filler was being spoken is there at once, whatever the time is by now.
        soonest_s = trio.current_time() + _AT_ONCE_S
        with trio.move_on_at(max(filler_at_s or gives_up_at_s, soonest_s)):
            return await answer.more()
        if filler_at_s is not None:
            return None
        if patience.has_word or not answer.is_calling:
            raise ModelFailed(patience.why())
