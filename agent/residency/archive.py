"""Traces in the database, as commands ask for them."""

import asyncio
from datetime import timedelta

from agent import assembly
from agent.clock import SystemClock
from agent.errors import UsageError
from agent.residency import copying, showing
from agent.residency.opening import place_of
from agent.settings import Settings
from memory.card_traces import CardTraces


async def source(settings: Settings, *, card: str | None, epoch: int | None) -> showing.Source:
    """Return a trace of a card: the newest, or that of an epoch. What is new is copied first.

    Raises UsageError if there is none, TraceError if nothing of it was there to be copied.
    """
    place = await asyncio.to_thread(place_of, settings)
    wanted = card or (None if place is None else place.files.key)
    if wanted is None:
        raise UsageError("This machine has no card that cortical uses. Name one with --card.")
    async with assembly.database(settings) as pool:
        store = CardTraces(pool)
        if place is not None:
            keep = timedelta(days=settings.residency.trace_days)
            await copying.copy(place.files.data_dir, store, keep=keep, clock=SystemClock())
        found = await store.get(wanted, epoch)
        if found is None:
            which = "" if epoch is None else f" of its life {epoch}"
            raise UsageError(
                f"The database holds no trace of the card {wanted!r}{which}. Traces come there "
                "when a command that uses memory runs, and stay for residency.trace_days."
            )
        return showing.of_database(found, await store.lines(found))
