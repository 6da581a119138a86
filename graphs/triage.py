"""What the executive is asked to sort a mail: pure.

A batch asks the same again and again but for the mail, so the mail comes last, and all before it is
the same text letter for letter: a server's prefix cache then holds it, and only the mail is new.
Facts stand behind what never changes, in the order in which they were learned: one that is added
leaves the beginning as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from graphs import prompts
from graphs.executive import JsonSchema, Prompt, Wish
from graphs.written import written

BODY_CHARACTERS = 6_000
"""What of a mail's body is shown; that there is more is said."""

REASON_CHARACTERS = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    """One of the heaps that mails are sorted into."""

    name: str
    meaning: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """What is shown of a mail."""

    sender: str
    to: str
    date: str
    subject: str
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A mail that was sorted before, shown to the model as its own work."""

    mail: Mail
    category: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What stays the same while mails are sorted."""

    categories: tuple[Category, ...]
    examples: tuple[Example, ...] = ()
    facts: tuple[str, ...] = ()
    """Learned of the user and of senders; later ones are put behind."""


def asked(desk: Desk, mail: Mail) -> Prompt:
    """Return what the executive is shown."""
    worked: list[AnyMessage] = []
    for example in desk.examples:
        said = answer(example.category, example.reason)
        worked += [HumanMessage(shown(example.mail)), AIMessage(said)]
    return Prompt(system=system(desk), messages=(*worked, HumanMessage(shown(mail))))


def wish(desk: Desk) -> Wish:
    """Return how the answer is to be given: one category and a reason."""
    return Wish(schema=schema(desk.categories), max_tokens=120)


def system(desk: Desk) -> str:
    """Return the text that begins every prompt of a batch."""
    listed = "\n".join(f"- {one.name}: {one.meaning}" for one in desk.categories)
    text = prompts.TRIAGE.format(categories=listed)
    if not desk.facts:
        return text
    facts = "\n".join(f"- {fact}" for fact in desk.facts)
    return f"{text}\n\n{prompts.TRIAGE_FACTS.format(facts=facts)}"


def schema(categories: Sequence[Category]) -> JsonSchema:
    """Return what an answer must be."""
    return {
        "type": "object",
        "properties": {
            "category": {"type": "string", "enum": [one.name for one in categories]},
            "reason": {"type": "string", "minLength": 1, "maxLength": REASON_CHARACTERS},
        },
        "required": ["category", "reason"],
        "additionalProperties": False,
    }


def answer(category: str, reason: str) -> str:
    """Return an answer as a model under the schema writes it."""
    return written({"category": category, "reason": reason})


def shown(mail: Mail) -> str:
    """Return a mail as the executive sees it."""
    left_out = len(mail.body) - BODY_CHARACTERS
    body = mail.body[:BODY_CHARACTERS]
    if left_out > 0:
        body += f"\n[{left_out} characters left out]"
    heads = (
        ("From", mail.sender),
        ("To", mail.to),
        ("Date", mail.date),
        ("Subject", mail.subject),
    )
    lines = [f"{name}: {' '.join(value.split())}" for name, value in heads if value.strip()]
    return "\n".join(lines) + f"\n\n{body.strip()}"
