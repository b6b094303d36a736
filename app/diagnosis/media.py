"""Registration succeeds, but calls fail to establish: the two sides could not agree on audio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from app.control.views import ConnectionView, Finding, Severity
from app.diagnosis.facts import Facts, times
from app.establishing import Encryption, FailedCall, Reason, Seen, codec_names
from app.ports import Direction

_LOOK_BACK = timedelta(hours=24)
"""What did not happen again for a day was mended, or was one caller with an odd telephone."""


def of_audio(connection: ConnectionView, seen: Seen, facts: Facts, finding: partial[Finding]) -> Iterator[Finding]:
    """One finding for each direction and reason."""
    recent = [failed for failed in seen.failed if failed.at > facts.now - _LOOK_BACK]
    directions: tuple[Direction, ...] = ("inbound", "outbound")
    for direction in directions:
        for reason in Reason:
            same = [failed for failed in recent if failed.direction == direction and reason in failed.reasons]
            if same:
                yield _of_reason(_Case(connection, reason, same, seen, facts), finding)


@dataclass(frozen=True, slots=True)
class _Case:
    """Calls in one direction that failed for one reason, oldest first."""

    connection: ConnectionView
    reason: Reason
    failed: Sequence[FailedCall]
    seen: Seen
    facts: Facts

    @property
    def last(self) -> FailedCall:
        return self.failed[-1]

    @property
    def calls(self) -> str:
        user, name = self.connection.account.user, self.connection.account.name
        return f"Calls to {user}" if self.last.direction == "inbound" else f"Calls that “{name}” places"

    @property
    def how_often(self) -> str:
        refused = "This box" if self.last.direction == "inbound" else "The phone system"
        often = f"{refused} refused {times(len(self.failed), 'call')} with {self.last.sip_code}"
        since = f", the first {self.facts.at(self.failed[0].at)}, the last" if len(self.failed) > 1 else ","
        return f"{often}{since} {self.facts.at(self.last.at)}."

    @property
    def established_since(self) -> str:
        """A sentence, if a call in this direction was established after the last that failed."""
        at = dict(self.seen.established_at).get(self.last.direction)
        return f" Since then, a call was established {self.facts.at(at)}." if at and at > self.last.at else ""

    @property
    def theirs(self) -> str:
        if self.last.theirs is None:
            return "The other side does not say what it would take"
        return f"The other side offered {codec_names(self.last.theirs)}, {self.last.theirs.encryption.value}"


def _of_reason(case: _Case, finding: partial[Finding]) -> Finding:
    ours = f"this box speaks {codec_names(case.last.ours)}, {case.last.ours.encryption.value}"
    return finding(
        kind=f"{case.last.direction} call: {case.reason.value}",
        severity=Severity.WARNING if case.established_since else Severity.ERROR,
        title=f"{case.calls} fail: {_TITLES[case.reason]}",
        evidence=f"{case.how_often} {case.theirs}; {ours}.{case.established_since}",
        remedy=_remedy(case),
    )


_TITLES = {
    Reason.NO_COMMON_CODEC: "the phone system and the box have no codec in common",
    Reason.ENCRYPTION_REQUIRED: "the phone system requires encrypted audio (SRTP)",
    Reason.ENCRYPTION_MISSING: "this connection requires encrypted audio (SRTP), and the phone system offers none",
    Reason.NOT_TOLD: "the phone system and the box do not agree on audio",
}


def _remedy(case: _Case) -> str:
    user, ours = case.connection.account.user, codec_names(case.last.ours)
    match case.reason:
        case Reason.NO_COMMON_CODEC:
            return (
                f"In the phone system, allow one of {ours} for extension {user} (G.722 is understood best), "
                "then call again. Nothing has to be changed on this box."
            )
        case Reason.ENCRYPTION_REQUIRED if case.last.theirs and case.last.theirs.encryption is Encryption.DTLS:
            return (
                f"In the phone system, switch DTLS off for extension {user}: this box takes SRTP with keys by SDES "
                "(“SRTP via in-SDP”), or unencrypted audio."
            )
        case Reason.ENCRYPTION_REQUIRED:
            return (
                "Open this connection, set “Encrypted audio (SRTP)” under Advanced to “optional”, and restart its "
                f"agents. Or switch media encryption off for extension {user} in the phone system."
            )
        case Reason.ENCRYPTION_MISSING:
            return f"In the phone system, switch on SRTP (SDES) for extension {user}, then call again."
        case Reason.NOT_TOLD:
            return (
                f"Ask the administrator of the phone system whether extension {user} allows one of {ours}, and "
                "whether it requires SRTP: both must fit this connection."
            )
