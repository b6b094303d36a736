"""The C library flite 2.2 through ctypes: only what is needed to hear one utterance while it is being made.

CDLL releases the GIL for the length of a call and takes it back for each callback, so synthesis does not hold up the
audio of other calls. The structs and functions are those of flite's public headers (cst_wave.h, cst_utterance.h,
cst_audio.h, cst_features.h, cst_synth.h).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_float, c_int, c_short, c_void_p
from typing import Any, Final

SAMPLE_RATE_HZ: Final = 16_000
_GO_ON, _STOP = 0, 1  # CST_AUDIO_STREAM_CONT, CST_AUDIO_STREAM_STOP


class VoiceMissing(Exception):
    """The library, or the voice in it, is not on this machine. The text says what to install."""


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", c_char_p),
        ("sample_rate", c_int),
        ("num_samples", c_int),
        ("num_channels", c_int),
        ("samples", POINTER(c_short)),
    )


class _Utterance(ctypes.Structure):
    _fields_ = (("features", c_void_p),)


class _StreamingInfo(ctypes.Structure):
    _fields_ = (("min_buffsize", c_int), ("asc", c_void_p))


_Callback = ctypes.CFUNCTYPE(c_int, POINTER(_Wave), c_int, c_int, c_int, c_void_p)

_SIGNATURES: Final[dict[str, tuple[Any, list[Any]]]] = {
    "flite_init": (c_int, []),
    "new_utterance": (POINTER(_Utterance), []),
    "delete_utterance": (None, [POINTER(_Utterance)]),
    "utt_set_input_text": (c_int, [POINTER(_Utterance), c_char_p]),
    "utt_init": (POINTER(_Utterance), [POINTER(_Utterance), c_void_p]),
    "utt_synth": (POINTER(_Utterance), [POINTER(_Utterance)]),
    "new_audio_streaming_info": (POINTER(_StreamingInfo), []),
    "audio_streaming_info_val": (c_void_p, [POINTER(_StreamingInfo)]),
    "feat_set": (None, [c_void_p, c_char_p, c_void_p]),
    "feat_set_float": (None, [c_void_p, c_char_p, c_float]),
}


class LibFlite:
    """One voice. `synthesize` may run in several threads at once. `stretch`: 2 takes twice the time for each word.

    Raises: VoiceMissing.
    """

    def __init__(self, voice: str, stretch: float = 1.0) -> None:
        self._stretch = stretch
        self._library = _loaded("libflite.so.1")
        for name, (returns, arguments) in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = returns, arguments
        self._library.flite_init()
        register = getattr(_loaded(f"libflite_cmu_us_{voice}.so.1"), f"register_cmu_us_{voice}")
        register.restype, register.argtypes = c_void_p, [c_void_p]
        self._voice = register(None)  # constant data of the library: shared, and never freed

    def synthesize(self, text: str, min_samples: int, heard: Callable[[bytes], bool]) -> None:
        """Speak `text`, handing over at least `min_samples` at a time. `heard` returns whether to go on.

        Blocks until the end. What `heard` raises is raised here, after the engine has stopped.
        """
        failures: list[BaseException] = []

        def on_audio(wave: ctypes._Pointer[_Wave], start: int, size: int, _last: int, _info: int | None) -> int:
            try:
                first = ctypes.addressof(wave.contents.samples.contents) + 2 * start
                return _GO_ON if heard(ctypes.string_at(first, 2 * size)) else _STOP
            except BaseException as failure:  # noqa: BLE001 - an exception must not unwind through C frames
                failures.append(failure)
                return _STOP

        callback = _Callback(on_audio)  # held here until the engine is done with it
        self._run(text, min_samples, ctypes.cast(callback, c_void_p))
        if failures:
            raise failures[0]

    def _run(self, text: str, min_samples: int, callback: c_void_p) -> None:
        library = self._library
        utterance = library.new_utterance()
        try:
            library.utt_set_input_text(utterance, text.encode())
            library.utt_init(utterance, self._voice)
            # In the utterance's own features, not in the voice's as flite's manual has it: the voice is shared.
            info = library.new_audio_streaming_info()  # freed with the utterance's features
            info.contents.min_buffsize = min_samples
            info.contents.asc = callback
            value = library.audio_streaming_info_val(info)
            library.feat_set(utterance.contents.features, b"streaming_info", value)
            library.feat_set_float(utterance.contents.features, b"duration_stretch", self._stretch)
            library.utt_synth(utterance)
        finally:
            library.delete_utterance(utterance)


def _loaded(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)  # the voices' libraries look for flite's symbols
    except OSError as fault:
        raise VoiceMissing(
            f"the agent's voice cannot be loaded: {name} is not on this machine. "
            "It belongs to Debian's package libflite1: sudo apt-get install libflite1"
        ) from fault
