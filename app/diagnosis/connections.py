"""What keeps calls of a SIP connection from coming, or from being established."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from app.control.views import ConnectionView, Finding, RegistrationView, Severity
from app.diagnosis.facts import Facts
from app.diagnosis.media import of_audio
from app.establishing import Seen


def of_connection(connection: ConnectionView, facts: Facts) -> Iterator[Finding]:
    finding = partial(Finding, about="connection", about_id=connection.id, about_name=connection.account.name)
    seen = facts.seen.get(connection.id, Seen())
    if connection.unreadable:
        yield finding(
            kind="secret unreadable",
            severity=Severity.ERROR,
            title=f"The password of “{connection.account.name}” cannot be read",
            evidence="It was sealed with a key that this box does not have: a restored card, or a lost key.",
            remedy="Enter password and login again under Settings > Channels, then restart the agents that use it.",
        )
    if connection.registration:
        yield from _registered(connection, connection.registration, seen, facts, finding)
    yield from of_audio(connection, seen, facts, finding)


def _registered(
    connection: ConnectionView,
    registration: RegistrationView,
    seen: Seen,
    facts: Facts,
    finding: partial[Finding],
) -> Iterator[Finding]:
    name, user = connection.account.name, connection.account.user
    inbound = [agent.name for agent in connection.agents if agent.inbound and agent.running]
    if not registration.registered:
        yield finding(
            kind="not registered",
            severity=Severity.ERROR,
            title=f"Calls to {user} never arrive: “{name}” is not registered",
            evidence=_said(registration, facts),
            remedy=registration.remedy or "Wait: the box tries again by itself.",
        )
    elif not inbound:
        yield finding(
            kind="no inbound agent",
            severity=Severity.WARNING,
            title=f"Calls to {user} reach the box, but no agent picks up",
            evidence=f"“{name}” is registered, and no running agent has its Inbound switch on.",
            remedy="Switch Inbound on for one agent of this connection, and restart it.",
        )
    elif seen.registered_at and not seen.inbound_at and not any(facts.history(each).was_called for each in inbound):
        yield finding(
            kind="never called",
            severity=Severity.INFO,
            title=f"No call has come to {user} yet",
            evidence=f"“{name}” was registered {facts.at(seen.registered_at)} and “{inbound[0]}” is there to answer, "
            "but the phone system has not sent a call.",
            remedy=f"Call {user} from another phone. If nothing rings here, ask the administrator of the phone system "
            f"to route the number to extension {user}.",
        )


def _said(registration: RegistrationView, facts: Facts) -> str:
    answer = f" ({registration.answer})" if registration.answer else ""
    again = f" The box tries again {facts.at(registration.next_try)}." if registration.next_try else ""
    return f"{registration.cause[:1].upper()}{registration.cause[1:]}{answer}.{again}"
