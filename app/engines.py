"""What hears, speaks and thinks for agents: the engines behind the entries of Settings > Connectivity, as settings."""

from __future__ import annotations

import re
from typing import Annotated, Literal, cast
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, PlainSerializer, SecretStr, field_validator, model_validator

from app.settings import HOST, Name, Note, Settings, VoiceName, Words, one_line, reveal
from app.web_addresses import NEEDS_TLS, is_public

Role = Literal["speech-to-text", "text-to-speech", "language-model"]
"""What an engine does for an agent."""

_URL_PATH = re.compile(r"[A-Za-z0-9/._~:@!$&'()*+,;=%-]*")  # RFC 3986 3.3
_NO_URL = "must be the address of an OpenAI-compatible server, e.g. http://192.168.1.20:11434/v1, without user and key"
_NO_ADDRESS = "must be host and port of a Wyoming server, e.g. 192.168.1.20:10300"
_IN_CLEAR = "must be in your own network, since the Wyoming protocol has no encryption: strangers could hear callers"
# Of the OpenAI protocol: what people paste along with the address.
_OPERATION = re.compile(r"/(chat/completions|audio/transcriptions|audio/translations|audio/speech)$")


def _server_address(value: str) -> str:
    """As the paths are added to: without a slash at its end, with /v1 where there is no path at all."""
    parts = _parts(value.strip(), _NO_URL)
    known = parts.scheme in ("http", "https") and HOST.fullmatch(parts.netloc) and _URL_PATH.fullmatch(parts.path)
    if not known or parts.query or parts.fragment:
        raise ValueError(_NO_URL)
    if parts.scheme == "http" and is_public(parts.hostname or ""):
        raise ValueError(f"must begin with https:// since {NEEDS_TLS}")
    path = _OPERATION.sub("", parts.path.rstrip("/")) or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


def _wyoming_address(value: str) -> str:
    """`host:port`; "tcp://" before it, as other programs want it, is left out."""
    value = value.strip().removeprefix("tcp://").rstrip("/")
    parts = _parts(f"tcp://{value}", _NO_ADDRESS)
    if not (HOST.fullmatch(value) and parts.hostname and parts.port):
        raise ValueError(_NO_ADDRESS)
    if is_public(parts.hostname):
        raise ValueError(_IN_CLEAR)
    return value


def _parts(value: str, problem: str) -> SplitResult:
    """Raises: ValueError."""
    try:
        parts = urlsplit(one_line(value))
        _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(problem) from None
    return parts


BaseUrl = Annotated[
    str,
    Field(max_length=300, examples=["http://192.168.1.20:8000/v1"]),
    AfterValidator(_server_address),
]
Address = Annotated[str, Field(max_length=300, examples=["192.168.1.20:10300"]), AfterValidator(_wyoming_address)]
OneName = Annotated[str, Field(max_length=200), AfterValidator(lambda value: one_line(value.strip()))]
"""As a server calls something; empty for what it takes by itself."""


PackName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", examples=["piper-joe"])]
"""As it is told in a neural pack, and under Connectivity > Neural packs."""


class BoxEars(Settings):
    """The recogniser on the box. It is taught each agent's own words, so there is nothing to set."""

    kind: Literal["speech-to-text"] = "speech-to-text"


class WyomingEars(Settings):
    """A recogniser behind the Wyoming protocol, as Home Assistant's are."""

    kind: Literal["wyoming-speech-to-text"] = "wyoming-speech-to-text"
    address: Address
    model: OneName = ""


class HttpEars(Settings):
    """A recogniser behind OpenAI's audio protocol: POST /audio/transcriptions."""

    kind: Literal["openai-speech-to-text"] = "openai-speech-to-text"
    base_url: BaseUrl
    model: Words


class PackEars(Settings):
    """A recogniser that was uploaded as a neural pack, by the pack's name."""

    kind: Literal["pack-speech-to-text"] = "pack-speech-to-text"
    pack: PackName


class BoxVoice(Settings):
    """A voice on the box: "slt" is a woman's, "rms" a man's. 100 % is the pace at which it was recorded."""

    kind: Literal["text-to-speech"] = "text-to-speech"
    voice: VoiceName = "slt"
    speed_percent: int = Field(default=100, ge=75, le=130)


class WyomingVoice(Settings):
    """A voice behind the Wyoming protocol. `speaker`: one of several that a voice may have. `box_voice`: whose voice
    callers hear where the server fails."""

    kind: Literal["wyoming-text-to-speech"] = "wyoming-text-to-speech"
    address: Address
    voice: OneName = ""
    speaker: OneName = ""
    box_voice: VoiceName = "slt"

    @model_validator(mode="after")
    def _speaker_of_a_voice(self) -> WyomingVoice:
        if self.speaker and not self.voice:
            raise ValueError("a speaker belongs to a voice: fill in the voice, too")
        return self


class PackVoice(Settings):
    """A voice that was uploaded as a neural pack, by the pack's name. `box_voice`: as above."""

    kind: Literal["pack-text-to-speech"] = "pack-text-to-speech"
    pack: PackName
    box_voice: VoiceName = "slt"


class HttpVoice(Settings):
    """A voice behind OpenAI's audio protocol: POST /audio/speech. `sound`: what is asked for. A WAV file says itself
    how it is to be played; "pcm" has 24,000 samples a second, as the protocol has it. `box_voice`: as above."""

    kind: Literal["openai-text-to-speech"] = "openai-text-to-speech"
    base_url: BaseUrl
    model: Words
    voice: Words
    sound: Literal["wav", "pcm"] = "wav"
    box_voice: VoiceName = "slt"


class ModelServer(Settings):
    """A language model behind an OpenAI-compatible server, in the building or far away. `first_word_s`: how long
    callers wait for its first word before the receptionist on the box answers instead; its first sentence may take
    twice that."""

    kind: Literal["language-model"] = "language-model"
    base_url: str = Field(max_length=300, examples=["http://192.168.1.20:11434/v1"])
    model: Words
    first_word_s: float = Field(default=3.0, ge=1.0, le=10.0)

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        return _server_address(value)


ServedEars = WyomingEars | HttpEars | PackEars
ServedVoice = WyomingVoice | HttpVoice | PackVoice

Engine = Annotated[BoxEars | BoxVoice | ServedEars | ServedVoice | ModelServer, Field(discriminator="kind")]
"""What does the hearing, speaking or thinking behind one entry of Settings > Connectivity."""


def role_of(engine: Engine) -> Role:
    return cast("Role", engine.kind.removeprefix("wyoming-").removeprefix("openai-").removeprefix("pack-"))


ApiKey = Annotated[
    SecretStr,
    Field(max_length=1000),
    AfterValidator(lambda secret: SecretStr(_key(secret.get_secret_value()))),
    PlainSerializer(reveal, when_used="json"),
]


def _key(value: str) -> str:
    value = value.strip()
    if not all("!" <= mark <= "~" for mark in value):
        raise ValueError("must be the key alone, without spaces")
    return value


class ConnectivityDraft(Settings):
    """An entry of Settings > Connectivity as a form sends it. `api_key`, of an OpenAI-compatible server: None stays as
    it is stored, an empty one is removed."""

    name: Name
    description: Note = ""
    engine: Annotated[BoxVoice | ServedEars | ServedVoice | ModelServer, Field(discriminator="kind")]
    api_key: ApiKey | None = None

    @model_validator(mode="after")
    def _key_of_a_server(self) -> ConnectivityDraft:
        if self.api_key and not isinstance(self.engine, ModelServer | HttpEars | HttpVoice):
            raise ValueError("only an OpenAI-compatible server has a key: leave it out")
        return self
