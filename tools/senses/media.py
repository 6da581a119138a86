"""Bytes of any format to what the senses take, and speech to bytes."""

import io
import wave

from tools.senses import background, pictures, sound
from tools.senses.base import Recording, Speech
from tools.senses.pictures import Picture

LONGEST_S = 4 * 3600.0
MOST_PIXELS = 64_000_000


async def decode_audio(data: bytes, name: str, *, longest_s: float = LONGEST_S) -> Recording:
    """Return the sound of a recording or a film, of any format and rate, as far as it goes.

    What is missing or too long is said in its flaws. Raises `MediaError` where there is no sound.
    The name is used in messages only.
    """
    return await background.run(lambda patience: sound.decoded(data, name, longest_s, patience))


async def decode_image(data: bytes, name: str, *, most_pixels: int = MOST_PIXELS) -> Picture:
    """Return the first frame of a picture, upright, on white, as far as it goes.

    What is missing is said in its flaws. Raises `MediaError` where there is no picture, or one of
    more pixels than allowed. The name is used in messages only.
    """
    return await background.run(lambda _: pictures.decoded(data, name, most_pixels))


def encode_wav(speech: Speech) -> bytes:
    """Return speech as a WAV file, 16 bit mono."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(speech.sample_rate_hz)
        writer.writeframes(speech.samples.astype("<i2").tobytes())
    return file.getvalue()
