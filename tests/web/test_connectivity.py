"""Settings > Connectivity in a real browser: a voice that is heard, ears that hear, and who uses what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import trio
from playwright.sync_api import Page, expect

from tests.fakes.model_server import model_server
from tests.office.speech_servers import speech_server
from tests.office.voices import SPEAKERS, say
from tests.web.appliance import Appliance, appliance, browser, first_boot, played, shown, sign_in
from tests.web.canary import holding

pytestmark = pytest.mark.web

KEY, WRONG_KEY = "sk-canary-0123456789", "sk-wrong"
QUESTION = "What are your opening hours on Saturday?"


async def test_voices_and_ears_are_tested_on_the_page(tmp_path: Path) -> None:
    question = await say(SPEAKERS["rms"], QUESTION)
    async with appliance(tmp_path) as box, model_server(key=KEY) as server:
        server.answers("Good day. How can I help you?")
        assert await trio.to_thread.run_sync(_tested, box, question, tmp_path, server.base_url) == []
        assert server.keys[0] == WRONG_KEY
        assert set(server.keys[1:]) == {KEY}
        assert holding(tmp_path, KEY) == []


async def test_a_wyoming_server_of_the_office_is_made_tested_and_attached(tmp_path: Path) -> None:
    async with appliance(tmp_path) as box, speech_server("wyoming", tmp_path / "wyoming") as server:
        assert await trio.to_thread.run_sync(_served, box, server.address) == []
        assert server.did("hears") == 1
        assert server.did("speaks") == 1


def _served(box: Appliance, address: str) -> list[str]:
    with browser() as context:
        page = context.new_page()
        first_boot(page, box)
        page.goto(f"{box.address}/connectivity")
        broken = shown(page, "connectivity-list")
        page.get_by_role("link", name="Add a Wyoming server").click()
        page.get_by_label("Name").fill("Ears in the cellar")
        page.get_by_label("Address").fill("8.8.8.8:10300")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("the Wyoming protocol has no encryption").first).to_be_visible()
        broken += shown(page, "connectivity-server-wrong")
        page.get_by_label("Address").fill("127.0.0.1:9")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Hear").click()
        expect(page.get_by_text("nothing answers at its address")).to_be_visible()
        page.get_by_label("Address").fill(f"tcp://{address}")
        page.get_by_role("button", name="Save").click()
        page.get_by_label("Sentence").fill("Where can I park?")
        page.get_by_role("button", name="Hear").click()
        expect(page.get_by_text("It heard something after")).to_be_visible()
        expect(page.get_by_text("Where can i park.")).to_be_visible()
        broken += shown(page, "connectivity-server-ears")
        page.goto(f"{box.address}/connectivity")
        page.get_by_role("link", name="Add a Wyoming voice").click()
        page.get_by_label("Name").fill("Voice in the cellar")
        page.get_by_label("Address").fill(address)
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Speak").click()
        expect(page.get_by_text("It spoke. The first sound came after")).to_be_visible()
        assert 1.0 < played(page) < 5.0
        broken += shown(page, "connectivity-server-voice")
        page.goto(f"{box.address}/agents/new")
        page.get_by_label("Speech-To-Text").select_option(label="Ears in the cellar")
        page.get_by_label("Text-To-Speech").select_option(label="Voice in the cellar")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("“Reception” is saved.")).to_be_visible()
        page.goto(f"{box.address}/connectivity")
        expect(page.get_by_text("Used by Reception.")).to_have_count(2)
    return broken


def _tested(box: Appliance, question: Path, folder: Path, model: str) -> list[str]:
    with browser(microphone=_once_in_ten_seconds(question, folder)) as context:
        page = context.new_page()
        first_boot(page, box)
        broken = _a_voice_speaks(page, box)
        broken += _ears_hear_the_box(page, box)
        broken += _ears_hear_a_file_and_a_microphone(page, box, question)
        broken += _a_language_model_answers(page, box, model)
        broken += _an_agent_uses_them(page, box)
    with browser(script=False, dark=True) as context:
        page = context.new_page()
        sign_in(page, box)
        _without_script(page, box, question)
    return broken


def _once_in_ten_seconds(question: Path, folder: Path) -> Path:
    """The browser says the file again and again: a pause keeps the five seconds from holding it twice."""
    sound, rate_hz = soundfile.read(question, dtype="int16")
    path = folder / "microphone.wav"
    soundfile.write(path, np.pad(sound, (0, 10 * rate_hz - len(sound))), rate_hz, subtype="PCM_16")
    return path


def _a_voice_speaks(page: Page, box: Appliance) -> list[str]:
    page.goto(f"{box.address}/connectivity")
    page.get_by_role("link", name="Add a voice").click()
    page.get_by_label("Name").fill("Slow, a man")
    page.get_by_label("Voice").select_option("rms")
    page.get_by_label("Pace in per cent").fill("20")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Must be 75 or more.", exact=True)).to_be_visible()
    broken = shown(page, "connectivity-new-voice-wrong")
    page.get_by_label("Pace in per cent").fill("80")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Slow, a man” is saved.")).to_be_visible()
    page.get_by_label("Say this").fill("Good day to you.")
    page.get_by_role("button", name="Speak").click()
    expect(page.get_by_text("It works")).to_be_visible()
    assert 1.0 < played(page) < 4.0
    return broken + shown(page, "connectivity-voice")


def _ears_hear_the_box(page: Page, box: Appliance) -> list[str]:
    page.goto(f"{box.address}/connectivity/box-ears")
    page.get_by_label("Sentence").fill(QUESTION)
    page.get_by_role("button", name="Hear").click()
    expect(page.get_by_text("what are your opening hours on saturday").first).to_be_visible()
    played(page)
    return shown(page, "connectivity-ears")


def _ears_hear_a_file_and_a_microphone(page: Page, box: Appliance, question: Path) -> list[str]:
    page.get_by_label("Or your own voice").set_input_files(box.log)
    page.get_by_role("button", name="Hear").click()
    expect(page.get_by_text("this is not a WAV file").first).to_be_visible()
    broken = shown(page, "connectivity-ears-wrong-file")
    page.get_by_label("Or your own voice").set_input_files(question)
    page.get_by_role("button", name="Hear").click()
    expect(page.get_by_text("opening hours on saturday").first).to_be_visible()
    page.goto(f"{box.address}/connectivity/box-ears")
    page.get_by_role("button", name="Record five seconds").click()
    expect(page.get_by_text("Recorded. Now let the box hear it.")).to_be_visible()
    page.get_by_role("button", name="Hear").click()
    expect(page.get_by_text("opening hours").first).to_be_visible()
    return broken


def _a_language_model_answers(page: Page, box: Appliance, model: str) -> list[str]:
    """The wrong key is refused, and the page says so; then the right one."""
    page.goto(f"{box.address}/connectivity")
    page.get_by_role("link", name="Add a language model").click()
    page.get_by_label("Name").fill("Office model")
    page.get_by_label("Address").fill("http://8.8.8.8/v1")
    page.get_by_label("Model").fill("tiny")
    page.get_by_label("Key").fill(WRONG_KEY)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Must begin with https://").first).to_be_visible()
    broken = shown(page, "connectivity-model-wrong")
    page.get_by_label("Address").fill(model)
    page.get_by_label("Key").fill(WRONG_KEY)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Office model” is saved.")).to_be_visible()
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_text("it refuses the key")).to_be_visible()
    broken += shown(page, "connectivity-model-refused")
    assert page.get_by_label("Key").input_value() == "••••••••"
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Office model” is saved.")).to_be_visible()
    page.get_by_label("Ask this").fill("Who are you?")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_text("Good day. How can I help you?")).to_be_visible()
    expect(page.get_by_text("It works")).to_be_visible()
    assert KEY not in page.content()
    return broken + shown(page, "connectivity-model")


def _an_agent_uses_them(page: Page, box: Appliance) -> list[str]:
    page.goto(f"{box.address}/agents/new")
    page.get_by_label("Language model", exact=True).select_option(label="Office model")
    page.get_by_label("Instructions").fill("Be brief.")
    page.get_by_label("Text-To-Speech").select_option(label="Slow, a man")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Reception” is saved.")).to_be_visible()
    broken = shown(page, "agent-with-language-model")
    page.goto(f"{box.address}/connectivity")
    expect(page.get_by_text("Used by Reception.")).to_have_count(3)
    page.get_by_role("link", name="Slow, a man").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("it is attached to Reception.")).to_be_visible()
    return broken + shown(page, "connectivity-in-use")


def _without_script(page: Page, box: Appliance, question: Path) -> None:
    page.goto(f"{box.address}/connectivity/box-ears")
    page.get_by_label("Or your own voice").set_input_files(question)
    page.get_by_role("button", name="Hear").click()
    expect(page.get_by_text("opening hours on saturday").first).to_be_visible()
