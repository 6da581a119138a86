"""The ledger of acts: each is written down before it is done, so that none is done twice."""

from datetime import datetime

from psycopg.types.json import Jsonb

from memory.characters import storable, storable_json
from memory.database import Pool, transaction
from memory.effects import Effect, EffectState, Entry
from memory.queries import query


class EffectLedger:
    """Writes acts down, under the fence of their thread."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def intend(
        self, effect: Effect, *, run_id: str, thread_id: str, token: int, now: datetime
    ) -> Entry:
        """Write the intention down unless the key is known; return what stands there."""
        async with transaction(self._pool) as connection:
            await connection.execute(query("hold_fence"), {"thread_id": thread_id, "token": token})
            written = await connection.execute(
                query("intend_effect"),
                {
                    "key": effect.key,
                    "run_id": run_id,
                    "thread_id": thread_id,
                    "token": token,
                    "tool": effect.tool,
                    "target": storable(effect.target),
                    "arguments": Jsonb(storable_json(effect.arguments)),
                    "origins": sorted(effect.label.origins),
                    "audience": sorted(effect.label.audience),
                    "now": now,
                },
            )
            fresh = await written.fetchone() is not None
            found = await connection.execute(query("get_effect"), {"key": effect.key})
            row = await found.fetchone()
        assert row is not None, "the key stands there: this transaction or an earlier one wrote it"
        return Entry(state=EffectState(row["state"]), receipt=row["receipt"], fresh=fresh)

    async def end(
        self, key: str, state: EffectState, receipt: str | None, *, now: datetime
    ) -> None:
        """Write down what became of an act that was intended."""
        async with transaction(self._pool) as connection:
            await connection.execute(
                query("end_effect"),
                {
                    "key": key,
                    "state": state,
                    "receipt": None if receipt is None else storable(receipt),
                    "now": now,
                },
            )
