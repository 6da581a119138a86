"""How long a server is waited for, line by line."""

import asyncio

import pytest

from agent.executives.wire import Place, Timeouts, Waiting


async def test_signs_of_life_use_up_the_time_of_the_first_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
    waiting = Waiting(Timeouts(first_token_s=10.0, token_s=2.0))
    assert waiting.until() == 110.0
    now[0] = 104.0
    waiting.lived()
    # Whoever takes the lines may take his time: only the server's is counted.
    now[0] = 150.0
    assert waiting.until() == 156.0
    now[0] = 151.0
    waiting.lived()
    waiting.spoke()
    assert waiting.until() == 153.0
    assert waiting.patience_s == 2.0
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://ada:s3cret@llm.example:8080", "https://***@llm.example:8080"),
    ],
)
def test_a_password_in_an_address_is_not_shown(url: str, shown: str) -> None:
    assert Place(server="X", url=url, section="x", start="Start it").shown == shown
