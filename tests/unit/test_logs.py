"""Log events: a verb, and its fields beside it."""

import logging
from collections.abc import Iterator

import pytest

from agent import logs


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    """Undo what a test configures for the whole process."""
    names = ("", "agent", "graphs", "tools", "memory", "psycopg.pool")
    before = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_an_event_is_one_line_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logging.getLogger("memory.store").info("document_put", extra={"uri": "a\nb", "chunks": 3})
    assert capsys.readouterr().err == "info memory.store document_put uri='a\\nb' chunks=3\n"


@pytest.mark.parametrize(
    ("level", "ours", "theirs"),
    [
        ("debug", ["debug", "info", "warning", "error"], ["warning", "error"]),
        ("warning", ["warning", "error"], ["warning", "error"]),
        ("error", ["error"], ["warning", "error"]),
    ],
)
def test_our_packages_log_from_a_level_on_and_others_from_warnings_on(
    capsys: pytest.CaptureFixture[str], level: str, ours: list[str], theirs: list[str]
) -> None:
    logs.configure(level)
    for name in ("graphs.act", "someone.else"):
        for one in ("debug", "info", "warning", "error"):
            getattr(logging.getLogger(name), one)("event")
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert [line[0] for line in lines if line[1] == "graphs.act"] == ours
    assert [line[0] for line in lines if line[1] == "someone.else"] == theirs


def test_configuring_twice_does_not_log_twice(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logs.configure("info")
    logging.getLogger("agent").info("once")
    assert capsys.readouterr().err == "info agent once\n"


def test_an_error_is_logged_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    try:
        int("broken")
    except ValueError:
        logging.getLogger("agent").exception("failed", extra={"run_id": "r"})
    text = capsys.readouterr().err
    assert text.startswith("error agent failed run_id='r' \nTraceback")
    assert "ValueError: invalid literal" in text


def test_a_name_of_the_records_own_is_not_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logging.getLogger("agent").info("counted %s", 3)
    assert capsys.readouterr().err == "info agent counted 3\n"


def test_the_pool_warns_only_who_asks_for_more(capsys: pytest.CaptureFixture[str]) -> None:
    for level in ("error", "warning", "info"):
        logs.configure(level)
        logging.getLogger("psycopg.pool").warning("error connecting")
    assert capsys.readouterr().err == "warning psycopg.pool error connecting\n"
