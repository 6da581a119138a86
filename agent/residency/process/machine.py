"""Puts the parts of an arbiter's process together for one card."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.residency.arbiter.effects import Effect
from agent.residency.arbiter.limits import Limits
from agent.residency.nvml import CardLostError, NvmlCard
from agent.residency.process.arbiter import Arbiter
from agent.residency.process.bare import NoKeeper, NoWorker
from agent.residency.process.beside import WithVision
from agent.residency.process.config import ArbiterConfig
from agent.residency.process.driver import DriverCard
from agent.residency.process.journal import Journal
from agent.residency.process.ports import Card, ExecutiveKeeper, SensesWorker
from agent.residency.process.server import Server
from agent.residency.process.simulated import (
    SupposedCard,
    SupposedKeeper,
    SupposedSenses,
    SupposedWorker,
)
from agent.senses.port import ProcessWorker

if TYPE_CHECKING:
    from agent.residency.keeper import Held
    from agent.residency.vision import VisionKeeper

SIMULATED = "simulated:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A card, its worker of senses and whoever serves the executive."""

    config: ArbiterConfig
    card: Card
    worker: SensesWorker
    keeper: ExecutiveKeeper

    @classmethod
    def of(cls, config: ArbiterConfig) -> "Machine":
        """Find the card and open it. Raises ResidencyError."""
        if config.card.startswith(SIMULATED):
            supposed = SupposedCard(int(config.card.removeprefix(SIMULATED)))
            # What the model really takes it takes of another card, if of any.
            vision = _vision(config, lambda: None, beside_bytes=lambda _: 0)
            worker = _worker(config, vision, SupposedSenses())
            return cls(
                config=config,
                card=supposed,
                worker=SupposedWorker(supposed, worker),
                keeper=SupposedKeeper(supposed),
            )
        card = NvmlCard(config.card)
        used_bytes = _used(card)
        # What either server says bounds what is taken for the other's.
        vision = _vision(config, used_bytes, beside_bytes=lambda _: keeper.held_bytes({}))
        keeper = _keeper(config, used_bytes, vision)
        worker = _worker(config, vision, NoWorker())
        return cls(
            config=config, card=DriverCard(card, keeper, worker), worker=worker, keeper=keeper
        )

    def server(self) -> Server:
        """Return what serves programs."""
        journal = Journal(self.config.files.data_dir)
        limits = Limits(
            capacity_bytes=self.card.total_bytes,
            profiles=(),
            safety_bytes=self.config.safety_bytes,
            context_bytes=self.worker.context_bytes,
            heartbeat_s=self.config.heartbeat_s,
            rest_s=self.config.rest_s,
        )

        def make(hear: Callable[[Effect], None]) -> Arbiter:
            return Arbiter(limits, card=self.card, keeper=self.keeper, journal=journal, hear=hear)

        return Server(
            make,
            card=self.card,
            worker=self.worker,
            keeper=self.keeper,
            journal=journal,
            regroup_s=self.config.regroup_s,
        )

    async def aclose(self) -> None:
        """Close what was opened."""
        await self.worker.aclose()
        await self.keeper.aclose()


def _used(card: NvmlCard) -> Callable[[], int | None]:
    """Return what tells what all programs use; None while the card is lost."""

    def used_bytes() -> int | None:
        try:
            return card.used_bytes()
        except CardLostError:
            return None

    return used_bytes


def _vision(
    config: ArbiterConfig, used_bytes: Callable[[], int | None], *, beside_bytes: "Held"
) -> "VisionKeeper | None":
    if config.vision is None:
        return None
    from agent.residency.vision import VisionKeeper

    return VisionKeeper(config.vision, used_bytes=used_bytes, beside_bytes=beside_bytes)


def _worker(
    config: ArbiterConfig, vision: "VisionKeeper | None", without: SensesWorker
) -> SensesWorker:
    """Return what runs the senses that there are; `without` stands where no process does."""
    process = without if config.senses is None else ProcessWorker(config.senses)
    return process if vision is None else WithVision(process, vision)


def _keeper(
    config: ArbiterConfig, used_bytes: Callable[[], int | None], vision: "VisionKeeper | None"
) -> ExecutiveKeeper:
    if config.executive is None:
        return NoKeeper()
    # It takes a third of a second to import, which only who serves an executive need pay.
    from agent.residency.keeper import OllamaKeeper

    if vision is None:
        return OllamaKeeper(config.executive, used_bytes=used_bytes)
    return OllamaKeeper(config.executive, used_bytes=used_bytes, beside_bytes=vision.held_bytes)
