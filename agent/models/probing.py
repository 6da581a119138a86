"""Probes for a person and for the engine: which executive, when, and what follows from it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from agent.executives.choose import Choosing, choose
from agent.executives.probe.cache import ProbeCache
from agent.executives.probe.probing import Findings, Tell, probe
from graphs.errors import ExecutiveError

if TYPE_CHECKING:
    from graphs.executive import Executive

AUTO_LIMIT_S = 60.0
"""For a probe that nobody asked for, once the model is loaded."""


async def probed(
    executive: "Executive", choosing: Choosing, *, limit_s: float | None, tell: Tell
) -> Findings:
    """Probe a model that was chosen without regard to earlier findings.

    Where its calls can go by its own template as well as by schema, both are tried.
    """
    native, by_schema = [
        (await choose(replace(choosing, native_tools=way))).executive for way in (True, False)
    ]
    if not native.profile.native_tools:
        return await probe(executive, limit_s=limit_s, tell=tell)
    return await probe(native, by_schema=by_schema, limit_s=limit_s, tell=tell)


async def otherwise(
    executive: "Executive", cache: ProbeCache, choosing: Choosing, *, auto: bool, tell: Tell
) -> bool | None:
    """Return how tool calls should go where it is not as the profile says; None: as it says.

    A model of the full tier that has no findings is probed; one that cannot be asked is left for
    the first real request to tell of.
    """
    profile = executive.profile
    found = cache.get(profile.digest)
    if found is None and auto and profile.tier == "full" and profile.digest:
        try:
            found = await probed(executive, choosing, limit_s=AUTO_LIMIT_S, tell=tell)
        except ExecutiveError as error:
            tell(f"{profile.name} could not be probed: {error}")
            return None
        cache.put(found)
        tell(f"probed in {found.seconds:.0f} s: {summary(found)}")
    native = None if found is None else found.native_tools
    return None if native == profile.native_tools else native


def summary(found: Findings) -> str:
    """Say in a line what a model can do."""
    words = []
    if found.native_tools is not None:
        words.append(f"tool calls {'of its own' if found.native_tools else 'by schema'}")
    elif found.by_schema is not None:
        words.append("tool calls by schema")
    score = found.native if found.native_tools else found.by_schema
    if score is not None:
        words.append(f"{score.right} of {score.of} right")
    if found.held is not None:
        kept = "read to its beginning" if found.held.found else "NOT read to its beginning"
        words.append(f"a prompt of {found.held.read or found.held.counted} tokens {kept}")
    if found.left_out:
        words.append(f"not in time: {', '.join(found.left_out)}")
    return ", ".join(words) or "nothing was found out"


def to_json(found: Findings) -> dict[str, Any]:
    """Return what was found as plain values, with what follows from it."""
    return {**asdict(found), "native_tools": found.native_tools, "summary": summary(found)}


def lines(found: Mapping[str, Any]) -> list[str]:
    """Write what was found for a person."""
    told = [f"{found['model']}, probed in {found['seconds']:.1f} s"]
    told += [f"  {words:<24} {_score(found[key])}" for key, words in _SCORES.items() if found[key]]
    if found["at_once"] is not None:
        told.append(f"  {'calls at once':<24} {found['at_once']} of 2")
    if found["thoughts_on"] is not None:
        told.append(f"  {'thinking':<24} {_thinking(found)}")
    if found["goes_on"] is not None:
        told.append(f"  {'going on with an answer':<24} {'yes' if found['goes_on'] else 'no'}")
    if found["held"] is not None:
        told.append(f"  {'context':<24} {_held(found['held'], found['context_tokens'])}")
    told += [f"  {'not in time':<24} {name}" for name in found["left_out"]]
    if found["native_tools"] is not None:
        way = "of its own" if found["native_tools"] else "by schema"
        told.append(f"  {'so tool calls go':<24} {way}")
    return told


_SCORES = {
    "native": "tool calls of its own",
    "by_schema": "tool calls by schema",
    "schema": "answers by schema",
}


def _score(score: Mapping[str, int]) -> str:
    return f"{score['valid']} of {score['of']} valid, {score['right']} right"


def _thinking(found: Mapping[str, Any]) -> str:
    if found["thoughts_off"]:
        return "thinks even where it should not"
    return "can be switched on and off" if found["thoughts_on"] else "none"


def _held(held: Mapping[str, Any], context_tokens: int) -> str:
    size = held["read"] or held["counted"]
    needle = "its beginning was read" if held["found"] else "its beginning was NOT found again"
    agrees = "the counts agree" if held["agrees"] else "the counts do NOT agree"
    return f"{context_tokens} tokens; of a prompt of {size} {needle}; {agrees}"
