"""pjproject's stack as a Trio service.

The problem: pjsua2 wants worker threads that call back at any moment, destroys its objects in whatever thread drops
them, and aborts the process when that happens after the stack is gone.
What we do: the Trio thread is pj's only SIP thread. It waits for the epoll handle that pj's sockets are in, lets pj
handle what came, and afterwards runs what the callbacks posted. Callbacks copy and post, they never act: an action
inside one re-enters pj. Objects are made, used and dropped here only. Audio is handed over to pjmedia's clock thread in
C++ (tap.py); RTP is read by pjmedia's own worker.
What the program must do: take SIGINT with `trio.open_signal_receiver`. A KeyboardInterrupt that is raised inside a
callback gets lost in pj, and keeps objects alive that must be gone before the stack is.
What we chose not to do: a polling thread (wakes 100 times a second and needs locks everywhere), pj's own
re-registration (no jitter, no causes), pj's name look-ups (blocking).
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pjsua2 as pj
import trio

from app.ports import FRAME_MS, SAMPLE_RATE_HZ
from firmware.audio.call_audio import Durations
from firmware.telephony.address import name_servers
from firmware.telephony.conversion import RESAMPLING_QUALITY
from firmware.telephony.log import LEVEL, Log
from firmware.telephony.tap import TapRack
from firmware.telephony.transports import Transports

CODECS = ("opus", "G722", "PCMU", "PCMA")
MAX_CALLS = 32
"""16 sessions, each possibly beside one that is just ending. PJSUA_MAX_CALLS in image/pjsua2/config_site.h."""

TIMER_CAP_S = 0.05
"""pj's own timers run at least this often: its finest that matter are SIP's T1 (500 ms)."""

EVENTS_PER_TURN = 64
"""Then other tasks get their turn, even under a flood of packets."""

SWITCH_INTERVAL_S = 0.0001
"""How long the Trio thread waits at most for the GIL of a thread that speaks or writes, in place of 5 ms each time. The
clock thread of the audio never needs it (tap.py)."""

LONGEST_URI = 1000
"""Characters of a message in which its request URI must have ended."""

_OFF, _FIRST = 0, 250  # pj's priorities of codecs


def _resolv_conf() -> str:
    try:
        return Path("/etc/resolv.conf").read_text()
    except OSError:
        return ""  # a box without a network yet: `domain` and `proxy` are looked up by the system at each try


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """`codecs`: offered in this order, by SDP name; all others are off. RTP uses the even ports of the given range
    (two ports per call). `name_servers`: addresses, for hosts that a PBX names itself (see address.py)."""

    codecs: tuple[str, ...] = CODECS
    rtp_first_port: int = 16384
    rtp_ports: int = 4 * MAX_CALLS
    user_agent: str = "Deskbell"
    name_servers: tuple[str, ...] = field(default_factory=lambda: name_servers(_resolv_conf()))


@dataclass(frozen=True, slots=True)
class Rejected:
    """A caller whom pj refused by itself, before there was a call. `message`: the whole INVITE. `source`: the address
    and port that it came from."""

    sip_code: int
    message: str = field(repr=False)
    source: str

    @property
    def request_uri(self) -> str:
        _, _, rest = self.message[:LONGEST_URI].partition(" ")
        return rest.partition(" ")[0]


class _Stack(pj.Endpoint):  # type: ignore[misc]
    """pj's endpoint: tells what becomes of connections, and whom pj refused."""

    on_transport_state: Callable[[pj.OnTransportStateParam], None] | None = None
    on_rejected: Callable[[pj.OnRejectedIncomingCallParam], None] | None = None

    def onTransportState(self, prm: pj.OnTransportStateParam) -> None:  # noqa: N802
        if self.on_transport_state:
            self.on_transport_state(prm)

    def onRejectedIncomingCall(self, prm: pj.OnRejectedIncomingCallParam) -> None:  # noqa: N802
        if self.on_rejected:
            self.on_rejected(prm)


class Endpoint:
    """One SIP stack, at most one at a time in a process. Made by `run_endpoint`."""

    def __init__(self, config: EndpointConfig) -> None:
        self.config = config
        self.gaps = Durations()
        self._faults: deque[Exception] = deque()
        self._posted: deque[Callable[[], None]] = deque()
        self._rejection_listeners: set[Callable[[Rejected], None]] = set()
        self.taps = TapRack()
        self.log = Log()
        self._pj = _Stack()
        self.transports = Transports(self._pj, self.post)
        self._pj.libCreate()
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    # -- for account.py and call.py --------------------------------------------------------------------------

    def post(self, action: Callable[[], None]) -> None:
        """Run `action` on this loop once pj's callback has returned. For callbacks; never fails."""
        self._posted.append(action)

    def fault(self, fault: Exception) -> None:
        """A callback met a bug of ours: the loop raises it. From any thread."""
        self._faults.append(fault)

    @contextmanager
    def rejections(self, listener: Callable[[Rejected], None]) -> Iterator[None]:
        """`listener` hears of each caller whom pj refused by itself."""
        self._rejection_listeners.add(listener)
        try:
            yield
        finally:
            self._rejection_listeners.discard(listener)

    # -- the loop --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve pj's sockets and timers until cancelled."""
        handle = ctypes.cast(int(self._pj.libGetSipIoqueueHandle()), ctypes.POINTER(ctypes.c_int))
        epoll = handle.contents.value
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.taps.run)
            while True:
                with trio.move_on_after(TIMER_CAP_S):
                    await trio.lowlevel.wait_readable(epoll)
                self.turn()

    def turn(self) -> None:
        """Handle what came in, then what the callbacks posted."""
        for _ in range(EVENTS_PER_TURN):
            if self._pj.libHandleEvents(0) <= 0:
                break
        while self._posted:
            self._posted.popleft()()
        self.transports.sweep()
        if self._faults:
            raise self._faults.popleft()

    def close(self) -> None:
        """Everything down, in the order that pj survives: the clock, our ports, what is left over, the stack.

        Calls and accounts have said good-bye before (account.py); pj is told to send nothing more, which also spares
        us the second that it would otherwise wait.
        """
        self._pj.on_transport_state = self._pj.on_rejected = None
        if self._pj.libGetState() >= pj.PJSUA_STATE_INIT:
            self._pj.audDevManager().setNoDev()
        self._posted.clear()
        self.taps.clear()
        gc.collect()
        self._pj.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)
        self.transports.forget()
        del self._pj

    # -- setting up ------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._pj.libInit(self._settings())
        self._pj.on_transport_state, self._pj.on_rejected = self._transport_state, self._rejected
        self._choose_codecs()
        self._pj.audDevManager().setNullDev()
        self._pj.libStart()

    def _settings(self) -> pj.EpConfig:
        settings = pj.EpConfig()
        agent, media, log = settings.uaConfig, settings.medConfig, settings.logConfig
        agent.maxCalls, agent.threadCnt, agent.mainThreadOnly = MAX_CALLS, 0, True
        agent.userAgent = self.config.user_agent
        for server in self.config.name_servers:
            agent.nameserver.append(server)
        media.clockRate, media.channelCount, media.audioFramePtime, media.ptime = SAMPLE_RATE_HZ, 1, FRAME_MS, FRAME_MS
        media.quality = RESAMPLING_QUALITY
        media.noVad = True  # a caller's pauses must arrive as silence, not as nothing
        media.ecTailLen = 0  # there is no loudspeaker
        media.sndAutoCloseTime = -1  # the null device is the clock of everything
        # Jitter buffer: 1 frame to start with, since on an office network RTP is punctual and each frame is 20 ms of
        # response time; it may grow to 160 ms on a bad day, and holds 400 ms before it throws away.
        media.jbInit, media.jbMinPre, media.jbMaxPre, media.jbMax = FRAME_MS, FRAME_MS, 160, 400
        log.level, log.consoleLevel, log.msgLogging = LEVEL, LEVEL, 0
        log.decor = 0
        log.writer = self.log
        self.log.__disown__()  # pj deletes it in libDestroy
        return settings

    def _choose_codecs(self) -> None:
        """Ours in our order, all others off. Opus: wide band is all that the recognisers hear, so 16 kHz and 24 kbit/s
        (transparent for speech); complexity 4 of 10 is what a Raspberry Pi 3 has to spare for several calls."""
        known = self._pj.codecEnum2()  # bound first: its parts live in it
        ranks = {name.casefold(): rank for rank, name in enumerate(self.config.codecs)}
        for codec_id in [str(codec.codecId) for codec in known]:
            rank = ranks.get(codec_id.partition("/")[0].casefold())
            self._pj.codecSetPriority(codec_id, _OFF if rank is None else _FIRST - rank)
        opus = self._pj.getCodecOpusConfig()
        opus.sample_rate, opus.channel_cnt, opus.bit_rate, opus.complexity = SAMPLE_RATE_HZ, 1, 24_000, 4
        self._pj.setCodecOpusConfig(opus)

    def _transport_state(self, prm: pj.OnTransportStateParam) -> None:
        try:
            self.transports.state_changed(prm)
        except Exception as fault:  # noqa: BLE001
            self.fault(fault)

    def _rejected(self, prm: pj.OnRejectedIncomingCallParam) -> None:
        try:
            rejected = Rejected(int(prm.statusCode), str(prm.rdata.wholeMsg), str(prm.rdata.srcAddress))
            for listener in tuple(self._rejection_listeners):
                self.post(partial(listener, rejected))
        except Exception as fault:  # noqa: BLE001
            self.fault(fault)


async def run_endpoint(config: EndpointConfig, *, task_status: trio.TaskStatus[Endpoint]) -> None:
    """The service, for `firmware.lifetimes.serving`: hands an `Endpoint` over and runs it until cancelled."""
    # One that failed before in this process may still be held, by a cycle of its exception and frames; pj ends the
    # process where a second one is made.
    gc.collect()
    with _punctual_interpreter():
        endpoint = Endpoint(config)
        try:
            task_status.started(endpoint)
            await endpoint.run()
        finally:
            endpoint.close()


@contextmanager
def _punctual_interpreter() -> Iterator[None]:
    """Python set up for a Trio thread that has something to do every 20 ms."""
    switch_interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    # What is loaded by now stays. Else the collector would look through all of it again and again (every 5 s while
    # somebody uses the page), and hold the GIL meanwhile: 55 ms on x86, by which every answer would be later.
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(switch_interval)
