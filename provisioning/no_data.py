"""`python -m provisioning.no_data`: the page of a box whose data partition cannot be used: why, and what to do. On the
image it runs where /data is missing (deskbell-no-data.service), in place of everything else.

It is plain HTTP, since the box's certificate is on that partition, and takes nothing in.
"""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_PORT = 80
_REQUEST_S = 5.0  # browsers open connections that they may never use
_IMAGE_BYTES = 2436 * 2**20  # boot partition, two slots and the smallest data partition
_DATA_PARTITION = "4"


@dataclass(frozen=True, slots=True)
class Card:
    """What the kernel tells of the disk that the system runs from. `size`: in bytes; 0 where it does not tell."""

    size: int
    has_data: bool


def card(system: Path = Path("/"), sys_folder: Path = Path("/sys")) -> Card:
    """Blocks for microseconds."""
    device = system.stat().st_dev
    try:
        disk = (sys_folder / f"dev/block/{os.major(device)}:{os.minor(device)}").resolve(strict=True).parent
        size = int((disk / "size").read_text()) * 512
    except (OSError, ValueError):  # the system does not run from a partition
        return Card(0, has_data=True)
    return Card(size, any(each.read_text().strip() == _DATA_PARTITION for each in disk.glob("*/partition")))


def reason(found: Card) -> tuple[str, str]:
    """Why there is no telephone, and what to do."""
    if 0 < found.size < _IMAGE_BYTES:
        return (
            f"The card is too small: it holds {found.size / 10**9:.1f} GB, and Deskbell needs 4 GB at least.",
            "Write the image onto a larger card, start the box with it, and restore your last backup there.",
        )
    if not found.has_data:
        return (
            "The card's table of partitions is damaged: the part with settings and recordings is missing.",
            "Write the image onto a card once more, start the box with it, and restore your last backup there.",
        )
    return (
        "The part of the card with settings and recordings cannot be used: the card is worn out, or damaged.",
        (
            "Take the box's power away for ten seconds and wait five minutes. If this page comes again, write the "
            "image onto a new card, start the box with it, and restore your last backup there. What was recorded is on "
            "the fourth partition of the old card."
        ),
    )


def page(found: Card) -> bytes:
    why, remedy = reason(found)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>Deskbell cannot use its card</title>"
        "<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem}</style>"
        f"<h1>Deskbell cannot use its card</h1><p><strong>{why}</strong> No calls are taken.</p>"
        f"<h2>What to do</h2><p>{remedy}</p></html>\n"
    ).encode()


class _Answer(BaseHTTPRequestHandler):
    timeout = _REQUEST_S
    server_version, sys_version = "Deskbell", ""

    def do_GET(self) -> None:
        told = page(card())
        self.send_response(HTTPStatus.SERVICE_UNAVAILABLE)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(told)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Who looks at it is nobody's business."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET


def main() -> int:
    print("Deskbell cannot use its card.", *reason(card()), sep="\n  ", flush=True)
    with _Server(("", _PORT), _Answer) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
