"""Lines of JSON that programs and processes of ours send each other."""

import asyncio
import json
from typing import Any

from agent.residency.errors import MessageError


async def read(reader: asyncio.StreamReader, limit: int) -> dict[str, Any] | None:
    """Return the object of the next line; None at the end. Raises MessageError.

    `limit` is the reader's, in bytes.
    """
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise MessageError("The connection broke off within a message.") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise MessageError(f"A message has at most {limit} bytes.") from error
    return decoded(line)


def decoded(line: bytes) -> dict[str, Any]:
    """Return the object of a line. Raises MessageError."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"This is no JSON: {line[:40]!r}.") from error
    if not isinstance(message, dict):
        raise MessageError(f"This is no object of JSON: {line[:40]!r}.")
    return message
