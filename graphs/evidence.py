"""Which words of which passage answer a question, or that none does.

Pure but for the vectors that the caller hands in. It is what the engine does itself where the
executive has no judgement, and where every executive's quotations come from.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from graphs import words
from memory.documents import Chunk

_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\sa-z])|(?<=[。！？])|\n+")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|no|nr|art|approx|ca|vs|mr|mrs|ms|dr|st|fig|z\.\s?b|bzw|inkl|max|min|tel)"
    r"|\b[A-Za-z]|\d)\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A sentence, or some lines that stand together, of a passage."""

    passage: int
    """Position of the passage among those in view, from 0."""
    start: int
    end: int
    """Characters of the passage's text."""
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A window with the reasons to take it."""

    window: Window
    coverage: float
    """Share of the question's terms, weighed by their rarity in view, that it or its headings
    name."""
    cosine: float
    """Of the question and the window."""
    score: float


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of sentences and lines, without the spaces around them."""
    spans: list[tuple[int, int]] = []
    start = 0
    for gap in [*_END.finditer(text), None]:
        end = len(text) if gap is None else gap.start()
        piece = text[start:end]
        closed = gap is None or "\n" in gap.group()
        if not closed and _ABBREVIATED.search(piece):
            continue
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            spans.append((start + lead, start + len(piece.rstrip())))
        start = end if gap is None else gap.end()
    return spans


def windows(passage: int, text: str, *, terms_wanted: int = 6) -> list[Window]:
    """Return each sentence, joined with its followers while it is too short to say anything."""
    spans = sentences(text)
    found = []
    for index, (start, end) in enumerate(spans):
        stop = end
        for _, following in spans[index + 1 :]:
            if len(words.terms(text[start:stop])) >= terms_wanted or following - start > 160:
                break
            stop = following
        found.append(Window(passage=passage, start=start, end=stop, text=text[start:stop]))
    return found


def rarities(question: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
    """Weigh the question's terms: one that stands in fewer of the texts says more."""
    bags = [words.content(text) for text in texts]
    weights = {}
    for term in question:
        holding = sum(bool(words.matched([term], bag)) for bag in bags)
        weights[term] = 1.0 / (1.0 + holding) ** 0.5
    return weights


def coverage(weights: dict[str, float], there: Sequence[str]) -> float:
    """Return the share of the weight whose terms are there, from 0 to 1."""
    total = sum(weights.values())
    if not total:
        return 0.0
    return sum(weights[term] for term in words.matched(weights, there)) / total


def wants_number(question: str) -> bool:
    """Whether the question can only be answered with a number or a date."""
    return bool(
        re.search(
            r"\bhow (?:many|much|long|often|old|far|tall|high|wide|deep|big|large|heavy|late|early)"
            r"|\bwhen\b|what (?:date|year|time|number|amount|price|total|pressure|temperature)"
            r"|wie ?(?:viel|lange|oft|hoch|alt|weit|groß|schwer|spät)|\bwann\b|多少|几|什么时候",
            question.casefold(),
        )
    )


_NUMBER_WORD = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|hundred|thousand|first|second|third|once|twice|daily|weekly|monthly|yearly|annually"
    r"|every|each|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march"
    r"|april|may|june|july|august|september|october|november|december|ein|eine|einmal|zwei|drei"
    r"|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig|dreißig|täglich|wöchentlich"
    r"|monatlich|jährlich|jede[rns]?|montags?|dienstags?|mittwochs?|donnerstags?|freitags?"
    r"|samstags?|sonntags?)\b|[一二三四五六七八九十百千]"
)


def holds_number(text: str) -> bool:
    """Whether a number, a date or a frequency stands in the text, in figures or words."""
    return bool(_NUMBER_WORD.search(text.casefold()))


def ranked(
    question: str, chunks: Sequence[Chunk], candidates: Sequence[Window], cosines: Sequence[float]
) -> list[Evidence]:
    """Return the windows as evidence, best first."""
    asked = words.content(question)
    weights = rarities(asked, [chunk.text for chunk in chunks])
    counted = wants_number(question)
    found = []
    for window, cosine in zip(candidates, cosines, strict=True):
        chunk = chunks[window.passage]
        there = words.terms(window.text) + words.terms(chunk.context)
        share = coverage(weights, there)
        bonus = 0.1 if counted and holds_number(window.text) else 0.0
        found.append(
            Evidence(
                window=window,
                coverage=share,
                cosine=cosine,
                score=0.5 * cosine + 0.5 * share + bonus,
            )
        )
    return sorted(found, key=lambda evidence: -evidence.score)


SUFFICIENT = 0.5
"""Score below which the best evidence does not answer."""


def sufficient(found: Sequence[Evidence]) -> list[Evidence]:
    """Return the evidence to cite, best first; none where even the best is too thin."""
    if not found or found[0].score < SUFFICIENT:
        return []
    return list(found[:1])
