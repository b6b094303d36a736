"""The brain that asks a language model, with the receptionist beside it.

The model talks. The receptionist keeps what must not depend on it: which of two readings to believe, the good-bye, the
silence, who asks not to be called again, and every turn in which the model is late, silent or broken; it then has the
floor until its own question is answered. Where the model is down, it also asks for what the call should bring. A caller
never waits for longer than `Patience` allows.

May not happen here: a word of history that the caller did not hear, and a wait inside a cancel scope that is open
while something is spoken.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

import trio

from app.brains.answers import yes_or_no
from app.brains.asking_tools import ToolAsker
from app.brains.history import History
from app.brains.model_answers import clauses_of
from app.brains.passages import Library, Passage, cited
from app.brains.patience import Patience, Quiet, is_filler, without_fillers
from app.brains.prompt import (
    DEFAULT_RESULTS,
    Abilities,
    conversation,
    for_call,
    informed,
    json_in,
    only_said,
    results_question,
)
from app.brains.receptionist import Receptionist
from app.brains.results import as_text, completed
from app.brains.tools import EndCall, Floor, PutThrough, SendDigits, TakeMessage, Work, says, work_of
from app.brains.whereabouts import Whereabouts
from app.brains.words import words
from app.dictation import Dictated
from app.http_tools import HttpTools
from app.language_models import ChatMessage, LanguageModel, ModelAnswer, ModelFailed, ToolsRefused
from app.ports import Action, Expects, Heard, Noted, Result, Say
from app.pressing import Press
from app.settings import Agent

# A server that failed twice in a row is down: the caller does not wait for it a third time.
_FAILURES = 2
# After the call nobody waits; the server's next caller might.
RESULTS_S = 8.0
_LONGEST_RESULTS = 8_000
# Questions to the model in one turn: most need two, where a tool is called. All share one turn's patience.
_ROUNDS = 4
_START_AGAIN = "I am sorry, I have to start again."

_log = logging.getLogger(__name__)


class ModelBrain:
    """Implements app.ports.Brain. `prompt` is `app.brains.prompt.system_prompt` of the agent, made once. The call
    begins `now`, in the office's own time. `library`: its files. `http`: tools that its owner declared."""

    def __init__(
        self,
        agent: Agent,
        receptionist: Receptionist,
        model: LanguageModel,
        *,
        prompt: str,
        first_word_s: float,
        now: datetime,
        library: Library | None = None,
        http: HttpTools | None = None,
    ) -> None:
        self._agent, self._receptionist, self._model = agent, receptionist, model
        self._first_word_s = first_word_s
        self._asker = ToolAsker(http) if http and http.tools else None
        declared = self._asker.tools if self._asker else ()
        self._whereabouts = Whereabouts(agent, receptionist, declared)
        self._takes_tools = True  # or else the server refuses them
        abilities = {True: Abilities.ASKS if declared else Abilities.WORKS, False: Abilities.TALKS}
        self._prompts = {works: for_call(prompt, agent, now, can) for works, can in abilities.items()}
        self._history = History()
        self._library, self._given = library, list[Passage]()  # what the files say of the caller's last words
        self._found: dict[str, str] = {}  # results that the model noted in the call
        self._receptionist_answers = True
        self._said_before = ""  # our words in this turn, before those of the receptionist
        self._clauses = list[str]()  # of this turn, as they were spoken, before those of the receptionist
        self._failures = 0
        self._has_answered = False

    # -- as app.ports.Brain has it -----------------------------------------------------------------------------

    @property
    def expects(self) -> Expects:
        return self._receptionist.expects if self._receptionist_answers else _expected(self._history.spoken)

    @property
    def takes_keys(self) -> bool:
        return self.expects is Expects.NUMBER or (self._receptionist_answers and self._receptionist.takes_keys)

    @property
    def dictated(self) -> Dictated:
        return self._receptionist.dictated if self._receptionist_answers else Dictated.FREE

    @property
    def results(self) -> dict[str, str]:
        noted = self._receptionist.results
        known = self._found | {name: value for name, value in noted.items() if value}
        return noted | completed(self._agent.result_fields, known)

    def believed(self, heard: Heard) -> str:
        return self._receptionist.believed(heard)

    def understands(self, heard: Heard) -> bool:
        return self.expects in (Expects.ANYTHING, Expects.YES_NO) and self._receptionist.understands(heard)

    def greet(self) -> AsyncGenerator[Action, None]:
        return self._receptionist.greet()  # what it says stands in the prompt

    def check_in(self) -> AsyncGenerator[Action, None]:
        self._begin_turn()
        return self._told(self._receptionist.check_in())

    def say_goodbye(self) -> AsyncGenerator[Action, None]:
        self._begin_turn()
        return self._told(self._receptionist.say_goodbye())

    def not_put_through(self, person: str, why: Result) -> AsyncGenerator[Action, None]:
        self._begin_turn()
        return self._told(self._receptionist.not_put_through(person, why))

    def reply(self, heard: Heard) -> AsyncGenerator[Action, None]:
        leaves, refuses = self._takes_leave(heard), self._receptionist.hears_refusal(heard)
        self._begin_turn(_as_read(heard, self.believed(heard)))
        if leaves:
            return self._told(self._receptionist.take_leave())
        if self._failures >= _FAILURES:
            self._receptionist.begin_asking()
            return self._told(self._receptionist.reply(heard))
        if self._receptionist.is_asking or refuses or not (heard.own or heard.general):
            return self._told(self._receptionist.reply(heard))
        self._receptionist_answers = False
        self._given = self._library.find(self.believed(heard)) if self._library else []
        self._whereabouts.hear(heard)
        return self._think(heard)

    def interrupted(self, said: str) -> None:
        """What was never heard was never said, and led nowhere."""
        heard = without_fillers(said, self._clauses)
        if self._receptionist_answers:
            self._receptionist.interrupted(_after(self._said_before, heard))
        if said.strip():
            self._history.cut_off(heard)
        else:
            self._history.take_back()  # the caller goes on: the whole utterance comes again
            self._whereabouts.take_back()

    async def conclude(self) -> dict[str, str] | None:
        if not self._has_answered:
            return None
        fields = self._agent.result_fields or DEFAULT_RESULTS
        found = json_in(await self._written(results_question(fields, self._history.messages)))
        if found is None:
            _log.info("the language model wrote down no results; those of the receptionist stay")
            return None
        for each in fields:
            if found.get(each.name) not in (None, "") and as_text(each, found[each.name]) is None:
                _log.info("a result does not fit its type and is left out", extra={"field": each.name})
        noted = {name: value for name, value in self._receptionist.results.items() if value}
        return completed(fields, {**found, **self._found}) | noted

    # -- whose turn it is ----------------------------------------------------------------------------------------

    def _begin_turn(self, *asked: str) -> None:
        """The receptionist answers unless we say otherwise."""
        self._history.begin_turn(*asked)
        self._receptionist_answers, self._said_before, self._clauses = True, "", []
        self._whereabouts.begin_turn()
        if self._asker:
            self._asker.begin_turn()

    def _takes_leave(self, heard: Heard) -> bool:
        """The caller says good-bye, or no to "anything else?"."""
        if self._receptionist.is_asking:
            return False
        offered_end = "anything else" in self._history.spoken.casefold()
        return self._receptionist.hears_goodbye(heard) or (offered_end and yes_or_no(heard) is False)

    async def _told(self, actions: AsyncGenerator[Action, None], *, aloud: bool = True) -> AsyncGenerator[Action, None]:
        """The receptionist's words, which the model shall know of. Not `aloud`: the model has said them already."""
        async with aclosing(actions):
            async for action in actions:
                if isinstance(action, Say):
                    if not aloud:
                        continue
                    self._history.add(action.text)
                yield action

    # -- the model ---------------------------------------------------------------------------------------------

    async def _think(self, heard: Heard) -> AsyncGenerator[Action, None]:
        problem = ""
        try:
            async with aclosing(self._answered()) as actions:
                async for action in actions:
                    yield action
        except ModelFailed as why:
            problem = str(why)
        for note in self._whereabouts.notes():
            yield Noted(note)
        if not problem:
            self._failures = 0
            if source := cited(self._history.spoken, self._given):
                yield Noted(f"Answered from: {source.file}, passage {source.number}.")
            return
        self._failures += 1
        _log.warning("the receptionist answers instead of the language model", extra={"problem": problem})
        yield Noted(f"The receptionist answered: {problem}.")
        said = self._history.spoken
        if said:
            yield Say(_START_AGAIN)
        self._receptionist_answers, self._said_before = True, f"{said} {_START_AGAIN}" if said else ""
        async with aclosing(self._told(self._receptionist.reply(heard))) as actions:
            async for action in actions:
                yield action

    async def _answered(self) -> AsyncGenerator[Action, None]:
        """What the model says, and what comes of the tools that it calls. Raises: ModelFailed."""
        patience = Patience(self._first_word_s, trio.current_time())
        quiet, has_spoken = Quiet(patience.began_s), False
        for _ in range(_ROUNDS):
            answer = self._ask()
            try:
                async with aclosing(clauses_of(answer, patience)) as clauses:
                    async for clause in clauses:
                        if not is_filler(clause):
                            self._has_answered = has_spoken = True
                            self._history.add(clause)
                        yield self._spoken(clause)
                        quiet.broken(clause, trio.current_time())
            except ToolsRefused as why:
                self._takes_tools = False
                _log.warning("the language model gets no tools in this call", extra={"problem": str(why)})
                yield Noted(f"The language model could only talk: {why}.")
                continue
            finally:
                answer.stop()
            if not (self._takes_tools and answer.calls):
                break
            has_asked = self._history.spoken.endswith("?")
            work = work_of(self._whereabouts.toolbox, answer.calls, self._asker.left if self._asker else 0)
            async with aclosing(self._worked(work, quiet)) as actions:
                async for action in actions:
                    yield action
            if work.last or (has_asked and not work.has_news):
                return
            if work.asks:
                patience = patience.after_tools(quiet, trio.current_time())
        else:
            raise ModelFailed("the language model called one tool after the other. Try another model")
        if not has_spoken:
            raise ModelFailed("the language model answered without a word. Try another model")

    def _spoken(self, clause: str) -> Say:
        self._clauses.append(clause)
        return Say(clause)

    async def _worked(self, work: Work, quiet: Quiet) -> AsyncGenerator[Action, None]:
        """All that the model asked for."""
        async with aclosing(self._tools_asked(work, quiet)) as actions:
            async for action in actions:
                yield action
        async with aclosing(self._done(work)) as actions:
            async for action in actions:
                yield action

    async def _tools_asked(self, work: Work, quiet: Quiet) -> AsyncGenerator[Action, None]:
        """HTTP tools; nobody waits for them in silence."""
        if self._asker is None or not work.asks:
            return
        questions, asked_s = self._asker.begin(work), trio.current_time()
        try:
            for note in questions.begun():
                yield note
            while not await questions.are_there_by(quiet.tool_filler_at_s(asked_s)):
                filler = quiet.filler
                yield self._spoken(filler)
                quiet.broken(filler, trio.current_time())
        finally:
            questions.stop()
        for note in questions.taken():
            yield note

    def _ask(self) -> ModelAnswer:
        works = self._takes_tools
        prompt = self._prompts[works] + self._whereabouts.told(works=works)
        said = self._history.messages
        talk = informed(conversation(prompt, said if works else only_said(said)), self._given)
        return self._model.ask(talk, self._whereabouts.toolbox.tools if works else ())

    async def _done(self, work: Work) -> AsyncGenerator[Action, None]:
        """What takes the floor is done last."""
        for cause in work.refused:
            _log.info("the language model may not do what it asked for", extra={"cause": cause.value})
            yield Noted(f"The language model was refused something: {cause.value}.")
        if work.looked_up:
            yield Noted(f"The language model looked up {', '.join(f'“{each}”' for each in work.looked_up)}.")
        said = self._history.spoken
        self._history.called(work.calls, work.told)
        self._found |= work.results
        if work.last is None:
            self._whereabouts.go_on(work.goes_to, self.results)
            return
        if isinstance(work.last, SendDigits):
            yield Press(work.last.keys)
            return
        self._receptionist_answers, self._said_before = True, said
        async with aclosing(self._told(self._carried_out(work.last), aloud=not says(said, work.last))) as actions:
            async for action in actions:
                yield action

    def _carried_out(self, wish: Floor) -> AsyncGenerator[Action, None]:
        match wish:
            case EndCall():
                return self._receptionist.take_leave()
            case PutThrough(person, _):
                return self._receptionist.put_through(person)
            case TakeMessage(person):
                return self._receptionist.take_message(person)

    async def _written(self, messages: list[ChatMessage]) -> str:
        """A whole answer, as far as it came in RESULTS_S."""
        answer, text = self._model.ask(messages), ""
        try:
            with trio.move_on_after(RESULTS_S):
                while (piece := await answer.more()) and len(text) < _LONGEST_RESULTS:
                    text += piece
        except ModelFailed as why:
            _log.warning("the language model did not write down the results", extra={"problem": str(why)})
        finally:
            answer.stop()
        return text


def _as_read(heard: Heard, believed: str) -> str:
    """Both readings, where they differ: the model knows what makes sense."""
    other = heard.general if believed == heard.own else heard.own
    return f"{believed} [or: {other}]" if other and words(other) != words(believed) else believed


def _after(before: str, heard: str) -> str:
    """What was heard after the words `before`."""
    return "" if before.startswith(heard) else heard.removeprefix(before).strip()


def _expected(said: str) -> Expects:
    """What we asked for, so that nobody is cut off while saying it."""
    asked = words(said.rpartition("?")[0].rpartition(".")[2]) if said.rstrip().endswith("?") else ()
    if {"number", "telephone", "phone", "digit"} & set(asked):
        return Expects.NUMBER
    if {"name", "spell"} & set(asked):
        return Expects.NAME
    return Expects.MESSAGE if {"message", "tell"} & set(asked) else Expects.ANYTHING
