"""The office's PBX, which stands for all tests that only telephone: its start takes longer than most of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

from tests.office.pbx import OfficeAccount, Pbx, office_accounts, pbx_instance
from tests.wire.box import until

PECULIAR = (
    *(OfficeAccount(codec, codecs=(codec,)) for codec in ("gsm", "ilbc", "speex", "g726", "alaw")),
    OfficeAccount("encrypted", media_encryption="sdes"),
    OfficeAccount("info", more="dtmf_mode = info"),
    OfficeAccount("203", codecs=("alaw",), more="dtmf_mode = inband"),
    OfficeAccount("202", more="allow_transfer = no"),
    OfficeAccount("login", login="desk-200"),
    OfficeAccount("ipv6", ipv6=True),
)
ACCOUNTS = office_accounts() | {each.user: each for each in PECULIAR}
"""Beside the usual ones, one for each peculiarity of a PBX, by its name."""


@pytest.fixture(scope="session")
def standing_pbx() -> Iterator[Pbx]:
    with pbx_instance(ACCOUNTS) as standing:
        trio.run(standing.start)
        try:
            yield standing
        finally:
            trio.run(standing.stop)


@pytest.fixture
async def pbx(standing_pbx: Pbx) -> Pbx:
    """With nobody on the line and nobody registered, whatever the test before left. A test that restarts or kills it
    has one of its own (`office_pbx`)."""
    await standing_pbx.rx("channel request hangup all")
    await standing_pbx.rx("database deltree registrar")

    async def is_quiet() -> bool:
        return not await standing_pbx.channels()

    await until(is_quiet)
    return standing_pbx
