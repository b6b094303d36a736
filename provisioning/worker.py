"""`python -m provisioning.worker`: the process that serves the page, started by `provisioning` and told when to leave.

It listens to nobody else: Ctrl-C reaches the admin process, and if that dies, the channel to it ends, and so does this.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import resource
import signal
import socket
import ssl
import sys
from pathlib import Path

import trio
from hypercorn.config import Config

from provisioning.api.bearers import Bearers
from provisioning.client import Box
from provisioning.identity import identity
from provisioning.kept_sign_ins import KeptSignIns, boot_id
from provisioning.life import Life
from provisioning.list_sending import Sender
from provisioning.names import Names, keep_learning, own_addresses
from provisioning.passwords import Passwords
from provisioning.resets import Follower
from provisioning.serving import Listener, hypercorn_config, listeners, serve
from provisioning.settings import Process
from provisioning.shelf import Shelf
from provisioning.sign_ins import SignIns
from provisioning.slate import Slate
from provisioning.throttle import Throttle
from provisioning.web.application import application
from provisioning.web.rendering import Door
from provisioning.workers import LEAVE, READY, SEEN

_UNUSABLE = 1
# Another worker has taken over: the longest request is a verb of 20 s (`provisioning.client`).
_REPLACED_GRACE_S = 21.0
# The page stops: what is being sent takes less than this.
_STOPPED_GRACE_S = 1.0


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold what was typed
    line = logging.Formatter(
        "%(asctime)s %(levelname)s %(message)s %(problem)s %(path)s", defaults={"problem": "", "path": ""}
    )
    handler = logging.StreamHandler()
    handler.setFormatter(line)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    handed, process = _arguments(), Process()
    try:
        names = Names(process.names, process.admin_folder)
        ours = identity(process.admin_folder, names, own_addresses())
        config = hypercorn_config(str(ours.certificate), str(ours.key))
        listening = listeners(config, _sockets(handed.https), _sockets(handed.http))
    except OSError as fault:
        print(_words(fault, process.admin_folder), file=sys.stderr)
        return _UNUSABLE
    trio.run(_work, handed, process, names, config, listening)
    return 0


async def _work(
    handed: argparse.Namespace, process: Process, names: Names, config: Config, listening: list[Listener]
) -> None:
    slate, life, box = Slate(handed.slate), Life(), Box(process.socket)
    passwords = Passwords(process.admin_folder)
    sign_ins = SignIns(slate, KeptSignIns(process.admin_folder, boot_id()))
    shelf = Shelf(slate, handed.lists)
    sender = Sender(box, shelf, life)
    door = Door(box, passwords, sign_ins, Throttle(slate), Bearers(box, slate), life, process, shelf, sender)
    admin = trio.SocketStream(trio.socket.fromfd(handed.admin, socket.AF_UNIX, socket.SOCK_STREAM))
    async with admin, trio.open_nursery() as nursery:
        nursery.start_soon(_tell, admin, life)
        nursery.start_soon(keep_learning, names, box)
        nursery.start_soon(sender.send)
        nursery.start_soon(Follower(box, door.sign_ins, names, process.admin_folder, life).follow)
        page = application(door, names, process.admin_port)
        await serve(page, config, listening, life, lambda: _told_to_leave(admin))
        nursery.cancel_scope.cancel()
    await box.close()


async def _tell(admin: trio.SocketStream, life: Life) -> None:
    with contextlib.suppress(trio.BrokenResourceError):  # the admin process died: `_told_to_leave` sees it too
        await admin.send_all(READY)
        await life.has_seen_secret.wait()
        await admin.send_all(SEEN)


async def _told_to_leave(admin: trio.SocketStream) -> float:
    try:
        word = await admin.receive_some(1)
    except trio.BrokenResourceError:
        word = b""
    return _REPLACED_GRACE_S if word == LEAVE else _STOPPED_GRACE_S


def _words(fault: OSError, folder: Path) -> str:
    if isinstance(fault, ssl.SSLError):
        return (
            f"The certificate in {folder} cannot be used ({fault.reason}). Remove certificate.pem and "
            "certificate-key.pem there: a new one is made, and browsers ask once more."
        )
    return (
        f"{fault.filename}: {fault.strerror}. Make {folder} a folder that belongs to the user the page runs as, on a "
        "disk that can be written to, or set DESKBELL_ADMIN_FOLDER to another one."
    )


def _sockets(descriptors: list[int]) -> list[socket.socket]:
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Descriptors of what the admin process opened.")
    parser.add_argument("--https", type=int, nargs="*", default=[])
    parser.add_argument("--http", type=int, nargs="*", default=[])
    parser.add_argument("--slate", type=int, required=True)
    parser.add_argument("--lists", type=int, nargs="*", default=[])
    parser.add_argument("--admin", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
