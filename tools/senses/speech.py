"""The embedded sense of speech: eSpeak NG with the voices that come with it."""

import logging
from importlib.metadata import version

from memory.language import UNKNOWN
from tools.senses import background, espeak
from tools.senses.background import Patience
from tools.senses.base import USUAL_LANGUAGE, Speech
from tools.senses.errors import NothingToSayError

log = logging.getLogger(__name__)

_VOICES = {"en": "en-us", "en-gb": "en", "zh": "cmn", "no": "nb"}
"""Where the library calls a language otherwise than ISO 639-1 does."""

_SHOWN_LETTERS = 40


class EspeakSynthesizer:
    """Speaks some hundred languages, plainly. The library is loaded at first use."""

    @property
    def name(self) -> str:
        """Name and tier."""
        return f"eSpeak NG of espeakng-loader {version('espeakng-loader')} (embedded)"

    async def say(self, text: str, *, language: str) -> Speech:
        """Return the sound of a text; a language without a voice is spoken as English.

        Raises `NothingToSayError` for a text that makes no sound.
        """
        if not text.strip():
            raise NothingToSayError("The text is empty: there is nothing to say. Give words.")
        return await background.run(lambda patience: _spoken(text, language, patience))


def _spoken(text: str, language: str, patience: Patience) -> Speech:
    with espeak.held() as library:
        wanted = language.lower().replace("_", "-")
        if not any(library.has(voice) for voice in _names(wanted)):
            if wanted != UNKNOWN:
                log.warning(
                    "voice_missing", extra={"language": language, "spoken_as": USUAL_LANGUAGE}
                )
            library.has(_VOICES[USUAL_LANGUAGE])
        samples = library.say(text, patience)
        rate_hz = library.sample_rate_hz
    if not samples.any():
        shown = text.strip()[:_SHOWN_LETTERS]
        raise NothingToSayError(f"The text {shown!r} makes no sound. Give words.")
    return Speech(samples=samples, sample_rate_hz=rate_hz)


def _names(language: str) -> list[str]:
    """Return the names under which a voice is looked for: the dialect, then the language."""
    plain = language.split("-")[0]
    return [_VOICES.get(name, name) for name in dict.fromkeys((language, plain)) if name]
