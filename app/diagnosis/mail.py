"""People who are not told by e-mail, though they should be."""

from __future__ import annotations

from collections.abc import Iterator

from app.control.views import Finding, Severity
from app.diagnosis.facts import Facts, MailFact, times

_REMEDY = "Under Box > Mail server each e-mail has its reason: mend it, send a test message, then send them again."


def of_mail(facts: Facts) -> Iterator[Finding]:
    mail, wanted = facts.mail, [each.name for each in facts.agents if _has_addresses(facts, each.id)]
    if not mail.has_server and wanted:
        yield Finding(
            kind="no mail server",
            severity=Severity.WARNING,
            title="Nobody is told by e-mail",
            evidence=f"Addresses were entered for {', '.join(f'“{name}”' for name in wanted)}, but there is no mail "
            "server to send by.",
            remedy="Enter one under Box > Mail server, and send a test message; or remove the addresses.",
        )
    elif mail.is_unreadable:
        yield Finding(
            kind="mail password unreadable",
            severity=Severity.ERROR,
            title="E-mails are not sent",
            evidence="The password of the mail server cannot be read on this box.",
            remedy="Enter it again under Box > Mail server. What ended meanwhile is sent then.",
        )
    elif mail.given_up or mail.stuck:
        yield Finding(
            kind="e-mails not sent",
            severity=Severity.WARNING,
            title="E-mails are not sent",
            evidence=_evidence(mail),
            remedy=_REMEDY,
        )


def _has_addresses(facts: Facts, agent_id: str) -> bool:
    plan = facts.plans.get(agent_id)
    return plan is not None and bool(plan.settings.mail_to)


def _evidence(mail: MailFact) -> str:
    given_up = f"{times(mail.given_up, 'e-mail')} of the last seven days given up" if mail.given_up else ""
    stuck = f"{times(mail.stuck, 'e-mail')} tried several times in vain" if mail.stuck else ""
    return f"{' and '.join(filter(None, (given_up, stuck)))}."
