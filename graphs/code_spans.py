"""Where code stands in a text of Markdown: pure, and in one pass over it.

What is indented alone is not taken for code: in answers that is mostly a list that goes on. Code
between backticks ends on its line, so that a single backtick does not swallow what follows.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

Span = tuple[int, int]
"""Where code begins, with its fence or backticks, and the offset behind its end."""

_OPENING = re.compile(r"[ \t>]*(?P<fence>`{3,}|~{3,})(?P<told>.*)")
_TICKS = re.compile(r"`+")


def code_spans(text: str) -> list[Span]:
    """Return the spans of blocks between fences and of code between backticks, in order."""
    found: list[Span] = []
    at, fence, begun = 0, "", 0
    for line in text.splitlines(keepends=True):
        opened = _fence(line)
        if fence:
            if opened.startswith(fence) and not line.strip(" \t\r\n>").strip(fence[0]):
                found.append((begun, at + len(line)))
                fence = ""
        elif opened:
            fence, begun = opened, at
        else:
            found += ((at + start, at + end) for start, end in _inline(line))
        at += len(line)
    return [*found, (begun, at)] if fence else found


def _fence(line: str) -> str:
    """Return the fence that a line is or begins with; nothing where it has none."""
    found = _OPENING.match(line)
    if found is None or (found["fence"][0] == "`" and "`" in found["told"]):
        return ""
    return found["fence"]


def _inline(line: str) -> Iterator[Span]:
    """Yield what stands between two runs of as many backticks."""
    runs = [found.span() for found in _TICKS.finditer(line)]
    closing: dict[int, int | None] = {}
    seen: dict[int, int] = {}
    for at, (start, end) in reversed([*enumerate(runs)]):
        closing[at] = seen.get(end - start)
        seen[end - start] = at
    free = 0
    for at, (start, _) in enumerate(runs):
        last = closing[at]
        if at >= free and last is not None:
            yield start, runs[last][1]
            free = last + 1


def within(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return what of the spans lies in a part of the text, counted from its beginning."""
    first = bisect_right(spans, start, key=_end)
    last = bisect_left(spans, end, key=_start)
    return [(max(a - start, 0), min(b, end) - start) for a, b in spans[first:last]]


def in_code(spans: Sequence[Span], at: int) -> bool:
    """Whether the character at an offset stands in code."""
    first = bisect_right(spans, at, key=_end)
    return first < len(spans) and spans[first][0] <= at


def _start(span: Span) -> int:
    return span[0]


def _end(span: Span) -> int:
    return span[1]
