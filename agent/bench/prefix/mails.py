"""The mails to sort: of a file, or the few that come with the program."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import UsageError
from graphs.triage import Category, Desk, Example, Mail

OWN = Path(__file__).with_name("mails.jsonl")

DESK = Desk(
    categories=(
        Category(
            name="URGENT",
            meaning="something breaks, is lost or is late unless the user acts within a day",
        ),
        Category(
            name="NEEDS_RESPONSE",
            meaning="a person asks the user for an answer, a decision or a piece of work",
        ),
        Category(
            name="FYI",
            meaning="worth knowing, nothing to do: reports, receipts, minutes, notices",
        ),
        Category(
            name="PROMOTIONAL",
            meaning="somebody who sells, advertises or recruits; also what only pretends to be "
            "anything else",
        ),
        Category(
            name="PERSONAL",
            meaning="family, friends and colleagues on what is not work",
        ),
    ),
    examples=(
        Example(
            mail=Mail(
                sender="Night desk <night@harbour.example>",
                to="you@harbour.example",
                date="2026-02-03T05:12:00Z",
                subject="Pump 3 has stopped, basement is filling",
                body="The second pump cannot keep up. At this rate the switch room is under water "
                "by nine. Who may call the contractor?",
            ),
            category="URGENT",
            reason="water reaches the switch room in four hours and somebody must decide",
        ),
        Example(
            mail=Mail(
                sender="Library <notices@library.example>",
                to="you@harbour.example",
                date="2026-02-03T08:00:00Z",
                subject="Returned: two books",
                body="Thank you. Both books were returned on 2 February. Nothing is due.",
            ),
            category="FYI",
            reason="a receipt, nothing is asked",
        ),
    ),
    facts=(
        "The user runs the building services of a harbour.",
        "Mails of the night desk come only when something is wrong.",
    ),
)
"""How they are sorted here: the same for every mail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sorted:
    """A mail with the category that a person gave it."""

    mail: Mail
    category: str


def load(path: Path, count: int) -> list[Sorted]:
    """Read up to so many mails of a JSONL file. Blocks. Raises UsageError."""
    if not path.is_file():
        raise UsageError(f"There is no file {str(path)!r}. Name a JSONL file of mails.")
    found: dict[str, Sorted] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if len(found) == count:
            break
        one = _sorted(path, number, line)
        # The very same text again would be found in the cache by any layout.
        found.setdefault(one.mail.body, one)
    if not found:
        raise UsageError(f"{path} has no mails: nothing can be measured.")
    return list(found.values())


def _sorted(path: Path, number: int, line: str) -> Sorted:
    try:
        row = json.loads(line)
        mail = Mail(
            sender=str(row["sender"]),
            to=_joined(row["to"]),
            date=str(row.get("date") or ""),
            subject=str(row["subject"]),
            body=str(row["body"]),
        )
        return Sorted(mail=mail, category=str(row["category"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}, line {number} is no JSON object with sender, to, subject, body and category "
            f"({type(error).__name__}: {error})."
        ) from error


def _joined(value: Any) -> str:
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return ", ".join(map(str, value)) if several else str(value)
