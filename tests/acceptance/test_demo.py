"""The demo as a person runs it, in a machine without any network and with nothing started."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(__file__).parents[2] / "deploy" / "demo"


def _no_network() -> bool:
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    return probe.returncode == 0


@pytest.mark.skipif(not _no_network(), reason="user namespaces are forbidden here")
def test_the_demo_runs_without_a_network_on_a_machine_where_nothing_was_started(
    user: Any,
) -> None:
    environment = {**user.environment, "CORTICAL_DEMO_DIR": str(user.home / "demo")}
    environment.pop("CORTICAL_DATA_DIR")
    environment.pop("CORTICAL_CACHE_DIR")
    done = subprocess.run(
        ["unshare", "-rn", "sh", str(DEMO / "run.sh")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "executive",
        "handbook.pdf",
        "page 6",
        "box ",
        "voice-note.wav",
        "heard: how often must the water filter be cleaned",
        "I found nothing about that",
        "blauen Tonne",
        "spoken to",
        "way: begin",
    ):
        assert words in done.stdout
    assert (user.home / "demo" / "answer.wav").stat().st_size > 10_000
