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

# the box alone, against your PBX: just run --config deskbell.toml
[no-exit-message]
run *arguments: setup
    @{{venv}}/python -m firmware "$@"

# all tests but those of the image; arguments go to pytest
test *arguments: setup
    {{venv}}/python -m pytest -m "not image" "$@"

# format, lint, types and the rules of the tree
check: setup
    {{venv}}/ruff format --check .
    {{venv}}/ruff check .
    {{venv}}/mypy
    {{venv}}/python -m pytest -q -m rules

# measure: just bench speech|tick|wire|intent (writes build/bench/NAME.json), then summary (writes docs/measured.md)
[no-exit-message]
bench name *arguments: setup
    @{{venv}}/python -m tests.bench "$@"

# fetch and verify the declared model files; names fetch optional ones
[no-exit-message]
models *names: setup
    @{{venv}}/python -m models.fetch_packs "$@"

# write the lock files anew from pyproject.toml: just lock [--upgrade] (hashes, no addresses)
lock *arguments:
    @{{venv}}/uv pip compile --quiet "$@" --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --output-file requirements.lock
    @{{venv}}/uv pip compile --quiet "$@" --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --extra dev pyproject.toml --output-file requirements-dev.lock

# tests of the image: none yet
test-image:
    @echo "There is no image to test yet: image/ does not build one so far." >&2; exit 1

# the SD card or disk image: not yet
image board:
    @echo "Images are not built yet: image/ has no recipe for {{board}} so far." >&2; exit 1

# the signed update bundle: not yet
bundle:
    @echo "Update bundles are not built yet: they come with the image." >&2; exit 1

# write the image to a card: not yet
flash device:
    @echo "There is no image to write to {{device}} yet." >&2; exit 1
