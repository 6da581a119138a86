"""The samples that a selftest asks of. They are our own, and nothing is tuned on them."""

import json
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

_FOLDER = files("agent.selftest") / "samples"


def read(name: str) -> list[dict[str, Any]]:
    """Return a list of samples."""
    found: list[dict[str, Any]] = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def documents() -> Path:
    """Return the folder of documents and their questions."""
    with as_file(_FOLDER / "documents") as folder:
        return folder
