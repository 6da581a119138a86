"""Bad input costs the item, says so by name, and nothing else."""

import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "deploy" / "demo"
RECORDING = DEMO / "questions" / "water-filter.wav"


def _empty(folder: Path) -> Path:
    path = folder / "empty.pdf"
    path.touch()
    return path


def _locked(folder: Path) -> Path:
    return Path(shutil.copy(ROOT / "tests" / "data" / "locked.pdf", folder / "locked.pdf"))


def _noise(folder: Path) -> Path:
    path = folder / "noise.bin"
    path.write_bytes(bytes(range(256)) * 40)
    return path


def test_files_that_cannot_be_read_are_named_and_the_question_answered(
    reader: Any, tmp_path: Path
) -> None:
    bad = {_empty(tmp_path): "empty", _locked(tmp_path): "password", _noise(tmp_path): "noise.bin"}
    files = [word for path in bad for word in ("--file", path)]
    done = reader.run("ask", "How often must the water filter be cleaned?", *files, "--json")
    assert done.code == 1
    failed = {one["name"]: one["reason"] for one in done.value["failed"]}
    assert failed.keys() == {path.name for path in bad}
    for path, word in bad.items():
        assert word in failed[path.name]
    assert done.value["found"]
    assert "Traceback" not in done.err


def test_a_file_that_is_not_there_is_wrong_use(reader: Any) -> None:
    done = reader.run("ask", "--file", "nowhere.wav")
    assert done.code == 2
    assert "nowhere.wav" in done.err
    assert "Traceback" not in done.err


def test_nothing_asked_is_wrong_use(reader: Any) -> None:
    done = reader.run("ask")
    assert done.code == 2
    assert "Nothing was asked" in done.err


def test_a_picture_that_is_called_wav_is_seen(reader: Any, tmp_path: Path) -> None:
    path = Path(shutil.copy(DEMO / "pack" / "invoice.png", tmp_path / "question.wav"))
    result = reader.json("ask", "What is the number of the invoice?", "--file", path)
    assert "2026-0187" in result["citations"][0]["quote"]


def test_a_picture_that_is_called_wav_is_refused_by_hear(reader: Any, tmp_path: Path) -> None:
    path = Path(shutil.copy(DEMO / "pack" / "invoice.png", tmp_path / "speech.wav"))
    done = reader.run("hear", path)
    assert done.code == 1
    assert "speech.wav" in done.err
    assert "Traceback" not in done.err


def test_a_recording_that_is_cut_short_is_heard_as_far_as_it_goes(
    reader: Any, tmp_path: Path
) -> None:
    path = tmp_path / "cut.wav"
    data = RECORDING.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    result = reader.json("hear", path)
    assert result["text"].startswith("how often must")
    assert any("cut short" in flaw for flaw in result["flaws"])


def test_a_recording_without_words_asks_nothing(reader: Any, tmp_path: Path) -> None:
    import wave

    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(64_000))
    done = reader.run("ask", "--file", path, "--json")
    assert done.code == 1
    assert "silence.wav" in done.value["problem"]


def test_a_mail_with_a_lying_charset_and_a_large_text_go_into_memory(
    user: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    mail = (
        b"From: a@example.org\r\nTo: b@example.org\r\nSubject: Boiler\r\n"
        b"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: text/plain; charset="us-ascii"\r\n\r\n'
        b"The boiler of the J\xfcrgens was mended on Tuesday.\r\n"
    )
    (folder / "lying.eml").write_bytes(mail)
    (folder / "large.txt").write_text("The quick brown fox is counted again. " * 140_000)
    (folder / "empty.txt").touch()
    done = user.run("ingest", folder, "--json")
    assert done.code == 0
    assert (done.value["read"], done.value["empty"], done.value["failed"]) == (2, 1, [])
    hits = user.json("search", "boiler mended", "-k", "1")["hits"]
    assert "Jürgens" in hits[0]["text"]


def test_german_and_chinese_questions_find_their_documents(user: Any, tmp_path: Path) -> None:
    (tmp_path / "heizung.txt").write_text("Die Heizungsanlage wird im Oktober eingeschaltet.\n")
    (tmp_path / "图书馆.txt").write_text("图书馆星期一不开门。星期六开到下午五点。\n")
    user.run("ingest", tmp_path)
    german = user.json("ask", "Wann wird die Heizungsanlage eingeschaltet?")
    assert german["citations"][0]["source"].endswith("heizung.txt")
    chinese = user.json("ask", "图书馆星期几不开门？")
    assert chinese["citations"][0]["quote"] == "图书馆星期一不开门。"


@pytest.mark.parametrize(
    ("variable", "value", "word"),
    [
        ("CORTICAL_OLLAMA__MODELL", "x", "ollama.modell"),
        ("CORTICAL_LOG_LEVEL", "loud", "loud"),
        ("CORTICAL_CONFIG", "/nowhere/config.toml", "/nowhere/config.toml"),
        ("CORTICAL_EXECUTIVE__CHOICE", "gguf:/nowhere.gguf", "/nowhere.gguf"),
    ],
)
def test_a_wrong_setting_is_named(reader: Any, variable: str, value: str, word: str) -> None:
    from dataclasses import replace

    other = replace(reader, settings={**reader.settings, variable: value})
    done = other.run("ask", "What is this?")
    assert done.code in (1, 2)
    assert word in done.err
    assert "Traceback" not in done.err


def test_debug_shows_where_an_error_arose(reader: Any) -> None:
    done = reader.run("--debug", "hear", "nowhere.wav")
    assert done.code == 2
    assert "Traceback" in done.err
