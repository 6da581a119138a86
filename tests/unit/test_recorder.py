"""What is noted of a node that did not come to its end."""

import asyncio
from uuid import uuid4

import pytest

from agent.recorder import RunRecorder
from agent.testing import FixedClock
from memory.runs import RunStep


@pytest.mark.parametrize(
    ("error", "noted"),
    [
        (ValueError("the page is gone"), "ValueError: the page is gone"),
        (asyncio.CancelledError(object()), "stopped before its end"),
    ],
)
async def test_a_node_that_failed_is_noted_in_words(error: BaseException, noted: str) -> None:
    steps: list[RunStep] = []
    recorder = RunRecorder(steps.append, FixedClock(), lambda _: None)
    run_id = uuid4()
    node = {"langgraph_node": "reason"}
    await recorder.on_chain_start({}, {}, run_id=run_id, metadata=node, name="reason")
    await recorder.on_chain_error(error, run_id=run_id)
    assert [(step.node, step.error) for step in steps] == [("reason", noted)]
    assert recorder.failed == noted
