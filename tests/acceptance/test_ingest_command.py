"""`cortical ingest` as a person uses it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HEAVY = """
import sys
from agent.cli import edge
code = edge.run(["ingest", sys.argv[1], "--json"], debug=True)
heavy = "magika onnxruntime rapidocr pocketsphinx py3langid tokenizers av langgraph".split()
print([name for name in heavy if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "notes"
    root.mkdir()
    for number in range(40):
        (root / f"{number}.txt").write_text(f"Valve {number} of the pump opens at two bar.\n")
    (root / "broken.pdf").write_bytes(bytes(range(256)) * 40)
    (root / "empty.txt").touch()
    return root


def test_a_second_ingestion_loads_no_model_and_names_again_what_is_broken(
    user: Any, folder: Path
) -> None:
    first = user.run("ingest", folder, "--json")
    assert first.code == 1
    assert (first.value["read"], first.value["empty"], first.value["embedded"]) == (40, 1, 40)
    assert "broken.pdf" in first.value["failed"][0]["reason"]
    second = subprocess.run(
        [sys.executable, "-c", HEAVY, str(folder)],
        env=user.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr.splitlines()[-1] == "[]"
    value = json.loads(second.stdout)
    assert (value["read"], value["unchanged"]) == (0, 40)
    assert value["failed"] == first.value["failed"]


def test_progress_is_no_line_for_each_file(user: Any, folder: Path) -> None:
    done = user.run("ingest", folder)
    lines = done.err.splitlines()
    assert 1 <= len(lines) < 20
    assert not any(" left" in line for line in lines if line.startswith("42/42 files"))
    assert any(line.startswith("42/42 files") for line in lines)
    assert done.out.splitlines()[0].startswith(
        "40 read, 0 unchanged, 0 vanished, 1 empty, 1 not read; 40 passages"
    )
    assert "not read: " in done.out


def test_a_watch_follows_changes_and_ends_when_it_is_told_to(user: Any, folder: Path) -> None:
    (folder / "broken.pdf").unlink()
    with user.start("ingest", "--watch", "--json", folder, folder / "0.txt") as process:
        reports = told(process)
        assert next(reports)["read"] == 40
        (folder / ".new").write_text("The pump was renewed.\n")
        (folder / ".new").replace(folder / "0.txt")  # as editors save
        assert next(report for report in reports if report["read"])["read"] == 1
        (folder / "deep").mkdir()
        (folder / "1.txt").rename(folder / "deep" / "1.txt")
        (folder / "2.txt").unlink()
        changes = {"moved": 0, "vanished": 0}
        while changes != {"moved": 1, "vanished": 1}:
            report = next(reports)
            assert report["read"] == 0
            changes = {name: count + report[name] for name, count in changes.items()}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert "Traceback" not in process.stderr.read()


def test_a_watched_folder_that_is_replaced_is_followed(user: Any, folder: Path) -> None:
    (folder / "broken.pdf").unlink()
    with user.start("ingest", "--watch", "--every", "2", "--json", folder) as process:
        reports = told(process)
        next(reports)
        folder.rename(folder.parent / "old")
        folder.mkdir()
        (folder / "new.txt").write_text("The motor was renewed.\n")
        assert next(report for report in reports if report["read"])["vanished"] == 40
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def told(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Yield the reports of a watch as they come."""
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def test_the_benchmark_says_the_machine_and_fails_where_nothing_could_be_read(
    user: Any, tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "empty.txt").touch()
    void = user.run("bench", "ingest", tmp_path / "notes")
    assert void.code == 1
    assert "void" in void.err
    (tmp_path / "notes" / "a.txt").write_text("The pump starts at two bar.\n")
    report = user.json("bench", "ingest", tmp_path / "notes")
    assert report["chunks"] == report["embedded"] == 1
    assert "cores" in report["machine"]
    for name in ("files/s", "chunks/s", "mb/s", "embedded/s", "again_s", "peak_mb"):
        assert report[name] > 0


def test_a_kind_or_a_date_that_there_is_not_is_refused_with_what_there_is(
    user: Any, folder: Path
) -> None:
    user.run("ingest", folder)
    wrong = user.run("search", "valve", "--kind", "text", "--kind", "texts")
    assert wrong.code == 2
    assert "There is no kind of document 'texts'. There are: pdf, document, slides" in wrong.err
    wrong = user.run("search", "valve", "--since", "0001-01-01")
    assert (wrong.code, "between the years 2 and 9998" in wrong.err) == (2, True)
    assert (
        len(user.json("search", "valve", "--kind", "text", "--since", "0002-01-01")["hits"]) == 10
    )
    assert user.json("search", "valve", "--kind", "mail")["hits"] == []
