"""A box without a password: the code on its console is the only way in, until somebody has chosen one.

The code is made once and kept in the admin folder: whoever read it from the console can still use it when the page, or
the whole box, was started again meanwhile. It goes when there is a password; without one, there is a new code.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from provisioning.files import replace_file

_DIGITS = 8
_CODE = re.compile(rf"[0-9]{{{_DIGITS}}}")


def password_file(folder: Path) -> Path:
    """While it is missing, the box is new."""
    return folder / "password"


def set_up_code(folder: Path) -> str:
    """The code of a box without a password, made if missing. Raises: OSError."""
    file = _code_file(folder)
    kept = file.read_text(errors="replace") if file.exists() else ""
    if _CODE.fullmatch(kept):
        return kept
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
    replace_file(file, code.encode())
    return code


def forget_set_up_code(folder: Path) -> None:
    """There is a password. Raises: OSError."""
    _code_file(folder).unlink(missing_ok=True)


def in_groups(code: str) -> str:
    """As people read it out: 1234 5678."""
    return f"{code[: _DIGITS // 2]} {code[_DIGITS // 2 :]}"


def _code_file(folder: Path) -> Path:
    return folder / "set-up-code"
