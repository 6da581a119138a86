"""Commands that measure."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import FAILED, Json, Peers
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of, wait


def overhead(
    steps: Annotated[int, typer.Option("--steps", min=10, help="Steps of a run.")] = 50,
    rounds: Annotated[int, typer.Option("--rounds", min=3, help="Runs of each kind.")] = 10,
    as_json: Json = False,
) -> None:
    """Measure what cortical adds to a step of bare LangGraph with the same checkpointer."""
    from agent.bench import overhead

    report = wait(overhead.measure(settings_of(), steps=steps, rounds=rounds))
    print_json(report) if as_json else print_lines(overhead.lines(report))


def ingest(
    folder: Annotated[
        Path | None, typer.Argument(help="What to ingest; without it, a tree made for this.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure how fast files are read and stored, embedded, and found unchanged."""
    from agent import terminal
    from agent.bench import ingesting

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = wait(ingesting.measure(settings_of(), folder, watch=show.event))
    print_json(report) if as_json else print_lines(ingesting.lines(report))


def answers(
    folder: Annotated[Path, typer.Argument(help="Documents and questions.json.")],
    as_json: Json = False,
) -> None:
    """Measure how often questions are answered from the right place, or told that they are not."""
    from agent import terminal
    from agent.bench import answers

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = wait(answers.measure(settings_of(), folder, watch=show.event))
    print_json(report) if as_json else print_lines(answers.lines(report))


def calls(
    requests: Annotated[int, typer.Option("--requests", min=10, help="Requests.")] = 500,
    seed: Annotated[int, typer.Option("--seed", help="Of the requests.")] = 0,
    tokens: Annotated[
        int, typer.Option("--tokens", min=40, help="Tokens of an answer, at most.")
    ] = 160,
    as_json: Json = False,
) -> None:
    """Measure how many tool calls of the embedded model are valid and right, beside a bare chat."""
    from agent import terminal
    from agent.bench.calls import measure

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = wait(
            measure.measure(requests=requests, seed=seed, max_tokens=tokens, watch=show.event)
        )
    print_json(report) if as_json else print_lines(measure.lines(report))


def embed(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders in the layout of BEIR; else own texts.")
    ] = None,
    count: Annotated[int, typer.Option("--texts", min=1, help="Texts of each kind.")] = 128,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds of both.")] = 5,
    peers: Peers = None,
    as_json: Json = False,
) -> None:
    """Measure how fast texts become vectors, beside sentence-transformers on the same cores."""
    from agent import terminal
    from agent.bench import embedding, peer

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = wait(
            embedding.measure(
                settings_of(),
                folders or (),
                count=count,
                rounds=rounds,
                interpreter=peer.interpreter(peers),
                watch=show.event,
            )
        )
    print_json(report) if as_json else print_lines(embedding.lines(report))


def retrieval(
    folders: Annotated[list[Path], typer.Argument(help="Folders in the layout of BEIR.")],
    peers: Peers = None,
    as_json: Json = False,
) -> None:
    """Measure how well search ranks judged documents, beside bm25s and an exact vector search."""
    from agent import terminal
    from agent.bench import peer
    from agent.bench.retrieval import lines, measure

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = wait(
            measure.measure(settings_of(), folders, watch=show.event, peer=peer.interpreter(peers))
        )
    print_json(report) if as_json else print_lines(lines.lines(report))


def faults(as_json: Json = False) -> None:
    """Meet what goes wrong between us and a model on every adapter: is it noticed, and mended."""
    from agent.bench.faults import measure

    report = wait(measure.measure())
    print_json(report) if as_json else print_lines(measure.lines(report))
    if any(one["right"] < one["met"] for one in (report, report["calls"])):
        raise typer.Exit(FAILED)


def conversation(as_json: Json = False) -> None:
    """Hold the same conversation on all three adapters, with the embedded model behind each."""
    from agent.bench import conversation

    report = wait(conversation.measure())
    print_json(report) if as_json else print_lines(conversation.lines(report))


def scale(
    chunks: Annotated[int, typer.Option("--chunks", min=1_000, help="Passages of the store.")],
    texts: Annotated[
        list[Path] | None,
        typer.Option("--texts", help="A folder of texts to mix: BEIR layout, or mail."),
    ] = None,
    dsn: Annotated[
        str | None, typer.Option("--dsn", help="Server to use, instead of that of the settings.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the database behind.")] = False,
    reuse: Annotated[bool, typer.Option("--reuse", help="Go on with one that was left.")] = False,
    peers: Peers = None,
    as_json: Json = False,
) -> None:
    """Measure search in a large store against an exhaustive one, and how fast it is loaded."""
    from agent import terminal
    from agent.bench import peer
    from agent.bench.scale import lines, measure

    wish = measure.Wish(
        chunks=chunks,
        texts=tuple(texts or ()),
        dsn=dsn,
        keep=keep,
        reuse=reuse,
        peer=peer.interpreter(peers),
    )
    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = wait(measure.measure(settings_of(), wish, watch=show.event))
    print_json(report) if as_json else print_lines(lines.lines(report))


def prefix(
    mails: Annotated[int, typer.Option("--mails", min=2, help="Mails to sort, at most.")] = 50,
    triage: Annotated[
        Path | None, typer.Option("--triage", help="JSONL of mails; else the few of our own.")
    ] = None,
    questions: Annotated[
        int, typer.Option("--questions", min=2, help="Questions of the research.")
    ] = 6,
    searches: Annotated[
        int, typer.Option("--searches", min=2, max=5, help="Searches for each question.")
    ] = 4,
    documents: Annotated[
        Path | None, typer.Option("--documents", help="Folder in the layout of BEIR; else our own.")
    ] = None,
    peers: Peers = None,
    as_json: Json = False,
) -> None:
    """Measure how much of each prompt is evaluated again, beside LangChain's agent."""
    from agent import terminal
    from agent.bench import peer
    from agent.bench.prefix import measure, report

    work = measure.Work(
        mails=mails,
        triage=triage,
        questions=questions,
        searches=searches,
        documents=documents,
        peer=peer.interpreter(peers),
    )
    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        found = wait(measure.measure(settings_of(), work, watch=show.event))
    print_json(found) if as_json else print_lines(report.lines(found))


def residency(
    days: Annotated[
        list[Path] | None,
        typer.Option("--day", help="A day of work, as JSON lines; more than one."),
    ] = None,
    schedules: Annotated[
        int, typer.Option("--schedules", min=0, help="Random schedules to play instead.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of the first schedule.")] = 0,
    as_json: Json = False,
) -> None:
    """Play work on a simulated card: a day beside other policies, or random schedules, checked."""
    from agent import terminal
    from agent.errors import UsageError

    if days and schedules:
        raise UsageError("--day and --schedules cannot be had together.")
    show = terminal.Progress(sys.stderr, quiet=as_json)
    if schedules:
        from agent.residency.simulation import schedules as many

        with show:
            played = many.measure(schedules, first=seed, watch=show.event)
        print_json(played) if as_json else print_lines(many.lines(played))
        if not played["good"]:
            raise typer.Exit(FAILED)
        return
    from agent.bench.residency import measure

    with show:
        report = measure.measure(days or [], seed=seed, watch=show.event)
    print_json(report) if as_json else print_lines(measure.lines(report))


def arbiter(
    programs: Annotated[int, typer.Option("--programs", min=1, help="Programs that ask.")] = 8,
    asks: Annotated[int, typer.Option("--asks", min=10, help="Asks of each.")] = 200,
    as_json: Json = False,
) -> None:
    """Measure how soon the card's arbiter answers programs that ask at once; no card is needed."""
    from agent.bench.arbiter import measure

    report = measure.measure(programs=programs, asks=asks)
    print_json(report) if as_json else print_lines(measure.lines(report))


def swap(
    device: Annotated[
        str | None, typer.Option("--device", help="cpu, cuda or cuda:N; else the card.")
    ] = None,
    scale: Annotated[
        float, typer.Option("--scale", min=0.001, max=1.0, help="Share of the real sizes.")
    ] = 1.0,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds of each.")] = 5,
    cycles: Annotated[int, typer.Option("--cycles", min=1, help="Times in and out.")] = 50,
    variants: Annotated[
        list[str] | None, typer.Option("--variant", help="One of the senses; more than one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure how fast weights of senses come onto a device and leave it, beside a plain copy."""
    from agent import terminal
    from agent.bench.swap import measure

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = measure.measure(
            settings_of().cache_dir,
            device=device,
            scale=scale,
            rounds=rounds,
            cycles=cycles,
            names=variants or (),
            tell=lambda text: show.event({"event": "measuring", "text": text}),
        )
    print_json(report) if as_json else print_lines(measure.lines(report))
    if not report["good"]:
        raise typer.Exit(FAILED)


def screen(
    count: Annotated[int, typer.Option("--screenshots", min=1, help="Screenshots.")] = 24,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the first screenshot.")] = None,
    as_json: Json = False,
) -> None:
    """Measure how well the elements of drawn screenshots are told, beside simpler ways."""
    from agent import terminal
    from agent.bench.screen import measure
    from tools.senses.sight import RapidOcrReader

    show = terminal.Progress(sys.stderr, quiet=as_json)
    first = measure.HELD_OUT if seed is None else seed
    with show:
        report = wait(measure.measure(RapidOcrReader(), count=count, seed=first, watch=show.event))
    print_json(report) if as_json else print_lines(measure.lines(report))


def voice(
    recordings: Annotated[
        Path | None, typer.Option("--recordings", help="A folder of recordings to add.")
    ] = None,
    utterances: Annotated[
        int, typer.Option("--utterances", min=1, help="Of those that eSpeak says, how many.")
    ] = 12,
    seed: Annotated[int, typer.Option("--seed", help="Of noise, pauses and rooms.")] = 0,
    peers: Peers = None,
    as_json: Json = False,
) -> None:
    """Measure how well a voice is told from noise, beside WebRTC, and breaking in from an echo."""
    from agent import terminal
    from agent.bench import peer
    from agent.bench.voice import measure

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = wait(
            measure.measure(
                recordings,
                interpreter=peer.interpreter(peers),
                utterances=utterances,
                seed=seed,
                watch=show.event,
            )
        )
    print_json(report) if as_json else print_lines(measure.lines(report))
