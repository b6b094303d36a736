"""Putting the other side of a call through to somebody else.

The problem: a caller who is put through to a busy telephone wants to come back to us. A REFER to a number alone
("blind", RFC 3515) does not promise that: a PBX that stands between all calls, as Asterisk does, takes the caller away
from us the moment it accepts it, and whatever becomes of the number becomes of the caller.
What we do: we call the number ourselves, while the caller stays with us. Once somebody answers there, and has heard who
it is where they are to be told, the PBX is asked
to put the two together (REFER with Replaces, RFC 3891), and its NOTIFYs say whether it did. Until then, all that fails
costs nobody anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import trio

from app.ports import Connected, Ended
from app.progress import Progress
from app.transfers import Handover, TransferStep

RING_S = 30.0
"""Six rings. Whoever is there has answered by then, and the caller had rather leave a message."""

REFER_S = 5.0
"""How long the PBX may take to put two calls together that are both up: two people wait in silence. Three
retransmissions over UDP (RFC 3261 17.1.2.2: after 0.5, 1.5 and 3.5 s) lie within."""

BRIDGED_S = 0.4
"""From an answer to the REFER. Asterisk's Dial answers us before it has bridged us with whoever answered there. Twice,
on a busy machine, that one was hung up on as they were put through, most likely because our REFER came in between; made
on purpose it could not be. Those who are told first who calls take longer than that anyway."""

END_S = 2.0
"""For hanging up a call of ours that came to nothing; see call.HANG_UP_S."""

STEPS = 16
"""What a PBX tells of one transfer: it was taken, trying, ringing, answered, and each of it twice. What comes beyond
that tells nothing new and is dropped; the last is also kept in `Referral.last`."""

_NOBODY_CAME = 480  # RFC 3261 21.4.18: temporarily unavailable
_FORBIDDEN, _DECLINED = 403, 603
_RINGING = 180
_LEFT = TransferStep(Handover.FAILED, reason="the caller hung up")
_RINGS = TransferStep(Handover.TRYING, _RINGING, "Ringing", rang=True)


class Second(Protocol):
    """The call of ours to whom the caller wants."""

    @property
    def progress(self) -> Progress: ...

    @property
    def rings(self) -> trio.Event: ...

    async def connected(self) -> Connected | Ended: ...

    async def hang_up(self) -> None: ...


class First(Protocol):
    """The call of whoever is put through."""

    async def ended(self) -> Ended: ...


class Referral:
    """One REFER under way, as the PBX tells of it."""

    def __init__(self) -> None:
        self.last: TransferStep | None = None
        self.accepted = False
        self._in, self._steps = trio.open_memory_channel[TransferStep](STEPS)

    def steps(self) -> AsyncIterator[TransferStep]:
        """Until the call has ended. One reader."""
        return self._steps

    def came(self, sip_code: int, reason: str, *, is_final: bool) -> TransferStep:
        """A response to the REFER, or a NOTIFY."""
        step = step_of(sip_code, reason, is_final=is_final, accepted=self.accepted)
        self.accepted = self.accepted or step.handover is not Handover.FAILED
        self.last = step if step.is_last else self.last
        with suppress(trio.WouldBlock, trio.ClosedResourceError, trio.BrokenResourceError):
            self._in.send_nowait(step)
        return step

    def close(self) -> None:
        """The call has ended. A PBX that took the transfer and then hung up on us has done it: some say no more."""
        self._in.close()

    @property
    def succeeded(self) -> bool:
        """As far as anybody knows, once the call has ended."""
        return self.last.handover is Handover.ANSWERED if self.last else self.accepted


def step_of(sip_code: int, reason: str, *, is_final: bool, accepted: bool) -> TransferStep:
    """What pj hands over: 100 first where the REFER was taken, then what the NOTIFYs hold, or the refusal. Pure."""
    rang = sip_code in range(_RINGING, 200)
    if sip_code >= 300:
        return TransferStep(Handover.FAILED, sip_code, reason, refused=True)
    if sip_code >= 200 or is_final:  # one that ends with "trying" tells no more, and has the caller
        return TransferStep(Handover.ANSWERED, sip_code, reason)
    return TransferStep(Handover.TRYING if accepted else Handover.ACCEPTED, sip_code, reason, rang)


async def put_through(
    first: First,
    second: Second,
    refer: Callable[[], Referral],
    told: Callable[[TransferStep], None],
    meets: Callable[[], Awaitable[bool]] | None = None,
) -> TransferStep:
    """Wait for an answer on `second`, let `meets` say whether they take it, then put the two together with `refer`.
    `second` is over in the end, whatever became of it, and `first` is as it was unless the last step is ANSWERED."""
    try:
        step = await _answer(first, second, told)
        if step.handover is Handover.ANSWERED:
            if meets and not second.rings.is_set():  # they answered at once: the caller is not to wait in silence
                told(_RINGS)
            step = await _met(first, second, meets or _is_bridged)
        if step.handover is not Handover.ANSWERED:
            return step
        return await _referred(refer(), told)
    finally:
        with trio.move_on_after(END_S, shield=True):
            await second.hang_up()


async def _answer(first: First, second: Second, told: Callable[[TransferStep], None]) -> TransferStep:
    step = _LEFT
    with trio.move_on_after(RING_S) as waiting:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_at_end, first, nursery.cancel_scope)
            nursery.start_soon(_tell_ringing, second, told)
            step = _answered(await second.connected(), second.progress)
            nursery.cancel_scope.cancel()
    if waiting.cancelled_caught:
        return TransferStep(Handover.FAILED, _NOBODY_CAME, f"it rang for {RING_S:.0f} s", rang=True)
    return step


async def _met(first: First, second: Second, meets: Callable[[], Awaitable[bool]]) -> TransferStep:
    step = _LEFT
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_at_end, first, nursery.cancel_scope)
        takes = await meets()
        step = TransferStep(Handover.ANSWERED, rang=True) if takes else _not_taken(second)
        nursery.cancel_scope.cancel()
    return step


async def _is_bridged() -> bool:
    await trio.sleep(BRIDGED_S)
    return True


def _not_taken(second: Second) -> TransferStep:
    if second.progress.ended_s is not None:
        return TransferStep(Handover.FAILED, _DECLINED, "they hung up before the caller was there", rang=True)
    return TransferStep(Handover.FAILED, _NOBODY_CAME, "they did not take the call", rang=True)


async def _cancel_at_end(first: First, scope: trio.CancelScope) -> None:
    await first.ended()
    scope.cancel()


async def _tell_ringing(second: Second, told: Callable[[TransferStep], None]) -> None:
    await second.rings.wait()
    told(_RINGS)


def _answered(answer: Connected | Ended, progress: Progress) -> TransferStep:
    """Asterisk makes 403 of a telephone's 603: after ringing, it is its owner's "no" (see app/outcomes.py)."""
    if isinstance(answer, Connected):
        return TransferStep(Handover.ANSWERED, 200, "OK", rang=True)
    rang = progress.rang_s is not None
    code = _DECLINED if rang and answer.sip_code == _FORBIDDEN else answer.sip_code
    return TransferStep(Handover.FAILED, code, answer.reason, rang)


async def _referred(referral: Referral, told: Callable[[TransferStep], None]) -> TransferStep:
    with trio.move_on_after(REFER_S):
        async for step in referral.steps():
            told(step)
            if step.is_last:
                return step
        if referral.succeeded:
            return TransferStep(Handover.ANSWERED, 200, "the phone system took over")
        return _LEFT
    return referral.last or TransferStep(Handover.FAILED, reason=f"no word of it within {REFER_S:.0f} s", refused=True)
