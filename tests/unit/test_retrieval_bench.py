"""The arithmetic of the retrieval benchmark."""

import json
from pathlib import Path

import pytest

from agent.bench.retrieval import beir, crossfit, report
from agent.bench.retrieval.legs import Asked
from agent.bench.retrieval.measures import interval, interval_of_means, ndcg, recall
from agent.bench.timing import percentile
from agent.errors import AgentError, UsageError


def test_the_gain_is_that_of_trec_eval() -> None:
    gains = {"a": 3.0, "b": 1.0}
    assert ndcg(["a", "b"], gains) == 1.0
    assert ndcg(["x", "a"], gains) == pytest.approx((3 / 1.5849625) / (3 + 1 / 1.5849625))
    assert ndcg(["x"] * 10 + ["a"], gains) == 0.0
    assert ndcg([], gains) == 0.0


def test_recall_counts_the_judged_documents_among_the_first() -> None:
    assert recall(["a", "x", "b"], {"a": 1, "b": 1, "c": 2, "d": 1}, k=2) == 0.25


def test_an_interval_holds_the_mean_and_narrows_with_the_number_of_questions() -> None:
    few, many = [0.0, 1.0] * 5, [0.0, 1.0] * 500
    low, high = interval(few)
    assert 0 < low < 0.5 < high < 1
    assert interval(many)[1] - interval(many)[0] < (high - low) / 5
    low, high = interval_of_means([[0.2] * 10, [0.4] * 3])
    assert low == pytest.approx(0.3)
    assert high == pytest.approx(0.3)


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert percentile([5, 1, 4, 2, 3], 0.5) == 3
    assert percentile([5, 1, 4, 2, 3], 0.95) == 5
    assert percentile([7], 0.5) == 7


def asked(key: str, *evidence: tuple[str, float, float]) -> Asked:
    names = tuple(one[0] for one in evidence)
    return Asked(key=key, fused=names, lexical=names, vector=names, seconds=0.01, evidence=evidence)


def words_are_right(key: str) -> Asked:
    return asked(key, ("right", 0.1, 10.0), ("wrong", 0.3, 0.0))


def meaning_is_right(key: str) -> Asked:
    return asked(key, ("right", 0.3, 0.0), ("wrong", 0.1, 10.0))


def test_the_weight_for_a_folder_is_chosen_on_the_others() -> None:
    gains = {key: {"right": 1.0} for key in "abc"}
    runs = [[words_are_right("a")], [meaning_is_right("b")], [meaning_is_right("c")]]
    chosen = crossfit.of_other_folders(runs, [gains] * 3)
    # For the first the other two want little weight, whatever it would want itself.
    assert chosen[0] == [crossfit.WEIGHTS[0]]
    assert runs[0][0].weighed(chosen[0][0])[0] == "wrong"


def test_within_one_folder_no_question_chooses_its_own_weight() -> None:
    gains = {str(number): {"right": 1.0} for number in range(10)}
    run = [words_are_right("0")] + [meaning_is_right(str(number)) for number in range(1, 10)]
    [chosen] = crossfit.of_other_questions([run], [gains])
    assert chosen[0] == crossfit.WEIGHTS[0]


def test_one_weight_for_all_folders_is_chosen_on_other_questions_of_all() -> None:
    gains = {str(number): {"right": 1.0} for number in range(10)}
    words = [words_are_right(key) for key in gains]
    meaning = [meaning_is_right(key) for key in gains]
    pooled = crossfit.of_other_questions([words, meaning], [gains, gains])
    apart = crossfit.of_other_folders([words, meaning], [gains, gains])
    assert pooled[0] == pooled[1]
    assert apart[0] != apart[1]


def test_a_single_question_is_all_there_is_to_choose_on() -> None:
    [[weight]] = crossfit.of_other_questions([[words_are_right("a")]], [{"a": {"right": 1.0}}])
    assert words_are_right("a").weighed(weight)[0] == "right"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"_id": "d1", "title": "Pump", "text": "It pumps."}, {"_id": "d2", "text": "A valve."}]
    questions = [{"_id": "q1", "text": "pump"}, {"_id": "q2", "text": "never judged"}]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, questions)))
    (tmp_path / "qrels.tsv").write_text("q\td\tgain\nq1\td1\t2\nq2\td2\t0\n")
    return tmp_path


def test_a_folder_is_read_with_the_questions_that_have_an_answer(folder: Path) -> None:
    judged = beir.load(folder)
    assert judged.documents == (("d1", "Pump", "It pumps."), ("d2", "", "A valve."))
    assert judged.questions == (("q1", "pump"),)
    assert judged.gains == {"q1": {"d1": 2.0}}


def test_judgements_may_lie_in_a_folder_of_their_own(folder: Path) -> None:
    (folder / "qrels").mkdir()
    (folder / "qrels.tsv").rename(folder / "qrels" / "test.tsv")
    assert beir.load(folder).gains == {"q1": {"d1": 2.0}}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("corpus.jsonl", None, "no corpus.jsonl"),
        ("corpus.jsonl", "", "0 documents"),
        ("queries.jsonl", "{}\n", "line 1"),
        ("queries.jsonl", "[1]\n", "line 1"),
        ("qrels.tsv", None, "no judgements"),
        ("qrels.tsv", "h\nq1 d1 1\n", "line 2"),
        ("qrels.tsv", "q\td\tg\nq1\td1\t0\n", "nothing can be measured"),
    ],
)
def test_an_unfit_folder_is_told_by_what_is_wrong(
    folder: Path, name: str, content: str | None, said: str
) -> None:
    (folder / name).unlink() if content is None else (folder / name).write_text(content)
    with pytest.raises(UsageError, match=said):
        beir.load(folder)


def test_a_run_that_scored_nothing_fails(folder: Path) -> None:
    judged = beir.load(folder)
    nothing = Asked(key="q1", fused=(), lexical=(), vector=(), seconds=0.1, evidence=())
    with pytest.raises(AgentError, match="none found"):
        report.of(judged, [nothing], {}, {"cross_fitted": [0.03]})


def test_the_report_compares_with_the_better_peer(folder: Path) -> None:
    judged = beir.load(folder)
    run = [asked("q1", ("d1", 0.5, 1.0))]
    peers = {"good": {"q1": ["x", "d1"]}, "bad": {"q1": ["x"]}}
    found = report.of(judged, run, peers, {"cross_fitted": [0.03]})
    assert found["ndcg@10"]["fused"] == 1.0
    assert found["above_the_better_peer"]["peer"] == "good"
    assert found["above_the_better_peer"]["by"] == pytest.approx(1 - 1 / 1.5849625)
    assert report.mean([found, found])["above_the_better_peer"]["least"] == pytest.approx(
        1 - 1 / 1.5849625
    )
