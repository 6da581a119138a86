r"""What is said to the process of the senses: a line of JSON, then the bytes of arrays.

    {"do": …, "arrays": [[TYPE, SHAPE], …]}\\n BYTES…

A program opens a connection for each operation, and stops it by hanging up:

    {"do": "run", "token": …, "variant": …, "place": "cuda"|"cpu", "task": …, …}  [arrays]
    {"is": "done", …} [arrays]    or    {"is": "failed", "kind": …, "reason": …}

The arbiter has one connection, and says in it what lies on the card and who may run there:

| do | with | answered by |
| --- | --- | --- |
| arbiter | version, epoch, keep: tokens that go on | there: pid, on_card {variant: bytes} |
| load, unload | variant | loaded, unloaded; failed with a reason |
| lease | token, variant | |
| end | token | ended, once its operation has stopped |

Unasked comes `memory` with the bytes of the card that it holds.
"""

import asyncio
import json
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.residency.daemon import lines
from agent.residency.errors import MessageError

VERSION = 1
LINE_BYTES = 16 << 20
MOST_BYTES = 256 << 20
"""Of all arrays of a message; the largest picture that is decoded has 192 million."""
_TYPES = {"float32": 4, "int16": 2, "uint8": 1, "bool": 1}
_MOST_ARRAYS = 4_096

Message = dict[str, Any]
Arrays = list[NDArray[Any]]


def encode(message: Message, arrays: Sequence[NDArray[Any]] = ()) -> list[bytes | memoryview]:
    """Return the parts of a message, to be written one after the other."""
    whole = [np.ascontiguousarray(one) for one in arrays]
    head = {**message, "arrays": [[one.dtype.name, one.shape] for one in whole]}
    line = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    return [line, *(one.data.cast("B") for one in whole if one.size)]


async def read(reader: asyncio.StreamReader) -> tuple[Message, Arrays] | None:
    """Read a message; None at the end. Raises MessageError."""
    message = await lines.read(reader, LINE_BYTES)
    if message is None:
        return None
    arrays = []
    try:
        for name, shape in _told(message.pop("arrays", [])):
            data = await reader.readexactly(_TYPES[name] * prod(shape))
            arrays.append(np.frombuffer(data, dtype=name).reshape(shape))
    except asyncio.IncompleteReadError as error:
        raise MessageError("The connection broke off within an array.") from error
    return message, arrays


def _told(arrays: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Return types and shapes, if they can be. Raises MessageError."""
    if not isinstance(arrays, list) or len(arrays) > _MOST_ARRAYS:
        raise MessageError(f"'arrays' has to be a list of at most {_MOST_ARRAYS}.")
    found = []
    left = MOST_BYTES
    for one in arrays:
        match one:
            case [str(name), list(shape)] if name in _TYPES and len(shape) <= 4:
                sizes = tuple(size for size in shape if type(size) is int and size >= 0)
                left -= _TYPES[name] * prod(sizes)
                if len(sizes) == len(shape) and left >= 0:
                    found.append((name, sizes))
                    continue
        raise MessageError(f"{one!r:.60} is no array, or all are more than {MOST_BYTES} bytes.")
    return found


def text(message: Message, name: str) -> str:
    """Return a field that has to be a text. Raises MessageError."""
    value = message.get(name)
    if not isinstance(value, str) or not value:
        raise MessageError(f"{name!r} has to be a text, not {value!r:.60}.")
    return value


def whole(message: Message, name: str) -> int:
    """Return a field that has to be a whole number, not below 0. Raises MessageError."""
    value = message.get(name)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise MessageError(f"{name!r} has to be a whole number, not {value!r:.60}.")
    return value
