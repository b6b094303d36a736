"""The list of what others wrote, beside the image: complete, with a licence for each, in words that programs know."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from image.make.board import IMAGE_BUILD
from image.make.parts import debian_parts, licence_list, parts_of, spdx
from image.setup.running import SetupFailed
from tests.image.subject import BOARD, ROOT

pytestmark = pytest.mark.image

DOCUMENT, LIST = (IMAGE_BUILD / f"deskbell-{BOARD.name}.{kind}" for kind in ("spdx.json", "licences"))
LOCK = Path(__file__).parents[2] / "requirements.lock"


def _packages() -> dict[str, dict[str, str]]:
    return {each["name"].lower().replace("_", "-"): each for each in json.loads(DOCUMENT.read_text())["packages"]}


def test_all_that_is_in_the_image_is_listed() -> None:
    """Debian's by what they left in it, Python's by the lock, the models by their files."""
    listed = _packages()
    assert [each.name for each in (ROOT / "usr/share/doc").iterdir() if each.name.lower() not in listed] == []
    locked = re.findall(r"^([A-Za-z0-9_.-]+)==([^ \\]+)", LOCK.read_text(), re.MULTILINE)
    assert locked
    assert [name for name, version in locked if listed[name.lower().replace("_", "-")]["versionInfo"] != version] == []
    assert {"pjsua2", "silero16k-f32", "mllr-phone"} <= set(listed)


def test_the_texts_are_where_the_list_says() -> None:
    places = [line.strip().lstrip("/") for line in LIST.read_text().splitlines() if line.startswith("    /")]
    assert len(places) > 200
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_document_refers_to_what_is_in_it() -> None:
    told = json.loads(DOCUMENT.read_text())
    names = [each["SPDXID"] for each in told["packages"]]
    assert len(names) == len(set(names))
    contained = [each["relatedSpdxElement"] for each in told["relationships"]]
    assert sorted(contained) == sorted(names)


def test_the_same_image_has_the_same_document() -> None:
    debian = next(IMAGE_BUILD.glob(f"debian-{BOARD.name}-*.tar"))
    one, other = (spdx(BOARD, parts_of(BOARD, ROOT, debian), "1.0.0", 1_700_000_000) for _ in range(2))
    assert one == other
    assert f"Deskbell 1.0.0 for {BOARD.name}" in licence_list(BOARD, parts_of(BOARD, ROOT, debian), "1.0.0")


def test_nothing_is_given_away_without_its_licence(tmp_path: Path) -> None:
    status = "Package: thing\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n"
    with pytest.raises(SetupFailed, match="without a licence"):
        list(debian_parts(status, tmp_path))
    gone = status.replace("install ok installed", "deinstall ok config-files")
    assert list(debian_parts(gone, tmp_path)) == []
