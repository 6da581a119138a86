"""XML as a tree, without what it may do to its reader: entities, outside files, endless size."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.archives import ArchiveError

if TYPE_CHECKING:
    from lxml.etree import _Element

MARKS = 1_000_000
"""Of angle brackets in what becomes a tree: thousands of pages, or 300 MB made to hurt."""

TREE_BYTES = 64 * 2**20


@dataclass(kw_only=True, slots=True)
class Bounds:
    """How much of a document became trees so far."""

    marks_limit: int = MARKS
    marks: int = 0
    size: int = 0

    def take(self, data: bytes, what: str) -> None:
        """Count an XML text. Raises `ArchiveError` when it is too much."""
        self.marks += data.count(b"<")
        self.size += len(data)
        if self.marks > self.marks_limit or self.size > TREE_BYTES:
            raise ArchiveError(
                f"{what!r} in it brings it to {self.size} bytes of text and {self.marks} marks, "
                f"and {TREE_BYTES} and {self.marks_limit} are read at most. Split the document."
            )


def tree(data: bytes, what: str) -> "_Element":
    """Return the root of an XML text, without comments. Raises `ArchiveError`.

    Nesting deeper than 256 is refused by the parser.
    """
    from lxml import etree

    Bounds().take(data, what)
    if b"<!ENTITY" in data:
        raise ArchiveError(
            f"{what!r} in it declares XML entities, which documents do not need and bombs are "
            "made of. It was not read."
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ArchiveError(f"{what!r} in it is broken ({error}). Copy it anew.") from error
