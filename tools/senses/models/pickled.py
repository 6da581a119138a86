"""Files that `torch.save` wrote, read without running anything that is in them."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.senses.errors import WeightsError

_SHOWN = 3


def load(path: Path, allowed: Sequence[Any] = ()) -> Any:
    """Return tensors, plain values and the `allowed` classes of a file. Raises WeightsError.

    Where its form allows it the tensors lie in the file until they are copied.
    """
    import torch

    try:
        with torch.serialization.safe_globals(list(allowed)):
            return torch.load(
                path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
            )
    except Exception as error:
        # What a broken file leads torch to is any exception; what it forbids is an UnpicklingError.
        raise WeightsError(
            f"{path} is no file of weights that may be loaded: {first(error)}. Bring it again."
        ) from error


def tensors(path: Path, told: Any) -> dict[str, Any]:
    """Return a state dict, checked to be one. Raises WeightsError."""
    import torch

    if not isinstance(told, Mapping) or not told:
        raise WeightsError(f"{path} holds no weights where they have to be. Is it of this model?")
    for name, value in told.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise WeightsError(f"{path} holds {name!r}, which is no weight. Is it of this model?")
    return dict(told)


def fill(
    module: Any, found: Mapping[str, Any], path: Path, *, may_lack: frozenset[str] = frozenset()
) -> None:
    """Copy weights into a module, every one of them. Raises WeightsError where they do not match.

    What the library counts itself (a buffer that it does not save) may be there as well.
    """
    wanted = module.state_dict()
    counted = {name for name, _ in module.named_buffers()} - wanted.keys()
    missing = wanted.keys() - found.keys() - may_lack
    extra = found.keys() - wanted.keys() - counted
    shapes = [
        f"{name} of shape {tuple(found[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & found.keys())
        if found[name].shape != wanted[name].shape
    ]
    wrong = [
        *_some(sorted(f"no {name}" for name in missing)),
        *_some(sorted(f"{name}, which it has not" for name in extra)),
        *_some(shapes),
    ]
    if wrong:
        raise WeightsError(
            f"{path} is not of the model that its folder names: {'; '.join(wrong)}. "
            "Bring it again, or the right one."
        )
    module.load_state_dict(
        {name: found[name] for name in wanted.keys() & found.keys()}, strict=False
    )


def _some(wrong: list[str]) -> list[str]:
    more = len(wrong) - _SHOWN
    return [*wrong[:_SHOWN], *([f"and {more} more like it"] if more > 0 else [])]


def first(error: Exception) -> str:
    """Return the first sentence: after it torch tells how to load a file all the same."""
    lines = str(error).strip().splitlines()
    return lines[0].split(". ")[0].removesuffix(".") if lines else type(error).__name__
