"""What serves each capability on this machine, told without loading any of it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any


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


def senses() -> Iterator[Capability]:
    """Tell what hears, sees and speaks."""
    for name, (package, words) in _EMBEDDED.items():
        try:
            yield Capability(
                name=name, tier="embedded", server=f"{package} {version(package)}", advice=words
            )
        except PackageNotFoundError:
            yield Capability(
                name=name,
                tier="missing",
                server="nothing",
                advice=f"Install the package {package} into cortical's environment.",
            )
