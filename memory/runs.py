"""The registry of runs: one row for every run of every graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from memory.characters import storable, storable_json
from memory.database import Pool, transaction, translated
from memory.effects import EffectState
from memory.queries import query


class RunStatus(StrEnum):
    """What is true of a run."""

    ACCEPTED = "accepted"  # written down; nothing was done yet
    RUNNING = "running"  # a process works on it, or was killed while it did
    WAITING = "waiting"  # a person has to decide on an act
    PAUSED = "paused"  # a person stopped it; it goes on when its thread is asked again
    DONE = "done"  # it came to its end
    FAILED = "failed"  # an error ended it; the error is stored
    CANCELLED = "cancelled"  # a person ended it


MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.RUNNING: frozenset(
        # A failed run is run again where the fault was outside it: a disk, a server.
        {
            RunStatus.ACCEPTED,
            RunStatus.RUNNING,
            RunStatus.WAITING,
            RunStatus.PAUSED,
            RunStatus.FAILED,
        }
    ),
    RunStatus.WAITING: frozenset({RunStatus.RUNNING}),
    RunStatus.PAUSED: frozenset({RunStatus.RUNNING}),
    RunStatus.DONE: frozenset({RunStatus.RUNNING}),
    RunStatus.FAILED: frozenset(
        {RunStatus.ACCEPTED, RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED}
    ),
    RunStatus.CANCELLED: frozenset(
        {RunStatus.ACCEPTED, RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED}
    ),
}
"""To each status, those that a run may come from."""

ENDED = frozenset({RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A graph at work on a thread."""

    run_id: str
    thread_id: str
    graph: str
    status: RunStatus
    token: int | None
    """Fence token under which it is or was last run."""
    parent_id: str | None
    input: dict[str, Any]
    context: dict[str, Any]
    """What else has to be handed over again when it is resumed."""
    error: str | None
    prompt_tokens: int
    answer_tokens: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    """The budget that ended it before its own end."""
    cancel_asked_at: datetime | None
    """When a person told it to end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStep:
    """One node that ran to its end, or failed."""

    node: str
    task_id: str
    started_at: datetime
    seconds: float
    error: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunAct:
    """An act of a run, as the ledger has it."""

    tool: str
    target: str
    state: EffectState
    intended_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rider:
    """A statement that goes into the transaction of another write."""

    query: str
    values: dict[str, Any]
    task: str = ""
    """The task whose write it goes with, below those that it is nested in: `node:id|node:id`."""


def _run(row: DictRow) -> Run:
    parent = row["parent_id"]
    return Run(
        **{
            **row,
            "run_id": str(row["run_id"]),
            "parent_id": None if parent is None else str(parent),
            "status": RunStatus(row["status"]),
        }
    )


def _move(
    run_id: str,
    to: RunStatus,
    *,
    now: datetime,
    token: int,
    error: str | None = None,
    ended_by: str | None = None,
) -> dict[str, Any]:
    """Return what the statement that changes a status is given."""
    return {
        "run_id": run_id,
        "status": to,
        "token": token,
        "error": None if error is None else storable(error),
        "ended_by": None if ended_by is None else storable(ended_by),
        "ended": to in ENDED,
        "now": now,
        "from": [str(status) for status in MOVES[to]],
    }


class RunRegistry:
    """Writes runs down before they begin, and what became of them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def accept(
        self,
        *,
        run_id: str,
        thread_id: str,
        graph: str,
        input: dict[str, Any],  # noqa: A002 - LangGraph's word for it
        context: dict[str, Any],
        token: int,
        now: datetime,
        parent_id: str | None = None,
    ) -> None:
        """Write a run down before anything is done for it. A known id changes nothing.

        Raises `FenceLostError` if another runner has taken the thread.
        """
        values = {
            "run_id": run_id,
            "thread_id": thread_id,
            "graph": graph,
            "parent_id": parent_id,
            "input": Jsonb(storable_json(input)),
            "context": Jsonb(context),
            "now": now,
        }
        async with transaction(self._pool) as connection:
            await connection.execute(query("hold_fence"), {"thread_id": thread_id, "token": token})
            await connection.execute(query("insert_run"), values)

    async def move(
        self,
        run_id: str,
        to: RunStatus,
        *,
        now: datetime,
        token: int,
        error: str | None = None,
        ended_by: str | None = None,
        riders: Sequence[Rider] = (),
    ) -> bool:
        """Change the status if `MOVES` allows it from where the run stands; say whether it did.

        What found no other write to ride along with goes into the same transaction. Raises
        `FenceLostError`, and nothing is written, if another runner has taken the thread: a run is
        told of by whoever runs it now.
        """
        values = _move(run_id, to, now=now, token=token, error=error, ended_by=ended_by)
        async with transaction(self._pool) as connection:
            await connection.execute(query("hold_fence_of_run"), {"run_id": run_id, "token": token})
            for rider in riders:
                await connection.execute(query(rider.query), rider.values)
            cursor = await connection.execute(query("move_run"), values)
            return await cursor.fetchone() is not None

    async def ask_to_cancel(self, run_id: str, *, now: datetime) -> bool:
        """Tell a run to end, whoever runs it; False where it has ended already."""
        return bool(await self._fetch("ask_to_cancel", run_id=run_id, now=now))

    async def cancel_asked(self, run_id: str) -> bool:
        """Whether a run was told to end."""
        rows = await self._fetch("cancel_asked", run_id=run_id)
        return bool(rows) and rows[0]["cancel_asked_at"] is not None

    def cancelled(self, run_id: str, *, now: datetime, token: int) -> Rider:
        """Return what ends a run that a person broke off; one that has ended stays as it is."""
        return Rider(
            query="move_run", values=_move(run_id, RunStatus.CANCELLED, now=now, token=token)
        )

    def cost(self, run_id: str, *, prompt_tokens: int, answer_tokens: int) -> Rider:
        """Return what adds to the tokens that the run has taken."""
        return Rider(
            query="add_tokens",
            values={
                "run_id": run_id,
                "prompt_tokens": prompt_tokens,
                "answer_tokens": answer_tokens,
            },
        )

    def step(self, run_id: str, step: RunStep) -> Rider:
        """Return what writes down a node that has ended, along with another write."""
        return Rider(
            query="insert_step",
            task=step.task_id,
            values={
                "run_id": run_id,
                "node": step.node,
                "task_id": step.task_id,
                "started_at": step.started_at,
                "seconds": step.seconds,
                "error": None if step.error is None else storable(step.error),
            },
        )

    async def steps(self, run_id: str) -> list[RunStep]:
        """Return the nodes that a run went through, in order."""
        return [RunStep(**row) for row in await self._fetch("list_steps", run_id=run_id)]

    async def acts(self, run_id: str) -> list[RunAct]:
        """Return what a run has done to the world, or begun to do, in order."""
        rows = await self._fetch("list_acts", run_id=run_id)
        return [RunAct(**{**row, "state": EffectState(row["state"])}) for row in rows]

    async def get(self, run_id: str) -> Run | None:
        """Return one run."""
        rows = await self._fetch("get_run", run_id=run_id)
        return _run(rows[0]) if rows else None

    async def find(self, beginning: str) -> list[Run]:
        """Return at most three runs whose id begins so."""
        escaped = beginning.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return [_run(row) for row in await self._fetch("find_runs", prefix=f"{escaped}%")]

    async def newest(
        self,
        *,
        thread_id: str | None = None,
        statuses: Sequence[RunStatus] | None = None,
        limit: int = 20,
    ) -> list[Run]:
        """Return the newest runs first."""
        rows = await self._fetch(
            "list_runs",
            thread_id=thread_id,
            statuses=None if statuses is None else [str(status) for status in statuses],
            limit=limit,
        )
        return [_run(row) for row in rows]

    async def unfinished(self, thread_id: str) -> Run | None:
        """Return the newest run of a thread that has not ended."""
        rows = await self._fetch("unfinished_run", thread_id=thread_id)
        return _run(rows[0]) if rows else None

    async def forget(self, thread_ids: Sequence[str]) -> None:
        """Delete runs, acts and bodies of threads; their checkpoints are the checkpointer's."""
        async with transaction(self._pool) as connection:
            await connection.execute(query("forget_threads"), {"thread_ids": list(thread_ids)})

    async def _execute(self, name: str, **values: Any) -> None:
        with translated():
            async with self._pool.connection() as connection:
                await connection.execute(query(name), values)

    async def _fetch(self, name: str, **values: Any) -> list[DictRow]:
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query(name), values)
                return await cursor.fetchall()
