"""Which words of which passage answer a question, or that none does.

Pure but for the vectors that the caller hands in. It is what the engine does itself where the
executive has no judgement, and where every executive's quotations come from.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from graphs import words
from graphs.numbers import numbers
from graphs.particulars import calendar
from memory.documents import Chunk
from tools import sentences as stops

WRAPPED_COLUMNS = 40
"""A line of prose that was broken for want of room is at least as wide."""

_ENDS = re.compile(r"[.!?;:。！？；：]")
_CLOSED = re.compile(r"[.!?…:。！？：][\"'”’»«)\]」』】]*$")
_ITEM = re.compile(r"[-*+•–—]\s|[>#|]|\(?(?:\d{1,3}|[a-zA-Z])[.)]\s|[A-Z][\w-]{1,20}:\s|```|~~~")
_COLUMNS = re.compile(r"\||\t|\S {3,}\S|(?:[^\s,;]+[,;]){3}[^\s,;]")
"""What parts the cells of a row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A sentence, or some lines that stand together, of a passage."""

    passage: int
    """Position of the passage among those in view, from 0."""
    start: int
    end: int
    """Characters of the passage's text."""
    text: str
    around: str = ""
    """The statement that it is a stretch of, where it is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A window with the reasons to take it."""

    window: Window
    coverage: float
    """Share of the question's terms, weighed by their rarity in view, that it or its headings
    name."""
    cosine: float | None
    """Of the question and the window alone: with its headings all windows of a section look like
    the question."""
    likeness: float
    """How well it fits the question, by its words and its meaning."""
    score: float
    """Likeness, and what decides between windows alike."""


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of sentences and lines, without the spaces around them."""
    return _spans(text, [*_lines(text)])


def statements(chunk: Chunk) -> list[tuple[int, int]]:
    """Return the spans of a passage's sentences, table rows and recognised lines.

    A sentence goes on behind a line break that was made for want of room, but never behind the end
    of a block: a paragraph, a row, a line of a picture, a segment of speech.
    """
    starts = {span.offset for span in chunk.spans}
    joined: list[tuple[int, int]] = []
    for start, end in _lines(chunk.text):
        if joined and start not in starts and _goes_on(chunk.text, joined[-1], (start, end)):
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return _spans(chunk.text, joined)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"[^\n]+", text):
        yield match.span()


def _spans(text: str, stretches: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the sentences of stretches of a text; those without a letter or figure say nothing."""
    spans = []
    for begin, stop in stretches:
        for start, end in stops.sentences(text, begin, stop):
            piece = text[start:end]
            if any(character.isalnum() for character in piece):
                lead = len(piece) - len(piece.lstrip())
                spans.append((start + lead, start + len(piece.rstrip())))
    return spans


def _goes_on(text: str, before: tuple[int, int], line: tuple[int, int]) -> bool:
    """Return whether a line goes on with the sentence of the line above it."""
    above = text[slice(*before)].rpartition("\n")[2].strip()
    below = text[slice(*line)].strip()
    if line[0] - before[1] > 1 or not above or not below:
        return False
    if _CLOSED.search(above) or _ITEM.match(below) or _COLUMNS.search(above):
        return False
    if above[0].isdigit() and below[0].isdigit():
        return False
    return _columns(above) >= WRAPPED_COLUMNS


def _columns(line: str) -> int:
    """Return how many columns of a terminal a line takes."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in line)


def windows(passage: int, chunk: Chunk, *, terms_wanted: int = 6, reach: int = 160) -> list[Window]:
    """Return each statement, joined with its followers while it is too short to say anything.

    Speech comes without marks: a statement that goes on and on is cut into stretches that overlap.
    """
    text, spans = chunk.text, statements(chunk)
    found = []
    for index, (start, end) in enumerate(spans):
        stop = end
        for _, following in spans[index + 1 :]:
            if len(words.terms(text[start:stop])) >= terms_wanted or following - start > reach:
                break
            stop = following
        for first, last in _stretches(text, start, stop):
            around = "" if (first, last) == (start, stop) else text[start:stop]
            found.append(
                Window(passage=passage, start=first, end=last, text=text[first:last], around=around)
            )
    return found


STRETCH_WORDS, STRETCH_STEP = 18, 6


def _stretches(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the span itself, or overlapping parts of it if it is far longer than a sentence."""
    at = [(found.start(), found.end()) for found in re.finditer(r"\S+", text[start:end])]
    if len(at) < 2 * STRETCH_WORDS or _ENDS.search(text[start:end]):
        yield start, end
        return
    for first in range(0, len(at) - STRETCH_WORDS + STRETCH_STEP, STRETCH_STEP):
        last = min(first + STRETCH_WORDS, len(at)) - 1
        yield start + at[first][0], start + at[last][1]


def rarities(question: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
    """Weigh the question's terms: one that stands in fewer of the texts says more."""
    bags = [words.content(text) for text in texts]
    weights = {}
    for term in question:
        holding = sum(bool(words.matched([term], bag)) for bag in bags)
        weights[term] = 1.0 / (1.0 + holding) ** 0.5
    return weights


def _is_identifier(term: str) -> bool:
    return any(character.isdigit() for character in term)


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
            r"|(?:^|\b(?:by|since|until|till|from)\s)when\s(?:is|are|was|were|will|does|do|did|can|must"
            r"|should|has|have|had|may|shall)\b"
            r"|what (?:date|year|time|number|amount|price|total|pressure|temperature)"
            r"|wie ?(?:viel|lange|oft|hoch|alt|weit|gross|schwer|spät)|\bwann\b"
            r"|多少|几(?!乎)|多久|多长|什么时候",
            words.folded(question).strip(),
        )
    )


_FREQUENCY = re.compile(
    r"\b(?:first|second|third|once|twice|daily|weekly|monthly|yearly|annually|every|each|einmal"
    r"|täglich|wöchentlich|monatlich|jährlich|jede[rns]?)\b|每"
)


def holds_number(text: str) -> bool:
    """Whether a number, a date or a frequency stands in the text, in figures or words."""
    return bool(numbers(text) or calendar(text) or _FREQUENCY.search(words.folded(text)))


def asks_amount(question: str) -> bool:
    """Whether the question asks how many, how much or at what price: only a number answers it."""
    return bool(
        re.search(
            r"\bhow (?:many|much|old|tall|heavy|wide)\b|\bwhat (?:does|do|did) .*\bcost"
            r"|\bwie ?viele?\b|\bwas kostet\b|\bwie teuer\b|多少|几(?!乎)",
            words.folded(question),
        )
    )


_PRICE_ASKED = re.compile(
    r"\bcosts?\b|\bprice\b|\bfee\b|how much (?:is|are|was|were|do|does|did) .*\b(?:pay|charge)"
    r"|\bkoste[tn]\b|\bpreis\b|\bgebühr|\bteuer\b|多少钱|价格|费用"
)
_PRICE = re.compile(
    r"[€$£¥]|\b(?:eur|euros?|usd|dollars?|gbp|pounds?|pence|cents?|chf|francs?|franken|rmb|yuan)\b"
    r"|\d[.,]\d\d\b|\bfree\b|\bgratis\b|\bkostenlos|\bkostenfrei|元|块|免费"
)


def priced(question: str, text: str) -> bool:
    """Whether a text names a price, or none was asked for."""
    if not _PRICE_ASKED.search(words.folded(question)):
        return True
    return bool(_PRICE.search(words.folded(text)))


COVERAGE_SHARE = 1 / 3
"""Weight of the words in the likeness; the rest is that of the meaning."""
NAMED_BONUS, UNNAMED_LOSS = 0.1, 0.3
"""For a window that names the codes and numbers of the question, or does not."""
NUMBER_BONUS = 0.05
"""For a window with a number where one is asked for: it decides between windows, not whether any of
them answers."""


def ranked(
    question: str,
    chunks: Sequence[Chunk],
    candidates: Sequence[Window],
    cosines: Sequence[float] | None,
) -> list[Evidence]:
    """Return the windows as evidence, best first; without cosines by their words alone."""
    asked = words.content(question)
    weights = rarities(asked, [chunk.text for chunk in chunks])
    counted = wants_number(question)
    found = []
    for index, window in enumerate(candidates):
        there = words.terms(window.text) + words.terms(chunks[window.passage].context)
        share = coverage(weights, there)
        if window.around:
            share = (share + coverage(weights, there + words.terms(window.around))) / 2
        cosine = None if cosines is None else cosines[index]
        likeness = _likeness(share, cosine) + _named(asked, there)
        bonus = NUMBER_BONUS if counted and holds_number(window.text) else 0.0
        found.append(
            Evidence(
                window=window,
                coverage=share,
                cosine=cosine,
                likeness=likeness,
                score=likeness + bonus,
            )
        )
    return sorted(found, key=lambda evidence: -evidence.score)


def _likeness(share: float, cosine: float | None) -> float:
    if cosine is None:
        return share
    return COVERAGE_SHARE * share + (1 - COVERAGE_SHARE) * cosine


def _named(asked: Sequence[str], there: Sequence[str]) -> float:
    """Return what naming all codes and numbers of the question is worth, or missing one."""
    identifiers = [term for term in asked if _is_identifier(term)]
    if not identifiers:
        return 0.0
    named = words.matched(identifiers, there)
    return NAMED_BONUS if len(named) == len(identifiers) else -UNNAMED_LOSS


SUFFICIENT = 0.51
SUFFICIENT_AMOUNT = 0.58
SUFFICIENT_WORDS = 0.4
"""Likeness below which the best evidence does not answer: usually, where an amount is asked for
(many sentences name some number), and where meaning cannot be compared. They and the weights above
were chosen on questions that `docs/figures.md` does not report."""


def sufficient(question: str, found: Sequence[Evidence]) -> list[Evidence]:
    """Return the evidence to cite, best first; none where even the best is too thin.

    What is counted is not answered by words without a number, a price not without money.
    """
    if not found:
        return []
    best, amount = found[0], asks_amount(question)
    if not priced(question, best.window.text):
        return []
    if best.cosine is None:
        needed = SUFFICIENT_WORDS
    else:
        needed = SUFFICIENT_AMOUNT if amount else SUFFICIENT
    if best.likeness < needed or (amount and not holds_number(best.window.text)):
        return []
    return [best]
