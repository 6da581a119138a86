"""The arbiter answers any event in any state, and the checker finds nothing in it."""

from dataclasses import fields
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.residency import check
from agent.residency.arbiter import events
from agent.residency.arbiter.events import Choice
from agent.residency.arbiter.limits import MIB, Limits, Profile
from agent.residency.trace import Recorder

LIMITS = Limits(
    capacity_bytes=1000 * MIB,
    profiles=(Profile(name="full", bytes=500 * MIB), Profile(name="compact", bytes=200 * MIB)),
    safety_bytes=50 * MIB,
    context_bytes=50 * MIB,
    wait_s=30.0,
    lease_s=10.0,
)
NAMES = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers(0, 12).map(lambda n: n if n < 4 else (1 << 32) + n)
SIZES = st.sampled_from([-1, 0, 10 * MIB, 200 * MIB, 350 * MIB, 2000 * MIB])
CHOICES = st.builds(
    Choice,
    variant=st.sampled_from(["hearing", "sight", "cpu", events.EXECUTIVE]),
    place=st.sampled_from(["cuda", "cpu"]),
    weights_bytes=SIZES,
    working_bytes=SIZES,
    reload_s=st.floats(0, 5),
)
STEPS_S = st.sampled_from([0.0, 0.0, 0.1, 3.0, 40.0])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "ask": NAMES,
    "turn": NAMES,
    "holder": NAMES,
    "choices": st.lists(CHOICES, max_size=3).map(tuple),
    "choice": CHOICES,
    "priority": st.sampled_from(list(events.Priority)),
    "deadline": st.none() | st.floats(0, 100),
    "limit_s": st.none() | st.floats(-1, 20),
    "until": st.floats(0, 100),
    "token": NUMBERS,
    "load": NUMBERS,
    "variant": st.sampled_from(["hearing", "sight", "cpu", events.EXECUTIVE]),
    "reason": st.just(""),
    "work": st.sampled_from(list(events.WhilePaused)),
    "begun": st.booleans(),
    "used_bytes": st.none() | st.integers(0, 1000).map(lambda n: n * MIB),
    "own_bytes": st.integers(0, 1000).map(lambda n: n * MIB),
}
OTHERS = (events.Event, events.Started, events.Measured)
KINDS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, events.Event) and kind not in OTHERS
]


@st.composite
def one_event(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from([*KINDS, events.Measured]))
    told = {field.name: draw(FIELDS[field.name]) for field in fields(kind) if field.name in FIELDS}
    return {"kind": kind, "after_s": draw(STEPS_S), **told}


@given(st.lists(one_event(), min_size=1, max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_event_may_come_at_any_time(told: list[dict[str, Any]]) -> None:
    trace: list[dict[str, Any]] = []
    record = Recorder(LIMITS, trace.append)
    now = 0.0
    record(events.Started(now=now, epoch=1))
    record(measured(now))
    record(events.Asked(now=now, ask="first", holder="a", choices=(Choice(variant="hearing"),)))
    wake_at = None
    for one in told:
        now += one["after_s"]
        while (wake_at := record.state.wake_at) is not None and wake_at < now:
            record(events.Ticked(now=wake_at))
        kind = one["kind"]
        if kind is events.Measured:
            record(measured(now, used=one["used_bytes"], own=one["own_bytes"]))
        else:
            arguments = {k: v for k, v in one.items() if k not in ("kind", "after_s")}
            record(kind(now=now, **arguments))
    while record.state.asks or any(t.ends_at is None for t in record.state.turns.values()):
        assert record.state.wake_at is not None
        record(events.Ticked(now=record.state.wake_at))
    record.close()
    report = check.check(trace)
    assert report.verdict is check.Verdict.PROVED, check.lines(report)


def measured(now: float, *, used: int | None = 0, own: int = 0) -> events.Measured:
    whole = None if used is None else max(used, own)
    return events.Measured(now=now, taken_at=now, used_bytes=whole, own_bytes=own)
