"""Which layers of a model look back over a window only. Pure.

Newer files tell a list; for older ones llama.cpp knows a period by the architecture: the last layer
of each period sees all (`llama_hparams::set_swa_pattern`).
"""

from collections.abc import Callable
from typing import Any

PATTERN = "attention.sliding_window_pattern"
WINDOW = "attention.sliding_window"

_PERIODS = {"gemma2": 2, "gpt-oss": 2, "cohere2": 4, "exaone4": 4, "olmo2": 4, "gemma3": 6}
"""Architectures that tell a window and mean it. Others tell one and llama.cpp reads all: Phi-3 and
Phi-4, Qwen, Mistral."""


def windowed_layers(architecture: str, get: Callable[[str], Any], layers: int) -> tuple[bool, ...]:
    """Return for each layer whether it is windowed; `get` reads metadata."""
    if not get(WINDOW):
        return (False,) * layers
    told = get(PATTERN)
    if isinstance(told, list) and len(told) == layers:
        return tuple(bool(one) for one in told)
    period = told if isinstance(told, int) and told > 0 else _PERIODS.get(architecture, 1)
    return tuple(number % period < period - 1 for number in range(layers))
