"""The documents that research is done in: judged ones in the layout of BEIR, or cortical's own."""

from dataclasses import dataclass
from pathlib import Path

from agent.bench import samples
from agent.bench.retrieval import beir
from agent.errors import UsageError

DOCUMENTS = 120
"""How many are taken in at most."""
OWN_CHARACTERS = 250
"""Of a document made from cortical's source, some 70 tokens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """Documents and questions on them."""

    documents: tuple[tuple[str, str, str], ...]
    """Key, title and text."""
    questions: tuple[str, ...]


def load(folder: Path | None, questions: int) -> Library:
    """Read a folder, or cut cortical's own source into documents. Blocks. Raises UsageError."""
    library = _own() if folder is None else _judged(folder)
    asked = tuple(dict.fromkeys(library.questions))[:questions]
    if len(asked) < questions:
        raise UsageError(
            f"There are {len(asked)} questions on the documents, and {questions} were asked for. "
            "Name another folder with --documents, or fewer --questions."
        )
    return Library(documents=library.documents, questions=asked)


def _judged(folder: Path) -> Library:
    """Take the first questions, the documents that answer them, and the others up to the limit."""
    judged = beir.load(folder)
    wanted = {key for gains in judged.gains.values() for key in gains}
    ordered = sorted(judged.documents, key=lambda one: one[0] not in wanted)
    return Library(
        documents=tuple(ordered[:DOCUMENTS]),
        questions=tuple(text for _, text in judged.questions),
    )


def _own() -> Library:
    own = samples.chosen((), DOCUMENTS)
    documents = tuple(
        (f"piece-{number}", _title(text), text[:OWN_CHARACTERS])
        for number, text in enumerate(own.documents, start=1)
    )
    return Library(documents=documents, questions=tuple(own.questions))


def _title(text: str) -> str:
    """Return the first line that says something."""
    lines = (line.strip(' "#') for line in text.splitlines())
    return next((line for line in lines if len(line.split()) > 2), "source")[:80]
