"""A Wyoming server on a unix socket: threads and the standard library, for one engine that hears or speaks.

→ describe                                              ← info
→ transcribe, audio-start, audio-chunk …, audio-stop    ← transcript
→ synthesize                                            ← audio-start, audio-chunk …, audio-stop
"""

from __future__ import annotations

import json
import socketserver
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

_LONGEST_LINE = 64 * 1024
_LARGEST_PART = 1024 * 1024
_CHUNK_BYTES = 32 * 1024  # 0.7 s of Piper's sound
_PEOPLE_WAIT = 8
"""Connections that are not yet looked at: twice as many as a box has calls."""


class Utterance(Protocol):
    """16-bit samples at 16 kHz, as they come."""

    def feed(self, pcm: bytes) -> None: ...

    def text(self) -> str:
        """All that was said. Nothing is fed after that."""
        ...

    def forget(self) -> None:
        """Nobody wants to know any more. Also after `text`."""
        ...


@runtime_checkable
class Ears(Protocol):
    def begin(self) -> Utterance: ...


@runtime_checkable
class Voice(Protocol):
    rate_hz: int

    def speak(self, text: str) -> Iterator[bytes]:
        """16-bit mono samples, in pieces as they are made."""
        ...


Engine = Ears | Voice


def serve(engine: Engine, socket: Path) -> None:
    """For ever."""
    with _Server(engine, socket) as server:
        server.serve_forever()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = _PEOPLE_WAIT

    def __init__(self, engine: Engine, socket: Path) -> None:
        self.engine = engine
        super().__init__(str(socket), _Handler)
        print("ready", flush=True)

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers who go on speaking close the connection in the middle; and what an engine says of a text, or of a
        voice, is nobody's business."""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        utterance: Utterance | None = None
        try:
            while (event := self._next()) is not None:
                kind, data, payload = event
                match kind:
                    case "describe":
                        self._send("info", _info(self.server.engine))
                    case "transcribe" if isinstance(self.server.engine, Ears):
                        utterance = self.server.engine.begin()
                    case "audio-chunk" if utterance:
                        utterance.feed(payload)
                    case "audio-stop" if utterance:
                        self._send("transcript", {"text": utterance.text()})
                        return
                    case "synthesize" if isinstance(self.server.engine, Voice):
                        self._say(self.server.engine, str(data.get("text", "")))
                        return
                    case _:
                        pass
        finally:
            if utterance:
                utterance.forget()

    def _say(self, voice: Voice, text: str) -> None:
        form = {"rate": voice.rate_hz, "width": 2, "channels": 1}
        self._send("audio-start", form)
        for pcm in voice.speak(text):
            for at in range(0, len(pcm), _CHUNK_BYTES):
                self._send("audio-chunk", form, pcm[at : at + _CHUNK_BYTES])
        self._send("audio-stop", {})

    def _next(self) -> tuple[str, dict[str, Any], bytes] | None:
        line = self.rfile.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            return None
        head = json.loads(line)
        data = dict(head.get("data") or {})
        if more := self._read(head.get("data_length", 0)):
            data |= json.loads(more)
        return str(head["type"]), data, self._read(head.get("payload_length", 0))

    def _read(self, length: int) -> bytes:
        if not 0 <= length <= _LARGEST_PART:
            raise ValueError("longer than anything that the box sends")
        return self.rfile.read(length)

    def _send(self, kind: str, data: Mapping[str, Any], payload: bytes = b"") -> None:
        body = json.dumps(data).encode()
        head = {"type": kind, "data_length": len(body), "payload_length": len(payload)}
        self.wfile.write(json.dumps(head).encode() + b"\n" + body + payload)


def _info(engine: Engine) -> dict[str, Any]:
    maker = {"name": "Deskbell", "url": ""}
    program = {"name": "pack", "attribution": maker, "installed": True, "description": "", "version": "1"}
    model = program | {"name": "en", "languages": ["en"]}
    if isinstance(engine, Ears):
        return {"asr": [program | {"models": [model]}]}
    return {"tts": [program | {"voices": [model]}]}
