"""What can be asked of campaigns, and what is told of them. Instants are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.outbound.campaign import Campaign
from app.outbound.flow import FieldName
from app.settings import Note, OneLine, Settings

_Id = Annotated[str, Field(max_length=64)]
_Version = Annotated[int, Field(ge=0, le=2**53)]
Cell = Annotated[str, Field(max_length=500)]
Values = Annotated[dict[FieldName, Cell], Field(max_length=30)]
"""Of a participant, by field."""

ROWS_AT_ONCE = 500
"""Of a list, in one question: 500 rows of a few hundred bytes are read and written within 20 ms."""
MOST_ROWS = 100_000
"""Of one list: a box with four calls at a time needs months for more."""
NUMBERS_AT_ONCE = 1000

State = Literal["inactive", "running", "paused", "stopped", "done", "error"]
"""inactive: not started yet; only then, stopped, done and in error can its fields and flow be changed. paused: calls
that go on are finished. stopped: what waited is canceled. done: nobody is left to call; it goes on when somebody is
added."""

Status = Literal["Started", "Completed", "NoResponse", "Failed", "Canceled", "Skipped"]
"""Of a communication: one step "call" of one participant, with all its attempts. Completed: somebody talked with the
agent, or the message was left. NoResponse: busy, declined, no answer, a machine, as often as was tried. Failed: it
cannot be reached, or the line failed, as often as was tried. Canceled: by a person, before it came to that. Skipped:
not called, because of the do-not-call list or for want of a number."""

Place = Literal["ready", "waiting", "calling", "done"]
"""ready: wants to be called as soon as may be. waiting: until an instant. done: the flow is over for them."""


# -- campaigns -------------------------------------------------------------------------------------------------


class CreateCampaign(Settings):
    settings: Campaign


class UpdateCampaign(Settings):
    id: _Id
    if_version: _Version
    settings: Campaign


class CheckCampaign(Settings):
    """`id`: of the campaign that is edited, if it exists already."""

    id: _Id | None = None
    settings: Campaign


class Problem(Settings):
    """Why a campaign cannot start. `where`: the path of the field ("flow.steps.2.then"), empty for the whole."""

    where: str
    text: str


class Problems(Settings):
    items: tuple[Problem, ...]


class Count(Settings):
    name: str
    count: int


class Progress(Settings):
    """`participants`: all of them, of which so many are at each `Place`. `communications`: so many of each `Status`.
    `attempts`: calls that are over, so many of each outcome. `by_hour`: calls that began in each of the last 24 hours,
    oldest first."""

    participants: int
    places: tuple[Count, ...]
    communications: tuple[Count, ...]
    attempts: tuple[Count, ...]
    talk_ms: int
    by_hour: tuple[int, ...]


class CampaignView(Settings):
    """`version` goes into the next edit as `if_version`. `reason`: why it is in this state, or why it does not call
    anybody now ("calling hours begin on Monday at 09:00", "all seats are taken"), and what to do; empty where there is
    nothing to say. `next_at`: when it looks again at the latest."""

    id: str
    version: int
    modified_at: datetime
    settings: Campaign
    state: State
    reason: str
    next_at: datetime | None
    problems: tuple[Problem, ...]
    progress: Progress


class CampaignLine(Settings):
    """A campaign in the list. `done`: participants whose flow is over. `calls_now`: that go on."""

    id: str
    name: str
    description: str
    agent_id: str
    agent: str
    modified_at: datetime
    state: State
    reason: str
    participants: int
    done: int
    calls_now: int


class CampaignList(Settings):
    items: tuple[CampaignLine, ...]


# -- participants ----------------------------------------------------------------------------------------------


class ListParticipants(Settings):
    """In the order in which they came. `campaign_id`: whose. `text`: part of any field. `status`: of their last
    communication. `after`: the id of the last one of the page before."""

    campaign_id: _Id
    text: str = Field(default="", max_length=200)
    place: Place | Literal[""] = ""
    status: Status | Literal[""] = ""
    after: int | None = Field(default=None, ge=0, le=2**53)
    limit: int = Field(default=50, ge=1, le=500)


class ParticipantView(Settings):
    """`step`: where they are, empty before the flow and after it. `due_at`: when a wait is over or a call may be tried
    again. `status`, `outcome`: of their last communication, and of its last call; empty if there was none."""

    id: int
    version: int
    campaign_id: str
    values: Values = Field(repr=False)
    place: Place
    step: str
    due_at: datetime | None
    status: Status | Literal[""]
    outcome: str
    outcome_text: str
    attempts: int
    results: dict[str, str] = Field(repr=False)


class Participants(Settings):
    """`after`: ask with it for the next page, None at the end."""

    items: tuple[ParticipantView, ...]
    after: int | None


class AttemptView(Settings):
    """One call of a communication. `outcome` None: it goes on. `session_id`: empty once the session was deleted."""

    number: int
    at: datetime
    call_id: str
    session_id: str
    outcome: str | None
    outcome_text: str


class CommunicationView(Settings):
    """`reason`: why it came to this status, where the attempts do not tell ("is on the do-not-call list")."""

    step: str
    status: Status
    reason: str
    began_at: datetime
    ended_at: datetime | None
    attempts: tuple[AttemptView, ...]


class ParticipantDetail(ParticipantView):
    """`communications`: oldest first."""

    communications: tuple[CommunicationView, ...]


class GetParticipant(Settings):
    campaign_id: _Id
    id: int = Field(ge=0, le=2**53)


class CreateParticipant(Settings):
    campaign_id: _Id
    values: Values = Field(repr=False)


class UpdateParticipant(GetParticipant):
    """Fields that are left out stay as they are."""

    if_version: _Version
    values: Values = Field(repr=False)


# -- lists of participants -------------------------------------------------------------------------------------


class BeginImport(Settings):
    """A list is sent in parts, and none of it is a participant before `finish_import`. `known`: what becomes of a row
    whose number the campaign has already. `expected`: rows that will be sent, 0 where nobody counted them; a list that
    stopped halfway cannot be finished then."""

    campaign_id: _Id
    file_name: Annotated[OneLine, Field(max_length=200, repr=False)]
    known: Literal["skip", "update"] = "skip"
    expected: int = Field(default=0, ge=0, le=MOST_ROWS)


class RowProblem(Settings):
    """`row`: its number in the list, from 1. `field`: empty for the whole row."""

    row: int = Field(ge=1, le=MOST_ROWS)
    field: str = Field(max_length=40)
    text: str = Field(max_length=500, repr=False)


class ListImports(Settings):
    campaign_id: _Id


class AddRows(Settings):
    """`first`: number of the first of `rows` in the list, counted from 1. Rows that were sent already are not taken
    twice, so whoever lost an answer sends them again. `unread`: rows that could not be read, and why; they count as
    bad, and {} stands in their places in `rows`."""

    id: _Id
    first: int = Field(ge=1, le=MOST_ROWS)
    rows: tuple[Values, ...] = Field(min_length=1, max_length=ROWS_AT_ONCE, repr=False)
    unread: tuple[RowProblem, ...] = Field(default=(), max_length=ROWS_AT_ONCE, repr=False)


class ImportView(Settings):
    """`rows`: sent so far; of them `good` will be new participants, `updated` change one, `skipped` are known already
    (in the campaign, or in the list itself), `bad` have an error. `problems`: the first 200. `expected`: rows that were
    announced."""

    id: str
    campaign_id: str
    file_name: str = Field(repr=False)
    at: datetime
    known: Literal["skip", "update"]
    state: Literal["open", "finished", "dropped"]
    expected: int = 0
    rows: int
    good: int
    updated: int
    skipped: int
    bad: int
    problems: tuple[RowProblem, ...]


class Imports(Settings):
    """Newest first."""

    items: tuple[ImportView, ...]


# -- who must not be called ------------------------------------------------------------------------------------


class DoNotCallEntry(Settings):
    """`number`: as it was written. `source`: "person", or "caller" who asked for it. `session_id`: where."""

    id: int
    number: str = Field(repr=False)
    note: str = Field(repr=False)
    source: Literal["person", "caller"]
    session_id: str
    added_at: datetime


class ListDoNotCall(Settings):
    """Newest first. `text`: part of a number or note, in any spelling."""

    text: str = Field(default="", max_length=200, repr=False)
    before: int | None = Field(default=None, ge=0, le=2**53)
    limit: int = Field(default=50, ge=1, le=500)


class DoNotCall(Settings):
    items: tuple[DoNotCallEntry, ...]
    before: int | None
    total: int


class AddDoNotCall(Settings):
    """Numbers that are there already stay as they are."""

    numbers: tuple[Annotated[OneLine, Field(min_length=1, max_length=200)], ...] = Field(
        min_length=1, max_length=NUMBERS_AT_ONCE, repr=False
    )
    note: Note = Field(default="", repr=False)


class Added(Settings):
    """`known`: were there already. `bad`: places of those that are no numbers, counted from 1."""

    added: int
    known: int
    bad: tuple[int, ...]


class ByNumber(Settings):
    id: int = Field(ge=0, le=2**53)
