"""Which addresses and keys of language models can be entered."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.engines import ConnectivityDraft, HttpEars, HttpVoice, ModelServer, WyomingEars, WyomingVoice, role_of
from app.settings import REVEAL_SECRETS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("http://192.168.1.20:11434", "http://192.168.1.20:11434/v1"),
        ("http://192.168.1.20:11434/", "http://192.168.1.20:11434/v1"),
        (" http://ollama.office.lan/v1/ ", "http://ollama.office.lan/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("https://example.com/openai/deployments/x", "https://example.com/openai/deployments/x"),
        ("http://[fd00::1]:8080/v1", "http://[fd00::1]:8080/v1"),
        ("http://localhost:8080", "http://localhost:8080/v1"),
        ("http://100.64.0.7/v1", "http://100.64.0.7/v1"),
        ("https://8.8.8.8/v1", "https://8.8.8.8/v1"),
    ],
)
def test_an_address_is_kept_as_the_protocol_needs_it(typed: str, kept: str) -> None:
    assert ModelServer(base_url=typed, model="tiny").base_url == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "OpenAI-compatible"),
        ("192.168.1.20:11434", "OpenAI-compatible"),
        ("ftp://192.168.1.20", "OpenAI-compatible"),
        ("file:///etc/passwd", "OpenAI-compatible"),
        ("http://", "OpenAI-compatible"),
        ("http://user:secret@192.168.1.20", "OpenAI-compatible"),
        ("http://192.168.1.20/v1?key=secret", "OpenAI-compatible"),
        ("http://192.168.1.20/v1#x", "OpenAI-compatible"),
        ("http://192.168.1.20:99999", "OpenAI-compatible"),
        ("http://exa mple/v1", "OpenAI-compatible"),
        ("http://192.168.1.20/v 1", "OpenAI-compatible"),
        ("http://192.168.1.20/\r\nHost: x", "OpenAI-compatible"),
        ("http://[::1", "OpenAI-compatible"),
        ("http://8.8.8.8/v1", "https://"),
        ("http://[2606:4700::1111]/v1", "https://"),
        ("http://0.0.0.0/v1", "https://"),
        ("http://x/" + "y" * 300, "at most 300"),
    ],
)
def test_what_is_no_such_address_is_refused_without_repeating_it(typed: str, why: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ModelServer(base_url=typed, model="tiny")
    [fault] = caught.value.errors(include_input=False, include_url=False)
    assert why in fault["msg"]
    assert "secret" not in str(caught.value)


SERVER = {"kind": "language-model", "base_url": "http://10.0.0.1", "model": "tiny"}


def test_a_key_is_never_shown_and_reaches_the_vault() -> None:
    draft = ConnectivityDraft.model_validate({"name": "Office", "engine": SERVER, "api_key": " sk-canary "})
    assert "canary" not in repr(draft) + draft.model_dump_json()
    assert "sk-canary" in draft.model_dump_json(context=REVEAL_SECRETS)


@pytest.mark.parametrize("key", ["two words", "sk-ünïcode", "line\nbreak", "x" * 1001])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ConnectivityDraft.model_validate({"name": "Office", "engine": SERVER, "api_key": key})
    assert key not in str(caught.value)


def test_a_voice_has_no_key() -> None:
    with pytest.raises(ValidationError, match="only an OpenAI-compatible server has a key"):
        ConnectivityDraft.model_validate({"name": "x", "engine": {"kind": "text-to-speech"}, "api_key": "sk"})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("192.168.1.20:10300", "192.168.1.20:10300"),
        (" tcp://192.168.1.20:10300/ ", "192.168.1.20:10300"),
        ("ears.office.lan:10300", "ears.office.lan:10300"),
        ("[fd00::1]:10300", "[fd00::1]:10300"),
    ],
)
def test_a_wyoming_server_has_host_and_port(typed: str, kept: str) -> None:
    assert WyomingEars(address=typed).address == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "host and port"),
        ("192.168.1.20", "host and port"),
        ("192.168.1.20:0", "host and port"),
        ("192.168.1.20:99999", "host and port"),
        ("http://192.168.1.20:10300", "host and port"),
        ("secret@192.168.1.20:10300", "host and port"),
        ("192.168.1.20:10300/secret", "host and port"),
        ("192.168.1.20:10300\nx", "host and port"),
        ("unix:///run/secret", "host and port"),
        ("8.8.8.8:10300", "no encryption"),
        ("x" * 301, "at most 300"),
    ],
)
def test_what_is_no_wyoming_server_is_refused_without_repeating_it(typed: str, why: str) -> None:
    with pytest.raises(ValidationError) as caught:
        WyomingEars(address=typed)
    [fault] = caught.value.errors(include_input=False, include_url=False)
    assert why in fault["msg"]
    assert "secret" not in str(caught.value)


def test_what_people_paste_along_with_an_audio_servers_address_is_left_out() -> None:
    ears = HttpEars(base_url="http://10.0.0.1:8000/v1/audio/transcriptions", model="tiny")
    voice = HttpVoice(base_url="http://10.0.0.1:8000/v1/audio/speech/", model="tiny", voice="x")
    assert (ears.base_url, voice.base_url) == ("http://10.0.0.1:8000/v1",) * 2
    assert (role_of(ears), role_of(voice)) == ("speech-to-text", "text-to-speech")


def test_a_speaker_belongs_to_a_voice() -> None:
    with pytest.raises(ValidationError, match="fill in the voice"):
        WyomingVoice(address="10.0.0.1:10200", speaker="p239")
