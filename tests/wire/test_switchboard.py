"""One registration for each connection in use, at the real PBX."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
from pydantic import SecretStr

from app.establishing import Seen
from app.settings import Connection
from firmware.lifetimes import serving
from firmware.switchboard import Switchboard
from firmware.telephony import Account, Call, Cause, EndpointConfig, TelephonyError, run_endpoint
from tests.office.pbx import Pbx
from tests.patience import PATIENCE_S
from tests.wire.box import becomes, connection, until

pytestmark = pytest.mark.wire


@asynccontextmanager
async def switchboard() -> AsyncGenerator[Switchboard, None]:
    async with (
        serving(run_endpoint, EndpointConfig(user_agent="Deskbell/test")) as endpoint,
        trio.open_nursery() as lines,
    ):
        yield Switchboard(endpoint, lines, lambda _: None)
        lines.cancel_scope.cancel()


async def _registrations(pbx: Pbx) -> int:
    return len(await pbx.contacts())


async def test_two_agents_share_one_registration_until_the_last_leaves(pbx: Pbx) -> None:
    async with switchboard() as board:
        line = connection(pbx)
        async with board.joined("c", line, None) as first:
            await becomes(first, Cause.REGISTERED)
            async with board.joined("c", line, None) as second:
                assert second is first
                assert await _registrations(pbx) == 1
            assert first.registration.cause is Cause.REGISTERED
        assert board.account("c") is None
        assert await _registrations(pbx) == 0


async def test_calls_go_to_who_has_inbound_and_to_nobody_else(pbx: Pbx) -> None:
    came: list[Call] = []
    arrived = trio.Event()

    def take(call: Call) -> None:
        came.append(call)
        arrived.set()

    async with switchboard() as board:
        async with board.joined("c", connection(pbx), None) as account:
            await becomes(account, Cause.REGISTERED)
            await pbx.originate("200", "Wait", "30")
            await until(lambda: _quiet(pbx))  # refused: nobody has the Inbound switch
            async with board.joined("c", connection(pbx), take):
                await pbx.originate("200", "Wait", "30")
                with trio.fail_after(PATIENCE_S):
                    await arrived.wait()
                await came[0].answer()
                with trio.fail_after(PATIENCE_S):
                    await came[0].connected()
                await came[0].hang_up()
        assert len(came) == 1


async def _quiet(pbx: Pbx) -> bool:
    return not await pbx.channels()


async def test_an_edited_connection_registers_anew_and_its_calls_stay_up(pbx: Pbx) -> None:
    calls: list[Call] = []
    async with switchboard() as board, board.joined("c", connection(pbx), calls.append) as account:
        await becomes(account, Cause.REGISTERED)
        await pbx.originate("200", "Wait", "60")
        call = await _answered(calls)
        wrong = connection(pbx, password=SecretStr("not this"))
        async with board.joined("c", wrong, None):
            await becomes(account, Cause.WRONG_CREDENTIALS)
            assert not call.is_over
            async with board.joined("c", connection(pbx), None):
                await becomes(account, Cause.REGISTERED)
                assert not call.is_over
                assert await _registrations(pbx) == 1


async def _answered(calls: list[Call]) -> Call:
    with trio.fail_after(PATIENCE_S):
        while not calls:  # noqa: ASYNC110 - a list tells nobody
            await trio.sleep(0.02)
        await calls[0].answer()
        await calls[0].connected()
    return calls[0]


async def test_somebody_else_registered_as_it_so_it_registers_anew(pbx: Pbx) -> None:
    async with switchboard() as board, board.joined("c", connection(pbx), None) as account:
        before = await becomes(account, Cause.REGISTERED)
        board.renew(account.connection.user, account.connection.domain)
        await _again(account, before)
        assert await _registrations(pbx) == 1


async def _again(account: Account, before: object) -> None:
    with trio.fail_after(PATIENCE_S):
        async for registration in account.registrations():
            if registration.cause is Cause.REGISTERED and registration is not before:
                return


async def test_what_a_connection_has_seen_outlives_its_agents_and_ends_with_its_settings(pbx: Pbx) -> None:
    async with switchboard() as board:
        assert board.seen("c") == Seen()
        async with board.joined("c", connection(pbx, "gsm"), None) as account:
            await becomes(account, Cause.REGISTERED)
            await pbx.originate("gsm", "Wait", "30")
            await until(lambda: _has_failed(board))
        assert board.account("c") is None
        async with board.joined("c", connection(pbx, "gsm", password=SecretStr("another")), None):
            assert await _has_failed(board)
            async with board.joined("c", connection(pbx, "gsm", srtp="optional"), None):
                assert board.seen("c").failed == ()


async def _has_failed(board: Switchboard) -> bool:
    return bool(board.seen("c").failed)


async def test_an_account_that_goes_by_itself_takes_its_agents_along_with_the_reason() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other_program:
        other_program.bind(("::1", 0))  # IPv6 only: seen when the way to the PBX is known, not before
        port = other_program.getsockname()[1]
        line = Connection(name="Office", domain="[::1]:5060", user="200", password=SecretStr("x"), local_port=port)
        with trio.fail_after(PATIENCE_S), pytest.RaisesGroup(TelephonyError, flatten_subgroups=True) as told:
            async with switchboard() as board, board.joined("c", line, None):
                await trio.sleep_forever()
    assert f"port {port}/udp is taken" in str(told.value.exceptions)
