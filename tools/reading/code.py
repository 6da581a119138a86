"""Source code in any language whose grammar is known: definitions, with what they stand in."""

from typing import TYPE_CHECKING, cast

from memory.labels import Label, Origin
from memory.places import Place
from tools import programming
from tools.chunking import TOKENS_LIMIT
from tools.reading import text
from tools.reading.base import Block, Reading
from tools.reading.decoding import decode
from tools.reading.pieces import Piece
from tools.reading.syntax import Splitter

if TYPE_CHECKING:
    from tree_sitter import Node
    from tree_sitter_language_pack import SupportedLanguage

READER = "code/1"
LABEL = Label(origins=frozenset({Origin.DOCUMENT}))

_BYTES_LIMIT = 2 * 2**20
"""Of a source that is parsed: a longer one is generated, or data."""
_BYTES_PER_LINE = 60


def read(data: bytes, name: str, media_type: str) -> Reading:
    """Return the definitions of a source, and what stands between them, with their lines.

    What cannot be parsed, or shows no syntax, is read as any text.
    """
    decoded = decode(data)
    source = decoded.text.encode()
    blocks = _blocks(source, name, media_type) if len(source) <= _BYTES_LIMIT else None
    if blocks is None:
        return text.read(data, name, media_type)
    return Reading(
        title=name,
        kind="code",
        media_type=media_type,
        blocks=blocks,
        label=LABEL,
        reader=READER,
        flaws=decoded.flaws,
    )


def _blocks(source: bytes, name: str, media_type: str) -> tuple[Block, ...] | None:
    """Return the pieces of a source, None where it is no code in its language."""
    from tree_sitter_language_pack import get_parser

    grammar = programming.by_media_type(media_type).grammar
    root = get_parser(cast("SupportedLanguage", grammar)).parse(source).root_node
    lines = max(source.count(b"\n"), len(source) // _BYTES_PER_LINE)
    if 4 * _errors(root) > lines:
        return None
    splitter = Splitter(source, title=name, limit=TOKENS_LIMIT)
    made = (_block(source, splitter, piece) for piece in splitter.pieces(root))
    return tuple(block for block in made if block is not None)


def _errors(root: "Node") -> int:
    """Return in how many places a tree does not follow its grammar."""
    count, waiting = 0, [root]
    while waiting:
        node = waiting.pop()
        count += node.is_error or node.is_missing
        waiting += [child for child in node.children if child.has_error]
    return count


def _block(source: bytes, splitter: Splitter, piece: Piece) -> Block | None:
    """Return a piece from the start of a line, None for one without a word."""
    held = source[piece.start : piece.end].decode()
    if not any(letter.isalnum() for letter in held):
        return None
    words = held.rstrip()
    blank = len(words) - len(words.lstrip())
    start = words.rfind("\n", 0, blank) + 1
    line = splitter.line(piece.start) + words.count("\n", 0, start)
    words = words[start:]
    place = Place(heading=piece.scope.path, line=line, last_line=line + words.count("\n"))
    return Block(text=words, place=place, label=LABEL, section=piece.scope.section)
