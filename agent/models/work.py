"""What the commands on one model do: choose it, ask it, close it."""

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from agent import assembly
from agent.executives.choose import choose
from agent.executives.probe.cache import ProbeCache
from agent.models import probing, speed
from agent.settings import Settings

if TYPE_CHECKING:
    from agent.recorder import Watch


async def probe(settings: Settings, *, watch: "Watch") -> dict[str, Any]:
    """Probe the executive of the settings without a limit, and keep what was found."""
    wanted = await assembly.choosing(settings)
    async with aclosing((await choose(wanted)).executive) as executive:
        found = await probing.probed(
            executive,
            wanted,
            limit_s=None,
            tell=lambda text: watch({"event": "probing", "text": text}),
        )
    ProbeCache(settings.cache_dir).put(found)
    return probing.to_json(found)


async def bench(settings: Settings, *, rounds: int, watch: "Watch") -> dict[str, Any]:
    """Time the executive of the settings."""
    wanted = await assembly.choosing(settings)
    async with aclosing((await choose(wanted)).executive) as executive:
        return await speed.measure(
            executive,
            rounds=rounds,
            tell=lambda text: watch({"event": "measuring", "text": text}),
        )
