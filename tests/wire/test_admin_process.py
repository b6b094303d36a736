"""The admin process as it runs: what it says, TLS, and workers that come and go without anybody noticing."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trio

from firmware.control import run_control
from firmware.lifetimes import serving
from tests.contract.test_box_name import Phone
from tests.contract.test_control import no_recording
from tests.contract.test_setting_up import PASSWORD as PASSWORD_IN_FILE
from tests.contract.test_setting_up import card
from tests.patience import PATIENCE_S
from tests.wire.memory import holds, living

pytestmark = pytest.mark.wire

CERTIFICATE_FILES = ("certificate.pem", "certificate-key.pem")
CANARY = "canary 7f3a green frogs"
_STOP_S = 10.0
"""It takes a tenth of one; nothing that is open may hold it up for longer."""


@dataclass(frozen=True, slots=True)
class Admin:
    process: subprocess.Popen[bytes]
    port: int
    http_port: int
    folder: Path
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def code(self) -> str:
        return str(re.findall(r"Set-up code: (\d{4} \d{4})", self.said)[0])

    def client(self) -> httpx.AsyncClient:
        tls = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        return httpx.AsyncClient(verify=tls, base_url=f"https://localhost:{self.port}", timeout=PATIENCE_S)

    def workers(self) -> list[int]:
        return [pid for pid, parent in living() if parent == self.process.pid]


@asynccontextmanager
async def admin(folder: Path, says: str = "") -> AsyncGenerator[Admin, None]:
    """`says`: its last words when it is ready; otherwise the set-up code, or with a password the fingerprint."""
    port, http_port = _free_port(), _free_port()
    environment = {
        **os.environ,
        "DESKBELL_DATA": str(folder),
        "DESKBELL_ADMIN_FOLDER": str(folder / "admin"),
        "DESKBELL_ADMIN_PORT": str(port),
        "DESKBELL_ADMIN_HTTP_PORT": str(http_port),
        "DESKBELL_BOOT_FOLDER": str(folder / "boot"),
    }
    log = folder / "admin.log"
    process = _launched(log, environment)
    started = Admin(process, port, http_port, folder / "admin", log)
    try:
        last = says or ("fingerprint" if (folder / "admin" / "password").exists() else "Set-up code")
        await until(lambda: last in started.said or process.poll() is not None)
        yield started
    finally:
        process.kill()
        process.wait()


def _launched(log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "provisioning"], env=environment, stdout=out, stderr=out)


async def until(fact: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE_S):
        while not fact():  # noqa: ASYNC110  # other processes send no event
            await trio.sleep(0.02)


async def set_up(box: Admin, client: httpx.AsyncClient) -> None:
    answer = await client.post("/first-boot", data={"code": box.code, "password": CANARY, "again": CANARY})
    assert answer.headers["location"] == "/set-up"


async def test_the_page_gives_way_to_the_telephone(tmp_path: Path) -> None:
    """Both are started by the same parent: a page that is looked at must make no gap in a call."""
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    async with admin(tmp_path) as box:
        page = [os.getpriority(os.PRIO_PROCESS, pid) for pid in (box.process.pid, *box.workers())]
    assert len(page) > 1, "a worker serves"
    assert min(page) > ours


async def test_it_says_where_it_is_and_serves_with_that_certificate(tmp_path: Path) -> None:
    async with admin(tmp_path) as box, box.client() as client:
        assert f"https://localhost:{box.port}/" in box.said
        assert await trio.to_thread.run_sync(_served, box) in box.said
        assert (await client.get("/")).headers["location"] == "/sign-in"
        way = await client.get(f"http://localhost:{box.http_port}/agents")
        assert way.headers["location"] == f"https://localhost:{box.port}/agents"
        modes = {path.name: path.stat().st_mode & 0o777 for path in box.folder.iterdir()}
        assert modes == {"certificate.pem": 0o600, "certificate-key.pem": 0o600, "set-up-code": 0o600}
        assert box.folder.stat().st_mode & 0o777 == 0o700


async def test_a_password_leaves_the_memory_and_no_request_fails(tmp_path: Path) -> None:
    """First boot and sign-in, while somebody else asks for one page after the other."""
    async with admin(tmp_path) as box, box.client() as client, box.client() as other:
        (first,) = box.workers()
        await set_up(box, client)
        assert holds(first, CANARY), "the search finds what is there"
        pages = 0
        with trio.fail_after(PATIENCE_S):
            while first in box.workers():
                assert (await client.get("/password")).status_code == 200  # still signed in, on either worker
                async with box.client() as fresh:
                    assert (await fresh.get("/sign-in")).status_code == 200
                assert (await other.get("/sign-in")).status_code == 200
                pages += 3
                await trio.sleep(0.02)  # more connections at once than the page has for everybody are another matter
        assert pages > 10
        (second,) = box.workers()
        assert [pid for pid in (second, box.process.pid) if holds(pid, CANARY)] == []
        assert (await client.get("/password")).status_code == 200


async def test_guesses_are_counted_from_worker_to_worker(tmp_path: Path) -> None:
    async with admin(tmp_path) as box, box.client() as client:
        (first,) = box.workers()
        await set_up(box, client)
        async with box.client() as stranger:
            free = [(await stranger.post("/sign-in", data={"password": "x"})).status_code for _ in range(3)]
            await until(lambda: first not in box.workers())
            # The first of them may have waited long enough; whoever forgot those before would look at all.
            later = [(await stranger.post("/sign-in", data={"password": "x"})).status_code for _ in range(3)]
        assert free == [401, 401, 401]
        assert 429 in later


async def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    async with admin(tmp_path) as box, box.client() as client:
        await set_up(box, client)
        (first,) = box.workers()
        os.kill(first, signal.SIGKILL)
        await until(lambda: box.workers() not in ([], [first]))
        async with box.client() as fresh:  # waits in the backlog until the next one serves
            fresh.cookies = client.cookies
            assert (await fresh.get("/password")).status_code == 200


async def test_the_code_outlives_a_kill_and_a_removed_password_shows_another(tmp_path: Path) -> None:
    async with admin(tmp_path) as box:
        code = box.code
        box.process.kill()
    async with admin(tmp_path) as box, box.client() as client:
        assert box.code == code
        await set_up(box, client)
        assert not (box.folder / "set-up-code").exists()
        (box.folder / "password").unlink()
        await until(lambda: box.said.count("Set-up code") == 2)
        again = str(re.findall(r"Set-up code: (\d{4} \d{4})", box.said)[1])
        form = {"code": again, "password": CANARY, "again": CANARY}
        async with box.client() as fresh:
            assert (await fresh.post("/first-boot", data=form)).headers["location"] == "/set-up"
    assert again != code


async def test_who_is_signed_in_stays_when_the_page_is_killed_and_who_left_stays_out(tmp_path: Path) -> None:
    async with admin(tmp_path) as box, box.client() as client:
        await set_up(box, client)
        async with box.client() as other:
            await other.post("/sign-in", data={"password": CANARY})
            left = dict(other.cookies)
            csrf = await csrf_of(other, "/password")
            assert (await other.post("/sign-out", data={"csrf": csrf})).headers["location"] == "/sign-in"
        box.process.kill()
    async with admin(tmp_path) as box, box.client() as again, box.client() as out:
        again.cookies, out.cookies = client.cookies, httpx.Cookies(left)
        assert (await again.get("/password")).status_code == 200
        assert (await out.get("/password")).headers["location"] == "/sign-in"


async def csrf_of(client: httpx.AsyncClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get(path)).text)
    assert found
    return found[1]


async def test_a_set_up_file_is_used_once_however_often_the_page_is_killed(tmp_path: Path) -> None:
    async with card(tmp_path) as c:
        for delay_s in (0.0, 0.3, 0.6):  # before, while and after the other process works
            async with admin(tmp_path, says="fingerprint") as box:
                await trio.sleep(delay_s)
                for pid, parent in living():
                    if parent == box.process.pid:
                        os.kill(pid, signal.SIGKILL)
                box.process.kill()
        async with admin(tmp_path, says="fingerprint") as box, box.client() as client:
            await until(lambda: not c.file.exists())
            signed_in = await client.post("/sign-in", data={"password": PASSWORD_IN_FILE})
            assert signed_in.headers["location"] == "/"
            assert await c.is_set_up()
            assert "Traceback" not in box.said


async def test_what_is_wrong_with_a_set_up_file_is_told_before_and_after_signing_in(tmp_path: Path) -> None:
    async with card(tmp_path, 'password = "canary"\n'), admin(tmp_path) as box, box.client() as client:
        await until(lambda: "There is no such setting" in box.said)
        assert "The set-up file on the boot partition was not used" in (await client.get("/first-boot")).text
        assert "canary" not in box.said


async def test_a_renamed_box_is_found_under_its_new_name_with_a_certificate_for_it(tmp_path: Path) -> None:
    phone = Phone()
    answers = {"get_box": phone.get_box}
    socket_ = tmp_path / "control.sock"
    async with (
        serving(run_control, socket_, answers, phone.events, no_recording),
        admin(tmp_path) as box,
        box.client() as client,
    ):
        phone.rename("front-desk")
        await until_found(client, "front-desk.local")
        assert (await client.get("/sign-in", headers={"host": "deskbell.local"})).status_code == 421
        await set_up(box, client)
        csrf = await csrf_of(client, "/box/certificate")
        made = await client.post("/box/certificate", data={"csrf": csrf, "password": CANARY})
        assert made.headers["location"] == "/box/certificate"
        await until(lambda: "The page has a new certificate" in box.said)
        fingerprint = box.said.strip().splitlines()[-1].strip()
        await until_served(box, fingerprint)


async def until_found(client: httpx.AsyncClient, host: str) -> None:
    with trio.fail_after(PATIENCE_S):
        while (await client.get("/sign-in", headers={"host": host})).status_code == 421:  # noqa: ASYNC110
            await trio.sleep(0.02)


async def until_served(box: Admin, fingerprint: str) -> None:
    with trio.fail_after(PATIENCE_S):
        while await trio.to_thread.run_sync(_served, box) != fingerprint:  # noqa: ASYNC110
            await trio.sleep(0.1)


def _served(box: Admin) -> str:
    served = ssl.get_server_certificate(("localhost", box.port))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(served)).digest().hex(":").upper()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_at_once_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    async with admin(tmp_path) as box, box.client() as client:
        assert (await client.get("/first-boot")).status_code == 200
        workers = box.workers()
        box.process.send_signal(number)
        with trio.fail_after(_STOP_S):
            assert await trio.to_thread.run_sync(box.process.wait) == 0
        assert [pid for pid, _ in living() if pid in workers] == []
        assert "Traceback" not in box.said


async def test_when_it_is_killed_its_worker_goes_too(tmp_path: Path) -> None:
    async with admin(tmp_path) as box:
        (worker,) = box.workers()
        box.process.kill()
        await until(lambda: worker not in {pid for pid, _ in living()})
        assert "Traceback" not in box.said


async def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {**os.environ, "DESKBELL_ADMIN_FOLDER": str(tmp_path), "DESKBELL_ADMIN_PORT": port}
        ended = await trio.run_process(
            [sys.executable, "-m", "provisioning"], env=environment, check=False, capture_stderr=True
        )
    assert ended.returncode == 1
    assert ended.stderr.decode().startswith(f"The page can't start: port {port} cannot be opened (")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "certificate-key.part").mkdir(), "Make "),
        (lambda folder: [(folder / name).write_text("") for name in CERTIFICATE_FILES], "Remove certificate.pem and "),
    ],
)
async def test_a_certificate_that_cannot_be_is_said(tmp_path: Path, spoil: Callable[[Path], object], told: str) -> None:
    spoil(tmp_path)
    environment = {
        **os.environ,
        "DESKBELL_ADMIN_FOLDER": str(tmp_path),
        "DESKBELL_ADMIN_PORT": str(_free_port()),
        "DESKBELL_ADMIN_HTTP_PORT": "0",
    }
    ended = await trio.run_process(
        [sys.executable, "-m", "provisioning"], env=environment, check=False, capture_stderr=True
    )
    assert ended.returncode == 1
    assert told in ended.stderr.decode()
    assert "The page can't start: the reason is above" in ended.stderr.decode()
    assert "Traceback" not in ended.stderr.decode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
