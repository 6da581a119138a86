"""Acts as the ledger knows them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from memory.labels import Label


class EffectState(StrEnum):
    """What is known of an act."""

    INTENDED = "intended"  # written before the act, which may or may not have happened
    DONE = "done"  # the act happened; its receipt is stored
    REFUSED = "refused"  # a person said no; never tried again
    UNKNOWN = "unknown"  # nobody can know; a person has to look


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """An act as it stands in the ledger."""

    key: str
    tool: str
    target: str
    arguments: dict[str, Any]
    label: Label


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What the ledger says of a key."""

    state: EffectState
    receipt: str | None
    fresh: bool
    """This very call wrote it; otherwise an earlier one did."""
