"""A prompt made to fit the context that is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphs.context import Step, stored
from graphs.executive import Prompt, Wish
from graphs.fitting import summary
from graphs.fitting.condense import condensed
from graphs.fitting.layout import laid_out
from graphs.fitting.order import LEAST_TEXT, Rules, given_up
from graphs.fitting.parts import QUESTION, Cuts, Parts, earlier_key, omissions, text_id
from graphs.fitting.sizes import REFERENCE_TOKENS, Sizes, estimated, measured, with_summary
from memory.artifacts import Artifact
from memory.labels import Label, joined


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """A prompt that fits, with what follows from it."""

    prompt: Prompt
    wish: Wish
    """With the room that is left for the answer."""
    update: dict[str, Any] = field(default_factory=dict)
    """Of the state: a summary that was made, turns that are kept no longer."""


def page(context_tokens: int) -> int:
    """Return the characters of a result that are shown at a time: an eighth of the context."""
    return context_tokens // 2


async def fit(parts: Parts, step: Step, wish: Wish) -> Fitted:
    """Lay the prompt out whole if it fits; else give up as little as is enough, and say so.

    A prompt that fits is counted once. For one that does not, each part is counted once, and the
    cuts that should be enough are confirmed by a count of the whole. What cannot be made to fit is
    handed on: the executive refuses it with both figures.
    """
    before, wholes = parts.summary, len(parts.wholes)
    cuts = Cuts(answer_tokens=wish.max_tokens, condensed=parts.covered)
    prompt = laid_out(parts, cuts)
    excess = await _excess(step, prompt, wish, cuts)
    if excess > 0 and wholes:
        parts = parts.alone()
        prompt = laid_out(parts, cuts)
        excess = await _excess(step, prompt, wish, cuts)
        step.emit({"event": "left_out", "what": "earlier turns in full", **_all(wholes)})
    if excess > 0:
        parts, cuts, prompt = await _cut(parts, step, wish)
    await _keep_texts(parts, cuts, step)
    for one in omissions(parts, cuts):
        event = {"event": "left_out", "what": one.what, "count": one.count, "of": one.of}
        step.emit(event)
    if cuts.answer_tokens < wish.max_tokens:
        step.emit({"event": "answer_room", "tokens": cuts.answer_tokens, "of": wish.max_tokens})
    update: dict[str, Any] = {} if parts.summary is before else {"summary": parts.summary}
    if wholes and not parts.wholes:
        update["kept"] = []
    return Fitted(prompt=prompt, wish=_wished(wish, cuts), update=update)


def _all(count: int) -> dict[str, int]:
    return {"count": count, "of": count}


def _wished(wish: Wish, cuts: Cuts) -> Wish:
    tools = () if cuts.tools else wish.tools
    return replace(wish, tools=tools, max_tokens=cuts.answer_tokens)


async def _excess(step: Step, prompt: Prompt, wish: Wish, cuts: Cuts) -> int:
    """Return by how many tokens the prompt is too long; it fits where there are none."""
    executive = step.services.executive
    room = executive.profile.context_tokens - cuts.answer_tokens
    count = await executive.count(prompt, _wished(wish, cuts), room=room)
    return count.tokens - room


async def _cut(parts: Parts, step: Step, wish: Wish) -> tuple[Parts, Cuts, Prompt]:
    """Go down the order of what is given up until the prompt fits."""
    executive = step.services.executive
    context = executive.profile.context_tokens
    sizes = await measured(parts, executive, wish)
    rules = Rules(
        answer_tokens=wish.max_tokens,
        page=page(context),
        too_large=_too_large(parts, sizes, context, wish),
    )
    spare = 0
    cuts = Cuts(answer_tokens=wish.max_tokens)
    for cuts in given_up(parts, rules):
        about = estimated(parts, sizes, cuts) + _unmade(parts, sizes, cuts, context)
        if about + spare > context - cuts.answer_tokens:
            continue
        if cuts.condensed > parts.covered:
            made = await condensed(parts, cuts.condensed, step)
            parts, sizes = replace(parts, summary=made), await with_summary(sizes, made, executive)
        prompt = laid_out(parts, cuts)
        excess = await _excess(step, prompt, wish, cuts)
        if excess <= 0:
            return parts, cuts, prompt
        spare += excess
    # The last of the cuts are tried even where they do not seem to be enough.
    if cuts.condensed > parts.covered:
        parts = replace(parts, summary=await condensed(parts, cuts.condensed, step))
    return parts, cuts, laid_out(parts, cuts)


def _unmade(parts: Parts, sizes: Sizes, cuts: Cuts, context: int) -> int:
    """Return what a summary that is not made yet may add to the one that there is."""
    if cuts.condensed <= parts.covered:
        return 0
    return max(0, summary.room(context) + REFERENCE_TOKENS - sizes.summary)


def _too_large(parts: Parts, sizes: Sizes, context: int, wish: Wish) -> Mapping[str, int]:
    """Return how much is shown of texts that could not stand in the context even alone.

    The question may take half of what the rules and the least answer leave, another message a
    quarter.
    """
    rules = Rules(answer_tokens=wish.max_tokens, page=0, too_large={})
    room = context - sizes.bare - sizes.tools - rules.least_answer_tokens
    shown = {}
    for key, text in parts.texts.items():
        if sizes.texts[key] > room:
            tokens = max(0, room) // (2 if key == QUESTION else 4) - REFERENCE_TOKENS
            share = len(text) * max(0, tokens) // sizes.texts[key]
            shown[key] = min(max(LEAST_TEXT, share), len(text))
    return {key: size for key, size in shown.items() if size < sizes.characters[key]}


async def _keep_texts(parts: Parts, cuts: Cuts, step: Step) -> None:
    """Store what is not shown whole, so that it can be read again."""
    texts = parts.texts
    for key in cuts.shortened:
        text = texts[key]
        body = {"tool": "", "text": text, "ok": True}
        artifact = Artifact(
            id=text_id(parts.thread_id, text), kind="text", body=body, label=_label(parts, key)
        )
        await stored(step, artifact)


def _label(parts: Parts, key: str) -> Label:
    if key == QUESTION:
        return parts.asked_by
    labels = {earlier_key(at): one.label for at, one in enumerate(parts.earlier)}
    if key in labels:
        return labels[key]
    return joined([parts.asked_by, *(one.label for one in parts.earlier)])
