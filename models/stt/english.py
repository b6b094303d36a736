"""Where the English model that the pocketsphinx package ships lies: no file of it is copied into this project."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def _package_folder() -> Path:
    # The package is located, not imported: importing it would load its engine into the process of the audio clock.
    spec = importlib.util.find_spec("pocketsphinx")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("pocketsphinx is not installed in this environment: run `just setup`")
    return Path(spec.submodule_search_locations[0])


_MODEL = _package_folder() / "model" / "en-us"
ACOUSTIC_MODEL = _MODEL / "en-us"
DICTIONARY = _MODEL / "cmudict-en-us.dict"
LANGUAGE_MODEL = _MODEL / "en-us.lm.bin"
