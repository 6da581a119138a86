"""Citations: which quotation backs which sentence of an answer. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from graphs import evidence, marks, words
from graphs.code_spans import code_spans, within
from graphs.numbers import numbers
from graphs.particulars import calendar, denies, shared
from graphs.state import Citation
from memory.documents import Chunk, located

SUPPORT = 0.5
"""Share of a sentence's own terms that its quotation has to hold."""

STRANGE_RUN = 3
"""Own terms in a row, at most, that the quotation need not hold: more are a claim of their own."""

RESTATED = 0.75
"""Share of a quotation's terms from which on a sentence says the same, or its contrary."""

CLAIM_TERMS = 3
"""Own terms from which on a sentence is a claim."""

_ASKING = ("?", "？", "\u061f")
_LEAD = re.compile(r"^\s*(?:(?:[-*+•#>]+|\d{1,2}[.)])\s+)+")
"""What makes a line an item of a list or a heading; its number claims nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounded:
    """An answer whose marks all point to quotations."""

    text: str
    citations: tuple[Citation, ...]
    unsupported: tuple[str, ...]
    """Sentences that no quotation backs."""


def citation(number: int, chunk: Chunk, start: int, end: int) -> Citation:
    """Cite a piece of a passage's text; the place is the one of just these characters."""
    place = located(chunk, start, end)
    return Citation(
        number=number,
        source=chunk.document.uri,
        title=chunk.document.title,
        kind=chunk.document.kind,
        place=place.to_json(),
        where=str(place),
        quote=chunk.text[start:end],
        chunk=chunk.id,
    )


def supported(sentence: str, quote: str, question: str, *, beside: str = "") -> bool:
    """Whether a quotation backs a sentence.

    All that it says exactly and `SUPPORT` of its terms stand in the quotation, and of the others
    no more than `STRANGE_RUN` in a row; terms of the question do not count, since an answer repeats
    them whatever it says. What was asked for exactly may also stand beside the quotation, in its
    passage or the headings.
    """
    if sentence.endswith(_ASKING) or not shared(
        sentence, quote, asked=question, beside=beside or quote
    ):
        return False
    if _contradicts(sentence, quote):
        return False
    asked = words.content(question)
    own = [term for term in words.content(sentence) if not words.matched([term], asked)]
    said = own or words.content(sentence)
    if not said:
        return False
    there, figures = words.terms(quote), numbers(quote)
    held = {term: _holds(term, there, figures) for term in said}
    strange = [sum(map(words.weight, run)) for holds, run in groupby(said, held.get) if not holds]
    return sum(held.values()) >= SUPPORT * len(said) and max(strange, default=0) <= STRANGE_RUN


def _holds(term: str, there: Sequence[str], figures: set[str]) -> bool:
    """Whether a term stands in a quotation, a number in figures or in words."""
    return bool(words.matched([term], there) or numbers(term) & figures)


def _contradicts(sentence: str, quote: str) -> bool:
    """Whether one of the two denies what the other says."""
    if denies(sentence) == denies(quote):
        return False
    if denies(sentence):
        return True
    restated = words.matched(words.content(quote), words.terms(sentence))
    return len(restated) >= RESTATED * len(words.content(quote))


def best_span(sentence: str, chunk: Chunk) -> tuple[int, int]:
    """Return the sentence of a passage, or two neighbours, that shares most with a claim."""
    said = words.content(sentence)
    exact = numbers(sentence) | calendar(sentence)
    held = []
    for start, end in evidence.statements(chunk):
        there = chunk.text[start:end]
        alike = words.matched(said, words.terms(there))
        held.append((start, end, alike, exact & (numbers(there) | calendar(there))))
    if not held:
        return 0, len(chunk.text)
    held += [
        (one[0], two[1], one[2] | two[2], one[3] | two[3]) for one, two in pairwise(list(held))
    ]
    start, end, *_ = max(held, key=lambda one: (len(one[2]) + 2 * len(one[3]), one[0] - one[1]))
    return start, end


def claims(sentence: str, question: str) -> bool:
    """Whether a sentence states something of its own, not only that something was done."""
    if sentence.endswith(_ASKING):
        return False
    own = words.content(sentence)
    new = [term for term in own if not words.matched([term], words.content(question))]
    return len(new) >= CLAIM_TERMS or bool(numbers(sentence) - numbers(question))


def ground(
    text: str, passages: Sequence[Chunk], question: str, results: Sequence[str] = ()
) -> Grounded:
    """Replace the marks of an answer, `[n]` for the n-th passage, by checked citations.

    Marks are numbered anew in the order of the answer. A mark whose passage does not back the
    sentence is taken out. Code stands as it was written. A sentence that claims something and is
    backed neither by a passage nor by the result of a tool is listed as unsupported.
    """
    answer = marks.gathered(text)
    spans = code_spans(answer)
    cited: dict[tuple[int, int, int], Citation] = {}
    unsupported: list[str] = []
    pieces: list[str] = []
    last = 0
    for start, end in evidence.sentences(answer):
        pieces.append(answer[last:start])
        sentence, last = answer[start:end], end
        code = within(spans, start, end)
        plain = marks.without(sentence, code).strip()
        claim = _LEAD.sub("", plain)
        found = _backed(claim, marks.read(sentence, code), passages, question)
        told = any(supported(claim, result, question) for result in results)
        if not (found or told) and claims(claim, question):
            unsupported.append(plain)
        pieces.append(marks.added(plain, [_number(cited, *one) for one in found]))
    pieces.append(answer[last:])
    return Grounded(
        text="".join(pieces).strip(),
        citations=tuple(cited.values()),
        unsupported=tuple(unsupported),
    )


def _backed(
    claim: str, marked: Sequence[int], passages: Sequence[Chunk], question: str
) -> list[tuple[Chunk, int, int]]:
    """Return the quotations that back a claim: each alone, else those that do it together."""
    chunks = [passages[mark - 1] for mark in marked if 1 <= mark <= len(passages)]
    found = [(chunk, *best_span(claim, chunk)) for chunk in dict.fromkeys(chunks)]
    alone = [one for one in found if _together(claim, [one], question)]
    if alone or not _together(claim, found, question):
        return alone
    needed = list(found)
    for one in found:
        rest = [other for other in needed if other is not one]
        if _together(claim, rest, question):
            needed = rest
    return needed


def _together(claim: str, found: Sequence[tuple[Chunk, int, int]], question: str) -> bool:
    quote = "\n".join(chunk.text[start:end] for chunk, start, end in found)
    beside = "\n".join(f"{chunk.context}\n{chunk.text}" for chunk, _, _ in found)
    return supported(claim, quote, question, beside=beside)


def _number(cited: dict[tuple[int, int, int], Citation], chunk: Chunk, start: int, end: int) -> int:
    """Return the number of a citation, a new one where it was not cited before."""
    key = chunk.id, start, end
    if key not in cited:
        cited[key] = citation(len(cited) + 1, chunk, start, end)
    return cited[key]["number"]
