"""Where the weights of each variant come from. Facts only.

No hub could be reached from where this was written: repositories and names of files are those that
faster-whisper, sam2, kokoro, WhisperX and transformers themselves ask for, or are published to
have.
"""

from dataclasses import dataclass

from tools.senses.models.alignment import ALIGNER
from tools.senses.models.base import Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A file of a repository; it keeps its name."""

    names: tuple[str, ...]
    """The first that is there is taken."""
    needed: bool = True
    pulled: bool = True
    """Whether the repository has it. Another file may be added from a path."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where weights come from."""

    repository: str
    kind: Kind
    licence: str
    """As the repository states it."""
    parts: tuple[Part, ...]
    revision: str = "main"
    """What is asked for first; the commit that it then is goes into the manifest."""


def source(variant: str) -> Source | None:
    """Return where a variant comes from; None for one that the catalogue does not know."""
    return _SOURCES.get(variant)


def variants() -> tuple[str, ...]:
    """Return all that can be pulled."""
    return tuple(_SOURCES)


def _needed(*names: str) -> tuple[Part, ...]:
    return tuple(Part(names=(name,)) for name in names)


def _taken(*names: str) -> tuple[Part, ...]:
    """Return files that are taken where the repository has them."""
    return tuple(Part(names=(name,), needed=False) for name in names)


_SPEAKERS = tuple(
    Part(names=(f"speakers/{name}.bin",), needed=False, pulled=False)
    for name in ("segmentation", "embedding")
)
"""What tells speakers apart; its repositories give it only to those with an account."""


def _whisper(repository: str) -> Source:
    vocabulary = Part(names=("vocabulary.json", "vocabulary.txt"))
    return Source(
        repository=repository,
        kind="whisperx",
        licence="MIT",
        parts=(
            # Without tokenizer.json faster-whisper would ask a hub for one.
            *_needed("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json"),
            vocabulary,
            *_SPEAKERS,
        ),
    )


def _sam2(size: str) -> Source:
    file = f"sam2.1_hiera_{size.replace('-', '_')}.pt"
    return Source(
        repository=f"facebook/sam2.1-hiera-{size}",
        kind="sam2",
        licence="Apache-2.0",
        parts=_needed(file),
    )


def _aligner(repository: str) -> Source:
    weights = Part(names=("model.safetensors", "pytorch_model.bin"))
    return Source(
        repository=repository,
        kind="wav2vec2",
        licence="Apache-2.0",
        parts=(
            *_needed("config.json", "preprocessor_config.json", "vocab.json"),
            weights,
            *_taken("special_tokens_map.json", "tokenizer_config.json"),
        ),
    )


_LARGE = _whisper("Systran/faster-whisper-large-v3")
_PARAKEET = Source(
    repository="nvidia/parakeet-tdt-0.6b-v3",
    kind="parakeet",
    licence="CC-BY-4.0",
    parts=(
        *_needed("config.json", "model.safetensors", "processor_config.json"),
        *_needed("tokenizer.json", "tokenizer_config.json"),
        *_taken("generation_config.json", "special_tokens_map.json"),
    ),
)

VOICES = (
    *("af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nicole"),
    *("af_nova", "af_river", "af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir"),
    *("am_liam", "am_michael", "am_onyx", "am_puck", "am_santa"),
    *("bf_alice", "bf_emma", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable", "bm_george"),
    *("bm_lewis", "ef_dora", "em_alex", "em_santa", "ff_siwis", "hf_alpha", "hf_beta"),
    *("hm_omega", "hm_psi", "if_sara", "im_nicola", "pf_dora", "pm_alex", "pm_santa"),
)
"""Kokoro's, but for those of Japanese and Chinese, whose words it cannot read with the extra alone.
The first letter is the language, the second female or male."""

_KOKORO = Source(
    repository="hexgrad/Kokoro-82M",
    kind="kokoro",
    licence="Apache-2.0",
    parts=(
        *_needed("config.json", "kokoro-v1_0.pth"),
        *(Part(names=(f"voices/{voice}.pt",), needed=voice == "af_heart") for voice in VOICES),
    ),
)

_ALIGNED = {
    "ar": "arabic",
    "de": "german",
    "el": "greek",
    "es": "spanish",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "ja": "japanese",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "ru": "russian",
    "zh": "chinese-zh-cn",
}
"""What WhisperX aligns with, or the one of that family where it takes a model of torchaudio's own
host; by ISO 639-1 code."""

_SOURCES = {
    # The same file: weights become smaller, or narrower, when they are loaded.
    "whisper-large-v3-fp16": _LARGE,
    "whisper-large-v3-int8": _LARGE,
    "whisper-turbo-fp16": _whisper("mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
    "parakeet-0.6b-fp32": _PARAKEET,
    "parakeet-0.6b-local": _PARAKEET,
    "parakeet-0.6b-bf16": _PARAKEET,
    "sam2.1-t": _sam2("tiny"),
    "sam2.1-s": _sam2("small"),
    "sam2.1-b+": _sam2("base-plus"),
    "sam2.1-l": _sam2("large"),
    "kokoro-82m": _KOKORO,
    f"{ALIGNER}en": _aligner("facebook/wav2vec2-base-960h"),
    **{
        f"{ALIGNER}{code}": _aligner(f"jonatasgrosman/wav2vec2-large-xlsr-53-{name}")
        for code, name in _ALIGNED.items()
    },
}
