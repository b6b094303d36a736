"""Who may import what: the folders of ARCHITECTURE.md as a table."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules.tree import TREE, parsed, python_files

pytestmark = pytest.mark.rules

OURS = {"app", "firmware", "models", "provisioning", "image", "tests"}

# Folder: our folders, and the foreign packages, that it may import besides the standard library.
MAY_IMPORT: dict[str, tuple[set[str], set[str]]] = {
    "app": ({"app"}, {"pydantic", "trio"}),
    "models": ({"models"}, {"numpy", "pocketsphinx", "rapidfuzz", "tflite_runtime", "trio"}),
    "firmware": (
        {"firmware", "app", "models"},
        {"hypercorn", "numpy", "pydantic", "pydantic_settings", "starlette", "trio"},
    ),
    # app.control: the questions of the control socket, which both sides share; the models of campaigns are settings too
    "provisioning": (
        {"provisioning", "app.settings", "app.engines", "app.control", "app.outbound.campaign", "app.outbound.flow"},
        {
            "argon2",
            "httpx",
            "hypercorn",
            "jinja2",
            "prometheus_client",
            "pydantic",
            "pydantic_settings",
            "starlette",
            "trio",
            "yaml",
        },
    ),
    "image": ({"image"}, set()),
}

# A foreign thing has one folder that knows it; everybody else goes through that folder.
SOLE_IMPORTER = {
    "pjsua2": ("firmware/telephony/",),
    "alsaaudio": ("firmware/audio/",),
    "soundfile": ("firmware/audio/",),
    "soxr": ("firmware/audio/",),
    "httpx": (
        "firmware/language_model/",
        "firmware/webhooks/",
        "firmware/newer_versions/",
        "firmware/http_tools/",
        "firmware/openai_audio/",
        "firmware/http_asking.py",
        "provisioning/",
    ),
    "sqlite3": ("firmware/storage/",),
    # engines of neural packs: programs of their own, with packages of their own
    "moonshine_voice": ("models/neural/programs/",),
    "onnxruntime": ("models/neural/programs/",),
    "piper": ("models/neural/programs/",),
    "smtplib": ("firmware/mail/",),
    "prometheus_client": ("provisioning/api/metrics.py",),
    "pypdf": ("provisioning/document_reader.py",),  # in a process of its own
    "cryptography": ("firmware/vault/", "provisioning/identity.py"),  # secrets at rest; the page's certificate
}

# Programs that make a committed file once, in an environment of their own: the product never imports them.
WORKSHOP_FOLDERS = ("models/stt/train_phone_transform/",)


def imported(module: ast.AST) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def problems(path: str, module: ast.AST) -> list[str]:
    """What `path` imports and may not."""
    if path.startswith("tests/"):
        return []
    found = []
    for name in imported(module):
        owners = SOLE_IMPORTER.get(name.partition(".")[0])
        if owners and not path.startswith(owners):
            found.append(f"{path} imports {name}: only {' and '.join(owners)} may")
        elif not owners and not _allowed(path.partition("/")[0], name):
            found.append(f"{path} imports {name}")
    return found


def _allowed(folder: str, name: str) -> bool:
    ours, foreign = MAY_IMPORT[folder]
    top = name.partition(".")[0]
    if top in OURS:
        return any(name == one or name.startswith(f"{one}.") for one in ours)
    return top in sys.stdlib_module_names or top in foreign or top == "_typeshed"  # types of the standard library


def workshop_files() -> set[str]:
    """Programs that the manifest names as makers of a committed file, and those of the workshop folders."""
    manifest = tomllib.loads((TREE / "models" / "manifest.toml").read_text())
    makers = {entry["source"].get("made_by", "") for entry in manifest.get("file", [])}
    return {path for path in python_files() if path in makers or path.startswith(WORKSHOP_FOLDERS)}


def test_every_folder_imports_only_what_it_may() -> None:
    looked_at = [path for path in python_files(*MAY_IMPORT) if path not in workshop_files()]
    assert looked_at
    assert [problem for path in looked_at for problem in problems(path, parsed(path))] == []


def test_the_product_does_not_import_a_workshop() -> None:
    modules = {path.removesuffix(".py").replace("/", ".") for path in workshop_files()}
    users = [path for path in python_files(*MAY_IMPORT) if path not in workshop_files()]
    assert [path for path in users if modules & set(imported(parsed(path)))] == []


def test_every_python_file_belongs_to_a_folder_with_rules() -> None:
    assert {Path(path).parts[0] for path in python_files()} <= OURS


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("app/conversation.py", "import numpy"),
        ("app/conversation.py", "from firmware.compose import appliance"),
        ("app/settings.py", "import sqlite3"),
        ("models/vad/silero.py", "from app.ports import Frame"),
        ("models/vad/silero.py", "import soundfile"),
        ("firmware/compose.py", "def late():\n    import pjsua2 as pj"),
        ("firmware/audio/recording.py", "from tests.office.pbx import office_pbx"),
        ("firmware/telephony/call.py", "from sqlite3 import connect"),
        ("provisioning/client.py", "from app.conversation import converse"),
        ("provisioning/client.py", "import models.packs"),
        ("image/setup/debian.py", "import trio"),
        ("image/setup/debian.py", "from models import packs"),
    ],
)
def test_the_rule_sees(path: str, source: str) -> None:
    assert problems(path, ast.parse(source))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("firmware/telephony/call.py", "import pjsua2 as pj\nfrom app.ports import Call"),
        ("firmware/storage/writer.py", "import sqlite3"),
        ("provisioning/client.py", "from app.settings import Connection"),
        ("models/vad/silero.py", "from tflite_runtime.interpreter import Interpreter\nfrom models import packs"),
    ],
)
def test_the_rule_allows(path: str, source: str) -> None:
    assert problems(path, ast.parse(source)) == []
