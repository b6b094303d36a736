"""What a dictated utterance may have been, too; with an engine that is written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from models.stt.decoder import Decoder, Hypothesis

pytestmark = pytest.mark.unit


@dataclass
class Said:
    hypstr: str
    score: float = 0.5


@dataclass
class Engine:
    searches: list[str | None] = field(default_factory=list)

    def start_utt(self) -> None: ...
    def end_utt(self) -> None: ...
    def process_raw(self, data: bytes, no_search: bool = False) -> int:
        return len(data)

    def hyp(self) -> Hypothesis:
        return Said("five five")

    def nbest(self) -> Iterable[Hypothesis | None]:
        return iter([Said("five five"), None, Said("five"), Said(""), Said("five")])

    def activate_search(self, name: str | None = None) -> None:
        self.searches.append(name)

    def n_frames(self) -> int:
        return 10

    def get_cmn(self, update: bool) -> str:
        return "0"

    def set_cmn(self, cmn: str) -> None: ...


def test_others_are_told_of_what_was_dictated_only() -> None:
    engine = Engine()
    decoder = Decoder(engine, {"digits"})
    decoder.begin("digits")
    assert decoder.finish()["others"] == ["five five", "five"]
    decoder.begin()
    assert decoder.finish()["others"] == []
    decoder.begin("what nobody knows")
    assert decoder.finish()["others"] == []
    assert engine.searches == ["digits", None, None]


def test_an_engine_that_knows_nothing_else_is_not_asked_to_change() -> None:
    engine = Engine()
    Decoder(engine).begin("digits")
    assert engine.searches == []
