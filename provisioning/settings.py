"""What the system decides for the page's processes, from `DESKBELL_*` variables."""

from __future__ import annotations

import socket
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

CERTIFICATE = "certificate.pem"
"""In the admin folder: read by the process that shows its fingerprint, made by the one that serves with it."""


class Process(BaseSettings):
    """`control_socket`: where the phone process is asked; None: in its data folder. `boot_folder`: where a set-up file
    may lie; None: nowhere. `upload_folder`: where updates are uploaded to; None: they come with the system.
    `admin_http_port`: only sends browsers on to `admin_port`; 0: not opened. `admin_names`: more host names that lead
    here, with commas."""

    model_config = SettingsConfigDict(env_prefix="DESKBELL_", frozen=True)

    data: Path = Path("data")
    control_socket: Path | None = None
    admin_folder: Path = Path("data/admin")
    boot_folder: Path | None = None
    upload_folder: Path | None = None
    admin_bind: str = "[::]"
    admin_port: int = Field(default=8443, ge=1, le=65535)
    admin_http_port: int = Field(default=8080, ge=0, le=65535)
    admin_names: str = ""

    @property
    def socket(self) -> Path:
        return self.control_socket or self.data / "control.sock"

    @property
    def names(self) -> tuple[str, ...]:
        """Host names of this machine, and those that its owner added."""
        host = socket.gethostname().casefold()
        added = [name.strip().casefold() for name in self.admin_names.split(",")]
        return tuple(name for name in (host, f"{host}.local", "localhost", *added) if name)
