"""Citations: which quotation backs which sentence of an answer. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from graphs import evidence, words
from graphs.state import Citation
from memory.documents import Chunk, located

_MARK = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")

SUPPORT = 0.5
"""Share of a sentence's own terms that its quotation has to hold."""


CLAIM_TERMS = 3
"""Own terms from which on a sentence is a claim."""


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


def supported(sentence: str, quote: str, question: str) -> bool:
    """Whether a quotation backs a sentence.

    All its numbers and `SUPPORT` of its terms stand in the quotation; terms of the question do
    not count, since an answer repeats them whatever it says.
    """
    if not words.numbers(sentence) <= words.numbers(quote) | words.numbers(question):
        return False
    asked = words.content(question)
    own = [term for term in words.content(sentence) if not words.matched([term], asked)]
    said = own or words.content(sentence)
    if not said:
        return False
    return len(words.matched(said, words.terms(quote))) >= SUPPORT * len(said)


def best_span(sentence: str, text: str) -> tuple[int, int]:
    """Return the sentence of a passage, or two neighbours, that shares most with a claim."""
    spans = evidence.sentences(text)
    choices = spans + [(one[0], two[1]) for one, two in pairwise(spans)]
    if not choices:
        return 0, len(text)
    said = words.content(sentence)
    figures = words.numbers(sentence)

    def worth(span: tuple[int, int]) -> tuple[float, int]:
        there = text[span[0] : span[1]]
        shared = len(words.matched(said, words.terms(there)))
        return shared + 2 * len(figures & words.numbers(there)), -(span[1] - span[0])

    return max(choices, key=worth)


def claims(sentence: str, question: str) -> bool:
    """Whether a sentence states something of its own, not only that something was done."""
    own = words.content(sentence)
    new = [term for term in own if not words.matched([term], words.content(question))]
    return len(new) >= CLAIM_TERMS or bool(words.numbers(sentence) - words.numbers(question))


def ground(
    text: str, passages: Sequence[Chunk], question: str, results: Sequence[str] = ()
) -> Grounded:
    """Replace the marks of an answer, `[n]` for the n-th passage, by checked citations.

    Marks are numbered anew in the order of the answer. A mark whose passage does not back the
    sentence is taken out. A sentence that claims something and is backed neither by a passage nor
    by the result of a tool is listed as unsupported.
    """
    cited: dict[tuple[int, int, int], Citation] = {}
    unsupported: list[str] = []
    pieces: list[str] = []
    last = 0
    for start, end in evidence.sentences(text):
        pieces.append(text[last:start])
        sentence, last = text[start:end], end
        plain = _MARK.sub("", sentence).strip()
        marks = [int(number) for group in _MARK.findall(sentence) for number in group.split(",")]
        numbers = _backed(plain, marks, passages, question, cited)
        told = any(supported(plain, result, question) for result in results)
        if not (numbers or told) and claims(plain, question):
            unsupported.append(plain)
        pieces.append(_marked(plain, numbers))
    pieces.append(text[last:])
    return Grounded(
        text="".join(pieces).strip(),
        citations=tuple(cited.values()),
        unsupported=tuple(unsupported),
    )


def _backed(
    plain: str,
    marks: Sequence[int],
    passages: Sequence[Chunk],
    question: str,
    cited: dict[tuple[int, int, int], Citation],
) -> list[int]:
    numbers = []
    for mark in dict.fromkeys(marks):
        if not 1 <= mark <= len(passages):
            continue
        chunk = passages[mark - 1]
        start, end = best_span(plain, chunk.text)
        if not supported(plain, chunk.text[start:end], question):
            continue
        key = (chunk.id, start, end)
        if key not in cited:
            cited[key] = citation(len(cited) + 1, chunk, start, end)
        numbers.append(cited[key]["number"])
    return numbers


def _marked(plain: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return plain
    marks = "".join(f"[{number}]" for number in numbers)
    body = plain.rstrip(".!?。！？")
    return f"{body} {marks}{plain[len(body) :]}"
