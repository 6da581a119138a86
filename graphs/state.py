"""The assistant's state: references and short words, never bodies."""

from typing import Annotated, Any, Literal, NotRequired, TypeVar

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

Item = TypeVar("Item")


def collected(old: list[Item], new: list[Item] | None) -> list[Item]:
    """Append; None empties the list, at the beginning of a turn."""
    return [] if new is None else [*old, *new]


class Handed(TypedDict):
    """A file that the user handed over with the question."""

    path: str
    name: str


class Percept(TypedDict):
    """What was perceived in one file."""

    name: str
    kind: str | None
    """As in `memory.documents.NewDocument`; None where nothing could be read."""
    role: Literal["question", "material"]
    artifact: str | None
    """Transcript of a spoken question."""
    chunks: list[int]
    """Passages of the file, in memory under the thread's own collection."""
    flaws: list[str]
    error: str | None
    label: dict[str, Any]


class Passage(TypedDict):
    """A passage in view; its number in a prompt is its position in the list, from 1."""

    chunk: int
    score: float
    call: NotRequired[str]
    """The call that found it; absent where it was found before the executive was asked."""
    earlier: NotRequired[bool]
    """Whether an earlier turn, which is kept, has brought it into view."""
    again: NotRequired[float]
    """Of such a one: the score with which this turn's question has found it again."""
    recalled: NotRequired[bool]
    """Of such a one: whether a call of this turn has found it again."""


class Summary(TypedDict):
    """What stands in prompts for the oldest messages of a thread."""

    text: str
    covers: int
    """Messages, from the first on."""
    last: str
    """Id of the last of them: a history that was changed since is condensed anew."""
    lines: int
    """Lines of the text."""
    dropped: int
    """Older lines that there was no room for."""
    label: dict[str, Any]
    """Join of the labels of all that was condensed."""


class Task(TypedDict):
    """One call of a tool, from the executive's wish to its result."""

    id: str
    name: str
    arguments: dict[str, Any]
    ruling: str
    """A `tools.policy.Ruling`."""
    reason: str
    round: int
    """Calls of one round were wished for in one breath."""
    digest: str
    """What an approval is bound to."""
    decision: str | None
    """A person's answer where one was asked: `approve` or `reject`."""
    note: str | None
    """What the person wrote beside a rejection."""
    label: dict[str, Any]
    """Join of the labels of all that was in view when the call was wished for."""
    artifact: str | None
    """Result, once the call was made."""
    ok: bool | None
    fault: NotRequired[str | None]
    """A `tools.calls.faults.Fault` where the call is not valid: it is never run."""
    meant: NotRequired[str | None]
    """The tool that a call which is not valid clearly meant."""
    result: NotRequired[str | None]
    """Fingerprint of the result (`graphs.repeats`), or of the one that stands for it."""


class Kept(TypedDict):
    """An earlier turn that prompts show as it was."""

    question: str
    """Id of the message that asked."""
    asked: str
    passages: int
    """How many it has brought into view; they follow those of the turn before it."""
    above: list[int]
    """Numbers of earlier passages that its question found again."""
    tasks: list[Task]
    tokens: int
    """Of its last prompt with the answer, and so of all turns up to it."""


class Citation(TypedDict):
    """The words that back a sentence of the answer, and where they stand."""

    number: int
    source: str
    """Address of the document."""
    title: str
    kind: str
    place: dict[str, Any]
    """A `memory.places.Place` as JSON."""
    where: str
    """The place in words."""
    quote: str
    """A piece of the stored text, letter for letter."""
    chunk: int


class Ended(TypedDict):
    """Why a turn ended before the executive did."""

    budget: str
    """A `graphs.limits.Budget`."""
    reason: str
    """The budget and its setting, in words."""


class Spent(TypedDict):
    """What a turn has taken of its budgets, over all processes that worked on it."""

    read: int
    """Tokens of all prompts, those found in the cache included."""
    written: int
    """Tokens of all answers, thinking included."""
    seconds: float
    until: str
    """The moment up to which seconds are counted: at first when the turn began."""
    ask_tokens: int
    """Tokens of the last ask, read and written."""
    ask_seconds: float


class Answer(TypedDict):
    """What the turn came to."""

    text: str
    found: bool
    """False: what was asked stands nowhere in view, and the text says so."""
    citations: list[Citation]
    unsupported: list[str]
    """Sentences of the text that no passage backs."""
    ended: NotRequired[Ended]
    """Absent: the executive came to its end by itself."""


class TurnInput(TypedDict):
    """One turn: a question, typed or spoken, and files."""

    question: NotRequired[Annotated[str, "What is asked. Empty: a recording in files asks it."]]
    files: NotRequired[Annotated[list[Handed], "Files to hear, see or read, on this machine."]]
    collection: NotRequired[Annotated[str, "The collection of memory to search."]]
    speak_to: NotRequired[Annotated[str | None, "Where to write the answer as a WAV file."]]
    messages: NotRequired[
        Annotated[list[AnyMessage], "For chat clients: a last human message is the question."]
    ]


class TurnState(TypedDict):
    """Everything that must survive a restart.

    The channels of the input are an inbox: the first node empties them, so that a later turn of
    the thread cannot take an old question for its own.
    """

    question: str
    files: list[Handed]
    collection: str
    speak_to: str | None
    asked: str
    """The question of this turn, as typed or as heard."""
    asked_by: dict[str, Any]
    """Label of the question: outside words if it was heard in a file."""
    asked_id: NotRequired[str | None]
    """Id of its message in the history; absent in a turn of an older version."""
    handed: list[Handed]
    voice: str | None
    """Where this turn's answer is to be written as sound."""
    messages: Annotated[list[AnyMessage], add_messages]
    summary: Summary | None
    """Of the oldest messages, from turn to turn."""
    percepts: Annotated[list[Percept], collected]
    kept: NotRequired[list[Kept]]
    """Earlier turns that are shown as they were; they are given up all at once."""
    passages: list[Passage]
    """Those of the turns that are kept, then those of this one."""
    tasks: list[Task]
    tools_shown: list[str]
    """Tools that the executive is told of: chosen once a turn, so that prompts begin alike. They
    stay behind turns that are kept."""
    rounds: int
    """How often the executive was asked in this turn."""
    spent: NotRequired[Spent]
    """Absent in a turn that an older version has begun."""
    problem: str | None
    """Why the turn could not go on."""
    answer: Answer | None
    spoken: str | None
    """The WAV file that was written."""


class TurnOutput(TypedDict):
    """What a turn gives."""

    asked: str
    answer: Answer | None
    problem: str | None
    spoken: str | None
    percepts: list[Percept]
    tasks: list[Task]


class PerceiveInput(TypedDict):
    """One file for one perceiving task."""

    file: Handed
    role: Literal["question", "material"]
    """`question`: a recording asks; any other content is material all the same."""
