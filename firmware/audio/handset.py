"""A call to an agent from the box's own microphone and speaker.

    async with open_handset("default") as handset:
        if isinstance(handset, HandsetProblem):
            show(handset.text)
        else:
            await take_call(handset, desk, agent)      # it is an app.ports.Call

The call rings until `answer`, which starts the sound; `put_down` is the person's end of it. One thread per call
listens and speaks in turns: it copies, appends and wakes.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import Final

import trio

from app.ports import FRAME_BYTES, FRAME_MS, Call, Connected, Direction, Ended, EndedBy, Frame
from app.progress import Progress
from app.transfers import Handover, TransferStep
from app.turns.keys import Dtmf
from firmware.audio.call_audio import AudioStats, CallAudio, Pair
from firmware.audio.mouth import Mouth
from firmware.audio.sound_card import HandsetProblem, SoundCard, SoundCardGone, open_sound_card, sound_devices
from firmware.lifetimes import serving

__all__ = ["HandsetCall", "HandsetProblem", "open_handset", "sound_devices"]

CODEC = "handset"

CLOSING_S = 1.0
"""How long the end waits for the thread to let go of the card. It looks up every 20 ms; a card that keeps it for longer
is broken, and the thread is left to it."""

_OK = 200
_CANCELLED = 487  # RFC 3261: the caller gave up before the answer
_NOT_IMPLEMENTED = 501
_UNAVAILABLE = 503

_log = logging.getLogger(__name__)


class HandsetCall:
    """See app.ports.Call, and firmware.audio.TwoSided. Made by `open_handset`."""

    remote: Final = "handset"

    def __init__(self, call_id: str = "") -> None:
        self.id = call_id or uuid.uuid4().hex[:12]
        self._audio = CallAudio()
        now_s = trio.current_time()
        self.progress = Progress(now_s, heard_s=now_s, rang_s=now_s)
        self._ended: Ended | None = None
        self._connected: Connected | None = None
        self._keys_in, self._no_keys = trio.open_memory_channel[Dtmf](0)
        self._picked_up, self._over, self._silent = trio.Event(), trio.Event(), trio.Event()

    def __repr__(self) -> str:
        return f"<HandsetCall {self.id} {self._ended or self._connected or 'ringing'}>"

    # -- what app.ports.Call promises ------------------------------------------------------------------------

    @property
    def direction(self) -> Direction:
        return "inbound"

    @property
    def mouth(self) -> Mouth:
        return self._audio.mouth

    @property
    def lost_frames(self) -> int:
        return self._audio.lost_frames

    @property
    def on_hold(self) -> bool:
        """There is nobody else to talk to."""
        return False

    @property
    def behind_ms(self) -> int:
        """A frame, which the sound card collects before it gives any of it."""
        return FRAME_MS

    def ears(self) -> AsyncIterator[Frame]:
        return self._audio.ears()

    async def connected(self) -> Connected | Ended:
        await self._picked_up.wait()
        return self._connected or await self.ended()

    async def ended(self) -> Ended:
        while not self._ended:
            await self._over.wait()
        return self._ended

    async def answer(self) -> None:
        if not self._ended:
            self._connected = Connected(CODEC, narrow_band=False)
            self.progress = replace(self.progress, answered_s=trio.current_time())
            self._picked_up.set()
        await trio.lowlevel.checkpoint()

    async def hang_up(self, sip_code: int = 603) -> None:
        """End the call; `sip_code` for one that was not answered. Idempotent. Ends it before it first waits, then
        waits for the card to be free, 1 s at most."""
        self._end(EndedBy.AGENT, _OK if self._connected else sip_code, "hung up here")
        with trio.move_on_after(CLOSING_S):
            await self._silent.wait()

    async def transfer(
        self,
        to: str,  # noqa: ARG002
        told: Callable[[TransferStep], None],  # noqa: ARG002
        meets: Callable[[Call], Awaitable[bool]] | None = None,  # noqa: ARG002
    ) -> TransferStep:
        await trio.lowlevel.checkpoint()
        return TransferStep(Handover.FAILED, _NOT_IMPLEMENTED, "a call from the box itself cannot be put through")

    def dtmf(self) -> AsyncIterator[Dtmf]:
        """None ever comes: there are no keys."""
        return self._no_keys

    @property
    def has_key_events(self) -> bool:
        """And so a tone in the room is none."""
        return True

    async def press(self, keys: str) -> bool:  # noqa: ARG002
        """There is nobody to press them for."""
        await trio.lowlevel.checkpoint()
        return False

    # -- more than that --------------------------------------------------------------------------------------

    def put_down(self) -> None:
        """The person at the box ends the call. Idempotent."""
        self._end(EndedBy.CALLER, _OK if self._connected else _CANCELLED, "put down")

    def both(self) -> AsyncIterator[Pair]:
        """See firmware.audio.TwoSided."""
        return self._audio.both()

    @property
    def stats(self) -> AudioStats:
        return self._audio.stats

    # -- the sound -------------------------------------------------------------------------------------------

    async def run(self, card: SoundCard, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve the call's sound, from the answer to the end, then give `card` back."""
        one_thread = trio.CapacityLimiter(1)  # of our own: a long call takes none of those that others wait for
        task_status.started()
        try:
            await self._picked_up.wait()
            await trio.to_thread.run_sync(self._listen_and_speak, card, abandon_on_cancel=True, limiter=one_thread)
        except SoundCardGone as gone:
            self._end(EndedBy.NETWORK, _UNAVAILABLE, str(gone))
            _log.warning("a call from the box itself ended", extra={"call_id": self.id, "problem": str(gone)})
        except trio.Cancelled:
            _log.warning("the sound card does not let go; unplug it, then plug it in again", extra={"call_id": self.id})
            raise
        finally:
            self._silent.set()
            _log.info("handset put back", extra={"call_id": self.id, "lost_frames": card.left_out})

    def _listen_and_speak(self, card: SoundCard) -> None:
        """In a thread of its own. A card's period may be longer or shorter than a frame of ours."""
        heard = bytearray()
        with closing(card):
            while not self._ended:
                heard += card.listen()
                while len(heard) >= FRAME_BYTES:
                    card.say(self._audio.take())
                    self._audio.tick(bytes(heard[:FRAME_BYTES]))
                    del heard[:FRAME_BYTES]

    def _end(self, by: EndedBy, sip_code: int, reason: str) -> None:
        if self._ended:
            return
        self._ended = Ended(by, sip_code, reason)
        self.progress = replace(self.progress, ended_s=trio.current_time())
        self._audio.close()
        self._keys_in.close()
        self._picked_up.set()
        self._over.set()


@asynccontextmanager
async def open_handset(
    device: str = "default", call_id: str = ""
) -> AsyncGenerator[HandsetCall | HandsetProblem, None]:
    """A call that rings, from the microphone and speaker that ALSA knows as `device`; or why there is none.
    `call_id`: ours, where somebody knows the call by it already.

    Leaving the block hangs up what is not over, and frees the card within 2 s.
    """
    card = await trio.to_thread.run_sync(open_sound_card, device)
    if isinstance(card, HandsetProblem):
        yield card
        return
    call = HandsetCall(call_id)
    async with serving(call.run, card):
        try:
            yield call
        finally:
            with trio.move_on_after(CLOSING_S, shield=True):
                await call.hang_up()
