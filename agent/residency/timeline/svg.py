"""Elements of SVG as text."""

from xml.sax.saxutils import escape, quoteattr

_CONTROLS = {code: None for code in range(32) if code not in (9, 10, 13)}
"""Characters that XML cannot hold, not even escaped."""


def element(name: str, *inside: str, title: str = "", **attributes: object) -> str:
    """Return an element; `class_` stands for `class`, `_` in a name for `-`."""
    told = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_value(value))}"
        for key, value in attributes.items()
        if value is not None
    )
    body = (f"<title>{text(title)}</title>" if title else "") + "".join(inside)
    return f"<{name}{told}>{body}</{name}>" if body else f"<{name}{told}/>"


def text(words: str) -> str:
    """Return words as an element may hold them."""
    return escape(words.translate(_CONTROLS))


def number(value: float) -> str:
    """Return a coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def _value(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    return str(value).translate(_CONTROLS)
