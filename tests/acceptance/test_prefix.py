"""`cortical bench prefix`: what it measures, and that it says so where it measured nothing."""

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.timeout(1_000)
def test_it_tells_what_was_evaluated_beyond_what_no_layout_could_spare(user: Any) -> None:
    told = user.run(
        *("bench", "prefix", "--mails", "2", "--questions", "2", "--searches", "2", "--json"),
        timeout_s=900,  # half a minute on two idle cores
    )
    assert told.code == 0, told.out + told.err
    for part, requests in (("triage", 2), ("research", 4)):
        ours = told.value[part]["layouts"]["cortical"]
        assert ours["requests"] == requests
        assert ours["refused"] == 0
        assert 0 < told.value[part]["least_tokens"] <= ours["evaluated_tokens"]
        assert ours["evaluated_tokens"] < ours["prompt_tokens"]
        assert ours["first_token_ms"]["p50"] > 0


def test_without_anything_to_measure_it_fails(user: Any, tmp_path: Path) -> None:
    path = tmp_path / "mails.jsonl"
    path.write_text("")
    told = user.run("bench", "prefix", "--triage", path)
    assert told.code != 0
    assert "nothing can be measured" in told.err
