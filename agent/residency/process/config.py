"""What the process of an arbiter is told when it is started."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.residency.arbiter.limits import MIB
from agent.residency.daemon.files import DaemonFiles
from agent.senses.config import WorkerConfig
from agent.vision.served import ServedVision

ARBITER = "arbiter of the card"
"""What it is called."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedExecutive:
    """The executive that an Ollama on this machine serves."""

    url: str
    model: str
    context_tokens: int
    compact_tokens: int = 8_192
    """Context of the compact profile, where it is smaller."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArbiterConfig:
    """One card, and how its arbiter behaves."""

    card: str
    """UUID of a card of the driver, or `simulated:BYTES`."""
    key: str
    run_dir: str
    data_dir: str
    executive: ServedExecutive | None = None
    senses: WorkerConfig | None = None
    """The process of the senses, where there are any of the full tier."""
    vision: ServedVision | None = None
    """The server on this machine that may hold a model which describes pictures."""
    safety_bytes: int = 256 * MIB
    heartbeat_s: float = 30.0
    """A program that is silent for longer loses what it holds."""
    idle_s: float = 900.0
    """After so long with nothing out and nobody there it ends."""
    rest_s: float | None = None
    """After so long without work everything leaves the card; None: it stays."""
    regroup_s: float = 1.0
    """After a kill programs have so long to come back before anything is granted."""

    @property
    def module(self) -> str:
        """What runs as the process."""
        return "agent.residency.process"

    @property
    def files(self) -> DaemonFiles:
        """Where it is found, and where it writes."""
        return DaemonFiles(
            what=ARBITER,
            key=self.key,
            run_dir=Path(self.run_dir),
            data_dir=Path(self.data_dir),
        )

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> "ArbiterConfig":
        """Read it again."""
        told = json.loads(text)
        served, senses, vision = told.pop("executive"), told.pop("senses"), told.pop("vision")
        return cls(
            executive=None if served is None else ServedExecutive(**served),
            senses=None if senses is None else WorkerConfig(**senses),
            vision=None if vision is None else ServedVision(**vision),
            **told,
        )
