# Deskbell's commands. Each sets up what it needs; `just --list` shows them.

set positional-arguments

venv := ".venv/bin"

_list:
    @just --list --unsorted

# make everything below work on a fresh Debian 12 (idempotent; a second run takes a second)
[no-exit-message]
setup:
    @command -v python3.11 >/dev/null || { echo "Python 3.11 is not installed. Run: sudo apt-get install python3.11 python3.11-venv" >&2; exit 1; }
    @PYTHONDONTWRITEBYTECODE=1 python3.11 -m image.setup

# the main job, shown: an office PBX, the box, and callers (--once ends by itself)
[no-exit-message]
demo *arguments: setup
    @{{venv}}/python -m tests.demo "$@"

# a campaign, shown: twenty people and machines are called, and what became of each (--once ends by itself)
[no-exit-message]
demo-campaign *arguments: setup
    @{{venv}}/python -m tests.demo.campaign "$@"

# the box with its page, against your PBX (--show: conversations too); --config FILE: one agent from a file, without it
[no-exit-message]
run *arguments: setup
    @case " $* " in *" --config"*) exec {{venv}}/python -m firmware "$@" ;; *) exec {{venv}}/python -m image.run "$@" ;; esac

# all tests but those of the image; arguments go to pytest
test *arguments: setup
    @{{venv}}/python -m tests.run "$@"

# format, lint, types and the rules of the tree
check: setup
    {{venv}}/ruff format --check .
    {{venv}}/ruff check .
    {{venv}}/mypy
    {{venv}}/python -m pytest -q -m rules

# measure: just bench speech|tick|wire|wire-llm|web|kills|machines|intent|campaign|boot|soak|barge|packs (writes build/bench/NAME.json), then summary (writes docs/measured.md)
[no-exit-message]
bench name *arguments: setup
    @{{venv}}/python -m tests.bench "$@"

# pictures of every page of a box in use (build/screens/showroom); --docs remakes those in docs/
[no-exit-message]
screens *arguments: setup
    @{{venv}}/python -m tests.web.screens "$@"

# fetch and verify the declared model files; names fetch optional ones; --with NAME [--from FOLDER]: a neural pack
[no-exit-message]
models *names: setup
    @{{venv}}/python -m models.fetch_packs "$@"

# write the lock files anew from pyproject.toml: just lock [--upgrade] (hashes, no addresses)
lock *arguments:
    @{{venv}}/uv pip compile --quiet "$@" --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --output-file requirements.lock
    @{{venv}}/uv pip compile --quiet "$@" --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --extra dev pyproject.toml --output-file requirements-dev.lock
    @for engine in moonshine piper; do {{venv}}/uv pip compile --quiet "$@" --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links models/neural/$engine.in --output-file models/neural/$engine.lock; done

# the image, made, booted in QEMU, updated and rolled back (root; a core to itself for four hours): just test-image [amd64|arm64]; more arguments go to pytest
[no-exit-message]
test-image board="amd64" *arguments: (image board)
    @shift; export DESKBELL_BOARD={{board}}; exec unshare --net sh -euc 'ip link set lo up; exec {{venv}}/python -m pytest -m image -o faulthandler_timeout=0 "$@"' test-image "$@"

# the disk image: just image amd64 (mini PC) or arm64 (Raspberry Pi) [--version V] [--with piper|moonshine] (root)
[no-exit-message]
image board *arguments: setup
    @{{venv}}/python -m image.make image "$@"

# the signed update bundle for boxes with an older version: just bundle VERSION [--board amd64] [--with piper|moonshine] (root)
[no-exit-message]
bundle version *arguments: setup
    @{{venv}}/python -m image.make bundle "$@"

# write the image to a card or stick, which loses all that is on it: just flash DEVICE [--board arm64] (root; asks first)
[no-exit-message]
flash device *arguments: setup
    @{{venv}}/python -m image.flash "$@"
