"""Commands that say what is there and keep it up to date."""

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
