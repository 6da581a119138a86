"""Every fault of the table, on every adapter where it can occur."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.bench.faults import measure
from agent.bench.faults.measure import STAGES, meet
from agent.bench.faults.stage import ANSWER, FIRST
from agent.bench.faults.table import FAULTS, Adapter, Fault, Outcome
from agent.errors import AgentError
from agent.executives.llamacpp import executive as llamacpp
from agent.executives.ollama import stream as ollama_stream
from agent.executives.ollama.executive import OllamaExecutive
from agent.executives.openai.executive import OpenAiExecutive
from agent.testing import ScriptedExecutive, ScriptedReply
from graphs.executive import EndReason, Executive

CASES = [
    pytest.param(fault, adapter, id=f"{fault.name}-{adapter}")
    for fault in FAULTS
    for adapter in fault.expected
]


@pytest.mark.parametrize(("fault", "adapter"), CASES)
async def test_a_fault_becomes_what_it_has_to(fault: Fault, adapter: Adapter) -> None:
    met = await meet(fault, adapter)

    assert (met.outcome, met.error) == (
        fault.expected[adapter].outcome,
        fault.expected[adapter].error,
    ), met.said
    assert met.detected
    assert met.said.rstrip().endswith((".", '"', "'", "}"))


def test_no_fault_is_expected_to_pass_unnoticed() -> None:
    expected = [one for fault in FAULTS for one in fault.expected.values()]

    assert Outcome.MISSED not in {one.outcome for one in expected}
    assert all((one.error is not None) == (one.outcome is Outcome.NAMED) for one in expected)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 12


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (ANSWER, Outcome.MISSED),
        (FIRST, Outcome.MISSED),
        (f"{ANSWER}{ANSWER}", Outcome.MISSED),
        (ScriptedReply(text="x", reason=EndReason.LENGTH), Outcome.CUT),
    ],
    ids=["as if nothing were", "half", "twice", "cut"],
)
async def test_an_adapter_that_does_not_notice_fails_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, reply: str | ScriptedReply, outcome: Outcome
) -> None:
    @asynccontextmanager
    async def careless(fault: Fault) -> AsyncIterator[Executive]:
        yield ScriptedExecutive([reply, reply])

    monkeypatch.setitem(STAGES, Adapter.OLLAMA, careless)
    met = await meet(FAULTS[0], Adapter.OLLAMA)

    assert met.outcome is outcome
    assert not met.right
    assert met.detected == (outcome is not Outcome.MISSED)


def _unheeding(*_: Any) -> None:
    """Stand where a guard stood."""


async def _told_nothing(_: Any) -> list[str]:
    return []


@pytest.mark.parametrize(
    ("owner", "guard", "instead", "missed"),
    [
        (OllamaExecutive, "_verify", _unheeding, ["truncated-ollama"]),
        (OpenAiExecutive, "_verify", _unheeding, ["truncated-openai", "stranger-openai"]),
        (llamacpp._Answer, "_verify", _unheeding, ["truncated-in process"]),
        (OllamaExecutive, "_check_residence", _told_nothing, ["small-context-ollama"]),
        (ollama_stream, "RELOAD_S", 1e9, ["reloaded-ollama"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_guard_that_is_taken_away_is_missed(
    monkeypatch: pytest.MonkeyPatch, owner: Any, guard: str, instead: Any, missed: list[str]
) -> None:
    quick = [one for one in FAULTS if not one.name.startswith("hangs")]
    monkeypatch.setattr(owner, guard, instead)
    met = [await meet(fault, adapter) for fault in quick for adapter in fault.expected]

    assert [f"{one.fault.name}-{one.adapter}" for one in met if not one.detected] == missed


async def test_a_benchmark_that_met_no_fault_is_void(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "FAULTS", ())
    with pytest.raises(AgentError, match="void"):
        await measure.measure()


def test_the_matrix_says_where_a_fault_went_wrong() -> None:
    row: dict[str, Any] = {
        "fault": "cut-first",
        "what": "w",
        "adapter": "ollama",
        "right": False,
        "error": None,
        "outcome": "not noticed",
    }
    report = {"faults": 1, "met": 1, "detected": 0, "right": 0, "rows": [row]}
    shown = "\n".join(measure.matrix(report))

    assert "WRONG: not noticed" in shown
    assert shown.count("cannot occur") == 2


def test_the_table_in_the_documentation_is_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs/executive.md").read_text("utf-8")
    for fault in FAULTS:
        cells = [_cell(fault, adapter) for adapter in Adapter]
        assert f"| `{fault.name}` | {fault.what} | {' | '.join(cells)} |" in page


def _cell(fault: Fault, adapter: Adapter) -> str:
    expected = fault.expected.get(adapter)
    if expected is None:
        return "–"
    return expected.error.__name__ if expected.error else str(expected.outcome)
