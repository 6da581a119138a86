"""Speak with flite: the voice that the embedded recogniser mishears least."""

import shutil
import subprocess
import tempfile
import wave
from io import BytesIO
from pathlib import Path

RATE_HZ = 16_000
SILENCE_S = 0.3
"""Before and after the words, as in any recording."""


def spoken(words: str, voice: str = "rms") -> bytes:
    """Return a WAV file: 16 kHz, mono, 16 bit."""
    flite = shutil.which("flite")
    if flite is None:
        raise FileNotFoundError("flite is not installed; on Debian: apt install flite")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.wav"
        subprocess.run([flite, "-voice", voice, "-t", words, "-o", str(raw)], check=True)  # noqa: S603 # our own words
        with wave.open(str(raw)) as source:
            form = (source.getframerate(), source.getnchannels(), source.getsampwidth())
            if form != (RATE_HZ, 1, 2):
                raise ValueError(f"voice {voice} gives {form}, not 16 kHz mono 16 bit; take rms")
            frames = source.readframes(source.getnframes())
    pause = bytes(2 * int(RATE_HZ * SILENCE_S))
    target = BytesIO()
    with wave.open(target, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(RATE_HZ)
        recording.writeframes(pause + frames + pause)
    return target.getvalue()
