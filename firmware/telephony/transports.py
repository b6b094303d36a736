"""pj's transports: opened for the first account that needs one, closed some time after the last has left it.

pj has room for eight. UDP transports are sockets; for TCP and TLS what is opened here is the listener that connections
to a PBX belong to, and a connection is only used again by who asks with the same listener.
"""

from __future__ import annotations

import ctypes
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import pjsua2 as pj
import trio

from firmware.telephony.trust import Certificate, certificate_of

LINGER_S = 40.0
"""64*T1 (32 s, RFC 3261 17.1.1.2) and some more: what somebody who left has under way ends over it."""

MOST = 8
"""Room in pj."""

_NO_ROOM = (
    f"no further local SIP port can be opened: the box has room for {MOST} at once. Give several connections the same "
    "transport and local port (0: any free one)"
)

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
"""Of the system; a PBX with a certificate of its own is trusted by its fingerprint."""

# pjsua2 hands a connection's handle out as a number and takes it back as a pointer only, so this is called past it.
_shut_down = ctypes.CDLL(pj._pjsua2.__file__).pjsip_transport_shutdown  # noqa: SLF001
_shut_down.argtypes, _shut_down.restype = [ctypes.c_void_p], ctypes.c_int

_ADDRESS_IN_USE = 120098  # PJ_STATUS_FROM_OS(EADDRINUSE)
_KINDS = {
    ("udp", False): pj.PJSIP_TRANSPORT_UDP,
    ("udp", True): pj.PJSIP_TRANSPORT_UDP6,
    ("tcp", False): pj.PJSIP_TRANSPORT_TCP,
    ("tcp", True): pj.PJSIP_TRANSPORT_TCP6,
    ("tls", False): pj.PJSIP_TRANSPORT_TLS,
    ("tls", True): pj.PJSIP_TRANSPORT_TLS6,
}

Kind = Literal["udp", "tcp", "tls"]


class TelephonyError(Exception):
    """Telephony cannot start. The text says what happened, why, and what to do next."""


class PortTakenError(TelephonyError):
    """Another program has the local SIP port."""


@dataclass(frozen=True, slots=True)
class Way:
    """What a transport is for. `port` 0: any. `generation`: connections of another one are not used again."""

    kind: Kind
    local_host: str
    port: int
    generation: int = 0


@dataclass(slots=True)
class _Open:
    id: int
    users: int = 0
    left_s: float = 0.0


class Transports:
    """`post` runs an action once pj's callback has returned."""

    def __init__(self, stack: pj.Endpoint, post: Callable[[Callable[[], None]], None]) -> None:
        self._pj, self._post = stack, post
        self._open: dict[Way, _Open] = {}
        self._newest: dict[Way, int] = {}
        self._loss_listeners: set[Callable[[str], None]] = set()
        self._judges: set[Callable[[Certificate], bool | None]] = set()
        self._shown: dict[int, Certificate] = {}  # on TLS connections that are up, by pj's handle

    def newest(self, way: Way) -> Way:
        """Of the same kind, address and port."""
        return replace(way, generation=self._newest.get(replace(way, generation=0), 0))

    def renewed(self, way: Way) -> Way:
        """One whose connections are newer than those of `way`: they were silent."""
        base = replace(way, generation=0)
        self._newest[base] = max(self._newest.get(base, 0), way.generation + 1)
        return self.newest(way)

    def borrow(self, way: Way) -> int:
        """The id of pj's transport, opened if need be. Give it back. Raises: TelephonyError."""
        if way not in self._open:
            if len(self._open) >= MOST:
                self._close_left(before_s=trio.current_time())
            if len(self._open) >= MOST:
                raise TelephonyError(_NO_ROOM)
            self._open[way] = _Open(self._opened(way))
        self._open[way].users += 1
        return self._open[way].id

    def give_back(self, way: Way) -> None:
        if opened := self._open.get(way):
            opened.users -= 1
            opened.left_s = trio.current_time()

    def forget(self) -> None:
        """pj is about to go, and takes them all with it."""
        self._open.clear()
        del self._pj

    def sweep(self) -> None:
        """Close what nobody has used for long enough."""
        self._close_left(before_s=trio.current_time() - LINGER_S)

    def _close_left(self, *, before_s: float) -> None:
        left = [way for way, opened in self._open.items() if not opened.users and opened.left_s <= before_s]
        for way in left:
            self._pj.transportClose(self._open.pop(way).id)

    def _opened(self, way: Way) -> int:
        config = pj.TransportConfig()
        config.port, config.boundAddress = way.port, way.local_host
        if way.kind == "tls":
            _secure(config.tlsConfig)
        try:
            return int(self._pj.transportCreate(_KINDS[way.kind, ":" in way.local_host], config))
        except pj.Error as fault:
            raise _port_error(way, taken=fault.status == _ADDRESS_IN_USE, reason=fault.reason) from None

    # -- what becomes of connections -------------------------------------------------------------------------

    @contextmanager
    def losses(self, listener: Callable[[str], None]) -> Iterator[None]:
        """`listener` hears the type ("TCP", ...) of each connection that was lost."""
        self._loss_listeners.add(listener)
        try:
            yield
        finally:
            self._loss_listeners.discard(listener)

    @contextmanager
    def judging(self, judge: Callable[[Certificate], bool | None]) -> Iterator[None]:
        """`judge` says whether to trust who showed a certificate; None where it has no say. One that trusts is enough;
        nothing is sent to who is trusted by nobody. Asked inside of pj's callback: pure."""
        self._judges.add(judge)
        try:
            yield
        finally:
            self._judges.discard(judge)

    def shown_at(self, host: str, port: int) -> list[Certificate]:
        """On the TLS connections that are up: whoever sends to that place now sends over one of them."""
        return [each for each in self._shown.values() if (each.remote, each.port) == (host, port)]

    def state_changed(self, prm: pj.OnTransportStateParam) -> None:
        """pj tells of a connection."""
        if prm.state != pj.PJSIP_TP_STATE_CONNECTED:
            self._shown.pop(int(prm.hnd), None)
        if prm.state == pj.PJSIP_TP_STATE_DISCONNECTED:
            for listener in tuple(self._loss_listeners):
                self._post(partial(listener, str(prm.type)))
        if prm.state == pj.PJSIP_TP_STATE_CONNECTED and str(prm.type).upper().startswith("TLS"):
            is_trusted = False
            try:
                certificate = certificate_of(prm.tlsInfo)
                if certificate:
                    verdicts = [judge(certificate) for judge in self._judges]  # each hears of it, and knows its own
                    is_trusted = any(verdicts)
                    self._shown[int(prm.hnd)] = certificate
            finally:
                if not is_trusted:
                    self._shown.pop(int(prm.hnd), None)
                    _shut_down(prm.hnd)


def _secure(config: pj.TlsConfig) -> None:
    """pj looks at the certificate's chain and takes anything: Transports.judging decides, by fingerprint too."""
    config.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2 | pj.PJ_SSL_SOCK_PROTO_TLS1_3
    config.verifyServer = config.verifyClient = config.requireClientCert = False
    if AUTHORITIES.is_file():
        config.CaListFile = str(AUTHORITIES)


def check_port(kind: Kind, port: int) -> None:
    """Raises: PortTakenError if another program has the port; early, before the way to the PBX is known."""
    with socket.socket(type=socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("", port))
        except OSError as fault:
            taken = fault.errno == errno.EADDRINUSE
            raise _port_error(Way(kind, "", port), taken=taken, reason=str(fault.strerror)) from None


def _port_error(way: Way, *, taken: bool, reason: str) -> TelephonyError:
    if taken:
        return PortTakenError(
            f"the local SIP port {way.port}/{way.kind} is taken by another program on this machine. "
            "Stop that program, or set local_port to another port (0: any free one)"
        )
    return TelephonyError(
        f"the local SIP port {way.port}/{way.kind} cannot be opened: {reason}. Set local_port to another one"
    )
