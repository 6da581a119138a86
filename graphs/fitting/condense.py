"""Old messages condensed, by the executive where it has judgement."""

from collections.abc import Sequence

from langchain_core.messages import HumanMessage

from graphs import prompts
from graphs.context import Step
from graphs.errors import ExecutiveError
from graphs.executive import Executive, Prompt, Wish
from graphs.fitting.parts import Earlier, Parts
from graphs.fitting.summary import extracted, room, summed_up
from graphs.reply import ask, silent
from graphs.state import Summary

_CHARACTERS = 2_000
"""Of one message that the executive is shown when it condenses."""
_LEAST_CHARACTERS = 120


async def condensed(parts: Parts, count: int, step: Step) -> Summary:
    """Condense the first so many messages; what was condensed before goes into the new text."""
    executive = step.services.executive
    step.emit({"event": "condensing", "messages": count - parts.covered})
    tokens = room(executive.profile.context_tokens)
    older = parts.summary["text"].splitlines() if parts.summary else []
    fresh = parts.earlier[parts.covered : count]
    if executive.profile.judgement:
        lines = await _written(step, older, fresh, tokens)
        if lines:
            return _own(summed_up(lines, parts.summary, parts.earlier[:count], tokens), parts)
    lines = [*older, *extracted(fresh)]
    return summed_up(lines, parts.summary, parts.earlier[:count], tokens)


def _own(summary: Summary, parts: Parts) -> Summary:
    """Keep the count of dropped lines: the executive wrote all anew, and dropped none unseen."""
    return {**summary, "dropped": parts.summary["dropped"] if parts.summary else 0}


async def _written(
    step: Step, older: Sequence[str], fresh: Sequence[Earlier], tokens: int
) -> list[str]:
    """Let the executive condense; nothing where it fails or the text does not fit its context."""
    wish = Wish(max_tokens=tokens)
    prompt = await _fitted(step.services.executive, older, fresh, wish)
    if prompt is None:
        return []
    try:
        reply = await ask(step.services.executive, prompt, wish, silent(step.emit))
    except ExecutiveError as error:
        step.emit({"event": "model_failed", "reason": str(error)})
        return []
    return [line.strip() for line in reply.text.splitlines() if line.strip()]


async def _fitted(
    executive: Executive, older: Sequence[str], fresh: Sequence[Earlier], wish: Wish
) -> Prompt | None:
    room = executive.profile.context_tokens - wish.max_tokens
    characters = _CHARACTERS
    while characters >= _LEAST_CHARACTERS:
        prompt = _prompt(older, fresh, characters)
        if (await executive.count(prompt, wish, room=room)).tokens <= room:
            return prompt
        characters //= 2
    return None


def _prompt(older: Sequence[str], fresh: Sequence[Earlier], characters: int) -> Prompt:
    before = ["Condensed before:", *older, ""] if older else []
    said = [_said(one, characters) for one in fresh]
    text = "\n".join([*before, "What was said since:", *said])
    return Prompt(system=prompts.CONDENSE, messages=(HumanMessage(text),))


def _said(one: Earlier, characters: int) -> str:
    text = str(one.message.text)
    who = "User" if isinstance(one.message, HumanMessage) else "Assistant"
    return f"{who}: {text if len(text) <= characters else f'{text[:characters]} […]'}"
