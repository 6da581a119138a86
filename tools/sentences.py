"""Where sentences end, in any language."""

import re
from collections.abc import Iterator

# A stop, the closing quotation marks or brackets behind it, and the space that follows. Chinese and
# Japanese stops need no space, nor do the Hindi and Ethiopic ones.
_END = re.compile(
    r"(?:(?<![.!?…])[.!?…]+[\"'”’»«)\]]*(?=\s)|[。！？｡\uff0e]+[」』”’）】]*|[।॥።؟])\s*"
)

# Before a stop: one letter ("z. B.", "J. Smith"), a day or ordinal ("12. März"), or one of these.
_ABBREVIATED = re.compile(
    r"(?:(?<![\w.,:])\d{1,2}|(?:^|[\s(.])(?:[^\W\d_]|dr|mr|mrs|ms|prof|st|nr|no|vgl|bzw|ca|etc|"
    r"e\.g|i\.e|usw|art|abs|fig|vol|pp|ed|jr|sr|inc|ltd|co|vs|cf|al|approx|inkl|ggf|evtl|str|tel|"
    r"hr|fr))\.$",
    re.IGNORECASE,
)
_LOOK_BACK = 16
"""Characters before a stop that tell an abbreviation."""


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield the offsets of the sentences between start and end, the space behind each included.

    Together they are the whole text, letter for letter. A line break ends no sentence.
    """
    stop = len(text) if end is None else end
    for match in _END.finditer(text, start, stop):
        if match.end() < stop and _ends(text, match.start(), match.end()):
            yield start, match.end()
            start = match.end()
    if start < stop:
        yield start, stop


def _ends(text: str, at: int, behind: int) -> bool:
    """Return whether the stop at an offset ends a sentence, and not an abbreviation."""
    if text[at] in ".!?…" and text[behind].islower():
        return False
    if text[at] != ".":
        return True
    return _ABBREVIATED.search(text[max(0, at - _LOOK_BACK) : at + 1]) is None
