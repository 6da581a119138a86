"""What a prompt is made of, and what of it is given up. Pure."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage

from graphs.state import Summary
from memory.labels import Label

QUESTION = "question"
"""Key of the question among the single texts."""

RESULT_CHARACTERS = 40_000
"""Of a result that a prompt shows at most, in a context of any size."""

_TEXTS = uuid.UUID("6f0c1f5e-5d0b-4a58-9d0e-2f3f6f1f8f10")


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """A message of the history with its label."""

    message: AnyMessage
    label: Label


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A passage as it stands in a prompt."""

    number: int
    text: str
    """With its heading."""
    rank: int
    """Its position in the search that found it, from 0: the highest number is given up first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A call and what it gave."""

    call: str
    name: str
    arguments: Mapping[str, Any]
    text: str
    """At most `RESULT_CHARACTERS` from its beginning."""
    characters: int
    """Of the whole text, which is stored."""
    artifact: str
    passages: tuple[Shown, ...] = ()
    """Passages that this call brought into view."""

    @property
    def begun(self) -> bool:
        """Whether the text is only the beginning of what is stored."""
        return len(self.text) < self.characters


Round = tuple[Result, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Whole:
    """An earlier turn that is shown as it was."""

    at: int
    """Where its question stands among the earlier messages."""
    asked: str
    passages: tuple[Shown, ...]
    above: tuple[int, ...]
    """Numbers of passages of turns before it that its question found again."""
    rounds: tuple[Round, ...]
    answers: tuple[AnyMessage, ...]
    """What was said to it, with marks that point to the passages."""

    @property
    def ends(self) -> int:
        """Where the next turn begins among the earlier messages."""
        return self.at + 1 + len(self.answers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """All that a prompt could show, in the order in which it stands there."""

    thread_id: str
    system: str
    earlier: tuple[Earlier, ...]
    """The messages before this turn's question; marks of answers whose passages are not shown would
    point to others, so they have none."""
    summary: Summary | None
    """Stands for the first of them."""
    passages: tuple[Shown, ...]
    """Those that were found before the executive was asked."""
    question: str
    asked_by: Label
    rounds: tuple[Round, ...] = ()
    wholes: tuple[Whole, ...] = ()
    """Turns of the history that are shown as they were."""
    above: tuple[Shown, ...] = ()
    """Passages of theirs that the question has found again."""
    recalled: tuple[Shown, ...] = ()
    """Passages of theirs that only calls of this turn have found again."""
    more: tuple[AnyMessage, ...] = ()
    tools: int = 0
    """How many tools are offered."""

    def alone(self) -> "Parts":
        """Return the parts without earlier turns as they were.

        What of them this turn has found again is shown with its own passages.
        """
        found = (*self.above, *self.recalled)
        ranked = tuple(replace(one, rank=rank) for rank, one in enumerate(found))
        return replace(self, wholes=(), above=(), recalled=(), passages=(*ranked, *self.passages))

    @property
    def results(self) -> list[Result]:
        """All results, the oldest first."""
        return [result for one in self.rounds for result in one]

    @property
    def all_passages(self) -> list[Shown]:
        """All passages, in the order of their numbers."""
        found = [one for result in self.results for one in result.passages]
        return [*self.passages, *found]

    @property
    def covered(self) -> int:
        """How many earlier messages the summary stands for."""
        return self.summary["covers"] if self.summary else 0

    @property
    def turns(self) -> list[int]:
        """Where the turns of the history begin, those under the summary left out."""
        starts = [
            at
            for at, one in enumerate(self.earlier)
            if at == self.covered or isinstance(one.message, HumanMessage)
        ]
        return [at for at in starts if at >= self.covered]

    @property
    def texts(self) -> dict[str, str]:
        """The single texts that may themselves be too large, by their keys."""
        found = {QUESTION: self.question}
        found |= {earlier_key(at): str(one.message.text) for at, one in enumerate(self.earlier)}
        return found | {more_key(at): str(one.text) for at, one in enumerate(self.more)}


def earlier_key(at: int) -> str:
    """Return the key of an earlier message."""
    return f"earlier {at}"


def more_key(at: int) -> str:
    """Return the key of a message behind the results."""
    return f"more {at}"


def text_id(thread_id: str, text: str) -> str:
    """Return the id under which a text that is too large is kept: the same for the same text."""
    return str(uuid.uuid5(_TEXTS, f"{thread_id}\n{text}"))


def reference(artifact: str) -> str:
    """Return what a prompt calls an artifact: short, since a model has to copy it."""
    return artifact[:8]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cuts:
    """What of the parts is given up."""

    answer_tokens: int
    """Room that is left for the answer."""
    results: Mapping[str, int] = field(default_factory=dict)
    """Characters that are shown of a result, by its call."""
    condensed: int = 0
    """Earlier messages that a summary stands for."""
    passages: frozenset[int] = frozenset()
    """Numbers of passages that are not shown."""
    texts: Mapping[str, int] = field(default_factory=dict)
    """Characters that are shown of a single text, by its key."""
    rounds: int = 0
    """Rounds of calls that are not shown, from the oldest on."""
    tools: bool = False
    """Whether no tool is offered."""

    @property
    def shortened(self) -> list[str]:
        """Keys of the single texts that are shown in part."""
        gone = {earlier_key(at) for at in range(self.condensed)}
        return [key for key in self.texts if key not in gone]


@dataclass(frozen=True, kw_only=True, slots=True)
class Omission:
    """What is said to be left out."""

    what: str
    count: int
    of: int


def omissions(parts: Parts, cuts: Cuts) -> Sequence[Omission]:
    """Return all that these cuts leave out, as it is told to whoever watches."""
    rounds = parts.rounds[cuts.rounds :]
    results = [result for one in rounds for result in one]
    shortened = [result for result in results if result.begun or result.call in cuts.results]
    before = [result for whole in parts.wholes for one in whole.rounds for result in one]
    passages = [*parts.passages, *(one for result in results for one in result.passages)]
    gone = sum(one.number in cuts.passages for one in passages)
    dropped = parts.summary["dropped"] if parts.summary else 0
    listed = parts.summary["lines"] if parts.summary else 0
    found = [
        Omission(what="earlier messages", count=cuts.condensed, of=len(parts.earlier)),
        Omission(what="lines of the summary", count=dropped, of=dropped + listed),
        Omission(what="passages", count=gone, of=len(passages)),
        Omission(what="ends of results", count=len(shortened), of=len(results)),
        Omission(
            what="ends of results of earlier turns",
            count=sum(result.begun for result in before),
            of=len(before),
        ),
        Omission(what="rounds of calls", count=cuts.rounds, of=len(parts.rounds)),
        Omission(what="tools", count=parts.tools if cuts.tools else 0, of=parts.tools),
    ]
    texts = parts.texts
    for key in cuts.shortened:
        size = len(texts[key])
        what = f"characters of {said_key(key)}"
        found.append(Omission(what=what, count=size - cuts.texts[key], of=size))
    return [one for one in found if one.count]


def said_key(key: str) -> str:
    """Return what a single text is called."""
    if key == QUESTION:
        return "the question"
    return "an earlier message" if key.startswith("earlier") else "the last answer"
