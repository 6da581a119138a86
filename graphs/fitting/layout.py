"""Parts as a prompt: what stays the same first, what changes last. Pure.

System and tools, the summary of the oldest messages, the history, this turn's passages and its
question, then calls and results in the order in which they came. A later round only adds behind the
end; a later turn changes nothing before this turn's question.
"""

from collections.abc import Iterable

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from graphs.executive import Prompt
from graphs.fitting import said
from graphs.fitting.parts import (
    QUESTION,
    Cuts,
    Parts,
    Result,
    Round,
    Shown,
    Whole,
    earlier_key,
    more_key,
    text_id,
)


def laid_out(parts: Parts, cuts: Cuts) -> Prompt:
    """Return the prompt without what the cuts give up, and with words that say so."""
    messages = [*_history(parts, cuts), _asked(parts, cuts)]
    if parts.summary:
        messages = _fronted(messages, said.remembered(parts.summary))
    for one in parts.rounds[cuts.rounds :]:
        messages.extend(_worked(one, cuts))
    for at, message in enumerate(parts.more):
        messages.append(_single(parts, cuts, more_key(at), message))
    return Prompt(system=parts.system, messages=tuple(messages))


def _history(parts: Parts, cuts: Cuts) -> Iterable[AnyMessage]:
    at = cuts.condensed
    wholes = {one.at: one for one in parts.wholes}
    while at < len(parts.earlier):
        if whole := wholes.get(at):
            yield from _whole(whole, cuts)
            at = whole.ends
        else:
            yield _single(parts, cuts, earlier_key(at), parts.earlier[at].message)
            at += 1


def _whole(one: Whole, cuts: Cuts) -> Iterable[AnyMessage]:
    yield HumanMessage(said.posed(said.material(one.passages, one.passages, one.above), one.asked))
    for worked in one.rounds:
        yield from _worked(worked, cuts)
    yield from one.answers


def _single(parts: Parts, cuts: Cuts, key: str, message: AnyMessage) -> AnyMessage:
    if key not in cuts.texts:
        return message
    return message.model_copy(update={"content": text_shown(parts, cuts, key)})


def text_shown(parts: Parts, cuts: Cuts, key: str) -> str:
    """Return a single text as it is shown."""
    text = parts.texts[key]
    if key not in cuts.texts:
        return text
    return said.pinched(text, cuts.texts[key], text_id(parts.thread_id, text))


def _asked(parts: Parts, cuts: Cuts) -> HumanMessage:
    shown = [one for one in parts.passages if one.number not in cuts.passages]
    notes = said.tools_note(parts.tools if cuts.tools else 0)
    notes += said.rounds_note(cuts.rounds, len(parts.rounds))
    question = text_shown(parts, cuts, QUESTION)
    above = [one.number for one in parts.above]
    return HumanMessage(notes + said.posed(said.material(parts.passages, shown, above), question))


def _fronted(messages: list[AnyMessage], text: str) -> list[AnyMessage]:
    """Put a text before the first message, as the user's: templates want the turns to alternate."""
    first = messages[0]
    if not isinstance(first, HumanMessage):
        return [HumanMessage(text), *messages]
    joined = first.model_copy(update={"content": f"{text}\n\n{first.text}"})
    return [joined, *messages[1:]]


def _worked(one: Round, cuts: Cuts) -> Iterable[AnyMessage]:
    """Write calls that were made in one breath, and their results."""
    calls = [
        {"id": result.call, "name": result.name, "args": dict(result.arguments)} for result in one
    ]
    yield AIMessage(content="", tool_calls=calls)
    for result in one:
        yield ToolMessage(
            content=result_shown(result, cuts), tool_call_id=result.call, name=result.name
        )


def result_shown(result: Result, cuts: Cuts) -> str:
    """Return a result as it is shown, with the passages that it brought."""
    characters = cuts.results.get(result.call, len(result.text))
    whole = characters >= result.characters
    text = result.text if whole else said.headed(result, characters)
    shown = [one for one in result.passages if one.number not in cuts.passages]
    return "\n\n".join([text, *_found(result.passages, shown)])


def _found(passages: tuple[Shown, ...], shown: list[Shown]) -> Iterable[str]:
    yield from (one.text for one in shown)
    if note := said.passages_note(len(passages) - len(shown), len(passages)):
        yield note
