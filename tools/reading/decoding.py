"""Bytes to text, whatever their encoding and whatever they claim it to be."""

import codecs
import re
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; that of UTF-32 begins like that of UTF-16 and stands before it."""

_GUESSED = (
    "gb18030 big5 shift_jis euc_jp euc_kr cp1251 koi8_r iso8859_5 iso8859_7 cp1253 cp1255 cp1256 "
    "cp874 cp1250 cp1252"
).split()
_WESTERN = frozenset({"cp1250", "cp1252"})
"""Of these two the Western one is taken: a short text does not tell them apart."""

_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252"}
"""What is written under a charset's name, by the name that Python has for it."""

_STATEFUL = frozenset({"iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_kr", "hz", "utf-7"})
"""Charsets whose text is plain ASCII to look at."""

_GUESS_BYTES = 64 * 1024
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """A text that PostgreSQL takes: no NUL, no lone surrogate, lines ended by newlines."""

    text: str
    charset: str
    flaws: tuple[str, ...] = ()


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """Return the text of some bytes; what is declared is believed as far as it is true."""
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], charset, ())
    name = None if declared is None else _python_name(declared)
    charset = _charset(data, name)
    if declared is None and charset != "utf-8" and _is_mixed(data):
        return _by_lines(data, charset)
    if declared is None or data.isascii() or (name is not None and _agrees(charset, name)):
        return _decoded(data, charset, ())
    fault = "unknown" if name is None else "not what the text is in"
    return _decoded(
        data, charset, (f"the declared charset {declared[:40]!r} is {fault}; read as {charset}",)
    )


def _charset(data: bytes, declared: str | None) -> str:
    """Return the encoding of bytes without a byte order mark."""
    if (wide := _without_mark(data)) is not None:
        return wide
    # UTF-8 is hardly ever met by chance, while any bytes are valid in the charsets that are
    # declared by mistake.
    if declared not in _STATEFUL and _fits(data, "utf-8", wrong=0.0):
        return "utf-8"
    if declared is not None and _fits(data, _WIDER.get(declared, declared), wrong=0.02):
        return _WIDER.get(declared, declared)
    return "utf-8" if _fits(data, "utf-8", wrong=0.1) else _guess(data)


def _without_mark(data: bytes) -> str | None:
    """Tell UTF-16 by where its zero bytes are: every second one in European text."""
    sample = data[:4096]
    pairs = len(sample) // 2
    if pairs < 2:
        return None
    high, low = sample[0::2].count(0), sample[1::2].count(0)
    if low > 0.4 * pairs and high < 0.05 * pairs:
        return "utf-16-le"
    if high > 0.4 * pairs and low < 0.05 * pairs:
        return "utf-16-be"
    return None


def _fits(data: bytes, charset: str, *, wrong: float) -> bool:
    """Return whether at most a share of the characters beyond ASCII are wrong in a charset."""
    try:
        data.decode(charset)
    except UnicodeError:
        text = data.decode(charset, errors="replace")
        return text.count("\ufffd") <= wrong * sum(letter > "\x7f" for letter in text)
    return True


def _guess(data: bytes) -> str:
    """Return the likeliest encoding of what is neither Unicode nor rightly declared."""
    from charset_normalizer import from_bytes

    # Lines without a letter beyond ASCII tell nothing.
    telling = b"\n".join(line for line in data[: 1 << 22].split(b"\n") if not line.isascii())
    best = from_bytes(telling[:_GUESS_BYTES], cp_isolation=_GUESSED).best()
    if best is None or best.encoding in _WESTERN or not _fits(data, best.encoding, wrong=0.02):
        return "cp1252"
    return best.encoding


def _is_mixed(data: bytes) -> bool:
    """Return whether a good part of the lines beyond ASCII is UTF-8: hardly ever by chance."""
    telling = [line for line in data[:_GUESS_BYTES].split(b"\n") if not line.isascii()]
    telling += [line for line in data[-_GUESS_BYTES:].split(b"\n")[1:] if not line.isascii()]
    return 10 * sum(map(_is_utf_8, telling)) > len(telling)


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeError:
        return False
    return True


def _by_lines(data: bytes, charset: str) -> Decoded:
    """Decode lines that are UTF-8 as that, and the others from another charset."""
    others, parts = 0, []
    for line in data.split(b"\n"):
        if _is_utf_8(line):
            parts.append(line)
        else:
            others += 1
            parts.append(line.decode(charset, errors="replace").encode())
    flaw = f"it is in several encodings: {others} lines were read as {charset}, the others as utf-8"
    return _decoded(b"\n".join(parts), "utf-8", (flaw,))


def _python_name(declared: str) -> str | None:
    """Return Python's name of a charset of text, None for what is none."""
    try:
        name = codecs.lookup(declared.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    try:
        b"  ".decode(name)
    except UnicodeError:
        return name
    except LookupError:
        # rot13 and the like are codecs, but none from bytes to text.
        return None
    return name


def _agrees(charset: str, declared: str) -> bool:
    # ASCII is a part of UTF-8 and of nearly all else.
    return charset == _WIDER.get(declared, declared) or declared == "ascii"


def _decoded(data: bytes, charset: str, flaws: tuple[str, ...]) -> Decoded:
    try:
        text = data.decode(charset)
    except UnicodeError:
        text = data.decode(charset, errors="replace")
        count = text.count("\ufffd")
        flaws += (f"{count} characters are not valid {charset} and are shown as \ufffd",)
    text = text.rstrip("\0")
    if zeros := text.count("\0"):
        flaws += (f"{zeros} NUL characters are shown as \ufffd",)
    text = _SURROGATE.sub("\ufffd", text.replace("\0", "\ufffd"))
    return Decoded(
        text=text.replace("\r\n", "\n").replace("\r", "\n"), charset=charset, flaws=flaws
    )
