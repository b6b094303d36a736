"""All that the receptionist remembers of a call. Each utterance makes a new one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from app.brains.clauses import clauses
from app.brains.intents import Intent
from app.brains.taking_messages import Note, Stage
from app.brains.taking_results import Asking
from app.ports import Action, Expects, HangUp, Noted, Say
from app.transfers import Transfer


@dataclass(frozen=True, slots=True)
class Mind:
    expects: Expects = Expects.ANYTHING
    last_said: str = ""
    guesses: tuple[Intent, ...] = ()  # what it asked whether it was meant
    offered_message: bool = False
    offered_end: bool = False  # it asked whether there was anything else
    offered_no_calls: bool = False  # it asked whether they do not want to be called again
    failures: int = 0
    wanted: str = ""  # the person whom the caller asked for
    note: Note | None = None
    asking: Asking | None = None  # None: nothing was asked for yet
    state: str = ""  # of the conversation, where it has any; empty: the first
    do_not_call: bool = False
    notes: tuple[str, ...] = ()  # for whoever reads the session, of this reply
    put_through: str = ""  # set: put the caller through to this person once this is said
    conclusion: str = ""  # set: hang up once this is said

    @property
    def noting(self) -> Note | None:
        """The message that is being taken."""
        return self.note if self.note is not None and self.note.stage is not Stage.TAKEN else None

    @property
    def asks_something_else(self) -> bool:
        """What was said last waits for another answer than that to the question for a result, or for none."""
        offered = self.offered_message or self.offered_no_calls or bool(self.guesses)
        return offered or self.noting is not None or self.lets_go

    @property
    def lets_go(self) -> bool:
        """What was said last is the last that it has to say."""
        return bool(self.conclusion or self.put_through)

    @property
    def waits_for(self) -> Asking | None:
        """The question for a result that was said last."""
        return self.asking if self.asking and self.asking.open and not self.asks_something_else else None

    def cut_off(self, said: str) -> Mind:
        """The caller interrupted what was said last, after hearing `said`."""
        note = self.note.cut_off(said) if self.note else None
        asking = self.waits_for.cut_off(said, self.last_said) if self.waits_for else self.asking
        return replace(self, note=note, asking=asking)


def say(
    mind: Mind,
    text: str,
    *,
    expects: Expects = Expects.ANYTHING,
    guesses: tuple[Intent, ...] = (),
    offered_message: bool = False,
    offered_end: bool = False,
    offered_no_calls: bool = False,
    failures: int = 0,
    note: Note | None = None,
    asking: Asking | None = None,
    put_through: str = "",
    conclusion: str = "",
) -> Mind:
    """The mind after saying `text`: what was asked before is settled, what `text` asks is open."""
    return replace(
        mind,
        last_said=text,
        expects=expects,
        guesses=guesses,
        offered_message=offered_message,
        offered_end=offered_end,
        offered_no_calls=offered_no_calls,
        failures=failures,
        note=note or mind.note,
        asking=asking or mind.asking,
        notes=asking.notes if asking else (),
        put_through=put_through,
        conclusion=conclusion,
    )


async def speak(mind: Mind) -> AsyncGenerator[Action, None]:
    """What was last said, as actions. Notes come after it: nobody is told of what was taken back unheard."""
    for clause in clauses(mind.last_said):
        yield Say(clause)
    for text in mind.notes:
        yield Noted(text)
    if mind.put_through:
        yield Transfer(mind.put_through)
    if mind.conclusion:
        yield HangUp(mind.conclusion)
