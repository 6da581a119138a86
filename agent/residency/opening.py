"""Which card this machine's arbiter has, and how a program gets at it."""

import asyncio
import hashlib
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from agent.errors import SettingsError, UsageError
from agent.models.sizes import size_of
from agent.residency import ladders, nvml
from agent.residency.arbiter.events import Priority, WhilePaused
from agent.residency.arbitrated import ArbitratedResidency
from agent.residency.client import ArbiterClient
from agent.residency.daemon.files import DaemonFiles
from agent.residency.host import HostResidency
from agent.residency.process.config import ARBITER, ArbiterConfig, ServedExecutive
from agent.residency.process.journal import Journal
from agent.residency.process.machine import SIMULATED
from agent.senses.opening import FullSenses, of_card, of_host
from agent.settings import Settings
from agent.vision.served import ServedVision
from tools.senses.base import Residency
from tools.senses.leased import FullTier, Tell, silent

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """An arbiter that could run here."""

    files: DaemonFiles
    config: ArbiterConfig
    simulated: bool
    senses: FullSenses | None
    """The full tier, where there is any."""

    def client(self, *, start: bool = True) -> ArbiterClient:
        """Return a connection, not opened yet; `start` says whether an arbiter may be started."""
        return ArbiterClient(self.files, self.config if start else None)

    async def pause(self, work: WhilePaused) -> dict[str, Any]:
        """Take the card from everybody; return what the arbiter then tells.

        One that does not run yet is started paused, so that it brings nothing onto the card first.
        """
        await asyncio.to_thread(self._leave_paused, work)
        async with self.client() as client:
            await client.pause(work)
            return await client.status()

    async def resume(self) -> dict[str, Any]:
        """Give the card back; return what the arbiter then tells."""
        async with self.client() as client:
            await client.resume()
            return await client.status()

    async def status(self) -> dict[str, Any] | None:
        """Return what the arbiter tells of itself; None where none runs."""
        if not await asyncio.to_thread(self.files.alive):
            return None
        async with self.client(start=False) as client:
            return await client.status()

    def _leave_paused(self, work: WhilePaused) -> None:
        self.files.prepare()
        if not self.files.alive():
            journal = Journal(self.files.data_dir)
            journal.leave(replace(journal.left(), paused=work))


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """What lends out this machine, and what runs under its leases beside the embedded senses."""

    residency: Residency
    full: FullTier | None


@asynccontextmanager
async def opened(
    settings: Settings, place: Place | None, *, priority: Priority, tell: Tell = silent
) -> AsyncIterator[Opened]:
    """Open what lends out a card, given by where its arbiter is; None: the host."""
    if place is None:
        senses = await asyncio.to_thread(of_host, settings)
        rungs = ladders.NONE if senses is None else senses.rungs
        yield Opened(residency=HostResidency(rungs), full=_client(senses))
        return
    senses, rungs = place.senses, ladders.NONE
    if senses is not None:
        rungs = senses.rungs
    elif place.simulated:
        rungs = ladders.SIMULATED
    async with place.client() as client:
        lent = ArbitratedResidency(client, rungs=rungs, priority=priority, tell=tell)
        yield Opened(residency=lent, full=_client(senses))


def _client(senses: FullSenses | None) -> FullTier | None:
    return None if senses is None else senses.client()


def place_of(settings: Settings) -> Place | None:
    """Return where the arbiter of the chosen card is; None where no card is used.

    Raises SettingsError if the setting names none that is there.
    """
    wanted = settings.residency.card
    if wanted == "none":
        return None
    if not sys.platform.startswith("linux"):
        if wanted == "auto":
            return None
        raise SettingsError(f"The setting residency.card = {wanted!r}: only on Linux.")
    if wanted.startswith(SIMULATED):
        size = wanted.removeprefix(SIMULATED)
        try:
            card = f"{SIMULATED}{size_of(size, 'simulated')}"
        except UsageError as error:
            raise SettingsError(f"The setting residency.card: {error}") from error
        # A card that is only supposed belongs to the data that it is supposed for.
        digest = hashlib.sha256(os.fsencode(settings.data_dir.absolute())).hexdigest()[:8]
        return _place(settings, card=card, name=f"simulated-{size}-{digest}", served=None)
    try:
        chosen = nvml.chosen(None if wanted == "auto" else wanted, visible=nvml.visible_devices())
    except nvml.NoDriverError as error:
        if wanted == "auto":
            return None
        raise SettingsError(f"The setting residency.card names {wanted!r}: {error}") from error
    log.info("card", extra={"card": chosen.card.name, "reason": chosen.reason})
    uuid = chosen.card.uuid
    return _place(settings, card=uuid, name=uuid, served=served_executive(settings))


def served_executive(settings: Settings) -> ServedExecutive | None:
    """Return the executive that an Ollama on this machine keeps on its card, if it is that.

    One elsewhere has a card of its own, which is not ours to lend.
    """
    choice = settings.executive.choice
    if choice == "auto" and settings.openai.url is not None:
        return None
    if not choice.startswith(("auto", "ollama:")) or not is_here(settings.ollama.url):
        return None
    model = choice.removeprefix("ollama:") if choice != "auto" else settings.ollama.model
    return ServedExecutive(
        url=settings.ollama.url, model=model, context_tokens=settings.ollama.context_tokens
    )


def served_vision(settings: Settings) -> ServedVision | None:
    """Return the model that describes pictures on a server of this machine, if one is named.

    Whether that is an Ollama, which can be told to load and unload, only the server can tell. One
    elsewhere has a card of its own. A setting that is wrong is said to whoever describes a picture.
    """
    if settings.senses.vision_url is None:
        return None
    from agent.vision.server import served

    try:
        found = served(settings)
    except SettingsError:
        return None
    return found if is_here(found.url) else None


def is_here(url: str) -> bool:
    """Tell whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")  # noqa: S104


def _place(settings: Settings, *, card: str, name: str, served: ServedExecutive | None) -> Place:
    files = DaemonFiles.of(name, what=ARBITER, data_dir=settings.data_dir)
    simulated = card.startswith(SIMULATED)
    senses = of_card(settings, name, None if simulated else card)
    config = ArbiterConfig(
        card=card,
        key=files.key,
        run_dir=str(files.run_dir),
        data_dir=str(files.data_dir),
        executive=served,
        senses=None if senses is None else senses.config,
        vision=served_vision(settings),
        idle_s=settings.residency.idle_s,
        rest_s=settings.residency.rest_s,
    )
    return Place(files=files, config=config, simulated=simulated, senses=senses)
