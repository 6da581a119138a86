"""The models that the double pretends to have, and which of them are loaded."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

FOREVER = timedelta(days=365 * 292)
"""What Ollama makes of a negative `keep_alive`: the longest duration of Go."""
DEFAULT_KEEP_ALIVE = timedelta(minutes=5)

RELOADING = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread")
"""Options that the runner is started with."""

WHOLE = 999
"""`num_gpu` of a load that has to lie on the card whole, or fail."""

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_PIECE = re.compile(r"\w{1,6}|[^\w\s]")


@dataclass(frozen=True, kw_only=True, slots=True)
class DoubleModel:
    """A model."""

    name: str = "qwen3:14b"
    architecture: str = "qwen3"
    parameters: str = "14.8B"
    quantisation: str = "Q4_K_M"
    capabilities: tuple[str, ...] = ("completion", "tools", "thinking")
    context_length: int = 40_960
    size_bytes: int = 9_276_198_565
    kv_bytes_per_token: int = 160 * 1024
    dimensions: int = 8
    """Length of the vectors that `/api/embed` gives."""
    layers: int = 40
    heads: int = 40
    kv_heads: int | tuple[int, ...] = 8
    """Of each layer, or of all alike."""
    head_length: int = 128
    embedding_length: int = 5_120
    vocabulary: int = 151_936
    tied: bool = False
    """Whether the token embedding serves as the output layer too."""

    @property
    def digest(self) -> str:
        """What the model's manifest hashes to."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    def details(self) -> dict[str, Any]:
        """Return the `details` that every listing has."""
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.architecture,
            "families": [self.architecture],
            "parameter_size": self.parameters,
            "quantization_level": self.quantisation,
        }


@dataclass(kw_only=True, slots=True)
class Resident:
    """A model that is loaded."""

    model: DoubleModel
    started_with: Mapping[str, Any]
    keep_alive: timedelta
    expires_at: datetime
    spilled_bytes: int = 0
    """What of it lies in the host's memory."""
    cached: list[str] = field(default_factory=list)
    """Pieces of the last prompt, which the next one need not evaluate again."""

    @property
    def context(self) -> int:
        """Tokens that it was loaded for."""
        return int(self.started_with["num_ctx"])

    @property
    def size_bytes(self) -> int:
        """All that it takes, wherever it lies."""
        return self.model.size_bytes + self.context * self.model.kv_bytes_per_token

    @property
    def card_bytes(self) -> int:
        """What of it lies on the card."""
        on_card = self.started_with.get("num_gpu", -1) != 0
        return self.size_bytes - self.spilled_bytes if on_card else 0

    def serves(self, wanted: Mapping[str, Any]) -> bool:
        """Whether it need not be loaded anew; layers that are left to the server never ask it."""
        own = dict(self.started_with)
        if wanted.get("num_gpu", -1) == -1:
            own.pop("num_gpu", None)
            wanted = {name: value for name, value in wanted.items() if name != "num_gpu"}
        return own == wanted

    def listed(self) -> dict[str, Any]:
        """Return an entry of `/api/ps`."""
        return {
            "name": self.model.name,
            "model": self.model.name,
            "size": self.size_bytes,
            "digest": self.model.digest,
            "details": self.model.details(),
            "expires_at": stamp(self.expires_at),
            "size_vram": self.card_bytes,
            "context_length": self.context,
        }


class CardFullError(Exception):
    """A model that was to lie on the card whole does not fit."""


class Shelf:
    """The models that there are, and those that are loaded, on a card of a size or without end."""

    def __init__(
        self,
        models: Sequence[DoubleModel],
        *,
        default_context: int = 4_096,
        card_bytes: int | None = None,
    ) -> None:
        self.taken_bytes = 0
        """What other programs hold of the card."""
        self._card_bytes = card_bytes
        self._models = {model.name: model for model in models}
        self._resident: dict[str, Resident] = {}
        self._default_context = default_context
        self.loads = 0
        """How often a model was loaded, reloads included."""

    def models(self) -> list[DoubleModel]:
        """Return all models."""
        return list(self._models.values())

    def find(self, name: str) -> DoubleModel | None:
        """Return a model; without a tag, `latest` is meant."""
        return self._models.get(tagged(name))

    def add(self, name: str) -> DoubleModel:
        """Take a model in, as a pull does."""
        return self._models.setdefault(tagged(name), self.planned(name))

    @staticmethod
    def planned(name: str) -> DoubleModel:
        """Return what a name would bring."""
        return DoubleModel(name=tagged(name))

    def load(
        self, model: DoubleModel, body: Mapping[str, Any], now: datetime
    ) -> tuple[Resident, bool]:
        """Return the model loaded with what a request asks for, and whether that took a load.

        Where the card is full all others leave it; what is then too much spills, unless all layers
        are to be on the card: that raises CardFullError.
        """
        self.expire(now)
        options = body.get("options") or {}
        wanted = {name: options[name] for name in RELOADING if name in options}
        wanted["num_ctx"] = min(
            int(wanted.get("num_ctx", self._default_context)), model.context_length
        )
        wanted["shift"] = body.get("shift", True)
        resident = self._resident.get(model.name)
        fresh = resident is None or not resident.serves(wanted)
        if resident is None or fresh:
            resident = Resident(
                model=model, started_with=wanted, keep_alive=DEFAULT_KEEP_ALIVE, expires_at=now
            )
            self._resident.pop(model.name, None)
            self._fit(resident)
            self._resident[model.name] = resident
            self.loads += 1
        if body.get("keep_alive") is not None:
            resident.keep_alive = duration(body["keep_alive"])
        resident.expires_at = now + resident.keep_alive
        return resident, fresh

    def _fit(self, resident: Resident) -> None:
        if self._card_bytes is None or not resident.card_bytes:
            return
        room = self._card_bytes - self.taken_bytes
        if resident.size_bytes > room - self.card_bytes():
            self._resident.clear()
        over = resident.size_bytes - room
        if over > 0 and resident.started_with.get("num_gpu") == WHOLE:
            raise CardFullError
        resident.spilled_bytes = max(0, over)

    def card_bytes(self) -> int:
        """Return what the loaded models hold of the card."""
        return sum(one.card_bytes for one in self._resident.values())

    def resident(self, name: str) -> Resident | None:
        """Return a model that is loaded."""
        return self._resident.get(tagged(name))

    def restart(self) -> None:
        """Lose all that is loaded."""
        self._resident.clear()

    def unload(self, model: DoubleModel) -> None:
        """Drop a model from memory."""
        self._resident.pop(model.name, None)

    def expire(self, now: datetime) -> None:
        """Drop what has outlived its `keep_alive`."""
        for name, resident in list(self._resident.items()):
            if resident.expires_at < now:
                del self._resident[name]

    def listed(self, now: datetime) -> list[dict[str, Any]]:
        """Return the entries of `/api/ps`, the one that stays longest first."""
        self.expire(now)
        order = sorted(self._resident.values(), key=lambda one: one.expires_at, reverse=True)
        return [resident.listed() for resident in order]


def tagged(name: str) -> str:
    """Return a name with its tag."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def duration(value: str | float) -> timedelta:
    """Read a `keep_alive`: seconds as a number, or a duration of Go such as `5m` or `1h30m`."""
    if isinstance(value, str) and value.lstrip("+-").replace(".", "", 1).isdigit():
        value = float(value)
    if isinstance(value, int | float):
        return FOREVER if value < 0 else timedelta(seconds=value)
    if value.startswith("-"):
        return FOREVER
    found = re.findall(r"([\d.]+)(ms|s|m|h)", value)
    if not found:
        raise ValueError(f'time: invalid duration "{value}"')
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in found))


def stamp(moment: datetime) -> str:
    """Return a time as Go writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def pieces(text: str) -> list[str]:
    """Cut a text into the double's tokens: up to six letters or digits, or one other sign."""
    return _PIECE.findall(text)


def vector(text: str, dimensions: int) -> list[float]:
    """Return a unit vector that depends on the text alone."""
    seed = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    raw = [seed[index % len(seed)] - 127.5 + index for index in range(dimensions)]
    length = math.sqrt(sum(value * value for value in raw))
    return [value / length for value in raw]
