"""What an operation of a sense takes of a card and of the host, and how long it loads. Pure.

    weights + base + grows × (how large the input is)  =  bytes of the card, without the driver
    + one CUDA context for the process that runs them   =  what the card loses

All senses of torch and CTranslate2 live in one worker process, so its context is paid once; a
vision model has a server, and so a context, of its own. Sizes are bytes (MB are decimal, as
their sources print them), lengths of sound are seconds, pictures are pixels.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, sqrt

from agent.residency.vram import PROCESS_BYTES, Need
from tools.senses.base import Operation, Sense, Task

MB = 1_000_000

WHISPER_WINDOW_S = 30.0
"""Whisper hears windows of this length, a batch of them at once."""
PARAKEET_FRAMES_PER_S = 12.5
"""Frames that attention sees: 10 ms of sound, halved three times."""


ALIGNING_BYTES = 400 * MB
"""Beside the weights of what finds the times of words, for thirty seconds. Derived: activations of
wav2vec2-large."""


class Ground(StrEnum):
    """What a figure rests on."""

    PUBLISHED = "published"
    """Somebody measured the process; the source says who."""
    DERIVED = "derived"
    """Computed from published figures of a sibling, or of the parts."""


class Tier(StrEnum):
    """Where weights lie before they are brought onto the card."""

    PINNED = "pinned"
    """Locked host memory."""
    PAGEABLE = "pageable"
    """Ordinary host memory."""
    NVME = "nvme"
    """A disk on four lanes of PCIe 4."""
    SATA = "sata"


BYTES_PER_S = {Tier.PINNED: 25e9, Tier.PAGEABLE: 8e9, Tier.NVME: 7e9, Tier.SATA: 0.55e9}
"""For PCIe 4 with sixteen lanes; half of it on eight, as in laptops."""


class Growth(StrEnum):
    """By what of its input an operation grows."""

    NOTHING = "nothing"
    WINDOWS = "windows"
    """Windows of thirty seconds that are heard at once."""
    FRAMES = "frames"
    """Frames of a recording that attention sees one by one (local attention)."""
    SQUARE = "square"
    """Pairs of frames that attention sees (full attention)."""
    PIXELS = "pixels"


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """A model for a sense, at one precision."""

    name: str
    task: Task
    weight_bytes: int
    base_bytes: int
    """Room that an operation of any size needs beside the weights."""
    beside_bytes: int = 0
    """Of models that an operation brings by itself: one that finds the times of words."""
    growth: Growth = Growth.NOTHING
    growth_bytes: float = 0.0
    """For each unit of the growth."""
    host_bytes: int = 0
    """A copy in host memory, from which it is brought in; 0: as many as the weights."""
    fixed_disk_s: float = 0.0
    """Of loading from a disk, beside the bytes: imports aside, what its library does once."""
    fixed_host_s: float = 0.02
    """Of loading from host memory, beside the bytes."""
    languages: frozenset[str] | None = None
    """ISO 639-1 codes of what it can say; None where it is not asked."""
    own_process: bool = False
    """Runs under a server of its own, with a context of its own."""
    ground: Ground = Ground.PUBLISHED
    source: str = ""

    @property
    def sense(self) -> Sense:
        """Whose model it is."""
        return self.task.sense

    @property
    def staged_bytes(self) -> int:
        """Host memory that its copy takes."""
        return self.host_bytes or self.weight_bytes


def need_bytes(variant: Variant, operation: Operation) -> int:
    """Return what an operation takes of the card, without the context of its process."""
    return variant.weight_bytes + working_bytes(variant, operation)


def working_bytes(variant: Variant, operation: Operation) -> int:
    """Return what an operation takes beside the weights, while it runs."""
    growth = int(variant.growth_bytes * _size(variant.growth, operation))
    return variant.base_bytes + variant.beside_bytes + growth


def process_bytes(variant: Variant, operation: Operation) -> int:
    """Return what the process of an operation takes if it runs nothing else."""
    return need_bytes(variant, operation) + PROCESS_BYTES


def served_vision(name: str, taken: Need) -> Variant:
    """Return a model that sees, given what its server takes when it loads it."""
    return Variant(
        name=name,
        task=Task.PICTURES,
        weight_bytes=taken.weights,
        base_bytes=taken.cache + taken.buffer + ENCODER_BYTES,
        fixed_disk_s=VISION.fixed_disk_s,
        own_process=True,
        ground=Ground.DERIVED,
        source="what its server tells of it, by the formula of the executive",
    )


def load_s(variant: Variant, tier: Tier) -> float:
    """Return the seconds from a tier onto the card: bytes over bandwidth, and the fixed part."""
    from_disk = tier in (Tier.NVME, Tier.SATA)
    fixed = variant.fixed_disk_s if from_disk else variant.fixed_host_s
    return variant.weight_bytes / BYTES_PER_S[tier] + fixed


def largest_audio_s(variant: Variant, capacity_bytes: int) -> float | None:
    """Return the longest recording that fits in one piece; None where length does not matter."""
    room = capacity_bytes - variant.weight_bytes - variant.base_bytes
    if variant.growth is Growth.FRAMES:
        return max(0.0, room / variant.growth_bytes / PARAKEET_FRAMES_PER_S)
    if variant.growth is Growth.SQUARE:
        return sqrt(max(0.0, room / variant.growth_bytes)) / PARAKEET_FRAMES_PER_S
    return None


def _size(growth: Growth, operation: Operation) -> float:
    frames = operation.audio_s * PARAKEET_FRAMES_PER_S
    match growth:
        case Growth.WINDOWS:
            windows = max(1, ceil(operation.audio_s / WHISPER_WINDOW_S))
            return min(operation.batch, windows)
        case Growth.FRAMES:
            return frames
        case Growth.SQUARE:
            return frames**2
        case Growth.PIXELS:
            return operation.pixels * operation.batch
        case Growth.NOTHING:
            return 0


_FASTER_WHISPER = (
    "faster-whisper's README: large-v2, beam 5, RTX 3070 Ti: 4525 MB at batch 1 and 6090 at 8 in "
    "16 bits, 2926 and 4500 in 8; loading: CTranslate2 #1642, #1645"
)
_SAM2 = "sam2 #118: peaks in 16 bits at 1024² and 2048² pixels"
_KOKORO = "Kokoro-FastAPI #507: 915 to 1123 MB, 0.98 s to load, 0.08 s back from host memory"
_PARAKEET = (
    "parakeet-fastapi #5: about 5 GB under NeMo in 32 bits; 11 minutes with full attention: 20 GB"
)

WHISPER_FP16 = Variant(
    name="whisper-large-v3-fp16",
    task=Task.HEARING,
    weight_bytes=3_090 * MB,
    base_bytes=732 * MB,
    growth=Growth.WINDOWS,
    growth_bytes=223.6 * MB,
    fixed_disk_s=4.6,
    source=_FASTER_WHISPER,
)
WHISPER_INT8 = Variant(
    name="whisper-large-v3-int8",
    task=Task.HEARING,
    weight_bytes=1_550 * MB,
    base_bytes=672 * MB,
    growth=Growth.WINDOWS,
    growth_bytes=224.9 * MB,
    fixed_disk_s=4.6,
    source=_FASTER_WHISPER,
)
WHISPER_TURBO = Variant(
    name="whisper-turbo-fp16",
    task=Task.HEARING,
    weight_bytes=1_620 * MB,
    base_bytes=377 * MB,
    growth=Growth.WINDOWS,
    growth_bytes=224 * MB,
    fixed_disk_s=4.6,
    ground=Ground.DERIVED,
    source="2.3 to 2.7 GB said of it, the upper one taken; growth as of large-v3",
)
PARAKEET_FP32 = Variant(
    name="parakeet-0.6b-fp32",
    task=Task.HEARING,
    weight_bytes=2_400 * MB,
    base_bytes=2_120 * MB,
    growth=Growth.SQUARE,
    growth_bytes=220.0,
    source=_PARAKEET,
)
PARAKEET_BF16 = Variant(
    name="parakeet-0.6b-bf16",
    task=Task.HEARING,
    weight_bytes=1_200 * MB,
    base_bytes=1_060 * MB,
    growth=Growth.SQUARE,
    growth_bytes=110.0,
    ground=Ground.DERIVED,
    source="half of 32 bits",
)
PARAKEET_LOCAL = Variant(
    name="parakeet-0.6b-local",
    task=Task.HEARING,
    weight_bytes=2_400 * MB,
    base_bytes=2_120 * MB,
    growth=Growth.FRAMES,
    growth_bytes=0.4 * MB,
    ground=Ground.DERIVED,
    source="local attention: 60 minutes on 24 GB (omi #8428), taken as all that was free",
)
SAM2_TINY = Variant(
    name="sam2.1-t",
    task=Task.SEGMENTS,
    weight_bytes=78 * MB,
    base_bytes=147 * MB,
    growth=Growth.PIXELS,
    growth_bytes=222.5,
    source=_SAM2,
)
SAM2_SMALL = Variant(
    name="sam2.1-s",
    task=Task.SEGMENTS,
    weight_bytes=92 * MB,
    base_bytes=149 * MB,
    growth=Growth.PIXELS,
    growth_bytes=223.8,
    ground=Ground.DERIVED,
    source="between t and b+, by weights",
)
SAM2_BASE = Variant(
    name="sam2.1-b+",
    task=Task.SEGMENTS,
    weight_bytes=162 * MB,
    base_bytes=148 * MB,
    growth=Growth.PIXELS,
    growth_bytes=230.2,
    source=_SAM2,
)
SAM2_LARGE = Variant(
    name="sam2.1-l",
    task=Task.SEGMENTS,
    weight_bytes=449 * MB,
    base_bytes=149 * MB,
    growth=Growth.PIXELS,
    growth_bytes=245.1,
    source=_SAM2,
)
KOKORO = Variant(
    name="kokoro-82m",
    task=Task.SPEECH,
    weight_bytes=327 * MB,
    base_bytes=317 * MB,
    fixed_disk_s=0.93,
    fixed_host_s=0.037,
    languages=frozenset(("en", "es", "fr", "hi", "it", "pt")),
    source=f"{_KOKORO}; it says at most 510 sounds at once, so its peak bounds any text",
)
ENCODER_BYTES = 400 * MB
"""Of what turns a picture into tokens, while it does; nobody published it."""
VISION = Variant(
    name="qwen3-vl:4b",
    task=Task.PICTURES,
    weight_bytes=3_300 * MB,
    base_bytes=1_924 * MB,
    fixed_disk_s=0.5,
    own_process=True,
    ground=Ground.DERIVED,
    source="its server by the formula of the executive: 8,192 tokens of f16, the least that Ollama "
    "gives it (ollama #12855), 512 at once; 400 MB for the encoder of pictures, which nobody "
    "published",
)

VARIANTS = (
    WHISPER_FP16,
    WHISPER_INT8,
    WHISPER_TURBO,
    PARAKEET_FP32,
    PARAKEET_LOCAL,
    PARAKEET_BF16,
    SAM2_LARGE,
    SAM2_BASE,
    SAM2_SMALL,
    SAM2_TINY,
    KOKORO,
    VISION,
)
"""Of each task the best first: Whisper knows a hundred languages, Parakeet those of Europe."""

USUAL = {
    Task.HEARING: Operation(task=Task.HEARING, audio_s=60.0, batch=1),
    Task.SEGMENTS: Operation(task=Task.SEGMENTS, pixels=1920 * 1080),
    Task.PICTURES: Operation(task=Task.PICTURES, pixels=1920 * 1080),
    Task.SPEECH: Operation(task=Task.SPEECH, characters=400),
}
"""An operation of every day, by task: a minute of speech, a screenshot, a paragraph."""


def variant(name: str) -> Variant | None:
    """Return a variant by its name."""
    return next((one for one in VARIANTS if one.name == name), None)


def rank(one: Variant) -> tuple[int, int]:
    """Return a key that sorts variants of a task, the best first; those unknown here by size."""
    names = [known.name for known in VARIANTS]
    known = names.index(one.name) if one.name in names else len(names)
    return known, -one.weight_bytes


def smaller(than: Variant, operation: Operation) -> Variant | None:
    """Return the largest variant for the same task that needs less; None if there is none."""
    bound = need_bytes(than, operation)
    others = [one for one in VARIANTS if one.task == than.task]
    fitting = [one for one in others if need_bytes(one, operation) < bound]
    return max(fitting, key=lambda one: need_bytes(one, operation), default=None)
