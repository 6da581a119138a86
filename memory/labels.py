"""Where a piece of text came from, and whom it may be shown to.

Everything that is stored or said carries a `Label`. Labels join when texts meet, and a join only
ever rises: more origins, fewer readers. Nothing here lowers one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import Any

EVERYONE = "*"
"""The audience that holds every reader; the neutral element of the join."""

OWNER = "owner"
"""The person whose machine this is."""


class Origin(StrEnum):
    """The kind of place that words came from."""

    USER = "user"  # typed by the person at this machine
    ENGINE = "engine"  # computed by cortical itself: a clock, a count
    DOCUMENT = "document"  # read in a file
    MAIL = "mail"  # read in a message, its headers and file names included
    WEB = "web"  # read on a page
    PICTURE = "picture"  # recognised in an image
    RECORDING = "recording"  # recognised in speech


INSIDE = frozenset({Origin.USER, Origin.ENGINE})
"""The origins whose words may instruct. All others are outside words: material, never orders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """Origins and audience of a text."""

    origins: frozenset[Origin]
    audience: frozenset[str] = frozenset({OWNER})
    """Names of readers; `EVERYONE` alone means anybody."""

    @property
    def outside(self) -> bool:
        """Whether any of the words came from somebody other than the user or the engine."""
        return not self.origins <= INSIDE

    def join(self, other: "Label") -> "Label":
        """Return the label of a text made from both: all origins, and the readers of both."""
        if EVERYONE in self.audience:
            audience = other.audience
        elif EVERYONE in other.audience:
            audience = self.audience
        else:
            audience = self.audience & other.audience
        return Label(origins=self.origins | other.origins, audience=audience)

    def to_json(self) -> dict[str, list[str]]:
        """Return plain lists, sorted, for graph state and JSON columns."""
        origins = sorted(origin.value for origin in self.origins)
        return {"origins": origins, "audience": sorted(self.audience)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Label":
        """Read what `to_json` wrote. An unknown origin raises ValueError."""
        return cls(
            origins=frozenset(Origin(name) for name in data["origins"]),
            audience=frozenset(data["audience"]),
        )


USER_LABEL = Label(origins=frozenset({Origin.USER}))
ENGINE_LABEL = Label(origins=frozenset({Origin.ENGINE}), audience=frozenset({EVERYONE}))


def joined(labels: Iterable[Label]) -> Label:
    """Join many labels; of none, the engine's own."""
    found = list(labels)
    return reduce(Label.join, found) if found else ENGINE_LABEL
