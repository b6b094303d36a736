"""A WAV file as it comes: its header tells how it is to be played, and often nothing true of its length. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from firmware.audio.line_sound import MOST_CHANNELS, RATES_HZ, LineSound
from firmware.speech_servers.troubles import Trouble, failed

# Titles and the like, before the sound.
_LARGEST_HEAD = 64 * 1024
_PCM, _EXTENSIBLE = 1, 0xFFFE
# What servers write that do not know yet how long it will be; no clause has so much.
_UNKNOWN_BYTES = 0x7FFF_0000


class WavStream:
    """Bytes in, the line's audio out."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._sound: LineSound | None = None
        self._left_bytes = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Raises: SpeechFailed."""
        if self._sound is None:
            self._head += data
            data = self._begin()
        if self._sound is not None:
            data = data[: self._left_bytes]  # titles may come after the sound, too
            self._left_bytes -= len(data)
            yield from self._sound.feed(data)

    def end(self) -> Iterator[bytes]:
        """Raises: SpeechFailed."""
        if self._sound is None:
            raise failed(Trouble.GARBAGE if self._head else Trouble.MUTE)
        yield from self._sound.end()

    def _begin(self) -> bytes:
        """The first of the sound, once the header is whole."""
        head = bytes(self._head)
        if (head[:4], head[8:12]) != (b"RIFF"[: len(head)], b"WAVE"[: max(0, len(head) - 8)]):
            raise failed(Trouble.SOUND)
        at, form = 12, b""
        while len(head) >= at + 8:
            name, size = struct.unpack_from("<4sI", head, at)
            if name == b"data":
                self._sound = _sound_of(form)
                self._left_bytes = size if 0 < size < _UNKNOWN_BYTES else 1 << 62
                return head[at + 8 :]
            if name == b"fmt ":
                form = head[at + 8 : at + 8 + size]
            at += 8 + size + size % 2
        if max(len(head), at) > _LARGEST_HEAD:
            raise failed(Trouble.SOUND)
        return b""


def _sound_of(form: bytes) -> LineSound:
    """Raises: SpeechFailed."""
    if len(form) < 16:
        raise failed(Trouble.SOUND)
    kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if kind not in (_PCM, _EXTENSIBLE) or bits != 16 or rate_hz not in RATES_HZ or not 1 <= channels <= MOST_CHANNELS:
        raise failed(Trouble.SOUND)
    return LineSound(rate_hz, channels)
