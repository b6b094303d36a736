"""`just bench NAME`: each bench is the module of its name here, with _ for -, and `main(arguments) -> exit status`."""

from __future__ import annotations

import sys
from importlib import import_module

BENCHES = (
    *("speech", "intent", "tick", "turns", "wire", "wire-llm", "web", "kills", "machines", "answers", "campaign"),
    *("boot", "dictation", "soak", "barge", "packs"),
    "summary",
)


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in BENCHES:
        print(f"which bench? One of: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    name, *rest = arguments
    return int(import_module(f"tests.bench.{name.replace('-', '_')}").main(rest))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
