"""pjproject's stack as a Trio service.

The problem: pjsua2 wants worker threads that call back at any moment, destroys its objects in whatever thread drops
them, and aborts the process when that happens after the stack is gone.
What we do: the Trio thread is pj's only SIP thread. It waits for the epoll handle that pj's sockets are in, lets pj
handle what came, and afterwards runs what the callbacks posted. Callbacks copy and post, they never act: an action
inside one re-enters pj. Objects are made, used and dropped here only. Audio callbacks come on pjmedia's clock thread
(tap.py); RTP is read by pjmedia's own worker.
What the program must do: take SIGINT with `trio.open_signal_receiver`. A KeyboardInterrupt that is raised inside a
callback gets lost in pj, and keeps objects alive that must be gone before the stack is.
What we chose not to do: a polling thread (wakes 100 times a second and needs locks everywhere), pj's own
re-registration (no jitter, no causes), pj's name look-ups (blocking).
"""

from __future__ import annotations

import ctypes
import errno
import gc
import socket
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
from firmware.telephony.address import Route, name_servers
from firmware.telephony.audio import TickGaps
from firmware.telephony.log import LEVEL, Log
from firmware.telephony.tap import TapRack

CODECS = ("opus", "G722", "PCMU", "PCMA")
MAX_CALLS = 32
"""16 sessions, each possibly beside one that is just ending. PJSUA_MAX_CALLS in image/pjsua2/config_site.h."""

TIMER_CAP_S = 0.05
"""pj's own timers run at least this often: its finest that matter are SIP's T1 (500 ms)."""

EVENTS_PER_TURN = 64
"""Then other tasks get their turn, even under a flood of packets."""

SWITCH_INTERVAL_S = 0.0005
"""How long the clock thread waits at most for a busy Python thread's GIL; the default of 5 ms makes jitter."""

_OFF, _FIRST = 0, 250  # pj's priorities of codecs
_ADDRESS_IN_USE = 120098  # PJ_STATUS_FROM_OS(EADDRINUSE)


def _resolv_conf() -> str:
    try:
        return Path("/etc/resolv.conf").read_text()
    except OSError:
        return ""  # a box without a network yet: `domain` and `proxy` are looked up by the system at each try


class TelephonyError(Exception):
    """Telephony cannot start. The text says what happened, why, and what to do next."""


class PortTakenError(TelephonyError):
    """Another program has the local SIP port."""


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """`codecs`: offered in this order, by SDP name; all others are off. RTP uses the even ports of the given range
    (two ports per call). `name_servers`: addresses, for hosts that a PBX names itself (see address.py)."""

    codecs: tuple[str, ...] = CODECS
    rtp_first_port: int = 16384
    rtp_ports: int = 4 * MAX_CALLS
    user_agent: str = "Deskbell"
    name_servers: tuple[str, ...] = field(default_factory=lambda: name_servers(_resolv_conf()))


class _Stack(pj.Endpoint):  # type: ignore[misc]
    """pj's endpoint: tells which transports were lost."""

    on_transport_lost: Callable[[str], None] | None = None

    def onTransportState(self, prm: pj.OnTransportStateParam) -> None:  # noqa: N802
        if self.on_transport_lost and prm.state == pj.PJSIP_TP_STATE_DISCONNECTED:
            self.on_transport_lost(str(prm.type))


class Endpoint:
    """One SIP stack, at most one at a time in a process. Made by `run_endpoint`."""

    def __init__(self, config: EndpointConfig) -> None:
        self.config = config
        self.gaps = TickGaps()
        self._faults: deque[Exception] = deque()
        self._posted: deque[Callable[[], None]] = deque()
        self._transports: dict[tuple[str, str, int], int] = {}
        self._loss_listeners: set[Callable[[str], None]] = set()
        self.taps = TapRack(self.fault)
        self.log = Log()
        self._pj = _Stack()
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
    def transport_losses(self, listener: Callable[[str], None]) -> Iterator[None]:
        """`listener` hears the type ("TCP", ...) of each connection that was lost."""
        self._loss_listeners.add(listener)
        try:
            yield
        finally:
            self._loss_listeners.discard(listener)

    def transport(self, kind: str, route: Route, port: int) -> int:
        """The id of pj's transport for "udp" or "tcp" that faces `route`, opened if need be. `port` 0: any.

        Raises: PortTakenError.
        """
        key = (kind, route.local_host, port)
        if key not in self._transports:
            self._transports[key] = self._open_transport(*key)
        return self._transports[key]

    # -- the loop --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve pj's sockets and timers until cancelled."""
        handle = ctypes.cast(int(self._pj.libGetSipIoqueueHandle()), ctypes.POINTER(ctypes.c_int))
        epoll = handle.contents.value
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
        if self._faults:
            raise self._faults.popleft()

    def close(self) -> None:
        """Everything down, in the order that pj survives: the clock, our ports, what is left over, the stack.

        Calls and accounts have said good-bye before (account.py); pj is told to send nothing more, which also spares
        us the second that it would otherwise wait.
        """
        self._pj.on_transport_lost = None
        if self._pj.libGetState() >= pj.PJSUA_STATE_INIT:
            self._pj.audDevManager().setNoDev()
        self._posted.clear()
        self.taps.clear()
        gc.collect()
        self._pj.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)
        del self._pj

    # -- setting up ------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._pj.libInit(self._settings())
        self._pj.on_transport_lost = self._transport_lost
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

    def _open_transport(self, kind: str, local_host: str, port: int) -> int:
        ipv6 = ":" in local_host
        kinds = {
            ("udp", False): pj.PJSIP_TRANSPORT_UDP,
            ("udp", True): pj.PJSIP_TRANSPORT_UDP6,
            ("tcp", False): pj.PJSIP_TRANSPORT_TCP,
            ("tcp", True): pj.PJSIP_TRANSPORT_TCP6,
        }
        config = pj.TransportConfig()
        config.port, config.boundAddress = port, local_host
        try:
            return int(self._pj.transportCreate(kinds[kind, ipv6], config))
        except pj.Error as fault:
            raise _port_error(kind, port, taken=fault.status == _ADDRESS_IN_USE, reason=fault.reason) from None

    def _transport_lost(self, kind: str) -> None:
        for listener in tuple(self._loss_listeners):
            self.post(partial(listener, kind))


def check_port(kind: str, port: int) -> None:
    """Raises: PortTakenError if another program has the port; early, before the way to the PBX is known."""
    with socket.socket(type=socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("", port))
        except OSError as fault:
            raise _port_error(kind, port, taken=fault.errno == errno.EADDRINUSE, reason=str(fault.strerror)) from None


def _port_error(kind: str, port: int, *, taken: bool, reason: str) -> TelephonyError:
    if taken:
        return PortTakenError(
            f"the local SIP port {port}/{kind} is taken by another program on this machine. "
            "Stop that program, or set local_port to another port (0: any free one)"
        )
    return TelephonyError(f"the local SIP port {port}/{kind} cannot be opened: {reason}. Set local_port to another one")


async def run_endpoint(config: EndpointConfig, *, task_status: trio.TaskStatus[Endpoint]) -> None:
    """The service, for `firmware.lifetimes.serving`: hands an `Endpoint` over and runs it until cancelled."""
    switch_interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        endpoint = Endpoint(config)
        try:
            task_status.started(endpoint)
            await endpoint.run()
        finally:
            endpoint.close()
    finally:
        sys.setswitchinterval(switch_interval)
