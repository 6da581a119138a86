"""The senses of the full tier by their real libraries, with weights that the tests make."""

import gc
import importlib.util
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side, on few cores

INSTALLED = importlib.util.find_spec("torch") is not None

collect_ignore_glob = [] if INSTALLED else ["test_*.py", "*/test_*.py"]


def pytest_report_header() -> str:
    """Say why there are none, where there are none."""
    return "" if INSTALLED else "tests/senses: left out, `make test-senses` installs what they need"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that goes to the network, also where its library goes on without."""

    connect = socket.socket.connect

    def refused(one: socket.socket, address: Any) -> None:
        if one.family != socket.AF_UNIX:
            pytest.fail(f"a connection to {address!r} was tried")
        connect(one, address)

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "connect_ex", refused)


@pytest.fixture
def resident_bytes() -> Callable[[], int]:
    """Return what tells how much memory the process holds."""

    def resident() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    return resident
