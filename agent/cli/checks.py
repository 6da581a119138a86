"""Commands that say what is there and keep it up to date."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import FAILED, Json
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of, wait


def doctor(as_json: Json = False) -> None:
    """Say what is there, which tier serves each capability, and what to do about the rest."""
    from agent import doctor as doctors
    from agent import rendering

    report = wait(doctors.examine(settings_of()))
    if as_json:
        print_json(report)
        return
    print_lines(rendering.doctor(report["capabilities"]))
    print_lines(f"note: {note}" for note in report["notes"])
    if any(one["tier"] == "missing" for one in report["capabilities"]):
        raise typer.Exit(FAILED)


def migrate(as_json: Json = False) -> None:
    """Bring the database to the tables of this version."""
    from agent import assembly
    from agent import migrate as migrating

    settings = settings_of()

    async def work() -> list[str]:
        return await migrating.migrate(await assembly.database_url(settings))

    applied = wait(work())
    if as_json:
        print_json({"applied": applied})
    else:
        print_lines(applied or ["The database is up to date."])


def selftest(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the report into a file as well.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=20, help="How long it may take, loading aside.")
    ] = 300.0,
    as_json: Json = False,
) -> None:
    """Test the executive on this machine, in five minutes, and write a report to be pasted."""
    import json

    from agent import terminal
    from agent.errors import UsageError
    from agent.selftest import run

    if out is not None and out.is_dir():
        raise UsageError(f"{str(out)!r} is a folder. Name a file for --out.")
    show = terminal.Progress(sys.stderr, quiet=as_json)
    with show:
        report = wait(run.run(settings_of(), watch=show.event, limit_s=seconds))
    told = run.lines(report)
    if out is not None:
        text = json.dumps(report, indent=2) if as_json else "\n".join(told)
        out.write_text(f"{text}\n", "utf-8")
    print_json(report) if as_json else print_lines(told)
    if report["broken"]:
        raise typer.Exit(FAILED)
