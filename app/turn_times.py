"""Where the time of one turn went: for the session, the figures, and `just bench wire`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the time of one turn went. All in milliseconds; instants are on the call's audio clock.

    `speech_end_ms`: end of the caller's last sound, as it came out of the line. `commit_ms`: the pause was long enough.
    `first_audio_ms`: the first audio of the reply went out. Both ends are those on the line, where a sound is as old as
    its packet, as `just bench wire` measures them. The rest are durations; of `decode_ms`, what is within the pause is
    waited for by nobody. `pause_because`: why that pause was long enough, a word of app.turns.natural_pause.Because;
    empty in sessions from before there was one.
    """

    speech_end_ms: int
    commit_ms: int
    first_audio_ms: int
    decode_ms: float
    brain_ms: float
    voice_ms: float
    pause_because: str = ""

    @property
    def response_ms(self) -> int:
        return self.first_audio_ms - self.speech_end_ms

    @property
    def pause_ms(self) -> int:
        return self.commit_ms - self.speech_end_ms

    @property
    def words_ms(self) -> float:
        """What is left of the answer's time: waiting for the words, or for the agent's own last ones to be over."""
        return max(0.0, self.response_ms - self.pause_ms - self.brain_ms - self.voice_ms)
