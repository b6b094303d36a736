"""The common issues, each found with its evidence and its remedy, and not found where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.control import views
from app.control.views import AgentPlan, AgentState, AgentView, ConnectionView, Finding, RegistrationView, Severity
from app.diagnosis import Engine, EngineTrouble, Facts, History, findings
from app.diagnosis.disk import of_disk
from app.establishing import Encryption, FailedCall, Offer, Seen
from app.ports import Direction
from app.settings import Account, Agent, Workflow

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
OURS = Offer(("opus", "G722", "PCMU", "PCMA"))
REGISTERED = RegistrationView(cause="registered", registered=True, text="registered", expires_s=300)
REFUSED = RegistrationView(
    cause="wrong user, login or password",
    registered=False,
    text="200 at pbx.lan: wrong password",
    remedy="Compare them.",
    answer="401 Unauthorized",
    next_try=NOW + timedelta(minutes=5),
)


def agent(state: AgentState = AgentState.RUNNING, *, inbound: bool = True, **changes: object) -> AgentView:
    attached = views.AttachedConnection(connection_id="c", name="Office", inbound=inbound, registration=REGISTERED)
    values: dict[str, object] = {
        "id": "a",
        "version": 1,
        "name": "Reception",
        "description": "",
        "kind": "Inbound" if inbound else "Outbound",
        "state": state,
        "calls": 0,
        "max_opened_sessions": 2,
        "modified_at": NOW,
        "connections": (attached,),
    }
    return AgentView.model_validate(values | changes)


def plan(**changes: object) -> AgentPlan:
    speech = {"speech_to_text": "ears", "text_to_speech": "voice"}
    return AgentPlan.model_validate({"settings": Agent(name="Reception", silence_s=45.0)} | speech | changes)


def connection(
    registration: RegistrationView | None = REGISTERED, *, inbound: bool = True, **changes: object
) -> ConnectionView:
    values: dict[str, object] = {
        "id": "c",
        "version": 1,
        "modified_at": NOW,
        "account": Account(name="Office", domain="pbx.lan", user="200"),
        "has_password": True,
        "has_login": False,
        "unreadable": False,
        "agents": (views.AgentRef(id="a", name="Reception", inbound=inbound, running=True),),
        "registration": registration,
    }
    return ConnectionView.model_validate(values | changes)


CALLED = Seen(inbound_at=NOW, registered_at=NOW - timedelta(hours=5))


def found(
    agent: AgentView | None = None,
    plan_: AgentPlan | None = None,
    line: ConnectionView | None = None,
    *,
    seen: Seen = CALLED,
    histories: Mapping[str, History] | None = None,
    troubles: Sequence[EngineTrouble] = (),
) -> list[Finding]:
    view = agent or globals()["agent"]()
    facts = Facts(
        now=NOW,
        zone=ZoneInfo("Europe/Berlin"),
        agents=[view],
        plans={view.id: plan_ or plan()},
        connections=[line or connection()],
        seen={"c": seen},
        histories=histories or {},
        troubles={view.id: troubles},
    )
    return list(findings(facts))


def test_all_is_well() -> None:
    assert found() == []


def test_nothing_is_set_up() -> None:
    assert [each.kind for each in findings(Facts(NOW, [], {}, []))] == ["nothing set up"]


# -- calls never arrive ----------------------------------------------------------------------------------------


def test_not_registered_with_its_cause() -> None:
    [finding] = found(line=connection(REFUSED))
    assert finding.kind == "not registered"
    assert finding.severity is Severity.ERROR
    assert "Calls to 200 never arrive" in finding.title
    assert finding.evidence == "Wrong user, login or password (401 Unauthorized). The box tries again at 14:05."
    assert finding.remedy == "Compare them."


def test_nobody_routes_the_number() -> None:
    [finding] = found(seen=Seen(registered_at=NOW - timedelta(hours=3)))
    assert finding.kind == "never called"
    assert finding.severity is Severity.INFO
    assert "“Office” was registered at 11:00" in finding.evidence
    assert "route the number to extension 200" in finding.remedy


@pytest.mark.parametrize(
    ("seen", "histories"),
    [(CALLED, {}), (Seen(registered_at=NOW), {"Reception": History(was_called=True)}), (Seen(), {})],
)
def test_somebody_called_once_or_nobody_could_yet(seen: Seen, histories: Mapping[str, History]) -> None:
    assert found(seen=seen, histories=histories) == []


def test_not_attached() -> None:
    [finding] = found(agent(connections=()))
    assert finding.kind == "not attached"


def test_a_stopped_agent_and_one_in_error() -> None:
    [stopped] = found(agent(AgentState.STOPPED), line=connection(None))
    assert (stopped.kind, stopped.severity) == ("agent stopped", Severity.INFO)
    [broken] = found(agent(AgentState.ERROR, problem="No voice."), line=connection(None))
    assert (broken.kind, broken.severity, broken.evidence) == ("agent in error", Severity.ERROR, "No voice.")


def test_an_agent_that_is_in_error_for_want_of_a_voice_is_one_finding() -> None:
    [finding] = found(agent(AgentState.ERROR, problem="No voice."), plan(text_to_speech=None), connection(None))
    assert finding.kind == "no speech connection"


def test_settings_that_wait_for_a_restart() -> None:
    [finding] = found(agent(restart_pending=("its settings were changed",)))
    assert finding.kind == "restart pending"
    assert "its settings were changed" in finding.evidence


def test_a_workflow_whose_tool_was_removed() -> None:
    state = {"name": "orders", "tools": ["Order status", "take_message"], "last": True}
    workflow = Workflow.model_validate({"first": "orders", "states": [state]})
    settings = plan().settings.model_copy(update={"workflow": workflow})
    made = plan().model_copy(update={"settings": settings})
    facts = Facts(now=NOW, agents=[agent()], plans={"a": made}, connections=[connection()])
    [finding] = [each for each in findings(facts) if each.kind == "workflow does not fit"]
    assert (finding.severity, finding.about) == (Severity.WARNING, "agent")
    assert finding.evidence.startswith("There is no tool “Order status”: choose of ")
    whole = replace(facts, tools={"a": ["Order status"]})
    assert "workflow does not fit" not in [each.kind for each in findings(whole)]


# -- calls reach the box but nobody picks up -------------------------------------------------------------------


def test_inbound_is_off() -> None:
    first, second = found(agent(inbound=False), line=connection(inbound=False))
    assert (first.kind, first.about) == ("no inbound agent", "connection")
    assert (second.kind, second.about) == ("inbound off", "agent")


# -- answers, but silent ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "name"), [("speech_to_text", "Speech-To-Text"), ("text_to_speech", "Text-To-Speech")]
)
def test_no_speech_connection(missing: str, name: str) -> None:
    [finding] = found(plan_=plan(**{missing: None}))
    assert finding.kind == "no speech connection"
    assert name in finding.evidence


def test_a_voice_that_fails() -> None:
    [finding] = found(troubles=[EngineTrouble("Text-To-Speech", 1, NOW - timedelta(minutes=5), "MemoryError")])
    assert finding.kind == "voice failing"
    assert finding.severity is Severity.ERROR
    assert finding.evidence == "Its voice failed 1 time in the last hour, the last at 13:55 (MemoryError)."


def test_a_recogniser_that_is_lost_again_and_again() -> None:
    assert found(troubles=[EngineTrouble("Speech-To-Text", 2, NOW)]) == []
    [finding] = found(troubles=[EngineTrouble("Speech-To-Text", 3, NOW, "crashed")])
    assert finding.kind == "recogniser failing"
    assert "lost 3 times in the last hour" in finding.evidence
    assert "50 MB" in finding.remedy


def test_a_language_model_that_fails() -> None:
    [finding] = found(troubles=[EngineTrouble("language model", 2, NOW, "it refuses the key")])
    assert (finding.kind, finding.severity) == ("language model failing", Severity.WARNING)
    assert finding.evidence == "It failed 2 times in the last hour, the last at 14:00 (it refuses the key)."


@pytest.mark.parametrize(("engine", "does"), [("ears of a server", "hears"), ("voice of a server", "speaks")])
def test_a_speech_server_that_fails_is_told_with_who_does_it_instead(engine: Engine, does: str) -> None:
    [finding] = found(troubles=[EngineTrouble(engine, 2, NOW, "it is too slow")])
    assert (finding.kind, finding.severity) == (f"{engine} failing", Severity.WARNING)
    assert finding.title == f"“Reception” {does} by itself instead of by its speech server"
    assert finding.evidence == "The server failed 2 times in the last hour, the last at 14:00 (it is too slow)."


def test_a_neural_pack_that_cannot_be_used() -> None:
    [finding] = found(troubles=[EngineTrouble("neural pack", 1, NOW, "it is not on this box")])
    assert (finding.kind, finding.severity) == ("neural pack failing", Severity.WARNING)
    assert finding.title == "“Reception” does without its neural pack"
    assert (
        finding.evidence == "It could not be used 1 time in the last hour, the last at 14:00 (it is not on this box)."
    )


# -- registered, but calls fail to establish -------------------------------------------------------------------


def failed(
    theirs: Offer | None,
    minutes_ago: int = 1,
    direction: Direction = "inbound",
    ours: Offer = OURS,
    sip_code: int = 488,
) -> FailedCall:
    return FailedCall(NOW - timedelta(minutes=minutes_ago), direction, sip_code, theirs, ours)


def test_no_common_codec_names_what_the_caller_offered() -> None:
    offer = Offer(("GSM", "iLBC"))
    [finding] = found(seen=Seen(failed=(failed(offer, 90), failed(offer, 10)), inbound_at=NOW))
    assert finding.severity is Severity.ERROR
    assert finding.title == "Calls to 200 fail: the phone system and the box have no codec in common"
    assert finding.evidence == (
        "This box refused 2 calls with 488, the first at 12:30, the last at 13:50. The other side offered GSM, iLBC, "
        "unencrypted; this box speaks Opus, G.722, G.711 µ-law, G.711 A-law, unencrypted."
    )
    assert "allow one of Opus, G.722" in finding.remedy


def test_srtp_required() -> None:
    [finding] = found(seen=Seen(failed=(failed(Offer(("PCMU",), Encryption.SDES)),), inbound_at=NOW))
    assert finding.title == "Calls to 200 fail: the phone system requires encrypted audio (SRTP)"
    assert "offered G.711 µ-law, encrypted only (SRTP)" in finding.evidence
    assert "SRTP" in finding.remedy


def test_srtp_missing() -> None:
    ours = Offer(OURS.codecs, Encryption.SDES)
    [finding] = found(seen=Seen(failed=(failed(Offer(("PCMU",)), ours=ours),), inbound_at=NOW))
    assert "offers none" in finding.title
    assert "switch on SRTP (SDES)" in finding.remedy


def test_a_refusal_without_a_word() -> None:
    [finding] = found(seen=Seen(failed=(failed(None, direction="outbound", sip_code=606),), inbound_at=NOW))
    assert finding.title == "Calls that “Office” places fail: the phone system and the box do not agree on audio"
    assert "The phone system refused 1 call with 606, at 13:59." in finding.evidence
    assert "requires SRTP" in finding.remedy


def test_each_reason_and_direction_is_a_finding_of_its_own() -> None:
    both = Offer(("GSM",), Encryption.SDES)
    seen = Seen(failed=(failed(both), failed(None, direction="outbound")), inbound_at=NOW)
    assert len(found(seen=seen)) == 3


def test_a_call_that_was_established_since_takes_the_edge_off() -> None:
    seen = Seen(failed=(failed(Offer(("GSM",)), 30),), inbound_at=NOW, established_at=(("inbound", NOW),))
    [finding] = found(seen=seen)
    assert finding.severity is Severity.WARNING
    assert finding.evidence.endswith("Since then, a call was established at 14:00.")


def test_yesterday_is_named_and_the_day_before_forgotten() -> None:
    [finding] = found(seen=Seen(failed=(failed(None, 20 * 60),), inbound_at=NOW))
    assert "on 25 Nov at 18:00" in finding.evidence
    assert found(seen=Seen(failed=(failed(None, 25 * 60),), inbound_at=NOW)) == []


# -- calls end in pauses ---------------------------------------------------------------------------------------


def test_calls_that_ended_by_the_silence_rule() -> None:
    history = History(was_called=True, ended_in_silence=4, silence_at=NOW - timedelta(days=1))
    [finding] = found(histories={"Reception": history})
    assert (finding.kind, finding.severity) == ("ended in a pause", Severity.INFO)
    assert "4 calls in the last 7 days" in finding.evidence
    assert "said nothing for 45 s, the last on 25 Nov at 14:00." in finding.evidence
    assert "“Silence in seconds”" in finding.remedy


# -- the network -----------------------------------------------------------------------------------------------


def network(*facts: views.NetworkFact) -> list[Finding]:
    return [each for each in findings(Facts(NOW, [agent()], {"a": plan()}, [], network=facts)) if each.about == "box"]


WIRE = views.NetworkFact(
    interface="eth0", mac="dc:a6:32:01:02:03", addresses=("192.0.2.2/24",), gateways=("192.0.2.1",)
)


def test_a_network_in_order() -> None:
    assert network(WIRE, WIRE.model_copy(update={"up": False, "addresses": (), "gateways": ()})) == []


@pytest.mark.parametrize(
    ("changes", "evidence"),
    [
        ({"up": False, "addresses": ()}, "eth0: the link is down."),
        ({"addresses": ("169.254.7.7/16", "fe80::1/64")}, "eth0: the link is up, but nobody gave it an address."),
    ],
)
def test_no_address(changes: dict[str, object], evidence: str) -> None:
    [finding] = network(WIRE.model_copy(update=changes))
    assert (finding.kind, finding.severity, finding.evidence) == ("no address", Severity.WARNING, evidence)
    [nothing] = network()
    assert nothing.evidence == "It has no network interface."


def test_no_way_out() -> None:
    [finding] = network(WIRE.model_copy(update={"gateways": ()}))
    assert finding.kind == "no default route"
    assert "192.0.2.2/24" in finding.evidence


# -- the rest --------------------------------------------------------------------------------------------------


def test_a_password_that_cannot_be_read_and_errors_first() -> None:
    kinds = [each.kind for each in found(agent(restart_pending=("x",)), line=connection(None, unreadable=True))]
    assert kinds == ["secret unreadable", "restart pending"]


# -- the card --------------------------------------------------------------------------------------------------


def test_a_disk_that_takes_nothing_is_told_with_a_backup_as_the_way_out() -> None:
    [finding] = of_disk(5000, "Sessions cannot be written.")
    assert (finding.kind, finding.severity) == ("disk refuses", Severity.ERROR)
    assert finding.evidence == "Sessions cannot be written."
    assert "Make a backup now" in finding.remedy


def test_a_full_disk_is_told_once() -> None:
    [finding] = of_disk(1, "Sessions cannot be written.")
    assert finding.kind == "disk full"


def test_a_card_that_was_set_up_elsewhere() -> None:
    [finding] = of_disk(5000, left_machine=["b8:27:eb:00:00:01"])
    assert (finding.kind, finding.severity) == ("moved", Severity.WARNING)
    assert "b8:27:eb:00:00:01" in finding.evidence
