"""When people who should be told by e-mail are not."""

from __future__ import annotations

import pytest

from app.control.views import Severity
from app.diagnosis import Facts, MailFact
from app.diagnosis.mail import of_mail
from app.settings import Agent
from tests.unit.test_diagnosis import NOW, agent, plan

pytestmark = pytest.mark.unit

TELLS = Agent(name="Reception", mail_to=("canary@office.example",))


def found(mail: MailFact, settings: Agent = TELLS) -> list[tuple[str, Severity, str]]:
    facts = Facts(now=NOW, agents=[agent()], plans={"a": plan(settings=settings)}, connections=[], mail=mail)
    told = list(of_mail(facts))
    assert all(each.remedy and "canary" not in each.model_dump_json() for each in told)
    return [(each.kind, each.severity, each.evidence) for each in told]


def test_all_is_well() -> None:
    assert found(MailFact(has_server=True)) == []
    assert found(MailFact(), Agent(name="Reception")) == []


def test_addresses_without_a_mail_server() -> None:
    [(kind, severity, evidence)] = found(MailFact())
    assert (kind, severity) == ("no mail server", Severity.WARNING)
    assert "“Reception”" in evidence


def test_a_password_that_cannot_be_read() -> None:
    [(kind, severity, _)] = found(MailFact(has_server=True, is_unreadable=True, stuck=1))
    assert (kind, severity) == ("mail password unreadable", Severity.ERROR)


@pytest.mark.parametrize(
    ("mail", "evidence"),
    [
        (MailFact(has_server=True, given_up=1), "1 e-mail of the last seven days given up."),
        (MailFact(has_server=True, stuck=2), "2 e-mails tried several times in vain."),
        (
            MailFact(has_server=True, given_up=2, stuck=1),
            "2 e-mails of the last seven days given up and 1 e-mail tried several times in vain.",
        ),
    ],
)
def test_e_mails_that_were_not_sent(mail: MailFact, evidence: str) -> None:
    assert found(mail) == [("e-mails not sent", Severity.WARNING, evidence)]
