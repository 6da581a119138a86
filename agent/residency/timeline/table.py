"""Transitions of a trace in words, a line each."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from agent.models.sizes import gib
from agent.residency.books import JsonObject
from agent.residency.timeline.axes import Clock

_WHO = ("person", "job")
_UNSAID = frozenset({"Wake"})


def lines(transitions: Iterable[JsonObject], clock: Clock) -> Iterator[str]:
    """Write what changed anything, and how many transitions did not."""
    quiet = 0
    for line in transitions:
        effects = [one for one in line["effects"] if one["kind"] not in _UNSAID]
        if not effects and line["event"]["kind"] in _QUIET and line["before"] == line["after"]:
            quiet += 1
            continue
        words = "; ".join([_told(_EVENTS, line["event"]), *(_told(_EFFECTS, e) for e in effects)])
        holder = line.get("actor") or ""
        yield f"{clock.exact(line['t']):>12}  {holder:<9} {_taken(line):<24} {words}"
    if quiet:
        yield f"{quiet} transitions that changed nothing are left out; --json has them"


def _taken(line: JsonObject) -> str:
    """Write the bytes that are ours before and after."""
    before, after = (
        sum(line[when][name] for name in ("reserved", "in_flight", "unconfirmed"))
        for when in ("before", "after")
    )
    return gib(after) if before == after else f"{gib(before)} → {gib(after)}"


def _told(known: Mapping[str, Callable[[JsonObject], str]], told: JsonObject) -> str:
    write = known.get(told["kind"])
    return told["kind"] if write is None else write(told)


def _because(told: JsonObject) -> str:
    return f" ({told['reason']})" if told["reason"] else ""


def _wishes(told: JsonObject) -> str:
    return ", else ".join(one["variant"] for one in told["choices"]) or "nothing"


def _measured(told: JsonObject) -> str:
    if told["used_bytes"] is None:
        return "the card cannot be read"
    return f"{gib(told['used_bytes'])} measured, {gib(told['own_bytes'])} of it ours"


def _where(told: JsonObject) -> str:
    return "on the card" if told["place"] == "cuda" else "on the CPU"


_QUIET = frozenset({"Measured", "Renewed", "Ticked"})

_EVENTS: Mapping[str, Callable[[JsonObject], str]] = {
    "Asked": lambda e: f"ask {e['ask']} of a {_WHO[e['priority']]}: {_wishes(e)}",
    "Cancelled": lambda e: f"{e['ask']} is wanted no more",
    "Released": lambda e: f"lease {e['token']} ends",
    "Renewed": lambda e: f"{e['holder']} lives",
    "HolderDied": lambda e: f"{e['holder']} is gone",
    "TurnAsked": lambda e: f"turn {e['turn']} of a {_WHO[e['priority']]}",
    "TurnEnded": lambda e: f"turn {e['turn']} ends",
    "LoadFinished": lambda e: f"load {e['load']} is there",
    "LoadFailed": lambda e: f"load {e['load']} failed{_because(e)}",
    "UnloadFinished": lambda e: f"load {e['load']} has gone",
    "UnloadFailed": lambda e: f"load {e['load']} did not go{_because(e)}",
    "Measured": _measured,
    "ExecutiveLost": lambda e: f"the executive is lost{_because(e)}",
    "ExecutiveDrifted": lambda e: f"the executive is not as it was loaded{_because(e)}",
    "SenseLost": lambda e: f"{e['variant']} is lost{_because(e)}",
    "WorkerDied": lambda _: "the senses' process died",
    "WorkerReady": lambda _: "the senses' process is there",
    "Paused": lambda e: f"paused by the owner: work {e['work']}",
    "Resumed": lambda _: "the owner gives the card back",
    "Hinted": lambda e: f"{e['choice']['variant']} will probably be wanted",
    "Ticked": lambda _: "time goes on",
    "Started": lambda e: f"the arbiter starts, life {e['epoch']}",
}

_EFFECTS: Mapping[str, Callable[[JsonObject], str]] = {
    "Granted": lambda e: (
        f"{e['ask']} is granted {e['variant']} {_where(e)}, lease {e['token']}{_because(e)}"
    ),
    "Admitted": lambda e: f"{e['turn']} begins, executive {_where(e)}",
    "Refused": lambda e: f"{e['ask']} is refused{_because(e)}",
    "Withdrawn": lambda e: f"{e['ask']} is withdrawn{_because(e)}",
    "Revoked": lambda e: f"lease {e['token']} is revoked{_because(e)}",
    "Closed": lambda e: f"lease {e['token']} is void",
    "TurnRevoked": lambda e: f"turn {e['turn']} is revoked{_because(e)}",
    "LoadSense": lambda e: f"{e['variant']} is loaded, {gib(e['weights_bytes'])}, load {e['load']}",
    "Kept": lambda e: f"{gib(e['working_bytes'])} are kept for {e['ask']}",
    "UnloadSense": lambda e: f"{e['variant']} leaves{_because(e)}",
    "LoadExecutive": lambda e: f"the executive is loaded, {gib(e['bytes'])}, load {e['load']}",
    "UnloadExecutive": lambda e: f"the executive leaves{_because(e)}",
    "KillWorker": lambda e: f"the senses' process is ended{_because(e)}",
    "StartWorker": lambda _: "the senses' process is started",
    "Say": lambda e: e["text"],
}
