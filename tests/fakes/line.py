"""A call on a virtual clock: a scripted caller on one side, app.ports.Call on the other.

One task is the audio clock: every 20 ms it takes a frame from the mouth, then hands the caller's next frame over,
so everything that a frame causes has happened before the next one comes.

The caller's audio is made to be told apart, not to be listened to: every sample of utterance k is LOUD + k, of the
beep of an answering machine BEEP, silence is 0.
`tests/fakes/speech.py` reads it back.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import trio

from app.ports import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, Call, Connected, Direction, Ended, EndedBy, Frame
from app.pressing import GAP_S, KEY_S, PAUSE, PAUSE_S
from app.progress import Progress
from app.transfers import Handover, TransferStep
from app.turns.keys import Dtmf

MOUTH_FRAMES = 10  # 200 ms, as on the real line
BEEP = -30_000
LOUD = 12_000
TONES = -20_000  # of a key: less its code
ECHO = -1_200  # 20 dB below a voice
EARS_FRAMES = 25  # as on the real line: the oldest are dropped


@dataclass(frozen=True, slots=True)
class Utterance:
    """The caller talks for `for_ms` from `at_ms` on; `number` marks the audio, from 1, or is BEEP, or of a key."""

    number: int
    at_ms: int
    for_ms: int


class FakeMouth:
    def __init__(self) -> None:
        self.clock_ms = 0
        self.sent: list[bytes] = []
        self._bytes = bytearray()
        self._played_bytes = 0
        self._went = trio.Event()
        self._closed = False
        self._holding = False

    async def play(self, pcm: bytes) -> None:
        view = memoryview(pcm)
        while view and not self._closed:
            room = MOUTH_FRAMES * FRAME_BYTES - len(self._bytes)
            self._bytes += view[:room]
            view = view[room:]
            if view:
                await self._went.wait()
        await trio.lowlevel.checkpoint()

    async def drained(self) -> None:
        while self._bytes:
            await self._went.wait()
        await trio.lowlevel.checkpoint()

    def hush(self) -> None:
        self._bytes.clear()
        self._holding = False

    def hold(self) -> None:
        self._holding = True

    def release(self) -> None:
        self._holding = False

    def close(self) -> None:
        """The call is over: nobody waits for the line any more."""
        self._closed = True
        self.hush()
        self._went.set()

    @property
    def played_ms(self) -> int:
        return self._played_bytes // BYTES_PER_MS

    def tick(self, *, held: bool = False) -> None:
        """20 ms go by on the line. While it is `held`, it takes nothing from us."""
        frame = b"" if held or self._holding else bytes(self._bytes[:FRAME_BYTES])
        del self._bytes[: len(frame)]
        self._played_bytes += len(frame)
        self.sent.append(frame.ljust(FRAME_BYTES, b"\0"))
        self.clock_ms += FRAME_MS
        self._went.set()
        self._went = trio.Event()


class FakeCall:
    """`run` is the line itself and has to be running while the call is.

    `keys`: what the caller presses, and when. `transfers`: what becomes of an attempt to put them through, and how
    many seconds after the step before. `desk_keys`, `desk_leaves_ms`: of whoever answers there. `echo_ms`: what the
    agent says comes back so much later, where the caller says nothing. `held_from_ms`: the PBX puts the call on hold
    for good, and tells nobody. `on_hold_ms`: from when to when the other side has put it on hold, and said so.
    `media`: false for a call that begins on hold.
    """

    direction: Direction = "inbound"
    remote = "101"

    def __init__(
        self,
        script: list[Utterance],
        *,
        hangs_up_at_ms: int,
        call_id: str = "fake-1",
        codec: str = "G722",
        held_from_ms: int | None = None,
        on_hold_ms: tuple[int, int] = (0, 0),
        media: bool = True,
        echo_ms: int = 0,
        keys: Sequence[Dtmf] = (),
        transfers: Sequence[tuple[float, TransferStep]] = (),
        has_key_events: bool = True,
        desk_keys: Sequence[Dtmf] = (),
        desk_leaves_ms: int = 120_000,
    ) -> None:
        self.id = call_id
        self.has_key_events = has_key_events
        self.put_through_to: list[str] = []
        self.pressed = ""
        self._transfers, self._desk_keys, self._desk_leaves_ms = transfers, desk_keys, desk_leaves_ms
        self.desk: FakeCall | None = None
        self._keys_left = list(keys)
        self._keys_in, self._keys_out = trio.open_memory_channel[Dtmf](len(keys))
        self.mouth = FakeMouth()
        self.lost_frames = self.behind_ms = 0
        now_s = trio.current_time()
        self.progress = Progress(now_s, heard_s=now_s, rang_s=now_s)
        self._script, self._hangs_up_at_ms, self._codec = script, hangs_up_at_ms, codec
        self._held_from_ms, self._media = hangs_up_at_ms if held_from_ms is None else held_from_ms, media
        self._echo_ms, self._on_hold_ms, self.on_hold = echo_ms, range(*on_hold_ms), False
        self._send, self._receive = trio.open_memory_channel[Frame](EARS_FRAMES)
        self._answered, self._over = trio.Event(), trio.Event()
        self._ended: Ended | None = None
        self._connected: Connected | None = None

    async def run(self) -> None:
        await self._answered.wait()
        started = trio.current_time()
        for at_ms in range(0, self._hangs_up_at_ms, FRAME_MS):
            await trio.sleep_until(started + (at_ms + FRAME_MS) / 1000)
            if self._ended:
                break
            self.on_hold = at_ms in self._on_hold_ms
            if self._media:
                self.mouth.tick(held=self.on_hold or at_ms >= self._held_from_ms)
                self._press(at_ms)
                self._deliver(Frame(at_ms, self._caller_pcm(at_ms), self.mouth.sent[-1]))
        self._end(Ended(EndedBy.CALLER, 200, "BYE"))
        self._send.close()

    def dtmf(self) -> AsyncIterator[Dtmf]:
        return self._keys_out

    async def press(self, keys: str) -> bool:
        for key in keys:
            with trio.move_on_after(PAUSE_S if key == PAUSE else KEY_S + GAP_S):
                await self._over.wait()
            if self._ended:
                return False
            self.pressed += "" if key == PAUSE else key
        await trio.lowlevel.checkpoint()
        return True

    async def transfer(
        self, to: str, told: Callable[[TransferStep], None], meets: Callable[[Call], Awaitable[bool]] | None = None
    ) -> TransferStep:
        self.put_through_to.append(to)
        for after_s, step in self._transfers:
            with trio.move_on_after(after_s):
                await self._over.wait()
                break
            told(step)
            if step.handover is Handover.ANSWERED and meets and not await self._met(meets):
                return TransferStep(Handover.FAILED, 480, "they did not take it")
            if step.handover is Handover.ANSWERED:
                self.progress = replace(self.progress, transferred_s=trio.current_time())
            if step.is_last:
                return step
        await trio.lowlevel.checkpoint()
        return TransferStep(Handover.FAILED, reason="the call has ended")

    async def _met(self, meets: Callable[[Call], Awaitable[bool]]) -> bool:
        """At `desk`, whose clock begins now."""
        self.desk = FakeCall([], hangs_up_at_ms=self._desk_leaves_ms, keys=self._desk_keys)
        async with trio.open_nursery() as line:
            line.start_soon(self.desk.run)
            await self.desk.answer()
            takes = await meets(self.desk)
            line.cancel_scope.cancel()
        return takes

    def ears(self) -> AsyncIterator[Frame]:
        return self._receive

    async def connected(self) -> Connected | Ended:
        await self._answered.wait()
        return self._connected or await self.ended()

    async def ended(self) -> Ended:
        await self._over.wait()
        assert self._ended
        return self._ended

    async def answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self._media and not self._ended:
            self._connected = Connected(self._codec, narrow_band=self._codec.startswith("PCM"))
        if not self._ended:
            self.progress = replace(self.progress, answered_s=trio.current_time())
        self._answered.set()

    async def hang_up(self, sip_code: int = 603) -> None:
        code = 200 if self._answered.is_set() else sip_code
        self._end(Ended(EndedBy.AGENT, code, "hung up here"))
        self._answered.set()
        await trio.lowlevel.checkpoint()

    def cancel(self) -> None:
        """The caller gives up while it rings."""
        self._end(Ended(EndedBy.CALLER, 487, "Request Terminated"))

    def _end(self, ended: Ended) -> None:
        if self._ended is None:
            self._ended = ended
            self.progress = replace(self.progress, ended_s=trio.current_time())
            self.mouth.close()
            self._keys_in.close()
            self._over.set()

    def _press(self, at_ms: int) -> None:
        while self._keys_left and self._keys_left[0].at_ms <= at_ms:
            self._keys_in.send_nowait(self._keys_left.pop(0))

    def _deliver(self, frame: Frame) -> None:
        if self._send.statistics().current_buffer_used == EARS_FRAMES:
            self._receive.receive_nowait()
            self.lost_frames += 1
        self._send.send_nowait(frame)

    def _caller_pcm(self, at_ms: int) -> bytes:
        number = next((u.number for u in self._script if u.at_ms <= at_ms < u.at_ms + u.for_ms), 0)
        if not number and self._echo_ms:
            return self._came_back(at_ms)
        mark = LOUD + number if number > 0 else number  # or a beep
        return struct.pack("<h", mark) * (FRAME_BYTES // 2)

    def _came_back(self, at_ms: int) -> bytes:
        """What was sent `echo_ms` ago, as ECHO marks it."""
        ago = (at_ms - self._echo_ms) // FRAME_MS
        sounded = ago >= 0 and any(self.mouth.sent[ago])
        return struct.pack("<h", ECHO if sounded else 0) * (FRAME_BYTES // 2)


class CalledPhone(FakeCall):
    """The other end of a call of ours. Somebody picks up with `answer`, or does not."""

    direction: Direction = "outbound"

    def refuse(self, sip_code: int, reason: str = "No") -> None:
        """A final response that is not 200."""
        self._end(Ended(EndedBy.CALLER, sip_code, reason))
        self._answered.set()

    def answer_without_media(self) -> None:
        """200 OK, and then nothing: a call that begins on hold."""
        self.progress = replace(self.progress, answered_s=trio.current_time())

    def vanish(self) -> None:
        """The network is gone before anything was answered."""
        self.progress = replace(self.progress, heard_s=None, rang_s=None)
        self._end(Ended(EndedBy.NETWORK, 503, "Service Unavailable"))
        self._answered.set()
