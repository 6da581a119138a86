"""What stands for old messages: made of their own sentences, and kept short. Pure."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, HumanMessage

from graphs.fitting.parts import Earlier
from graphs.state import Summary
from memory.labels import Label, joined
from tools.sentences import sentences

QUESTION_CHARACTERS = 160
ANSWER_CHARACTERS = 200
"""Of one message in a line of a summary."""
_BYTES_PER_TOKEN = 3
"""A bound in tokens is kept as one in bytes: no text takes fewer bytes for a token in the long
run."""
_LEAST_LINES = 4
"""No line takes so much that fewer have room."""


def room(context_tokens: int) -> int:
    """Return how many tokens a summary may take in a context of this size."""
    return max(96, context_tokens // 16)


def extracted(earlier: Sequence[Earlier]) -> list[str]:
    """Return a line for each message: a question, or the first sentence of an answer."""
    return [_line(one) for one in earlier if str(one.message.text).strip()]


def _line(one: Earlier) -> str:
    text = " ".join(str(one.message.text).split())
    if isinstance(one.message, HumanMessage):
        return f"- The user: {_short(text, QUESTION_CHARACTERS)}"
    first = next((text[start:end] for start, end in sentences(text)), text).strip()
    who = "Answer" if isinstance(one.message, AIMessage) else "Beside it"
    return f"- {who}: {_short(first, ANSWER_CHARACTERS)}"


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def bounded(lines: Sequence[str], tokens: int) -> list[str]:
    """Return the last of these lines, as many as there is room for; long ones in part."""
    left = tokens * _BYTES_PER_TOKEN
    longest = left // _LEAST_LINES - 1
    kept: list[str] = []
    for line in (_cut(line, longest) for line in reversed(lines)):
        size = len(line.encode("utf-8", "replace")) + 1
        if size > left:
            break
        kept.insert(0, line)
        left -= size
    return kept


def _cut(line: str, size: int) -> str:
    raw = line.encode("utf-8", "replace")
    return line if len(raw) <= size else raw[: size - 3].decode("utf-8", "ignore") + "…"


def summed_up(
    lines: Sequence[str], older: Summary | None, earlier: Sequence[Earlier], tokens: int
) -> Summary:
    """Return the summary that consists of these lines and covers all these earlier messages."""
    kept = bounded(lines, tokens)
    labels = [one.label for one in earlier]
    if older:
        labels.append(Label.from_json(older["label"]))
    return Summary(
        text="\n".join(kept),
        covers=len(earlier),
        last=str(earlier[-1].message.id),
        lines=len(kept),
        dropped=(older["dropped"] if older else 0) + len(lines) - len(kept),
        label=joined(labels).to_json(),
    )
