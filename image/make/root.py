"""The root file system: Debian's part, the overlay of image/system, users, units, our program, the kernel's first
stage. One folder, then one ext4 file of it, which is the content of a slot and of an update bundle."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from image.make.application import put_application
from image.make.board import IMAGE_BUILD, Board
from image.make.engines import put_engines
from image.make.keys import keyring
from image.setup.paths import TREE
from image.setup.running import SetupFailed, digest, run

OVERLAY = TREE / "image" / "system"
SLOT_MIB = 1024
_ROOT_INODE, _FIRST_INODE = 2, 11
STEP_TIMEOUT_S = 600

# Fixed numbers: files on the data partition belong to them, whichever slot runs.
_GROUPS = {"deskbell-control": 900, "deskbell-admin": 901, "deskbell-console": 902}
_USERS = {
    "deskbell-phone": (900, "deskbell-control"),
    "deskbell-admin": (901, "deskbell-admin"),
    "deskbell-console": (902, "deskbell-console"),
}
_ENABLED = (
    "deskbell-admin.service",
    "deskbell-carry.path",
    "deskbell-carry.service",
    "deskbell-console@tty1.service",
    "deskbell-counts.service",
    "deskbell-name.path",
    "deskbell-name.service",
    "deskbell-no-data.service",
    "deskbell-overdue.timer",
    "deskbell-phone.service",
    "deskbell-update.path",
    "nftables.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
)
# Log-ins, what nobody uses, and what would want to write where nothing can be written.
_MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "autovt@.service",
    "console-getty.service",
    "container-getty@.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "getty-static.service",
    "getty@.service",
    "proc-sys-fs-binfmt_misc.automount",
    "serial-getty@.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-binfmt.service",
    "systemd-firstboot.service",
    "systemd-logind.service",
    "systemd-machine-id-commit.service",
    "systemd-networkd-wait-online.service",
    "systemd-pcrphase-sysinit.service",
    "systemd-pcrphase.service",
    "systemd-pstore.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service",
    "systemd-user-sessions.service",
)
# What systemd would ask at each start: encrypted disks, hibernation, scripts of System V and more of what no box has.
# Five seconds on a slow processor.
_MASKED_GENERATORS = (
    "systemd-cryptsetup-generator",
    "systemd-getty-generator",
    "systemd-gpt-auto-generator",
    "systemd-hibernate-resume-generator",
    "systemd-integritysetup-generator",
    "systemd-rc-local-generator",
    "systemd-run-generator",
    "systemd-system-update-generator",
    "systemd-sysv-generator",
    "systemd-veritysetup-generator",
)
_UNUSED_ON_THE_BOX = (
    "var/lib/apt",
    "var/lib/dpkg",
    "var/cache",
    "var/log",
    "usr/share/bash-completion",
    "usr/share/doc-base",
)


def make_root(board: Board, debian: Path, version: str, epoch: int, engines: Sequence[str] = ()) -> Path:
    """The folder. `engines`: of neural packs, by name. Raises: SetupFailed."""
    root = root_of(board)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    run(
        ["tar", "--extract", "--numeric-owner", "--xattrs", "--file", debian, "--directory", root],
        timeout_s=STEP_TIMEOUT_S,
    )
    _overlay(root, board)
    _users(root)
    put_application(root, board)
    put_engines(root, board, engines)
    _named(root, board, version)
    _first_stage(root, debian)
    _kernel_names(root)
    _units(root, board)
    _tidy(root, epoch)
    return root


def root_of(board: Board) -> Path:
    return IMAGE_BUILD / f"root-{board.name}"


def slot_image(board: Board, root: Path, epoch: int) -> Path:
    """What a slot holds, byte for byte. No journal: nobody writes. Raises: SetupFailed."""
    image = IMAGE_BUILD / f"rootfs-{board.name}.img"
    image.unlink(missing_ok=True)
    size_mib = _needed_mib(root)
    if size_mib > SLOT_MIB:
        raise SetupFailed(f"the root file system has {size_mib} MiB, and a slot only {SLOT_MIB}: take something out")
    os.environ |= {"SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_FAKE_TIME": str(epoch)}
    identity = "6465736b-6265-6c6c-0000-726f6f746673"
    features = "^has_journal,^resize_inode,^orphan_file,^metadata_csum_seed"  # GRUB reads it
    run(
        ["mke2fs", "-q", "-t", "ext4", "-O", features, "-L", "deskbell", "-U", identity, "-b", "4096", "-m", "0",
         "-E", f"hash_seed={identity},root_owner=0:0,lazy_itable_init=0", "-d", root, image, f"{size_mib}M"],
        timeout_s=STEP_TIMEOUT_S,
    )  # fmt: skip
    _timeless(image, epoch)
    return image


def _timeless(image: Path, epoch: int) -> None:
    """mke2fs keeps when a file of the folder was read and changed, which nobody can set: other each time it is made.
    It numbers files from the first free number on. Raises: SetupFailed."""
    told = run(["dumpe2fs", "-h", image], timeout_s=STEP_TIMEOUT_S)
    count, free = (int(_told(told, name)) for name in ("Inode count", "Free inodes"))
    files = (_ROOT_INODE, *range(_FIRST_INODE, count - free + 1))
    steps = image.with_suffix(".steps")
    steps.write_text(
        "".join(f"set_inode_field <{each}> {field} @{epoch}\n" for each in files for field in ("atime", "ctime"))
    )
    run(["debugfs", "-w", "-f", steps, image], timeout_s=STEP_TIMEOUT_S)
    steps.unlink()


def _told(told: str, name: str) -> str:
    """Of what dumpe2fs tells. Raises: SetupFailed."""
    found = re.search(rf"^{name}: +(\S+)$", told, re.MULTILINE)
    if found is None:
        raise SetupFailed(f"dumpe2fs does not tell the {name.lower()} of the root file system")
    return found[1]


def _needed_mib(root: Path) -> int:
    """Whole blocks of each file, and a twelfth for what the file system itself needs. No more: nobody writes to it, and
    an update writes all of it."""
    used_kib = int(run(["du", "--summarize", "--block-size=1K", root], timeout_s=STEP_TIMEOUT_S).split()[0])
    return used_kib * 13 // 12 // 1024 + 16


def _overlay(root: Path, board: Board) -> None:
    for path in sorted(OVERLAY.rglob("*")):
        there = root / path.relative_to(OVERLAY)
        if path.is_dir():
            there.mkdir(parents=True, exist_ok=True)
            continue
        there.write_text(path.read_text().replace("@COMPATIBLE@", board.compatible))
        there.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
        os.chown(there, 0, 0)


def _users(root: Path) -> None:
    for name, number in _GROUPS.items():
        _in(root, "groupadd", "--system", "--gid", str(number), name)
    for name, (number, group) in _USERS.items():
        _in(root, "useradd", "--system", "--uid", str(number), "--gid", group, "--no-create-home",
            "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name)  # fmt: skip
    _in(root, "usermod", "--lock", "root")


def _named(root: Path, board: Board, version: str) -> None:
    (root / "etc/hostname").write_text("deskbell\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 deskbell\n::1 localhost ip6-localhost\n")
    (root / "etc/deskbell-release").write_text(f"VERSION={version}\nBOARD={board.name}\n")
    shutil.copyfile(keyring(), root / "etc/rauc/keyring.pem")
    (root / "etc/rauc/keyring.pem").chmod(0o644)
    for folder in ("data", "boot/efi"):
        (root / folder).mkdir(parents=True, exist_ok=True)


def _first_stage(root: Path, debian: Path) -> None:
    """What the kernel unpacks to find the slot. Takes half a minute, so it is kept while nothing in it changes. No file
    in it is younger than Debian's kernel: whenever it is made, it is the same.

    Raises: SetupFailed."""
    ours = [path for path in sorted((OVERLAY / "etc/initramfs-tools").rglob("*")) if path.is_file()]
    kept = IMAGE_BUILD / f"first-stage-{debian.stem}-{digest(*ours)[:12]}"
    kernel = next((root / "boot").glob("vmlinuz-*")).name.removeprefix("vmlinuz-")
    made = root / "boot" / f"initrd.img-{kernel}"
    if not kept.exists():
        made_at = int((root / "boot" / f"vmlinuz-{kernel}").stat().st_mtime)
        with _kernel_file_systems(root):
            _in(root, "env", f"SOURCE_DATE_EPOCH={made_at}", "update-initramfs", "-c", "-k", kernel)
        shutil.copyfile(made, kept)
    shutil.copyfile(kept, made)
    made.chmod(0o644)


def _kernel_names(root: Path) -> None:
    """Under which GRUB looks, whatever version it is."""
    boot = root / "boot"
    for name in ("vmlinuz", "initrd.img"):
        (boot / name).symlink_to(next(boot.glob(f"{name}-*")).name)
    for unused in (
        *boot.glob("System.map-*"),
        *boot.glob("config-*"),
        *root.glob("vmlinuz*"),
        *root.glob("initrd.img*"),
    ):
        unused.unlink()


def _units(root: Path, board: Board) -> None:
    lines = [f"deskbell-console@{device}.service" for device in board.lines]
    _in(root, "systemctl", "--quiet", "enable", *_ENABLED, *lines)
    _in(root, "systemctl", "--quiet", "mask", *_MASKED)
    generators = root / "etc/systemd/system-generators"
    generators.mkdir()
    for name in _MASKED_GENERATORS:
        (generators / name).symlink_to("/dev/null")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    (root / "etc/machine-id").write_text("")  # the kernel's first stage puts the real one over it


def _tidy(root: Path, epoch: int) -> None:
    for name in _UNUSED_ON_THE_BOX:
        shutil.rmtree(root / name, ignore_errors=True)
    for leftover in (
        "etc/.pwd.lock",
        "etc/passwd-",
        "etc/group-",
        "etc/shadow-",
        "etc/gshadow-",
        "var/lib/systemd/random-seed",
    ):
        (root / leftover).unlink(missing_ok=True)
    for path in [root, *root.rglob("*")]:
        _plain(path)
        if path.lstat().st_mtime > epoch:
            os.utime(path, (epoch, epoch), follow_symlinks=False)


def _plain(path: Path) -> None:
    """Nobody on the box has to become somebody else; root, who starts the services, needs no bit for that."""
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
        path.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))


@contextmanager
def _kernel_file_systems(root: Path) -> Iterator[None]:
    """What making the first stage looks at. Raises: SetupFailed."""
    run(["mount", "-t", "proc", "proc", root / "proc"], timeout_s=STEP_TIMEOUT_S)
    try:
        yield
    finally:
        run(["umount", root / "proc"], timeout_s=STEP_TIMEOUT_S)


def _in(root: Path, *command: str) -> None:
    """Raises: SetupFailed."""
    run(["chroot", root, *command], timeout_s=STEP_TIMEOUT_S)
