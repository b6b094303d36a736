"""What the console of the box says for the page: where it is, how to know it, and the set-up code while there is no
password. Looked at again now and then: a password may be removed, and a certificate made anew, while all this runs.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import trio

from provisioning.boot_partition import notice, set_up_file
from provisioning.first_boot import forget_set_up_code, in_groups, password_file, set_up_code
from provisioning.names import own_addresses
from provisioning.settings import CERTIFICATE, Process

# Two looks at a folder cost some microseconds; whoever stands before the console waits no longer.
_LOOK_S = 2.0
# Browsers add it themselves.
_HTTPS = 443

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """`code`: empty where nobody needs one."""

    fingerprint: str = ""
    code: str = ""


async def keep_telling(process: Process, say: Callable[[str], None]) -> None:
    """Until cancelled."""
    say(f"The page of this box: {' or '.join(_address(process, host) for host in _hosts())}\n"
        f"  on this machine also {_address(process, 'localhost')}")  # fmt: skip
    shown = Shown()
    while True:
        try:
            now = looked(process)
        except OSError as fault:
            _log.error("the set-up code or the certificate cannot be read", extra={"problem": fault.strerror})
            now = shown
        for line in news(shown, now):
            say(line)
        shown = now
        await trio.sleep(_LOOK_S)


def news(before: Shown, now: Shown) -> Iterator[str]:
    if now.fingerprint != before.fingerprint:
        made = "The page has a new certificate" if before.fingerprint else "Its certificate is its own"
        yield f"{made}, so the browser asks once. SHA-256 fingerprint:\n  {now.fingerprint}"
    if now.code and now.code != before.code:
        yield f"Set-up code: {in_groups(now.code)}"


def looked(process: Process) -> Shown:
    """How things stand. Raises: OSError."""
    folder = process.admin_folder
    if password_file(folder).exists():
        forget_set_up_code(folder)
        return Shown(_fingerprint(process))
    return Shown(_fingerprint(process), "" if _is_being_set_up(process) else set_up_code(folder))


def _is_being_set_up(process: Process) -> bool:
    """From its file, which may hold the password: no code is needed, unless something is wrong with it."""
    return set_up_file(process) is not None and not notice(process)


def _hosts() -> list[str]:
    """The name, and what also leads here from computers that do not resolve it."""
    return [socket.gethostname(), *(each for each in own_addresses() if "." in each and each != "127.0.0.1")]


def _address(process: Process, host: str) -> str:
    return f"https://{host}/" if process.admin_port == _HTTPS else f"https://{host}:{process.admin_port}/"


def _fingerprint(process: Process) -> str:
    """As browsers show it. Not by `provisioning.identity`, whose cryptography this process need not load."""
    certificate = ssl.PEM_cert_to_DER_cert((process.admin_folder / CERTIFICATE).read_text())
    return hashlib.sha256(certificate).digest().hex(":").upper()
