"""The graph of a BERT sentence encoder whose linear layers multiply bytes.

Weights are rounded in a step for each column. What they are multiplied with is rounded row by row,
so that a vector does not depend on the company of its text. What is lost is kept small by this:

- What comes out of a norm is rounded in one step, fixed beforehand from the ranges that a
  calibration saw. Each channel is divided by a factor that its weights are multiplied by, so that
  channels of large numbers do not set the step of all (SmoothQuant).
- What comes out of attention, or out of the bend of a feed-forward layer, varies from word to word:
  each row has a step of its own.
- Behind the bend few channels are far larger than all others. They go a way of their own, in 32
  bits (LLM.int8()).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.embedders.minilm_graph import CONTRIBUTED, Encoder

Floats = NDArray[np.float32]
Ranges = Mapping[str, Floats]
"""The largest magnitude of each channel that a linear layer takes, by name of the layer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Smoothing:
    """How what comes out of a norm is rounded; chosen by measurement."""

    share: float
    """How far a channel's factor follows its range; the rest follows its weights."""
    margin: float
    """By how much the step reaches beyond what the calibration saw."""


SMOOTHINGS = {
    "attention.self.query": Smoothing(share=1.0, margin=1.1),
    "intermediate.dense": Smoothing(share=0.75, margin=1.05),
}
OUTLIERS = 32
"""Channels of a feed-forward layer that stay in 32 bits."""

_MIDDLE = 128
_GELU_ZERO = 38
"""Gelu is nowhere below -0.17, so that with the largest number of a row at 1 or above, this byte
for zero leaves room for it."""
_GELU_LEAST_TOP, _LEAST_TOP = 1.0, 1e-6


class Int8Encoder(Encoder):
    """Lays out the same way, with linear layers of bytes."""

    precision = "int8"

    def __init__(self, weights: Path, ranges: Ranges) -> None:
        super().__init__(weights)
        self._ranges = ranges
        self.constant("last_axis", np.array([1]))

    def linear(self, hidden: str, *names: str) -> list[str]:
        """Put one tensor through linear layers; it is rounded once for all."""
        how = SMOOTHINGS.get(_kind(names[0]))
        if how is None:
            return [self._attended(hidden, name) for name in names]
        matrices = [self._matrix(name) for name in names]
        rounded, factors = self._smoothed(hidden, names[0], np.concatenate(matrices, axis=1))
        return [
            self._product(rounded, name, matrix * factors, self._bias(name))
            for name, matrix in zip(names, matrices, strict=True)
        ]

    def feed_forward(self, hidden: str, inner: str, outer: str) -> str:
        """Put the channels of large numbers through in 32 bits, all others in bytes."""
        order = np.argsort(self._ranges[outer])
        most, few = np.sort(order[:-OUTLIERS]), np.sort(order[-OUTLIERS:])
        into, out_of, bias = self._matrix(inner), self._matrix(outer), self.stored(f"{inner}.bias")

        rounded, factors = self._smoothed(hidden, inner, into)
        among_bias = self.constant(f"{inner}.bias_most", bias[most])
        wide = self.node("Gelu", self._product(rounded, inner, into[:, most] * factors, among_bias))
        top = self._top(wide, "gelu_least_top", _GELU_LEAST_TOP)
        narrow = self._by_row(wide, top, outer, out_of[most], _GELU_ZERO)

        exact = self._exact(hidden, inner, into[:, few], self.constant(f"{inner}.few", bias[few]))
        summed = self._exact(self.node("Gelu", exact), outer, out_of[few], narrow)
        return self.node("Add", summed, self._bias(outer))

    def _attended(self, hidden: str, name: str) -> str:
        top = self._top(self.node("Abs", hidden), "least_top", _LEAST_TOP)
        product = self._by_row(hidden, top, name, self._matrix(name), _MIDDLE)
        return self.node("Add", product, self._bias(name))

    def _top(self, magnitudes: str, name: str, least: float) -> str:
        """Return the largest number of each row, and no less than the least."""
        largest = self.node("ReduceMax", magnitudes, "last_axis", keepdims=1)
        return self.node("Max", largest, self.constant(name, np.array(least, np.float32)))

    def _by_row(self, hidden: str, top: str, name: str, matrix: Floats, zero: int) -> str:
        rounded = self._rounded(self.node("Div", hidden, top), name, 1 / (255 - zero), zero)
        return self.node("Mul", self._product(rounded, name, matrix), top)

    def _smoothed(self, hidden: str, name: str, matrix: Floats) -> tuple["_Rounded", Floats]:
        """Round what comes out of a norm; return it with the factors of the weights' rows."""
        how, ranges = SMOOTHINGS[_kind(name)], self._ranges[name]
        factors = ranges**how.share / np.abs(matrix).max(axis=1) ** (1 - how.share)
        even = self.node("Mul", hidden, self.constant(f"{name}.inverse", 1 / factors))
        step = how.margin * float((ranges / factors).max()) / (255 - _MIDDLE)
        return self._rounded(even, name, step, _MIDDLE), factors[:, np.newaxis]

    def _rounded(self, hidden: str, name: str, step: float, zero: int) -> "_Rounded":
        scale = self.constant(f"{name}.step", np.array(step, np.float32))
        middle = self.constant(f"{name}.zero", np.array(zero, np.uint8))
        made = self.node("QuantizeLinear", hidden, scale, middle)
        return _Rounded(tensor=made, step=scale, zero=middle)

    def _product(self, rounded: "_Rounded", name: str, matrix: Floats, bias: str = "") -> str:
        """Multiply bytes by bytes into 32-bit numbers."""
        steps = np.abs(matrix).max(axis=0) / 127
        return self.node(
            "MatMulIntegerToFloat",
            rounded.tensor,
            self.constant(f"{name}.bytes", np.round(matrix / steps).astype(np.int8)),
            rounded.step,
            self.constant(f"{name}.steps", steps),
            rounded.zero,
            "",  # the bytes of weights are centred on zero
            bias,
            domain=CONTRIBUTED,
        )

    def _exact(self, hidden: str, name: str, matrix: Floats, added: str) -> str:
        return self.node("Gemm", hidden, self.constant(f"{name}.exact", matrix), added)

    def _matrix(self, name: str) -> Floats:
        """Return the weights of a layer as (channels taken, channels given)."""
        return self.stored(f"{name}.weight").T

    def _bias(self, name: str) -> str:
        return self.constant(f"{name}.bias", self.stored(f"{name}.bias"))


def _kind(name: str) -> str:
    """Return the name of a layer without the number of its block."""
    return name.split(".", 3)[3]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rounded:
    """Names of a tensor of bytes, of its step and of its zero."""

    tensor: str
    step: str
    zero: str
