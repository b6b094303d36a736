"""The box's microphone and speaker, through ALSA: 16 kHz, mono, 16 bit, both directions at once.

The microphone's card is the clock of the call: `listen` waits for it. The speaker may be another card with a clock of
its own, so it is never waited for: it gets a cushion of silence at the start, and where the two clocks drift apart, a
frame is left out or the cushion is laid anew.

Both are opened without blocking. Otherwise the kernel lets us wait until a card that is in use becomes free, and
pyalsaaudio holds the GIL while it opens: all other calls would fall silent. Reading, writing and `poll` release it.
"""

from __future__ import annotations

import errno
import os
import select
import time
from dataclasses import dataclass
from typing import Literal

import alsaaudio

from app.ports import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ

PERIODS = 4
"""What the cards hold: 80 ms. A thread that is late by 40 ms is not heard, and `hush` still is at once to an ear."""

CUSHION = bytes(PERIODS // 2 * FRAME_BYTES)
"""40 ms of silence before the first frame: half of what the speaker's card holds, so that drift has room both ways."""

STALLED_S = 2.0
"""A microphone that gives nothing for so long is not late, it is gone."""

# ALSA lists dozens of names. These convert from what the card can do to 16 kHz; the bare ones ("hw:", "front:") refuse.
_CONVERTING = ("default", "sysdefault:", "plughw:")

_SAMPLES = FRAME_BYTES // 2

Role = Literal["microphone", "speaker"]
_STREAM = {"microphone": alsaaudio.PCM_CAPTURE, "speaker": alsaaudio.PCM_PLAYBACK}


class SoundCardGone(Exception):
    """The card failed in the middle of a call. The text is for users."""


@dataclass(frozen=True, slots=True)
class HandsetProblem:
    """Why there can be no call from the box itself: what happened, why, and what to do next."""

    text: str


@dataclass(frozen=True, slots=True)
class SoundDevice:
    """A name to open a handset with, and what there is under it."""

    name: str
    has_microphone: bool
    has_speaker: bool


class SoundCard:
    """An open microphone and speaker, in the hands of one thread at a time."""

    def __init__(self, microphone: alsaaudio.PCM, speaker: alsaaudio.PCM) -> None:
        self._microphone, self._speaker = microphone, speaker
        self._speaking = False
        self._poll = select.poll()
        for fd, events in microphone.polldescriptors():
            self._poll.register(fd, events)
        self.left_out = 0
        """Frames that were cut because the speaker's card still had enough to play."""

    def listen(self) -> bytes:
        """What the microphone heard since the last time, as soon as there is some: whole samples, any number.

        Raises: SoundCardGone.
        """
        try:
            return self._heard() or self._waited_for()
        except alsaaudio.ALSAAudioError as fault:
            raise SoundCardGone(_gone("microphone", _cause(fault))) from fault

    def say(self, frame: bytes) -> None:
        """20 ms for the speaker. Never waits.

        Raises: SoundCardGone.
        """
        pcm = frame if self._speaking else CUSHION + frame
        try:
            written = self._speaker.write(pcm)
        except alsaaudio.ALSAAudioError as fault:
            raise SoundCardGone(_gone("speaker", _cause(fault))) from fault
        self._speaking = written != -errno.EPIPE  # it ran dry, and is ready to begin again
        self.left_out += 0 <= written < len(pcm) // 2

    def close(self) -> None:
        """Give the card back. What the speaker still holds is cut off."""
        self._microphone.close()
        self._speaker.close()

    def _heard(self) -> bytes:
        _, pcm = self._microphone.read()  # nothing, too, after an overrun: what was lost is lost
        return bytes(pcm)

    def _waited_for(self) -> bytes:
        until_s = time.monotonic() + STALLED_S
        while time.monotonic() < until_s:
            ready = self._poll.poll(FRAME_MS)
            self._microphone.polldescriptors_revents(ready)  # plug-ins with a timer take it back here
            if pcm := self._heard():
                return pcm
        raise SoundCardGone(_gone("microphone", f"nothing came from it for {STALLED_S:.0f} seconds"))


def open_sound_card(device: str) -> SoundCard | HandsetProblem:
    """Microphone and speaker of one ALSA name, both or none. Takes milliseconds; not for the Trio thread."""
    microphone = _open("microphone", device)
    if isinstance(microphone, HandsetProblem):
        return microphone
    speaker = _open("speaker", device)
    if isinstance(speaker, HandsetProblem):
        microphone.close()
        return speaker
    return SoundCard(microphone, speaker)


def sound_devices() -> list[SoundDevice]:
    """What a handset may be opened with, as ALSA lists it; empty without a sound card. Not for the Trio thread."""
    microphones, speakers = (alsaaudio.pcms(stream) for stream in _STREAM.values())
    names = [name for name in dict.fromkeys(microphones + speakers) if name.startswith(_CONVERTING)]
    return [SoundDevice(name, name in microphones, name in speakers) for name in names]


def _open(role: Role, device: str) -> alsaaudio.PCM | HandsetProblem:
    try:
        pcm = alsaaudio.PCM(
            _STREAM[role],
            mode=alsaaudio.PCM_NONBLOCK,
            device=device,
            rate=SAMPLE_RATE_HZ,
            channels=1,
            format=alsaaudio.PCM_FORMAT_S16_LE,
            periodsize=_SAMPLES,
            periods=PERIODS,
        )
    except alsaaudio.ALSAAudioError as fault:
        return HandsetProblem(explain(role, device, _cause(fault)))
    offered = pcm.info()  # ALSA gives what comes nearest to what we asked for
    if (offered["rate"], offered["channels"], offered["format"]) == (SAMPLE_RATE_HZ, 1, alsaaudio.PCM_FORMAT_S16_LE):
        return pcm
    pcm.close()
    return HandsetProblem(explain_form(role, device, offered["rate"], offered["channels"], offered["format_name"]))


def _cause(fault: alsaaudio.ALSAAudioError) -> str:
    """ALSA's own words, which pyalsaaudio gives with the device's name behind them: "No such device [hw:0]"."""
    return str(fault).rpartition(" [")[0] or str(fault)


def explain(role: Role, device: str, cause: str) -> str:
    """Why `device` did not open, given ALSA's `cause`, and what helps."""
    happened = f'No call from here: the {role} "{device}" did not open'
    if cause in _texts(errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return f"{happened}, because the box has none under this name. Plug in a headset, then choose it from the list."
    if cause in _texts(errno.EBUSY, errno.EAGAIN):
        return f"{happened}, because another call or program uses it. End that one, then call again."
    if cause in _texts(errno.EACCES, errno.EPERM):
        return f'{happened}, because Deskbell may not use it. Add its user to the group "audio", then restart the box.'
    return f"{happened} ({cause}). Choose another device, or unplug this one, plug it in again and call again."


def explain_form(role: Role, device: str, rate_hz: int, channels: int, sample: str) -> str:
    """Why `device` is of no use to us, given what it offers instead."""
    return (
        f'No call from here: the {role} "{device}" offers {rate_hz} Hz, {channels} channel(s), {sample}, and a call '
        'needs 16000 Hz, one channel, S16_LE. Choose the same card under a name that begins with "plughw:", which '
        "converts."
    )


def _gone(role: Role, cause: str) -> str:
    return f"the {role} failed in the call: {cause}. Plug it in again, then call again."


def _texts(*codes: int) -> tuple[str, ...]:
    return tuple(os.strerror(code) for code in codes)
