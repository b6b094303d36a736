"""`python -I -S run.py ENGINE PACKAGES PACK SOCKET`: one pack, served on SOCKET until standard input ends.

Says "ready" once it can be asked, or "failed" and the kind of fault, and nothing else: what engines say may hold what
was said. When memory runs short, this goes first, and the telephone never.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from contextlib import suppress
from pathlib import Path

NICE = 5
"""Behind the telephone, as the recognisers of the box's own: audio first."""

_GOES_FIRST = "500"
"""Of 1000 (proc(5), oom_score_adj)."""


def main() -> None:
    engine, packages, pack, socket = sys.argv[1:5]
    sys.path[:0] = [packages, str(Path(__file__).parents[3])]
    _step_back()
    threading.Thread(target=_end_with_the_box, daemon=True).start()
    try:
        serve, opened = _opened(engine, Path(pack))
    except Exception as fault:  # noqa: BLE001 - whatever an engine makes of files that are not its own
        print(f"failed {type(fault).__name__}", flush=True)
        return
    serve(opened, Path(socket))


def _opened(engine: str, pack: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - see below
    """The engine's own packages are only on the path of this process, and no other may import them."""
    from models.neural.programs.serving import serve

    match engine:
        case "piper":
            from models.neural.programs.piper_voice import PiperPack

            return serve, PiperPack(pack)
        case "moonshine":
            from models.neural.programs.moonshine_ears import MoonshinePack

            return serve, MoonshinePack(pack)
        case _:
            raise LookupError(engine)


def _step_back() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what was said would be in it
    os.nice(NICE)
    with suppress(OSError):  # without /proc it works as well
        Path("/proc/self/oom_score_adj").write_text(_GOES_FIRST)


def _end_with_the_box() -> None:
    """Also when that was killed: nobody is left then who could end us."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
