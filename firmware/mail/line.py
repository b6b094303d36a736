"""One connection to a mail server: `smtplib`, in a thread of its own.

Why threads: no SMTP client for Trio is kept well, and the standard library's is. It lets go of the GIL while it waits
for the network, so that audio goes on, and the few milliseconds that it computes for one e-mail are in pieces below
one. What it cannot do is end when it should: its time-outs count from byte to byte, and a server that sends one now and
then would hold its thread for ever. So the socket is kept here as well, to be cut off from outside.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from pydantic import SecretStr

from app.control.mail import MailServer
from firmware.mail.letter import message_of
from firmware.mail.troubles import ANSWER_S, CONNECT_S, Cause, Trouble, trouble_of
from firmware.storage.letter_records import Letter

MOST_ANSWERED = 1024 * 1024
"""Bytes of all answers on one connection; a chatty server needs a thousandth."""

_FAULTS = (smtplib.SMTPException, OSError)


@dataclass(frozen=True, slots=True)
class Way:
    """How to get to the mail server, and who is speaking."""

    server: MailServer
    password: SecretStr | None = field(repr=False)
    box_name: str = "deskbell"


class Line:
    """All but `cut` belong to the thread that a caller lends; none raises but for bugs."""

    def __init__(self, way: Way, addresses: Sequence[str], trusted: ssl.SSLContext) -> None:
        self._way, self._addresses, self._trusted = way, addresses, trusted
        self._below: socket.socket | None = None
        self._is_cut = False
        self._smtp: smtplib.SMTP | None = None

    def open(self) -> Trouble | None:
        """Connect, encrypt, log in."""
        try:
            self._smtp = self._connected()
            return self._encrypted(self._smtp) or self._logged_in(self._smtp)
        except _Unreachable:
            return Trouble(Cause.NOBODY)
        except _FAULTS as fault:
            return trouble_of(fault)

    def send(self, letter: Letter) -> Trouble | None:
        """None: the mail server took it."""
        sender = self._way.server.sender
        try:
            if self._smtp is None:
                raise smtplib.SMTPServerDisconnected
            self._smtp.send_message(message_of(letter, sender), sender, [letter.recipient])
        except _FAULTS as fault:
            return trouble_of(fault)
        return None

    def close(self) -> None:
        """Politely, if that is possible."""
        if self._smtp:
            with suppress(*_FAULTS):
                self._smtp.quit()
            self._smtp.close()
        if self._below:
            self._below.close()

    def cut(self) -> None:
        """From any thread: whoever waits for the network stops waiting."""
        self._is_cut = True
        if self._below:
            with suppress(OSError):
                self._below.shutdown(socket.SHUT_RDWR)

    def dialled(self) -> socket.socket:
        """Raises: _Unreachable."""
        for address in self._addresses:
            with suppress(OSError):
                found = socket.create_connection((address, self._way.server.port), CONNECT_S)
                found.settimeout(ANSWER_S)
                self._below = found.dup()  # the same connection, whatever smtplib wraps it into
                if self._is_cut:  # while it was made
                    self.cut()
                return found
        raise _Unreachable

    def _connected(self) -> smtplib.SMTP:
        server = self._way.server
        name = f"{self._way.box_name}.local"  # smtplib's own way would ask a name server, and wait for it
        if server.security == "tls":
            return _Encrypted(self, server.host, server.port, name, self._trusted)
        return _Plain(self, server.host, server.port, name)

    def _encrypted(self, smtp: smtplib.SMTP) -> Trouble | None:
        if self._way.server.security != "starttls":
            return None
        smtp.ehlo_or_helo_if_needed()
        if not smtp.has_extn("starttls"):
            return Trouble(Cause.NO_STARTTLS)
        smtp.starttls(context=self._trusted)
        return None

    def _logged_in(self, smtp: smtplib.SMTP) -> Trouble | None:
        if self._way.server.user and self._way.password:
            smtp.login(self._way.server.user, self._way.password.get_secret_value())
        return None


class _Unreachable(Exception):
    """At none of the addresses."""


class _Answers:
    """What a mail server says, up to a limit: smtplib reads answers that never end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, MOST_ANSWERED

    def readline(self, most: int) -> bytes:
        line = self._file.readline(most)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("its answers do not end")
        return line

    def close(self) -> None:
        self._file.close()


class _Plain(smtplib.SMTP):
    """Connects by way of a `Line`, to addresses that were looked up before."""

    def __init__(self, line: Line, host: str, port: int, own_name: str) -> None:
        self._line = line
        super().__init__(host, port, own_name, ANSWER_S)

    def _get_socket(self, *_: object) -> socket.socket:
        return self._line.dialled()

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock:
            self.file = _Answers(self.sock.makefile("rb"))
        return super().getreply()


class _Encrypted(smtplib.SMTP_SSL, _Plain):
    """TLS from the first byte on."""

    def __init__(self, line: Line, host: str, port: int, own_name: str, trusted: ssl.SSLContext) -> None:
        self._line = line
        smtplib.SMTP_SSL.__init__(self, host, port, own_name, timeout=ANSWER_S, context=trusted)
