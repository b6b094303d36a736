"""Where setup reads and writes."""

from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
BUILD = TREE / "build"
STAMPS = BUILD / "stamps"
VENV = TREE / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
LOCK = TREE / "requirements-dev.lock"
PACKAGE_LIST = TREE / "image" / "debian-packages.txt"
PJSUA2_BUILD = TREE / "image" / "pjsua2" / "build.sh"
WHEELS = BUILD / "wheels"
