"""The rules of the folder itself."""

import asyncio
import os
import socket
from pathlib import Path

import pytest


def test_a_unit_test_gets_no_network_socket() -> None:
    with pytest.raises(pytest.fail.Exception, match="network socket"):
        socket.create_connection(("127.0.0.1", 9))


async def test_a_unit_test_may_use_sockets_of_this_machine(tmp_path: Path) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    path = os.fspath(tmp_path / "s")
    async with await asyncio.start_unix_server(greet, path):
        reader, writer = await asyncio.open_unix_connection(path)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


def test_a_test_sees_no_settings_of_the_person_who_runs_it(empty_home: Path) -> None:
    assert Path.home() == empty_home
    assert not [n for n in os.environ if n.startswith("CORTICAL_") and "_TEST_" not in n]
