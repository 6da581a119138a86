"""Threads that a benchmark runs on, and leaves no trace of."""

import uuid
from dataclasses import dataclass, field

from memory.checkpoints import FencedSaver
from memory.database import Pool
from memory.runs import RunRegistry


@dataclass(kw_only=True, slots=True)
class Lent:
    """Gives out thread ids and remembers them."""

    ids: list[str] = field(default_factory=list)

    def new(self) -> str:
        """Return the id of a new thread."""
        self.ids.append(f"bench:{uuid.uuid4()}")
        return self.ids[-1]

    async def forget(self, pool: Pool) -> None:
        """Delete runs and checkpoints of all threads given out."""
        saver = FencedSaver(pool, {})
        for thread_id in self.ids:
            await saver.adelete_thread(thread_id)
        await RunRegistry(pool).forget(self.ids)
