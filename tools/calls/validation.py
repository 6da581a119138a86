"""Arguments against the types of a tool: fitted without loss, then strictly validated. Pure."""

import json
import reprlib
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tools.calls.faults import CallError, Fault
from tools.calls.fitting import Fit, Schema, Stranger, fitted
from tools.calls.limits import refuse_large

Arguments = TypeVar("Arguments", bound=BaseModel)


def validated(
    name: str, model: type[Arguments], schema: Schema, arguments: Any
) -> tuple[Arguments, dict[str, Any]]:
    """Return the arguments of a call of the tool `name`: typed, and the same as JSON.

    Raises CallError. `schema` is that of the model: what the executive was shown. Fields that it
    does not name are refused, whatever the model itself would do with them.
    """
    refuse_large(arguments)
    fit = fitted(arguments, schema)
    refuse_large(fit.value)
    faults = [_unknown(one) for one in fit.strangers]
    try:
        found = model.model_validate_json(_json(name, fit), strict=True)
    except ValidationError as error:
        known = {one.path for one in fit.strangers}
        told = [one for one in error.errors(include_url=False) if one["loc"] not in known]
        faults += [_said(one) for one in told]
    else:
        if not faults:
            return found, fit.value
    raise CallError(Fault.ARGUMENTS, _refusal(name, schema, faults), meant=name)


def _json(name: str, fit: Fit) -> str:
    try:
        return json.dumps(fit.value, allow_nan=False)
    except ValueError as error:
        raise CallError(
            Fault.ARGUMENTS,
            f"The arguments of {name!r} hold a number that is none in JSON (NaN or infinity).",
            meant=name,
        ) from error


_FAULTS_TOLD = 8


def _refusal(name: str, schema: Schema, faults: Sequence[str]) -> str:
    told = "; ".join(faults[:_FAULTS_TOLD])
    more = len(faults) - _FAULTS_TOLD
    told += f"; and {more} more" if more > 0 else ""
    known = ", ".join(schema.get("properties", ())) or "none"
    return f"The arguments of {name!r} are not valid: {told}. Its arguments are: {known}."


def _unknown(stranger: Stranger) -> str:
    return f"{_where(stranger.path)} = {reprlib.repr(stranger.value)}: there is no such argument"


def _said(fault: ErrorDetails) -> str:
    """Name the argument, its value and what is wrong with it."""
    given = "" if fault["type"] == "missing" else f" = {reprlib.repr(fault['input'])}"
    return f"{_where(fault['loc'])}{given}: {fault['msg']}"


def _where(path: Sequence[str | int]) -> str:
    return ".".join(map(str, path)) or "all of them"
