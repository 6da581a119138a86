"""What an item of the store is found by: the texts in its value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from langgraph.store.base import get_text_at_path, tokenize_path

from memory.characters import storable

Fields = Sequence[str] | Literal[False] | None


def texts(value: Mapping[str, Any], fields: Fields) -> tuple[str, ...]:
    """Return the texts of a value, each of which is found for itself.

    Of `fields` each path that leads somewhere gives one, or one for every element, by LangGraph's
    rules; False gives none; None, or the path `$`, the whole value in words.
    """
    if fields is False:
        return ()
    if fields is None:
        return _filled([in_words(value)])
    found: list[str] = []
    for field in fields:
        whole = field in ("", "$")
        found += [in_words(value)] if whole else get_text_at_path(dict(value), tokenize_path(field))
    return _filled(found)


def in_words(value: Mapping[str, Any]) -> str:
    """Write a value for a reader: its only text as it is, of several each on a line with its name.

    JSON would put marks among the words that a citation quotes.
    """
    leaves = list(_leaves(value, ""))
    if len(leaves) == 1:
        return leaves[0][1]
    return "\n".join(f"{name}: {text}" for name, text in leaves)


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part, name)
    elif value is not None:
        yield name, str(value)


def _filled(found: Sequence[str]) -> tuple[str, ...]:
    """Return the texts that hold anything, each once."""
    return tuple(dict.fromkeys(storable(text) for text in found if text.strip()))
