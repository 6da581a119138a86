"""The weights that are on this machine: `DATA_DIR/weights/VARIANT/`, each with its manifest.

What is being brought lies beside them in hidden folders, and becomes a folder of weights by one
rename.
"""

import fcntl
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent.errors import AgentError, UsageError
from tools.senses.errors import WeightsError
from tools.senses.models import weights
from tools.senses.models.base import Kind
from tools.senses.models.weights import Manifest

INSTALL = "`make senses`"
"""What makes an environment with all libraries. This program is on no package index: whatever bears
its name there is somebody else's."""

_LIBRARIES: dict[Kind, tuple[str, ...]] = {
    "whisperx": ("ctranslate2", "faster_whisper", "whisperx"),
    "parakeet": ("torch", "transformers"),
    "sam2": ("torch", "sam2"),
    "kokoro": ("torch", "kokoro"),
    "wav2vec2": ("torch", "transformers", "whisperx"),
}
_PREPARED = ".coming-"
_PASSING = (".adding-", ".going-")
"""What is left of a process that was killed in it, and of no use to the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """Weights that are here, whole by the sizes of their files."""

    variant: str
    kind: Kind
    folder: Path
    bytes: int
    files: tuple[str, ...]
    source: str
    revision: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """A folder that should hold weights, and why it does not."""

    variant: str
    folder: Path
    why: str


def available(data_dir: Path) -> tuple[Installed, ...]:
    """Return the weights that are here, by name; nothing is hashed, imported or written.

    Takes a millisecond or two. What is not whole is left out.
    """
    return tuple(one for one in surveyed(data_dir) if isinstance(one, Installed))


def surveyed(data_dir: Path) -> tuple[Installed | Broken, ...]:
    """Return all folders for weights that are here, by name."""
    place = root(data_dir)
    return tuple(_looked_at(place / name) for name in _names(place) if name[0] != ".")


def has_libraries(kind: Kind) -> bool:
    """Whether what loads weights of a kind is installed; nothing is imported."""
    return all(importlib.util.find_spec(name) is not None for name in _LIBRARIES[kind])


def root(data_dir: Path) -> Path:
    """Return the folder of all weights."""
    return data_dir / "weights"


def folder(data_dir: Path, variant: str) -> Path:
    """Return where the weights of a variant lie, or would. Raises UsageError."""
    if not weights.is_variant(variant):
        raise UsageError(
            f"{variant!r} is no name for weights. Use letters, digits, `.`, `-`, `+` and `_`."
        )
    return root(data_dir) / variant


def coming(data_dir: Path, variant: str) -> Path:
    """Return where weights are put together that are being brought."""
    return root(data_dir) / f"{_PREPARED}{variant}"


def adding(data_dir: Path, variant: str) -> Path:
    """Return where weights are put together that are added from a path."""
    return root(data_dir) / f"{_PASSING[0]}{variant}"


def unfinished(data_dir: Path) -> tuple[str, ...]:
    """Return the variants of which some was brought and not all."""
    names = _names(root(data_dir), _PREPARED)
    return tuple(name.removeprefix(_PREPARED) for name in names)


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Be the only process that brings or removes weights. Raises AgentError where another does."""
    place = root(data_dir)
    place.mkdir(parents=True, exist_ok=True)
    held = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AgentError(
                f"Another process brings or removes weights in {place}. Wait for it, then try "
                "again: what has come stays."
            ) from None
        for beginning in _PASSING:
            for name in _names(place, beginning):
                shutil.rmtree(place / name)
        yield
    finally:
        os.close(held)


def take_in(data_dir: Path, whole: Path, manifest: Manifest) -> None:
    """Make a folder with all files the weights of a variant, in place of older ones.

    It becomes that by one rename; whoever reads the older ones goes on reading them. Raises
    OSError.
    """
    weights.write(whole, manifest)
    _synced(whole)
    target = folder(data_dir, manifest.variant)
    away = _going(data_dir, manifest.variant)
    with suppress(FileNotFoundError):
        target.rename(away)
    whole.rename(target)
    _synced(target.parent)
    shutil.rmtree(away, ignore_errors=True)


def remove(data_dir: Path, variant: str) -> int:
    """Remove weights, and what was brought of them; return how many bytes that gave back.

    Links are removed, not what they lead to. Raises UsageError where there are none.
    """
    target = folder(data_dir, variant)
    with alone(data_dir):
        places = [one for one in (target, coming(data_dir, variant)) if one.exists()]
        if not places:
            raise UsageError(f"There are no weights {variant!r} here. {_those(data_dir)}")
        freed = sum(_own_bytes(place) for place in places)
        for number, place in enumerate(places):
            place.rename(_going(data_dir, f"{variant}-{number}"))
        for number in range(len(places)):
            shutil.rmtree(_going(data_dir, f"{variant}-{number}"))
    return freed


def verify(
    data_dir: Path, variant: str | None, *, tell: Callable[[str], None]
) -> tuple[Installed | Broken, ...]:
    """Hash all files of one variant, or of all, anew. Raises UsageError where there are none."""
    found = [one for one in surveyed(data_dir) if variant in (None, one.variant)]
    if not found:
        if variant is None:
            raise UsageError("There are no weights here. `cortical models pull NAME` brings some.")
        raise UsageError(f"There are no weights {variant!r} here. {_those(data_dir)}")
    return tuple(_verified(one, tell) for one in found)


def _verified(one: Installed | Broken, tell: Callable[[str], None]) -> Installed | Broken:
    if isinstance(one, Broken):
        return one
    tell(f"hashing {one.bytes / 1e9:.2f} GB of {one.variant}")
    try:
        weights.verified(one.folder, trusting=False)
    except WeightsError as error:
        return Broken(variant=one.variant, folder=one.folder, why=str(error))
    return one


def _looked_at(place: Path) -> Installed | Broken:
    try:
        manifest = weights.read(place)
        weights.present(place, manifest)
    except WeightsError as error:
        return Broken(variant=place.name, folder=place, why=str(error))
    if manifest.variant != place.name:
        why = f"{place} holds {manifest.variant}, as its manifest says. Rename it to that."
        return Broken(variant=place.name, folder=place, why=why)
    return Installed(
        variant=manifest.variant,
        kind=manifest.kind,
        folder=place,
        bytes=manifest.bytes,
        files=tuple(manifest.files),
        source=manifest.source,
        revision=manifest.revision,
    )


def _going(data_dir: Path, variant: str) -> Path:
    return root(data_dir) / f"{_PASSING[1]}{variant}"


def _names(place: Path, beginning: str = "") -> tuple[str, ...]:
    """Return the names in a folder that begin so, sorted; none where it cannot be looked into."""
    try:
        names = sorted(entry.name for entry in os.scandir(place))
    except OSError:
        return ()
    return tuple(name for name in names if name.startswith(beginning))


def _those(data_dir: Path) -> str:
    names = ", ".join(one.variant for one in surveyed(data_dir))
    return f"There are: {names}." if names else "There are none at all."


def _own_bytes(place: Path) -> int:
    """Return the bytes of the files below a folder, links not followed."""
    return sum(
        (Path(above) / name).lstat().st_size for above, _, names in os.walk(place) for name in names
    )


def _synced(place: Path) -> None:
    """Have the entries of a folder on the disk."""
    held = os.open(place, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
