"""Models that are modules of torch: built once, their weights moved as one block.

Building a model anew for each use leaks in more than one library, and takes seconds.
"""

import gc
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.senses.errors import DeviceError, EngineError
from tools.senses.models import weights
from tools.senses.models.flat import FlatWeights, bring_home


class ModuleModel(ABC):
    """Stages, brings, leaves and drops; a subclass builds, and works with what it built."""

    def __init__(self, folder: Path, *, lock: bool = False) -> None:
        """Load from a folder of weights; `lock` the pages of the host's copy for a card."""
        self._folder = folder
        self._lock = lock
        self._weights: FlatWeights | None = None

    @abstractmethod
    def _build(self) -> Any:
        """Return the `torch.nn.Module` with its weights, keeping what works with it."""

    @abstractmethod
    def _forget(self) -> None:
        """Let go of all that was built."""

    @property
    def host_bytes(self) -> int:
        """What the copy in host memory takes."""
        return 0 if self._weights is None else self._weights.bytes

    def stage(self) -> None:
        """Build the model with its weights. Raises WeightsError or EngineError."""
        if self._weights is not None:
            return
        weights.verified(self._folder)
        try:
            module = self._build().eval().requires_grad_(requires_grad=False)
            # Some libraries make tables on a card, if there is one, while they build.
            bring_home(module)
            self._weights = FlatWeights([module], lock=self._lock)
        except BaseException:
            self._forget()
            raise

    def bring(self, device: str) -> None:
        """Copy the weights to a device. Raises DeviceError."""
        self.stage()
        assert self._weights is not None
        self._weights.bring(device)

    def leave(self) -> None:
        """Free what is on the device."""
        if self._weights is not None:
            self._weights.leave()

    def drop(self) -> None:
        """Free the host's copy too."""
        if self._weights is not None:
            self._weights.close()
            self._weights = None
        self._forget()
        gc.collect()  # modules, and what works with them, refer to each other


@contextmanager
def at_work(what: str) -> Iterator[None]:
    """Run a block without gradients, with the errors of torch as ours."""
    import torch

    try:
        with torch.inference_mode():
            yield
    except torch.OutOfMemoryError as error:
        raise DeviceError(f"There is no room on the device for {what}: {error}") from error
    except (RuntimeError, IndexError, AssertionError) as error:
        raise EngineError(f"torch failed at {what}: {error}") from error
