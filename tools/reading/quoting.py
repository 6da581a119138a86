"""Which lines of a mail are new, and which repeat an earlier one. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from tools.reading.text import Paragraph, paragraphs

# "On Monday, Ann wrote:" in the languages whose mail programs are common. What stands between the
# first and the last word is anything, on up to three lines.
_ATTRIBUTION = re.compile(
    r"^\s*>*\s*(?:on|am|le|el|il|op|den|em|dnia|w dniu|vào|在|\d{1,4}[-./年]).{3,300}?"
    r"(?:wrote|writes|schrieb|écrit|escribi[óo]|ha scritto|schreef|skrev|escreveu|napisał\(?a?\)?"
    r"|написал\w*|写道|書きました|kirjoitti)(?:.{0,80}?)?[:：]\s*$",
    re.IGNORECASE | re.DOTALL,
)
_DIVIDER = re.compile(
    r"^\s*(?:-{2,}\s*(?:original|ursprüngliche|weitergeleitete|forwarded|message d'origine|"
    r"mensaje original|messaggio originale|oorspronkelijk|原始邮件).{0,60}?-*"
    r"|begin forwarded message:|anfang der weitergeleiteten nachricht:)\s*$",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^\s*\*?(?:from|von|de|da|van|fra|från|od|发件人|寄件者|sent|gesendet|date|datum|envoyé|enviado|"
    r"to|an|à|para|a|aan|subject|betreff|objet|asunto|oggetto|onderwerp|主题|cc)\*?\s*[:：]",
    re.IGNORECASE,
)
_ATTRIBUTION_LINES = 3
_FIELDS = 3
"""So many lines in a row that look like fields are the head of a quoted mail."""


def stretches(
    text: str, quoted: Iterable[tuple[int, int]] = ()
) -> Iterator[tuple[bool, Paragraph]]:
    """Yield the paragraphs of a mail's text, each with whether it is quoted.

    Offsets that are known to be quoted, from HTML, may be given.
    """
    lines = text.split("\n")
    flags = _flags(lines)
    for start, end in quoted:
        first, last = text.count("\n", 0, start), text.count("\n", 0, max(start, end - 1))
        flags[first : last + 1] = [True] * (last + 1 - first)
    line = 1
    for flag, group in groupby(zip(flags, lines, strict=True), key=lambda pair: pair[0]):
        held = [content for _, content in group]
        for paragraph in paragraphs("\n".join(held), line):
            yield flag, paragraph
        line += len(held)


def _flags(lines: Sequence[str]) -> list[bool]:
    """Tell of each line whether it is quoted."""
    flags = [line.lstrip().startswith((">", "|>")) for line in lines]
    at = 0
    while at < len(lines):
        if _DIVIDER.match(lines[at]) or _heads(lines, at):
            return flags[:at] + [True] * (len(lines) - at)
        if length := _attributes(lines, at):
            behind = at + length
            flags[at:behind] = [True] * length
            if not any(flags[behind:]):
                return flags[:at] + [True] * (len(lines) - at)
            at = behind
        at += 1
    return flags


def _heads(lines: Sequence[str], at: int) -> bool:
    """Return whether the fields of a quoted mail begin at a line, as Outlook writes them."""
    fields = lines[at : at + _FIELDS]
    return len(fields) == _FIELDS and all(_FIELD.match(line) for line in fields)


def _attributes(lines: Sequence[str], at: int) -> int:
    """Return how many lines, if any, say whose words follow."""
    for length in range(1, _ATTRIBUTION_LINES + 1):
        if at + length > len(lines) or not lines[at + length - 1].strip():
            return 0
        if _ATTRIBUTION.match("\n".join(line[:200] for line in lines[at : at + length])):
            return length
    return 0
