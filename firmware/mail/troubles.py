"""Why an e-mail was not sent, in words that say what to do, and what follows from it. Pure."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from enum import Enum

from app.control.mail import IN_CLEAR

CONNECT_S = 5.0
"""Anywhere in the world."""

ANSWER_S = 15.0
"""For one answer: many servers look for spam before they take a message."""

_LONGEST_ANSWER = 300


class Cause(Enum):
    """In words for the log, where nothing personal may stand."""

    NAME = "no such name"
    PUBLIC = "no encryption outside the own network"
    NOBODY = "nobody answers"
    CERTIFICATE = "certificate not trusted"
    NO_STARTTLS = "no STARTTLS"
    NO_TLS = "no TLS"
    SILENT = "too slow"
    GARBAGE = "no mail server"
    LEFT = "connection lost"
    PASSWORD = "wrong user or password"  # noqa: S105 - words, no password
    NO_LOG_IN = "no log-in offered"
    LOG_IN = "log-in required"
    BUSY = "server busy"
    SENDER = "sender refused"
    RECIPIENT = "recipient refused"
    LATER = "put off"
    MESSAGE = "message refused"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`code`: the mail server's, 0 where none came. `said`: its words; they may name people."""

    cause: Cause
    code: int = 0
    said: str = field(default="", repr=False)

    @property
    def is_final(self) -> bool:
        """Trying again would not help, and mail servers think badly of who does. What their policy forbids (5.7.1) its
        owner may allow."""
        refused = self.cause in (Cause.RECIPIENT, Cause.MESSAGE)
        return refused and 550 <= self.code < 560 and not self.said.startswith("5.7.")

    @property
    def is_the_servers(self) -> bool:
        """Nothing else can be sent now, either."""
        return self.cause not in (Cause.RECIPIENT, Cause.LATER, Cause.MESSAGE)

    @property
    def text(self) -> str:
        """For people."""
        # What a server says to a wrong password may hold that password.
        said = "" if self.cause is Cause.PASSWORD else self.said
        return f"{_TEXTS[self.cause]}. It said: {self.code} {said}" if said else _TEXTS[self.cause]


_TEXTS = {
    Cause.NAME: "the mail server's name cannot be found: check the server, and the network's name server",
    Cause.PUBLIC: f"the mail server's address is not in your own network, and {IN_CLEAR}. Choose STARTTLS or TLS",
    Cause.NOBODY: "nothing answers at the mail server's address: check server and port (587 for STARTTLS, 465 for "
    "TLS), and firewalls between",
    Cause.CERTIFICATE: "the mail server's certificate is not trusted (made by itself, expired, or for another name): "
    "enter the server by the name that its certificate has, or give it one of a public authority",
    Cause.NO_STARTTLS: "the mail server offers no STARTTLS at this port: choose TLS with port 465, or another port",
    Cause.NO_TLS: "the mail server does not begin with TLS at this port: choose STARTTLS with port 587, or another one",
    Cause.SILENT: f"the mail server did not answer within {ANSWER_S:.0f} s: check port and encryption (465 is for "
    "TLS), or whether it is overloaded",
    Cause.GARBAGE: "what answers there is not a mail server: check server and port",
    Cause.LEFT: "the mail server broke off the connection: if that happens again, look into its log",
    Cause.PASSWORD: "the mail server does not accept user and password: enter both again. Large providers want an "
    "“app password” here, made in the mailbox's security settings, and not the password of the mailbox",
    Cause.NO_LOG_IN: "the mail server does not ask for user and password over this connection: choose STARTTLS or TLS, "
    "or leave the user empty",
    Cause.LOG_IN: "the mail server takes nothing without user and password: enter them",
    Cause.BUSY: "the mail server takes nothing at the moment",
    Cause.SENDER: "the mail server does not let this box send under its sender address: enter an address that belongs "
    "to the user",
    Cause.RECIPIENT: "the mail server does not take e-mails to this address: check it",
    Cause.LATER: "the mail server puts it off, as many do with senders that they do not know yet",
    Cause.MESSAGE: "the mail server does not take the message: ask whoever looks after it",
}
_WANTS_LOG_IN = 530


def trouble_of(fault: Exception) -> Trouble:
    """What a fault of smtplib, ssl or a socket means. Raises: `fault`, if it is about anything else."""
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(fault.recipients.values()))
        return _answered(Cause.RECIPIENT if code >= _NEVER else Cause.LATER, code, said)
    if isinstance(fault, smtplib.SMTPResponseException):
        never, now = next(causes for kind, *causes in _ANSWERS if isinstance(fault, kind))
        return _answered(never if fault.smtp_code >= _NEVER else now, fault.smtp_code, fault.smtp_error)
    if isinstance(fault, smtplib.SMTPServerDisconnected) and isinstance(fault.__context__, TimeoutError):
        return Trouble(Cause.SILENT)  # smtplib says so of any end
    for kind, cause in _OTHERS:
        if isinstance(fault, kind):
            return Trouble(cause)
    raise fault


_NEVER = 500
"""Codes from here on are final, those below are for now (RFC 5321 4.2.1)."""

_ANSWERS = (
    (smtplib.SMTPAuthenticationError, Cause.PASSWORD, Cause.BUSY),
    (smtplib.SMTPSenderRefused, Cause.SENDER, Cause.BUSY),
    (smtplib.SMTPDataError, Cause.MESSAGE, Cause.LATER),
    (smtplib.SMTPResponseException, Cause.BUSY, Cause.BUSY),
)
_OTHERS = (
    (smtplib.SMTPServerDisconnected, Cause.LEFT),
    (smtplib.SMTPException, Cause.NO_LOG_IN),  # no AUTH is offered, or none of its ways is known
    (ssl.SSLCertVerificationError, Cause.CERTIFICATE),
    (ssl.SSLError, Cause.NO_TLS),
    (TimeoutError, Cause.SILENT),
    (OSError, Cause.LEFT),
)


def _answered(cause: Cause, code: int, said: bytes | str) -> Trouble:
    if not _IS_CODE[0] <= code <= _IS_CODE[1]:
        return Trouble(Cause.GARBAGE)
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    plain = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())[:_LONGEST_ANSWER]
    return Trouble(Cause.LOG_IN if code == _WANTS_LOG_IN else cause, code, plain)


_IS_CODE = (200, 599)
