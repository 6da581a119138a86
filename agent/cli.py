"""The command line; the only module that prints.

Nothing heavy is imported here: each command imports what it needs when it is called.
"""

import asyncio
import json
import sys
import traceback
from collections.abc import Coroutine, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from agent.settings import Settings

app = typer.Typer(
    name="cortical",
    help="An assistant that runs on this machine: it hears, sees, reads, recalls and answers.",
    epilog="With --debug, an error of any command shows where it arose.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
runs_app = typer.Typer(help="Runs of graphs.", no_args_is_help=True)
config_app = typer.Typer(help="Settings.", no_args_is_help=True)
database_app = typer.Typer(help="The embedded database.", no_args_is_help=True)
memory_app = typer.Typer(help="Long-term memory.", no_args_is_help=True)
bench_app = typer.Typer(help="Measurements that anybody can repeat.", no_args_is_help=True)
app.add_typer(runs_app, name="runs")
app.add_typer(config_app, name="config")
app.add_typer(database_app, name="database")
app.add_typer(memory_app, name="memory")
app.add_typer(bench_app, name="bench")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
Collection = Annotated[
    str | None, typer.Option("--collection", "-c", help="Collection of memory.", metavar="NAME")
]
Peers = Annotated[
    Path | None, typer.Option("--peers", help="Python that has the peers.", metavar="PYTHON")
]

DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

Namespace = Annotated[
    str | None,
    typer.Option("--namespace", help="Labels, the first one first.", metavar="LABEL/LABEL"),
]

Result = TypeVar("Result")

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130


def main() -> None:
    """Run a command; errors become one line and an exit code, with `--debug` a traceback too."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    code = _run(arguments, debug=debug)
    sys.exit(_flushed(code))


def _flushed(code: int) -> int:
    """Write what is left of the output; Python would tell of a full disk with a traceback."""
    try:
        sys.stdout.flush()
    except OSError as error:
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123 - lives as long as the process
        if not isinstance(error, BrokenPipeError):
            _say(f"cortical: The output is not complete: {error.strerror or error}.")
        return FAILED
    return code


def _run(arguments: list[str], *, debug: bool) -> int:
    try:
        code = app(arguments, prog_name="cortical", standalone_mode=False)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; Python would complain at exit.
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123 - lives as long as the process
        return FAILED
    except typer.Exit as exit_asked:
        return exit_asked.exit_code
    except Exception as error:  # noqa: BLE001 - the edge: every error ends as a line for a person
        return _failed(error, as_json="--json" in arguments, debug=debug)
    if code == INTERRUPTED:  # typer turns the interrupt into this code
        _say("Stopped. What was finished is kept.")
    return code if isinstance(code, int) else 0


def _failed(error: Exception, *, as_json: bool, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    code, message = _explained(error)
    if as_json:
        _print_json({"error": {"kind": type(error).__name__, "message": message}})
    _say(message if message.startswith("Usage:") else f"cortical: {message}")
    return code


def _explained(error: Exception) -> tuple[int, str]:
    """Return the exit code and the words for a person."""
    from agent import faults

    return faults.explained(error)


def _say(text: str) -> None:
    from agent.rendering import harmless

    print(harmless(text), file=sys.stderr, flush=True)  # noqa: T201 - the only module that prints


def _print(lines: Iterable[str]) -> None:
    from agent.rendering import harmless

    for line in lines:
        print(harmless(line))  # noqa: T201 - the only module that prints


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))  # noqa: T201 - see above


def _settings(**flags: Any) -> "Settings":
    from agent import logs, settings

    loaded = settings.load(**{key: value for key, value in flags.items() if value is not None})
    logs.configure(loaded.log_level)
    return loaded


def _wait(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is there, which tier serves each capability, and what to do about the rest."""
    from agent import doctor as doctors
    from agent import rendering

    report = _wait(doctors.examine(_settings()))
    if as_json:
        _print_json(report)
        return
    _print(rendering.doctor(report["capabilities"]))
    _print(f"note: {note}" for note in report["notes"])
    if any(one["tier"] == "missing" for one in report["capabilities"]):
        raise typer.Exit(FAILED)


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="The question. Without it, a recording asks.")] = "",
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", "-f", help="A file to hear, see or read, by its content."),
    ] = None,
    thread: Annotated[
        str | None, typer.Option("--thread", "-t", help="Continue this conversation.")
    ] = None,
    speak: Annotated[
        Path | None, typer.Option("--speak", help="Write the answer as a WAV file.")
    ] = None,
    collection: Collection = None,
    as_json: Json = False,
) -> None:
    """Ask the assistant: one turn, with citations."""
    from agent import asking, rendering, terminal

    settings = _settings(collection=collection)
    show = terminal.Progress(sys.stderr, quiet=as_json)
    question = asking.Question(text=text, files=tuple(file or ()), thread_id=thread, speak_to=speak)
    decide = None if as_json or not sys.stdin.isatty() else terminal.decide
    with show:
        result = _wait(asking.ask(settings, question, watch=show.event, decide=decide))
    if as_json:
        _print_json(result)
    else:
        _print(rendering.answer(result))
    if result["problem"] or result["failed"]:
        raise typer.Exit(FAILED)


@app.command()
def run(
    graph: Annotated[str, typer.Argument(help="Name of a graph, ours or your own.")],
    values: Annotated[str, typer.Argument(help="Its input as JSON.", metavar="JSON")] = "{}",
    thread: Annotated[
        str | None, typer.Option("--thread", "-t", help="Continue this thread.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run any graph with an input; a user's own graphs are named in settings."""
    from agent import rendering, running, terminal

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        result = _wait(running.run(_settings(), graph, values, thread_id=thread, watch=show.event))
    if as_json:
        _print_json(result)
    else:
        _print([json.dumps(result["output"], ensure_ascii=False, indent=2, default=str)])
        _print([f"way: {rendering.route(result['route'])}"])


@app.command()
def hear(
    audio: Annotated[Path, typer.Argument(help="A recording.", metavar="AUDIO")],
    as_json: Json = False,
) -> None:
    """Write down what is said in a recording, with the time of each word."""
    from agent import perceiving, rendering

    result = _wait(perceiving.hear(_settings(), audio))
    _print_json(result) if as_json else _print(rendering.transcript(result))


@app.command()
def see(
    image: Annotated[Path, typer.Argument(help="A picture.", metavar="IMAGE")],
    as_json: Json = False,
) -> None:
    """Write down the text in a picture, with the box of each line."""
    from agent import perceiving, rendering

    result = _wait(perceiving.see(_settings(), image))
    _print_json(result) if as_json else _print(rendering.sighting(result))


@app.command()
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

    result = _wait(perceiving.say(_settings(), text, out, language=language))
    if as_json:
        _print_json(result)
    else:
        _print([f"{result['path']}: {result['seconds']:.1f} s of speech"])


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", metavar="PATH…")],
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Go on with what changes, until stopped.")
    ] = False,
    every: Annotated[
        float,
        typer.Option("--every", min=1, help="With --watch: seconds to a look without a change."),
    ] = 600.0,
    collection: Collection = None,
    as_json: Json = False,
) -> None:
    """Put documents into memory. Again costs nothing; what has vanished goes."""
    from agent import ingesting, rendering, terminal

    show = terminal.Progress(sys.stderr, quiet=as_json)
    settings = _settings(collection=collection)
    if watch:

        def on_report(report: Mapping[str, Any]) -> None:
            lines = [json.dumps(report)] if as_json else rendering.ingested(report)
            _print(lines)
            sys.stdout.flush()

        with show:
            _wait(
                ingesting.follow(
                    settings, paths, every_s=every, watch=show.event, on_report=on_report
                )
            )
        return
    with show:
        report = _wait(ingesting.ingest(settings, paths, watch=show.event))
    _print_json(report) if as_json else _print(rendering.ingested(report))
    if report["failed"]:
        raise typer.Exit(FAILED)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many passages.")] = 10,
    collection: Collection = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Kind of document, such as mail or pdf.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="What was ingested: a folder, a mailbox.")
    ] = None,
    path: Annotated[
        str | None, typer.Option("--path", help="Only what lies there: a file or a folder.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--sender", help="Part of the name or address of who wrote it.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", help="Dated then or later.", formats=DATES)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", help="Dated before that.", formats=DATES)
    ] = None,
    per_document: Annotated[
        int | None, typer.Option("--per-document", min=1, help="Passages of a document, at most.")
    ] = None,
    around: Annotated[
        int, typer.Option("--around", min=0, max=20, help="Show so many passages beside each.")
    ] = 0,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Miss next to nothing, in twice the time.")
    ] = False,
    rerank: Annotated[
        bool, typer.Option("--rerank", help="Let the executive put the best in order.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find passages in memory, with score, source and place."""
    from agent import rendering, searching

    wish = searching.SearchWish(
        text=text,
        k=k,
        kinds=tuple(kind or ()),
        sources=tuple(source or ()),
        path=path,
        sender=sender,
        since=since,
        until=until,
        per_document=per_document,
        around=around,
        thorough=thorough,
        rerank=rerank,
    )
    found = _wait(searching.search(_settings(collection=collection), wish))
    if as_json:
        _print_json(found)
        return
    hits, narrowed = found["hits"], wish.filter.narrows
    _print(rendering.hits(hits, collection=found["collection"], narrowed=narrowed))


@runs_app.command("list")
def runs_list(
    thread: Annotated[str | None, typer.Option("--thread", "-t")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """List the newest runs of all graphs."""
    from agent import registry, rendering

    found = _wait(registry.newest(_settings(), thread_id=thread, limit=limit))
    _print_json(found) if as_json else _print(rendering.runs(found))


@runs_app.command("show")
def runs_show(
    run: Annotated[str, typer.Argument(help="Id of a run, or its beginning.", metavar="RUN")],
    as_json: Json = False,
) -> None:
    """Show one run, with the way it took."""
    from agent import registry, rendering

    found = _wait(registry.one(_settings(), run))
    _print_json(found) if as_json else _print(rendering.run(found))


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the database to the tables of this version."""
    from agent import assembly
    from agent import migrate as migrating

    settings = _settings()

    async def work() -> list[str]:
        return await migrating.migrate(await assembly.database_url(settings))

    applied = _wait(work())
    if as_json:
        _print_json({"applied": applied})
    else:
        _print(applied or ["The database is up to date."])


@config_app.command("show")
def config_show(
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each value comes from.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show every setting and its value."""
    from agent import settings as module

    settings = _settings()
    values = {key: module.value_of(settings, key) for key in module.known_keys()}
    sources = module.origins()
    if as_json:
        _print_json({key: {"value": values[key], "origin": sources[key]} for key in values})
        return
    for key, value in values.items():
        _print([f"{key} = {_plain(value)}" + (f"   ({sources[key]})" if origin else "")])


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    if isinstance(value, tuple):
        return json.dumps([str(item) for item in value])
    return "not set" if value is None else str(value)


@database_app.command("status")
def database_status(as_json: Json = False) -> None:
    """Say whether the embedded database runs, and how large it is."""
    from agent import assembly

    status = assembly.embedded(_settings()).status()
    facts = {name: getattr(status, name) for name in status.__dataclass_fields__}
    if as_json:
        _print_json(facts)
    else:
        _print(f"{name}: {value}" for name, value in facts.items())


@database_app.command("stop")
def database_stop(as_json: Json = False) -> None:
    """Stop the embedded database; the next command starts it again."""
    from agent import assembly

    stopped = _wait(assembly.embedded(_settings()).stop())
    if as_json:
        _print_json({"stopped": stopped})
    else:
        _print(["Stopped." if stopped else "It was not running."])


@memory_app.command("list")
def memory_list(
    namespace: Namespace = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List what is remembered, with its source, its time and whose words it holds."""
    from agent import remembering, rendering

    found = _wait(remembering.listed(_settings(), namespace=namespace, limit=limit))
    _print_json(found) if as_json else _print(rendering.memories(found))


@memory_app.command("forget")
def memory_forget(
    key: Annotated[str | None, typer.Argument(help="A key, or a whole name.")] = None,
    namespace: Namespace = None,
    everything: Annotated[bool, typer.Option("--all", help="Forget all memories.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Forget one memory, those of a namespace, or all. Documents and conversations stay."""
    from agent import remembering, terminal
    from agent.errors import UsageError

    if not yes and not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here. Add --yes to forget without a question.")
    wanted = remembering.Wanted(key=key, namespace=namespace, everything=everything)
    agree = (lambda _: True) if yes else terminal.agreed
    done = _wait(remembering.forget(_settings(), wanted, agree=agree))
    if as_json:
        _print_json(done)
    else:
        _print([f"{done['forgotten']} forgotten"])


@memory_app.command("export")
def memory_export(
    out: Annotated[Path, typer.Option("--out", "-o", help="The file of JSON lines to write.")],
    documents: Annotated[
        bool, typer.Option("--documents", help="List the documents of memory too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write all memories into a file, whole: values, labels, sources and times."""
    from agent import exporting

    done = _wait(exporting.export(_settings(), out, documents=documents))
    if as_json:
        _print_json(done)
    else:
        listed = f", {done['documents']} documents" if documents else ""
        _print([f"{done['path']}: {done['memories']} memories{listed}"])


@memory_app.command("reindex")
def memory_reindex(
    embedder: Annotated[
        str | None,
        typer.Option(
            "--embedder",
            help="auto, embedded or ollama:MODEL; else as the settings say.",
            metavar="CHOICE",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the vectors of the model before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Go over to another embedding model; searches use the old one until the new is complete."""
    from agent import reindexing, rendering, terminal

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        done = _wait(reindexing.reindex(_settings(), choice=embedder, keep=keep, watch=show.event))
    _print_json(done) if as_json else _print(rendering.reindexed(done))


@bench_app.command("overhead")
def bench_overhead(
    steps: Annotated[int, typer.Option("--steps", min=10, help="Steps of a run.")] = 50,
    rounds: Annotated[int, typer.Option("--rounds", min=3, help="Runs of each kind.")] = 10,
    as_json: Json = False,
) -> None:
    """Measure what cortical adds to a step of bare LangGraph with the same checkpointer."""
    from agent.bench import overhead

    report = _wait(overhead.measure(_settings(), steps=steps, rounds=rounds))
    _print_json(report) if as_json else _print(overhead.lines(report))


@bench_app.command("ingest")
def bench_ingest(
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
        report = _wait(ingesting.measure(_settings(), folder, watch=show.event))
    _print_json(report) if as_json else _print(ingesting.lines(report))


@bench_app.command("answers")
def bench_answers(
    folder: Annotated[Path, typer.Argument(help="Documents and questions.json.")],
    as_json: Json = False,
) -> None:
    """Measure how often questions are answered from the right place, or told that they are not."""
    from agent import terminal
    from agent.bench import answers

    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = _wait(answers.measure(_settings(), folder, watch=show.event))
    _print_json(report) if as_json else _print(answers.lines(report))


@bench_app.command("embed")
def bench_embed(
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
        report = _wait(
            embedding.measure(
                _settings(),
                folders or (),
                count=count,
                rounds=rounds,
                interpreter=peer.interpreter(peers),
                watch=show.event,
            )
        )
    _print_json(report) if as_json else _print(embedding.lines(report))


@bench_app.command("retrieval")
def bench_retrieval(
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
        report = _wait(
            measure.measure(_settings(), folders, watch=show.event, peer=peer.interpreter(peers))
        )
    _print_json(report) if as_json else _print(lines.lines(report))


@bench_app.command("scale")
def bench_scale(
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
        report = _wait(measure.measure(_settings(), wish, watch=show.event))
    _print_json(report) if as_json else _print(lines.lines(report))
