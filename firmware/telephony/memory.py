"""What one connection has seen of calls, for the diagnosis: bounded, and without who called."""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC, datetime
from typing import Final

from app.establishing import FailedCall, Offer, Seen, codec_names
from app.ports import Direction

REMEMBERED: Final = 20
"""Failed calls. More tell nothing new, and a PBX that hunts makes some in a minute."""

MEDIA_CODES: Final = frozenset({406, 415, 488, 606})
"""Refusals that mean: not with this audio (RFC 3261 21.4.7, 21.4.13, 21.4.26, 21.6.4)."""

log = logging.getLogger(__name__)


class CallMemory:
    """Outlives the account: an agent that is restarted does not forget what its connection has seen."""

    def __init__(self) -> None:
        self._failed: deque[FailedCall] = deque(maxlen=REMEMBERED)
        self._established: dict[Direction, datetime] = {}
        self._inbound_at: datetime | None = None
        self._registered_at: datetime | None = None

    def seen(self) -> Seen:
        """A copy."""
        return Seen(
            failed=tuple(self._failed),
            inbound_at=self._inbound_at,
            established_at=tuple(self._established.items()),
            registered_at=self._registered_at,
        )

    def registered(self) -> None:
        self._registered_at = self._registered_at or datetime.now(UTC)

    def called(self) -> None:
        """Somebody calls us; how it goes comes later."""
        self._inbound_at = datetime.now(UTC)

    def established(self, direction: Direction) -> None:
        self._established[direction] = datetime.now(UTC)

    def failed(self, direction: Direction, sip_code: int, theirs: Offer | None, ours: Offer) -> None:
        """The two sides did not agree on audio."""
        failed = FailedCall(datetime.now(UTC), direction, sip_code, theirs, ours)
        self._failed.append(failed)
        for reason in failed.reasons:
            log.warning(
                "a call could not be established: the two sides do not agree on audio",
                extra={
                    "direction": direction,
                    "sip_code": sip_code,
                    "cause": reason.value,
                    "offered": f"{codec_names(theirs)}; {theirs.encryption.value}" if theirs else "not told",
                },
            )
