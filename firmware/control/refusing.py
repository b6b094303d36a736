"""What the verbs refuse with, in words for the person who asked."""

from __future__ import annotations

from typing import assert_never

from app.control.refusals import Refusal, Why
from firmware.storage.records import Miss, Taken


def not_found(what: str) -> Refusal:
    text = f"There is no such {what}: it may have been deleted meanwhile. Go back to the list and look again."
    return Refusal(why=Why.NOT_FOUND, text=text)


def missed(why: Miss, what: str) -> Refusal:
    match why:
        case Miss.GONE:
            return not_found(what)
        case Miss.OVERTAKEN:
            text = (
                f"The {what} was not saved: somebody changed it after you opened it, maybe you in another tab. What "
                "you typed is still here. Open it in a new tab to see what changed, then save again what you want to "
                "keep."
            )
            return Refusal(why=Why.CHANGED_MEANWHILE, text=text)
        case _:
            assert_never(why)


def taken(why: Taken, what: str) -> Refusal:
    if why.what == "inbound":
        text = (
            f"Inbound was not switched on: “{why.by}” answers the calls of the connection “{why.where}”, and only one "
            "agent can. Switch Inbound off there first, or make a connection with an extension of its own."
        )
        return Refusal(why=Why.TAKEN, text=text, fields={"attachments": text}, names=(why.by,))
    text = f"Another {what} is named “{why.by}” already. Choose another name."
    return Refusal(why=Why.TAKEN, text=text, fields={"name": text}, names=(why.by,))


def calls_go_on(names: tuple[str, ...], not_done: str) -> Refusal:
    """`names`: of the agents that are in calls."""
    text = (
        f"{not_done}: a call goes on with {', '.join(f'“{name}”' for name in names)} and would be cut off. Wait for "
        "its end, or confirm to do it all the same."
    )
    return Refusal(why=Why.NOT_NOW, text=text, names=names)
