"""What a model writes: calls and answers in the very letters, so that they can be forced."""

from typing import Any

from graphs.executive import Wish
from graphs.written import written


def call(name: str, arguments: dict[str, Any]) -> str:
    """Return a call as a model writes it under the schema of its tools."""
    return written({"tool": name, "arguments": arguments})


def answer(text: str, wish: Wish) -> str:
    """Return an answer in words: one of the schema's branches where tools were offered."""
    return written({"answer": text}) if wish.tools else text
