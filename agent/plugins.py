"""A user's own graphs and tools, from files named in settings."""

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from agent.errors import SettingsError
from graphs.context import Services
from tools.base import Tool

OURS = frozenset({"assistant"})
"""Names of the graphs that come with cortical."""

GraphMaker = Callable[[Services], Any]


def graphs(named: Mapping[str, str]) -> dict[str, GraphMaker]:
    """Load `name = "FILE.py:build"`; `build(services)` returns an uncompiled StateGraph."""
    found: dict[str, GraphMaker] = {}
    for name, reference in named.items():
        if name in OURS:
            raise SettingsError(f"Setting `graphs.{name}`: that name is taken. Choose another.")
        maker = _loaded(reference, f"graphs.{name}")
        if not callable(maker):
            raise SettingsError(
                f"Setting `graphs.{name}`: {reference} is not a function. It has to be "
                "`build(services)` that returns a StateGraph."
            )
        found[name] = maker
    return found


def tools(references: Sequence[str]) -> list[Tool[Any]]:
    """Load `FILE.py:NAME`, each a `tools.base.Tool`."""
    found = []
    for reference in references:
        tool = _loaded(reference, "tools")
        if not isinstance(tool, Tool):
            raise SettingsError(f"Setting `tools`: {reference} is not a `tools.base.Tool`.")
        found.append(tool)
    return found


def _loaded(reference: str, setting: str) -> Any:
    path, colon, attribute = reference.rpartition(":")
    if not colon or not attribute.isidentifier():
        raise SettingsError(f"Setting `{setting}` = {reference!r} is not of the form FILE.py:NAME.")
    module = _module(Path(path).expanduser(), setting)
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise SettingsError(f"Setting `{setting}`: {path} has no name {attribute!r}.") from None


def _module(path: Path, setting: str) -> ModuleType:
    """Import a file under a name of its own, so that it cannot stand in for another module."""
    if not path.is_file():
        raise SettingsError(f"Setting `{setting}`: there is no file {path}.")
    name = f"cortical_user_{path.stem}_{abs(hash(path.resolve())):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"Setting `{setting}`: {path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and type hints of the file look their own module up while it is being run.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise SettingsError(
            f"Setting `{setting}`: {path} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    return module
