"""What a report says of the machine: enough to compare, nothing that names a person."""

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from agent.models import card
from memory.sizing import usable_cores, usable_memory

_PACKAGES = ("cortical", "langgraph", "xllamacpp", "onnxruntime")


def facts() -> dict[str, Any]:
    """Return the machine and the versions of what the work is done with."""
    there = card.found()
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": usable_cores(),
        "memory_bytes": usable_memory(),
        "card": None if there is None else there.name,
        "card_bytes": None if there is None else there.total_bytes,
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
