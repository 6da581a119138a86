"""What the commands on one model do: choose it, ask it, close it."""

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from agent import assembly
from agent.errors import UsageError
from agent.executives.choose import choose
from agent.executives.probe.cache import ProbeCache
from agent.models import probing, pulling, speed
from agent.models.weights import catalogue
from agent.models.weights import pulling as weights_pulling
from agent.settings import Settings
from tools.senses.models.alignment import ALIGNER

if TYPE_CHECKING:
    from agent.recorder import Watch


async def pull(settings: Settings, name: str, *, newest: bool, watch: "Watch") -> dict[str, Any]:
    """Bring a model to the Ollama server that is to have it, or weights to this machine.

    Raises UsageError, AgentError, WeightsError or ExecutiveError.
    """
    if catalogue.source(name) is not None or name.startswith(ALIGNER):
        return await weights_pulling.pull(
            settings.data_dir, name, hub_url=settings.senses.hub_url, newest=newest, watch=watch
        )
    if newest:
        raise UsageError(f"--newest is for the weights of senses, and {name!r} are none.")
    sees = name == settings.senses.vision_model
    url = (settings.senses.vision_url if sees else None) or settings.ollama.url
    return await pulling.pull(url, name, watch=watch)


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
