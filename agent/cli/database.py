"""Commands on the embedded database."""

from agent.cli.options import Json
from agent.cli.output import print_json, print_lines
from agent.cli.work import settings_of, wait


def status(as_json: Json = False) -> None:
    """Say whether the embedded database runs, and how large it is."""
    from agent import assembly

    status = assembly.embedded(settings_of()).status()
    facts = {name: getattr(status, name) for name in status.__dataclass_fields__}
    if as_json:
        print_json(facts)
    else:
        print_lines(f"{name}: {value}" for name, value in facts.items())


def stop(as_json: Json = False) -> None:
    """Stop the embedded database; the next command starts it again."""
    from agent import assembly

    stopped = wait(assembly.embedded(settings_of()).stop())
    if as_json:
        print_json({"stopped": stopped})
    else:
        print_lines(["Stopped." if stopped else "It was not running."])
