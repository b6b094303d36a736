"""What a new version is judged by, with the real database, vault, recogniser and voice, and a page over real TLS."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import trio
from pydantic import SecretStr

from app.agents.roster import Roster
from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.control.updating import RestartBox, Stage
from app.settings import Account
from firmware import telephony, trying
from firmware.audio.resampling import Samples
from firmware.control.look import Scene
from firmware.control.updates import UpdateVerbs
from firmware.employer import AtWork
from firmware.newer_versions import News
from firmware.storage import SqliteLedger, ledger, records
from firmware.switchboard import Switchboard
from firmware.update.looks import SENTENCE, Looks, ears
from firmware.update.proof import Check, Found, Proven
from firmware.update.prover import prove
from firmware.update.service import Outside, Updates
from firmware.update.trial import Trial
from firmware.vault import open_vault
from models.packs import PackProblem
from provisioning.identity import identity

pytestmark = pytest.mark.contract

NOW = datetime(2026, 11, 26, tzinfo=UTC)
TRIAL = Trial(
    version="1.1.0", slot="B", from_version="1.0.0", from_slot="A", at=NOW, boot="x", stage="installed",
    registered=("c1",),
)  # fmt: skip


class Switch:
    """A switchboard on which connections are registered, or not."""

    def __init__(self) -> None:
        self.cause = telephony.Cause.REGISTERED

    def account(self, _: str) -> object:
        registration = telephony.Registration(self.cause)
        return SimpleNamespace(registration=registration, connection=SimpleNamespace(user="200", domain="pbx"))


@asynccontextmanager
async def looking(
    folder: Path, vault_folder: str = "vault", gap_ms: float = 0.0, port: int = 1
) -> AsyncGenerator[tuple[Looks, Switch, SqliteLedger], None]:
    vault = open_vault(folder / vault_folder)
    gaps = SimpleNamespace(count=1000, quantile_ms=lambda _: gap_ms)
    switch = Switch()
    async with ledger(folder / "box.sqlite") as store:
        scene = Scene(cast("Roster", None), {}, cast("Switchboard", switch), vault)
        yield Looks(store, scene, cast("telephony.Endpoint", SimpleNamespace(gaps=gaps)), port), switch, store


async def add_connection(folder: Path, store: SqliteLedger) -> None:
    sealed = open_vault(folder / "vault").seal("connections", "c1", "password", 1, SecretStr("correct horse"))
    account = Account(name="Office", domain="pbx.example", user="200")
    record = records.ConnectionRecord("c1", 1, NOW, account, records.Sealed(sealed, 1), None)
    await store.transact(lambda db: records.write_connection(db, record))


async def test_a_password_that_was_readable_before_must_be_readable(tmp_path: Path) -> None:
    async with looking(tmp_path) as (looks, _, store):
        await add_connection(tmp_path, store)
        assert (await looks.settings(TRIAL)).good
        assert await looks.unreadable() == {}
    async with looking(tmp_path, "another vault") as (looks, _, _store):
        found = await looks.settings(TRIAL)
        assert (found.good, found.final) == (False, True)
        assert "“Office”" in found.why
        assert (await looks.settings(TRIAL.model_copy(update={"unreadable": ("c1",)}))).good
        assert (await looks.settings(None)).good, "a box that starts as always tells that elsewhere"


async def test_what_was_registered_must_be_registered_again(tmp_path: Path) -> None:
    async with looking(tmp_path) as (looks, switch, store):
        gone = await looks.registration(TRIAL)
        assert (gone.good, gone.final) == (False, True), "its settings are not those of before"
        await add_connection(tmp_path, store)
        assert (await looks.registration(TRIAL)).good
        assert await looks.registered() == ("c1",)
        switch.cause = telephony.Cause.UNREACHABLE
        found = await looks.registration(TRIAL)
        assert (found.good, found.final, "“Office”" in found.why) == (False, False, True)
        assert await looks.registered() == ()
        assert (await looks.registration(TRIAL.model_copy(update={"registered": ()}))).good


@pytest.mark.parametrize(("gap_ms", "good"), [(21.0, True), (200.0, True), (201.0, False)])
async def test_holes_in_the_audio(tmp_path: Path, gap_ms: float, good: bool) -> None:
    async with looking(tmp_path, gap_ms=gap_ms) as (looks, _, _store):
        assert (await looks.audio(None)).good is good


async def test_the_box_understands_itself() -> None:
    """Looked at again where a machine that tests everything else too gives up on its recogniser."""
    said = await prove({Check.EARS: ears}, (Check.EARS,), None)
    assert said == Proven()


@pytest.mark.parametrize(("heard", "final"), [("", False), ("the to a", True)])
async def test_a_recogniser_that_is_late_gets_another_chance(
    monkeypatch: pytest.MonkeyPatch, heard: str, final: bool
) -> None:
    """Nothing is understood when a busy machine gives up on it; always wrong words are a model's fault."""

    async def said(*_: object, **__: object) -> trying.Understood:
        return trying.Understood(heard, heard, 1)

    monkeypatch.setattr(trying, "hear", said)
    found = await ears(None)
    assert (found.good, found.final) == (False, final)


async def test_a_sentence_misheard_once_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a voice that never says it twice alike: what is misheard once would be misheard always."""
    heard, sounds = iter(["the to a", "to at the", SENTENCE]), list[bytes]()

    async def said(samples: Samples, **__: object) -> trying.Understood:
        text = next(heard)
        sounds.append(samples.tobytes())
        return trying.Understood(text, text, 1)

    monkeypatch.setattr(trying, "hear", said)
    assert (await ears(None)).good
    assert len(set(sounds)) == 3


async def test_a_model_that_is_broken_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise PackProblem("english.lm is damaged")

    monkeypatch.setattr(trying, "hear", broken)
    found = await ears(None)
    assert (found.good, found.final, "english.lm is damaged" in found.why) == (False, True, True)


async def answering(answer: bytes, stream: trio.SSLStream[trio.SocketStream]) -> None:
    await stream.receive_some(1000)
    await stream.send_all(answer)
    await stream.aclose()


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 303 See Other\r\n\r\n", True),
        (b"HTTP/1.1 500 Internal\r\n\r\n", False),
        (b"SSH-2.0", False),
    ],
)
async def test_a_page_that_answers(tmp_path: Path, answer: bytes, good: bool) -> None:
    ours = identity(tmp_path, ["localhost"], [])
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(ours.certificate, ours.key)
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, host="127.0.0.1", https_compatible=True)
        [listener] = await nursery.start(serve, partial(answering, answer), 0, tls)
        port = listener.transport_listener.socket.getsockname()[1]
        async with looking(tmp_path, port=port) as (looks, _, _store):
            assert (await looks.page(None)).good is good
        nursery.cancel_scope.cancel()


async def test_no_page_at_all(tmp_path: Path) -> None:
    async with looking(tmp_path, port=1) as (looks, _, _store):
        assert await looks.page(None) == Found(good=False, why="its page could not be reached")


def test_every_check_has_its_look(tmp_path: Path) -> None:
    looks = Looks(cast("SqliteLedger", None), cast("Scene", None), cast("telephony.Endpoint", None), 1)
    assert set(looks.all()) == set(Check)


# -- the verbs ---------------------------------------------------------------------------------------------------


async def nobody() -> tuple[str, ...]:
    return ()


async def no_address() -> str:
    return ""


@asynccontextmanager
async def asking(stage: Stage, *, in_call: bool = False) -> AsyncGenerator[tuple[UpdateVerbs, Updates], None]:
    desk = SimpleNamespace(agent=SimpleNamespace(plan=SimpleNamespace(settings=SimpleNamespace(name="Reception"))))
    busy = {"a1": cast("AtWork", SimpleNamespace(agent=desk.agent, reception=SimpleNamespace(opened=1)))}
    scene = Scene(cast("Roster", None), busy if in_call else {}, cast("Switchboard", None), cast("object", None))  # type: ignore[arg-type]  # nobody opens a secret
    async with trio.open_nursery() as nursery:
        outside = SimpleNamespace(changed=lambda: None, registered=nobody, unreadable=nobody)
        updates = Updates(None, cast("Outside", outside), nursery)
        updates.state.stage = stage
        yield UpdateVerbs(updates, News(no_address, lambda: updates.state.box, lambda: None), scene, nursery), updates
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("stage", Stage)
async def test_each_is_done_only_when_it_can_be(stage: Stage) -> None:
    free = stage in (Stage.IDLE, Stage.REFUSED, Stage.READY)
    async with asking(stage) as (answers, _):
        answer = await answers.check_update(verbs.Empty())
        assert isinstance(answer, Refusal) is not free
    async with asking(stage) as (answers, _):
        refused = await answers.install_update(verbs.Empty())
        assert isinstance(refused, Refusal) is (stage is not Stage.READY)
        if isinstance(refused, Refusal):
            assert refused.why is Why.NOT_NOW
    async with asking(stage) as (answers, _):
        may = free or stage is Stage.INSTALLED
        assert isinstance(await answers.restart_box(RestartBox(when="now")), Refusal) is not may


async def test_without_an_address_nobody_can_be_asked() -> None:
    async with asking(Stage.IDLE) as (answers, _):
        refused = await answers.look_for_update(verbs.Empty())
        assert isinstance(refused, Refusal)
        assert "Enter one under Box" in refused.text
    async with asking(Stage.ELSEWHERE) as (answers, _):
        refused = await answers.look_for_update(verbs.Empty())
        assert isinstance(refused, Refusal)
        assert "updates come with the system" in refused.text


async def test_a_restart_that_cuts_a_call_off_is_confirmed() -> None:
    async with asking(Stage.INSTALLED, in_call=True) as (answers, _):
        refused = await answers.restart_box(RestartBox(when="now"))
        assert isinstance(refused, Refusal)
        assert refused.names == ("Reception",)
        assert await answers.restart_box(RestartBox(when="now", confirmed=True)) == views.Nothing()


async def test_a_restart_can_be_put_off_and_taken_back() -> None:
    async with asking(Stage.INSTALLED, in_call=True) as (answers, _):
        for when, told in (("idle", ("idle", None)), ("hour", ("hour", 4)), ("never", ("", None))):
            await answers.restart_box(RestartBox.model_validate({"when": when, "hour": 4}))
            view = await answers.get_update(verbs.Empty())
            assert (view.restart, view.restart_hour) == told
