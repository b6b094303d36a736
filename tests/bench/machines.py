"""`just bench machines`: person or machine? Both error rates, and how long the decision takes.

The real voice activity and beep detectors hear the answers of tests/bench/answerers.py, and the real deciders decide.
"Taken for" counts the last verdict: a beep may correct the first. Times are of the audio.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import trio

from app.echo import rms_dbfs
from app.turns.answering_machine import Answerer, AnswererDecider, MessageDecider, Moment, Verdict
from models.beep.spectral import SpectralBeeps
from models.vad import CHUNK_BYTES
from models.vad.silero import SileroModel
from tests.bench.answerers import Answered, Case, answered, cases
from tests.bench.report import percentiles, publish

CHUNK_MS = 32
_SHORT_MS = 1_500
_LATER = 2  # sentences that a person says after the agent's greeting


@dataclass(frozen=True, slots=True)
class Course:
    """What the deciders made of one answer. Instants are ms after the answer; None: it did not come to that."""

    answered: Answered
    verdicts: tuple[tuple[int, Verdict], ...]
    beeps_ms: tuple[int, ...]
    message_ms: int | None

    @property
    def first(self) -> Answerer:
        return self.verdicts[0][1].answerer

    @property
    def last(self) -> Answerer:
        return self.verdicts[-1][1].answerer


def heard(answer: Answered, vad: SileroModel) -> Course:
    """Raises: IndexError, later, if there was no verdict at all: a case has 8 s of silence at its end."""
    activity, beeps = vad.open(), SpectralBeeps()
    decider, message = AnswererDecider(), MessageDecider()
    verdicts, beeped, message_ms = [], [], None
    pcm = answer.pcm.tobytes()
    for number in range(len(pcm) // CHUNK_BYTES):
        chunk = pcm[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
        start_ms, end_ms = number * CHUNK_MS, (number + 1) * CHUNK_MS
        probability, beep, level_dbfs = activity.probability(chunk), beeps.heard(chunk), rms_dbfs(chunk)
        if beep:
            beeped.append(end_ms)
        if verdict := decider.feed(start_ms, end_ms, probability, level_dbfs=level_dbfs, beep=beep):
            verdicts.append((end_ms, verdict))
        moment = message.feed(start_ms, end_ms, probability, beep=beep)
        is_machine = bool(verdicts) and verdicts[-1][1].answerer is Answerer.MACHINE
        if message_ms is None and is_machine and moment is Moment.NOW:
            message_ms = end_ms
    return Course(answer, tuple(verdicts), tuple(beeped), message_ms)


async def courses(name: str, *, every: int = 1) -> list[Course]:
    """Of the scored or the tuning set; `every`: only each n-th case."""
    vad, whole = SileroModel(), cases(name)
    texts = list(dict.fromkeys(case.text for case in whole if case.kind == "human" and not case.prompts))
    found = []
    for number, case in enumerate(whole[::every]):
        answer = await answered(case, _later(texts, number))
        found.append(heard(answer, vad))
    return found


def _later(texts: Sequence[str], number: int) -> Sequence[str]:
    return [texts[(number + step) % len(texts)] for step in range(1, _LATER + 1)]


def figures(found: Sequence[Course]) -> dict[str, Any]:
    people = [course for course in found if course.answered.case.kind == "human"]
    machines = [course for course in found if course.answered.case.kind == "machine"]
    beeping = [course for course in machines if course.answered.beep_ms is not None]
    silent = [course for course in machines if course.answered.beep_ms is None]
    return {
        "humans": len(people),
        "humans_taken_for_machines": _share(course.last is Answerer.MACHINE for course in people),
        "machines": len(machines),
        "machines_taken_for_humans": _share(course.last is Answerer.HUMAN for course in machines),
        "machines_with_beep_taken_for_humans": _share(course.last is Answerer.HUMAN for course in beeping),
        "machines_without_beep": len(silent),
        "machines_without_beep_taken_for_humans": _share(course.last is Answerer.HUMAN for course in silent),
        "machines_first_greeted_as_humans": _share(course.first is Answerer.HUMAN for course in machines),
        "short_hello_decided_ms": percentiles(_waited(people, longest_ms=_SHORT_MS)),
        "human_decided_ms": percentiles(_waited(people)),
        "machine_decided_ms": percentiles([_machine_at(c) for c in machines if c.last is Answerer.MACHINE]),
        "message_after_beep_ms": percentiles(
            [c.message_ms - (c.answered.beep_ms or 0) for c in beeping if c.message_ms]
        ),
        "messages_before_the_beep": sum(
            bool(c.message_ms and c.message_ms < (c.answered.beep_ms or 0)) for c in beeping
        ),
        "beeps": len(beeping),
        "beeps_missed": sum(not _beep_heard(course) for course in beeping),
        "beeps_imagined": sum(_imagined(course) for course in found),
        "right_by_reason": _right_by_reason(found),
        "wrong": [_told(course) for course in found if course.last.value != course.answered.case.kind],
    }


def _waited(people: Iterable[Course], longest_ms: int = 60_000) -> list[float]:
    """From the end of the first words to the verdict "human"; negative where it came in a pause of them."""
    return [
        course.verdicts[0][0] - course.answered.spoken_ms
        for course in people
        if course.first is Answerer.HUMAN and course.answered.length_ms <= longest_ms
    ]


def _machine_at(course: Course) -> int:
    return course.verdicts[-1][0]


def _beep_heard(course: Course) -> bool:
    beep_ms = course.answered.beep_ms or 0
    return any(0 <= at_ms - beep_ms <= 400 for at_ms in course.beeps_ms)


def _imagined(course: Course) -> int:
    return len(course.beeps_ms) - (course.answered.beep_ms is not None and _beep_heard(course))


def _right_by_reason(found: Sequence[Course]) -> dict[str, float | None]:
    """How often the first verdict of each kind was right, and the second, which is always a beep."""
    given = [(verdict, course.answered.case) for course in found for _, verdict in course.verdicts]
    reasons = dict.fromkeys(verdict.because for verdict, _ in given)
    return {reason.value: _right((v, case) for v, case in given if v.because is reason) for reason in reasons}


def _right(given: Iterable[tuple[Verdict, Case]]) -> float | None:
    return _share(verdict.answerer.value == case.kind for verdict, case in given)


def _told(course: Course) -> dict[str, Any]:
    case = course.answered.case
    verdicts = [f"{at_ms} ms: {verdict.answerer.value}, {verdict.because.value}" for at_ms, verdict in course.verdicts]
    return {"case": case.name, "spoken_ms": course.answered.spoken_ms, "verdicts": verdicts}


def _share(hits: Iterable[bool]) -> float | None:
    counted = list(hits)
    return round(sum(counted) / len(counted), 4) if counted else None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench machines", description=__doc__)
    parser.add_argument("--tuning", action="store_true", help="the tuning set, written to machines-tuning.json")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th case only; marked as partial")
    chosen = parser.parse_args(arguments)
    found = trio.run(partial(courses, "tuning" if chosen.tuning else "scored", every=chosen.every))
    publish("machines-tuning" if chosen.tuning else "machines", {"partial": chosen.every > 1, **figures(found)})
    return 0
