"""The command that plans a card."""

import re
import shutil
import sys
from typing import Annotated

import typer

from agent.cli.options import Json
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of, wait
from agent.residency.decoder import Generation
from agent.residency.vram import MICRO_BATCH, KvType


def plan(
    vram: Annotated[
        list[str] | None,
        typer.Option(
            "--vram", help="A card of that size; more than once: beside each other.", metavar="SIZE"
        ),
    ] = None,
    unified: Annotated[
        str | None,
        typer.Option(
            "--unified", help="Memory that CPU and GPU share, as Apple's.", metavar="SIZE"
        ),
    ] = None,
    profiles: Annotated[
        bool, typer.Option("--profiles", help="Cards of 24, 16 and 12 GiB, as without any card.")
    ] = False,
    foreign: Annotated[
        str | None,
        typer.Option(
            "--foreign", help="What others use of the card, such as 800MiB.", metavar="SIZE"
        ),
    ] = None,
    executive: Annotated[
        str | None,
        typer.Option(
            "--executive",
            "-e",
            help="A model of Ollama, or the path of a GGUF file.",
            metavar="MODEL",
        ),
    ] = None,
    quantisation: Annotated[
        str | None,
        typer.Option(
            "--quantisation", help="Of a model that is planned by published numbers.", metavar="MIX"
        ),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option("--context", min=1, help="Tokens of each request.", metavar="TOKENS"),
    ] = None,
    kv_cache: Annotated[
        KvType, typer.Option("--kv-cache", help="How keys and values are stored.")
    ] = KvType.F16,
    micro_batch: Annotated[
        str,
        typer.Option(
            "--micro-batch",
            help="Tokens at once; `ollama`: as it raises them itself.",
            metavar="TOKENS",
        ),
    ] = str(MICRO_BATCH),
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, help="Requests at once.", metavar="N")
    ] = 1,
    kv_unified: Annotated[
        bool, typer.Option("--kv-unified", help="Requests share one cache of --context tokens.")
    ] = False,
    flash_attention: Annotated[
        bool, typer.Option("--flash-attention/--no-flash-attention", help="On by default.")
    ] = True,
    swa_full: Annotated[
        bool, typer.Option("--swa-full", help="Windowed layers keep the whole context.")
    ] = False,
    llama_cpp: Annotated[
        Generation | None,
        typer.Option("--llama-cpp", help="Build that serves; without it the larger buffer counts."),
    ] = None,
    sense: Annotated[
        list[str] | None,
        typer.Option(
            "--sense", help="A sense to leave room for, or `none`; more than once.", metavar="NAME"
        ),
    ] = None,
    audio: Annotated[
        float | None,
        typer.Option("--audio", min=0, help="Seconds of a recording.", metavar="SECONDS"),
    ] = None,
    audio_batch: Annotated[
        int, typer.Option("--audio-batch", min=1, help="Windows heard at once.", metavar="N")
    ] = 1,
    pixels: Annotated[
        str | None,
        typer.Option("--pixels", help="Of a picture, such as 1920x1080.", metavar="SIZE"),
    ] = None,
    characters: Annotated[
        int | None, typer.Option("--characters", min=1, help="Of a text to say.", metavar="N")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell what an executive takes of a card and which senses fit beside it."""
    from agent import plan_table
    from agent.models import planning

    question = planning.Question(
        executive=executive,
        vram=tuple(vram or ()),
        unified=unified,
        profiles=profiles,
        foreign=foreign,
        context_tokens=context,
        kv_type=kv_cache,
        quantisation=quantisation,
        micro_batch=_batch(micro_batch),
        parallel=parallel,
        shared_cache=kv_unified,
        flash_attention=flash_attention,
        whole_window=swa_full,
        generation=llama_cpp,
        senses=tuple(sense or ()),
        audio_s=audio,
        audio_batch=audio_batch,
        pixels=None if pixels is None else _pixels(pixels),
        characters=characters,
    )
    report = wait(planning.planned(settings_of(), question))
    if as_json:
        print_json(report)
        return
    width = shutil.get_terminal_size().columns
    print_lines(plan_table.lines(report, width=width - 1, blocks=_blocks()))


def _blocks() -> bool:
    """Whether the output shows more than letters."""
    import os

    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return encoding.startswith("utf") and os.environ.get("TERM") != "dumb"


def _batch(text: str) -> int | None:
    from agent.errors import UsageError

    if text == "ollama":
        return None
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise UsageError(f"--micro-batch {text!r} is no number of tokens. Write 512, or `ollama`.")


def _pixels(text: str) -> int:
    from agent.errors import UsageError

    size = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text.strip())
    if size is None or not int(size[1]) * int(size[2] or 1):
        raise UsageError(f"--pixels {text!r} is no size of a picture. Write it as 1920x1080.")
    return int(size[1]) * int(size[2] or 1)
