"""Timed words to timed sentences. Pure."""

from collections.abc import Sequence

from tools.senses.base import Segment, Word
from tools.sentences import sentences


def segments(text: str, words: Sequence[Word], start_s: float, end_s: float) -> list[Segment]:
    """Return the sentences of a text that was heard from `start_s` to `end_s`.

    Without words there is one, of those times. A sentence none of whose words has a time stands
    with the one before it, at the beginning with the one behind it.
    """
    text = text.strip()
    if not text:
        return []
    if not words:
        return [Segment(text=text, start_s=start_s, end_s=end_s)]
    places = _places(text, words)
    held: list[tuple[str, list[Word]]] = []
    for first, behind in sentences(text):
        own = [word for word, at in zip(words, places, strict=True) if first <= at < behind]
        if held and not (own and held[-1][1]):
            before, earlier = held.pop()
            held.append((before + text[first:behind], [*earlier, *own]))
        else:
            held.append((text[first:behind], own))
    return [
        Segment(text=told.strip(), start_s=own[0].start_s, end_s=own[-1].end_s, words=tuple(own))
        for told, own in held
    ]


def _places(text: str, words: Sequence[Word]) -> list[int]:
    """Return at which character of the text each word stands."""
    places, at = [], 0
    for word in words:
        found = text.find(word.text, at)
        places.append(min(at, len(text) - 1) if found < 0 else found)
        at = places[-1] if found < 0 else found + len(word.text)
    return places
