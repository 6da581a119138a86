"""A card of NVIDIA's driver, as the arbiter reads it."""

import logging

from agent.residency.nvml import CardLostError, NvmlCard
from agent.residency.process.ports import ExecutiveKeeper, SensesWorker, Usage

log = logging.getLogger(__name__)


class DriverCard:
    """Reads what all programs use, and what ours do."""

    def __init__(self, card: NvmlCard, keeper: ExecutiveKeeper, worker: SensesWorker) -> None:
        self._card = card
        self._keeper = keeper
        self._worker = worker
        self._lost = False

    @property
    def name(self) -> str:
        """What the driver calls it."""
        return self._card.name

    @property
    def total_bytes(self) -> int:
        """Its memory."""
        return self._card.total_bytes

    def read(self) -> Usage:
        """Measure. A card that is lost is said once, until it is back."""
        try:
            used = self._card.used_bytes()
            processes = self._card.processes()
            own = self._keeper.held_bytes(processes) + self._worker.held_bytes(processes)
        except CardLostError as error:
            if not self._lost:
                log.warning("card_lost", extra={"reason": str(error)})
            self._lost = True
            return Usage(used_bytes=None)
        self._lost = False
        return Usage(used_bytes=used, own_bytes=min(own, used))
