"""SIP URIs out of what people type, and people out of SIP URIs. Pure."""

from __future__ import annotations

import re

# Of the URI proper: a display name before it may hold anything, another URI too.
_USER = re.compile(r"(?:<|^)\s*sips?:([^@;>]+)@[^<]*$", re.IGNORECASE)
_EXTENSION = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%#]{1,64}")  # RFC 3261 25.1 `user`, plus # for PBX codes
_URI = re.compile(r"sips?:[^\s<>\"\x00-\x1f\x7f]{1,200}")


class BadTargetError(ValueError):
    """What was to be dialled is neither an extension nor a SIP URI."""


def fit_for_utf8(text: str) -> str:
    """A peer may send any bytes. pjsua2 hands those that are not UTF-8 over as lone surrogates, which no file takes."""
    return text.encode(errors="replace").decode()


def user_of(uri: str) -> str:
    """The user part of `"Name" <sip:101@pbx>`; the whole text if it has none. Always fit for UTF-8."""
    clean = fit_for_utf8(uri)
    found = _USER.search(clean)
    return found[1] if found else clean


def target_uri(target: str, domain: str) -> str:
    """The URI to dial for an extension at `domain`, or for a URI itself.

    Raises: BadTargetError.
    """
    if _URI.fullmatch(target):
        return target
    if _EXTENSION.fullmatch(target):
        return f"sip:{escaped(target)}@{domain}"
    raise BadTargetError("this cannot be dialled: it is neither an extension nor a SIP URI (sip:name@host)")


def escaped(user: str) -> str:
    """`#` and `%` may be typed as part of a user, but a URI wants them escaped (RFC 3261 25.1)."""
    return user.replace("%", "%25").replace("#", "%23")


def name_addr(name: str, uri: str) -> str:
    """`"Front desk" <sip:200@pbx>`; control characters, which could end the header, become spaces."""
    if not name:
        return f"<{uri}>"
    printable = "".join(char if char.isprintable() else " " for char in name)
    quoted = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{uri}>'
