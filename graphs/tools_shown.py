"""Which tools the executive is told of. Pure.

With few tools all. With many those whose names, descriptions and arguments match what was asked;
they keep the order in which they were registered, so that prompts begin alike.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graphs import words
from tools.base import ToolSpec

FINDER = "find_tools"
"""The tool that shows others. It is offered only where some are not shown."""

_NARROW = 3
_NAME, _DESCRIPTION, _ARGUMENT = 3.0, 2.0, 1.0
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")


def chosen(
    specs: Sequence[ToolSpec], question: str, *, limit: int, called: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return the names of the tools to show, at most `limit` beside those that always are."""
    plain = [spec for spec in specs if spec.name != FINDER]
    if len(plain) <= limit:
        return tuple(spec.name for spec in plain)
    wanted = {*called, FINDER, *(spec.name for spec in specs if spec.always_shown)}
    rest = [spec for spec in plain if spec.name not in wanted]
    room = max(0, limit - len(wanted - {FINDER}))
    wanted |= {spec.name for spec in ranked(rest, question)[:room]}
    return tuple(spec.name for spec in specs if spec.name in wanted)


def narrowed(specs: Sequence[ToolSpec], question: str) -> tuple[str, ...]:
    """Return the names of the tools to show a model without judgement: it chooses by chance.

    They are those that match at least half as well as the best, three at most; all where none does.
    """
    scores = _scores(specs, question)
    best = max(scores, default=0.0)
    near = sorted((score for score in scores if score >= best / 2), reverse=True)[:_NARROW]
    if not best:
        return tuple(spec.name for spec in specs)
    pairs = zip(specs, scores, strict=True)
    return tuple(spec.name for spec, score in pairs if score >= near[-1])[:_NARROW]


def ranked(specs: Sequence[ToolSpec], text: str) -> list[ToolSpec]:
    """Return the tools, those that match the text best first; equals in their order."""
    scores = _scores(specs, text)
    order = sorted(range(len(specs)), key=lambda index: -scores[index])
    return [specs[index] for index in order]


def _scores(specs: Sequence[ToolSpec], text: str) -> list[float]:
    bags = [_Bag.of(spec) for spec in specs]
    weights = {term: _rarity(term, bags) for term in words.content(text)}
    return [bag.score(weights) for bag in bags]


def matching(specs: Sequence[ToolSpec], text: str, *, limit: int) -> list[ToolSpec]:
    """Return the tools that match a text at all, best first."""
    asked = dict.fromkeys(words.content(text), 1.0)
    found = [spec for spec in specs if _Bag.of(spec).score(asked) > 0]
    return ranked(found, text)[:limit]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bag:
    """The words of a tool, by where they stand."""

    name: frozenset[str]
    description: frozenset[str]
    arguments: frozenset[str]

    @classmethod
    def of(cls, spec: ToolSpec) -> "_Bag":
        return cls(
            name=frozenset(_parts(spec.name)),
            description=frozenset(words.content(spec.description)),
            arguments=frozenset(_told(spec.parameters)),
        )

    def score(self, weights: dict[str, float]) -> float:
        places = (
            (self.name, _NAME),
            (self.description, _DESCRIPTION),
            (self.arguments, _ARGUMENT),
        )
        best: dict[str, float] = {}
        for there, worth in places:
            for term in words.matched(weights, there):
                best[term] = max(best.get(term, 0.0), worth)
        return sum(weights[term] * worth for term, worth in best.items())


def _rarity(term: str, bags: Sequence[_Bag]) -> float:
    """Return what a term is worth: a word that every tool has tells nothing."""
    having = sum(1 for bag in bags if bag.score({term: 1.0}) > 0)
    return math.log1p(len(bags) / (1 + having))


def _parts(name: str) -> list[str]:
    return [part.casefold() for part in _PART.findall(name)]


def _told(schema: Any) -> list[str]:
    """Return the words of arguments: their names, what is said of them, and their options."""
    if isinstance(schema, list):
        return [word for one in schema for word in _told(one)]
    if not isinstance(schema, dict):
        return []
    found: list[str] = []
    for key, value in schema.items():
        if key == "properties":
            found += [part for name in value for part in _parts(name)]
            found += _told(list(value.values()))
        elif key == "description":
            found += words.content(str(value))
        elif key == "enum":
            found += [part for one in value if isinstance(one, str) for part in _parts(one)]
        else:
            found += _told(value)
    return found
