"""All routes of the page, and nothing else. Who may pass is decided by the guard in front of them."""

from __future__ import annotations

import errno
import time
from collections.abc import Container

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app.control.refusals import Refusal, Why
from provisioning.api.application import api
from provisioning.web import (
    agent_documents,
    agent_files,
    agent_tools,
    agent_workflow,
    agents,
    backups,
    box,
    campaign_files,
    campaign_flow,
    campaign_settings,
    campaigns,
    certificate,
    channels,
    chats,
    connectivity,
    dial_rules,
    do_not_call,
    entry,
    lists,
    mail_server,
    overview,
    packs,
    participants,
    resetting,
    session_files,
    sessions,
    support,
    tokens,
    trying,
    updates,
    webhook,
)
from provisioning.web.faults import OUR_FAULT, log_fault
from provisioning.web.guard import Guard
from provisioning.web.rendering import STATIC, Door, refused

_DISK_FULL = Refusal(
    why=Why.NO_SPACE,
    text="It was not stored because the disk is full, and nothing was changed. Delete old sessions, then try again.",
)
_IDS = (("id",), ("agent_id",), ("campaign_id",), ("document_id",), ("tool_id",), ("chat_id",), ("pack",))


def application(door: Door, names: Container[str], https_port: int) -> ASGIApp:
    """`names`: the host names of this box, without port."""
    told = {404: _nothing_there, ValidationError: _no_such_id, OSError: _no_room, 500: _our_fault}
    pages = Starlette(routes=_ROUTES, exception_handlers=told)
    pages.state.door, pages.state.now = door, time.monotonic
    return Guard(pages, api(door), names, door.sign_ins, door.bearers, door.life, https_port)


async def _file(request: Request) -> Response:
    return FileResponse(STATIC / request.url.path.removeprefix("/static/"))


async def _nothing_there(request: Request, _: Exception) -> Response:
    return refused(request, Refusal(why=Why.NOT_FOUND, text="There is no such page. Go on from the menu."))


async def _no_such_id(request: Request, fault: Exception) -> Response:
    """For an address with an id that no record can have. Raises: `fault`, if it is about anything else."""
    if isinstance(fault, ValidationError) and all(place["loc"] in _IDS for place in fault.errors()):
        return await _nothing_there(request, fault)
    raise fault


async def _no_room(request: Request, fault: Exception) -> Response:
    """For what the page itself keeps: its password, its certificate. Raises: `fault`, if that is something else."""
    if isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return refused(request, _DISK_FULL)
    raise fault


async def _our_fault(request: Request, fault: Exception) -> Response:
    log_fault(fault)
    return refused(request, OUR_FAULT)


_ROUTES = [
    *(Route(f"/static/{name}", _file) for name in ("deskbell.css", "deskbell.js", "bell.svg")),
    Route("/first-boot", entry.first_boot_form, methods=["GET"]),
    Route("/first-boot", entry.first_boot, methods=["POST"]),
    Route("/sign-in", entry.sign_in_form, methods=["GET"]),
    Route("/sign-in", entry.sign_in, methods=["POST"]),
    Route("/sign-out", entry.sign_out, methods=["POST"]),
    Route("/password", entry.password_form, methods=["GET"]),
    Route("/password", entry.change_password, methods=["POST"]),
    Route("/", overview.show),
    Route("/set-up", overview.set_up),
    Route("/diagnosis", overview.diagnosis),
    Route("/events", overview.events),
    Route("/channels", channels.show),
    Route("/channels/new", channels.new, methods=["GET"]),
    Route("/channels/new", channels.create, methods=["POST"]),
    Route("/channels/preview", dial_rules.preview, methods=["POST"]),
    Route("/channels/{id}", channels.edit, methods=["GET"]),
    Route("/channels/{id}", channels.update, methods=["POST"]),
    Route("/channels/{id}/delete", channels.delete, methods=["POST"]),
    Route("/connectivity", connectivity.show),
    Route("/connectivity/new", connectivity.new, methods=["GET"]),
    Route("/connectivity/new", connectivity.create, methods=["POST"]),
    Route("/connectivity/packs", packs.show, methods=["GET"]),
    Route("/connectivity/packs", packs.upload, methods=["POST"]),
    Route("/connectivity/packs/{name}/remove", packs.remove, methods=["POST"]),
    Route("/connectivity/{id}", connectivity.edit, methods=["GET"]),
    Route("/connectivity/{id}", connectivity.update, methods=["POST"]),
    Route("/connectivity/{id}/delete", connectivity.delete, methods=["POST"]),
    Route("/connectivity/{id}/test", connectivity.test, methods=["POST"]),
    Route("/test-sounds/{id}.wav", connectivity.sound),
    Route("/agents", agents.show),
    Route("/agents/import", agent_files.import_form, methods=["GET"]),
    Route("/agents/import", agent_files.import_agent, methods=["POST"]),
    Route("/agents/new", agents.new, methods=["GET"]),
    Route("/agents/new", agents.create, methods=["POST"]),
    Route("/agents/{id}", agents.edit, methods=["GET"]),
    Route("/agents/{id}", agents.update, methods=["POST"]),
    Route("/agents/{id}/log", agents.log),
    Route("/agents/{id}/log.txt", agent_files.log),
    Route("/agents/{id}/export", agent_files.export),
    Route("/agents/{id}/files", agent_documents.add, methods=["POST"]),
    Route("/agents/{id}/files/{document_id}/remove", agent_documents.remove, methods=["POST"]),
    Route("/agents/{id}/workflow", agent_workflow.show, methods=["GET"]),
    Route("/agents/{id}/workflow", agent_workflow.update, methods=["POST"]),
    Route("/agents/{id}/workflow/text", agent_workflow.text, methods=["GET"]),
    Route("/agents/{id}/workflow/text", agent_workflow.update_text, methods=["POST"]),
    Route("/agents/{id}/tools/new", agent_tools.new, methods=["GET"]),
    Route("/agents/{id}/tools/new", agent_tools.create, methods=["POST"]),
    Route("/agents/{id}/tools/{tool_id}", agent_tools.edit, methods=["GET"]),
    Route("/agents/{id}/tools/{tool_id}", agent_tools.update, methods=["POST"]),
    Route("/agents/{id}/tools/{tool_id}/test", agent_tools.test, methods=["POST"]),
    Route("/agents/{id}/tools/{tool_id}/delete", agent_tools.delete, methods=["POST"]),
    Route("/agents/{id}/chats", chats.start, methods=["POST"]),
    Route("/agents/{id}/chats/{chat_id}", chats.show, methods=["GET"]),
    Route("/agents/{id}/chats/{chat_id}", chats.say, methods=["POST"]),
    Route("/agents/{id}/{action:str}", agents.act, methods=["POST"]),
    Route("/campaigns", campaigns.show),
    Route("/campaigns/import", campaign_files.import_form, methods=["GET"]),
    Route("/campaigns/import", campaign_files.import_campaign, methods=["POST"]),
    Route("/campaigns/new", campaigns.new, methods=["GET"]),
    Route("/campaigns/new", campaigns.create, methods=["POST"]),
    Route("/campaigns/{id}", campaigns.analytics, methods=["GET"]),
    Route("/campaigns/{id}/data", campaign_settings.data, methods=["GET"]),
    Route("/campaigns/{id}/data", campaign_settings.update_data, methods=["POST"]),
    Route("/campaigns/{id}/flow", campaign_flow.show, methods=["GET"]),
    Route("/campaigns/{id}/flow", campaign_flow.update, methods=["POST"]),
    Route("/campaigns/{id}/flow/text", campaign_flow.text, methods=["GET"]),
    Route("/campaigns/{id}/flow/text", campaign_flow.update_text, methods=["POST"]),
    Route("/campaigns/{id}/calling", campaign_settings.calling, methods=["GET"]),
    Route("/campaigns/{id}/calling", campaign_settings.update_calling, methods=["POST"]),
    Route("/campaigns/{id}/lists", lists.show, methods=["GET"]),
    Route("/campaigns/{id}/lists", lists.upload, methods=["POST"]),
    Route("/campaigns/{id}/lists/new/{list_id}", lists.preview, methods=["GET"]),
    Route("/campaigns/{id}/lists/new/{list_id}", lists.send, methods=["POST"]),
    Route("/campaigns/{id}/lists/{list_id}", lists.one, methods=["GET"]),
    Route("/campaigns/{id}/lists/{list_id}/finish", lists.finish, methods=["POST"]),
    Route("/campaigns/{id}/lists/{list_id}/drop", lists.drop, methods=["POST"]),
    Route("/campaigns/{id}/lists/{list_id}/errors.csv", lists.errors),
    Route("/campaigns/{id}/participants", participants.show, methods=["GET"]),
    Route("/campaigns/{id}/participants/new", participants.new, methods=["GET"]),
    Route("/campaigns/{id}/participants/new", participants.create, methods=["POST"]),
    Route("/campaigns/{id}/participants/{participant_id}", participants.one, methods=["GET"]),
    Route("/campaigns/{id}/participants/{participant_id}", participants.update, methods=["POST"]),
    Route("/campaigns/{id}/participants/{participant_id}/delete", participants.delete, methods=["POST"]),
    Route("/campaigns/{id}/results.csv", campaign_files.results),
    Route("/campaigns/{id}/export", campaign_files.export),
    Route("/campaigns/{id}/{action:str}", campaigns.act, methods=["POST"]),
    Route("/do-not-call", do_not_call.show, methods=["GET"]),
    Route("/do-not-call", do_not_call.add, methods=["POST"]),
    Route("/do-not-call.csv", do_not_call.download_all),
    Route("/do-not-call/{id}/remove", do_not_call.remove, methods=["POST"]),
    Route("/sessions", sessions.show),
    Route("/sessions/export", session_files.export_all),
    Route("/sessions/{id}", sessions.detail, methods=["GET"]),
    Route("/sessions/{id}/export", session_files.export),
    Route("/sessions/{id}/recording.flac", sessions.recording),
    Route("/sessions/{id}/delete", sessions.delete, methods=["POST"]),
    Route("/test", trying.show),
    Route("/test/call", trying.place, methods=["POST"]),
    Route("/test/handset", trying.handset, methods=["POST"]),
    Route("/test/{id}/hang-up", trying.hang_up, methods=["POST"]),
    Route("/box", box.show, methods=["GET"]),
    Route("/box", box.update, methods=["POST"]),
    Route("/box/settle", box.settle, methods=["POST"]),
    Route("/box/certificate", certificate.show, methods=["GET"]),
    Route("/box/certificate", certificate.renew_it, methods=["POST"]),
    Route("/box/certificate.crt", certificate.download),
    Route("/box/backup", backups.make_form, methods=["GET"]),
    Route("/box/backup", backups.make, methods=["POST"]),
    Route("/box/restore", backups.restore_form, methods=["GET"]),
    Route("/box/restore", backups.preview, methods=["POST"]),
    Route("/box/restore/{id}", backups.restore, methods=["POST"]),
    Route("/box/tokens", tokens.show, methods=["GET"]),
    Route("/box/tokens", tokens.create, methods=["POST"]),
    Route("/box/tokens/{id}/revoke", tokens.revoke, methods=["POST"]),
    Route("/box/api", tokens.api),
    Route("/box/api/openapi.json", tokens.document),
    Route("/box/webhook", webhook.show, methods=["GET"]),
    Route("/box/webhook", webhook.update, methods=["POST"]),
    Route("/box/webhook/test", webhook.test, methods=["POST"]),
    Route("/box/webhook/{id}/resend", webhook.resend, methods=["POST"]),
    Route("/box/mail", mail_server.show, methods=["GET"]),
    Route("/box/mail", mail_server.update, methods=["POST"]),
    Route("/box/mail/test", mail_server.test, methods=["POST"]),
    Route("/box/mail/{id}/resend", mail_server.resend, methods=["POST"]),
    Route("/box/update", updates.show, methods=["GET"]),
    Route("/box/update", updates.upload, methods=["POST"]),
    Route("/box/update/check", updates.check, methods=["POST"]),
    Route("/box/update/look", updates.look, methods=["POST"]),
    Route("/box/update/install", updates.install, methods=["POST"]),
    Route("/box/update/restart", updates.restart, methods=["POST"]),
    Route("/box/reset", resetting.show, methods=["GET"]),
    Route("/box/reset", resetting.reset, methods=["POST"]),
    Route("/box/support", support.show),
    Route("/box/support/bundle.zip", support.bundle),
]
