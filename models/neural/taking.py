"""`python -m models.neural.taking FILE FOLDER`: an untrusted pack is checked and unpacked, away from the telephone.

A process of its own: hashing and writing hundreds of megabytes beside the audio would hold the interpreter's lock each
few milliseconds, and whatever is wrong with the file stays in here. Its answer is one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Final

from models.neural import pack_file

NICE = 15

MOST_MEMORY: Final = 256 * 1024 * 1024
"""Bytes. It takes 30 MB of them for the largest pack: a file that is nothing but a list of members would take eight
times its size, beside the telephone."""


def main() -> int:
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    pack, folder = (Path(each) for each in sys.argv[1:3])
    try:
        answer: dict[str, str] = {"name": pack_file.unpacked(pack, folder).name}
    except pack_file.PackFault as fault:
        answer = {"fault": str(fault)}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
