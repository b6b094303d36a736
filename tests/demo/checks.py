"""Did it really happen? Read from what the box left behind: its database and its recordings."""

from __future__ import annotations

import html
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import numpy as np
import soundfile

from firmware.storage import SessionDetail
from tests.demo.box import DemoBox
from tests.demo.callers import ERRAND, NUMBER, RECORDED, RECORDED_ANSWER
from tests.office.box import AGENT


@dataclass(frozen=True, slots=True)
class Check:
    what: str
    passed: bool


def check_human(session: SessionDetail) -> Iterator[Check]:
    agent = tomllib.loads(AGENT.read_text())
    yield Check("… heard the greeting", _said(session, agent["greeting"]))
    yield Check("… is in the transcript herself", _caller_lines(session) >= len(RECORDED))
    told = _times(session, RECORDED_ANSWER)
    yield Check("… was told the number she asked for, and again when she had not understood", told == 2)
    yield Check("… said good-bye, and the agent hung up", session.summary.ended_by == "agent")
    yield from _check_recording(session)


def check_errand(session: SessionDetail) -> Iterator[Check]:
    knowledge = tomllib.loads(AGENT.read_text())["knowledge"]
    answers = {question: entry["answer"] for entry in knowledge for question in entry["questions"]}
    yield Check("… is in the transcript", _caller_lines(session) >= len(ERRAND))
    yield Check("… was told about parking", _said(session, answers["where can I park"]))
    yield Check("… about insurance", _said(session, answers["do you take my insurance"]))
    prices = answers["how much is a check up"]
    cut = [line.text for line in session.lines if line.speaker == "agent" and line.interrupted]
    yield Check("… interrupted the answer about prices", any(text and prices.startswith(text) for text in cut))
    results = session.summary.results
    yield Check("… left a name", bool(results.get("message_name")))
    yield Check("… and a number, read back and confirmed", results.get("message_number") == NUMBER)
    yield Check("… and a message", bool(results.get("message")) and "message_unconfirmed" not in results)
    yield Check("… and the outcome says so", session.summary.conclusion == "message taken")
    yield Check(
        "every turn has its latency", bool(session.turns) and all(turn.response_ms > 0 for turn in session.turns)
    )
    yield from _check_recording(session)


async def check_page(box: DemoBox, sessions: list[SessionDetail]) -> list[Check]:
    """What a person sees who signs in."""
    try:
        async with box.signed_in() as browser:
            shown = [await browser.get(f"/sessions/{session.summary.id}") for session in sessions]
    except httpx.HTTPError:
        return [Check("the page opens", passed=False)]
    pages = [html.unescape(each.text) for each in shown]
    told = all(line.text in page for session, page in zip(sessions, pages, strict=True) for line in session.lines)
    return [
        Check("the page shows both calls, word for word", told),
        Check("and has their recordings to play", all("<audio" in page for page in pages)),
    ]


def _said(session: SessionDetail, text: str) -> bool:
    return _times(session, text) > 0


def _caller_lines(session: SessionDetail) -> int:
    return sum(line.speaker == "caller" and bool(line.text) for line in session.lines)


def _times(session: SessionDetail, text: str) -> int:
    said = [line for line in session.lines if line.speaker == "agent" and not line.interrupted]
    return sum(line.text == text for line in said)


def _check_recording(session: SessionDetail) -> Iterator[Check]:
    """Stereo, both sides audible, and as long as the transcript."""
    path = session.summary.recording
    if path is None or not path.is_file():
        yield Check("the call was recorded", passed=False)
        return
    sound, rate_hz = soundfile.read(path)
    last_word_s = max(line.end_ms for line in session.lines) / 1000
    loud = bool(sound.ndim == 2 and sound.shape[1] == 2 and np.all(np.abs(sound).max(axis=0) > 0.01))
    yield Check("the recording opens, both sides on it", loud and len(sound) / rate_hz >= last_word_s - 0.1)
