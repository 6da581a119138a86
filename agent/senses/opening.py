"""Which models of the full tier this machine has, and the process that runs them."""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from agent.errors import SettingsError
from agent.models.weights import shelf
from agent.models.weights.shelf import Installed
from agent.residency import envelopes
from agent.residency.daemon.files import DaemonFiles
from agent.residency.envelopes import Variant
from agent.residency.ladders import Rungs
from agent.senses.client import SensesClient
from agent.senses.config import WORKER, WorkerConfig
from agent.settings import Settings
from tools.senses.base import Task
from tools.senses.models import phonemes
from tools.senses.models.base import Kind

AUTO, EMBEDDED = "auto", "embedded"


@dataclass(frozen=True, kw_only=True, slots=True)
class FullSenses:
    """The full tier of one card, or of the CPU."""

    config: WorkerConfig
    rungs: Rungs

    def client(self) -> SensesClient:
        """Return what runs operations in it."""
        return SensesClient(self.config, self.rungs)


def of_host(settings: Settings) -> FullSenses | None:
    """Return the full tier of a machine without a card; None where there is none.

    Raises SettingsError if a setting names a model that is not here.
    """
    digest = hashlib.sha256(os.fsencode(settings.data_dir.absolute())).hexdigest()[:8]
    return _full(settings, name=f"host-{digest}", uuid=None, on_card=False)


def of_card(settings: Settings, name: str, uuid: str | None) -> FullSenses | None:
    """Return the full tier of a card by the name of its files; `uuid` is None where it is supposed.

    Where its libraries are installed it is there also before any weights are. Raises SettingsError
    if a setting names a model that is not here.
    """
    return _full(settings, name=name, uuid=uuid, on_card=True)


def _full(settings: Settings, *, name: str, uuid: str | None, on_card: bool) -> FullSenses | None:
    chosen = _chosen(settings)
    # A card's arbiter stays: weights that are brought meanwhile need its process as well.
    if not chosen and not (on_card and any(map(shelf.has_libraries, get_args(Kind)))):
        return None
    files = DaemonFiles.of(f"{name}-senses", what=WORKER, data_dir=settings.data_dir)
    config = WorkerConfig(
        key=files.key,
        run_dir=str(files.run_dir),
        data_dir=str(files.data_dir),
        weights_dir=str(shelf.root(settings.data_dir).absolute()),
        speakers=settings.senses.speakers,
        card=uuid,
        host_bytes=settings.senses.host_bytes,
        idle_s=settings.residency.idle_s,
    )
    return FullSenses(config=config, rungs=Rungs(card=chosen if on_card else (), cpu=chosen))


def _chosen(settings: Settings) -> tuple[Variant, ...]:
    """Return the models that are here and wanted."""
    here: dict[str, Variant] = {}
    installed = shelf.available(settings.data_dir)
    aligners = max((one.bytes for one in installed if one.kind == "wav2vec2"), default=0)
    for one in installed:
        known = envelopes.variant(one.variant)
        if known is None or known.own_process or not shelf.has_libraries(one.kind):
            continue
        if one.kind == "whisperx" and aligners:
            known = replace(known, beside_bytes=aligners + envelopes.ALIGNING_BYTES)
        if one.kind == "kokoro":
            known = replace(known, languages=phonemes.languages(_voices(one)))
        here[known.name] = known
    wishes = {
        Task.HEARING: settings.senses.hearing,
        Task.SEGMENTS: settings.senses.segments,
        Task.SPEECH: settings.senses.speech,
    }
    for task, wish in wishes.items():
        if wish in (AUTO, EMBEDDED):
            continue
        if wish not in here or here[wish].task is not task:
            raise SettingsError(
                f"The setting senses.{task} = {wish!r} names no model for it that is here. "
                "`cortical models list` tells what is; or use auto or embedded."
            )
    return tuple(
        one for one in here.values() if wishes[one.task] == AUTO or wishes[one.task] == one.name
    )


def _voices(one: Installed) -> list[str]:
    """Return the names of the voices that are here."""
    return [Path(name).stem for name in one.files if name.startswith("voices/")]
