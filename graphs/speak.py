"""Say the answer aloud, into a file."""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from graphs import marks
from graphs.context import Step
from graphs.state import TurnState
from tools.senses.media import encode_wav


async def speak(state: TurnState, step: Step) -> dict[str, Any]:
    """Write the answer as a WAV file, whole or not at all."""
    answer, voice = state["answer"], state["voice"]
    assert answer is not None, "the router leads here only with an answer"
    assert voice is not None, "the router leads here only with a file to write"
    text = aloud(answer["text"])
    language = step.services.language(text)
    speech = await step.services.synthesizer.say(text, language=language)
    await asyncio.to_thread(written, Path(voice), encode_wav(speech))
    return {"spoken": voice}


def aloud(text: str) -> str:
    """Return a text as it is said: without the marks of its citations."""
    return marks.without(text)


def written(path: Path, data: bytes) -> None:
    """Replace the file in one step, so that nobody ever reads half of it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
