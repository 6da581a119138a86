"""What a program is granted, and how a block that it runs is stopped when that is taken back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from agent.residency.errors import LeaseLostError


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A lease, as the program that holds it knows it."""

    token: int
    variant: str
    place: Literal["cpu", "cuda"]
    working_bytes: int
    weights_bytes: int
    rung: int
    """Which of the wishes it is; 0 is the first."""
    reason: str
    """Why not an earlier one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """Leave for a turn to begin."""

    place: Literal["cpu", "cuda"]
    profile: str | None
    """By which the executive is loaded; None where it is not on the card."""


@asynccontextmanager
async def revocable(what: str) -> AsyncIterator[Callable[[str], None]]:
    """Give what stops the block: it is cancelled, and ends with LeaseLostError instead."""
    task = asyncio.current_task()
    assert task is not None, "a block is run by a task"
    reasons: list[str] = []

    def revoke(reason: str) -> None:
        if not reasons:
            reasons.append(reason)
            task.cancel()

    try:
        yield revoke
    except asyncio.CancelledError as error:
        if reasons and task.uncancel() <= 0:
            raise LeaseLostError(f"{what}: {reasons[0]}.") from error
        raise
    else:
        if reasons:
            task.uncancel()
