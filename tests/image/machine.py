"""A mini PC or a small ARM computer with the image on its disk: QEMU, with the firmware, the disk, the network and the
serial line of one.

    async with machine(folder, image) as box:
        code = await box.said(r"Set-up code: (\\d{4} \\d{4})")

The disk is a copy that stays between two starts, larger than the image. The office, as the box sees it, is 10.0.2.2:
whatever listens on this machine's loopback. What the box offers is at `box.address`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import trio

from image.make.board import AMD64, ARM64, IMAGE_BUILD
from image.make.disk import FIRST_MIB
from tests.image.subject import BOARD, IMAGE
from tests.patience import PATIENCE_S

FIRMWARE = {
    AMD64: (Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), Path("/usr/share/OVMF/OVMF_VARS_4M.fd")),
    ARM64: (Path("/usr/share/AAVMF/AAVMF_CODE.fd"), Path("/usr/share/AAVMF/AAVMF_VARS.fd")),
}
"""UEFI: the program, and what it keeps."""

OFFICE = "10.0.2.2"
"""This machine, as the box sees it."""

DISK_BYTES = 4 * 2**30
MEMORY_MIB = 1024  # a Raspberry Pi 3 has that much
_FOURTH_SIZE = 446 + 3 * 16 + 12
"""Where a plain partition table has the number of sectors of its fourth partition."""

_TALK = f"console={BOARD.lines[-1]},115200 systemd.journald.forward_to_console=1 systemd.log_color=0"
"""For whoever wants to know why it does not start: the journal comes over the serial line too."""

_NO_WATCHDOG = "modprobe.blacklist=bcm2835_wdt quiet loglevel=3"
"""A Raspberry Pi's is set like a reset with a delay, and QEMU has the reset alone: it would happen at once."""
_MONITOR = "monitor"
_MAC = "52:54:00:12:34:56"

LOOK_S = 0.2  # a file that another process writes does not announce itself


class BoxSilent(Exception):
    """The box did not say what it should in time. The text ends with what it said last."""


@dataclass(frozen=True, slots=True)
class Machine:
    """`plain_address`: without TLS. `serial`: all that came over the serial line since the first start."""

    process: subprocess.Popen[bytes]
    address: str
    plain_address: str
    serial: Path

    async def said(self, pattern: str, patience_s: float, times: int = 1) -> str:
        """The first group of the pattern, once it was said `times` times. Raises: BoxSilent."""
        with trio.move_on_after(patience_s):
            while True:
                found = re.findall(pattern, self.spoken(), re.MULTILINE)
                if len(found) >= times:
                    return str(found[-1])
                if self.process.poll() is not None:
                    break
                await trio.sleep(LOOK_S)
        end = "\n".join(self.spoken().splitlines()[-30:])
        raise BoxSilent(f'nothing like "{pattern}" within {patience_s:g} s. It said last:\n{end}')

    def spoken(self) -> str:
        return self.serial.read_text(errors="replace").replace("\r", "") if self.serial.exists() else ""

    def on_boot_partition(self) -> list[str]:
        """Names in its top folder."""
        boot = _boot_partition(self.serial.parent)
        listed = subprocess.run(["mdir", "-b", "-i", boot], capture_output=True, text=True, check=True)
        return [name.removeprefix("::/").rstrip("/") for name in listed.stdout.splitlines()]

    def boot_counts(self) -> dict[str, str]:
        """What the boot loader and RAUC wrote last: ORDER, and OK and TRY of both slots."""
        boot = _boot_partition(self.serial.parent)
        read = subprocess.run(["mcopy", "-n", "-i", boot, "::EFI/BOOT/grubenv", "-"], capture_output=True, check=True)
        return dict(line.split("=", 1) for line in read.stdout.decode().splitlines() if "=" in line)

    def data_bytes(self) -> int:
        """Of the data partition, as the partition table has it now."""
        with self.serial.with_name("disk.img").open("rb") as disk:
            disk.seek(_FOURTH_SIZE)
            return int.from_bytes(disk.read(4), "little") * 512

    def leave(self, card: Path) -> None:
        """What would be on the disk if the plug were pulled at this moment: the machine stands still, its clock too,
        while the disk is copied, and goes on."""
        with _told(self.serial.with_name(_MONITOR)) as tell:
            tell("stop")
            try:
                subprocess.run(["cp", "--sparse=always", str(self.serial.with_name("disk.img")), str(card)], check=True)
            finally:
                tell("cont")

    def pull_the_plug(self) -> None:
        self.process.kill()
        self.process.wait()


def disk_of(folder: Path, image: Path = IMAGE) -> Path:
    """A card with the image on it, as `just flash` leaves it; the one that is there already stays."""
    disk, firmware = folder / "disk.img", folder / "firmware-settings.fd"
    if not firmware.exists():
        shutil.copyfile(FIRMWARE[BOARD][1], firmware)
    if not disk.exists():
        subprocess.run(["cp", "--sparse=always", str(image), str(disk)], check=True)
        os.truncate(disk, DISK_BYTES)
        if "DESKBELL_QEMU_TALKS" in os.environ:
            _tell_kernel(folder, _TALK)
    return disk


def count(folder: Path, *counts: str) -> None:
    """What the boot loader reads next, of a box that is off; nothing: what a worn card leaves of it."""
    new = folder / "grubenv"
    new.write_bytes(bytes(1024))
    if counts:
        subprocess.run(["grub-editenv", str(new), "create"], check=True)
        subprocess.run(["grub-editenv", str(new), "set", *counts], check=True)
    put_on_boot_partition(folder, new, "EFI/BOOT/grubenv")


def put_on_boot_partition(folder: Path, file: Path, there: str) -> None:
    """Of a box that is off."""
    subprocess.run(["mcopy", "-o", "-i", _boot_partition(folder), str(file), f"::{there}"], check=True)


def _boot_partition(folder: Path) -> str:
    """As mtools call it."""
    return f"{folder / 'disk.img'}@@{FIRST_MIB}M"


def _tell_kernel(folder: Path, words: str) -> None:
    settings = folder / "grub.cfg"
    subprocess.run(["mcopy", "-n", "-i", _boot_partition(folder), "::EFI/BOOT/grub.cfg", str(settings)], check=True)
    settings.write_text(settings.read_text().replace("quiet loglevel=3", words))
    put_on_boot_partition(folder, settings, "EFI/BOOT/grub.cfg")


async def trusted(box: Machine, folder: Path) -> Path:
    """The certificate of its page, compared with what the console says, as somebody does in front of a browser."""
    host, port = str(urlsplit(box.address).hostname), urlsplit(box.address).port or 443
    pem = await trio.to_thread.run_sync(ssl.get_server_certificate, (host, port))
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest().hex(":").upper()
    assert fingerprint in box.spoken()
    file = folder / "certificate.pem"
    file.write_text(pem)
    return file


@asynccontextmanager
async def machine(
    folder: Path,
    image: Path = IMAGE,
    *,
    clock: str = "",
    cable: bool = True,
    cores: int = 1,
    mac: str = _MAC,
    worn: Path | None = None,
    tapped: Path | None = None,
    raspberry: bool = False,
) -> AsyncGenerator[Machine, None]:
    """Switched on; the plug is pulled at the end. `clock`: what its battery clock says; empty: the time. Without a
    `cable` nobody reaches it, and it reaches nobody. `cores`: of its processor; in software each wants one of ours.
    `mac`: of its network card. `worn`: its disk takes no data while there is such a file. `tapped`: where all that goes
    over its cable is kept (pcap). A `raspberry`: a Raspberry Pi 3, which has no battery clock."""
    disk = await trio.to_thread.run_sync(disk_of, folder, image)
    if raspberry:
        _tell_kernel(folder, _NO_WATCHDOG)
    ports = _free_port(), _free_port()
    with ExitStack() as wearing:
        drive = wearing.enter_context(_wearing_out(disk, worn)) if worn else f"format=raw,file={disk}"
        command = (
            _raspberry(folder, disk, ports)
            if raspberry
            else _command(folder, drive, ports, mac if cable else "", cores)
        )
        tap = ["-object", f"filter-dump,id=tap,netdev=office,file={tapped}"] if tapped else []
        async with _switched_on(folder, [*command, *_clock(clock), *tap], ports) as box:
            yield box


@asynccontextmanager
async def _switched_on(folder: Path, command: list[str], ports: tuple[int, int]) -> AsyncGenerator[Machine, None]:
    with (folder / "qemu.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - milliseconds
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    box = Machine(process, *_addresses(ports), folder / "serial.log")
    try:
        yield box
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def _told(monitor: Path) -> Iterator[Callable[[str], None]]:
    """QEMU itself, told what to do with the machine (QMP): each command is done when the call returns."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_S)
        line.connect(str(monitor))
        with line.makefile("rw") as speech:

            def tell(command: str) -> None:
                speech.write(json.dumps({"execute": command}))
                speech.flush()
                while "return" not in (answer := json.loads(speech.readline())):
                    assert "error" not in answer, answer

            tell("qmp_capabilities")
            yield tell


def _clock(says: str) -> list[str]:
    return ["-rtc", f"base={says}"] if says else []


@contextmanager
def _wearing_out(disk: Path, worn: Path) -> Iterator[str]:
    """The disk, as QEMU is told to use it: another program serves it, and fails to write what it is told to."""
    line = disk.with_name("disk.sock")
    serving = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "nbdkit", "--foreground", "--unix", str(line), "--filter=error", "file",
         str(disk), "error-pwrite=EIO", "error-pwrite-rate=100%", f"error-pwrite-file={worn}"],
        start_new_session=True,
    )  # fmt: skip
    try:
        yield f"format=raw,file=nbd+unix:///?socket={line}"
    finally:
        serving.kill()
        serving.wait()
        line.unlink(missing_ok=True)


def _addresses(ports: tuple[int, int]) -> tuple[str, str]:
    return f"https://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"


def _forwarded(ports: tuple[int, int]) -> str:
    return f"hostfwd=tcp:127.0.0.1:{ports[0]}-:443,hostfwd=tcp:127.0.0.1:{ports[1]}-:80"


def _command(folder: Path, drive: str, ports: tuple[int, int], mac: str, cores: int) -> list[str]:
    """`mac`: of its network card; empty: without a cable. In software, since a machine that tests may have no other;
    DESKBELL_QEMU_ACCEL=kvm where there is."""
    accel = os.environ.get("DESKBELL_QEMU_ACCEL", "tcg")
    return [
        *(_arm(accel) if BOARD is ARM64 else _pc(accel)), "-nodefaults", "-display", "none", "-smp", str(cores),
        "-m", str(MEMORY_MIB),
        "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE[BOARD][0]}",
        "-drive", f"if=pflash,format=raw,file={folder / 'firmware-settings.fd'}",
        "-drive", f"if=virtio,{drive}",
        *(["-netdev", f"user,id=office,{_forwarded(ports)}"] if mac else []),
        "-device", "virtio-net-pci" + (f",netdev=office,mac={mac}" if mac else ""),
        "-device", "virtio-rng-pci",
        "-device", "i6300esb", "-action", "watchdog=reset",
        "-chardev", f"file,id=serial,append=on,path={folder / 'serial.log'}",
        "-serial", "chardev:serial",
        "-qmp", f"unix:{folder / _MONITOR},server=on,wait=off",
    ]  # fmt: skip


def _raspberry(folder: Path, disk: Path, ports: tuple[int, int]) -> list[str]:
    """No emulator has its graphics processor, which starts U-Boot and gives it the description of the machine: QEMU
    does, with the files of the boot partition. The second serial line is the one on the pins."""
    boot = IMAGE_BUILD / f"boot-{ARM64.name}"
    return [
        "qemu-system-aarch64", "-machine", "raspi3b", "-nodefaults", "-display", "none",
        "-kernel", str(boot / "u-boot.bin"), "-dtb", str(boot / "bcm2837-rpi-3-b.dtb"),
        "-drive", f"if=sd,format=raw,file={disk}",
        "-netdev", f"user,id=office,{_forwarded(ports)}", "-device", "usb-net,netdev=office",
        "-chardev", f"file,id=serial,append=on,path={folder / 'serial.log'}",
        "-serial", "null", "-serial", "chardev:serial",
    ]  # fmt: skip


def _pc(accel: str) -> list[str]:
    """In software a plain processor: what chooses AVX2 where there is some (sums of what is installed, TLS, speech) is
    three to eight times slower then, since QEMU has to take that apart."""
    processor = "host,-arch-capabilities" if accel == "kvm" else "qemu64,+rdrand,+rdseed"
    return ["qemu-system-x86_64", "-machine", "q35", "-accel", accel, "-cpu", processor]


def _arm(accel: str) -> list[str]:
    """The processor of a Raspberry Pi 4."""
    return [
        "qemu-system-aarch64",
        "-machine",
        "virt",
        "-accel",
        accel,
        "-cpu",
        "host" if accel == "kvm" else "cortex-a72",
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
