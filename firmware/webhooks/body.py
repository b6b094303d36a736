"""What a webhook says, and how it proves that the box said it. Pure."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

from app.outcomes import in_words
from firmware.storage.call_records import HOW_IT_WENT

_SAME = ("agent", "direction", "remote", "started_at", *HOW_IT_WENT)


def call_ended(delivery_id: str, session: dict[str, Any]) -> str:
    """JSON of a session that ended: its row, with those of the call that was asked for, if one was. Instants are UTC in
    ISO 8601; `ended_at` is null after a power cut."""
    call = {name: session[name] for name in _SAME} | {
        "id": session["call_id"],
        "session_id": session["id"],
        "agent_id": session["agent_id"],
        "dialled": session["dialled"],
        "outcome_text": in_words(session["outcome"], session["sip_code"], session["sip_reason"], session["ring_ms"]),
        "variables": json.loads(session["variables"] or "{}"),
        "results": json.loads(session["results"]),
    }
    return json.dumps({"event": "call.ended", "delivery": delivery_id, "call": call}, ensure_ascii=False)


def signature(secret: str, at_s: int, body: bytes) -> str:
    """The value of Deskbell-Signature: when it was sent, in seconds since 1970, and an HMAC-SHA256 over that instant, a
    dot and the body, in hex. The instant is signed, so that nobody sends an old one again."""
    mac = hmac.new(secret.encode(), f"{at_s}.".encode() + body, sha256)
    return f"t={at_s},v1={mac.hexdigest()}"
