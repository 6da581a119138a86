"""What is remembered, told as plain values: listed and forgotten."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent import assembly
from agent.errors import UsageError
from agent.settings import Settings
from memory.item_names import parsed, path

if TYPE_CHECKING:
    from memory.item_catalogue import ItemCatalogue
    from memory.items import StoredItem

Agree = Callable[[str], bool]
"""Asks a person whether what the text says is to be done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is to be forgotten: one key, a namespace, or everything."""

    key: str | None
    namespace: str | None
    everything: bool


async def listed(settings: Settings, *, namespace: str | None, limit: int) -> dict[str, Any]:
    """Return memories in the order of their names, and how many there are."""
    from memory.item_catalogue import ItemCatalogue

    labels = parsed(namespace or "")
    async with assembly.database(settings) as pool:
        catalogue = ItemCatalogue(pool)
        found = []
        async for item in catalogue.items(labels):
            found.append(told(item))
            if len(found) == limit:
                break
        return {"memories": found, "total": await catalogue.count(labels)}


async def forget(settings: Settings, wanted: Wanted, *, agree: Agree) -> dict[str, Any]:
    """Delete memories if the person agrees; UsageError where it is not clear which."""
    from memory.item_catalogue import ItemCatalogue

    _check(wanted)
    async with assembly.database(settings) as pool:
        catalogue = ItemCatalogue(pool)
        items = await _meant(catalogue, wanted)
        question = _question(wanted, items)
        if items and not await asyncio.to_thread(agree, question):
            return {"forgotten": 0, "names": []}
        count = await catalogue.forget(items)
    return {"forgotten": count, "names": [path(item.namespace, item.key) for item in items]}


def _check(wanted: Wanted) -> None:
    if wanted.everything and (wanted.key is not None or wanted.namespace is not None):
        raise UsageError("--all forgets everything. Leave out the key and --namespace, or --all.")
    if not wanted.everything and wanted.key is None and not wanted.namespace:
        raise UsageError("Name a key, a --namespace, or --all. `cortical memory list` shows them.")


async def _meant(catalogue: "ItemCatalogue", wanted: Wanted) -> "list[StoredItem]":
    labels = parsed(wanted.namespace or "")
    if wanted.key is None:
        return [item async for item in catalogue.items(labels)]
    found = await catalogue.named(wanted.key, labels)
    if not found and "/" in wanted.key:
        *above, key = parsed(wanted.key)
        namespace = (*labels, *above)
        found = [
            item for item in await catalogue.named(key, namespace) if item.namespace == namespace
        ]
    if not found:
        raise UsageError(
            f"There is no memory {wanted.key!r}. `cortical memory list` shows all that there are."
        )
    if len(found) > 1:
        names = ", ".join(path(item.namespace, item.key) for item in found)
        raise UsageError(f"Several memories have the key {wanted.key!r}: {names}. Name one whole.")
    return found


def _question(wanted: Wanted, items: "list[StoredItem]") -> str:
    if wanted.key is not None and items:
        name = path(items[0].namespace, items[0].key)
        return f"Forget {name}: {_shown(items[0])}?"
    where = "" if wanted.everything else f" under {wanted.namespace}"
    return f"Forget all {len(items)} memories{where}?"


def _shown(item: "StoredItem") -> str:
    text = json.dumps(item.value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:199]}…"


def told(item: "StoredItem") -> dict[str, Any]:
    """Return everything that is known of a memory."""
    return {
        "namespace": list(item.namespace),
        "key": item.key,
        "value": item.value,
        "label": item.label.to_json(),
        "source": item.source,
        "created_at": item.created_at.isoformat(),
        "updated_at": item.updated_at.isoformat(),
        "ttl_minutes": item.ttl_minutes,
        "expires_at": None if item.expires_at is None else item.expires_at.isoformat(),
    }
