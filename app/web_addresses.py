"""Addresses of the web that an owner types: with TLS anywhere, in clear only in the own network."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_URL = re.compile(r"https?://[!-~]+")
_NO_LISTING = "must be the address of a list of versions, e.g. https://updates.example.com/deskbell.json, or empty"

NEEDS_TLS: Final = "http:// is for addresses in your own network only: elsewhere, strangers could read what callers say"


def is_public(host: str) -> bool:
    """Whether `host` is an address that belongs to the internet. A name is not: what it leads to is seen when it is
    looked up."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_global or address.is_multicast or address.is_unspecified


def web_address(value: str, problem: str, in_clear: str = NEEDS_TLS) -> str:
    """`value`, or "" for none. `problem`: what it must be; `in_clear`: why it must begin with https://. Raises:
    ValueError."""
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(problem) from None
    if not _URL.fullmatch(value) or not host or "@" in parts.netloc or parts.fragment:
        raise ValueError(problem)
    if parts.scheme == "http" and is_public(host):
        raise ValueError(f"must begin with https:// since {in_clear}")
    return value


def listing_address(value: str) -> str:
    """Where a list of versions is. Raises: ValueError."""
    return web_address(value.strip(), _NO_LISTING, "strangers could tell the box anything elsewhere")
