"""Headers of a mail as they are meant."""

import base64
import binascii
import re
from itertools import groupby

from tools.reading.decoding import decode

LETTERS = 64 * 1024
"""Of a header that are looked at."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_FOLD = re.compile(r"\s*[\r\n]+\s*")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bq])\?([^?]*)\?=", re.IGNORECASE)
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")


def decoded(raw: str) -> str:
    """Return a header on one line, its encoded words and bare bytes decoded.

    It is given as the parser of the standard library keeps it: bytes beyond ASCII as surrogates.
    """
    data = raw[:LETTERS].encode("utf-8", "surrogateescape")
    text = _FOLD.sub(" ", decode(data).text)
    return _CONTROL.sub("", "".join(_pieces(text))).strip()


def _pieces(text: str) -> list[str]:
    """Cut a header at its encoded words and decode them."""
    # Between the matches stands plain text; each match is charset, encoding and content.
    parts = _WORD.split(text)
    plain, words = parts[::4], list(zip(parts[1::4], parts[2::4], parts[3::4], strict=True))
    pieces: list[tuple[str, bytes]] = [("", plain[0].encode())]
    for (charset, encoding, content), behind in zip(words, plain[1:], strict=True):
        # The space between two encoded words is not part of the text.
        if pieces[-1][0] == "" and not pieces[-1][1].strip() and len(pieces) > 1:
            pieces.pop()
        pieces.append((charset.partition("*")[0].lower(), _bytes(encoding, content)))
        pieces.append(("", behind.encode()))
    return [
        # A character may begin in one encoded word and end in the next.
        decode(b"".join(data for _, data in group), charset or "utf-8").text
        for charset, group in groupby(pieces, key=lambda piece: piece[0])
    ]


def _bytes(encoding: str, content: str) -> bytes:
    data = content.encode("utf-8", "replace")
    if encoding in "bB":
        try:
            return base64.b64decode(data + b"=" * (-len(data) % 4))
        except binascii.Error:
            return data
    return _HEX.sub(lambda match: bytes([int(match.group(1), 16)]), data.replace(b"_", b" "))
