"""Figures of what layouts took, and the lines that tell them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.bench.prefix.steered import Took
from agent.bench.timing import percentiles
from agent.errors import AgentError

OURS = "cortical"
MOST_TIMES_LEAST = 1.1
"""What cortical may evaluate of what no layout could spare."""
FASTER = 2.0
"""How much sooner than the peer's its first token is to come."""


def figures(groups: Sequence[Sequence[Took]], least: int) -> dict[str, Any]:
    """Return the figures of one layout; a group holds the requests of one question or mail.

    Raises AgentError if nothing was measured.
    """
    every = [one for group in groups for one in group]
    done = [one for one in every if not one.refused]
    if not done or least <= 0 or not any(one.cached_tokens for one in done[1:]):
        raise AgentError(
            f"The benchmark is void: of {len(every)} requests {len(done)} were evaluated, and the "
            "model told of no token that was found in its cache. Give it more to do."
        )
    evaluated = sum(one.evaluated_tokens for one in done)
    whole = [group for group in groups if group and not any(one.refused for one in group)]
    return {
        "requests": len(every),
        "refused": len(every) - len(done),
        "prompt_tokens": sum(one.prompt_tokens for one in every),
        "evaluated_tokens": evaluated,
        "again_tokens": evaluated - least,
        "times_least": round(evaluated / least, 3),
        "first_token_ms": percentiles([one.first_token_s for one in done]),
        "answer_begins_ms": percentiles([_answer_begins(group) for group in whole])
        if whole
        else None,
        "groups": [[_row(one) for one in group] for group in groups],
    }


def _answer_begins(group: Sequence[Took]) -> float:
    """Return the seconds from the question to the first token of what answers it, without tools."""
    return sum(one.seconds for one in group[:-1]) + group[-1].first_token_s


def _row(one: Took) -> dict[str, Any]:
    return {
        "prompt": one.prompt_tokens,
        "cached": one.cached_tokens,
        "first_token_ms": round(1e3 * one.first_token_s, 1),
        **({"refused": True} if one.refused else {}),
    }


def compared(layouts: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return how many times sooner than each peer's our first token comes."""
    ours = layouts[OURS]
    return {
        name: {
            "first_token_p50": _times(one, ours, "first_token_ms", "p50"),
            "first_token_p95": _times(one, ours, "first_token_ms", "p95"),
            "answer_begins_p50": _times(one, ours, "answer_begins_ms", "p50"),
            "evaluated_tokens": round(one["evaluated_tokens"] / ours["evaluated_tokens"], 2),
        }
        for name, one in layouts.items()
        if name != OURS
    }


def _times(
    theirs: Mapping[str, Any], ours: Mapping[str, Any], figure: str, percentile: str
) -> float:
    if theirs[figure] is None or ours[figure] is None:
        return float("nan")
    return round(float(theirs[figure][percentile]) / float(ours[figure][percentile]), 2)


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures as tables."""
    yield f"{report['model']}, context of {report['context_tokens']} tokens, one slot"
    for name in ("triage", "research"):
        part = report[name]
        yield f"{name}: {part['work']}; no layout could spare {part['least_tokens']:,} tokens"
        if part.get("shown_again_tokens"):
            yield (
                f"  ({part['shown_again_tokens']:,} tokens came into view again after requests "
                "without them: only a layout that drops nothing spares those)"
            )
        for layout, one in part["layouts"].items():
            yield f"  {layout:<22} {_told(one)}"
        for layout, times in part["compared"].items():
            yield (
                f"  {OURS} beside {layout}: first token {times['first_token_p50']:.2f} (p50) and "
                f"{times['first_token_p95']:.2f} (p95) times as soon, answers begin "
                f"{times['answer_begins_p50']:.2f} times as soon, tokens evaluated there "
                f"{times['evaluated_tokens']:.2f} times ours"
            )


def _told(one: Mapping[str, Any]) -> str:
    first, begins = one["first_token_ms"], one["answer_begins_ms"]
    text = (
        f"{one['prompt_tokens']:>8,} in {one['requests']} prompts, {one['evaluated_tokens']:,} "
        f"evaluated, {one['again_tokens']:,} again ({one['times_least']:.3f} times the least); "
        f"first token {first['p50']:.0f} ms, p95 {first['p95']:.0f} ms"
    )
    if begins is not None:
        text += f"; answer begins after {begins['p50']:.0f} ms, p95 {begins['p95']:.0f} ms"
    return text + (f"; {one['refused']} longer than the context" if one["refused"] else "")
