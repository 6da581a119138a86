"""Tensors from a file, and modules of transformers from tensors, whole or not at all."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.senses.errors import WeightsError
from tools.senses.models import pickled
from tools.senses.models.pickled import first

_MOST_NAMED = 3


def read(path: Path, allowed: Sequence[Any] = ()) -> Any:
    """Return what a file of safetensors or of torch holds, on the host.

    Of torch's files nothing is unpickled but tensors, plain values and the `allowed` classes.
    Raises WeightsError.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix != ".safetensors":
        return pickled.load(path, allowed)
    try:
        return load_file(path)
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{path} cannot be loaded: {first(error)}. Bring it again.") from error


def configured(config: type[Any], path: Path, kind: str) -> Any:
    """Return the configuration in a JSON file. Raises WeightsError if it is not of the kind."""
    told = json_object(path)
    if told.get("model_type") != kind:
        raise WeightsError(f"{path} is of a {told.get('model_type')!r} model, not {kind!r}.")
    try:
        return config.from_dict(told)
    except Exception as error:  # each class checks its fields in its own way
        raise WeightsError(f"{path} does not describe a {kind}: {error}.") from error


def json_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file. Raises WeightsError."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read: {error}.") from error
    if not isinstance(told, dict):
        raise WeightsError(f"{path} holds a {type(told).__name__}, not an object.")
    return told


def filled(kind: type[Any], config: Any, path: Path, dtype: Any) -> Any:
    """Return a model of transformers with the tensors of a file, ready to compute.

    transformers by itself fills in what is missing at random and only warns. Raises WeightsError
    where a tensor is missing, left over or of another shape.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()
    state = read(path)
    try:
        model, told = kind.from_pretrained(
            None,
            config=config,
            state_dict=state,
            dtype=dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # it then says which they are, and we refuse them
        )
    except (RuntimeError, ValueError, KeyError, AttributeError) as error:
        raise WeightsError(f"{path} is of another model: {first(error)}") from error
    refuse(path, told)
    return model.eval()


def refuse(path: Path, told: Mapping[str, Any]) -> None:
    """Raise WeightsError where loading left something out, by transformers' own account."""
    for what, words in (
        ("missing_keys", "lacks"),
        ("unexpected_keys", "has, and the model has not,"),
        ("mismatched_keys", "has in another shape"),
        ("error_msgs", "does not load:"),
    ):
        found = told.get(what, ())
        names = sorted(str(one[0] if isinstance(one, tuple) else one) for one in found)
        if names:
            shown = ", ".join(names[:_MOST_NAMED])
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            raise WeightsError(f"{path} is of another model: it {words} {shown}{more}.")
