"""How a text that nobody wrote as a document is cut for memory."""

from memory.labels import ENGINE_LABEL
from memory.places import Place
from tools.chunking import chunks
from tools.reading.base import Block, Reading
from tools.tokens import tokens_bound


def cut(text: str) -> list[str]:
    """Return the passages of a text, cut where those of a document are."""
    block = Block(text=text, place=Place(), label=ENGINE_LABEL)
    reading = Reading(
        title="",
        kind="memory",
        media_type="text/plain",
        blocks=(block,),
        label=ENGINE_LABEL,
        reader="",
    )
    return [chunk.text for chunk in chunks(reading, tokens_bound)]
