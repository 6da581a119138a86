"""What everything costs on the simulated cards: the same for every policy.

Sizes and times are of published logs, threads and arithmetic, not of a machine of ours: see
`ASSUMED`, which is printed with every result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.residency.arbiter.limits import MIB, Profile

GIB = 1024 * MIB
WINDOW_S = 120.0
"""Recordings that are longer are heard in pieces by us, each under a lease of its own."""
BATCH_FROM_S = 60.0
"""Longer sound is heard eight pieces at a time."""


class Memory(StrEnum):
    """Where weights lie before they are copied to the card."""

    DISK = "NVMe"
    PAGEABLE = "pageable memory"
    PINNED = "pinned memory"


BYTES_PER_S: Mapping[Memory, float] = {
    Memory.DISK: 7e9,
    Memory.PAGEABLE: 8e9,
    Memory.PINNED: 25e9,
}
PROCESS_S = 2.35
"""Imports and CUDA context of a process that is started for a model."""
RECOVERY_S = 1.0
"""Until Ollama sees the memory of what it has unloaded."""
EXECUTIVE_S = 3.0
"""An executive's load."""
UNLOAD_S = 0.05
LAG_S = 0.3
"""Until the driver shows bytes as free that a worker has let go."""
SPILLED = 8.0
"""So many times slower is an executive that lies on the CPU in part."""
DESKTOP_BYTES = 300 * MIB
PROMPT_TOKENS_PER_S = 1500.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A sense at one precision."""

    name: str
    weights_bytes: int
    fixed_s: Mapping[Memory, float]
    """Of a load, on top of the copy."""

    def load_s(self, memory: Memory) -> float:
        """Return how long a load takes."""
        return self.fixed_s[memory] + self.weights_bytes / BYTES_PER_S[memory]


def _model(name: str, weights: float, disk: float, pageable: float, pinned: float) -> Model:
    fixed = {Memory.DISK: disk, Memory.PAGEABLE: pageable, Memory.PINNED: pinned}
    return Model(name=name, weights_bytes=int(weights), fixed_s=fixed)


MODELS: Mapping[str, Model] = {
    one.name: one
    for one in (
        _model("whisper-large fp16", 3.09e9, 5.0, 1.0, 0.3),
        _model("whisper-large int8", 1.55e9, 5.0, 1.0, 0.3),
        _model("sam2.1-l + text", 0.90e9, 1.0, 0.3, 0.1),
        _model("sam2.1-b+ + text", 0.32e9, 1.0, 0.3, 0.1),
        _model("kokoro", 0.33e9, 0.98, 0.3, 0.08),
    )
}


def working_bytes(model: str, *, audio_s: float = 0.0, megapixels: float = 0.0) -> int:
    """Return what an operation takes on top of the weights."""
    tile = min(max(megapixels, 1.0), 4.2)
    match model:
        case "whisper-large fp16":
            return (2743 if audio_s > BATCH_FROM_S else 1180) * MIB
        case "whisper-large int8":
            return (2622 if audio_s > BATCH_FROM_S else 1048) * MIB
        case "sam2.1-l + text":
            return int((406 + 241 * (tile - 1)) * MIB)
        case "sam2.1-b+ + text":
            return int((390 + 226 * (tile - 1)) * MIB)
        case _:
            return 300 * MIB


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A card with its executive and the senses that are meant for it."""

    name: str
    capacity_bytes: int
    safety_bytes: int
    profiles: tuple[Profile, ...]
    output_tokens_per_s: float
    hearing: str
    sight: tuple[str, ...]


_COMPACT = Profile(name="a 4B at 16K", bytes=int(4.25 * GIB))
CONTEXT_BYTES = 400 * MIB

CARDS = (
    Card(
        name="12 GB, 14B Q4 at 16K q8_0",
        capacity_bytes=int(11.6 * GIB),
        safety_bytes=128 * MIB,
        profiles=(Profile(name="14B", bytes=int(10.04 * GIB)), _COMPACT),
        output_tokens_per_s=25,
        hearing="whisper-large int8",
        sight=("sam2.1-b+ + text",),
    ),
    Card(
        name="16 GB, 14B Q4 at 16K q8_0",
        capacity_bytes=int(15.6 * GIB),
        safety_bytes=256 * MIB,
        profiles=(Profile(name="14B", bytes=int(10.04 * GIB)), _COMPACT),
        output_tokens_per_s=30,
        hearing="whisper-large int8",
        sight=("sam2.1-l + text", "sam2.1-b+ + text"),
    ),
    Card(
        name="24 GB, 14B Q5 at 32K f16",
        capacity_bytes=24122 * MIB,
        safety_bytes=256 * MIB,
        profiles=(Profile(name="14B", bytes=int(15.04 * GIB)), _COMPACT),
        output_tokens_per_s=45,
        hearing="whisper-large fp16",
        sight=("sam2.1-l + text", "sam2.1-b+ + text"),
    ),
)


def on_card_s(do: str, *, audio_s: float, megapixels: float, masks: bool, characters: int) -> float:
    """Return how long an operation takes on the card."""
    match do:
        case "hearing":
            return audio_s / 40
        case "sight":
            return 0.15 * megapixels + 2.0 * masks
        case _:
            return 0.03 * characters / 10


def on_cpu_s(do: str, *, audio_s: float, megapixels: float, masks: bool, characters: int) -> float:
    """Return how long the sense for the CPU takes."""
    match do:
        case "hearing":
            return audio_s * 0.06
        case "sight":
            return 1.0 * megapixels + 15.0 * masks
        case _:
            return 0.15 * characters / 10


ASSUMED = (
    "copies: NVMe 7, pageable 8, pinned 25 GB/s; on top for each load whisper 5/1/0.3 s, "
    "sam2 1/0.3/0.1 s, kokoro 0.98/0.3/0.08 s",
    "executive: load 3 s; prompt 1,500 tokens/s, output 45 (24 GB), 30 (16 GB), 25 (12 GB) "
    "tokens/s; one call at a time; spilled to the CPU 8 times slower",
    "senses on the card: hearing 40 times real time, sight 0.15 s/MP and 2 s with masks, speech "
    "0.03 s/10 characters",
    "senses on the CPU: hearing 17 times real time, sight 1 s/MP and 15 s with masks, speech "
    "0.15 s/10 characters",
    "bytes: whisper fp16 2.9 GiB + 1.2 (2.7 in batches), int8 1.4 + 1.0 (2.6), sam2-l 0.8 + 0.4 to "
    "1.2, sam2-b+ 0.3 + 0.4 to 1.1, kokoro 0.3 + 0.3; a process's context 0.4; desktop 0.3",
    "executive with context: 14B Q4 16K q8_0 10.04, Q5 32K f16 15.04, a 4B at 16K 4.25 GiB",
    "cortical copies senses from pinned memory, the others from pageable memory; llama-swap starts "
    "processes that read from disk",
)
