"""Regular expressions that a grammar can hold. Pure.

Where a grammar cannot be made of a schema, llama.cpp drops it without a word and the model writes
what it likes. So whatever is in doubt is left out here, and validation finds what does not fit.
"""

import re

REPEATS_LIMIT = 1_000
"""Converters refuse more."""

_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_"}
_TOKEN = re.compile(
    r"\\(?P<escape>.)|(?P<group>\(\?.?)|(?P<many>\{\d+(?:,\d*)?\})|(?P<sign>.)", re.DOTALL
)
_SIGNS = frozenset(r"\/-")
_ESCAPED = frozenset(r".^$|?*+()[]{}")

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_DATE = "[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_ZONE = "(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])?"
_MAILBOX = r"[A-Za-z0-9_+-]{1,40}(\.[A-Za-z0-9_+-]{1,20}){0,3}"
_HOST = r"[a-z0-9]{1,40}(\.[a-z0-9]{1,30}){0,4}"
_HEX = "[0-9a-f]"

FORMATS = {
    "date": f"^{_DATE}$",
    "time": f"^{_CLOCK}{_ZONE}$",
    "date-time": f"^{_DATE}T{_CLOCK}{_ZONE}$",
    "duration": "^(P[0-9]{1,4}D(T[0-9]{1,3}H)?|PT[0-9]{1,4}H([0-9]{1,2}M)?|PT[0-9]{1,4}[MS])$",
    "uuid": f"^{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}$",
    "uuid4": f"^{_HEX}{{8}}-{_HEX}{{4}}-4{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}$",
    "ipv4": rf"^({_OCTET}\.){{3}}{_OCTET}$",
    "ipv6": f"^({_HEX}{{1,4}}:){{7}}{_HEX}{{1,4}}$",
    "email": rf"^{_MAILBOX}@([a-z0-9]{{1,30}}\.){{1,3}}[a-z]{{2,10}}$",
    "uri": rf"^[a-z]{{2,8}}://{_HOST}(:[1-9][0-9]{{1,3}})?(/[A-Za-z0-9._~/?&=%+-]{{0,200}})?$",
}
"""What pydantic's formats allow, as far as an answer needs it. The forms are narrower, never wider,
but for days that a month does not have."""


def expressible(pattern: str, *, rich: bool) -> str | None:
    """Return the pattern as a grammar can hold it; None: it cannot.

    `rich`: llguidance, which knows classes and need not be anchored. Otherwise what every converter
    of llama.cpp takes.
    """
    if not rich and not (pattern.startswith("^") and _closed(pattern) and _inside_json(pattern)):
        return None
    written: list[str] = []
    inside = False
    for token in _TOKEN.finditer(pattern):
        piece = _piece(token, inside=inside, rich=rich)
        if piece is None or (piece in "^$" and not inside and not _at_an_end(token, pattern)):
            return None
        inside = (inside or piece == "[") and piece != "]"
        written.append(piece)
    return None if inside else "".join(written)


def _inside_json(pattern: str) -> bool:
    """Whether a pattern matches no sign that JSON escapes: other converters write it as it is."""
    plain = re.sub(r"\\.", "", pattern)
    outside = re.sub(r"\[[^\]]*\]", "", plain)
    return not ("[^" in plain or '"' in plain or "." in outside or "\\\\" in pattern)


def _closed(pattern: str) -> bool:
    return pattern.endswith("$") and not pattern.endswith(r"\$")


def _at_an_end(token: re.Match[str], pattern: str) -> bool:
    return token.start() == 0 or token.end() == len(pattern)


def _piece(token: re.Match[str], *, inside: bool, rich: bool) -> str | None:
    """Return one piece of a pattern; None where a grammar has nothing for it."""
    if escape := token["escape"]:
        if escape in _ESCAPED or (rich and (escape in _SIGNS or escape in "dwsDWSntr")):
            return token[0]
        named = _CLASSES.get(escape)
        return None if named is None else named if inside else f"[{named}]"
    if token["group"] and not inside:
        return token[0] if rich and token[0] == "(?:" else None
    if (many := token["many"]) and not inside:
        return many if max(map(int, re.findall(r"\d+", many))) <= REPEATS_LIMIT else None
    return token[0]
