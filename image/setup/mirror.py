"""Where this machine gets Debian from, as its own apt says: no address stands in the tree."""

from __future__ import annotations

import os
from dataclasses import dataclass

from image.setup.running import SetupFailed, run


@dataclass(frozen=True, slots=True)
class Repository:
    """One line of apt's sources. `release`: as it stands there, "bookworm-security"."""

    release: str
    address: str
    component: str

    @property
    def line(self) -> str:
        return f"deb {self.address} {self.release} {self.component}"


def repositories(*releases: str, components: str = "main") -> list[Repository]:
    """Those of this machine for these releases, or $DESKBELL_DEBIAN_MIRROR for the first one. `components`: what is
    taken from them, whatever this machine itself takes, separated by blanks.

    Raises: SetupFailed where there is none.
    """
    if given := os.environ.get("DESKBELL_DEBIAN_MIRROR"):
        return [Repository(releases[0], given, components)]
    form = "$(RELEASE)|$(REPO_URI)|$(COMPONENT)"
    told = run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], timeout_s=60)
    listed = [Repository(*line.split("|")) for line in dict.fromkeys(told.splitlines())]
    found = [
        Repository(each.release, each.address, components)
        for each in listed
        if each.release in releases and each.component == "main"
    ]
    if not any(each.release == releases[0] for each in found):
        raise SetupFailed(
            f"this machine's apt sources name no Debian mirror for {releases[0]}. Set DESKBELL_DEBIAN_MIRROR to the "
            "address of one, then try again"
        )
    return found
