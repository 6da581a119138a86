"""Results in words for a terminal. Nothing here prints."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from memory.item_names import path

_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that steer a terminal, turn the order of those behind them round, or are none."""


def harmless(text: str) -> str:
    """Return the text with what would steer a terminal made visible: outside words may hold it."""
    return _COMMANDS.sub(lambda found: ascii(found.group())[1:-1], text)


def answer(result: Mapping[str, Any], *, said: str = "", verbose: bool = False) -> Iterator[str]:
    """Write a turn: the question as heard, the answer, its citations, the way it took.

    `said` are the words that stand on the terminal already: they are not written twice, and where
    the answer is another after its check, that is said.
    """
    if result["heard"]:
        yield f"heard: {result['heard']}"
    if result["problem"]:
        yield result["problem"]
    shown = Shown.of(said, result["answer"] or "")
    if result["answer"] is not None:
        yield from shown.rest
    for waiting in result["waiting"]:
        yield (
            f"{waiting['description']} Ask again on this thread in a terminal to decide: "
            f"cortical ask --thread {result['thread_id']}"
        )
    yield from _below(result, shown.numbers)
    if verbose:
        yield f"  {usage(result['usage'])}"
    yield f"  way: {route(result['route'])}"


def _below(result: Mapping[str, Any], numbers: Mapping[int, int]) -> Iterator[str]:
    """Write what stands under an answer."""
    for citation in result["citations"]:
        number = numbers.get(citation["number"], citation["number"])
        yield f"  [{number}] {_source(citation)}"
        yield f"      “{_line(citation['quote'])}”"
    for sentence in result["unsupported"]:
        yield f"  not backed by a source: {sentence}"
    for failure in result["failed"]:
        yield f"  could not be read: {failure['reason']}"
    for flaw in result["flaws"]:
        yield f"  note: {flaw['name']}: {flaw['flaw']}"
    if result["spoken"]:
        yield f"  spoken to {result['spoken']}"
    if result["ended_by"]:
        ended = result["ended_by"]
        yield f"  ended early by its budget of {ended['budget']}: {ended['reason']}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What of an answer stands on a terminal already."""

    rest: tuple[str, ...]
    """Lines that have to be written yet."""
    numbers: Mapping[int, int]
    """To the number of a citation, the one that its mark has on the terminal."""

    @classmethod
    def of(cls, said: str, answer: str) -> "Shown":
        """Compare the words that were shown as they were written with the answer.

        The check numbers citations anew. If that is all that it changed, the words stand, and so do
        their marks; otherwise the answer is written out.
        """
        if not said.strip():
            return cls(rest=(answer,), numbers={})
        before, after = _MARK.split(said.strip()), _MARK.split(answer)
        same = [_line(one) for one in before[:-1:2]] == [_line(one) for one in after[:-1:2]]
        marks = {int(new): int(old) for new, old in zip(after[1::2], before[1::2], strict=False)}
        pairs = set(zip(after[1::2], before[1::2], strict=False))
        if same and len(pairs) == len(marks) and after[-1].startswith(before[-1]):
            rest = after[-1].removeprefix(before[-1]).strip()
            return cls(rest=(rest,) if rest else (), numbers=marks)
        return cls(rest=(_CHECKED, answer), numbers={})


_MARK = re.compile(r"\[(\d+)\]")
_CHECKED = "— The words above were checked against their sources. The answer is:"


def usage(used: Mapping[str, Any]) -> str:
    """Write what a turn has taken, and how fast it was written."""
    read = f"{used['read']} tokens read ({used['cached']} of them found in the cache)"
    parts = [read, f"{used['written']} written"]
    if used["first_token_s"] is not None:
        parts.append(f"the first after {used['first_token_s']:.2f} s")
    if used["tokens_per_s"] is not None:
        parts.append(f"{used['tokens_per_s']:.1f} a second")
    return ", ".join(parts)


def _source(citation: Mapping[str, Any]) -> str:
    where = f", {citation['where']}" if citation["where"] else ""
    return f"{citation['title']}{where}  ({citation['source']})"


def _line(text: str) -> str:
    return " ".join(text.split())


def route(steps: Sequence[Mapping[str, Any]]) -> str:
    """Write the nodes in order with their seconds."""
    if not steps:
        return "no node ran"
    total = sum(step["seconds"] for step in steps)
    words = " → ".join(f"{step['node']} {step['seconds']:.2f} s" for step in steps)
    return f"{words}  (in all {total:.2f} s)"


def tiers(capabilities: Sequence[Mapping[str, Any]]) -> str:
    """Write what serves each capability in one line."""
    return ", ".join(f"{one['name']}: {one['server']} ({one['tier']})" for one in capabilities)


def doctor(capabilities: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Write a line for each capability, with advice below."""
    width = max(len(one["name"]) for one in capabilities)
    for one in capabilities:
        mark = "✗" if one["tier"] == "missing" else "✓"
        yield f"{mark} {one['name']:<{width}}  {one['tier']:<8}  {one['server']}"
        if one["advice"]:
            yield f"  {'':<{width}}  {one['advice']}"


def hits(
    found: Sequence[Mapping[str, Any]], *, collection: str, narrowed: bool = False
) -> Iterator[str]:
    """Write each passage with its score, source and place."""
    if not found and narrowed:
        yield f"Nothing in the collection {collection!r} is within what the options ask for."
    elif not found:
        yield (
            f"The collection {collection!r} is empty. "
            "`cortical ingest PATH` puts documents into memory."
        )
    for number, hit in enumerate(found, start=1):
        where = f", {hit['where']}" if hit["where"] else ""
        yield f"{number:2}. {hit['score']:.3f}  {hit['title']}{where}"
        yield f"    {_shortened(hit['text'])}"
        for near in hit.get("around", ()):
            yield f"      beside it, {near['where'] or 'unplaced'}: {_shortened(near['text'])}"
        yield f"    {shown(hit['source'])}"


def _shortened(text: str, limit: int = 200) -> str:
    line = _line(text)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def transcript(result: Mapping[str, Any]) -> Iterator[str]:
    """Write each segment with its time, and its words with theirs."""
    for segment in result["segments"]:
        who = f"{segment['speaker']}: " if segment["speaker"] else ""
        yield f"{segment['start_s']:7.2f}-{segment['end_s']:.2f}  {who}{segment['text']}"
        for word in segment["words"]:
            yield f"{'':10}{word['start_s']:7.2f}-{word['end_s']:.2f}  {word['text']}"
    if not result["segments"]:
        yield "No words were heard."
    yield from (f"note: {flaw}" for flaw in result["flaws"])


def sighting(result: Mapping[str, Any]) -> Iterator[str]:
    """Write each line of text with its box in pixels and its score."""
    for line in result["lines"]:
        yield f"{_corners(line['box']):>23}  {line['score']:.2f}  {line['text']}"
    if not result["lines"]:
        yield "No text was seen."
    yield from (f"note: {flaw}" for flaw in result["flaws"])


def screen(result: Mapping[str, Any]) -> Iterator[str]:
    """Write the elements of a screen as a tree, each with its box in pixels and its text."""
    for element in result["elements"]:
        yield from _element(element, 0)
    if not result["elements"]:
        yield "Nothing was seen."
    yield from (f"note: {flaw}" for flaw in result["flaws"])


def _element(element: Mapping[str, Any], depth: int) -> Iterator[str]:
    text = f"  {element['text']}" if element["text"] else ""
    yield f"{'  ' * depth}{element['kind']}  {_corners(element['box'])}{text}"
    for child in element["children"]:
        yield from _element(child, depth + 1)


def _corners(box: Mapping[str, float]) -> str:
    return f"{box['left']:.0f},{box['top']:.0f}-{box['right']:.0f},{box['bottom']:.0f}"


def outlines(result: Mapping[str, Any]) -> Iterator[str]:
    """Write what was pointed at, each with its box in pixels and the text in it."""
    for one in result["regions"]:
        text = f"  {one['text']}" if one["text"] else ""
        yield f"{_corners(one['box'])}  {one['score']:.2f}{text}"
    yield from (f"note: {flaw}" for flaw in result["flaws"])


def description(result: Mapping[str, Any]) -> Iterator[str]:
    """Write what a model says of a picture, and which it is."""
    yield harmless(result["text"])
    yield f"({result['served_by']})"
    yield from (f"note: {flaw}" for flaw in result["flaws"])


def shown(uri: str) -> str:
    """Write the uri of a file, or of a document in one, as a path; any other as it is."""
    path = unquote(uri.removeprefix("file://"))
    # A name with a line break in it could look like a line of ours.
    return path if uri.startswith("file:///") and path.isprintable() else uri


def ingested(report: Mapping[str, Any]) -> Iterator[str]:
    """Write what was read, and each file that was not."""
    more = {name: report.get(name, 0) for name in ("moved", "empty", "ignored")}
    more["not read"] = len(report["failed"])
    counts = {
        "read": report["read"],
        "unchanged": report["unchanged"],
        "vanished": report["vanished"],
        **{name: count for name, count in more.items() if count},
    }
    yield (
        f"{', '.join(f'{count} {name}' for name, count in counts.items())}; "
        f"{report['chunks']} passages in {report['seconds']:.1f} s"
    )
    yield from (f"  note: {shown(one['uri'])}: {one['reason']}" for one in report["flawed"])
    yield from (f"  not read: {shown(one['uri'])}: {one['reason']}" for one in report["failed"])


def runs(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Write a line for each run."""
    if not found:
        yield "No runs yet. `cortical ask QUESTION` makes one."
    for run in found:
        files = " ".join(file["name"] for file in run["input"].get("files") or ())
        asked = _shortened(str(run["input"].get("question") or files), 50)
        yield (
            f"{run['run_id'][:8]}  {run['created_at'][:19]}  {run['status']:<9}  {run['graph']:<10}"
            f"  {run['thread_id'][:24]:<24}  {asked}"
        )


def run(one: Mapping[str, Any]) -> Iterator[str]:
    """Write everything that is known of a run."""
    for key in (
        "run_id",
        "thread_id",
        "graph",
        "status",
        "created_at",
        "ended_at",
        "error",
        "ended_by",
    ):
        if one[key] is not None:
            yield f"{key:<11} {one[key]}"
    yield f"{'tokens':<11} {one['prompt_tokens']} read, {one['answer_tokens']} written"
    yield f"{'input':<11} {one['input']}"
    yield f"{'way':<11} {route(one['route'])}"
    for step in one["route"]:
        if step["error"]:
            yield f"{step['node']} failed: {step['error']}"
    yield from (f"act {act['state']}: {harmless(_act(act))}" for act in one["acts"])


def _act(act: Mapping[str, Any]) -> str:
    return f"{act['tool']} {act['target']}".rstrip()


def step(event: Mapping[str, Any]) -> str:
    """Write a step that has ended."""
    failed = f"  failed: {event['error']}" if event["error"] else ""
    return harmless(
        f"{event['started_at'][11:19]}  {event['node']}  {event['seconds']:.2f} s{failed}"
    )


def standing(run: Mapping[str, Any]) -> Iterator[str]:
    """Write how a run stands, and what can be done about it."""
    name = run["run_id"][:8]
    thread = shlex.quote(run["thread_id"])
    if run.get("left"):
        yield f"run {name}: nobody works on it. To go on: cortical runs resume {name}"
        return
    yield f"run {name}: {run['status']}" + (f": {run['error']}" if run["error"] else "")
    if run["status"] == "waiting":
        yield f"It waits for a decision: cortical ask --thread {thread}"
    elif run["status"] in ("paused", "failed"):
        yield f"To go on: cortical runs resume {name}"
    elif run["status"] == "running" and run["cancel_asked_at"]:
        yield "It was told to end, and does so when what it does now is done."
    for act in run.get("acts", ()):
        if act["state"] == "unknown":
            yield (
                f"{harmless(_act(act))} was begun, and nobody can know whether it was done. Look, "
                "and do it yourself where it was not."
            )


def ran(result: Mapping[str, Any]) -> Iterator[str]:
    """Write what came out of a run of any graph, and the way it took."""
    yield json.dumps(result["output"], ensure_ascii=False, indent=2, default=str)
    yield f"way: {route(result['route'])}"
    if result["waiting"]:
        yield f"It waits for a decision: cortical ask --thread {shlex.quote(result['thread_id'])}"


def reindexed(done: Mapping[str, Any]) -> Iterator[str]:
    """Write what search works with now, and what became of the models before."""
    yield (
        f"{done['embedded']} passages embedded in {done['seconds']:.1f} s; all {done['passages']} "
        f"have vectors of {done['model']}"
    )
    if done["replaced"] is not None:
        yield f"search has gone over from {done['replaced']} to {done['model']}"
    yield from (f"  dropped: {name}" for name in done["dropped"])
    for name in done["kept"]:
        yield f"  kept: {name}; `cortical memory reindex --embedder {done['model']}` drops it"


def memories(found: Mapping[str, Any]) -> Iterator[str]:
    """Write each memory with its name, its time, its source and whose words it holds."""
    if not found["memories"]:
        yield 'Nothing is remembered. `cortical ask "Remember that …"` notes a fact.'
    for one in found["memories"]:
        text = one["value"].get("text") if set(one["value"]) == {"text"} else one["value"]
        yield f"{path(one['namespace'], one['key'])}  {one['updated_at'][:16].replace('T', ' ')}"
        yield f"    {_shortened(str(text))}"
        source, origins = one["source"] or "source unknown", ", ".join(one["label"]["origins"])
        yield f"    {source}; words: {origins}"
    left = found["total"] - len(found["memories"])
    if left > 0:
        yield f"{left} more; `--limit {found['total']}` shows all"
