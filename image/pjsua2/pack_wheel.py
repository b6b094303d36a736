"""Pack the built extension and its Python part into a wheel: `pack_wheel.py FOLDER VERSION OUT [MACHINE]`.

By hand and with the standard library, so that building needs neither setuptools nor an index of packages.
The format is PEP 427. Time stamps are fixed, so that the same inputs give the same file names and order.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

LONG_AGO = (1980, 1, 1, 0, 0, 0)


def record_line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def files(folder: Path, version: str, machine: str) -> dict[str, bytes]:
    info, tag = f"pjsua2-{version}.dist-info", tag_of(machine)
    contents = {
        f"_pjsua2.cpython-311-{machine}-linux-gnu.so": (folder / "_pjsua2.so").read_bytes(),
        "pjsua2.py": (folder / "pjsua2.py").read_bytes(),
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: pjsua2\nVersion: {version}\n"
            "Summary: SIP and media: pjproject's Python module, with Deskbell's patches\nLicense: GPL-2.0-or-later\n"
        ).encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: deskbell\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
    }
    record = "".join(record_line(name, data) for name, data in contents.items())
    contents[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    return contents


def tag_of(machine: str) -> str:
    return f"cp311-cp311-linux_{machine}"


def main(folder: Path, version: str, out: Path, machine: str) -> None:
    with zipfile.ZipFile(out / f"pjsua2-{version}-{tag_of(machine)}.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files(folder, version, machine).items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4])
