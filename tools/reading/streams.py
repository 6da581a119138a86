"""XML that is too large for a tree, element by element as it is unpacked."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tools.archives import Archive, ArchiveError

if TYPE_CHECKING:
    from lxml.etree import _Element

MARKS = 24_000_000
"""Of angle brackets in one text: about five million cells."""

QUIET_MARKS = 500_000
"""Of those between two elements that are asked for: the widest row has a sixth of them."""


def elements(
    archive: Archive, name: str, tags: Sequence[str], *, events: Sequence[str] = ("end",)
) -> "Iterator[tuple[str, _Element]]":
    """Yield `start` or `end` and the element; at its end it is whole, and gone with the next one.

    Raises `ArchiveError`, also midway.
    """
    from lxml import etree

    parser = etree.XMLPullParser(
        events=events,
        tag=tags,
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    # Unpacking is quick, and a bomb is known only when it is unpacked; rows are slow.
    if archive.count(name, b"<") > MARKS:
        raise _oversize(name)
    quiet = 0
    try:
        for piece in archive.pieces(name):
            quiet += piece.count(b"<")
            if quiet > QUIET_MARKS:
                raise _oversize(name)
            parser.feed(piece)
            for event, element in parser.read_events():
                quiet = 0
                yield event, element
                if event == "end":
                    _forget(element)
        parser.close()
    except etree.XMLSyntaxError as error:
        raise ArchiveError(f"{name!r} in it is broken ({error}). Copy it anew.") from error


def _oversize(name: str) -> ArchiveError:
    return ArchiveError(
        f"{name!r} in it has more than {MARKS} marks, or {QUIET_MARKS} in one row, which are "
        "read at most. Split the workbook, or save its sheets as CSV."
    )


def _forget(element: "_Element") -> None:
    """Let go of an element that was read, and of those before it."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
