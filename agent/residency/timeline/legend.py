"""What the colours and marks of a timeline mean."""

from collections.abc import Iterator, Mapping, Sequence

from agent.residency.timeline.svg import element, number, text

_LINE = 18.0
_LETTER = 6.0
"""Width of a letter, roughly: the words of a legend need not touch."""


class Legend:
    """Entries one after the other, in as many lines as they need."""

    def __init__(
        self, layers: Sequence[str], colours: Mapping[str, str], *, left: float, right: float
    ) -> None:
        swatches = [(_swatch(colours[name]), name) for name in layers]
        self._entries = [*swatches, *_MARKS]
        self._left = left
        self._right = right
        first = list(self._placed(swatches, 0.0))
        self._places = [*first, *self._placed(_MARKS, first[-1][1] + _LINE)]
        self.height = self._places[-1][1] + _LINE

    def drawn(self, top: float) -> Iterator[str]:
        """Return all entries."""
        for (sign, words), (x, y) in zip(self._entries, self._places, strict=True):
            yield element("g", sign, transform=f"translate({number(x)} {number(top + y)})")
            yield element("text", text(words), class_="faint", x=x + 18, y=top + y + 9)

    def _placed(
        self, entries: Sequence[tuple[str, str]], y: float
    ) -> Iterator[tuple[float, float]]:
        x = self._left
        for _, words in entries:
            width = 18 + len(words) * _LETTER + 14
            if x + width > self._right and x > self._left:
                x, y = self._left, y + _LINE
            yield x, y
            x += width


def _swatch(colour: str) -> str:
    return element("rect", width=12, height=10, rx=2, fill=colour)


def _bar(y: float, height: float, *, opacity: float = 1.0) -> str:
    return element("rect", width=13, y=y, height=height, fill="#1f9e8f", opacity=opacity)


_MARKS = (
    (element("path", class_="used", d="M0 5h14"), "measured"),
    (_bar(3.5, 3, opacity=0.55), "waits"),
    (_bar(0.5, 10), "works for a person"),
    (_bar(0.5, 10, opacity=0.5), "for a job"),
    (
        element("rect", width=13, y=0.5, height=10, rx=2, fill="none", stroke="#1f9e8f"),
        "on the CPU",
    ),
    (element("path", class_="ink", d="M3 2l3.5 7h-7z"), "load"),
    (element("path", class_="ink", d="M6 9l3.5-7h-7z"), "unload"),
    (element("path", class_="rule", fill="none", d="M6 0l4 5-4 5-4-5z"), "hint"),
    (element("path", class_="alarm", d="M3 1.5l6 7m0-7-6 7"), "refused or revoked"),
    (element("path", class_="alarmed", d="M6 0l5 10h-10z"), "failed"),
    (element("path", class_="alarm", d="M6 0v10", stroke_dasharray="3 2"), "restart"),
)
