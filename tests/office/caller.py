"""A caller at the office: registers at the PBX, dials, and follows its script. A process of its own.

    DESKBELL_CALLER_PASSWORD=... python -m tests.office.caller < script.json

Prints one JSON object for each event: "event", "at" (seconds since 1970) and what belongs to it. Ends with 0 if it
came to the end of its script, with 1 if not; then the last event says why.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import wave
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import assert_never

import trio
from pydantic import SecretStr

from app.ports import SAMPLE_RATE_HZ, Call, Connected
from app.settings import Connection
from firmware.lifetimes import serving
from firmware.telephony import Account, Cause, EndpointConfig, run_account, run_endpoint
from tests.office.script import AgentVoice, AwaitEnd, HangUp, Interrupt, Listen, Pause, Say, Script, Step
from tests.patience import PATIENCE_S

PASSWORD = "DESKBELL_CALLER_PASSWORD"

Emit = Callable[..., None]


class ScriptFailed(Exception):
    """The call did not go as the script says. The text says what is missing."""


class Conversation:
    """The caller's side of one call."""

    def __init__(self, call: Call, emit: Emit, sounds: Mapping[Path, bytes]) -> None:
        self._call, self._emit, self._sounds = call, emit, sounds
        self._voice = AgentVoice()
        self._frame = trio.Event()
        self._over = False

    async def follow(self, steps: tuple[Step, ...], repeat_s: float = 0.0) -> None:
        """Do what the script says. Raises: ScriptFailed."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen)
            until_s = trio.current_time() + repeat_s
            while True:
                for step in steps:
                    await self._do(step)
                if trio.current_time() >= until_s:
                    break
            nursery.cancel_scope.cancel()

    async def _do(self, step: Step) -> None:
        match step:
            case Listen():
                await self._until("the agent's answer", step.timeout_s, lambda: self._answered(step.quiet_ms))
                self._emit("heard answer")
            case Say():
                await self._say(step.wav, step.name)
            case Interrupt():
                await self._until(
                    "speech to interrupt", step.timeout_s, lambda: self._voice.speaking_ms >= max(step.after_ms, 1)
                )
                await self._say(step.wav, step.name)
            case Pause():
                await trio.sleep(step.ms / 1000)
            case HangUp():
                await self._call.hang_up()
            case AwaitEnd():
                await self._end(step.timeout_s)
            case _:
                assert_never(step)

    async def _say(self, wav: Path, name: str) -> None:
        if self._over:
            raise ScriptFailed(f'the call was over before "{name}" could be said')
        self._emit("saying", name=name)
        await self._call.mouth.play(self._sounds[wav])
        await self._call.mouth.drained()
        self._voice.mark()
        self._emit("said", name=name)

    async def _listen(self) -> None:
        async for frame in self._call.ears():
            self._voice.feed(frame.at_ms, frame.pcm)
            self._wake()
        self._over = True
        self._wake()

    def _wake(self) -> None:
        self._frame.set()
        self._frame = trio.Event()

    def _answered(self, quiet_ms: int) -> bool:
        return self._voice.spoke and self._voice.quiet_ms >= quiet_ms

    async def _until(self, what: str, timeout_s: float, true: Callable[[], bool]) -> None:
        with trio.move_on_after(timeout_s):
            while not true():
                if self._over:
                    raise ScriptFailed(f"the call was over while waiting for {what}")
                await self._frame.wait()
            return
        raise ScriptFailed(f"waited {timeout_s:g} s in vain for {what}")

    async def _end(self, timeout_s: float) -> None:
        with trio.move_on_after(timeout_s):
            await self._call.ended()
            return
        raise ScriptFailed(f"the agent did not hang up within {timeout_s:g} s")


async def call(script: Script, password: str, emit: Emit) -> None:
    """Register, dial, follow the script, hang up. Raises: ScriptFailed."""
    sounds = {step.wav: read_wav(step.wav) for step in script.steps if isinstance(step, Say | Interrupt)}
    config = EndpointConfig(codecs=script.codecs, rtp_first_port=script.rtp_port, rtp_ports=4, user_agent="Caller")
    connection = Connection(name="PBX", domain=script.pbx, user=script.user, password=SecretStr(password))
    async with serving(run_endpoint, config) as endpoint, serving(run_account, endpoint, connection) as account:
        await _registered(account)
        emit("registered")
        one = await account.dial(script.dial)
        await _in_call(one, script, emit, sounds)
        emit("ended", by=(await one.ended()).by.value)


async def _registered(account: Account) -> None:
    cause = None
    with trio.move_on_after(PATIENCE_S):
        async for registration in account.registrations():
            cause = registration.cause
            if cause is Cause.REGISTERED:
                return
    raise ScriptFailed(f"the PBX did not register the caller: {cause}")


async def _in_call(one: Call, script: Script, emit: Emit, sounds: Mapping[Path, bytes]) -> None:
    try:
        with trio.move_on_after(script.answer_timeout_s) as waiting:
            answer = await one.connected()
        if waiting.cancelled_caught:
            raise ScriptFailed(f"nobody answered within {script.answer_timeout_s:g} s")
        if not isinstance(answer, Connected):
            raise ScriptFailed(f"the call was not answered: {answer.sip_code} {answer.reason}")
        emit("connected", codec=answer.codec)
        await Conversation(one, emit, sounds).follow(script.steps, script.repeat_s)
    finally:
        with trio.move_on_after(3, shield=True):  # hang_up itself gives up after 2
            await one.hang_up()


def read_wav(path: Path) -> bytes:
    """The samples of a 16 kHz mono 16-bit WAV file. Raises: ScriptFailed if it is another format."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (SAMPLE_RATE_HZ, 1, 2):
            raise ScriptFailed(f"{path.name} is not a 16 kHz mono 16-bit WAV file")
        return bytes(file.readframes(file.getnframes()))


class EventLines:
    """Events on what was the standard output; pj writes some lines of its own to that, and they go to stderr now."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def __call__(self, event: str, **fields: object) -> None:
        print(json.dumps({"event": event, "at": time.time(), **fields}), file=self._out, flush=True)


async def _call_unless_stopped(script: Script, password: str, emit: Emit) -> None:
    """SIGTERM hangs up and un-registers, as a person would."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_at_signal, signals, emit, nursery.cancel_scope)
            await call(script, password, emit)
            nursery.cancel_scope.cancel()


async def _cancel_at_signal(signals: AsyncIterator[int], emit: Emit, scope: trio.CancelScope) -> None:
    async for _ in signals:
        emit("failed", why="stopped")
        scope.cancel()


def main() -> int:
    emit = EventLines()
    script = Script.model_validate_json(sys.stdin.read())
    try:
        trio.run(_call_unless_stopped, script, os.environ[PASSWORD], emit)
    except BaseExceptionGroup as group:
        failures, others = group.split(ScriptFailed)
        if others or not failures:
            raise
        emit("failed", why=str(_innermost(failures)))
        return 1
    return 0


def _innermost(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


if __name__ == "__main__":
    sys.exit(main())
