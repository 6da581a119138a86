"""What serves each capability on this machine, told without loading any of it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from agent.errors import SettingsError
from agent.models import card
from agent.models.weights import shelf
from agent.models.weights.shelf import Installed
from agent.residency import ladders
from agent.residency.ladders import Rungs
from agent.residency.process.machine import SIMULATED
from agent.senses import opening
from agent.settings import Settings
from tools.senses.base import Task
from tools.senses.models.base import Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Capability:
    """One capability and what serves it."""

    name: str
    tier: str
    """`embedded`, `full` or `missing`."""
    server: str
    advice: str = ""
    """What to do for the better tier, or for any."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


_EMBEDDED = {
    "hearing": ("pocketsphinx", "English only, many errors."),
    "sight": ("rapidocr", "Text with boxes; pictures are not described."),
    "speech": ("espeakng-loader", "A plain voice."),
}
_FULL: dict[str, tuple[Task, tuple[Kind, ...], str]] = {
    "hearing": (Task.HEARING, ("whisperx", "parakeet"), "whisper-large-v3-int8"),
    "sight": (Task.SEGMENTS, ("sam2",), "sam2.1-b+"),
    "speech": (Task.SPEECH, ("kokoro",), "kokoro-82m"),
}
"""By capability: its task, which kinds of weights serve it, and what to bring where none are."""


def senses(settings: Settings) -> Iterator[Capability]:
    """Tell what hears, sees and speaks. Nothing is loaded, and no server is started."""
    try:
        full = opening.of_host(settings)
    except SettingsError as error:
        yield from (_embedded(name, str(error)) for name in _FULL)
        return
    here = () if full is None else full.rungs.cpu
    installed = shelf.available(settings.data_dir)
    wanted = settings.residency.card
    on_card = wanted.startswith(SIMULATED) or (wanted != "none" and card.found() is not None)
    rungs = Rungs(card=here if on_card else (), cpu=here)
    for name, (task, kinds, usual) in _FULL.items():
        first = ladders.first(rungs, task)
        if first is not None:
            place = "the card where it fits" if on_card else "the CPU"
            yield Capability(name=name, tier="full", server=f"{first.name} on {place}")
            continue
        serving = [one for one in installed if one.kind in kinds]
        yield _embedded(name, _advice(kinds, usual, serving))


def _advice(kinds: Sequence[Kind], usual: str, serving: Sequence[Installed]) -> str:
    """Say what to do for the full tier."""
    unloaded = [one.variant for one in serving if not shelf.has_libraries(one.kind)]
    if unloaded:
        return f"{unloaded[0]} is here; {shelf.INSTALL} makes .venv-senses, which can load it."
    if serving:
        return f"{serving[0].variant} is here; the setting [senses] passes it over."
    if all(map(shelf.has_libraries, kinds)):
        return f"For the full tier: `cortical models pull {usual}`."
    return (
        f"For the full tier: {shelf.INSTALL}, then `.venv-senses/bin/cortical models pull {usual}`."
    )


def _embedded(name: str, more: str) -> Capability:
    package, words = _EMBEDDED[name]
    try:
        return Capability(
            name=name,
            tier="embedded",
            server=f"{package} {version(package)}",
            advice=f"{words} {more}",
        )
    except PackageNotFoundError:
        return Capability(
            name=name,
            tier="missing",
            server="nothing",
            advice=f"Install the package {package} into cortical's environment.",
        )
