"""Read a file inside the folders that settings allow."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tools.base import Effect, Tool, ToolContext, ToolError, ToolResult
from tools.reading.base import FileReader, Reading, UnreadableError
from tools.reading.disk import contents

CHARACTERS_LIMIT = 20_000
BYTES_LIMIT = 50 * 2**20


class ReadFileArguments(BaseModel):
    """Which part of which file."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(description="the file, absolute or relative to the first allowed folder")
    start: int = Field(default=0, ge=0, description="character to begin at")


def resolved(path: str, roots: Sequence[Path]) -> Path:
    """Return the real path, symbolic links followed. One outside the roots is a `ToolError`."""
    if not roots:
        raise ToolError("No folder may be read. Name some in the setting `files.roots`.")
    if "\0" in path:
        raise ToolError(f"{path!r} is not a path: no file's name holds a NUL.")
    real = Path(os.path.realpath(roots[0] / path))
    if not any(real.is_relative_to(os.path.realpath(root)) for root in roots):
        allowed = ", ".join(str(root) for root in roots)
        raise ToolError(f"{path!r} is not inside the allowed folders ({allowed}).")
    return real


def opened(path: Path) -> bytes:
    """Return the bytes of a regular file of bearable size; anything else is a `ToolError`."""
    try:
        return contents(path, bytes_limit=BYTES_LIMIT).data
    except UnreadableError as error:
        raise ToolError(str(error)) from error
    except OSError as error:
        raise ToolError(f"{path.name} cannot be read: {error.strerror}.") from error


def shown(reading: Reading, start: int) -> str:
    """Return what the executive is shown from a character on, and what is not shown."""
    text = "\n".join(block.text for block in reading.blocks)
    end = start + CHARACTERS_LIMIT
    if start and start >= len(text):
        raise ToolError(f"The text has {len(text)} characters; it cannot be read from {start} on.")
    notes = [f"[{flaw}]" for flaw in reading.flaws]
    if end < len(text):
        notes.append(f"[{len(text) - end} characters more; read on with start={end}]")
    return "\n".join([text[start:end], *notes])


def read_file(roots: Sequence[Path], reader: FileReader) -> Tool[ReadFileArguments]:
    """Build the tool for these folders."""

    async def run(wanted: ReadFileArguments, _: ToolContext) -> ToolResult:
        path = await asyncio.to_thread(resolved, wanted.path, roots)
        data = await asyncio.to_thread(opened, path)
        try:
            reading = await reader.read(data, path.name)
        except UnreadableError as error:
            raise ToolError(str(error)) from error
        return ToolResult(text=shown(reading, wanted.start), ok=True, label=reading.label)

    return Tool(
        name="read_file",
        description="Read a file of the user: text, PDF, mail, picture or recording.",
        arguments=ReadFileArguments,
        effect=Effect.READ,
        run=run,
    )
