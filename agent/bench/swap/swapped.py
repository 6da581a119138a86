"""Weights brought and taken off as the worker does it, from wherever they lie."""

import gc
import time
from typing import Any, Protocol

from agent.bench.swap.made import Made
from agent.bench.swap.plain import settle
from agent.errors import AgentError
from tools.senses.models.flat import FlatWeights
from tools.senses.models.replica import compute_type


class Swapped(Protocol):
    """Weights, and the ways in which they come and go."""

    def from_file_s(self) -> float:
        """Bring them onto the device out of their file, where they are on none; return seconds."""
        ...

    def from_host_s(self) -> float:
        """Bring them out of host memory; return the seconds."""
        ...

    def off_s(self) -> float:
        """Take them off, keeping the host's copy where there is one; return the seconds."""
        ...

    def drop(self) -> None:
        """Free everything."""
        ...


class FlatSwapped:
    """A module of torch in one buffer."""

    def __init__(self, made: Made, device: str, *, lock: bool) -> None:
        self._made = made
        self._device = device
        self._lock = lock
        self._weights: FlatWeights | None = None

    def from_file_s(self) -> float:
        """Stage them and copy them."""
        began = time.perf_counter()
        self._stage().bring(self._device)
        return time.perf_counter() - began

    def from_host_s(self) -> float:
        """Copy the buffer."""
        weights = self._stage()
        began = time.perf_counter()
        weights.bring(self._device)
        settle(self._device)
        return time.perf_counter() - began

    def off_s(self) -> float:
        """Use the host's copy again."""
        assert self._weights is not None, "what is taken off was brought"
        began = time.perf_counter()
        self._weights.leave()
        settle(self._device)
        return time.perf_counter() - began

    def drop(self) -> None:
        """Free both copies."""
        if self._weights is not None:
            self._weights.close()
            self._weights = None
        gc.collect()

    def _stage(self) -> FlatWeights:
        if self._weights is None:
            import torch
            from safetensors.torch import load_file

            module = torch.nn.Module()
            for name, value in load_file(self._made.path).items():
                parameter = torch.nn.Parameter(value, requires_grad=False)
                module.register_parameter(name.replace(".", "_"), parameter)
            self._weights = FlatWeights([module], lock=self._lock)
        return self._weights


class ReplicaSwapped:
    """A Whisper by CTranslate2's own loading, which goes back to the host on a card only."""

    def __init__(self, made: Made, device: str) -> None:
        self._made = made
        self._device = device
        self._model: Any = None

    def from_file_s(self) -> float:
        """Load the model; the first time, the library's own object as well."""
        if self._model is None:
            return self._constructed_s()
        return self._loaded_s()

    def from_host_s(self) -> float:
        """Load it from what `off_s` left on the host."""
        return self._loaded_s()

    def off_s(self) -> float:
        """Unload it: to the host on a card, else for good."""
        began = time.perf_counter()
        self._model.unload_model(to_cpu=self._device.startswith("cuda"))
        settle(self._device)
        took = time.perf_counter() - began
        self._expect(loaded=False)
        return took

    def drop(self) -> None:
        """Free the library's object."""
        self._model = None
        gc.collect()

    def _constructed_s(self) -> float:
        import ctranslate2

        kind, _, index = self._device.partition(":")
        began = time.perf_counter()
        self._model = ctranslate2.models.Whisper(
            str(self._made.path.parent),
            device=kind,
            device_index=int(index or 0),
            compute_type=compute_type(self._made.variant.name, kind),
        )
        settle(self._device)
        return time.perf_counter() - began

    def _loaded_s(self) -> float:
        began = time.perf_counter()
        self._model.load_model(keep_cache=True)
        settle(self._device)
        took = time.perf_counter() - began
        self._expect(loaded=True)
        return took

    def _expect(self, *, loaded: bool) -> None:
        if self._model.model_is_loaded is not loaded:
            raise AgentError(
                f"The benchmark is void: CTranslate2 did not "
                f"{'load' if loaded else 'let go of'} {self._made.variant.name}."
            )
