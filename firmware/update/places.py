"""Where updates leave and find things. Standard library only, since the root program uses it too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from firmware.update.bundle import Box

ASKED, TOLD = "asked", "told"
BUNDLE_NAME = "update.raucb"
"""What the page calls an upload that is whole."""


@dataclass(frozen=True, slots=True)
class Places:
    """`kept`: on the data partition, for the phone process to write. `run`: lost at a restart; in it `asked`, where the
    phone process puts its wishes, and `told`, where the root program answers. `uploads`: where the page puts bundles.
    `root` stands for / so that tests can bring a small tree of their own."""

    kept: Path
    run: Path
    uploads: Path
    root: Path = Path("/")

    @property
    def asked(self) -> Path:
        return self.run / ASKED

    @property
    def told(self) -> Path:
        return self.run / TOLD

    @property
    def bundle(self) -> Path:
        return self.uploads / BUNDLE_NAME


def box_of(places: Places) -> Box:
    """As the image says that it is. Raises: OSError, KeyError on a machine without an image."""
    lines = (places.root / "etc/deskbell-release").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    return Box(told["VERSION"], told["BOARD"])


def slot_of(places: Places) -> str:
    """The one that the boot loader started: "A" or "B"; empty where it does not say. Raises: OSError."""
    words = (places.root / "proc/cmdline").read_text().split()
    return next((word.removeprefix("rauc.slot=") for word in words if word.startswith("rauc.slot=")), "")


def boot_of(places: Places) -> str:
    """Another one at each start of the machine. Raises: OSError."""
    return (places.root / "proc/sys/kernel/random/boot_id").read_text().strip()
