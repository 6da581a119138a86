"""What is given up first where a prompt does not fit. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from graphs.fitting.parts import QUESTION, Cuts, Parts, Shown

LEAST_ANSWER_TOKENS = 160
"""The answer's room does not shrink below this, unless less was wished for."""
LEAST_PASSAGES = 2
"""Passages that stay until the answer's room has shrunk."""
HEAD = 300
"""Characters of a result's head where room is scarce."""
LEAST_TEXT = 200
"""Characters that are shown of a single text as long as anything else can go."""
FEWEST = 60
"""Characters that are shown of a single text at the very last."""
MANY_TURNS = 8
"""Turns from which on half of them are condensed first; of fewer all but the last at once, so that
the next turns find room."""
_STEP = 0.7
_WORDS_OF_A_NOTE = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How far things are given up."""

    answer_tokens: int
    """Wished for."""
    page: int
    """Characters of a result's head where there is room."""
    too_large: Mapping[str, int]
    """Characters that there is room for of single texts that cannot be shown whole, by their
    keys."""

    @property
    def least_answer_tokens(self) -> int:
        """Room that the answer keeps."""
        return min(self.answer_tokens, LEAST_ANSWER_TOKENS)


def given_up(parts: Parts, rules: Rules) -> Iterator[Cuts]:
    """Yield ever deeper cuts, each giving up what the one before did and a little more.

    Large results become heads, the oldest first; turns before the last are condensed; passages go,
    lowest rank first, down to the least; the answer's room shrinks to the least; then the last
    turn, the other passages, the heads of results, single texts, rounds of calls, the tools, and at
    the very last what was kept of single texts.
    """
    cuts = Cuts(
        answer_tokens=rules.answer_tokens, condensed=parts.covered, texts=dict(rules.too_large)
    )
    yield cuts
    stages = (
        _pages,
        _old_turns,
        _low_passages,
        _answer,
        _last_turn,
        _all_passages,
        _heads,
        _texts,
        _rounds,
        _tools,
        _fewest,
    )
    for stage in stages:
        for deeper in stage(parts, rules, cuts):
            cuts = deeper
            yield cuts


def _pages(parts: Parts, rules: Rules, cuts: Cuts) -> Iterator[Cuts]:
    return _headed(parts, cuts, rules.page)


def _heads(parts: Parts, _: Rules, cuts: Cuts) -> Iterator[Cuts]:
    return _headed(parts, cuts, HEAD)


def _headed(parts: Parts, cuts: Cuts, shown: int) -> Iterator[Cuts]:
    for result in parts.results:
        # A head costs a line that says so, and a part that was asked for comes with a heading.
        if len(result.text) > shown + HEAD:
            cuts = replace(cuts, results={**cuts.results, result.call: shown})
            yield cuts


def _old_turns(parts: Parts, _: Rules, cuts: Cuts) -> Iterator[Cuts]:
    """Condense the turns before the last: where there are many half of them, then all."""
    starts = parts.turns
    half = [len(starts) // 2] if len(starts) >= MANY_TURNS else []
    for at in [*half, len(starts) - 1]:
        if at > 0 and starts[at] > cuts.condensed:
            cuts = replace(cuts, condensed=starts[at])
            yield cuts


def _last_turn(parts: Parts, _: Rules, cuts: Cuts) -> Iterator[Cuts]:
    if cuts.condensed < len(parts.earlier):
        yield replace(cuts, condensed=len(parts.earlier))


def _low_passages(parts: Parts, _: Rules, cuts: Cuts) -> Iterator[Cuts]:
    return _without(parts, cuts, LEAST_PASSAGES)


def _all_passages(parts: Parts, _: Rules, cuts: Cuts) -> Iterator[Cuts]:
    return _without(parts, cuts, 0)


def _without(parts: Parts, cuts: Cuts, least: int) -> Iterator[Cuts]:
    """Leave passages out, the lowest rank first and of one rank the oldest, until few are left."""
    left = [one for one in parts.all_passages if one.number not in cuts.passages]
    left.sort(key=_worth)
    while len(left) > least:
        cuts = replace(cuts, passages=cuts.passages | {left.pop(0).number})
        yield cuts


def _worth(one: Shown) -> tuple[int, int]:
    return -one.rank, one.number


def _answer(_: Parts, rules: Rules, cuts: Cuts) -> Iterator[Cuts]:
    room = cuts.answer_tokens
    while room > rules.least_answer_tokens:
        room = max(rules.least_answer_tokens, int(room * _STEP))
        yield replace(cuts, answer_tokens=room)


def _texts(parts: Parts, _: Rules, cuts: Cuts) -> Iterator[Cuts]:
    return _shortened(parts, cuts, LEAST_TEXT)


def _fewest(parts: Parts, _: Rules, cuts: Cuts) -> Iterator[Cuts]:
    return _shortened(parts, cuts, FEWEST)


def _shortened(parts: Parts, cuts: Cuts, least: int) -> Iterator[Cuts]:
    """Shorten the messages behind the results, then the question."""
    texts = parts.texts
    for key in [*(key for key in texts if key.startswith("more")), QUESTION]:
        shown = cuts.texts.get(key, len(texts[key]))
        while shown > least:
            shown = max(least, int(shown * _STEP))
            # What is left out has to be more than the words that say so.
            if len(texts[key]) - shown > _WORDS_OF_A_NOTE:
                cuts = replace(cuts, texts={**cuts.texts, key: shown})
                yield cuts


def _rounds(parts: Parts, _: Rules, cuts: Cuts) -> Iterator[Cuts]:
    for count in range(1, len(parts.rounds) + 1):
        yield replace(cuts, rounds=count)


def _tools(parts: Parts, _: Rules, cuts: Cuts) -> Iterator[Cuts]:
    if parts.tools:
        yield replace(cuts, tools=True)
