"""The registration as sentences in the log. No user and no domain: the log may be sent to somebody."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from firmware.telephony.registration import Cause, Registration

log = logging.getLogger(__name__)

_PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    603: "Decline",
}
"""RFC 3261 section 21. What the PBX itself wrote there may name anybody."""


def log_registration(registration: Registration, before: Registration) -> None:
    """A renewal that went well is no news."""
    cause = registration.cause
    if cause is Cause.REGISTERED:
        level = logging.DEBUG if before.cause is cause else logging.INFO
        log.log(level, "Registered with the PBX for %(expires_s)d s.", {"expires_s": registration.expires_s})
    elif cause is Cause.TRYING:
        log.info("Registering with the PBX.")
    elif cause is not Cause.OFFLINE:
        _log_failure(registration)
    elif before.cause is Cause.REGISTERED:
        log.info("Unregistered from the PBX.")
    else:
        log.info("Stopped trying to register with the PBX.")


def _log_failure(registration: Registration) -> None:
    answer = answer_of(registration.sip_code)
    cause = registration.cause.value + (f" ({answer})" if answer else "")
    if registration.next_try is None:
        log.warning("Not registered: %(cause)s.", {"cause": cause})
        return
    wait_s = max(0, round((registration.next_try - datetime.now(UTC)).total_seconds()))
    log.warning("Not registered: %(cause)s. Next try in %(next_try_s)d s.", {"cause": cause, "next_try_s": wait_s})


def answer_of(sip_code: int) -> str:
    """ "401 Unauthorized"; empty for 0, which is no answer."""
    return f"{sip_code} {_PHRASES.get(sip_code, '')}".strip() if sip_code else ""
