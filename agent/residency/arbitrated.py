"""Leases from the arbiter of a card, for whoever runs a sense."""

import asyncio
import logging
import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from agent.residency import ladders
from agent.residency.arbiter.events import EXECUTIVE, Choice, Priority
from agent.residency.client import ArbiterClient
from agent.residency.errors import LeaseRefusedError, NoExecutiveError, ResidencyError
from agent.residency.grants import Admission, Grant
from agent.residency.host import HostResidency
from agent.residency.ladders import Rungs
from tools.senses.base import Lease, Operation, Sense
from tools.senses.leased import Tell, silent

TURN_S = 120.0
"""A person waits at most so long for the executive, then is told why it is not there."""
_CALL = Choice(variant=EXECUTIVE)
TELL_S = 5.0
"""A person who waits for so long is told what for."""
HINT_S = 60.0
"""What was hinted at and is not asked for by then was no hint."""

log = logging.getLogger(__name__)


class ArbitratedResidency:
    """Asks the arbiter before each operation; one that cannot be reached takes nothing away.

    Without an arbiter nothing may use the card, but a sense on the CPU needs no leave: it is said,
    and goes on as on a machine without a card.
    """

    def __init__(
        self,
        client: ArbiterClient,
        *,
        rungs: Rungs = ladders.NONE,
        priority: Priority = Priority.PERSON,
        tell: Tell = silent,
    ) -> None:
        """`tell` hears of a wait that a person would wonder at."""
        self._tell = tell
        self._client = client
        self._rungs = rungs
        self._priority = priority
        self._host = HostResidency(rungs)
        # Each sense is one model with one state; the embedded ones run in this program.
        self._turns: defaultdict[Sense, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def lease(self, operation: Operation) -> AsyncIterator[Lease]:
        """Wait for room, hold it for the block, give it back.

        Raises LeaseRefusedError, and LeaseLostError if the block was stopped.
        """
        asked = time.monotonic()
        async with self._turns[operation.sense], AsyncExitStack() as stack:
            choices = ladders.ladder(operation, self._rungs, program=str(os.getpid()))
            with self._told(choices[0]):
                grant = await self._lent(stack, choices)
            if grant is None:
                yield await stack.enter_async_context(self._host.lease(operation))
                return
            _tell(operation, grant, time.monotonic() - asked)
            yield Lease(
                token=grant.token,
                variant=grant.variant,
                place=grant.place,
                granted_bytes=grant.working_bytes,
            )

    @contextmanager
    def _told(self, choice: Choice) -> Iterator[None]:
        """Say that something is waited for, unless the block is over soon."""
        words = (
            f"Waiting for {choice.variant} on the card. `cortical residency status` tells who has "
            "it, and whether it is paused."
        )
        timer = asyncio.get_running_loop().call_later(TELL_S, self._tell, words)
        try:
            yield
        finally:
            timer.cancel()

    def hint(self, operation: Operation) -> None:
        """Say that an operation will probably be asked for, if its first choice is on the card."""
        first = ladders.ladder(operation, self._rungs, program=str(os.getpid()))[0]
        if first.place == "cuda":
            self._client.hint(first, for_s=HINT_S)

    def suspect(self, reason: str) -> None:
        """Say that a call's own figures show that the executive is not as it was loaded."""
        self._client.suspect(reason)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Let one call to the executive run in the block: a job's waits while a person has a turn.

        A person's does not ask, since its turn holds jobs back already. Raises LeaseRefusedError,
        and LeaseLostError if the block was stopped.
        """
        async with AsyncExitStack() as stack:
            if self._priority is Priority.JOB:
                await self._lent(stack, (_CALL,))
            yield

    async def _lent(self, stack: AsyncExitStack, choices: Sequence[Choice]) -> Grant | None:
        """Wait for one of the choices and hold it; None where no arbiter can be reached."""
        try:
            return await stack.enter_async_context(
                self._client.lease(choices, priority=self._priority)
            )
        except LeaseRefusedError:
            raise
        except ResidencyError as error:
            place = choices[-1].place
            log.warning("arbiter_missing", extra={"reason": str(error), "place": place})
            return None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Admission | None]:
        """Wait until the executive is there, and keep it as it is for the block.

        None where none is kept. Raises LeaseRefusedError, and LeaseLostError if the block was
        stopped.
        """
        async with AsyncExitStack() as stack:
            try:
                hurried = self._priority is Priority.PERSON
                admission = await stack.enter_async_context(
                    self._client.turn(
                        priority=self._priority, deadline_s=TURN_S if hurried else None
                    )
                )
            except LeaseRefusedError as error:
                raise LeaseRefusedError(
                    f"The executive is not to be had. {error} `cortical residency status` tells "
                    "who has the card."
                ) from error
            except NoExecutiveError:
                yield None
                return
            except ResidencyError as error:
                log.warning("arbiter_missing", extra={"reason": str(error), "place": "cuda"})
                yield None
                return
            yield admission


def _tell(operation: Operation, grant: Grant, waited_s: float) -> None:
    facts = {
        "sense": operation.sense,
        "lease": grant.token,
        "place": grant.place,
        "variant": grant.variant,
        "waited_s": waited_s,
    }
    if grant.rung:
        log.info("lease_stepped_down", extra={**facts, "reason": grant.reason})
    else:
        log.info("lease_granted", extra=facts)
