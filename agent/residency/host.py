"""Leases on a machine without a card: one operation of a sense at a time, each traced.

Every operation of a sense asks here already, so that what a card needs (bytes, waiting, eviction)
can come between without touching those who ask.
"""

import asyncio
import itertools
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.residency import ladders
from agent.residency.errors import LeaseRefusedError
from tools.senses.base import Lease, Operation, Sense

log = logging.getLogger(__name__)


class HostResidency:
    """Grants leases on the CPU."""

    def __init__(self, rungs: ladders.Rungs = ladders.NONE) -> None:
        self._tokens = itertools.count(1)
        self._rungs = rungs
        # Each sense is one model with one state; two operations in it at once would mix.
        self._turns: defaultdict[Sense, asyncio.Lock] = defaultdict(asyncio.Lock)

    def hint(self, operation: Operation) -> None:
        """Do nothing: a sense on the CPU loads itself at its first use."""

    @asynccontextmanager
    async def lease(self, operation: Operation) -> AsyncIterator[Lease]:
        """Wait for the sense to be free, hold it for the block, give it back.

        Raises LeaseRefusedError where nothing can do it on the CPU.
        """
        asked = time.monotonic()
        choices = ladders.ladder(operation, self._rungs, program="this")
        place = next((one for one in choices if one.place == "cpu"), None)
        if place is None:
            raise LeaseRefusedError(
                f"{choices[0].variant} needs the card, which cannot be had. `cortical residency "
                "status` tells why."
            )
        async with self._turns[operation.sense]:
            lease = Lease(
                token=next(self._tokens), variant=place.variant, place="cpu", granted_bytes=0
            )
            granted = time.monotonic()
            facts = {
                "sense": operation.sense,
                "lease": lease.token,
                "place": lease.place,
                "variant": lease.variant,
            }
            log.info("lease_granted", extra={**facts, "waited_s": granted - asked})
            try:
                yield lease
            finally:
                held_s = time.monotonic() - granted
                log.info("lease_released", extra={**facts, "held_s": held_s})
