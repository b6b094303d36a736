"""Fits the weights of app/brains/evidence.py to the tuning set: python -m tests.bench.intent_fit

The scored set has no part in this. Every utterance of the tuning set is recognised once (about 30 minutes on 2 cores;
what was heard is kept in build/bench/intent_tuning.json, delete it when recogniser or language model change). The
weights are those under which the right answers are likeliest (a conditional logit model, with a little shrinkage),
by Newton's method. The table says what each threshold would give, for sentences that the fit has not seen: five times,
a fifth of the sentences is put aside.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import trio

from app.brains.intents import intents_of
from app.brains.matching import Matcher
from app.ports import Heard
from models.stt.likeness import Likeness
from tests.bench.intent import Utterance, office_agent, recognised, sentence_set
from tests.bench.report import FOLDER

HEARD = FOLDER / "intent_tuning.json"
CONDITIONS = ("wide", "phone", "noisy")
_SHRINKAGE = 2e-4  # against weights that grow without end where a feature decides alone
_FOLDS = 5
_THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


async def heard_tuning_set() -> list[tuple[Utterance, Heard]]:
    """The tuning set as it was recognised. Goes on where an earlier run was stopped."""
    utterances = list(sentence_set("tuning").utterances(CONDITIONS))
    kept: dict[str, tuple[str, str, float]] = json.loads(HEARD.read_text()) if HEARD.exists() else {}
    missing = [utterance for utterance in utterances if _key(utterance) not in kept]
    if missing:
        async for utterance, heard in recognised(missing, office_agent(), print):
            kept[_key(utterance)] = (heard.own, heard.general, heard.off_topic)
            if len(kept) % 50 == 0:
                _keep(kept)
        _keep(kept)
    found = [(utterance, kept[_key(utterance)]) for utterance in utterances]
    return [(utterance, Heard(own, general, off_topic=off_topic)) for utterance, (own, general, off_topic) in found]


def _key(utterance: Utterance) -> str:
    return f"{utterance.voice}|{utterance.condition}|{utterance.text}"


def _keep(kept: dict[str, tuple[str, str, float]]) -> None:
    HEARD.parent.mkdir(parents=True, exist_ok=True)
    part = HEARD.with_suffix(".part")
    part.write_text(json.dumps(kept))
    part.replace(HEARD)


def features(matcher: Matcher, keys: list[str], pairs: list[tuple[Utterance, Heard]]) -> tuple[Floats, Ints]:
    """[utterance, choice, feature] and the right choice. Choice 0 is "none", whose features are its own."""
    strangeness, evidence = matcher.evidence(Heard("", ""))
    width, own = len(evidence[0].features()), len(strangeness.features())
    table = np.zeros((len(pairs), len(keys) + 1, width + own))
    right = np.zeros(len(pairs), dtype=np.int64)
    for row, (utterance, heard) in enumerate(pairs):
        strangeness, evidence = matcher.evidence(heard)
        table[row, 0, width:] = strangeness.features()
        table[row, 1:, :width] = [each.features() for each in evidence]
        right[row] = 1 + keys.index(utterance.intent) if utterance.intent is not None else 0
    return table, right


def fitted(table: Floats, right: Ints) -> Floats:
    """The weights that make the right choices likeliest."""
    weights = np.zeros(table.shape[2])
    chosen = table[np.arange(len(right)), right]
    for _ in range(100):
        chances = probabilities(table, weights)
        mean = np.einsum("nk,nkf->nf", chances, table)
        slope = (mean - chosen).mean(0) + _SHRINKAGE * weights
        bend = np.einsum("nk,nkf,nkg->fg", chances, table, table) - mean.T @ mean
        step = np.linalg.solve(bend / len(right) + _SHRINKAGE * np.eye(len(weights)), slope)
        size, before = 1.0, _loss(table, right, weights)
        while _loss(table, right, weights - size * step) > before and size > 1e-6:
            size /= 2
        weights = weights - size * step
        if np.abs(size * step).max() < 1e-6:
            break
    return weights


def probabilities(table: Floats, weights: Floats) -> Floats:
    scores = table @ weights
    powers = np.exp(scores - scores.max(1, keepdims=True))
    chances: Floats = powers / powers.sum(1, keepdims=True)
    return chances


def _loss(table: Floats, right: Ints, weights: Floats) -> float:
    chances = probabilities(table, weights)[np.arange(len(right)), right]
    return float(-np.log(np.maximum(chances, 1e-300)).mean() + _SHRINKAGE / 2 * weights @ weights)


def held_out(table: Floats, right: Ints, texts: list[str]) -> Floats:
    """Probabilities for each utterance from weights that were fitted without its sentence."""
    sentences = sorted(set(texts))
    order = np.random.default_rng(0).permutation(len(sentences))
    fold_of = {sentence: int(order[place]) % _FOLDS for place, sentence in enumerate(sentences)}
    folds = np.array([fold_of[text] for text in texts])
    found = np.zeros(table.shape[:2])
    for fold in range(_FOLDS):
        weights = fitted(table[folds != fold], right[folds != fold])
        found[folds == fold] = probabilities(table[folds == fold], weights)
    return found


def at_thresholds(chances: Floats, right: Ints, utterances: list[Utterance]) -> list[dict[str, Any]]:
    best, sure = chances[:, 1:].argmax(1) + 1, chances[:, 1:].max(1)
    inside = right > 0
    lines = {name: np.array([utterance.condition == name for utterance in utterances]) for name in CONDITIONS}
    return [
        {
            "believe": threshold,
            **{
                f"accuracy_{name}": round(float(((best == right) & (sure >= threshold))[inside & here].mean()), 3)
                for name, here in lines.items()
            },
            "wrong": round(float(((best != right) & (sure >= threshold))[inside].mean()), 3),
            "ood_accepted": round(float((sure >= threshold)[~inside].mean()), 3),
        }
        for threshold in _THRESHOLDS
    ]


async def main() -> None:
    pairs = await heard_tuning_set()
    intents = intents_of(office_agent())
    matcher = Matcher(intents, Likeness())
    table, right = features(matcher, [intent.key for intent in intents], pairs)
    chances = held_out(table, right, [utterance.text for utterance, _ in pairs])
    for row in at_thresholds(chances, right, [utterance for utterance, _ in pairs]):
        print(row)
    print("weights", [round(float(weight), 1) for weight in fitted(table, right)])


if __name__ == "__main__":
    if not Path("tests").is_dir():
        raise SystemExit("run this in the repository's root: python -m tests.bench.intent_fit")
    trio.run(main)
