"""How things stand, as the page shows it: stored records and what runs, put together. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.agents.roster import Roster
from app.control import views
from firmware import telephony
from firmware.board import network
from firmware.console import describe, remedy
from firmware.employer import AtWork, opened_secret
from firmware.storage import records
from firmware.switchboard import Switchboard
from firmware.vault import Unreadable, Vault


@dataclass(frozen=True, slots=True)
class Scene:
    """What runs now."""

    roster: Roster
    at_work: Mapping[str, AtWork]
    switchboard: Switchboard
    vault: Vault


def network_view() -> tuple[views.NetworkFact, ...]:
    return tuple(
        views.NetworkFact(
            interface=each.name, mac=each.mac, up=each.is_up, addresses=each.addresses, gateways=each.gateways
        )
        for each in network.interfaces()
    )


def registration_view(registration: telephony.Registration, user: str, domain: str) -> views.RegistrationView:
    answer = f"{registration.sip_code} {registration.reason}".removeprefix("0 ").strip()
    return views.RegistrationView(
        cause=registration.cause.value,
        registered=registration.cause is telephony.Cause.REGISTERED,
        text=describe(registration, user, domain),
        remedy=remedy(registration.cause),
        answer=answer,
        expires_s=registration.expires_s,
        next_try=registration.next_try,
    )


def registration_of(scene: Scene, connection_id: str) -> views.RegistrationView | None:
    account = scene.switchboard.account(connection_id)
    if account is None:
        return None
    return registration_view(account.registration, account.connection.user, account.connection.domain)


def connection_view(
    scene: Scene, record: records.ConnectionRecord, agents: list[records.AgentRecord]
) -> views.ConnectionView:
    opened = [
        opened_secret(scene.vault, record, "password", record.password),
        opened_secret(scene.vault, record, "login", record.login),
    ]
    return views.ConnectionView(
        id=record.id,
        version=record.version,
        modified_at=record.modified_at,
        account=record.account,
        has_password=record.password is not None,
        has_login=record.login is not None,
        unreadable=any(isinstance(secret, Unreadable) for secret in opened),
        agents=tuple(users_of(scene, record.id, agents)),
        registration=registration_of(scene, record.id),
    )


def users_of(scene: Scene, connection_id: str, agents: list[records.AgentRecord]) -> list[views.AgentRef]:
    return [
        views.AgentRef(
            id=agent.id,
            name=agent.plan.settings.name,
            inbound=attached.inbound,
            running=scene.roster.state(agent.id) is views.AgentState.RUNNING,
        )
        for agent in agents
        for attached in agent.plan.attachments
        if attached.connection_id == connection_id
    ]


def in_calls(scene: Scene) -> tuple[str, ...]:
    """Names of the agents that have a call now."""
    at_work = scene.at_work.values()
    return tuple(sorted(each.agent.plan.settings.name for each in at_work if each.reception.opened))


def agent_view(scene: Scene, record: records.AgentRecord, parts: records.Parts) -> views.AgentView:
    at_work = scene.at_work.get(record.id)
    attached = record.plan.attachments
    return views.AgentView(
        id=record.id,
        version=record.version,
        name=record.plan.settings.name,
        description=record.plan.settings.description,
        kind="Inbound" if any(each.inbound for each in attached) else "Outbound",
        state=scene.roster.state(record.id),
        problem=scene.roster.problem(record.id),
        restart_pending=tuple(pending(record, parts, at_work)),
        calls=at_work.reception.opened if at_work else 0,
        max_opened_sessions=record.plan.settings.max_opened_sessions,
        modified_at=record.modified_at,
        connections=tuple(
            views.AttachedConnection(
                connection_id=each.connection_id,
                name=parts.connections[each.connection_id].account.name,
                inbound=each.inbound,
                registration=registration_of(scene, each.connection_id),
            )
            for each in attached
            if each.connection_id in parts.connections
        ),
    )


def _as_at_start(plan: views.AgentPlan) -> views.AgentPlan:
    """Without what is looked up after each call, and needs no restart."""
    settings = plan.settings.model_copy(update={"mail_to": (), "mail_when": "every call"})
    return plan.model_copy(update={"settings": settings})


def pending(record: records.AgentRecord, parts: records.Parts, at_work: AtWork | None) -> list[str]:
    """What was saved since the agent started, in words."""
    if at_work is None:
        return []
    changed = [] if _as_at_start(record.plan) == _as_at_start(at_work.agent.plan) else ["its settings were changed"]
    if parts.documents.get(record.id, frozenset()) != at_work.documents:
        changed.append("its files were changed")
    if parts.tools.get(record.id, frozenset()) != at_work.tools:
        changed.append("its tools were changed")
    for connection_id, version in at_work.connections.items():
        connection = parts.connections.get(connection_id)
        if connection is None:
            changed.append("a connection was deleted")
        elif connection.version != version:
            changed.append(f"the connection “{connection.account.name}” was changed")
    for entry_id, version in at_work.connectivity.items():
        entry = parts.connectivity.get(entry_id)  # one in use cannot be deleted, but its agent may be given another
        if entry and entry.version != version:
            changed.append(f"“{entry.name}” under Connectivity was changed")
    return changed
