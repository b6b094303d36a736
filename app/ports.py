"""What the agent needs from the box, as Protocols: the line, the ears, the voice and the ledger.

`app` imports nothing of `firmware` or `models`; those folders build things of these shapes, `firmware/appliance.py`
puts them together, and `tests/fakes` holds their doubles. The contract tests run on both.

Audio everywhere in the product is 16 kHz mono signed 16-bit little-endian, in frames of 20 ms (640 bytes).
Times inside a call are milliseconds of *audio* since its media started, so that a decider gives the same answer
in a test as on the wire.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, Protocol

from app.dictation import Dictated
from app.mouth import Mouth
from app.pressing import Press
from app.progress import Progress
from app.transfers import Transfer, TransferStep
from app.turn_times import Turn
from app.turns.keys import Dtmf

SAMPLE_RATE_HZ = 16_000
FRAME_MS = 20
FRAME_BYTES = SAMPLE_RATE_HZ * FRAME_MS // 1000 * 2
BYTES_PER_MS = SAMPLE_RATE_HZ * 2 // 1000

Speaker = Literal["caller", "agent"]
Direction = Literal["inbound", "outbound"]


# -- the line ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of what the caller said, and of what went out to them meanwhile. `at_ms` is the start of the frame; a jump
    in it means lost frames."""

    at_ms: int
    pcm: bytes
    sent: bytes = bytes(FRAME_BYTES)


class EndedBy(Enum):
    CALLER = "caller"
    AGENT = "agent"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over. `sip_code` is RFC 3261's, 200 after a BYE."""

    by: EndedBy
    sip_code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Connected:
    """Answered and media runs. `codec` as SDP names it ("opus", "G722", "PCMU", "PCMA")."""

    codec: str
    narrow_band: bool


class Call(Protocol):
    """One call, from its first signalling to its last."""

    @property
    def id(self) -> str:
        """Ours, unique on this box, safe to log."""

    @property
    def direction(self) -> Direction: ...

    @property
    def remote(self) -> str:
        """Who is on the other side (number or SIP user). Personal: never in a log message."""

    @property
    def mouth(self) -> Mouth: ...

    @property
    def progress(self) -> Progress:
        """How far it has come."""

    @property
    def lost_frames(self) -> int:
        """Frames of the caller's that were dropped because nobody took them in time."""

    @property
    def on_hold(self) -> bool:
        """The other side listens to something else for a while (RFC 3264, section 8.4)."""

    @property
    def behind_ms(self) -> int:
        """How old a frame of the caller's is when it is heard, and ours when it is on the line: it waited in the jitter
        buffer, and was converted there and back."""

    def ears(self) -> AsyncIterator[Frame]:
        """What the caller says, frame by frame, from media start until the call has ended. One reader.
        Nothing to close: it may be dropped at any moment."""

    async def connected(self) -> Connected | Ended:
        """Wait for media, or for the end if that comes first."""

    async def ended(self) -> Ended:
        """Wait for the end, whoever causes it."""

    async def answer(self) -> None:
        """Send 200 OK. A call that ended meanwhile is not an error: `connected` says so."""

    async def hang_up(self, sip_code: int = 603) -> None:
        """End the call: BYE, or `sip_code` where it was not answered yet. Idempotent."""

    async def transfer(
        self, to: str, told: Callable[[TransferStep], None], meets: Callable[[Call], Awaitable[bool]] | None = None
    ) -> TransferStep:
        """Put the other side through to the number `to`; the last step, after `told` has heard of each. `meets`: talks
        to whoever answers there first, and knows whether they take it. What failed, or is cancelled, leaves the call as
        it was. After ANSWERED it ends by itself, or is to be hung up."""

    def dtmf(self) -> AsyncIterator[Dtmf]:
        """The keys that the other side presses, until the call has ended. One reader. Those that come as tones in its
        audio are not among them."""

    @property
    def has_key_events(self) -> bool:
        """Both sides agreed that keys come beside the audio (RFC 4733)."""

    async def press(self, keys: str) -> bool:
        """Press `keys` (see app.pressing), one after the other; true once all are out. False where the call has ended,
        or the other side takes none."""


# -- hearing -------------------------------------------------------------------------------------------------


class VoiceActivity(Protocol):
    """Speech or not, for one call. The state is this object's own and dies with it."""

    def probability(self, chunk: bytes) -> float:
        """Probability of speech in one chunk of 512 samples (32 ms, 1024 bytes)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance as two recognisers understood it.

    `own` comes from the language model made of the agent's own words: right when the caller stays on topic,
    wrong with conviction when not. `general` comes from the dictation model. Where the two agree, believe.
    `decode_ms` is what finishing took, in wall-clock milliseconds. `off_topic` is by how much `general` fits the sound
    better than `own`, a log-likelihood ratio in nats per 10 ms: negative for callers who use the agent's words,
    positive for others, 0 where the engine cannot tell. `others`: of dictation, what `own` may have been, best first.
    """

    own: str
    general: str
    decode_ms: float = 0.0
    off_topic: float = 0.0
    others: tuple[str, ...] = ()


class Recognition(Protocol):
    """What an engine hands over; its fields mean the same as those of `Heard`."""

    @property
    def own(self) -> str: ...

    @property
    def general(self) -> str: ...

    @property
    def decode_ms(self) -> float: ...

    @property
    def off_topic(self) -> float: ...

    @property
    def others(self) -> tuple[str, ...]: ...


class Hearing(Protocol):
    """One call's recogniser."""

    async def begin(self, expected: str = "") -> None:
        """Start a new utterance; the one before is forgotten. `own` hears it as `expected`, a value of `Dictated`."""

    async def feed(self, pcm: bytes) -> None:
        """More of the utterance. May be called again after `finish`, when the caller went on after all:
        the next `finish` then covers everything since `begin`."""

    async def hurry(self) -> None:
        """The utterance may be over: begin with whatever was put off, so that `finish` is sooner done. The caller may
        go on all the same. Never waits for the engine."""

    async def finish(self) -> Recognition:
        """The utterance since `begin`. Empty strings where nothing was understood."""


class Ears(Protocol):
    def open(self, *, narrow_band: bool) -> AbstractAsyncContextManager[Hearing]:
        """A recogniser for one call; `narrow_band` for telephone audio (8 kHz codecs).
        A crash of the engine is mended inside: the utterance under way may come back empty, the call goes on.
        """


# -- speaking ------------------------------------------------------------------------------------------------


class Voice(Protocol):
    def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """Audio of one clause, chunk by chunk as it is made. Closing the generator stops the engine."""


# -- thinking ------------------------------------------------------------------------------------------------


class Expects(Enum):
    """What the agent asked for, so that the turn decider knows how long people pause in it."""

    ANYTHING = "anything"
    YES_NO = "yes or no"
    NUMBER = "number"
    NAME = "name"
    LETTERS = "letters"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Say:
    """One clause to speak."""

    text: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call once everything said before has been heard. `conclusion`: what the talk came to, in a few words."""

    conclusion: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Not for the caller: for whoever reads the session later. Holds nothing that was said."""

    text: str


Action = Say | HangUp | Noted | Transfer | Press


class Brain(Protocol):
    """Text in, clauses out, for one call. What it remembers of the call lives in it and dies with it."""

    def greet(self) -> AsyncGenerator[Action, None]:
        """The first words, if any."""

    def reply(self, heard: Heard) -> AsyncGenerator[Action, None]:
        """The answer to one utterance."""

    def check_in(self) -> AsyncGenerator[Action, None]:
        """The caller has been silent for a while."""

    def say_goodbye(self) -> AsyncGenerator[Action, None]:
        """The caller has been silent for too long; ends with `HangUp`."""

    def not_put_through(self, person: str, why: Result) -> AsyncGenerator[Action, None]:
        """A `Transfer` to `person` came to nothing, and the caller is back."""

    def interrupted(self, said: str) -> None:
        """The last reply was cut off; `said` is what the caller really heard of it."""

    def believed(self, heard: Heard) -> str:
        """The words to put into the transcript for this utterance."""

    def understands(self, heard: Heard) -> bool:
        """Whether `heard` is something whole: a request that it would act on, or an answer to what it asked. Cheap, and
        changes nothing: it is asked of utterances that may not be over. False where it cannot tell."""

    @property
    def expects(self) -> Expects: ...

    @property
    def dictated(self) -> Dictated:
        """What the caller's next utterance is to be heard as."""

    @property
    def takes_keys(self) -> bool:
        """A number was asked for, and may be keyed."""

    @property
    def results(self) -> dict[str, str]:
        """What the call brought: a message taken, whom the caller wanted. Personal."""

    async def conclude(self) -> dict[str, str] | None:
        """After the call: all results, where finding them takes a while; None where `results` has them."""


# -- remembering ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript: what was really said and heard, cut where it was interrupted."""

    speaker: Speaker
    text: str
    start_ms: int
    end_ms: int
    interrupted: bool = False


class Result(Enum):
    """What became of a call, in a word. `app/outcomes.py` has the table."""

    ANSWERED = "answered"
    TRANSFERRED = "transferred"
    MACHINE = "machine"
    MESSAGE_LEFT = "message left"
    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no answer"
    UNREACHABLE = "unreachable"
    NETWORK_ERROR = "network error"
    CANCELLED = "cancelled"
    CAPACITY = "capacity"
    FAILED = "failed"
    UNKNOWN = "unknown"


Side = Literal["caller", "callee", "agent", "network"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`sip_code` 0: no answer came, or the call was never placed. `ring_ms`: of the other side's telephone, until it
    was answered or all was over. `talk_ms`: from the answer to the end."""

    result: Result
    sip_code: int
    reason: str
    ring_ms: int
    talk_ms: int
    ended_by: Side


class SessionLog(Protocol):
    """One call's entry in the ledger. Writing never waits for the disk and never fails the call."""

    @property
    def id(self) -> str:
        """Of the session, unique for ever."""

    def connected(self, codec: str) -> None: ...

    def recorded(self, path: Path) -> None:
        """Where the recording is being written."""

    def line(self, line: Line) -> None: ...

    def turn(self, turn: Turn) -> None: ...

    def note(self, at_ms: int, text: str) -> None: ...

    def close(self, outcome: Outcome, conclusion: str, results: dict[str, str]) -> None:
        """`conclusion`: what the talk came to ("message taken", "silence"), empty if nothing is to be said of it."""

    def found(self, results: dict[str, str]) -> None:
        """Results that came after `close`, instead of those before."""


class Ledger(Protocol):
    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> SessionLog: ...
