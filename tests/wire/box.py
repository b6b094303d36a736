"""The box's telephone, for tests that meet a real PBX, and waits for what they want to see."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio
from pydantic import SecretStr

from app.ports import Frame
from app.settings import Connection
from firmware.lifetimes import serving
from firmware.telephony import (
    Account,
    Call,
    Cause,
    Endpoint,
    EndpointConfig,
    Registration,
    RetryRule,
    run_account,
    run_endpoint,
)
from tests.office.pbx import Pbx
from tests.patience import PATIENCE_S

SOON = RetryRule(first_s=0.2, longest_s=0.5, said_no_s=300.0)
"""Retries without the waiting; what a PBX refused is still not asked again during a test."""


def connection(pbx: Pbx, extension: str = "200", **changes: object) -> Connection:
    """What the PBX's administrator gave out for `extension`."""
    account = pbx.accounts[extension]
    values: dict[str, object] = {
        "name": "Office",
        "domain": pbx.address,
        "user": account.user,
        "password": SecretStr(account.password),
        "login": SecretStr(account.login) if account.login else None,
    }
    return Connection.model_validate(values | changes)


def connection_to(address: str, **changes: object) -> Connection:
    """For a server at `address` that is no PBX."""
    values: dict[str, object] = {"name": "Nobody", "domain": address, "user": "200", "password": SecretStr("secret")}
    return Connection.model_validate(values | changes)


@asynccontextmanager
async def served(
    *connections: Connection, config: EndpointConfig | None = None, retry: RetryRule = SOON
) -> AsyncGenerator[tuple[Endpoint, list[Account]], None]:
    """An endpoint with these accounts, not waiting for any to be registered."""
    async with (
        serving(run_endpoint, config or EndpointConfig(user_agent="Deskbell/test")) as endpoint,
        _accounts(endpoint, list(connections), retry) as accounts,
    ):
        yield endpoint, accounts


@asynccontextmanager
async def _accounts(
    endpoint: Endpoint, connections: list[Connection], retry: RetryRule
) -> AsyncGenerator[list[Account], None]:
    if not connections:
        yield []
        return
    async with (
        serving(run_account, endpoint, connections[0], retry) as account,
        _accounts(endpoint, connections[1:], retry) as others,
    ):
        yield [account, *others]


@asynccontextmanager
async def registered(
    pbx: Pbx, user: str = "200", config: EndpointConfig | None = None, **changes: object
) -> AsyncGenerator[Account, None]:
    """`user`, registered."""
    async with served(connection(pbx, user, **changes), config=config) as (_, accounts):
        await becomes(accounts[0], Cause.REGISTERED)
        yield accounts[0]


async def becomes(account: Account, cause: Cause, within_s: float = PATIENCE_S) -> Registration:
    """Wait until the registration stands so."""
    seen: list[str] = []
    with trio.move_on_after(within_s):
        async for registration in account.registrations():
            seen.append(f"{registration.cause.name} {registration.sip_code} {registration.reason}")
            if registration.cause is cause:
                return registration
    raise AssertionError(f"never {cause.name}, but: {'; '.join(seen)}")


async def next_call(account: Account) -> Call:
    with trio.fail_after(PATIENCE_S):
        return await anext(account.incoming())


async def answered(account: Account) -> Call:
    """The next call, answered and connected."""
    call = await next_call(account)
    await call.answer()
    with trio.fail_after(PATIENCE_S):
        await call.connected()
    return call


async def heard(call: Call, frames: int) -> list[Frame]:
    """The next frames of the caller's, fewer if the call ends before."""
    ears, got = call.ears(), []
    with trio.fail_after(PATIENCE_S + frames * 0.02):
        async for frame in ears:
            got.append(frame)
            if len(got) == frames:
                break
    return got


@asynccontextmanager
async def sip_log(pbx: Pbx) -> AsyncGenerator[Callable[[], str], None]:
    """What the PBX's log says from here on, with all SIP messages."""
    began = pbx.log.stat().st_size
    await pbx.log_sip(True)
    yield lambda: pbx.log.read_bytes()[began:].decode(errors="replace")
    await pbx.log_sip(False)


async def until(fact: Callable[[], Awaitable[bool]], within_s: float = PATIENCE_S) -> None:
    """Wait for something that the PBX can only be asked for."""
    with trio.fail_after(within_s):
        while not await fact():  # noqa: ASYNC110  # another process: it sends no event
            await trio.sleep(0.05)


async def pressed(call: Call, count: int) -> str:
    digits = ""
    with trio.fail_after(PATIENCE_S):
        async for dtmf in call.dtmf():
            digits += dtmf.digit
            if len(digits) == count:
                break
    return digits
