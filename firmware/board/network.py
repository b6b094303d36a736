"""How the box stands in its network, as the kernel tells. `root` stands for / so that tests can bring a small tree of
their own.
"""

from __future__ import annotations

import fcntl
import ipaddress
import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ON_LINK = "directly"
"""In place of a gateway's address, where a default route needs none (a point-to-point link)."""

_GET_ADDRESS, _GET_NETMASK = 0x8915, 0x891B  # SIOCGIFADDR, SIOCGIFNETMASK of linux/sockios.h
_NAME_SERVER = re.compile(r"^\s*nameserver\s+(\S+)", re.MULTILINE)
_UP = ("up", "unknown")  # who drives a modem or a tunnel often does not say
_STUB = "127.0.0.53"  # systemd-resolved, which keeps the servers that it asks in a file of its own


@dataclass(frozen=True, slots=True)
class Interface:
    """`addresses` with their prefix length ("192.0.2.10/24"). `gateways`: of its default routes, or ON_LINK."""

    name: str
    mac: str
    is_up: bool
    addresses: tuple[str, ...]
    gateways: tuple[str, ...]


def ipv4_of(name: str) -> str:
    """The first IPv4 address of an interface, with its prefix length; empty if it has none."""
    request = struct.pack("256s", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            address, mask = (fcntl.ioctl(any_socket, what, request)[20:24] for what in (_GET_ADDRESS, _GET_NETMASK))
        except OSError:  # no address, or it went away a moment ago
            return ""
    return str(ipaddress.IPv4Interface((address, int.from_bytes(mask, "big").bit_count())))


def interfaces(root: Path = Path("/"), ipv4: Callable[[str], str] = ipv4_of) -> Iterator[Interface]:
    """All but the loopback and the kernel's own that lead nowhere. Blocks for microseconds. Raises: OSError."""
    ipv6, gateways = dict(_ipv6_addresses(root)), [*_ipv4_gateways(root), *_ipv6_gateways(root)]
    for folder in sorted((root / "sys/class/net").iterdir()):
        name = folder.name
        addresses = tuple(filter(None, (ipv4(name), *ipv6.get(name, ()))))
        if name == "lo" or not (addresses or (folder / "device").exists()):
            continue
        yield Interface(
            name=name,
            mac=_text(folder / "address").strip(),
            is_up=_text(folder / "operstate").strip() in _UP,
            addresses=addresses,
            gateways=tuple(gateway for interface, gateway in gateways if interface == name),
        )


def name_servers(root: Path = Path("/")) -> tuple[str, ...]:
    """As resolv.conf(5) names them."""
    named = name_servers_in(_text(root / "etc/resolv.conf"))
    if named == (_STUB,):
        return name_servers_in(_text(root / "run/systemd/resolve/resolv.conf")) or named
    return named


def name_servers_in(resolv_conf: str) -> tuple[str, ...]:
    """Of the text of a resolv.conf(5)."""
    return tuple(_NAME_SERVER.findall(resolv_conf))


def _ipv6_addresses(root: Path) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for line in _text(root / "proc/net/if_inet6").splitlines():
        address, _, prefix, _, _, name = line.split()
        interface = ipaddress.IPv6Interface((bytes.fromhex(address), int(prefix, 16)))
        found.setdefault(name, []).append(str(interface))
    yield from found.items()


def _ipv4_gateways(root: Path) -> Iterator[tuple[str, str]]:
    """Numbers stand there in hexadecimal, in the byte order of the processor."""
    for line in _text(root / "proc/net/route").splitlines()[1:]:
        name, destination, gateway, *_ = line.split()
        if int(destination, 16) == 0:
            yield name, _or_on_link(ipaddress.IPv4Address(struct.pack("=I", int(gateway, 16))))


def _ipv6_gateways(root: Path) -> Iterator[tuple[str, str]]:
    """The kernel has a default route of its own that refuses, on the loopback."""
    for line in _text(root / "proc/net/ipv6_route").splitlines():
        destination, prefix, _, _, gateway, *_, name = line.split()
        if int(destination, 16) == int(prefix, 16) == 0 and name != "lo":
            yield name, _or_on_link(ipaddress.IPv6Address(bytes.fromhex(gateway)))


def _or_on_link(gateway: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return ON_LINK if gateway.is_unspecified else str(gateway)


def _text(path: Path) -> str:
    """Empty for what this kernel, or this network, does not have."""
    with suppress(OSError):
        return path.read_text()
    return ""
