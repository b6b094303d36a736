"""A real language model's server: llama.cpp's, from Debian, in the folder of the office PBX (see pbx_folder.py).

    async with llama_server([Recital("", "Good day.")]) as server:
        settings = ModelServer(base_url=server.base_url, model="tiny")

What it says is made up (see recital.py); how it says it is llama.cpp's own. It dies with this process.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import trio

from tests.office.pbx_folder import INSTANCES, inside, pbx_folder
from tests.office.recital import Recital, write_model
from tests.patience import PATIENCE_S

SLOW = 60
"""Layers: about 200 words a second on one core of 2024, and two milliseconds for each letter that it reads."""

_POLL_S = 0.02  # its log does not announce itself
_LISTENS = re.compile(r"listening on (http://\S+)")


class LlamaError(Exception):
    """The server did not come up. The text has what it said last."""


class LlamaServer:
    """A running one."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, key: str) -> None:
        self.address = ""
        self._process, self._log = process, log
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    async def listens(self) -> None:
        """Raises: LlamaError."""
        with trio.move_on_after(PATIENCE_S):
            while self._process.poll() is None:
                if found := _LISTENS.search(self.says()):
                    self.address = found[1]
                    return
                await trio.sleep(_POLL_S)
        raise LlamaError(f"llama-server did not come up: {self.says()[-2000:]}")

    def says(self) -> str:
        """Its log."""
        return self._log.read_text(errors="replace")

    async def busy_slots(self) -> int:
        """How many answers it is writing."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.address}/slots", headers=self._headers, timeout=PATIENCE_S)
        return sum(slot["is_processing"] for slot in answer.raise_for_status().json())

    async def words_written(self) -> int:
        """Since it began: tokens."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.address}/metrics", headers=self._headers, timeout=PATIENCE_S)
        found = re.search(r"^llamacpp:tokens_predicted_total (\d+)", answer.raise_for_status().text, re.MULTILINE)
        assert found
        return int(found[1])

    async def has_busy_slots(self, count: int) -> None:
        """Until so many are."""
        with trio.fail_after(PATIENCE_S):
            while True:
                if await self.busy_slots() == count:
                    return
                await trio.sleep(_POLL_S)

    def freeze(self) -> None:
        """It still takes connections, and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def die(self) -> None:
        self._process.kill()
        self._process.wait()


@asynccontextmanager
async def llama_server(
    recitals: Sequence[Recital],
    *,
    layers: int = 1,
    key: str = "",
    context: int = 0,
    more: Sequence[str] = (),
) -> AsyncGenerator[LlamaServer, None]:
    """`context`: tokens of one conversation, 0 for as many as the model can read. `more`: arguments of its own.

    Raises: LlamaError, and PbxFolderError before `just setup`.
    """
    root = pbx_folder()
    instance = _instance(root)
    try:
        write_model(instance / "model.gguf", recitals, layers=layers)
        server = _started(root, instance, key, ["--ctx-size", str(context), *more])
        try:
            await server.listens()
            yield server
        finally:
            server.die()
    finally:
        shutil.rmtree(instance, ignore_errors=True)


def _instance(root: Path) -> Path:
    """Its folder, which its process may read."""
    (root / INSTANCES).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root / INSTANCES))
    folder.chmod(0o755)
    return folder


def _started(root: Path, instance: Path, key: str, more: Sequence[str]) -> LlamaServer:
    """On this thread: the signal of a parent's death comes when the thread ends that started it (see pbx.py)."""
    log = instance / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            inside(root, [*_COMMAND, "--model", f"/{instance.relative_to(root)}/model.gguf", *more]),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=os.environ | ({"LLAMA_API_KEY": key} if key else {}),
            start_new_session=True,
        )
    return LlamaServer(process, log, key)


_COMMAND = (
    *("setpriv", "--pdeathsig", "KILL", "llama-server"),
    *("--host", "127.0.0.1", "--port", "0", "--parallel", "2", "--threads", "1", "--threads-batch", "1"),
    *("--temp", "0", "--alias", "tiny", "--no-ui", "--offline", "--no-warmup", "--metrics", "--cache-ram", "0"),
)
