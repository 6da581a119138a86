"""Which lines of a mail are new, and which repeat an earlier one. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from tools.reading.text import Paragraph, paragraphs

# "On Monday, Ann wrote:" in the languages whose mail programs are common. What stands between the
# first and the last word is anything, on up to three lines.
_OPENS = re.compile(
    r"^[\s>-]*(?:on|am|le|el|il|op|den|em|dnia|w dniu|vào|在|\d{1,4}[-./年])", re.IGNORECASE
)
_WROTE = re.compile(
    r"wrote|writes|schrieb|écrit|escribi[óo]|ha scritto|schreef|skrev|escreveu|napisał"
    r"|написал|写道|書きました|kirjoitti",
    re.IGNORECASE,
)
_WROTE_LETTERS = 100
"""From the end that are looked at for the verb: a name may follow it."""
_COLONS = (":", "：")
_DIVIDER = re.compile(
    r"^\s*(?:-{2,}\s*(?:original|ursprüngliche|weitergeleitete|forwarded|message d'origine|"
    r"mensaje original|messaggio originale|oorspronkelijk|原始邮件).{0,60}?-*"
    r"|begin forwarded message:|anfang der weitergeleiteten nachricht:)\s*$",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^[\s>]*\*?(?:from|von|de|da|van|fra|från|od|от|lähettäjä|gönderen|发件人|寄件者|差出人|"
    r"보낸 사람|sent|gesendet|date|datum|data|envoyé|enviad[oa](?: em| el)?|inviato|verzonden|"
    r"skickat|sendt|wysłano|odesláno|lähetetty|отправлено|дата|tarih|发送时间|日期|送信日時|날짜|to|an|à|para|a|aan|"
    r"til|till|do|komu|кому|vastaanottaja|kime|收件人|宛先|받는 사람|subject|betreff|objet|asunto|"
    r"assunto|oggetto|onderwerp|emne|ämne|temat|předmět|тема|aihe|konu|主题|主旨|件名|제목|"
    r"cc|kopie|копия|抄送)\*?\s*[:：]",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(
    r"\d{1,2}[:.]\d\d|\S@\S|^\W*quoting\b|\b(?:wrote|writes?|said|says|asked|asks|mentioned|thought|"
    r"stated|replied|answered|schrieb|meinte|fragte|écrit|escribi[óo]|skrev|schreef)\b.{0,60}$",
    re.IGNORECASE,
)
"""What is said of whoever is quoted below, in a line that ends in a colon."""
_ATTRIBUTION_LINES = 3
_LINE_LETTERS = 200
_FIELDS = 3
"""So many lines in a row that look like fields are the head of a quoted mail."""


def stretches(
    text: str, quoted: Iterable[tuple[int, int]] = ()
) -> Iterator[tuple[bool, Paragraph]]:
    """Yield the paragraphs of a mail's text, each with whether it is quoted.

    Offsets that are known to be quoted, from HTML, may be given.
    """
    lines = text.split("\n")
    marked = [line.lstrip().startswith((">", "|>")) for line in lines]
    for start, end in quoted:
        first, last = text.count("\n", 0, start), text.count("\n", 0, max(start, end - 1))
        marked[first : last + 1] = [True] * (last + 1 - first)
    flags = _flags(lines, marked)
    line = 1
    for flag, group in groupby(zip(flags, lines, strict=True), key=lambda pair: pair[0]):
        held = [content for _, content in group]
        for paragraph in paragraphs("\n".join(held), line):
            yield flag, paragraph
        line += len(held)


def _flags(lines: Sequence[str], marked: Sequence[bool]) -> list[bool]:
    """Tell of each line whether it is quoted, given those that are marked so."""
    flags = list(marked)
    at = 0
    while at < len(lines):
        if _DIVIDER.match(lines[at]) or _heads(lines, at):
            return flags[:at] + [True] * (len(lines) - at)
        if at and marked[at] and not flags[at - 1]:
            start = _introduced(lines, flags, at)
            flags[start:at] = [True] * (at - start)
        if length := _attributes(lines, at):
            behind = at + length
            flags[at:behind] = [True] * length
            if not any(flags[behind:]):
                return flags[:at] + [True] * (len(lines) - at)
            at = behind
        at += 1
    return flags


def _introduced(lines: Sequence[str], flags: Sequence[bool], at: int) -> int:
    """Return the line where what is said above a quotation of whose it is begins, if anything is.

    That is a short paragraph that ends in a colon, or the last line of a longer one.
    """
    end = at - 1 if not lines[at - 1].strip() else at
    start = end
    while start > 0 and end - start <= _ATTRIBUTION_LINES and lines[start - 1].strip():
        if flags[start - 1]:
            break
        start -= 1
    start = start if end - start <= _ATTRIBUTION_LINES else end - 1
    said = " ".join(line[:_LINE_LETTERS] for line in lines[start:end]).rstrip()
    return start if said.endswith(_COLONS) and _INTRODUCES.search(said) else at


def _heads(lines: Sequence[str], at: int) -> bool:
    """Return whether the fields of a quoted mail begin at a line, as Outlook writes them."""
    fields = lines[at : at + _FIELDS]
    return len(fields) == _FIELDS and all(_FIELD.match(line) for line in fields)


def _attributes(lines: Sequence[str], at: int) -> int:
    """Return how many lines, if any, say whose words follow."""
    if not _OPENS.match(lines[at]):
        return 0
    said = ""
    for length, line in enumerate(lines[at : at + _ATTRIBUTION_LINES], start=1):
        if not line.strip():
            return 0
        said += line[:_LINE_LETTERS].rstrip()
        if said.endswith(_COLONS) and _WROTE.search(said, max(0, len(said) - _WROTE_LETTERS)):
            return length
    return 0
