"""The box's configuration from a TOML file and the environment, or the problems in it, in words for its owner.

What a user edits (the connection, the agent) comes from the file; what the system decides (folders, ports, log level)
and the secrets come from the environment, so that neither the file nor the command line ever holds a password.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.settings import Agent, Connection, Settings
from app.workflow_checks import problems

_SECRETS = {"password": "DESKBELL_SIP_PASSWORD", "login": "DESKBELL_SIP_LOGIN"}


class Process(BaseSettings):
    """From `DESKBELL_*` variables. RTP ports: two per call, so the default range serves 50 calls. `control_socket`:
    where the page, which may be another user, asks; None: in the data folder. `update_folder`, `update_run`,
    `upload_folder`: where updates are noted, asked for, and uploaded to; None: they come with the system."""

    model_config = SettingsConfigDict(env_prefix="DESKBELL_", frozen=True, hide_input_in_errors=True)

    sip_password: SecretStr | None = None
    sip_login: SecretStr | None = None
    data: Path = Path("data")
    control_socket: Path | None = None
    update_folder: Path | None = None
    update_run: Path | None = None
    upload_folder: Path | None = None
    admin_port: int = Field(default=8443, ge=1, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    rtp_first_port: int = Field(default=16_384, ge=1024, le=65_000)
    rtp_last_port: int = Field(default=16_483, ge=1024, le=65_535)

    @model_validator(mode="after")
    def _ports_make_a_range(self) -> Process:
        if self.rtp_last_port - self.rtp_first_port < 3:
            raise ValueError("rtp_last_port must be at least 3 above rtp_first_port: a call needs two ports")
        return self


class BoxFile(Settings):
    connection: Connection
    agent: Agent


@dataclass(frozen=True, slots=True)
class Configuration:
    process: Process
    connection: Connection
    agent: Agent


@dataclass(frozen=True, slots=True)
class ConfigurationProblem:
    """Why the box can't start with this file: one line per fault, each with the place and what is expected."""

    file: Path
    faults: tuple[str, ...]

    def __str__(self) -> str:
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        return f"{self.file} can't be used:\n{lines}\ndeskbell.example.toml explains the keys."


def read_configuration(file: Path) -> Configuration | ConfigurationProblem:
    """Read `file` and the environment. Never raises for what a user typed."""
    try:
        typed = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ConfigurationProblem(file, ("there is no such file: copy deskbell.example.toml and fill it in",))
    except OSError as error:
        return ConfigurationProblem(file, (f"it can't be read ({error.strerror}): check its owner and mode",))
    except UnicodeDecodeError:
        return ConfigurationProblem(file, ("it is not UTF-8 text: save it as UTF-8",))
    except tomllib.TOMLDecodeError as error:
        return ConfigurationProblem(file, (f"it is not valid TOML: {error}",))
    return _validated(file, typed)


def read_process() -> Process | ConfigurationProblem:
    """The environment alone, for a box that is set up on its page."""
    try:
        return Process()
    except ValidationError as error:
        return ConfigurationProblem(Path("the environment"), tuple(_faults(error, "environment variable DESKBELL_")))


def _validated(file: Path, typed: dict[str, Any]) -> Configuration | ConfigurationProblem:
    try:
        process = Process()
    except ValidationError as error:
        return ConfigurationProblem(file, tuple(_faults(error, "environment variable DESKBELL_")))
    if faults := _secrets_in_file(typed) or _secrets_missing(process):
        return ConfigurationProblem(file, faults)
    connection = typed.get("connection")
    if isinstance(connection, dict):
        connection["password"] = process.sip_password
        connection["login"] = process.sip_login
    try:
        box = BoxFile.model_validate(typed)
    except ValidationError as error:
        return ConfigurationProblem(file, tuple(_faults(error, "")))
    if stuck := problems(box.agent):
        return ConfigurationProblem(file, tuple(f"agent.{where}: {text}" for where, text in stuck.items()))
    return Configuration(process, box.connection, box.agent)


def _secrets_in_file(typed: dict[str, Any]) -> tuple[str, ...]:
    connection = typed.get("connection")
    named = [key for key in _SECRETS if isinstance(connection, dict) and key in connection]
    return tuple(
        f"connection.{key}: secrets don't belong into a file that is copied around; remove the line and set "
        f"the environment variable {_SECRETS[key]}"
        for key in named
    )


def _secrets_missing(process: Process) -> tuple[str, ...]:
    if process.sip_password is None:
        return ("the SIP password is missing: set the environment variable DESKBELL_SIP_PASSWORD",)
    return ()


def _faults(error: ValidationError, prefix: str) -> list[str]:
    """One line per fault. Never the input: it may be a secret typed into the wrong place."""
    return [
        f"{prefix}{'.'.join(str(part) for part in fault['loc']) or 'settings'}: {_plain(fault['type'], fault['msg'])}"
        for fault in error.errors(include_input=False, include_url=False)
    ]


def _plain(kind: str, message: str) -> str:
    match kind:
        case "extra_forbidden":
            return "there is no such key; check the spelling"
        case "missing":
            return "this is required"
        case _:
            return message.removeprefix("Value error, ")
