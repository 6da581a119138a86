"""The tokens that no layout can spare: pure.

A server with one slot and a prefix cache holds one sequence: the last prompt with the answer that
was written to it. Of the next prompt it need not evaluate what both have in common from their
beginning. So:

- A text that no request has shown before is evaluated, whatever the layout, and each text is
  counted once, at its first appearance.
- Both sequences may go on alike for some tokens where a new text takes the place of an old one:
  two mails of one sender begin alike. That can happen at one place only, the first where they
  differ, and it pays only where the old text is not needed any more: else that one would have to be
  evaluated again. The best such place is taken off.
- What can be cited has to have a name, and the shortest is a number: the tokens of that mark are
  counted with the text that they name.
- Behind the last text the template closes the turn and opens the answer's. These tokens follow new
  ones, so they are evaluated each time. Where a request goes on from what the model wrote to the
  last one, the template also closes that and opens a turn. What else it adds is not counted.
- What the model wrote itself lies in the cache already, letter for letter.

That is a lower bound for every layout that shows each text whole. It may be out of reach: a text
that is shown again costs nothing here, though the sequence that held it may have been given up for
want of room or because it was not needed meanwhile. `shown_again` tells how much that is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Tokens = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """What one request must show, whoever lays it out."""

    texts: tuple[Tokens, ...]
    """Each by itself: instructions, tools, facts, a mail, a question, a passage, a result."""
    marks: tuple[tuple[Tokens, int], ...] = ()
    """Texts that have to be named, with the tokens of the name."""
    wrote: tuple[Tokens, ...] = ()
    """What the model writes to it that a later request shows."""
    goes_on: bool = False
    """Whether it goes on from what the model wrote to the request before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """What a model's template puts between texts, in tokens."""

    closing: int
    """Behind the last text of a prompt, up to the answer."""
    opening: int
    """Behind an answer, up to the text of the next turn."""


def least(needs: Iterable[Need], template: Template) -> list[int]:
    """Return for each request the tokens that every layout has to have evaluated for it."""
    seen: set[Tokens] = set()
    found = []
    for need in needs:
        new = [text for text in dict.fromkeys(need.texts) if text not in seen]
        given_up = seen - set(need.texts)
        alike = max((_common(one, old) for one in new for old in given_up), default=0)
        named = sum(mark for text, mark in dict(need.marks).items() if text in new)
        turns = template.closing + (template.opening if need.goes_on else 0)
        found.append(sum(map(len, new)) - alike + named + turns)
        seen |= {*new, *need.wrote}
    return found


def shown_again(needs: Iterable[Need]) -> int:
    """Return the tokens of texts that come back into view after requests that did not need them.

    A layout spares them only if it goes on showing all that was ever needed.
    """
    seen: set[Tokens] = set()
    before: set[Tokens] = set()
    again = 0
    for need in needs:
        now = set(need.texts)
        again += sum(len(text) for text in (now & seen) - before)
        seen |= now
        before = {*now, *need.wrote}
    return again


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two texts have in common from their beginning."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))
