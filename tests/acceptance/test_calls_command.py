"""`cortical bench calls`, as a user runs it, on the embedded model."""

from typing import Any


def test_the_calls_of_the_embedded_model_are_counted_in_both_ways(user: Any) -> None:
    words = ("bench", "calls", "--requests", "10", "--tokens", "60", "--json")
    done = user.run(*words, timeout_s=280)
    assert done.code == 0, done.out + done.err
    report = done.value
    assert (report["tools"], report["tokens"]) == (10, 60)
    for way in ("engine", "bare chat"):
        assert report[way]["requests"] == 10
        shares = [report[way][name]["count"] for name in ("valid", "right_tool", "right_call")]
        assert shares == sorted(shares, reverse=True)
        assert sum(row[0] for row in report[way]["by_tool"].values()) == 10
    assert report["engine"]["valid"]["share"] == 1.0


def test_fewer_requests_than_there_are_tools_are_refused(user: Any) -> None:
    done = user.run("bench", "calls", "--requests", "0")
    assert done.code == 2
    assert "--requests" in done.err
