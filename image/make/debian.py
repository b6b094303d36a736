"""The Debian part of the image: packages unpacked and configured, nothing of ours yet. Made once for each list of
packages and kept as an archive, since it takes most of the time and changes seldom."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from image.make.board import IMAGE_BUILD, Board
from image.setup.debian import wanted
from image.setup.mirror import repositories
from image.setup.paths import TREE
from image.setup.running import SetupFailed, last_lines, run

RELEASE = "bookworm"
RELEASES = (RELEASE, f"{RELEASE}-updates", f"{RELEASE}-security")
PACKAGES = TREE / "image" / "system-packages.txt"
MAKING_TIMEOUT_S = 1800  # 250 MB of packages on a slow line
EMULATED_TIMEOUT_S = 5400  # packages that configure themselves on an emulated processor

# Never read on the box. Copyright files stay: they are the licences of what is given away.
_LEFT_OUT = (
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/grub/*",
    # Drivers of graphics, television, wireless and test hardware: 60 % of the kernel's package.
    *(
        f"--dpkgopt=path-exclude=/lib/modules/*/kernel/{folder}/*"
        for folder in (
            "drivers/gpu",
            "drivers/media",
            "drivers/infiniband",
            "drivers/net/wireless",
            "drivers/isdn",
            "drivers/scsi",  # of large servers; what USB and SATA need stays, below
            "drivers/iio",
            "drivers/staging",
            "drivers/target",
            "sound/soc",
            "net/wireless",
            "fs/ocfs2",
            "fs/btrfs",
            "fs/xfs",
            "fs/ceph",
            "fs/cifs",
            "fs/nfs",
        )
    ),
    # Descriptions of machines that no image is for.
    "--dpkgopt=path-exclude=/usr/lib/linux-image-*/*",
    "--dpkgopt=path-include=/usr/lib/linux-image-*/broadcom/bcm2*-rpi-*.dtb",
    "--dpkgopt=path-include=/lib/modules/*/kernel/drivers/scsi/s*_mod.ko",
    "--dpkgopt=path-include=/lib/modules/*/kernel/drivers/scsi/scsi_common.ko",
)


def debian_archive(board: Board, epoch: int) -> Path:
    """A tar archive, made unless it is there. Raises: SetupFailed."""
    archive = IMAGE_BUILD / f"debian-{board.name}-{_recipe(board)[:12]}.tar"
    if archive.exists():
        return archive
    part = archive.with_suffix(".part.tar")
    sources = [each.line for each in repositories(*RELEASES)]
    command: list[str | Path] = ["mmdebstrap", *_options(board), RELEASE, part, *sources]
    os.environ |= {
        "SOURCE_DATE_EPOCH": str(epoch),
        "INITRD": "No",
    }  # the kernel's first stage is made with our part in it
    with explained("the Debian part of the image"):
        run(command, timeout_s=EMULATED_TIMEOUT_S if board.foreign else MAKING_TIMEOUT_S)
    part.rename(archive)
    return archive


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Raises: SetupFailed, of mmdebstrap's, with what to do."""
    try:
        yield
    except SetupFailed as fault:
        raise SetupFailed(
            f"mmdebstrap could not make {what}:\n{last_lines(str(fault), 8)}\n"
            "Check that this machine reaches its Debian mirror; another one: DESKBELL_DEBIAN_MIRROR"
        ) from fault


def _options(board: Board) -> list[str]:
    mode = "root" if os.geteuid() == 0 else "unshare"
    names = [*wanted(PACKAGES.read_text()), board.kernel]
    return [
        f"--mode={mode}",
        "--variant=essential",
        f"--architectures={board.name}",
        f"--include={','.join(names)}",
        '--aptopt=APT::Install-Recommends "false"',
        *_LEFT_OUT,
    ]


def _recipe(board: Board) -> str:
    """Named by what it is made of, so that a changed list makes a new one."""
    return hashlib.sha256("\n".join(_options(board)).encode()).hexdigest()
