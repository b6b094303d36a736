"""Settings out of the database into a backup's content, and back. Inside one transaction of `SqliteLedger.transact`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from pydantic import SecretStr

from app.control.mail import MailServer
from app.control.webhook import Webhook
from app.outbound.do_not_call import index_key
from firmware.employer import opened_secret
from firmware.http_tools import opened_headers, sealed_headers
from firmware.keeping.content import (
    DO_NOT_CALL_AT_ONCE,
    AgentCopy,
    CampaignCopy,
    ConnectionCopy,
    ConnectivityCopy,
    Content,
    DocumentCopy,
    DoNotCallCopy,
    DoNotCallNumber,
    Head,
    MailServerCopy,
    ToolCopy,
    WebhookCopy,
)
from firmware.mail import opened_password
from firmware.storage import (
    campaign_records,
    do_not_call_records,
    document_records,
    letter_records,
    records,
    tool_records,
    webhook_records,
)
from firmware.storage.campaign_records import CampaignRecord
from firmware.vault import Vault


def copied(db: records.Db, vault: Vault, software: str, now: datetime) -> Content:
    _, box = records.read_box(db)
    webhook, mail_server = _webhook_copy(db, vault), _mail_server_copy(db, vault)
    return Content(
        Head(made_at=now, software=software, box=box, webhook=webhook, mail_server=mail_server),
        tuple(_connection_copy(vault, each) for each in records.read_connections(db)),
        tuple(_connectivity_copy(vault, each) for each in records.read_connectivity(db) if not each.built_in),
        tuple(
            AgentCopy(id=each.id, version=each.version, plan=each.plan, should_run=each.should_run)
            for each in records.read_agents(db)
        ),
        tuple(
            CampaignCopy(id=each.id, version=each.version, settings=each.settings)
            for each in campaign_records.read_campaigns(db)
        ),
        tuple(_do_not_call_copies(db)),
        tuple(_document_copies(db)),
        tuple(
            ToolCopy(
                id=each.id,
                agent_id=each.agent_id,
                version=each.version,
                tool=each.tool,
                values=opened_headers(vault, each),
            )
            for each in tool_records.read_tools(db)
        ),
    )


def replaced(db: records.Db, vault: Vault, content: Content, now: datetime) -> None:
    """All settings become those of `content`, sealed for this box. It fits (`content.misfit`).

    Each record gets a version that no open page was based on, so that none of them can overwrite it unseen.
    """
    versions = _versions(db)
    before, _ = records.read_box(db)
    records.clear_settings(db)
    records.write_box(db, content.head.box, before)
    _replace_webhook(db, vault, content.head.webhook)
    _replace_mail_server(db, vault, content.head.mail_server, now)
    for connection in content.connections:
        records.write_connection(db, _connection_record(vault, connection, versions, now))
    for entry in content.connectivity:
        records.write_connectivity(db, _connectivity_record(vault, entry, versions))
    for agent in content.agents:
        version = _next(versions, agent.id, agent.version)
        records.write_agent(db, records.AgentRecord(agent.id, version, now, agent.plan, agent.should_run))
    for document in content.documents:  # those that were here went with their agents
        values = document.model_dump(exclude={"kind"})
        document_records.write_document(db, document_records.NewDocument(**values))
    for tool in content.tools:  # and so did these
        version = _next(versions, tool.id, tool.version)
        sealed = sealed_headers(vault, tool.id, version, tool.values)
        tool_records.write_tool(db, tool_records.ToolRecord(tool.id, tool.agent_id, version, tool.tool, sealed))
    _replace_campaigns(db, content.campaigns, versions, now)
    for part in content.do_not_call:  # nobody whom this box must not call is called because of an older backup
        for number in part.numbers:
            do_not_call_records.add(db, _do_not_call_entry(number), number.added_at)


def _replace_campaigns(
    db: records.Db, copies: tuple[CampaignCopy, ...], versions: Mapping[str, int], now: datetime
) -> None:
    """One that is here as well keeps its participants, and does not go on by itself: its flow may be another one."""
    kept = {copy.id for copy in copies}
    for record in campaign_records.read_campaigns(db):
        if record.id not in kept:
            campaign_records.delete_campaign(db, record.id)
        elif record.state == "running":
            campaign_records.set_state(db, record.id, "paused")
    campaign_records.forget_names(db)
    for copy in copies:
        version = _next(versions, copy.id, copy.version)
        campaign_records.write_campaign(db, CampaignRecord(copy.id, version, now, copy.settings))


def _document_copies(db: records.Db) -> Iterator[DocumentCopy]:
    for each in document_records.read_documents(db):
        texts = tuple(document_records.read_texts(db, each.id))
        yield DocumentCopy(id=each.id, agent_id=each.agent_id, name=each.name, added_at=each.added_at, passages=texts)


def _do_not_call_copies(db: records.Db) -> Iterator[DoNotCallCopy]:
    names = DoNotCallNumber.model_fields
    numbers = [DoNotCallNumber(**{name: row[name] for name in names}) for row in do_not_call_records.read_all(db)]
    for first in range(0, len(numbers), DO_NOT_CALL_AT_ONCE):
        yield DoNotCallCopy(numbers=tuple(numbers[first : first + DO_NOT_CALL_AT_ONCE]))


def _do_not_call_entry(copy: DoNotCallNumber) -> do_not_call_records.NewEntry:
    return do_not_call_records.NewEntry(
        copy.number, copy.canonical, index_key(copy.canonical), copy.source, copy.note, copy.session_id
    )


def _webhook_copy(db: records.Db, vault: Vault) -> WebhookCopy:
    record = webhook_records.read_webhook(db)
    secret = None
    if record.secret:
        secret = vault.unseal("webhook", webhook_records.ID, "secret", record.secret.revision, record.secret.data)
    return WebhookCopy(settings=record.settings, secret=secret if isinstance(secret, SecretStr) else None)


def _replace_webhook(db: records.Db, vault: Vault, copy: WebhookCopy | None) -> None:
    """A backup from before there was one brings none."""
    before = webhook_records.read_webhook(db)
    version = before.version + 1
    secret = _sealed(vault, ("webhook", webhook_records.ID, version), "secret", copy.secret if copy else None)
    settings = copy.settings if copy else Webhook()
    webhook_records.write_webhook(db, webhook_records.WebhookRecord(version, settings, secret), before.version)


def _mail_server_copy(db: records.Db, vault: Vault) -> MailServerCopy:
    record = letter_records.read_server(db)
    password = opened_password(vault, record)
    return MailServerCopy(settings=record.settings, password=password if isinstance(password, SecretStr) else None)


def _replace_mail_server(db: records.Db, vault: Vault, copy: MailServerCopy | None, now: datetime) -> None:
    """A backup from before there was one brings none."""
    before = letter_records.read_server(db)
    version = before.version + 1
    password = _sealed(vault, ("mail_server", letter_records.ID, version), "password", copy.password if copy else None)
    settings = copy.settings if copy else MailServer()
    letter_records.write_server(db, letter_records.MailRecord(version, settings, password), before.version, now)


def _connection_copy(vault: Vault, record: records.ConnectionRecord) -> ConnectionCopy:
    password = opened_secret(vault, record, "password", record.password)
    login = opened_secret(vault, record, "login", record.login)
    return ConnectionCopy(
        id=record.id,
        version=record.version,
        account=record.account,
        password=password if isinstance(password, SecretStr) else None,
        login=login if isinstance(login, SecretStr) else None,
    )


def _connectivity_copy(vault: Vault, record: records.ConnectivityRecord) -> ConnectivityCopy:
    api_key = opened_secret(vault, record, "api_key", record.api_key)
    return ConnectivityCopy(
        id=record.id,
        version=record.version,
        name=record.name,
        description=record.description,
        engine=record.engine,
        api_key=api_key if isinstance(api_key, SecretStr) else None,
    )


def _connection_record(
    vault: Vault, copy: ConnectionCopy, versions: Mapping[str, int], now: datetime
) -> records.ConnectionRecord:
    version = _next(versions, copy.id, copy.version)
    place = ("connections", copy.id, version)
    password, login = _sealed(vault, place, "password", copy.password), _sealed(vault, place, "login", copy.login)
    return records.ConnectionRecord(copy.id, version, now, copy.account, password, login)


def _connectivity_record(
    vault: Vault, copy: ConnectivityCopy, versions: Mapping[str, int]
) -> records.ConnectivityRecord:
    version = _next(versions, copy.id, copy.version)
    return records.ConnectivityRecord(
        copy.id,
        version,
        copy.name,
        copy.description,
        copy.engine,
        built_in=False,
        api_key=_sealed(vault, ("connectivity", copy.id, version), "api_key", copy.api_key),
    )


def _sealed(vault: Vault, place: tuple[str, str, int], field: str, secret: SecretStr | None) -> records.Sealed | None:
    """`place`: table, record, revision."""
    if secret is None:
        return None
    table, record, revision = place
    return records.Sealed(vault.seal(table, record, field, revision, secret), revision)


def _versions(db: records.Db) -> dict[str, int]:
    every: list[records.ConnectionRecord | records.ConnectivityRecord | records.AgentRecord | CampaignRecord] = []
    every += [*records.read_connections(db), *records.read_connectivity(db), *records.read_agents(db)]
    every += campaign_records.read_campaigns(db)
    return {each.id: each.version for each in (*every, *tool_records.read_tools(db))}


def _next(versions: Mapping[str, int], record_id: str, version: int) -> int:
    return max(versions.get(record_id, 0), version) + 1
