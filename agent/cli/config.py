"""Commands on settings."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from agent.cli.options import Json
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of


def show(
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each value comes from.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show every setting and its value."""
    from agent import settings as module

    settings = settings_of()
    values = {key: module.value_of(settings, key) for key in module.known_keys()}
    sources = module.origins()
    if as_json:
        print_json({key: {"value": values[key], "origin": sources[key]} for key in values})
        return
    for key, value in values.items():
        print_lines([f"{key} = {_plain(value)}" + (f"   ({sources[key]})" if origin else "")])


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    if isinstance(value, tuple):
        return json.dumps([str(item) for item in value])
    return "not set" if value is None else str(value)
