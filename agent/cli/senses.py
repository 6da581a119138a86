"""Commands that use one sense alone."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.options import Json
from agent.cli.output import note, print_json, print_lines
from agent.cli.work import settings_of, wait

if TYPE_CHECKING:
    from tools.senses.base import Prompt


def hear(
    audio: Annotated[Path, typer.Argument(help="A recording.", metavar="AUDIO")],
    as_json: Json = False,
) -> None:
    """Write down what is said in a recording, with the time of each word."""
    from agent import perceiving, rendering

    result = wait(perceiving.hear(settings_of(), audio, tell=note))
    if as_json:
        print_json(result)
        return
    print_lines(rendering.transcript(result))
    note(f"heard by {result['served_by']}")


def see(
    image: Annotated[Path, typer.Argument(help="A picture.", metavar="IMAGE")],
    screen: Annotated[
        bool, typer.Option("--screen", help="Tell windows, buttons, fields and icons apart.")
    ] = False,
    describe: Annotated[
        bool, typer.Option("--describe", help="Say what it shows, by the model that sees.")
    ] = False,
    question: Annotated[
        str | None, typer.Option("--question", help="What to tell of it, with --describe.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", help="Outline what is at a point of it.", metavar="X,Y"),
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option("--box", help="Outline what is in a box of it.", metavar="L,T,R,B"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write down the text in a picture, with the box of each line, or describe it."""
    from agent import perceiving, rendering
    from agent.errors import UsageError

    if question is not None and not describe:
        raise UsageError("--question is for --describe. Add that.")
    if sum((screen, describe, bool(at or box))) > 1:
        raise UsageError(
            "--screen, --describe and --at or --box cannot be had together. Leave the others out."
        )
    settings = settings_of()
    if at or box:
        prompts = [*map(_point, at or ()), *map(_box, box or ())]
        found = wait(perceiving.outline(settings, image, prompts, tell=note))
        print_json(found) if as_json else print_lines(rendering.outlines(found))
        return
    if describe:
        said = wait(perceiving.describe(settings, image, question=question))
        print_json(said) if as_json else print_lines(rendering.description(said))
        return
    if screen:
        seen = wait(perceiving.look(settings, image, tell=note))
        print_json(seen) if as_json else print_lines(rendering.screen(seen))
        return
    result = wait(perceiving.see(settings, image, tell=note))
    print_json(result) if as_json else print_lines(rendering.sighting(result))


def say(
    text: Annotated[str, typer.Argument(help="What to say.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The WAV file to write.")],
    language: Annotated[
        str | None, typer.Option("--language", help="ISO 639-1 code; else told from the text.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say a text into a WAV file."""
    from agent import perceiving

    result = wait(perceiving.say(settings_of(), text, out, language=language, tell=note))
    if as_json:
        print_json(result)
    else:
        words = f"{result['seconds']:.1f} s of speech by {result['served_by']}"
        print_lines([f"{result['path']}: {words}"])


def _point(text: str) -> "Prompt":
    from tools.senses.base import Prompt

    x, y = _numbers(text, "--at", 2)
    return Prompt(points=[(x, y)], inside=[True])


def _box(text: str) -> "Prompt":
    from memory.places import Box
    from tools.senses.base import Prompt

    left, top, right, bottom = _numbers(text, "--box", 4)
    return Prompt(box=Box(left=left, top=top, right=right, bottom=bottom))


def _numbers(text: str, flag: str, count: int) -> list[float]:
    """Return pixels as people write them: `120,40`. Raises UsageError."""
    from agent.errors import UsageError

    try:
        numbers = [float(one) for one in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        form = "120,40" if count == 2 else "100,20,300,80"
        raise UsageError(f"{flag} {text!r} is no {count} numbers of pixels. Write it as {form}.")
    return numbers
