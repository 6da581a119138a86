"""`cortical bench prefix`: what it measures, and that it says so where it measured nothing."""

import json
from pathlib import Path
from typing import Any

MAILS = [
    {"sender": "night@harbour.example", "subject": "Smoke in store B", "body": "Who decides?"},
    {"sender": "shop@paper.example", "subject": "Pens at half price", "body": "Until midnight."},
]
DOCUMENTS = {
    "filter": "The water filter is cleaned every six weeks by the owner.",
    "boathouse": "The key of the boathouse hangs behind the kitchen door.",
    "hedge": "The hedge is cut twice a year, in June and in October.",
}
QUESTIONS = {
    "filter": "How often is the water filter cleaned?",
    "boathouse": "Where is the key of the boathouse?",
}


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def judged(folder: Path) -> Path:
    """Write a folder in the layout of BEIR."""
    documents = [{"_id": key, "title": key, "text": text} for key, text in DOCUMENTS.items()]
    written(folder / "corpus.jsonl", documents)
    written(folder / "queries.jsonl", [{"_id": key, "text": t} for key, t in QUESTIONS.items()])
    (folder / "qrels.tsv").write_text("q\td\tg\n" + "".join(f"{k}\t{k}\t1\n" for k in QUESTIONS))
    return folder


def test_it_tells_what_was_evaluated_beyond_what_no_layout_could_spare(
    user: Any, tmp_path: Path
) -> None:
    mails = [{**mail, "to": "you@harbour.example", "category": "FYI"} for mail in MAILS]
    told = user.run(
        *("bench", "prefix", "--questions", "2", "--searches", "2", "--json"),
        *("--triage", written(tmp_path / "mails.jsonl", mails), "--documents", judged(tmp_path)),
        timeout_s=280,
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
