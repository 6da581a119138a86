"""How many tokens parts take, and from that a whole prompt with any cuts. Pure but for counting."""

import asyncio
from dataclasses import dataclass, replace

from langchain_core.messages import AnyMessage, HumanMessage

from graphs.executive import Executive, Prompt, Wish
from graphs.fitting import said
from graphs.fitting.parts import QUESTION, Cuts, Parts, Result, earlier_key, more_key
from graphs.state import Summary

NOTE_TOKENS = 12
"""About what it costs to say how many were left out."""
REFERENCE_TOKENS = 36
"""About what it costs to say how much of a text is shown, and where the rest is."""
CALL_CHARACTERS = 3
"""Characters of a call's arguments for each token."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """Tokens of each part on its own."""

    bare: int
    """System text and template around one short message."""
    tools: int
    message: int
    """What the template adds to each message."""
    short: int
    """A prompt of one short message and nothing else: what is taken off each count."""
    summary: int
    passages: dict[int, int]
    results: dict[str, int]
    texts: dict[str, int]
    characters: dict[str, int]
    """Of the single texts."""


async def measured(parts: Parts, executive: Executive, wish: Wish) -> Sizes:
    """Count each part once, all at the same time."""
    passages = [one.text for one in parts.all_passages]
    results = [one.text for one in parts.results]
    texts = parts.texts
    summary = said.remembered(parts.summary) if parts.summary else ""
    bare, offered, one, two, *counted = await asyncio.gather(
        _count(executive, parts.system, ["."], replace(wish, tools=())),
        _count(executive, parts.system, ["."], wish),
        _count(executive, "", ["."], Wish()),
        _count(executive, "", [".", "."], Wish()),
        *(
            _count(executive, "", [text], Wish()) if text else _nothing()
            for text in [summary, *passages, *results, *texts.values()]
        ),
    )
    own = [max(0, count - one + 1) for count in counted]
    behind_passages = 1 + len(passages)
    behind_results = behind_passages + len(results)
    return Sizes(
        bare=bare,
        tools=max(0, offered - bare),
        message=max(0, two - one),
        short=one - 1,
        summary=own[0],
        passages={
            shown.number: size
            for shown, size in zip(parts.all_passages, own[1:behind_passages], strict=True)
        },
        results={
            result.call: size
            for result, size in zip(parts.results, own[behind_passages:behind_results], strict=True)
        },
        texts=dict(zip(texts, own[behind_results:], strict=True)),
        characters={key: len(text) for key, text in texts.items()},
    )


async def with_summary(sizes: Sizes, summary: Summary, executive: Executive) -> Sizes:
    """Return the sizes with those of a summary that was made since."""
    count = await _count(executive, "", [said.remembered(summary)], Wish())
    return replace(sizes, summary=max(0, count - sizes.short))


async def _nothing() -> int:
    return 0


async def _count(executive: Executive, system: str, texts: list[str], wish: Wish) -> int:
    messages: tuple[AnyMessage, ...] = tuple(HumanMessage(text) for text in texts)
    return (await executive.count(Prompt(system=system, messages=messages), wish)).tokens


def estimated(parts: Parts, sizes: Sizes, cuts: Cuts) -> int:
    """Return about how many tokens the prompt takes with these cuts."""
    total = sizes.bare + (0 if cuts.tools else sizes.tools) + _text(sizes, cuts, QUESTION)
    total += sizes.summary + sum(
        sizes.message + _text(sizes, cuts, earlier_key(at))
        for at in range(cuts.condensed, len(parts.earlier))
    )
    total += sum(sizes.message + _text(sizes, cuts, more_key(at)) for at in range(len(parts.more)))
    total += sum(
        sizes.passages[one.number] for one in parts.passages if one.number not in cuts.passages
    )
    if cuts.passages or cuts.rounds or cuts.tools:
        total += NOTE_TOKENS
    for one in parts.rounds[cuts.rounds :]:
        total += sizes.message + sum(_result(result, sizes, cuts) for result in one)
    return total


def _text(sizes: Sizes, cuts: Cuts, key: str) -> int:
    return _share(sizes.characters[key], sizes.texts[key], cuts.texts.get(key))


def _share(characters: int, tokens: int, shown: int | None) -> int:
    if shown is None or not characters:
        return tokens
    return tokens * shown // characters + REFERENCE_TOKENS


def _result(result: Result, sizes: Sizes, cuts: Cuts) -> int:
    passages = sum(
        sizes.passages[one.number] for one in result.passages if one.number not in cuts.passages
    )
    shown = cuts.results.get(result.call, len(result.text) if result.begun else None)
    call = len(str(result.arguments)) // CALL_CHARACTERS + NOTE_TOKENS
    own = _share(len(result.text), sizes.results[result.call], shown)
    return sizes.message + call + own + passages
