"""How ggml stores weights: the types of tensors and of whole files. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

_BLOCKS = {
    "F32": (1, 4),
    "F16": (1, 2),
    "BF16": (1, 2),
    "Q4_0": (32, 18),
    "Q4_1": (32, 20),
    "Q5_0": (32, 22),
    "Q5_1": (32, 24),
    "Q8_0": (32, 34),
    "Q2_K": (256, 84),
    "Q3_K": (256, 110),
    "Q4_K": (256, 144),
    "Q5_K": (256, 176),
    "Q6_K": (256, 210),
    "Q8_K": (256, 292),
    "IQ1_S": (256, 50),
    "IQ1_M": (256, 56),
    "IQ2_XXS": (256, 66),
    "IQ2_XS": (256, 74),
    "IQ2_S": (256, 82),
    "IQ3_XXS": (256, 98),
    "IQ3_S": (256, 110),
    "IQ4_NL": (32, 18),
    "IQ4_XS": (256, 136),
    "TQ1_0": (256, 54),
    "TQ2_0": (256, 66),
    "MXFP4": (32, 17),
}
"""Values of a block, and its bytes."""

_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    6: "Q5_0",
    7: "Q5_1",
    8: "Q8_0",
    10: "Q2_K",
    11: "Q3_K",
    12: "Q4_K",
    13: "Q5_K",
    14: "Q6_K",
    15: "Q8_K",
    16: "IQ2_XXS",
    17: "IQ2_XS",
    18: "IQ3_XXS",
    19: "IQ1_S",
    20: "IQ4_NL",
    21: "IQ3_S",
    22: "IQ2_S",
    23: "IQ4_XS",
    29: "IQ1_M",
    30: "BF16",
    34: "TQ1_0",
    35: "TQ2_0",
    39: "MXFP4",
}

_FILES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tensor:
    """One tensor of a model."""

    kind: str
    """Such as `Q4_K`."""
    dimensions: tuple[int, ...]

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        return prod(self.dimensions)

    @property
    def size_bytes(self) -> int | None:
        """What they take; None for a type that is not known."""
        block = _BLOCKS.get(self.kind.upper())
        return None if block is None else self.values // block[0] * block[1]


def tensor_type(number: int) -> str:
    """Return the name of a type by its number in a file."""
    return _TYPES.get(number, f"type {number}")


def file_type(number: object) -> str:
    """Return what a file's weights are for the most part; nothing if it is not known."""
    return _FILES.get(number, "") if isinstance(number, int) else ""


def parameters(tensors: Iterable[Tensor]) -> str:
    """Return the number of parameters as models are named by it, such as `14.8B`."""
    return rounded(sum(tensor.values for tensor in tensors))


def rounded(count: int) -> str:
    """Write a number of parameters, such as `14.8B` or `135M`."""
    if count >= 10**9:
        return f"{count / 10**9:.1f}B"
    return f"{count / 10**6:.0f}M" if count else ""


Tensors = Mapping[str, Tensor]
