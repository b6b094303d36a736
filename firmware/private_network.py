"""Servers that the box asks over HTTP: those in the own network need no TLS, all others have to prove who they are."""

from __future__ import annotations

import ssl

import trio

from app.web_addresses import is_public

# Of a name: one of each kind, IPv6 and IPv4.
_ADDRESSES_TRIED = 2


class NoSuchName(Exception):
    """The name leads nowhere."""


class NotPrivate(Exception):
    """It leads to the internet."""


async def private_addresses(host: str, port: int) -> list[str]:
    """The addresses to connect to, best first: those that were looked at, since the name may lead elsewhere a moment
    later.

    Raises: NoSuchName, NotPrivate if one of them belongs to the internet.
    """
    addresses = await addresses_of(host, port)
    if any(is_public(address) for address in addresses):
        raise NotPrivate
    return addresses


async def ways_to(scheme: str, host: str, port: int) -> list[str]:
    """Where to connect to, best first: with TLS by the name, whose certificate says who is there; in clear only to
    addresses of the own network, and to those that were looked at. Raises: NoSuchName, NotPrivate."""
    if scheme == "https":
        must_be_name(host)
        return [host]
    return (await private_addresses(host, port))[:_ADDRESSES_TRIED]


async def addresses_of(host: str, port: int) -> list[str]:
    """Anywhere. Raises: NoSuchName."""
    try:
        found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the latter from Python's IDNA codec, for "crm..lan"
        raise NoSuchName from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def must_be_name(host: str) -> None:
    """For who leaves the look-up to httpx, which lets Python's IDNA codec fail ("crm..lan"). Raises: NoSuchName."""
    try:
        host.encode("idna")
    except UnicodeError:
        raise NoSuchName from None


def is_untrusted(fault: BaseException) -> bool:
    """Whether a connection failed because the server's certificate is not trusted. Under Trio, that is told only by
    what lies below the fault."""
    below: BaseException | None = fault
    while below is not None:
        if isinstance(below, ssl.SSLCertVerificationError):
            return True
        below = below.__cause__ or below.__context__
    return False
