"""The executive as a person meets it: another server by its address, and faults that are met."""

from pathlib import Path
from typing import Any

from agent.bench.faults.table import FAULTS


def _using(user: Any, server: tuple[str, str], tmp_path: Path) -> Any:
    """Set the server up in the files of a user."""
    url, key = server
    secret = tmp_path / "openai.key"
    secret.write_text(f"{key}\n")
    config = tmp_path / "config.toml"
    config.write_text(f"[openai]\nurl = '{url}/v1'\napi_key_file = '{secret}'\n")
    user.settings["CORTICAL_CONFIG"] = str(config)
    return user


def test_a_server_that_is_set_is_named_and_answers(
    user: Any, llama_server: tuple[str, str], tmp_path: Path
) -> None:
    somebody = _using(user, llama_server, tmp_path)
    told = {one["name"]: one for one in somebody.json("doctor")["capabilities"]}
    assert told["executive"]["server"] == "SmolLM2-135M-Instruct.Q4_1 (llama.cpp server)"
    assert told["executive"]["tier"] == "full"

    note = tmp_path / "note.txt"
    note.write_text("The ladder was lent to Mrs. Novak on 3 May 2026.\n")
    answered = somebody.json("ask", "To whom was the ladder lent?", "--file", note)
    tiers = {one["name"]: one["server"] for one in answered["tiers"]}
    assert "llama.cpp server" in tiers["executive"]
    assert "Novak" in answered["answer"]


def test_a_key_is_shown_by_no_command(
    user: Any, llama_server: tuple[str, str], tmp_path: Path
) -> None:
    somebody = _using(user, llama_server, tmp_path)
    somebody.settings["CORTICAL_OPENAI__API_KEY"] = "sk-somebodys-own"
    shown = somebody.run("config", "show", "--origin")
    refused = somebody.run("doctor", "--json")

    assert "openai.api_key = ***" in shown.out
    assert "openai.api_key" in refused.value["notes"][0]
    for said in (shown.out, shown.err, refused.out, refused.err):
        assert "sk-somebodys-own" not in said


def test_faults_are_met_on_every_adapter_and_none_passes_unnoticed(user: Any) -> None:
    report = user.json("bench", "faults")

    assert report["faults"] == len(FAULTS) >= 12
    assert report["met"] == report["detected"] == report["right"] > 2 * len(FAULTS)
    shown = user.run("bench", "faults")
    assert shown.code == 0
    assert shown.err == ""
    assert f"{len(FAULTS)} faults, met {report['met']} times" in shown.out
