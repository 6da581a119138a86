"""The card as a budget: what it shows of its size, what others use, what is left. Pure."""

from dataclasses import dataclass
from enum import StrEnum

GIB = 1 << 30

EXPOSED_SHARE = 24_122 / 24_576
"""Of the size in a card's name, what its driver shows: a GeForce RTX 3090 shows 24,122 MiB."""
FOREIGN_SHARE = 1 / 30
"""Of a card, what a desktop takes if nobody says: 0.8 GiB of 24, 0.5 of 16, 0.4 of 12."""

METAL_SHARE, METAL_SHARE_LARGE = 2 / 3, 3 / 4
METAL_LARGE_BYTES = 36 * GIB
"""Metal's `recommendedMaxWorkingSetSize` as llama.cpp prints it: two thirds of the memory (16 GB:
11,453 MB; 24 GB: 17,180 MB), three quarters from 36 GB on. Newer systems give a little more (16 GB:
12,713 MB); `sudo sysctl iogpu.wired_limit_mb=N` sets another."""


class Kind(StrEnum):
    """What a budget is made of."""

    CARD = "card"
    """Memory of its own."""
    UNIFIED = "unified"
    """One memory for CPU and GPU, as Apple's; what is staged for the GPU lies in it too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Bytes that the executive and the senses can share."""

    name: str
    kind: Kind
    nominal_bytes: int
    """The size that it is called by; of the whole memory where it is unified."""
    exposed_bytes: int
    """What the GPU can be given at most."""
    foreign_bytes: int
    """What others use of it."""
    measured: bool
    """Whether the driver told the size; if not, it was assumed from the name."""

    @property
    def capacity_bytes(self) -> int:
        """What is ours."""
        return max(0, self.exposed_bytes - self.foreign_bytes)


def of_card(name: str, nominal_bytes: int, *, foreign_bytes: int | None, measured: bool) -> Budget:
    """Return the budget of a card; a size out of a name shows a little less than that."""
    exposed = nominal_bytes if measured else int(nominal_bytes * EXPOSED_SHARE)
    usual = int(nominal_bytes * FOREIGN_SHARE)
    return Budget(
        name=name,
        kind=Kind.CARD,
        nominal_bytes=nominal_bytes,
        exposed_bytes=exposed,
        foreign_bytes=usual if foreign_bytes is None else foreign_bytes,
        measured=measured,
    )


def of_unified(name: str, nominal_bytes: int, *, foreign_bytes: int | None) -> Budget:
    """Return the budget of a machine whose GPU shares the memory: the share that Metal lets it use.

    What others use lies outside that share, unless they use the GPU.
    """
    large = nominal_bytes >= METAL_LARGE_BYTES
    share = METAL_SHARE_LARGE if large else METAL_SHARE
    return Budget(
        name=name,
        kind=Kind.UNIFIED,
        nominal_bytes=nominal_bytes,
        exposed_bytes=int(nominal_bytes * share),
        foreign_bytes=foreign_bytes or 0,
        measured=False,
    )
