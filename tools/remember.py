"""Write a fact into long-term memory, where recall finds it beside the documents."""

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from memory.item_names import FACTS
from memory.labels import ENGINE_LABEL, Label
from tools.base import Effect, Tool, ToolContext, ToolResult


class Memories(Protocol):
    """What remember asks of the store."""

    async def keep(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any],
        *,
        label: Label,
        source: str | None = None,
    ) -> None:
        """Store an item at once, findable by its words and its meaning; the same name replaces."""
        ...


class RememberArguments(BaseModel):
    """A fact to keep."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    fact: str = Field(min_length=1, max_length=2_000, description="one fact, in whole sentences")
    about: str = Field(
        default="",
        max_length=200,
        description="only where facts replace one another, such as an address: what it is about",
    )


def key_of(wanted: RememberArguments) -> str:
    """Return the key of a fact: what it is about, else a digest of its words.

    So a newer fact about the same takes the place of the one before, and the same fact in other
    spaces or letters of another size stands there once.
    """
    if wanted.about:
        return _plain(wanted.about)
    return hashlib.sha256(_plain(wanted.fact).encode("utf-8", "replace")).hexdigest()[:32]


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def remember(memories: Memories) -> Tool[RememberArguments]:
    """Build the tool."""

    async def run(wanted: RememberArguments, context: ToolContext) -> ToolResult:
        await memories.keep(
            FACTS,
            key_of(wanted),
            {"text": wanted.fact},
            label=context.label,
            source=f"run:{context.run_id}",
        )
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
