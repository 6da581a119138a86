"""What every command begins with: the settings, and a loop to work on."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from agent.settings import Settings

Result = TypeVar("Result")


def settings_of(**flags: Any) -> "Settings":
    """Read the settings, with what flags say; set up the log."""
    from agent import logs, settings

    loaded = settings.load(**{key: value for key, value in flags.items() if value is not None})
    logs.configure(loaded.log_level)
    return loaded


def wait(work: Coroutine[Any, Any, Result]) -> Result:
    """Work until it is done."""
    return asyncio.run(work)
