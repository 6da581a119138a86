"""`bench embed` reports ours alone without the peer, both with it, and nothing from nothing."""

from pathlib import Path

import pytest

from agent.bench import embedding, peer, samples
from agent.errors import AgentError
from agent.settings import load

THEIRS = peer.interpreter(None)


def heard(event: object) -> None:
    """Progress that nobody watches."""


async def test_without_the_peer_ours_is_measured_and_the_way_to_it_told() -> None:
    report = await embedding.measure(load(), (), count=3, rounds=2, interpreter=None, watch=heard)
    ours = report["cortical"]
    assert ours["documents"]["texts_per_s"] > 0
    assert ours["questions"]["tokens_per_s"] > 0
    assert report["sentence_transformers"] is None
    assert "times_as_fast" not in report
    assert "`make peers`" in "\n".join(embedding.lines(report))


@pytest.mark.skipif(THEIRS is None, reason="`make peers` has not been run")
async def test_with_the_peer_both_take_turns_and_are_compared() -> None:
    report = await embedding.measure(load(), (), count=3, rounds=2, interpreter=THEIRS, watch=heard)
    assert len(report["sentence_transformers"]["documents"]["s"]) == 2
    assert report["cosine"]["texts"] == 6
    assert 0.995 <= report["cosine"]["min"] <= report["cosine"]["p50"] <= 1.001
    assert report["times_as_fast"]["together"] > 0
    assert "times as fast" in "\n".join(embedding.lines(report))


async def test_nothing_to_embed_makes_the_benchmark_void(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = samples.Samples(documents=[], questions=[])
    monkeypatch.setattr(samples, "chosen", lambda folders, count: nothing)
    with pytest.raises(AgentError, match="void"):
        await embedding.measure(load(), (), count=3, rounds=2, interpreter=None, watch=heard)


def test_texts_are_taken_from_folders_of_judged_questions(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "title": "T", "text": "body"}\n')
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "why?"}\n')
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\n")
    chosen = samples.chosen([tmp_path], 5)
    assert (chosen.documents, chosen.questions) == (["T\nbody"], ["why?"])
