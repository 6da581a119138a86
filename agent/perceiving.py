"""One sense alone, for the commands `hear`, `see` and `say`."""

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import assembly
from agent.errors import UsageError
from agent.settings import Settings
from tools.senses.leased import Tell, silent

if TYPE_CHECKING:
    from tools.senses.base import Prompt
    from tools.senses.pictures import Picture


async def hear(settings: Settings, audio: Path, *, tell: Tell = silent) -> dict[str, Any]:
    """Return the transcript with the time of each word."""
    from tools.senses.media import decode_audio

    recording = await decode_audio(await asyncio.to_thread(given, audio, settings), audio.name)
    async with assembly.perception(settings, tell=tell) as senses:
        transcript = await senses.hearing.transcribe(recording)
    flaws = list(dict.fromkeys((*recording.flaws, *transcript.flaws)))
    return {
        "text": transcript.text,
        **dataclasses.asdict(transcript),
        "flaws": flaws,
    }


async def see(settings: Settings, image: Path, *, tell: Tell = silent) -> dict[str, Any]:
    """Return the lines of text with their boxes."""
    from tools.senses import original
    from tools.senses.media import decode_image

    picture = await decode_image(await asyncio.to_thread(given, image, settings), image.name)
    async with assembly.perception(settings, tell=tell) as senses:
        sighting = original.sighting(await senses.sight.read(picture.pixels), picture)
    flaws = list(dict.fromkeys((*picture.flaws, *sighting.flaws)))
    return {
        "text": sighting.text,
        **dataclasses.asdict(sighting),
        "flaws": flaws,
        "served_by": senses.sight.name,
    }


async def describe(settings: Settings, image: Path, *, question: str | None) -> dict[str, Any]:
    """Return what a picture shows, or the answer to a question on it."""
    from agent.vision.describing import Describer
    from agent.vision.lending import lent
    from agent.vision.server import served
    from tools.senses.media import decode_image

    server = served(settings)
    describer = Describer(server)
    picture = await decode_image(await asyncio.to_thread(given, image, settings), image.name)
    async with lent(settings, server, describer) as held:
        description = await describer.describe(picture.pixels, question=question, stays=held)
    return {
        **dataclasses.asdict(description),
        "flaws": [*picture.flaws, *description.flaws],
    }


async def look(settings: Settings, image: Path, *, tell: Tell = silent) -> dict[str, Any]:
    """Return the elements of a screen, each with those within it."""
    from tools.senses import original, screen, screens
    from tools.senses.media import decode_image

    picture = await decode_image(await asyncio.to_thread(given, image, settings), image.name)
    async with assembly.perception(settings, tell=tell) as senses:
        model = senses.segments
        segment = None if model is None else model.regions
        seen = await screens.look(picture.pixels, senses.sight, segment)
    return {
        "elements": [screen.to_json(original.element(one, picture)) for one in seen.elements],
        "text": seen.sighting.text,
        "width": picture.width,
        "height": picture.height,
        "flaws": list(dict.fromkeys((*picture.flaws, *seen.sighting.flaws))),
        "served_by": ", ".join(
            (senses.sight.name, *([model.name] if model and seen.outlined else []))
        ),
    }


async def outline(
    settings: Settings, image: Path, prompts: "Sequence[Prompt]", *, tell: Tell = silent
) -> dict[str, Any]:
    """Return what is at points and in boxes of a picture, with the text that stands in it."""
    from tools.senses import original, screens
    from tools.senses.media import decode_image

    picture = await decode_image(await asyncio.to_thread(given, image, settings), image.name)
    for one in prompts:
        _refuse_beyond(one, picture)
    async with assembly.perception(settings, tell=tell) as senses:
        if senses.segments is None:
            raise UsageError(
                "No model that outlines things is here. `cortical doctor` tells how to bring one."
            )
        asked = [original.prompt(one, picture) for one in prompts]
        found = await senses.segments.region(picture.pixels, asked)
        texts = [await screens.within(one.box, picture.pixels, senses.sight) for one in found]
    regions = [original.region(one, picture) for one in found]
    return {
        "regions": [
            {
                "box": dataclasses.asdict(one.box),
                "pixels": one.pixels,
                "score": round(one.score, 4),
                "text": text,
            }
            for one, text in zip(regions, texts, strict=True)
        ],
        "flaws": list(picture.flaws),
        "served_by": senses.segments.name,
    }


def _refuse_beyond(prompt: "Prompt", picture: "Picture") -> None:
    box = prompt.box
    corners = [] if box is None else [(box.left, box.top), (box.right, box.bottom)]
    for x, y in (*prompt.points, *corners):
        if not (0 <= x <= picture.width and 0 <= y <= picture.height):
            raise UsageError(
                f"{x:g},{y:g} lies beyond the picture, which has {picture.width} x "
                f"{picture.height} pixels. Point into it."
            )


async def say(
    settings: Settings,
    text: str,
    out: Path,
    *,
    language: str | None,
    tell: Tell = silent,
) -> dict[str, Any]:
    """Write a text as speech and return where it is and how long it takes."""
    from graphs.speak import written
    from memory import language as languages
    from tools.senses.media import encode_wav

    if not text.strip():
        raise UsageError("There is nothing to say. Give a text.")
    target = await asyncio.to_thread(target_of, out)
    async with assembly.perception(settings, tell=tell) as senses:
        speech = await senses.speech.say(text, language=language or languages.detect(text))
    await asyncio.to_thread(written, target, encode_wav(speech))
    seconds = len(speech.samples) / speech.sample_rate_hz
    return {"path": str(target), "seconds": seconds, "served_by": speech.served_by}


def given(path: Path, settings: Settings) -> bytes:
    """Return the bytes of a file that a person names. Raises UsageError where it cannot be one."""
    if path.is_dir():
        raise UsageError(f"{str(path)!r} is a folder. Name one file in it.")
    if not path.is_file():
        raise UsageError(f"There is no file {str(path)!r}. Is the path right?")
    size = path.stat().st_size
    if size > settings.files.max_bytes:
        raise UsageError(
            f"{path.name!r} has {size} bytes; setting `files.max_bytes` allows "
            f"{settings.files.max_bytes}."
        )
    return path.read_bytes()


def target_of(out: Path) -> Path:
    """Return where a recording is to be written. Raises UsageError where it cannot be."""
    target = out.resolve()
    if target.is_dir():
        raise UsageError(f"{str(out)!r} is a folder. Name a file for the recording.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {str(target.parent)!r} for the recording.")
    return target
