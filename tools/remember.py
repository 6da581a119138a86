"""Write a fact into long-term memory, where recall finds it beside the documents."""

import hashlib
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from memory.documents import NewChunk, NewDocument
from memory.labels import ENGINE_LABEL
from memory.places import Place
from tools.base import Effect, Tool, ToolContext, ToolResult

REMEMBERED = "remembered"
"""The collection of all that was remembered on request."""


class Notebook(Protocol):
    """What remember asks of the store."""

    async def note(self, document: NewDocument, *, collection: str) -> None:
        """Store a document at once, findable by its words and its meaning."""
        ...


class RememberArguments(BaseModel):
    """A fact to keep."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    fact: str = Field(min_length=1, max_length=2_000, description="one fact, in whole sentences")


def noted(fact: str, context: ToolContext) -> NewDocument:
    """Return the fact as a document that carries the label of all that was in view."""
    digest = hashlib.sha256(fact.encode()).digest()
    return NewDocument(
        uri=f"memory:{digest.hex()[:32]}",
        title=f"Remembered on {context.clock.now().date().isoformat()}",
        kind="memory",
        media_type="text/plain",
        content_hash=digest,
        reader="remember 1",
        language="und",
        modified_at=context.clock.now(),
        label=context.label,
        chunks=(NewChunk(text=fact, context="", place=Place(), label=context.label),),
    )


def remember(notebook: Notebook) -> Tool[RememberArguments]:
    """Build the tool."""

    async def run(wanted: RememberArguments, context: ToolContext) -> ToolResult:
        await notebook.note(noted(wanted.fact, context), collection=REMEMBERED)
        label = ENGINE_LABEL.join(context.label)
        return ToolResult(text=f"Remembered: {wanted.fact}", ok=True, label=label)

    return Tool(
        name="remember",
        description="Keep a fact for later conversations, when the user asks for it.",
        arguments=RememberArguments,
        effect=Effect.LOCAL,
        run=run,
        target=lambda wanted: wanted.fact,
        repeatable=True,
    )
