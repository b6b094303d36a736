"""The webhook's receiver, over real HTTP: slow, rude, broken, away for long; and the queue that waits for it."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio
import trio.testing
from pydantic import SecretStr

from app.control import verbs
from app.control.refusals import Refusal, Why
from firmware.control.events import Events
from firmware.control.sessions import SessionVerbs
from firmware.storage import outbox
from firmware.webhooks import open_client
from provisioning.identity import identity
from tests.contract.webhook_box import QUICK_S, SECRET, all_told, are, box, eventually, tried
from tests.fakes.webhook_receiver import CUT, ENDLESS, FAILED, GARBAGE, HALF, TAKEN, moved, receiver

pytestmark = pytest.mark.contract


# -- receivers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (FAILED, 500, "it answered 500"),
        (GARBAGE, 0, "not HTTP"),
        (CUT, 0, "not HTTP"),
        (HALF, 0, "not HTTP"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (ENDLESS, 200, ""),
        (b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", 401, "it answered 401"),
    ],
    ids=["500", "garbage", "cut", "half", "204", "endless", "401"],
)
async def test_what_a_receiver_answers(tmp_path: Path, answer: bytes, status: int, words: str) -> None:
    async with receiver() as there, box(tmp_path) as b:
        there.answers(answer, TAKEN)
        await b.points_to(there.url)
        await b.ended()
        delivery = await b.becomes("delivered")
    first = delivery.attempts[0]
    assert (first.status, words in first.problem, bool(first.problem)) == (status, True, bool(words))
    assert len(delivery.attempts) == (2 if words else 1)
    assert set(there.ids()) == {delivery.id}


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async with receiver() as elsewhere, receiver() as there, box(tmp_path) as b:
        there.answers(moved(elsewhere.url))
        await b.points_to(there.url)
        await b.ended()
        delivery = await b.becomes("given up")
    assert elsewhere.told == []
    assert "redirects are not followed" in delivery.attempts[0].problem


async def test_a_silent_receiver_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as there, box(tmp_path) as b:
        monkeypatch.setattr("firmware.webhooks.client._ALL_S", 0.3)
        there.answer = lambda told: None if json.loads(told.body)["call"]["id"] == "silent" else TAKEN
        await b.points_to(there.url)
        await b.ended("silent")
        await b.ended("well")
        await there.is_told(2)
        await eventually(lambda: are(b, ["delivered", "given up"]))
        silent = (await b.deliveries())[1]
    assert "did not answer" in silent.attempts[0].problem
    assert silent.attempts[0].took_ms >= 300


async def test_nobody_there_for_long_then_it_is_told(tmp_path: Path) -> None:
    async with receiver() as gone:
        pass
    port = int(gone.url.split(":")[2].split("/")[0])
    async with box(tmp_path, delays_s=(0.05,) * 100) as b:
        await b.points_to(gone.url)
        await b.ended()
        await eventually(lambda: tried(b, 3))
        assert (await b.verbs.get_webhook(verbs.Empty())).waiting == 1
        async with receiver(port=port) as there:
            delivery = await b.becomes("delivered")
            assert len(there.told) == 1
    assert "nothing answers at its address" in delivery.attempts[0].problem


async def test_given_up_and_sent_again_by_hand(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path) as b:
        there.answers(FAILED)
        await b.points_to(there.url)
        await b.ended()
        delivery = await b.becomes("given up")
        assert len(delivery.attempts) == len(there.told) == 1 + len(QUICK_S)
        assert (await b.verbs.get_webhook(verbs.Empty())).given_up == 1
        there.answers(TAKEN)
        await b.verbs.resend_delivery(verbs.ById(id=delivery.id))
        await b.becomes("delivered")
        assert set(there.ids()) == {delivery.id}
        refusal = await b.verbs.resend_delivery(verbs.ById(id=delivery.id))
        assert isinstance(refusal, Refusal)
        assert refusal.why is Why.NOT_FOUND


async def test_names_and_certificates(tmp_path: Path) -> None:
    made = identity(tmp_path, ["localhost"], ["127.0.0.1"])
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(made.certificate, made.key)
    trust = ssl.create_default_context(cafile=str(made.certificate))
    async with receiver(tls=served) as there:
        async with box(tmp_path / "stranger") as b:
            await b.points_to(there.url)
            await b.ended()
            assert "certificate is not trusted" in (await b.becomes("given up")).attempts[0].problem
            assert there.told == []
        async with box(tmp_path / "known", trust=trust) as b:
            await b.points_to(there.url)
            await b.ended()
            await b.becomes("delivered")
    async with box(tmp_path / "nowhere") as b:
        for number, at in enumerate(
            ("http://crm.invalid", "https://crm..lan", "http://crm..lan", "http://xn--a.invalid")
        ):
            await b.points_to(f"{at}/calls")
            await b.ended(f"c{number}")
            assert "host name cannot be found" in (await b.becomes("given up")).attempts[0].problem


async def test_a_name_with_two_addresses_and_a_receiver_at_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both(*_: object) -> list[str]:
        await trio.lowlevel.checkpoint()
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr("firmware.webhooks.client.private_addresses", both)
    async with receiver() as there, open_client() as client:
        port = there.url.split(":")[2]
        answered = await client.post(f"http://crm.lan:{port}", SecretStr(SECRET), "e", "d", "{}", 0)
    assert answered.status == 200
    assert there.told[0].headers["host"].startswith("crm.lan:")


async def test_plain_http_to_a_name_of_the_internet_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def looked_up(*_: object, **__: object) -> list[tuple[object, ...]]:
        await trio.lowlevel.checkpoint()
        return [(None, None, None, "", ("93.184.216.34", 80))]

    monkeypatch.setattr("firmware.private_network.trio.socket.getaddrinfo", looked_up)
    async with open_client() as client:
        answered = await client.post("http://crm.example.com/calls", SecretStr(SECRET), "e", "d", "{}", 0)
    assert "not in your own network" in answered.problem


# -- the queue -------------------------------------------------------------------------------------------------


async def test_the_queue_is_bounded_and_nothing_of_what_waits_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 5)
    async with receiver() as there, box(tmp_path, delays_s=(0.02,) * 1000) as b:
        there.answers(FAILED)
        await b.points_to(there.url)
        for number in range(20):
            await b.ended(f"c{number}")
        await there.is_told(10)
        assert len(await b.deliveries()) == 5
        there.answers(TAKEN)
        await eventually(lambda: all_told(there, 20))


async def test_finished_deliveries_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "KEPT", 3)
    async with receiver() as there, box(tmp_path) as b:
        await b.points_to(there.url)
        for number in range(8):
            await b.ended(f"c{number}")
            await there.is_told(number + 1)
            await b.becomes("delivered")
        b.webhooks.wake()
        await eventually(lambda: are(b, ["delivered"] * 3))


async def test_a_session_that_is_deleted_is_not_told(tmp_path: Path) -> None:
    async with receiver() as there, box(tmp_path, delays_s=(3600,)) as b:
        there.answers(FAILED)
        await b.points_to(there.url)
        session_id = await b.ended()
        await there.is_told(1)
        await SessionVerbs(b.store, tmp_path, Events()).delete_session(verbs.ById(id=session_id))
        assert await b.deliveries() == ()
        left = await b.store.transact(lambda db: db.execute("SELECT count(*) FROM delivery_attempts").fetchone())
        assert left == (0,)


async def test_a_wrong_clock_delays_nothing_for_long(tmp_path: Path) -> None:
    async with receiver() as there:
        async with box(tmp_path, delays_s=(3600,)) as b:
            there.answers(FAILED)
            await b.points_to(there.url)
            await b.ended()
            await there.is_told(1)
            ahead = (datetime.now(UTC) + timedelta(days=365)).isoformat()
            await b.store.transact(lambda db: db.execute("UPDATE deliveries SET next_at = ?", (ahead,)))
        there.answers(TAKEN)
        async with box(tmp_path) as b:
            await b.becomes("delivered")
