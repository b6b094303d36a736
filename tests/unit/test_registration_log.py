"""The registration in the log: one plain sentence each, with nothing that the PBX wrote."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from firmware.telephony.registration import Cause, Registration
from firmware.telephony.registration_log import answer_of, log_registration

pytestmark = pytest.mark.unit

GOOD = Registration(Cause.REGISTERED, 200, "OK", 300)
TRYING = Registration(Cause.TRYING)
SOON = datetime.now(UTC) + timedelta(days=365)


@pytest.mark.parametrize(
    ("registration", "before", "level", "sentence"),
    [
        (TRYING, Registration(Cause.OFFLINE), "INFO", "Registering with the PBX."),
        (GOOD, TRYING, "INFO", "Registered with the PBX for 300 s."),
        (GOOD, GOOD, "DEBUG", "Registered with the PBX for 300 s."),
        (Registration(Cause.OFFLINE), GOOD, "INFO", "Unregistered from the PBX."),
        (Registration(Cause.OFFLINE), TRYING, "INFO", "Stopped trying to register with the PBX."),
        (
            Registration(Cause.WRONG_CREDENTIALS, 401, "Go away, Ms Miller"),
            TRYING,
            "WARNING",
            "Not registered: wrong user, login or password (401 Unauthorized).",
        ),
        (Registration(Cause.UNREACHABLE), TRYING, "WARNING", "Not registered: PBX unreachable or silent."),
    ],
)
def test_sentences(
    registration: Registration, before: Registration, level: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        log_registration(registration, before)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [(level, sentence)]


def test_the_next_try(caplog: pytest.LogCaptureFixture) -> None:
    log_registration(Registration(Cause.REFUSED, 404, "Not Found", next_try=SOON), TRYING)
    [record] = caplog.records
    assert record.getMessage().startswith("Not registered: refused by the PBX (404 Not Found). Next try in 315")


def test_codes_that_nobody_heard_of() -> None:
    assert (answer_of(0), answer_of(599), answer_of(503)) == ("", "599", "503 Service Unavailable")
