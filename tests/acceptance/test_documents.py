"""Every command that the documents show is one that runs."""

import json
import re
import shlex
import shutil
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "deploy" / "demo"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _commands() -> list[str]:
    found = []
    for document in DOCUMENTS:
        for block in _BLOCK.findall(document.read_text()):
            for line in block.splitlines():
                command = line.split("  #")[0].strip()
                if command.startswith(("cortical ", ".venv/bin/cortical ")):
                    found.append(command.removeprefix(".venv/bin/"))
    return list(dict.fromkeys(found))


ELSEWHERE = {
    "cortical bench overhead --steps 20 --rounds 3": "test_bench_commands.py",
    "cortical bench embed --texts 16 --rounds 1": "test_bench_commands.py",
    "cortical bench conversation": "test_bench_commands.py",
    "cortical bench screen --screenshots 1": "test_bench_commands.py",
    "cortical bench voice --utterances 2": "test_bench_commands.py",
    "cortical bench faults": "test_executive_commands.py",
    "cortical bench ingest ~/Documents": "test_ingest_command.py",
    "cortical models pull qwen3:14b": "test_models.py",
    "cortical models pull whisper-turbo-fp16": "test_weights_commands.py",
    "cortical models add ~/whisper --as whisper-turbo-fp16": "test_weights_commands.py",
    "cortical models verify": "test_weights_commands.py",
    "cortical models remove whisper-turbo-fp16": "test_weights_commands.py",
    "cortical bench swap --device cpu --scale 0.05": "test_weights_commands.py",
    "cortical see invoice.png --describe": "test_describing.py",
    "cortical models probe": "test_models.py",
    "cortical models bench": "test_models.py",
    "cortical selftest -o report.txt": "test_selftest.py",
    "cortical bench calls --requests 10 --tokens 60": "test_calls_command.py",
    "cortical bench arbiter": "test_residency_commands.py",
    "cortical runs watch RUN": "test_runs_commands.py",
    "cortical runs cancel RUN": "test_runs_commands.py",
    "cortical runs resume RUN": "test_runs_commands.py",
    "cortical residency status": "test_residency_commands.py",
    "cortical residency top": "test_residency_commands.py",
    "cortical residency pause --work cpu": "test_residency_commands.py",
    "cortical residency resume": "test_residency_commands.py",
    "cortical residency check TRACE": "test_residency_commands.py",
    "cortical residency check --database": "test_residency_commands.py",
    "cortical residency trace --svg card.svg --last 10m": "test_residency_commands.py",
}
"""Commands that need a server or a card or take long, and the tests that run them."""

SHOWN = _commands()
COMMANDS = [command for command in SHOWN if command not in ELSEWHERE]


def test_the_documents_show_commands() -> None:
    assert len(COMMANDS) >= 15


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_not_run_here_is_shown_and_run_elsewhere(command: str) -> None:
    assert command in SHOWN
    plain = takewhile(lambda word: word.isalpha() and word.islower(), shlex.split(command)[1:])
    names = [json.dumps(word) for word in plain]
    text = (Path(__file__).parent / ELSEWHERE[command]).read_text()
    assert ", ".join(names) in text


@pytest.fixture(scope="module")
def desk(reader: Any) -> Path:
    """A working folder that holds the files that the documents name."""
    folder: Path = reader.home / "desk"
    folder.mkdir()
    shutil.copy(DEMO / "questions" / "water-filter.wav", folder / "question.wav")
    shutil.copy(DEMO / "pack" / "invoice.png", folder / "screenshot.png")
    shutil.copy(DEMO / "pack" / "invoice.png", folder / "invoice.png")
    shutil.copytree(ROOT / "docs" / "examples", folder / "docs" / "examples")
    (reader.home / "Documents").symlink_to(DEMO / "pack")  # where it was ingested from
    config = reader.home / ".config" / "cortical"
    config.mkdir(parents=True)
    examples = folder / "docs" / "examples"
    (config / "config.toml").write_text(
        f'tools = ["{examples}/titles.py:COUNT"]\n[graphs]\ntitles = "{examples}/titles.py:build"\n'
    )
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documents_runs(reader: Any, desk: Path, command: str) -> None:
    words = [
        str(Path(word).expanduser()) if word[0] == "~" else word
        for word in shlex.split(command)[1:]
    ]
    words = [word.replace(str(Path("~").expanduser()), str(reader.home)) for word in words]
    with reader.start(*words, cwd=desk) as process:
        out, err = process.communicate(timeout=180)
    assert process.returncode == 0, f"{command}\n{out}\n{err}"
    assert out.strip()


def test_a_graph_of_ones_own_is_a_run_like_any_other(reader: Any, desk: Path) -> None:
    with reader.start("run", "titles", '{"topic": "water filter"}', "--json", cwd=desk) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert '"handbook.pdf"' in out or "handbook" in out.lower()
    newest = reader.json("runs", "list", "--limit", "1")[0]
    assert newest["graph"] == "titles"
    assert newest["status"] == "done"
