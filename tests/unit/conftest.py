"""Unit tests reach no network: only sockets within this machine's kernel may be made."""

import socket
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every new socket that is not AF_UNIX."""
    original = socket.socket.__init__

    def refuse(self: socket.socket, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if self.family != socket.AF_UNIX:
            self.close()
            pytest.fail(
                "A unit test asked for a network socket; such a test is an integration test."
            )

    monkeypatch.setattr(socket.socket, "__init__", refuse)
