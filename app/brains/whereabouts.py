"""Where a conversation is while a language model talks: what it is told of that state, which tools it has there, and
how it goes on. The receptionist has the same state: it may have the floor at any time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from app.brains.course import MOST_CHANGES, Course
from app.brains.prompt import in_state
from app.brains.receptionist import Receptionist
from app.brains.stages import went_on
from app.brains.tools import Toolbox
from app.http_tools import HttpTool
from app.ports import Heard
from app.settings import Agent, State, Transition

_log = logging.getLogger(__name__)


class Whereabouts:
    """Of one call. An agent without a workflow is always in the same place. `declared`: its HTTP tools."""

    def __init__(self, agent: Agent, receptionist: Receptionist, declared: Sequence[HttpTool]) -> None:
        self._agent, self._receptionist, self._declared = agent, receptionist, declared
        self._course = Course(agent.workflow) if agent.workflow else None
        self._changes = list[str]()  # of this turn, in words; not all of them were told yet
        self._told = 0
        self._before = receptionist.state
        self.toolbox = self._packed()

    def begin_turn(self) -> None:
        self._changes, self._told, self._before = [], 0, self._receptionist.state
        if self._course:
            self.toolbox = self._packed()

    def take_back(self) -> None:
        """The turn did not take place."""
        self._receptionist.enter(self._before)
        self.begin_turn()

    def hear(self, heard: Heard) -> None:
        if self._course and (onward := self._course.by_words(self._state(self._course), heard.own, heard.general)):
            self._enter(onward, "the caller said so")

    def go_on(self, chosen: str, results: Mapping[str, str]) -> None:
        """`chosen`: by the model; empty if it chose nothing."""
        if self._course is None:
            return
        if chosen:
            self._enter(self._course.state(chosen), "the language model chose it")
        here, most = self._state(self._course), MOST_CHANGES - len(self._changes)
        for each in self._course.by_results(here, results, most):
            self._enter(each, "a result is there")

    def notes(self) -> list[str]:
        """Of the changes in this turn that were not told yet."""
        new, self._told = self._changes[self._told :], len(self._changes)
        return new

    def told(self, *, works: bool) -> str:
        """To the model, after all that holds always. `works`: it can call tools."""
        if self._course is None:
            return ""
        state = self._state(self._course)
        return f"\n\n{in_state(state, self._choices(self._course, state) if works else ())}"

    def _state(self, course: Course) -> State:
        return course.state(self._receptionist.state)

    def _choices(self, course: Course, state: State) -> Sequence[Transition]:
        """None, once it has gone on often enough in this turn."""
        return course.choices(state) if len(self._changes) < MOST_CHANGES else ()

    def _enter(self, state: State, because: str) -> None:
        self._receptionist.enter(state.name)
        self._changes.append(went_on(state.name, because))
        self.toolbox = self._packed()
        _log.info("the conversation went on", extra={"state": state.name})

    def _packed(self) -> Toolbox:
        if self._course is None:
            return Toolbox(self._agent, self._receptionist.look_up, self._declared)
        state = self._state(self._course)
        onward = [each.to for each in self._choices(self._course, state)]
        return Toolbox(self._agent, self._receptionist.look_up, self._declared, state, onward)
