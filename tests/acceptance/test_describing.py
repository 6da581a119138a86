"""A picture described by the model of another server."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

INVOICE = Path(__file__).parents[2] / "deploy" / "demo" / "pack" / "invoice.png"
SCRIPT = {
    "models": [{"name": "qwen3-vl:4b", "capabilities": ["completion", "vision"]}],
    "replies": ["An invoice of a workshop."],
    "loop": True,
}


def test_a_picture_is_described(user: Any, served: Callable[..., str]) -> None:
    picture = user.home / "invoice.png"
    shutil.copy(INVOICE, picture)
    user.settings["CORTICAL_SENSES__VISION_URL"] = served(SCRIPT)
    done = user.run("see", "--describe", picture)
    assert done.code == 0, done.err
    assert done.out.splitlines() == ["An invoice of a workshop.", "(qwen3-vl:4b (Ollama 0.33.3))"]
    told = user.json("see", "--describe", picture, "--question", "What is this?")
    assert (told["text"], told["flaws"]) == ("An invoice of a workshop.", [])


def test_on_a_card_it_is_lent_the_room_and_the_owner_sees_it(
    user: Any, served: Callable[..., str]
) -> None:
    (user.home / "run").mkdir()
    user.settings["XDG_RUNTIME_DIR"] = str(user.home / "run")
    user.settings["CORTICAL_RESIDENCY__CARD"] = "simulated:24GiB"
    user.settings["CORTICAL_SENSES__VISION_URL"] = served(SCRIPT)
    told = user.json("see", "--describe", INVOICE)
    assert told["served_by"] == "qwen3-vl:4b (Ollama 0.33.3)"
    status = user.json("residency", "status")
    os.kill(status["arbiter"]["pid"], signal.SIGTERM)
    assert [one["variant"] for one in status["residents"]] == ["qwen3-vl:4b"]
    assert status["leases"] == []


def test_where_the_card_is_too_small_it_is_said(user: Any, served: Callable[..., str]) -> None:
    (user.home / "run").mkdir()
    user.settings["XDG_RUNTIME_DIR"] = str(user.home / "run")
    user.settings["CORTICAL_RESIDENCY__CARD"] = "simulated:4GiB"
    user.settings["CORTICAL_SENSES__VISION_URL"] = served(SCRIPT)
    done = user.run("see", "--describe", INVOICE)
    os.kill(user.json("residency", "status")["arbiter"]["pid"], signal.SIGTERM)
    assert done.code == 1
    assert "qwen3-vl:4b cannot come on the card" in done.err
    assert "`cortical residency status` tells who has it" in done.err


def test_without_a_server_it_is_said_how_to_have_one(user: Any) -> None:
    done = user.run("see", "--describe", INVOICE)
    assert done.code == 2
    assert "set senses.vision_url" in done.err


def test_a_question_is_for_a_description(user: Any) -> None:
    done = user.run("see", INVOICE, "--question", "What is this?")
    assert done.code == 2
    assert "--question is for --describe" in done.err


def test_what_is_no_picture_costs_no_request(user: Any, served: Callable[..., str]) -> None:
    file = user.home / "notes.png"
    file.write_text("no picture")
    user.settings["CORTICAL_SENSES__VISION_URL"] = served(SCRIPT)
    done = user.run("see", "--describe", file)
    assert done.code == 1
    assert "notes.png" in done.err
