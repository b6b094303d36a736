"""What keeps an agent from answering, hearing or speaking."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from app.control.views import AgentPlan, AgentState, AgentView, Finding, Severity
from app.diagnosis.facts import SILENCE_DAYS, EngineTrouble, Facts, times
from app.engines import Role
from app.workflow_checks import problems

_LOST_OFTEN = 3
"""Recognisers lost in an hour. One is replaced within the call, and no caller notices."""


def of_agent(agent: AgentView, facts: Facts) -> Iterator[Finding]:
    plan = facts.plans[agent.id]
    yield from _life(agent, plan)
    yield from _speech(agent, plan)
    yield from _workflow(agent, plan, facts)
    yield from _calls(agent)
    for role, name in facts.locked.get(agent.id, ()):
        yield _locked(agent, role, name)
    for trouble in facts.troubles.get(agent.id, ()):
        yield from _engine(agent, trouble, facts)
    yield from _pauses(agent, plan, facts)


def _finding(agent: AgentView) -> partial[Finding]:
    return partial(Finding, about="agent", about_id=agent.id, about_name=agent.name)


def _life(agent: AgentView, plan: AgentPlan) -> Iterator[Finding]:
    if agent.state is AgentState.ERROR and not _missing_speech(plan):
        yield _finding(agent)(
            kind="agent in error",
            severity=Severity.ERROR,
            title=f"“{agent.name}” does not run",
            evidence=agent.problem,
            remedy="Mend what the sentence above says, then start the agent. Its log has the details.",
        )
    if agent.state is AgentState.STOPPED and agent.connections:
        yield _finding(agent)(
            kind="agent stopped",
            severity=Severity.INFO,
            title=f"“{agent.name}” is stopped",
            evidence="A stopped agent answers no call, and its connections are not registered for it.",
            remedy="Start the agent when it should work.",
        )
    if agent.restart_pending:
        yield _finding(agent)(
            kind="restart pending",
            severity=Severity.WARNING,
            title=f"“{agent.name}” still works with its old settings",
            evidence=f"Since it started, {'; '.join(agent.restart_pending)}.",
            remedy="Restart the agent to apply the changes.",
        )


def _workflow(agent: AgentView, plan: AgentPlan, facts: Facts) -> Iterator[Finding]:
    """It fitted when it was saved; a tool may have been removed since, or never come along with a file."""
    found = problems(plan.settings, facts.tools.get(agent.id, ()))
    if found:
        yield _finding(agent)(
            kind="workflow does not fit",
            severity=Severity.WARNING,
            title=f"The workflow of “{agent.name}” names something that is not there",
            evidence=next(iter(found.values())),
            remedy="Change the workflow on the agent's page, or add what is missing; then restart the agent.",
        )


def _missing_speech(plan: AgentPlan) -> str:
    """What keeps it from hearing or speaking; empty if it has both."""
    if plan.speech_to_text is None:
        return "Speech-To-Text"
    return "Text-To-Speech" if plan.text_to_speech is None else ""


def _speech(agent: AgentView, plan: AgentPlan) -> Iterator[Finding]:
    if missing := _missing_speech(plan):
        yield _finding(agent)(
            kind="no speech connection",
            severity=Severity.ERROR,
            title=f"“{agent.name}” would answer but stay silent, or not react to speech",
            evidence=f"No {missing} connection is attached to it.",
            remedy="Attach one in its Connections card, then restart the agent.",
        )


def _calls(agent: AgentView) -> Iterator[Finding]:
    if not agent.connections:
        yield _finding(agent)(
            kind="not attached",
            severity=Severity.WARNING,
            title=f"No call can reach “{agent.name}”",
            evidence="No SIP connection is attached to it.",
            remedy="Attach one in its Communication channels card with Inbound on, then restart the agent.",
        )
    elif agent.kind == "Outbound":
        yield _finding(agent)(
            kind="inbound off",
            severity=Severity.INFO,
            title=f"“{agent.name}” does not answer calls",
            evidence="The Inbound switch is off for each of its connections.",
            remedy="If it should answer, switch Inbound on in its Communication channels card, then restart it.",
        )


def _locked(agent: AgentView, role: Role, name: str) -> Finding:
    instead = {
        "language-model": f"The receptionist answers for the language model of “{agent.name}”",
        "speech-to-text": f"“{agent.name}” hears by itself instead of by its speech server",
        "text-to-speech": f"“{agent.name}” speaks by itself instead of by its speech server",
    }
    return _finding(agent)(
        kind=f"{role.replace('-', ' ')} locked",
        severity=Severity.WARNING,
        title=instead[role],
        evidence=f"The key of “{name}” cannot be read on this box.",
        remedy="Enter the key again under Settings > Connectivity, then restart the agent.",
    )


def _engine(agent: AgentView, trouble: EngineTrouble, facts: Facts) -> Iterator[Finding]:
    last = f"{times(trouble.times, 'time')} in the last hour, the last {facts.at(trouble.last_at)}"
    why = f" ({trouble.problem})" if trouble.problem else ""
    if trouble.engine == "Text-To-Speech":
        yield _finding(agent)(
            kind="voice failing",
            severity=Severity.ERROR,
            title=f"“{agent.name}” answers but does not speak",
            evidence=f"Its voice failed {last}{why}.",
            remedy="Restart the agent and call it. If it fails again, attach another Text-To-Speech connection; the "
            "agent's log has the details.",
        )
    elif trouble.engine == "language model":
        yield _finding(agent)(
            kind="language model failing",
            severity=Severity.WARNING,
            title=f"The receptionist answers for the language model of “{agent.name}”",
            evidence=f"It failed {last}{why}.",
            remedy="Test it under Settings > Connectivity. Until it works, callers are answered from what the agent "
            "knows.",
        )
    elif trouble.engine in ("ears of a server", "voice of a server"):
        does = "hears" if trouble.engine == "ears of a server" else "speaks"
        yield _finding(agent)(
            kind=f"{trouble.engine} failing",
            severity=Severity.WARNING,
            title=f"“{agent.name}” {does} by itself instead of by its speech server",
            evidence=f"The server failed {last}{why}.",
            remedy="Test it under Settings > Connectivity. Until it works, the box does it, and tries the server again "
            "every few minutes at the latest.",
        )
    elif trouble.engine == "neural pack":
        yield _finding(agent)(
            kind="neural pack failing",
            severity=Severity.WARNING,
            title=f"“{agent.name}” does without its neural pack",
            evidence=f"It could not be used {last}{why}.",
            remedy="Look under Connectivity > Neural packs whether it is there and can be used, and test it under "
            "Settings > Connectivity. Until it works, the box hears and speaks by itself.",
        )
    elif trouble.times >= _LOST_OFTEN:
        yield _finding(agent)(
            kind="recogniser failing",
            severity=Severity.ERROR,
            title=f"“{agent.name}” answers but may not react to speech",
            evidence=f"Its speech recogniser was lost {last}{why}. Each time another one is started.",
            remedy="Look at the memory on the overview: each call that the agent takes at once needs about 50 MB. If "
            "it is short, lower Max opened sessions, then restart the agent.",
        )


def _pauses(agent: AgentView, plan: AgentPlan, facts: Facts) -> Iterator[Finding]:
    history = facts.history(agent.name)
    if history.silence_at is None:
        return
    yield _finding(agent)(
        kind="ended in a pause",
        severity=Severity.INFO,
        title=f"Calls of “{agent.name}” end by themselves during pauses",
        evidence=f"{times(history.ended_in_silence, 'call')} in the last {SILENCE_DAYS} days ended because the caller "
        f"said nothing for {plan.settings.silence_s:g} s, the last {facts.at(history.silence_at)}.",
        remedy="Expected. If callers need more time, raise “Silence in seconds” in the agent's settings, then restart "
        "it.",
    )
