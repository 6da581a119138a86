"""What was done with weights, in words for a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agent.models.weights.shelf import Broken, Installed


def added(done: Mapping[str, Any]) -> Iterator[str]:
    """Write what was taken in."""
    how = "linked to" if done["linked"] else "copied from"
    yield (
        f"{done['model']} is here: {done['bytes'] / 1e9:.2f} GB in {done['files']} files, "
        f"{how} {done['source']}"
    )


def removed(done: Mapping[str, Any]) -> Iterator[str]:
    """Write what was removed."""
    yield f"{done['model']} is gone: {done['bytes'] / 1e9:.2f} GB"


def verified(found: Sequence[Installed | Broken]) -> dict[str, Any]:
    """Return what hashing found, as plain values."""
    return {
        "good": all(isinstance(one, Installed) for one in found),
        "weights": [
            {
                "bytes": None,
                "why": None,
                **asdict(one),
                "folder": str(one.folder),
                "good": isinstance(one, Installed),
            }
            for one in found
        ],
    }


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write what hashing found."""
    for one in report["weights"]:
        if one["good"]:
            yield f"{one['variant']}: {one['bytes'] / 1e9:.2f} GB are what was brought"
        else:
            yield f"{one['variant']}: {one['why']}"
