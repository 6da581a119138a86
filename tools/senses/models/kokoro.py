"""Kokoro: speech at 24 kHz, in the voices that lie beside its weights."""

import io
import json
import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.senses.background import Patience
from tools.senses.base import Speech
from tools.senses.errors import EngineError, NothingToSayError, WeightsError
from tools.senses.models import phonemes, pickled
from tools.senses.models.modules import ModuleModel, at_work
from tools.senses.models.weights import Manifest

log = logging.getLogger(__name__)

CONFIG = "config.json"
VOICES = "voices"
SAMPLE_RATE_HZ = 24_000

MOST_PHONEMES = 510
"""Of a piece: a voice has a style for each number of them up to this."""

PAUSE_S = 0.15
"""Silence between two pieces, beside that with which they begin and end."""

_KEPT_VOICES = 8
"""Half a megabyte each."""

_PREFERRED = frozenset(
    ("af_heart", "bf_emma", "ef_dora", "ff_siwis", "hf_alpha", "if_sara", "pf_dora")
)
_STYLE = 256
_PREFIX = "module."
_SHOWN_LETTERS = 40


class KokoroModel(ModuleModel):
    """A `SpeakingModel` by the package `kokoro`.

    Of it only the network is used: its pipeline fetches voices and cuts long texts off.
    """

    def __init__(self, folder: Path, manifest: Manifest, *, lock: bool = False) -> None:
        super().__init__(folder, manifest, lock=lock)
        self._names = _voices(manifest)
        self._model: Any = None
        self._vocabulary: frozenset[str] = frozenset()
        self._voices: OrderedDict[str, Any] = OrderedDict()
        self._phonemes: dict[str, phonemes.Phonemes] = {}

    def languages(self) -> frozenset[str]:
        """Return ISO 639-1 codes of the languages that there is a voice for."""
        return phonemes.languages(self._names)

    def say(
        self, text: str, patience: Patience, *, language: str, voice: str | None = None
    ) -> Speech:
        """Return the sound of a text, however long, piece by piece.

        Raises NothingToSayError, or EngineError for a language or voice that is not there.
        """
        if self._model is None:
            raise EngineError("Kokoro has not been brought. Bring it first.")
        letter, name = self._chosen(language, voice)
        style = self._voice(name)
        if letter not in self._phonemes:
            self._phonemes[letter] = phonemes.of(letter)
        most = min(MOST_PHONEMES, len(style), self._model.context_length - 2)
        spoken = phonemes.pieces(text, self._phonemes[letter], self._vocabulary, most, patience)
        samples = list(self._sounds(spoken, style, patience))
        if not samples:
            raise NothingToSayError(
                f"The text {text.strip()[:_SHOWN_LETTERS]!r} has no word that could be spoken. "
                "Give words."
            )
        return Speech(samples=np.concatenate(samples), sample_rate_hz=SAMPLE_RATE_HZ)

    def _sounds(
        self, spoken: Iterator[str], style: Any, patience: Patience
    ) -> Iterator[NDArray[np.int16]]:
        """Yield the sound of each piece, with silence between two."""
        silence = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.int16)
        for number, piece in enumerate(spoken):
            patience.check()
            if number:
                yield silence
            with at_work(f"{len(piece)} phonemes by Kokoro"):
                sound = self._model(piece, style[len(piece) - 1], 1.0).numpy()
            if not np.isfinite(sound).all():
                raise EngineError(f"{self._folder}: the weights make no sound of {piece!r}.")
            yield np.asarray(np.round(np.clip(sound, -1, 1) * 32767), np.int16).reshape(-1)

    def _chosen(self, language: str, voice: str | None) -> tuple[str, str]:
        """Return the letter of a language and the name of a voice."""
        wanted = language.lower().replace("_", "-")
        letters = phonemes.LETTERS.get(wanted) or phonemes.LETTERS.get(wanted.split("-")[0], "")
        if voice is not None and voice not in self._names:
            raise EngineError(
                f"Kokoro has no voice {voice!r} here. It has {', '.join(self._names) or 'none'}."
            )
        if voice is not None and letters:
            return (voice[0] if voice[0] in letters else letters[0]), voice
        for letter in letters:
            some = [name for name in self._names if name[0] == letter]
            if some:
                return letter, min(some, key=lambda name: (name not in _PREFERRED, name))
        raise EngineError(
            f"Kokoro does not speak {language!r} here, but "
            f"{', '.join(sorted(self.languages())) or 'no language'}."
        )

    def _voice(self, name: str) -> Any:
        """Return a voice: a style for each number of phonemes, shape (numbers, 1, 256)."""
        import torch

        if name in self._voices:
            self._voices.move_to_end(name)
            return self._voices[name]
        path = self._folder / VOICES / f"{name}.pt"
        style = pickled.load(path)
        if (
            not isinstance(style, torch.Tensor)
            or style.ndim != 3
            or style.shape[1:] != (1, _STYLE)
            or not style.is_floating_point()
        ):
            raise WeightsError(f"{path} is no voice of Kokoro. Bring it again.")
        self._voices[name] = style.float().clone()
        while len(self._voices) > _KEPT_VOICES:
            self._voices.popitem(last=False)
        return self._voices[name]

    def _build(self) -> Any:
        path = self._checkpoint()
        config = self._config()
        try:
            import torch
            from kokoro.model import KModel
        except ImportError as error:
            raise EngineError(
                f"Kokoro cannot be used here: {error}. Install the extra `senses`."
            ) from error
        empty = io.BytesIO()
        torch.save({}, empty)
        empty.seek(0)
        try:
            # With weights it would load what matches, and pass over what does not.
            model = KModel(repo_id="hexgrad/Kokoro-82M", config=config, model=empty)
        except Exception as error:
            # A wrong config leads each part to its own exceptions.
            raise WeightsError(
                f"{self._folder / CONFIG} describes no model that can be built: "
                f"{type(error).__name__} {error}"
            ) from error
        _fill(model, path)
        _fuse(model)
        self._vocabulary = frozenset(model.vocab)
        self._model = model
        return model

    def _forget(self) -> None:
        self._model = None
        self._vocabulary = frozenset()
        self._voices.clear()
        self._phonemes.clear()

    def _checkpoint(self) -> Path:
        names = [name for name in self._manifest.files if name.endswith(".pth")]
        if len(names) != 1:
            raise WeightsError(
                f"{self._folder} has {len(names)} files of weights (*.pth) by its manifest; Kokoro "
                "has one."
            )
        return self._folder / names[0]

    def _config(self) -> dict[str, Any]:
        path = self._folder / CONFIG
        if CONFIG not in self._manifest.files:
            raise WeightsError(f"{self._folder} has no {CONFIG} by its manifest.")
        try:
            told = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise WeightsError(f"{path} is no config of Kokoro: {error}.") from error
        if not isinstance(told, dict) or not isinstance(told.get("vocab"), dict):
            raise WeightsError(f"{path} is no config of Kokoro: it has no vocabulary.")
        return told


def _voices(manifest: Manifest) -> tuple[str, ...]:
    paths = map(PurePosixPath, manifest.files)
    return tuple(
        sorted(
            path.stem
            for path in paths
            if path.parent == PurePosixPath(VOICES) and path.suffix == ".pt"
        )
    )


def _fill(model: Any, path: Path) -> None:
    """Copy the weights of each part of the model, all of them. Raises WeightsError."""
    told = pickled.load(path)
    parts = dict(model.named_children())
    if not isinstance(told, Mapping) or told.keys() != parts.keys():
        raise WeightsError(f"{path} does not hold the parts {', '.join(parts)}. Is it Kokoro's?")
    for name, part in parts.items():
        found = pickled.tensors(path, told[name])
        if all(key.startswith(_PREFIX) for key in found):
            found = {key.removeprefix(_PREFIX): value for key, value in found.items()}
        pickled.fill(part, found, path, may_lack=_identities(part))


def _identities(part: Any) -> frozenset[str]:
    """Return the weights of norms that the network was trained without.

    The package gives them, as one and nothing, only so that the network can be exported.
    """
    import torch

    return frozenset(
        f"{name}.{which}"
        for name, module in part.named_modules()
        if isinstance(module, torch.nn.InstanceNorm1d)
        for which in ("weight", "bias")
    )


def _fuse(model: Any) -> None:
    """Compute the normed weights once, not at each use, when they would stay on the device."""
    from torch.nn.utils import remove_weight_norm

    for module in model.modules():
        if hasattr(module, "weight_g"):
            remove_weight_norm(module)
