"""Search long-term memory."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from memory.documents import Chunk, Hit
from memory.item_names import KIND, SOURCE_URI
from memory.labels import INSIDE, joined
from tools.base import Effect, Tool, ToolContext, ToolResult

HITS_LIMIT = 8


class Memory(Protocol):
    """What recall asks of the search."""

    async def search(self, text: str, *, k: int, collections: Sequence[str]) -> list[Hit]:
        """Return the best passages, best first."""
        ...


class RecallArguments(BaseModel):
    """What to look for."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    query: str = Field(min_length=1, max_length=500, description="words that the passage may hold")


def shown(hits: Sequence[Hit]) -> str:
    """Write the hits for the executive, each under the number of its chunk."""
    if not hits:
        return "Memory holds nothing on that."
    return "\n\n".join(f"[{hit.chunk.id}] {_source(hit.chunk)}\n{hit.chunk.text}" for hit in hits)


def _source(chunk: Chunk) -> str:
    where = str(chunk.place)
    title = f"{chunk.document.title} ({where})" if where else chunk.document.title
    return title + remembered(chunk)


def remembered(chunk: Chunk) -> str:
    """Say of a memory that it is one, its name, and whose words it holds; of a document nothing."""
    if chunk.document.kind != KIND:
        return ""
    outside = ", ".join(sorted(chunk.label.origins - INSIDE))
    words = f"words from outside: {outside}" if outside else "the user's own words"
    return f" (memory {chunk.document.uri.removeprefix(SOURCE_URI)}; {words})"


def recall(memory: Memory) -> Tool[RecallArguments]:
    """Build the tool."""

    async def run(wanted: RecallArguments, context: ToolContext) -> ToolResult:
        hits = await memory.search(wanted.query, k=HITS_LIMIT, collections=context.collections)
        return ToolResult(
            text=shown(hits),
            ok=True,
            label=joined(hit.chunk.label for hit in hits),
            chunks=tuple(hit.chunk.id for hit in hits),
        )

    return Tool(
        name="recall",
        description="Search the user's documents, mail, pictures, recordings and notes.",
        arguments=RecallArguments,
        effect=Effect.READ,
        run=run,
        always_shown=True,
    )
