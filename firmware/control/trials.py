"""Verbs that try an entry of Settings > Connectivity: it really speaks, hears or thinks, once."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import assert_never

import trio

from app.control import verbs
from app.control.connectivity import ConnectivityTest, Sound
from app.control.refusals import Refusal, Why
from app.engines import (
    BoxEars,
    BoxVoice,
    HttpEars,
    HttpVoice,
    ModelServer,
    PackEars,
    PackVoice,
    ServedEars,
    ServedVoice,
    WyomingEars,
    WyomingVoice,
)
from app.language_models import ModelFailed
from app.speech_servers import HEARING_S, SPEAKING_S, SpeechFailed
from firmware import trying, trying_servers
from firmware.audio.resampling import Samples
from firmware.audio.wav import WavProblem, read_wav, wav_of
from firmware.control.refusing import not_found
from firmware.employer import opened_secret
from firmware.lifetimes import first_of
from firmware.packs import Packs
from firmware.storage import SqliteLedger, records
from firmware.vault import Unreadable, Vault
from models.packs import PackProblem
from models.stt.pool import RecogniserFailed
from models.tts.libflite import VoiceMissing

TEST_S = 15.0
"""The page waits for 20 s. Ears take 1 s on x86 with loading, and several times that on a slow board."""

KEPT_SOUNDS = 4
"""The last tests, for whoever listens again; each is below 600 KB."""

SPOKEN = "Good day. This is what callers hear."
HEARD = "I would like to make an appointment for next Tuesday at ten o'clock."
ASKED = "Somebody calls you on the telephone. Greet them, in one short sentence."

_BUSY = Refusal(
    why=Why.NOT_NOW, text="The test was not started: another one is running. Wait some seconds, then try again."
)
_UNREADABLE = ConnectivityTest(worked=False, text="Its key cannot be read on this box. Enter the key again, above.")
_TOO_SLOW = f"There was no result within {TEST_S:.0f} s: the box or the server is too busy. Try again later."


@dataclass(frozen=True, slots=True)
class _Question:
    """What is to be understood: what the box said to itself, or what somebody recorded."""

    samples: Samples
    said: str
    narrow_band: bool


class TrialVerbs:
    """One test at a time: they take a core for a second, and calls go on meanwhile."""

    def __init__(self, store: SqliteLedger, vault: Vault, packs: Packs | None = None) -> None:
        self._store, self._vault, self._packs = store, vault, packs
        self._testing = False
        self._sounds: OrderedDict[str, bytes] = OrderedDict()

    async def test_connectivity(self, ask: verbs.TryConnectivity) -> ConnectivityTest | Refusal:
        record = await self._store.transact(lambda db: records.read_one_connectivity(db, ask.id))
        if record is None:
            return not_found("entry of Settings > Connectivity")
        if self._testing:
            return _BUSY
        self._testing = True
        try:
            with trio.move_on_after(TEST_S):
                return await self._tested(record, ask)
        finally:
            self._testing = False
        return ConnectivityTest(worked=False, text=_TOO_SLOW)

    async def get_test_sound(self, ask: verbs.ById) -> Sound | Refusal:
        if ask.id not in self._sounds:
            return Refusal(
                why=Why.NOT_FOUND, text=f"The box keeps the sound of the last {KEPT_SOUNDS} tests only. Test again."
            )
        return Sound.model_construct(wav=self._sounds[ask.id])

    async def _tested(
        self, record: records.ConnectivityRecord, ask: verbs.TryConnectivity
    ) -> ConnectivityTest | Refusal:
        answer: ConnectivityTest | Refusal | None = None
        failure: BaseException | None = None
        try:
            match record.engine:
                case BoxVoice() as voice:
                    answer = await self._spoken(voice, ask.text or SPOKEN)
                case BoxEars():
                    answer = await self._understood(ask)
                case ModelServer() as server:
                    answer = await self._thought(record, server, ask.text or ASKED)
                case WyomingEars() | HttpEars() | PackEars() as server:
                    answer = await self._served_ears(record, server, ask)
                case WyomingVoice() | HttpVoice() | PackVoice() as server:
                    answer = await self._served_voice(record, server, ask.text or SPOKEN)
                case _:
                    assert_never(record.engine)
        except* (ModelFailed, SpeechFailed, VoiceMissing, RecogniserFailed, PackProblem) as group:
            failure = first_of(group)
        return answer or _failed(failure)

    async def _spoken(self, voice: BoxVoice, text: str) -> ConnectivityTest:
        return await self._told_of(await trying.speak(voice, text), text)

    async def _served_voice(
        self, record: records.ConnectivityRecord, server: ServedVoice, text: str
    ) -> ConnectivityTest:
        """Raises: SpeechFailed."""
        key = opened_secret(self._vault, record, "api_key", record.api_key)
        if isinstance(key, Unreadable):
            return _UNREADABLE
        return await self._told_of(await trying_servers.speak(server, key, text, self._packs), text, SPEAKING_S)

    async def _told_of(self, spoken: trying.Spoken, text: str, patience_s: float = TEST_S) -> ConnectivityTest:
        if not len(spoken.samples):
            what = "There was nothing to say: the text has no word in it. Type a sentence."
            return ConnectivityTest(worked=False, text=what, said=text)
        slow = _too_slow(spoken.first_ms, patience_s, "speaks")
        return ConnectivityTest(
            worked=not slow,
            text=f"It spoke. The first sound came after {spoken.first_ms} ms{slow}.",
            said=text,
            first_ms=spoken.first_ms,
            took_ms=spoken.took_ms,
            sound_id=await self._kept(spoken.samples),
        )

    async def _thought(
        self, record: records.ConnectivityRecord, server: ModelServer, question: str
    ) -> ConnectivityTest:
        """Raises: ModelFailed."""
        key = opened_secret(self._vault, record, "api_key", record.api_key)
        if isinstance(key, Unreadable):
            return _UNREADABLE
        thought = await trying.think(server, key, question)
        slow = thought.first_ms > server.first_word_s * 1000
        patience = f": callers wait for {server.first_word_s:g} s. Raise that, or take a faster model" if slow else ""
        return ConnectivityTest(
            worked=not slow,
            text=f"It answered. The first word came after {thought.first_ms} ms{patience}.",
            said=question,
            heard=(thought.text,),
            first_ms=thought.first_ms,
            took_ms=thought.took_ms,
        )

    async def _understood(self, ask: verbs.TryConnectivity) -> ConnectivityTest | Refusal:
        async def hear(question: _Question) -> ConnectivityTest:
            heard = await trying.hear(question.samples, narrow_band=question.narrow_band)
            return _heard((heard.own, heard.general), heard.took_ms)

        return await self._by_question(ask, hear)

    async def _served_ears(
        self, record: records.ConnectivityRecord, server: ServedEars, ask: verbs.TryConnectivity
    ) -> ConnectivityTest | Refusal:
        """Raises: SpeechFailed."""
        key = opened_secret(self._vault, record, "api_key", record.api_key)
        if isinstance(key, Unreadable):
            return _UNREADABLE

        async def hear(question: _Question) -> ConnectivityTest:
            heard = await trying_servers.hear(server, key, question.samples, self._packs)
            return _heard((heard.text,), heard.took_ms, _too_slow(heard.took_ms, HEARING_S, "hears"))

        return await self._by_question(ask, hear)

    async def _by_question(
        self, ask: verbs.TryConnectivity, hear: Callable[[_Question], Awaitable[ConnectivityTest]]
    ) -> ConnectivityTest | Refusal:
        question = await self._question(ask)
        if isinstance(question, WavProblem):
            text = f"The recording cannot be used: {question.value}."
            return Refusal(why=Why.INVALID, text=text, fields={"recording": text})
        sound_id = await self._kept(question.samples)
        if trying.is_silent(question.samples):
            text = "The recording is silent. Check that the microphone is switched on, then record again."
            return ConnectivityTest(worked=False, text=text, said=question.said, sound_id=sound_id)
        test = await hear(question)
        return test.model_copy(update={"said": question.said, "sound_id": sound_id})

    async def _question(self, ask: verbs.TryConnectivity) -> _Question | WavProblem:
        if ask.recording is None:
            said = ask.text or HEARD
            spoken = await trying.speak(BoxVoice(voice="rms"), said)  # the ears understand it best over such a line
            return _Question(await trying.to_telephone(spoken.samples), said, narrow_band=True)
        recorded = await trio.to_thread.run_sync(read_wav, ask.recording)
        return recorded if isinstance(recorded, WavProblem) else _Question(recorded, ask.text, narrow_band=False)

    async def _kept(self, samples: Samples) -> str:
        sound_id = secrets.token_hex(8)
        self._sounds[sound_id] = await trio.to_thread.run_sync(wav_of, samples)
        while len(self._sounds) > KEPT_SOUNDS:
            self._sounds.popitem(last=False)
        return sound_id


def _heard(readings: tuple[str, ...], took_ms: int, slow: str = "") -> ConnectivityTest:
    text = "No word was understood. Speak clearly, close to the microphone, without music or other people."
    if any(readings):
        text = f"It heard something after {took_ms} ms{slow}. Compare it with what was said."
    return ConnectivityTest(worked=any(readings) and not slow, text=text, heard=readings, took_ms=took_ms)


def _too_slow(took_ms: int, patience_s: float, does: str) -> str:
    if took_ms <= patience_s * 1000:
        return ""
    return (
        f": callers wait for {patience_s:g} s, then the box {does} by itself. Take a faster server or a smaller model"
    )


def _failed(failure: BaseException | None) -> ConnectivityTest:
    why = str(failure)
    detail = failure.detail if isinstance(failure, ModelFailed | SpeechFailed) else ""
    says = f" The server says: “{detail}”" if detail else ""
    return ConnectivityTest(worked=False, text=f"{why[:1].upper()}{why[1:]}.{says}")
