"""What a model writes: calls and answers in the very letters, so that they can be forced."""

import json
from typing import Any

from graphs.executive import Wish


def call(name: str, arguments: dict[str, Any]) -> str:
    """Return a call as a model writes it under the schema of its tools."""
    return _compact({"tool": name, "arguments": arguments})


def answer(text: str, wish: Wish) -> str:
    """Return an answer in words: one of the schema's branches where tools were offered."""
    return _compact({"answer": text}) if wish.tools else text


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
