"""Which commands there are."""

from collections.abc import Callable
from typing import Any

import typer

from agent.cli import (
    bench,
    card,
    checks,
    config,
    database,
    documents,
    memory,
    models,
    plan,
    residency,
    runs,
    senses,
    talk,
    turns,
)

app = typer.Typer(
    name="cortical",
    help="An assistant that runs on this machine: it hears, sees, reads, recalls and answers.",
    epilog="With --debug, an error of any command shows where it arose.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _group(name: str, about: str, **commands: Callable[..., Any]) -> None:
    group = typer.Typer(help=about, no_args_is_help=True)
    for word, function in commands.items():
        group.command(word)(function)
    app.add_typer(group, name=name)


for _command in (
    checks.doctor,
    plan.plan,
    turns.ask,
    talk.talk,
    turns.run,
    senses.hear,
    senses.see,
    senses.say,
    documents.ingest,
    documents.search,
    checks.migrate,
    checks.selftest,
):
    app.command()(_command)

_group(
    "models",
    "Models that could reason, and the weights of senses.",
    list=models.listed,
    pull=models.pull,
    add=models.add,
    remove=models.remove,
    verify=models.verify,
    probe=models.probe,
    bench=models.bench,
)
_group(
    "runs",
    "Runs of graphs.",
    list=runs.listed,
    show=runs.show,
    watch=runs.watch,
    cancel=runs.cancel,
    resume=runs.resume,
)
_group("config", "Settings.", show=config.show)
_group(
    "database",
    "The embedded database.",
    status=database.status,
    stop=database.stop,
)
_group(
    "memory",
    "Long-term memory.",
    list=memory.listed,
    forget=memory.forget,
    export=memory.export,
    reindex=memory.reindex,
)
_group(
    "residency",
    "The card: who has it, and who had it.",
    status=card.status,
    top=card.top,
    pause=card.pause,
    resume=card.resume,
    check=residency.check,
    trace=residency.trace,
)
_group(
    "bench",
    "Measurements that anybody can repeat.",
    overhead=bench.overhead,
    ingest=bench.ingest,
    answers=bench.answers,
    calls=bench.calls,
    embed=bench.embed,
    retrieval=bench.retrieval,
    faults=bench.faults,
    conversation=bench.conversation,
    scale=bench.scale,
    prefix=bench.prefix,
    residency=bench.residency,
    arbiter=bench.arbiter,
    swap=bench.swap,
    screen=bench.screen,
    voice=bench.voice,
)
