"""Read what a prompt showed in part: a stored result or a long message, a part at a time."""

import re
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from memory.artifacts import Artifact
from tools.base import Effect, Tool, ToolContext, ToolError, ToolResult

PART_CHARACTERS = 2_000
_LOOK_BACK = 200
"""Characters before the end of a part in which it may end at a space."""


class Stored(Protocol):
    """What reread asks of the store."""

    async def referred(self, reference: str, *, thread_id: str) -> list[Artifact]:
        """Return the bodies of a thread whose ids begin with a reference."""
        ...


class RereadArguments(BaseModel):
    """Which text, and which part of it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    reference: str = Field(
        pattern=r"^[0-9a-fA-F-]{8,36}$", description="as it stands behind the text that was cut"
    )
    part: int = Field(default=1, ge=1, description="counted from 1")


def parts_of(text: str, characters: int) -> list[str]:
    """Cut a text into parts of at most so many characters, at spaces where there are any."""
    found = []
    start = 0
    while start < len(text):
        end = start + characters
        if end < len(text):
            end = _space_before(text, end, max(start + characters // 2, end - _LOOK_BACK))
        found.append(text[start:end])
        start = end
    return found or [""]


def _space_before(text: str, end: int, earliest: int) -> int:
    """Return where a part ends: behind the last white space that is not before `earliest`."""
    spaces = [match.end() for match in re.finditer(r"\s", text[earliest:end])]
    return earliest + spaces[-1] if spaces else end


def reread(stored: Stored, *, part_characters: int = PART_CHARACTERS) -> Tool[RereadArguments]:
    """Build the tool. A part has the label of the text that it is from."""

    async def run(wanted: RereadArguments, context: ToolContext) -> ToolResult:
        found = await stored.referred(wanted.reference.lower(), thread_id=context.thread_id)
        if len(found) != 1:
            raise ToolError(
                f"The reference {wanted.reference!r} names {'no' if not found else 'more than one'}"
                " text of this conversation. Copy it as it stands behind the text that was cut."
            )
        parts = parts_of(str(found[0].body.get("text", "")), part_characters)
        if wanted.part > len(parts):
            raise ToolError(f"There is no part {wanted.part}; the text has {len(parts)}.")
        shown = f"Part {wanted.part} of {len(parts)}:\n{parts[wanted.part - 1]}"
        return ToolResult(text=shown, ok=True, label=found[0].label)

    return Tool(
        name="reread",
        description="Read a text that was shown in part, by its reference, a part at a time.",
        arguments=RereadArguments,
        effect=Effect.READ,
        run=run,
    )
