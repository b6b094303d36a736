"""Where the PBX is, and which of our addresses faces it.

pjproject would look names up with a blocking getaddrinfo on the Trio thread, so it is only given addresses. Where a
PBX names itself in a Contact, pjproject asks the machine's name servers itself, without blocking.
Limits: SRV and NAPTR records are not followed for `domain` and `proxy`: a PBX behind them needs its host name there.
Names that only /etc/hosts knows work in `domain` and `proxy`, not in a PBX's Contact.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass

import trio

from firmware.board.network import name_servers_in

LOOK_UP_S = 5.0
"""A resolver asks each of its servers twice with some seconds between; who waits longer has a broken network."""

SIP_PORT, SIPS_PORT = 5060, 5061

MAX_NAME_SERVERS = 3
"""As resolv.conf(5) has it."""


class NotFoundError(Exception):
    """The name has no address, or no name server answered. The text says which."""


class NoRouteError(Exception):
    """This machine has no way to the address: not connected, or no IPv6."""


@dataclass(frozen=True, slots=True)
class Route:
    """The PBX's address, and our own on the way to it."""

    host: str
    port: int
    local_host: str

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.host

    @property
    def host_port(self) -> str:
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


def split_host_port(text: str, transport: str = "udp") -> tuple[str, int]:
    """`pbx.lan`, `pbx.lan:5070`, `192.0.2.1`, `[2001:db8::1]:5070` into host and port (if not given: 5060, with TLS
    5061)."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    return host, int(port) if port else SIPS_PORT if transport == "tls" else SIP_PORT


async def look_up(host: str) -> list[str]:
    """All addresses of `host`, in the order to try them. In a thread that is left behind if we are cancelled.

    Raises: NotFoundError.
    """
    try:
        with trio.fail_after(LOOK_UP_S):
            found = await trio.socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except trio.TooSlowError:
        raise NotFoundError(f"no name server answered within {LOOK_UP_S:.0f} s") from None
    except socket.gaierror as fault:
        raise NotFoundError(fault.strerror or "the name has no address") from None
    except UnicodeError:  # from Python's IDNA codec, for "pbx..lan" or a part of more than 63 characters
        raise NotFoundError("this cannot be a host name: check its dots and the length of its parts") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def route_to(host: str, port: int) -> Route:
    """Ask the kernel; nothing is sent.

    Raises: NoRouteError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, port))
            return Route(host, port, probe.getsockname()[0])
    except OSError as fault:
        raise NoRouteError(fault.strerror or "no route") from None
    except OverflowError:
        raise NoRouteError(f"{port} is no port: they end at 65535") from None


def name_servers(resolv_conf: str) -> tuple[str, ...]:
    """The addresses of the name servers in the text of a resolv.conf(5). Link-local ones (fe80::1%eth0) are left out:
    pjproject knows no zones."""
    found = []
    for server in name_servers_in(resolv_conf):
        with suppress(ValueError):
            address = ipaddress.ip_address(server)
            if not address.is_link_local:
                found.append(str(address))
    return tuple(found[:MAX_NAME_SERVERS])
