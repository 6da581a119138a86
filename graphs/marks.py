"""Marks of an answer, `[2]`, that point to passages: pure.

Models write them in many ways; read are also `[1, 2]`, `[1-3]`, `[Passage 2]` and `【1】`. What
stands in code is no mark: `a[1]` there is an index. Where a text is part of a larger one, the
caller knows where code is in it, since a fence may stand before the part.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from graphs.code_spans import Span, code_spans, in_code, within

_LIST = r"\d{1,3}(?:\s*(?:[,;，、&+–-]|and|und)\s*\d{1,3})*"
_NAME = r"(?:(?i:passages?|sources?|see|siehe|nr|no)\b\.?\s*|[\^#])?"
_MARK = rf"(?<![ \t])[ \t]*[\[【]{_NAME}(?P<list>{_LIST})[\]】]"
_SOME = rf"(?:{_MARK.replace('?P<list>', '?:')})+"
_MARKS = re.compile(_MARK)
_STOP = r"(?<![.!?…。！？])[.!?…。！？]+[\"'”’»«)」』]*"
_BEHIND_STOP = re.compile(rf"({_STOP})({_SOME})(?!\s*[a-zäöüß])(?P<next>(?=\w))?")
_ON_A_LINE = re.compile(rf"({_STOP})\n({_SOME})[ \t]*(?=\n|$)")
_LED = re.compile(rf"(?:[ \t]*(?:[-*•]|\d{{1,2}}[.)]))?{_MARK}")
_END = re.compile(r"[\s.!?。！？|]*$")


def gathered(text: str) -> str:
    """Bring marks that stand behind the stop of their sentence, or on the next line, before it.

    A line that begins with a mark has its marks before the sentences: it stays.
    """
    text = _replaced(_ON_A_LINE, lambda found: f"{found[2]}{found[1]}", text, code_spans(text))
    spans, at, lines = code_spans(text), 0, []
    for line in text.split("\n"):
        code = within(spans, at, at + len(line))
        lines.append(line if _LED.match(line) else _replaced(_BEHIND_STOP, _moved, line, code))
        at += len(line) + 1
    return "\n".join(lines)


def _replaced(
    pattern: re.Pattern[str],
    change: Callable[[re.Match[str]], str],
    text: str,
    code: Sequence[Span],
) -> str:
    """Change what matches, unless its mark stands in code."""
    return pattern.sub(
        lambda found: found[0] if in_code(code, found.end() - 1) else change(found), text
    )


def _moved(found: re.Match[str]) -> str:
    """Return mark and stop in their order, with a space if the mark alone parted two sentences."""
    space = " " if found["next"] is not None and found[1][0] in ".!?…" else ""
    return f"{found[2]}{found[1]}{space}"


def read(text: str, code: Sequence[Span] | None = None) -> list[int]:
    """Return the numbers of all marks, each once, in order."""
    found: list[int] = []
    for listed in _listed(text, code_spans(text) if code is None else code):
        numbers = [int(number) for number in re.findall(r"\d+", listed)]
        if re.fullmatch(r"\d+\s*[–-]\s*\d+", listed):
            numbers = [*range(numbers[0], min(numbers[1], numbers[0] + 20) + 1)]
        found.extend(numbers)
    return list(dict.fromkeys(found))


def _listed(text: str, code: Sequence[Span]) -> Iterator[str]:
    """Yield what stands in each mark."""
    for found in _MARKS.finditer(text):
        if not in_code(code, found.end() - 1):
            yield found["list"]


def without(text: str, code: Sequence[Span] | None = None) -> str:
    """Return the text without its marks, also without those that appear when others go."""
    pieces, at = [], 0
    for start, end in code_spans(text) if code is None else code:
        pieces += [_unmarked(text[at:start]), text[start:end]]
        at = end
    return "".join([*pieces, _unmarked(text[at:])])


def _unmarked(text: str) -> str:
    while (less := _MARKS.sub("", text)) != text:
        text = less
    return text


def added(text: str, numbers: Sequence[int]) -> str:
    """Put marks behind the last word of a sentence or of a table's row."""
    if not numbers:
        return text
    end = _END.search(text)
    assert end is not None, "the pattern matches the empty text too"
    marks = "".join(f"[{number}]" for number in numbers)
    return f"{text[: end.start()]} {marks}{end.group()}"
