"""Research on one thread: questions, each with several searches, through the assistant's graph.

Which search comes next is fixed beforehand, since the model at hand cannot judge: the question
itself, then the title of the best passage of each search that the inquiry has not looked for yet.
"""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from agent.assembly import Engine
from agent.bench.lent import Lent
from agent.bench.prefix import script
from agent.bench.prefix.bound import Need, Tokens
from agent.errors import AgentError
from agent.recorder import Watch
from agent.testing import ScriptedReply
from agent.turns import Turns
from graphs import assistant, evidence, prompts
from graphs.citations import ground
from graphs.context import Services
from graphs.executive import CallPart, Executive, Prompt, Wish
from memory.documents import Chunk, Hit
from tools.base import ToolSpec
from tools.recall import HITS_LIMIT, shown

QUERY_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """One search with what it finds."""

    query: str
    chunks: tuple[Chunk, ...]
    shown: str
    """As the tool tells it by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inquiry:
    """A question with the searches that are made for it; the first one is the question's own."""

    question: str
    searches: tuple[Search, ...]
    answer: str
    """Cites by the number that a passage has among those of the inquiry."""
    cited: Chunk


async def inquiries(
    engine: Engine, questions: Sequence[str], *, collection: str, searches: int
) -> list[Inquiry]:
    """Fix what is searched for each question, and what is answered. Raises AgentError."""
    return [await _inquiry(engine, one, collection, searches) for one in questions]


async def _inquiry(engine: Engine, question: str, collection: str, searches: int) -> Inquiry:
    found: list[Search] = []
    query: str | None = question
    while query and len(found) < searches:
        k = HITS_LIMIT if found else engine.services.limits.passages
        hits = await engine.held.searcher.search(query, k=k, collections=[collection])
        found.append(_search(query, hits))
        query = _next(found)
    answer, cited = _answer(question, found)
    return Inquiry(question=question, searches=tuple(found), answer=answer, cited=cited)


def _search(query: str, hits: Sequence[Hit]) -> Search:
    return Search(query=query, chunks=tuple(hit.chunk for hit in hits), shown=shown(hits))


def _next(found: Sequence[Search]) -> str | None:
    """Return the first title, of the last search's passages first, that was not searched for."""
    asked = {search.query for search in found}
    chunks = [chunk for search in reversed(found) for chunk in search.chunks]
    titles = [" ".join(chunk.document.title.split())[:QUERY_CHARACTERS] for chunk in chunks]
    return next((title for title in titles if title and title not in asked), None)


def _answer(question: str, found: Sequence[Search]) -> tuple[str, Chunk]:
    """Return a sentence with its mark, which the check of citations lets stand, and its passage."""
    numbered = list(dict.fromkeys(chunk.id for search in found for chunk in search.chunks))
    known = {chunk.id: chunk for search in found for chunk in search.chunks}
    passages = [known[one] for one in numbered]
    for number, chunk in enumerate(passages, start=1):
        for start, end in evidence.statements(chunk):
            text = f"{chunk.text[start:end].rstrip('.')} [{number}]."
            if 30 < len(text) < 300 and ground(text, passages, question).citations:
                return " ".join(text.split()), chunk
    raise AgentError(f"The benchmark is void: nothing can be cited on {question!r}.")


def needs(
    inquiries: Sequence[Inquiry], tools: Sequence[ToolSpec], tokenised: Callable[[str], Tokens]
) -> list[Need]:
    """Return what each request must show: what stands, what was said, and all that was found."""
    standing = [prompts.ANSWER, *(_described(tool) for tool in tools)]
    named: dict[Tokens, int] = {}
    found: list[Need] = []
    for inquiry in inquiries:
        standing.append(inquiry.question)
        passages: dict[Tokens, None] = {}
        for number, search in enumerate(inquiry.searches, start=1):
            passages |= dict.fromkeys(tokenised(_passage(chunk)) for chunk in search.chunks)
            for text in passages:
                named.setdefault(text, len(tokenised(f"[{len(named) + 1}] ")))
            ended = number == len(inquiry.searches)
            found.append(
                Need(
                    texts=(*map(tokenised, standing), *passages),
                    marks=tuple(named.items()),
                    wrote=(tokenised(inquiry.answer),) if ended else (),
                    goes_on=bool(found),
                )
            )
        standing.append(inquiry.answer)
    return found


def _described(tool: ToolSpec) -> str:
    """Return the least that tells a model of a tool: name, arguments, and what it does."""
    return " ".join([tool.name, *tool.parameters.get("properties", {}), tool.description])


def _passage(chunk: Chunk) -> str:
    return f"{chunk.document.title}, {chunk.place}\n{chunk.text}"


class Plan:
    """Says what the model writes next: the calls of an inquiry, then its answer."""

    def __init__(self) -> None:
        self._calls: list[Search] = []
        self._inquiry: Inquiry | None = None

    @property
    def left(self) -> int:
        """How many calls were not asked for."""
        return len(self._calls)

    def take(self, inquiry: Inquiry) -> None:
        """Go on with this inquiry; its first search is the engine's own."""
        self._calls, self._inquiry = list(inquiry.searches[1:]), inquiry

    def written(self, prompt: Prompt, wish: Wish) -> str:
        """Return the next call or the answer as a model writes it."""
        if wish.tools and self._calls:
            return script.call("recall", self._next_arguments())
        return script.answer(self._answer(prompt), wish)

    def replied(self, prompt: Prompt, wish: Wish) -> ScriptedReply:
        """Return the next call or the answer as a double gives it."""
        if wish.tools and self._calls:
            call = CallPart(
                id=f"recall-{self.left}", name="recall", arguments=self._next_arguments()
            )
            return ScriptedReply(calls=(call,))
        return ScriptedReply(text=self._answer(prompt))

    def _answer(self, prompt: Prompt) -> str:
        """Return the answer with the number that its passage has in the prompt."""
        assert self._inquiry is not None, "an inquiry was taken before anything is asked"
        cited = re.escape(self._inquiry.cited.text)
        shown = "\n\n".join(str(message.text) for message in prompt.messages)
        found = re.search(rf"^\[(\d+)\] [^\n]*\n{cited}", shown, re.MULTILINE)
        if found is None:
            raise AgentError(
                "The benchmark is void: the passage that is to be cited is not shown for "
                f"{self._inquiry.question!r}."
            )
        return re.sub(r"\[\d+\](?=\.$)", f"[{found[1]}]", self._inquiry.answer)

    def _next_arguments(self) -> dict[str, Any]:
        return {"query": self._calls.pop(0).query}


class Research:
    """Asks questions on one thread of the assistant, with a model that does as is planned."""

    def __init__(
        self, engine: Engine, executive: Executive, plan: Plan, *, collection: str
    ) -> None:
        self._executive = executive
        self._plan = plan
        self._collection = collection
        self._threads = Lent()
        self._thread = self._threads.new()
        self._engine = engine
        self._turns = _turns(engine, replace(engine.services, executive=executive))

    async def ask(self, inquiry: Inquiry, *, watch: Watch = lambda _: None) -> None:
        """Ask one question. Raises AgentError if it was not worked on as planned."""
        self._plan.take(inquiry)
        outcome = await self._turns.run(
            "assistant",
            thread_id=self._thread,
            values={"question": inquiry.question, "collection": self._collection},
            watch=watch,
        )
        answer = outcome.output["answer"]
        if self._plan.left or not answer or not answer["citations"]:
            raise AgentError(
                f"The benchmark is void: of the searches for {inquiry.question!r} "
                f"{self._plan.left} were not made, or its answer has no citation: {answer}."
            )

    async def aclose(self) -> None:
        """Leave no trace."""
        await self._threads.forget(self._engine.pool)


def _turns(engine: Engine, services: Services) -> Turns:
    return Turns(
        pool=engine.pool,
        store=engine.store,
        registry=engine.turns.registry,
        threads=engine.threads,
        graphs={"assistant": partial(assistant.build, services)},
        clock=services.clock,
        new_id=lambda: str(uuid.uuid4()),
    )
