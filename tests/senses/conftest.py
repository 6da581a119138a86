"""The senses of the full tier by their real libraries, with weights that the tests make."""

import importlib.util
import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
os.environ["PYANNOTE_METRICS_ENABLED"] = "0"

INSTALLED = importlib.util.find_spec("torch") is not None

collect_ignore_glob = [] if INSTALLED else ["test_*.py"]


def pytest_report_header() -> str:
    """Say why there are none, where there are none."""
    return "" if INSTALLED else "tests/senses: left out, `make test-senses` installs what they need"
