"""What the process of the senses is told when it is started."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.residency.daemon.files import DaemonFiles

WORKER = "process of the senses"
"""What it is called."""

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerConfig:
    """One card, or none, and the weights that may be brought."""

    key: str
    run_dir: str
    data_dir: str
    weights_dir: str
    """A folder of weights for each variant, under its name."""
    speakers: bool = False
    """Whether voices are told apart, where the weights for it are there."""
    card: str | None = None
    """UUID of the card; without one what is brought is copied within host memory."""
    host_bytes: int = 8 << 30
    """Host memory for copies of weights that are not in use."""
    idle_s: float = 900.0
    """After so long without an operation, and with nothing on the card, it ends."""
    rest_s: float = 60.0
    """After so long without an operation copies on the CPU go; without an arbiter, off the card."""
    operations: int = 1_000
    """After so many it ends when it is idle: libraries leak."""
    leak_bytes: int = 3 << 30
    """Of host memory beside the weights: above it, it ends when it is idle."""
    module: str = "agent.senses"
    """What runs as the process."""

    @property
    def files(self) -> DaemonFiles:
        """Where it is found, and where it writes."""
        return DaemonFiles(
            what=WORKER, key=self.key, run_dir=Path(self.run_dir), data_dir=Path(self.data_dir)
        )

    @property
    def device(self) -> str:
        """Where weights are brought to, as torch names it."""
        return "cpu" if self.card is None else "cuda"

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> "WorkerConfig":
        """Read it again."""
        return cls(**json.loads(text))
