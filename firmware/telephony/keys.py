"""One key, sent to the other side of a call."""

from __future__ import annotations

from contextlib import suppress

import pjsua2 as pj

from app.pressing import KEY_S


def send_key(leg: pj.Call, key: str) -> bool:
    """As an RFC 4733 event; by INFO (application/dtmf-relay) where the other side agreed on no events. False where
    neither can be sent: the call is ending, or has no audio."""
    for method in (pj.PJSUA_DTMF_METHOD_RFC2833, pj.PJSUA_DTMF_METHOD_SIP_INFO):
        parameters = pj.CallSendDtmfParam()
        parameters.digits, parameters.method, parameters.duration = key, method, round(KEY_S * 1000)
        with suppress(pj.Error):  # it said so already, in its own log
            leg.sendDtmf(parameters)
            return True
    return False
