"""Reasoning with an executive that has no judgement.

The engine chooses the tools and the evidence, decides whether there is any, and asks the model
only for words: a query to search with, and a sentence that says what the evidence says. A sentence
that does not hold against its quotation is replaced by the quotation.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from graphs import dates_asked, evidence, foresight, prompts, words
from graphs.act import wished
from graphs.citations import citation, supported
from graphs.context import Step
from graphs.errors import ExecutiveError
from graphs.evidence import Evidence
from graphs.executive import CallPart, Prompt, Wish
from graphs.fitting import said
from graphs.fitting.parts import RESULT_CHARACTERS
from graphs.numbers import numbers
from graphs.reply import Reply, ask, silent
from graphs.state import Answer, Citation, TurnState
from graphs.view import View, labelled
from memory.embedding import Embedder

NOTHING_FOUND = "I found nothing about that in memory or in the files of this conversation."

QUOTE_CHARACTERS = 1_500
"""What of a quotation the model is shown."""

QUESTION_CHARACTERS = 600
"""What of a question the model is shown: its head and its tail."""

WINDOWS_LIMIT = 32
"""Windows that are compared with the question by meaning."""

_WORDING = Wish(max_tokens=80, may_be_cut=True)
"""Of the model's words only the first sentence is used."""

_REMEMBER = re.compile(
    r"^\s*(?:please\s+)?(?:(?:remember|note|keep in mind|merke? dir|bitte merken)\b|请?记住)"
    r"[\s,:，：]*(?:that\b|dass\b)?\s*",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"^\W*what(?:['’]s| is)? (?:the )?(?:date|time|day)(?: of the week)?"
    r"(?: is)?(?: it| today| now)+\W*$|\btoday['’]?s date\b|^\W*wie spät ist es\b"
    r"|\bwelche[rns]? (?:wochen)?(?:tag|datum)\b.*\bheute\b"
    r"|今天.{0,3}(?:几号|星期几|几月)|现在.{0,3}几点",
    re.IGNORECASE,
)


def plan(question: str, today: date) -> tuple[str, dict[str, Any] | None]:
    """Return the one tool that a question needs, with its arguments; None: the model words them."""
    if _REMEMBER.match(question):
        return "remember", {"fact": _REMEMBER.sub("", question).strip()}
    if _NOW.search(question):
        return "now", {}
    dates = dates_asked.arguments(question, today)
    return ("recall", None) if dates is None else ("dates", dates)


async def reason(state: TurnState, step: Step, seen: View) -> dict[str, Any]:
    """Call the tool that the question needs, then answer."""
    tool, arguments = plan(seen.question, step.services.clock.now().date())
    if not state["tasks"] and tool in step.services.executor.toolbox.names:
        call = (
            CallPart(id=f"{tool}-1", name=tool, arguments=arguments)
            if arguments is not None
            else await _recall(step, seen.question)
        )
        # The call was made of the question alone, so it carries the question's label alone.
        tasks = wished([call], state, step, seen.asked_by)
        return {"tasks": tasks, "rounds": state["rounds"] + 1}
    foresight.speech(state, step)
    answer = await _cited(step, seen) if arguments is None else _plain(state, seen)
    message = labelled(AIMessage(answer["text"], id=f"{step.run_id}:answer"), seen.label)
    return {"answer": answer, "messages": [message], "rounds": state["rounds"] + 1}


async def _recall(step: Step, question: str) -> CallPart:
    """Let the model word a second search; the question's own words serve where it does not."""
    shown = _shown(step, question)
    prompt = Prompt(system=prompts.CALLING, messages=(HumanMessage(f"Search for: {shown}"),))
    tools = step.services.executor.toolbox.specs(["recall"])
    # A query that reaches its end there goes round in circles, and would do so twice as long.
    wish = Wish(tools=tools, max_tokens=80, may_be_cut=True)
    reply = await _asked(step, prompt, wish)
    if reply and reply.calls and not reply.calls[0].fault:
        return reply.calls[0]
    query = " ".join(words.content(question)) or question
    return CallPart(id="recall-1", name="recall", arguments={"query": query[:500]})


def _plain(state: TurnState, seen: View) -> Answer:
    """Hand the tool's own words on: they need no model."""
    task = state["tasks"][-1]
    result = seen.results[task["artifact"] or ""]
    text = said.begun(result.body["text"], RESULT_CHARACTERS)
    return Answer(text=text, found=bool(task["ok"]), citations=[], unsupported=[])


async def extracted(state: TurnState, step: Step, seen: View) -> Answer:
    """Answer from what is in view without a word of the executive's.

    A passage that answers is quoted; where none does, the last result of a tool is handed on.
    """
    best = await _chosen(step, seen)
    if best:
        citations = _citations(best, seen)
        return Answer(text=_quoting(citations), found=True, citations=citations, unsupported=[])
    given = [task for task in state["tasks"] if task["ok"] and task["artifact"] in seen.results]
    if not given:
        return Answer(text=NOTHING_FOUND, found=False, citations=[], unsupported=[])
    result = seen.results[given[-1]["artifact"] or ""].body["text"]
    text = f"`{given[-1]['name']}` gave: {said.begun(result, QUOTE_CHARACTERS)}"
    return Answer(text=text, found=True, citations=[], unsupported=[])


def _citations(best: Sequence[Evidence], seen: View) -> list[Citation]:
    return [
        citation(number, seen.passages[one.window.passage], one.window.start, one.window.end)
        for number, one in enumerate(best, start=1)
    ]


def _quoting(citations: Sequence[Citation]) -> str:
    """Write the first quotation as it stands, with the marks of all."""
    marks = "".join(f"[{one['number']}]" for one in citations)
    plain = " ".join(citations[0]["quote"].split())
    return f"{citations[0]['title']} says: “{plain}” {marks}"


async def _cited(step: Step, seen: View) -> Answer:
    best = await _chosen(step, seen)
    if not best:
        return Answer(text=NOTHING_FOUND, found=False, citations=[], unsupported=[])
    citations = _citations(best, seen)
    first = seen.passages[best[0].window.passage]
    beside = f"{first.context}\n{first.text}"
    text = await _worded(step, seen.question, citations, beside)
    return Answer(text=text, found=True, citations=citations, unsupported=[])


async def _chosen(step: Step, seen: View) -> Sequence[Evidence]:
    """Return the evidence that answers the question, best first; none where it is too thin."""
    order = sorted(range(len(seen.passages)), key=lambda index: -seen.scores[index])
    candidates = [
        window for index in order for window in evidence.windows(index, seen.passages[index])
    ]
    rough = evidence.ranked(seen.question, seen.passages, candidates, None)
    short = [one.window for one in rough[:WINDOWS_LIMIT]]
    cosines = await _cosines(step.services.embedder, seen.question, short)
    found = evidence.ranked(seen.question, seen.passages, short, cosines)
    return evidence.sufficient(seen.question, found)


async def _cosines(
    embedder: Embedder, question: str, windows: Sequence[evidence.Window]
) -> list[float] | None:
    """Compare a question with windows by meaning; None where the model cannot read it."""
    if not windows or not embedder.reads(question):
        return None
    asked = await embedder.embed([question], role="query")
    texts = await embedder.embed([window.text for window in windows], role="document")
    return [float(value) for value in texts @ asked[0]]


async def _worded(step: Step, question: str, citations: Sequence[Citation], beside: str) -> str:
    """Let the executive say what the first quotation says; keep it only if it holds."""
    quote = citations[0]["quote"]
    marks = "".join(f"[{one['number']}]" for one in citations)
    draft = None
    # Speech comes without marks: of it a small model makes sentences that only sound right.
    if "start_s" not in citations[0]["place"]:
        draft = await _asked(step, wording(quote, _shown(step, question)), _WORDING)
    sentence = " ".join(draft.text.split()) if draft else ""
    spans = evidence.sentences(sentence)
    first = sentence[spans[0][0] : spans[0][1]] if spans else ""
    if _holds(first, quote, question, beside):
        return f"{first.rstrip('.!。')} {marks}."
    return _quoting(citations)


def wording(quote: str, question: str) -> Prompt:
    """Return what the model is shown to put a quotation into a sentence."""
    messages: list[AnyMessage] = []
    for text, asked, answer in prompts.WORDING_EXAMPLES:
        messages += [HumanMessage(_posed(text, asked)), AIMessage(answer)]
    messages.append(HumanMessage(_posed(said.begun(quote, QUOTE_CHARACTERS), question)))
    return Prompt(system=prompts.WORDING, messages=tuple(messages))


def _posed(text: str, question: str) -> str:
    return f"Text: {text}\n\nQuestion: {question}"


def _shown(step: Step, question: str) -> str:
    """Return a question as it is shown to the model, saying what of a long one is left out."""
    count = len(question) - QUESTION_CHARACTERS
    if count <= 0:
        return question
    what = "characters of the question"
    step.emit({"event": "left_out", "what": what, "count": count, "of": len(question)})
    half = QUESTION_CHARACTERS // 2
    note = f"[{count} of {len(question)} characters left out here]"
    return f"{question[:half]}\n{note}\n{question[len(question) - half :]}"


async def _asked(step: Step, prompt: Prompt, wish: Wish) -> Reply | None:
    """Ask for words; None where the model fails: the engine has an answer without them."""
    try:
        return await ask(step.services.executive, prompt, wish, silent(step.emit))
    except ExecutiveError as error:
        step.emit({"event": "model_failed", "reason": str(error)})
        return None


def _holds(sentence: str, quote: str, question: str, beside: str) -> bool:
    """Whether a sentence says what the quotation says, and all that was asked for in it."""
    if not supported(sentence, quote, question, beside=beside):
        return False
    own = words.content(sentence)
    strange = [
        term
        for term in own
        if not words.matched([term], words.terms(quote) + words.terms(question))
    ]
    missing = numbers(quote) - numbers(sentence) - numbers(question)
    return not strange and not (missing and evidence.wants_number(question))
