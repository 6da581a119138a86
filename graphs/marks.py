"""Marks of an answer, `[2]`, that point to passages: pure.

Models write them in many ways; read are also `[1, 2]`, `[1-3]`, `[Passage 2]` and `【1】`.
"""

import re
from collections.abc import Sequence

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
    lines = _ON_A_LINE.sub(r"\2\1", text).split("\n")
    return "\n".join(line if _LED.match(line) else _BEHIND_STOP.sub(_moved, line) for line in lines)


def _moved(found: re.Match[str]) -> str:
    """Return mark and stop in their order, with a space if the mark alone parted two sentences."""
    space = " " if found["next"] is not None and found[1][0] in ".!?…" else ""
    return f"{found[2]}{found[1]}{space}"


def read(text: str) -> list[int]:
    """Return the numbers of all marks, each once, in order."""
    found: list[int] = []
    for listed in _MARKS.findall(text):
        numbers = [int(number) for number in re.findall(r"\d+", listed)]
        if re.fullmatch(r"\d+\s*[–-]\s*\d+", listed):
            numbers = [*range(numbers[0], min(numbers[1], numbers[0] + 20) + 1)]
        found.extend(numbers)
    return list(dict.fromkeys(found))


def without(text: str) -> str:
    """Return the text without its marks, also without those that appear when others go."""
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
