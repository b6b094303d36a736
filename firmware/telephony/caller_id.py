"""Who calls, as the PBX is told: it decides what the other side sees, and PBXs look in different places. Pure.

The default is safe where a PBX knows an extension by the user part of From (Asterisk's does): that stays, the caller ID
is the name before it, and stands in P-Asserted-Identity (RFC 3325) for those that trust it.
"""

from __future__ import annotations

import re

from app.settings import Account
from firmware.telephony.uris import name_addr, target_uri

_SEPARATORS = re.compile(r"[\s\u00a0().\-/]")
_PORT = re.compile(r":\d+$")
_NUMBER = re.compile(r"\+?[0-9]{2,}")


def from_header(account: Account) -> str:
    """The From header of a call: name-addr of RFC 3261."""
    own = target_uri(account.user, _host(account))
    number = _number(account.caller_id)
    if account.caller_id_from == "user" and number:
        return f"<sip:{number}@{_host(account)}>"
    return f"<{own}>" if account.caller_id_from == "no" else name_addr(account.caller_id, own)


def asserted_identity(account: Account) -> str:
    """The P-Asserted-Identity header of a call; empty where there is none."""
    if not account.caller_id or not account.caller_id_asserted:
        return ""
    if number := _number(account.caller_id):
        return f"<sip:{number}@{_host(account)}>"
    return name_addr(account.caller_id, target_uri(account.user, _host(account)))


def _host(account: Account) -> str:
    """Who somebody is has no port: RFC 3261 19.1.1 allows none in From."""
    return _PORT.sub("", account.domain)


def _number(caller_id: str) -> str:
    """Empty where it is a name."""
    plain = _SEPARATORS.sub("", caller_id)
    return plain if _NUMBER.fullmatch(plain) else ""
