"""The search for planted secrets finds them where they are."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.web.canary import holding, in_bytes, in_files, in_memory, in_start, secret

pytestmark = pytest.mark.unit

SECRET = secret("of the SIP account")


def _zipped(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.txt", data)
    return held.getvalue()


@pytest.mark.parametrize(
    "put_on",
    [
        str.encode,
        lambda text: f"x{text}".encode("utf-16"),
        lambda text: text.encode("utf-32"),
        lambda text: urlencode({"password": text}).encode(),
        lambda text: json.dumps({"password": text}).encode(),
        lambda text: base64.b64encode(text.encode()),
        lambda text: base64.b64encode(f"a{text}".encode()),
        lambda text: base64.urlsafe_b64encode(f"ab{text}b".encode()),
        lambda text: text.encode().hex().encode(),
        lambda text: text.replace("&", "&amp;").encode(),
    ],
)
def test_it_is_found_in_every_disguise(put_on: Callable[[str], bytes]) -> None:
    assert in_bytes("here", put_on(SECRET)) == ["here"]
    assert in_bytes("here", os.urandom(1000) + put_on(SECRET) + os.urandom(1000)) == ["here"]


@pytest.mark.parametrize("packed", [gzip.compress, _zipped, lambda data: _zipped(gzip.compress(data))])
def test_it_is_found_in_archives(packed: Callable[[bytes], bytes]) -> None:
    assert in_bytes("here", packed(SECRET.encode() * 2)) != []


def test_it_is_found_in_a_database_and_in_a_name(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "box.sqlite")) as db, db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (a)")
        db.execute("INSERT INTO t VALUES (?)", (SECRET,))
        db.commit()
        assert in_files(tmp_path) != []
    (tmp_path / "box.sqlite").unlink()
    assert in_files(tmp_path) == []
    (tmp_path / f"{SECRET}.txt").touch()
    assert in_files(tmp_path) != []


def test_it_is_found_in_arguments_environment_and_memory() -> None:
    waits = "import sys; print(flush=True); sys.stdin.read()"
    hidden = "".join(chr(ord(letter) + 1) for letter in SECRET)
    remembers = f"import sys; s = ''.join(chr(ord(c) - 1) for c in {hidden!r}); print(flush=True); sys.stdin.read()"
    for command, environment, in_its_start in (
        ([sys.executable, "-c", waits, SECRET], {}, True),
        ([sys.executable, "-c", waits], {"PASSWORD": SECRET}, True),
        ([sys.executable, "-c", remembers], {}, False),
    ):
        with subprocess.Popen(
            command, env=os.environ | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout
            process.stdout.readline()
            assert bool(in_start(process.pid)) is in_its_start
            assert in_memory(process.pid)
            process.communicate()
    assert not in_memory(process.pid)


def test_nothing_is_found_where_nothing_is() -> None:
    assert in_bytes("here", os.urandom(100_000)) == []
    assert in_bytes("here", _zipped(b"green frogs, and canary birds")) == []


def test_any_other_secret_is_found_too_and_nothing_is_not_searched(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="there is something to search"):
        holding(tmp_path, "horse battery")
    (tmp_path / "log").write_bytes(b"x" + base64.b64encode(b"horse battery staple"))
    assert holding(tmp_path, "horse battery") == [str(tmp_path / "log")]
    assert holding(tmp_path, "horse butter") == []
