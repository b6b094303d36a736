"""What a version has to show after a start, each looked at once by what is really there."""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Mapping, Sequence

import trio

from app.engines import BoxVoice
from firmware import telephony, trying
from firmware.control.look import Scene, registration_of
from firmware.employer import opened_secret
from firmware.lifetimes import first_of
from firmware.storage import SqliteLedger, StorageFault, records
from firmware.update.proof import LONGEST_GAP_MS, Check, Found
from firmware.update.prover import Look
from firmware.update.trial import Trial
from firmware.vault import Unreadable
from models.packs import PackProblem
from models.stt.pool import RecogniserFailed
from models.tts.libflite import VoiceMissing

_log = logging.getLogger(__name__)

SENTENCE = "I would like to make an appointment for next Tuesday at ten o'clock."
_UNDERSTOOD = 0.6
"""Of its words, as the mean of both decoders. Of 16 times that the voice said it, the agents' own got all words right,
and the general one between 0.69 and all; one whose model is broken gets none."""

_TRIES = 3
"""Sentences not understood until the version is given up. The voice says it differently each time, and now and then so
that a decoder mishears it."""

_PAGE_S = 60.0  # a handshake with a machine made of software that is starting takes ten seconds
_FEW_TICKS = 500  # 10 s of audio: less is not worth a judgement
_ANSWERED = re.compile(rb"HTTP/1\.[01] (200|303)\b")


class Looks:
    """`page_port`: of the page, on this machine."""

    def __init__(self, store: SqliteLedger, scene: Scene, endpoint: telephony.Endpoint, page_port: int) -> None:
        self._store, self._scene, self._endpoint, self._page_port = store, scene, endpoint, page_port

    def all(self) -> Mapping[Check, Look]:
        return {
            Check.SETTINGS: self.settings,
            Check.EARS: ears,
            Check.PAGE: self.page,
            Check.AUDIO: self.audio,
            Check.REGISTRATION: self.registration,
        }

    async def unreadable(self) -> dict[str, str]:
        """Names of the connections whose secrets cannot be opened, by id. Raises: StorageFault."""
        found = await self._store.transact(records.read_connections)
        return {each.id: each.account.name for each in found if self._is_locked(each)}

    async def registered(self) -> tuple[str, ...]:
        """Ids of the connections that are registered now. Raises: StorageFault."""
        found = await self._store.transact(records.read_connections)
        return tuple(each.id for each in found if self._is_registered(each.id))

    async def settings(self, trial: Trial | None) -> Found:
        try:
            locked = await self.unreadable()
        except StorageFault as fault:
            return Found(good=False, why=f"its settings could not be read ({fault})")
        fresh = [name for record_id, name in locked.items() if trial and record_id not in trial.unreadable]
        if fresh:
            why = f"it could not read the password of the SIP connection {_listed(fresh)}, which the version before can"
            return Found(good=False, why=why, final=True)
        return Found(good=True)

    async def page(self, _: Trial | None) -> Found:
        try:
            with trio.fail_after(_PAGE_S):
                answer = await _first_bytes(self._page_port)
        except (OSError, trio.BrokenResourceError, trio.TooSlowError, ssl.SSLError):
            return Found(good=False, why="its page could not be reached")
        return Found(good=bool(_ANSWERED.match(answer)), why="its page answered with an error")

    async def audio(self, _: Trial | None) -> Found:
        gaps = self._endpoint.gaps
        gap_ms = gaps.quantile_ms(0.999)
        good = gaps.count < _FEW_TICKS or gap_ms <= LONGEST_GAP_MS
        return Found(good, f"the audio of calls had holes of {gap_ms:.0f} ms")

    async def registration(self, trial: Trial | None) -> Found:
        try:
            found = await self._store.transact(records.read_connections)
        except StorageFault as fault:
            return Found(good=False, why=f"its settings could not be read ({fault})")
        stored = {each.id: each.account.name for each in found}
        before = trial.registered if trial else ()
        if any(each not in stored for each in before):
            return Found(good=False, why="it did not find the SIP connections that were there before it", final=True)
        lost = [stored[each] for each in before if not self._is_registered(each)]
        why = f"the SIP connection {_listed(lost)} was registered before it, and did not register again"
        return Found(not lost, why)

    def _is_locked(self, record: records.ConnectionRecord) -> bool:
        sealed = {"password": record.password, "login": record.login}
        return any(
            isinstance(opened_secret(self._scene.vault, record, field, secret), Unreadable)
            for field, secret in sealed.items()
        )

    def _is_registered(self, connection_id: str) -> bool:
        view = registration_of(self._scene, connection_id)
        return view is not None and view.registered


async def ears(_: Trial | None) -> Found:
    """The box says a sentence to itself, as over a telephone, and understands it."""
    failure: BaseException | None = None
    try:
        return await _understood()
    except* (PackProblem, VoiceMissing, RecogniserFailed) as group:
        failure = first_of(group)
    if isinstance(failure, PackProblem | VoiceMissing):
        return Found(good=False, why=f"it could not hear or speak ({failure})", final=True)
    return Found(good=False, why="its speech recogniser did not start")


async def _understood() -> Found:
    """Raises: models.packs.PackProblem, models.tts.libflite.VoiceMissing, models.stt.pool.RecogniserFailed, possibly in
    an ExceptionGroup."""
    for _ in range(_TRIES):
        spoken = await trying.speak(BoxVoice(), SENTENCE)
        heard = await trying.hear(await trying.to_telephone(spoken.samples), narrow_band=True)
        # A machine that is busy starting gives up on a decoder, and starts it anew.
        if not (heard.own and heard.general):
            return Found(good=False, why="its speech recogniser did not answer")
        if is_understood(SENTENCE, heard.own, heard.general):
            return Found(good=True)
        heard_as = f"{heard.own} / {heard.general}"
        _log.warning("the box did not understand a sentence of its own", extra={"own_sentence_as": heard_as})
    return Found(good=False, why="it did not understand a sentence that it said to itself", final=True)


def is_understood(said: str, *heard: str) -> bool:
    """By the mean of those who heard it."""
    words = _words(said)
    right = sum(word in there for there in map(_words, heard) for word in words)
    return right >= _UNDERSTOOD * len(words) * len(heard)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.casefold())


async def _first_bytes(port: int) -> bytes:
    """Of the page's answer. Whose certificate it is says nothing here: nobody is between the box and itself.

    Raises: OSError, trio.BrokenResourceError.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stream = await trio.open_ssl_over_tcp_stream("127.0.0.1", port, ssl_context=context, https_compatible=True)
    async with stream:
        await stream.send_all(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return bytes(await stream.receive_some(64))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
