"""A real office PBX for tests, benches and the demo: Asterisk 22, one instance per `office_pbx()`.

    async with office_pbx(sip_port=15060) as pbx:
        account = pbx.accounts["200"]          # .user .login .password
        print(await pbx.rx("pjsip show contacts"))

Extensions: 1xx and 2xx ring the account of that name, 600 echoes, 601 plays a minute of speech, 602 answers and stays
silent, 603 is busy (486), 604 is out of service (503), 605 to 608 are refused (403, 484, 410, 408), 610 is an answering
machine, 9 and a port rings whatever telephone is at that port of this machine.

Several instances run at once in the shared folder (see pbx_folder.py), each with files, ports and log of its own.
Asterisk dies with this process, whatever way that ends.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import trio

from tests.office.identity import Identity
from tests.office.pbx_folder import INSTANCES, inside, own_folder, owner, pbx_folder, write_private
from tests.patience import PATIENCE_S

TEMPLATES = Path(__file__).with_name("asterisk")
CODECS = ("opus", "g722", "ulaw", "alaw")
CONFIGURED = ("asterisk.conf", "modules.conf", "logger.conf", "rtp.conf", "extensions.conf")
# Asterisk's core reads these too and logs an error for each that does not exist; its defaults are what we want.
LEFT_EMPTY = ("acl", "ccss", "cdr", "cel", "features", "indications", "manager", "musiconhold", "pjproject", "udptl")
STOP_TIMEOUT_S = 5  # Asterisk says BYE to its calls and leaves within a second
POLL_S = 0.05  # the control socket appears, it does not announce itself


class PbxError(Exception):
    """Asterisk did not start, stop or obey. The text has the end of its log."""


@dataclass(frozen=True, slots=True)
class OfficeAccount:
    """What the PBX's administrator gives out. `codecs` in the PBX's order of preference; `media_encryption` as
    Asterisk has it: "no", or "sdes", which is then required. `more`: another line of its endpoint. `beyond`: its
    telephone sees the PBX as `Pbx.seen_as`."""

    user: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    login: str = ""
    codecs: Sequence[str] = CODECS
    ipv6: bool = False
    media_encryption: str = "no"
    more: str = ""
    beyond: bool = False

    @property
    def auth_user(self) -> str:
        return self.login or self.user


def office_accounts(**changes: OfficeAccount) -> dict[str, OfficeAccount]:
    """200 and 201 for Deskbell, 101 to 108 for those who call; a keyword like `u200=` replaces one."""
    users = ["200", "201", *(str(number) for number in range(101, 109))]
    return {user: changes.get(f"u{user}", OfficeAccount(user)) for user in users}


class Pbx:
    """A running Asterisk.

    host, sip_port: where it listens, UDP and TCP; on ::1 too where there is IPv6. tls_port: with an identity, TLS.
    seen_as, beyond_port: the address of this machine for telephones behind a translation of addresses, as a virtual
    machine is, and the UDP port for them. accounts: by user name. log: Asterisk's log file, with SIP messages once
    `log_sip(True)` was called.
    """

    def __init__(
        self,
        root: Path,
        instance: Path,
        *,
        host: str,
        sip_port: int,
        rtp_ports: tuple[int, int],
        accounts: Mapping[str, OfficeAccount],
        identity: Identity | None = None,
        seen_as: str = "",
    ) -> None:
        self.host = host
        self.seen_as = seen_as
        self.beyond_port = free_sip_port(host) if seen_as else 0
        self.identity = identity
        self.tls_port = free_sip_port(host) if identity else 0
        self.sip_port = sip_port
        self.rtp_ports = rtp_ports
        self.accounts = accounts
        self.log = instance / "log" / "full"
        self._root = root
        self._instance = instance
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        state = "stopped" if self._process is None else f"pid {self._process.pid}"
        return f"<Pbx {self.address} {state}>"

    @property
    def address(self) -> str:
        """As a SIP domain for phones on this machine."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104  (asked for by whoever started us)
        return f"{host}:{self.sip_port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start Asterisk and wait until it is fully booted.

        Raises: PbxError.
        """
        # Popen on this thread, not trio.open_process: that starts it from a worker thread, and the parent-death
        # signal comes when the starting *thread* ends.
        with (self._instance / "log" / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(  # noqa: ASYNC220  (milliseconds, and see above)
                self._command(["setpriv", "--pdeathsig", "KILL", "asterisk", "-f", "-C", self._conf()]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        try:
            with trio.fail_after(PATIENCE_S):
                await self._fully_booted()
        except trio.TooSlowError:
            raise PbxError(f"Asterisk is not ready after {PATIENCE_S:g} s. Its log ends:\n{self._log_end()}") from None
        listening = (await self.rx("pjsip show transports")).count("Transport:  transport-")
        if listening < (4 if has_ipv6() else 2):
            raise PbxError(f"Asterisk cannot listen on port {self.sip_port}. Its log ends:\n{self._log_end()}")

    async def stop(self) -> None:
        """Stop Asterisk: it hangs up its calls, then leaves; killed after 5 s. Nothing if it is stopped already."""
        if not (process := self._process):
            return
        process.send_signal(signal.SIGTERM)
        with trio.move_on_after(STOP_TIMEOUT_S):
            await _exit_of(process)
        process.kill()
        process.wait()
        self._process = None

    async def die(self) -> None:
        """Kill Asterisk: no BYE, no answer any more, as in a power cut."""
        if process := self._process:
            process.kill()
            await _exit_of(process)
            process.wait()
            self._process = None

    async def restart(self) -> None:
        """Stop and start; registrations and calls are forgotten, ports and passwords stay."""
        await self.stop()
        shutil.rmtree(self._instance / "lib")  # contacts live in its astdb
        own_folder(self._instance / "lib", owner(self._root))
        await self.start()

    async def rx(self, command: str) -> str:
        """Run one CLI command and return what it prints.

        Raises: PbxError if Asterisk does not take it.
        """
        line = self._command(["asterisk", "-C", self._conf(), "-rx", command])
        try:
            with trio.fail_after(PATIENCE_S):
                done = await trio.run_process(line, capture_stdout=True, capture_stderr=True, check=False)
        except trio.TooSlowError:
            raise PbxError(f'"{command}": no answer within {PATIENCE_S:g} s') from None
        if done.returncode:
            raise PbxError(f'"{command}": {(done.stderr or done.stdout).decode(errors="replace").strip()}')
        return done.stdout.decode(errors="replace")

    async def contacts(self) -> dict[str, str]:
        """Who is registered: user to contact URI."""
        lines = (await self.rx("pjsip show contacts")).splitlines()
        found = [line.split()[1] for line in lines if line.strip().startswith("Contact:") and "<Aor" not in line]
        return dict(contact.split("/", 1) for contact in found)

    async def channels(self) -> list[str]:
        """The names of the channels that are up."""
        lines = (await self.rx("core show channels concise")).splitlines()
        return [line.split("!")[0] for line in lines if "!" in line]

    async def log_sip(self, on: bool) -> None:
        """Write every SIP message to the log, or stop that."""
        await self.rx(f"pjsip set logger {'on' if on else 'off'}")

    async def originate(self, user: str, application: str, data: str = "") -> None:
        """Ring `user` and run a dial-plan application on it when it answers: originate("200", "Echo")."""
        await self.rx(f"channel originate PJSIP/{user} application {application} {data}".rstrip())

    def add_sound(self, wav: Path) -> str:
        """Make a mono 16 kHz 16-bit WAV playable; the name is for Playback()."""
        name = f"{wav.stem}-{secrets.token_hex(4)}"
        copy = self._instance / "sounds" / f"{name}.wav16"  # Asterisk's name for 16 kHz
        shutil.copyfile(wav, copy)
        copy.chmod(0o644)
        return f"{self._inside()}/sounds/{name}"

    async def _fully_booted(self) -> None:
        while True:
            if self._process and self._process.poll() is not None:
                raise PbxError(f"Asterisk ended with {self._process.returncode}. Its log ends:\n{self._log_end()}")
            if (self._instance / "run" / "asterisk.ctl").exists():
                try:
                    await self.rx("core waitfullybooted")
                except PbxError:
                    pass  # the socket exists, nobody listens yet
                else:
                    return
            await trio.sleep(POLL_S)

    def _command(self, inner: list[str]) -> list[str]:
        return inside(self._root, inner)

    def _inside(self) -> str:
        return f"/{self._instance.relative_to(self._root)}"

    def _conf(self) -> str:
        return f"{self._inside()}/etc/asterisk.conf"

    def _log_end(self, lines: int = 20) -> str:
        texts = [path.read_text(errors="replace") for path in (self.log, self.log.with_name("stderr")) if path.exists()]
        return "\n".join("\n".join(texts).splitlines()[-lines:])


@asynccontextmanager
async def office_pbx(
    *,
    host: str = "127.0.0.1",
    sip_port: int = 0,
    rtp_ports: tuple[int, int] = (20000, 20999),
    accounts: Mapping[str, OfficeAccount] | None = None,
    identity: Identity | None = None,
    seen_as: str = "",
    keep_log: Path | None = None,
) -> AsyncGenerator[Pbx, None]:
    """Asterisk for as long as the body runs; stopped at the end, also when cancelled.

    host: "127.0.0.1" (and ::1), or "0.0.0.0" for every address, so that softphones on the LAN can register.
    sip_port: 0 takes a free one. rtp_ports: first and last. identity: listens with TLS too, as
    this. seen_as: see Pbx. keep_log: copy Asterisk's log there at the end.

    Raises: PbxFolderError before `just setup`, PbxError if Asterisk does not start.
    """
    given = office_accounts() if accounts is None else accounts
    with pbx_instance(
        given, host=host, sip_port=sip_port, rtp_ports=rtp_ports, identity=identity, seen_as=seen_as
    ) as pbx:
        try:
            await pbx.start()
            yield pbx
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + STOP_TIMEOUT_S + 1):
                await pbx.stop()
            if keep_log and pbx.log.exists():
                shutil.copyfile(pbx.log, keep_log)


@contextmanager
def pbx_instance(
    accounts: Mapping[str, OfficeAccount],
    *,
    host: str = "127.0.0.1",
    sip_port: int = 0,
    rtp_ports: tuple[int, int] = (20000, 20999),
    identity: Identity | None = None,
    seen_as: str = "",
) -> Generator[Pbx, None, None]:
    """An Asterisk's folder, ports and configuration, for whoever starts and stops it. Raises: PbxFolderError."""
    root = pbx_folder()
    (root / INSTANCES).mkdir(parents=True, exist_ok=True)
    _sweep(root / INSTANCES)
    instance = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root / INSTANCES))
    try:
        port = sip_port or free_sip_port(host)
        pbx = Pbx(
            root,
            instance,
            host=host,
            sip_port=port,
            rtp_ports=rtp_ports,
            accounts=accounts,
            identity=identity,
            seen_as=seen_as,
        )
        _write_configuration(root, instance, pbx)
        yield pbx
    finally:
        shutil.rmtree(instance, ignore_errors=True)


def _sweep(instances: Path) -> None:
    """Remove what runs left behind that were killed: a folder's name begins with the process that made it."""
    for folder in instances.iterdir():
        if not Path("/proc", folder.name.partition("-")[0]).exists():
            shutil.rmtree(folder, ignore_errors=True)


def has_ipv6() -> bool:
    """Containers often have none."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
            udp.bind(("::1", 0))
    except OSError:
        return False
    return True


def free_sip_port(host: str) -> int:
    """A port that is free for UDP and TCP now."""
    while True:
        with socket.socket(type=socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((host, 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind((host, port))
            except OSError:
                continue
            return port


def _write_configuration(root: Path, instance: Path, pbx: Pbx) -> None:
    asterisk = owner(root)
    instance.chmod(0o755)
    for name in ("etc", "lib", "run", "log", "spool", "sounds"):
        own_folder(instance / name, asterisk)
    everywhere = pbx.host == "0.0.0.0"  # noqa: S104  (asked for by the caller)
    values = {
        "instance": f"/{instance.relative_to(root)}",
        "modules": f"/{next(root.glob('usr/lib/*/asterisk/modules')).relative_to(root)}",
        "rtp_first": str(pbx.rtp_ports[0]),
        "rtp_last": str(pbx.rtp_ports[1]),
        "ipv4": pbx.host,
        "ipv6": "[::]" if everywhere else "[::1]",
        "sip_port": str(pbx.sip_port),
        "tls_port": str(pbx.tls_port),
        "beyond_port": str(pbx.beyond_port),
        "seen_as": pbx.seen_as,
    }
    for name in CONFIGURED:
        write_private(instance / "etc" / name, _filled(name, values), asterisk)
    for name in LEFT_EMPTY:
        write_private(instance / "etc" / f"{name}.conf", "", asterisk)
    accounts = [_filled("pjsip_account.conf", _account_values(each, pbx.host)) for each in pbx.accounts.values()]
    transports = ["pjsip_transports.conf", *(["pjsip_transports_ipv6.conf"] if has_ipv6() else [])]
    if pbx.seen_as:
        transports.append("pjsip_transport_beyond.conf")
    if pbx.identity:
        transports.append("pjsip_transport_tls.conf")
        write_private(instance / "etc" / "identity.pem", pbx.identity.certificate + pbx.identity.key, asterisk)
    parts = [*(_filled(name, values) for name in transports), *accounts]
    write_private(instance / "etc" / "pjsip.conf", "".join(parts), asterisk)


def _account_values(account: OfficeAccount, host: str) -> dict[str, str]:
    everywhere = host == "0.0.0.0"  # noqa: S104
    media = f"media_address = {'::1' if account.ipv6 else host}\nbind_rtp_to_media_address = yes"
    return {
        "user": account.user,
        "login": account.auth_user,
        "password": account.password,
        "codecs": ",".join(account.codecs),
        "rtp_ipv6": "yes" if account.ipv6 else "no",
        "media_encryption": account.media_encryption,
        "more": account.more,
        "media": "" if everywhere else media,
        "transport": "transport = transport-beyond" if account.beyond else "",
        "caller_name": f"Extension {account.user}",
    }


def _filled(name: str, values: Mapping[str, str]) -> str:
    return Template((TEMPLATES / name).read_text()).substitute(values)


async def _exit_of(process: subprocess.Popen[bytes]) -> None:
    handle = os.pidfd_open(process.pid)
    try:
        await trio.lowlevel.wait_readable(handle)
    finally:
        os.close(handle)
