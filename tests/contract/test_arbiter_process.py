"""The arbiter's process: real processes on a real socket, on a simulated card."""

import asyncio
import json
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

import pytest

from agent.residency import check
from agent.residency.arbiter.events import Choice, WhilePaused
from agent.residency.arbitrated import ArbitratedResidency
from agent.residency.client import ArbiterClient
from agent.residency.daemon import launch
from agent.residency.errors import (
    ArbiterVersionError,
    LeaseLostError,
    LeaseRefusedError,
    UnreachableError,
)
from agent.residency.process import wire
from agent.residency.testing import GIB, OwnArbiter, own_arbiter, until

WHISPER = Choice(variant="whisper", weights_bytes=3 * GIB, working_bytes=GIB)
SEGMENTS = Choice(variant="segments", weights_bytes=GIB, working_bytes=GIB // 2)
EMBEDDED = Choice(variant="embedded", place="cpu")


@pytest.fixture
def place() -> Iterator[OwnArbiter]:
    with own_arbiter() as made:
        yield made


@asynccontextmanager
async def holder(
    place: OwnArbiter, choice: Choice
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Another program that holds a lease until it is killed."""
    program = (
        "import asyncio, sys\n"
        "from agent.residency.arbiter.events import Choice\n"
        "from agent.residency.client import ArbiterClient\n"
        "from agent.residency.process.config import ArbiterConfig\n"
        "from pathlib import Path\n"
        "async def main():\n"
        "    config = ArbiterConfig.read(sys.argv[1])\n"
        f"    choice = {choice!r}\n"
        "    async with ArbiterClient(config.files, config) as client:\n"
        "        async with client.lease([choice]) as grant:\n"
        "            print(grant.token, flush=True)\n"
        "            await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, place.config.text()]
    running = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert running.stdout is not None
        yield running, int(await running.stdout.readline())
    finally:
        with suppress(ProcessLookupError):
            running.kill()
        await running.wait()


async def test_a_lease_is_granted_told_and_given_back(place: OwnArbiter) -> None:
    async with place.client() as client:
        async with client.lease([WHISPER, EMBEDDED]) as grant:
            told = await client.status()
            assert (grant.place, grant.rung) == ("cuda", 0)
            assert [one["variant"] for one in told["leases"]] == ["whisper"]
            assert told["residents"][0]["in_use"]
        told = await client.status()
        assert told["leases"] == []
        assert told["residents"][0]["variant"] == "whisper"
    await place.end(signal.SIGTERM)

    (report,) = place.traces()
    assert report.verdict is check.Verdict.PROVED
    assert not place.files.socket.exists()


async def test_only_the_user_gets_at_the_socket(place: OwnArbiter) -> None:
    async with place.client() as client:
        await client.status()
    assert stat.S_IMODE(place.files.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.files.run_dir.stat().st_mode) == 0o700


async def test_programs_that_start_it_at_once_start_one(place: OwnArbiter) -> None:
    async with AsyncExitStack() as stack:
        programs = await asyncio.gather(
            *(
                stack.enter_async_context(
                    holder(place, replace(EMBEDDED, variant=f"embedded-{number}"))
                )
                for number in range(4)
            )
        )
        async with place.client(start=False) as client:
            told = await client.status()
        assert told["arbiter"]["epoch"] == 1
        assert {one["token"] for one in told["leases"]} == {token for _, token in programs}


async def test_a_program_that_is_killed_frees_its_lease_at_once(place: OwnArbiter) -> None:
    async with holder(place, WHISPER) as (program, _), place.client() as client:
        asked = asyncio.create_task(_once(client, WHISPER))
        await until(lambda: _waits(place))
        program.kill()
        killed = time.monotonic()
        await asked
        assert time.monotonic() - killed < 2.0

    async with holder(place, EMBEDDED) as (program, _), place.client() as client:
        asked = asyncio.create_task(_once(client, EMBEDDED))
        await until(lambda: _waits(place))
        program.kill()
        killed = time.monotonic()
        await asked
        assert time.monotonic() - killed < 2.0, "what ran in the program ended with it"


async def _once(client: ArbiterClient, *choices: Choice) -> int:
    async with client.lease(choices) as grant:
        return grant.token


async def _waits(place: OwnArbiter) -> bool:
    async with place.client(start=False) as client:
        return bool((await client.status())["waiting"])


async def test_a_second_process_leaves_the_card_to_the_first(shared: OwnArbiter) -> None:
    first = await shared.pid()
    command = [sys.executable, "-P", "-m", "agent.residency.process"]
    second = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
    await second.communicate(shared.config.text().encode())
    assert second.returncode == 0
    assert await shared.pid() == first


async def test_who_hangs_up_and_lives_on_loses_what_ran_on_the_card(shared: OwnArbiter) -> None:
    choice = {"variant": "whisper", "weights_bytes": 3 * GIB, "working_bytes": GIB}
    reader, writer = await asyncio.open_unix_connection(shared.files.socket)
    writer.write(wire.encode({"do": "hello", "version": wire.VERSION}))
    writer.write(wire.encode({"do": "ask", "ask": "a", "choices": [choice]}))
    while json.loads(await reader.readline())["is"] != "granted":
        pass
    writer.close()
    began = time.monotonic()
    async with shared.client(start=False) as client:
        await _once(client, WHISPER)
    assert time.monotonic() - began < 2.0


async def test_an_arbiter_that_is_killed_is_rebuilt_from_what_programs_hold(
    place: OwnArbiter,
) -> None:
    async with holder(place, SEGMENTS) as (_, other), place.client() as client:
        async with client.lease([WHISPER]) as grant:
            await place.end(signal.SIGKILL)
            await until(place.files.alive)
            async with place.client() as looker:
                told = await looker.status()
            assert told["arbiter"]["epoch"] == 2
            assert {one["token"] for one in told["leases"]} == {grant.token, other}
            assert {one["variant"] for one in told["residents"]} == {"whisper", "segments"}
            late = asyncio.create_task(_once(client, WHISPER))
            await asyncio.sleep(0.1)
            assert not late.done(), "what is held is not granted twice"
        assert await late > grant.token, "tokens rise over the restart"
        first, _ = place.traces()
    await until(lambda: _free(place))
    await place.end(signal.SIGTERM)

    assert first.verdict is check.Verdict.UNFINISHED
    assert place.traces()[1].verdict is check.Verdict.PROVED


async def _free(place: OwnArbiter) -> bool:
    async with place.client(start=False) as client:
        return not (await client.status())["leases"]


async def test_who_waits_asks_its_successor(place: OwnArbiter) -> None:
    async with holder(place, WHISPER) as (program, _), place.client() as client:
        asked = asyncio.create_task(_once(client, WHISPER))
        await until(lambda: _waits(place))
        await place.end(signal.SIGTERM)
        await until(place.files.alive)
        await asyncio.sleep(1.0)
        assert not asked.done()
        program.kill()
        await asked


async def test_a_socket_that_was_left_behind_is_in_nobodys_way(place: OwnArbiter) -> None:
    async with place.client() as client:
        await _once(client, EMBEDDED)
    await place.end(signal.SIGKILL)
    assert place.files.socket.exists()
    async with place.client() as client:
        await _once(client, EMBEDDED)


async def test_without_leave_to_start_one_its_absence_is_told(place: OwnArbiter) -> None:
    with pytest.raises(UnreachableError, match="no arbiter of the card"):
        async with place.client(start=False) as client:
            await client.status()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\xfe\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"[1, 2]\n",
        b'{"do": "ask"}\n',
        b'{"do": "hello", "version": 99}\n',
        b'{"do": "hello", "version": 1, "holds": 7}\n',
        b'{"do": "hello", "version": 1}\n{"do": "ask", "ask": "a", "choices": []}\n',
        b'{"do": "hello", "version": 1}\n{"do": "ask", "ask": 3, "choices": [{}]}\n',
        b'{"do": "hello", "version": 1}\n{"do": "ask", "ask": "a", "choices": [{"variant": "w", '
        b'"weights_bytes": -1}]}\n',
        b'{"do": "hello", "version": 1}\n{"do": "release", "token": true}\n',
        b'{"do": "hello", "version": 1}\n{"do": "fly"}\n',
        b'{"do": "hello", "version": 1}\n{"do": "turn", "turn": "\\ud800"}\n',
        b'{"do": "hello", "version": 1}\n{"do": "ask", "ask": "\\u0000", "choices": [{"variant": '
        b'"w", "place": "cpu"}]}\n',
        b"[" * 60_000 + b"\n",
        b"x" * (2 * wire.LINE_BYTES),
    ],
)
async def test_garbage_costs_who_sends_it_its_connection(
    shared: OwnArbiter, garbage: bytes
) -> None:
    answer = await asyncio.to_thread(_say, shared, garbage)
    assert json.loads(answer[-1])["is"] == "error"
    assert json.loads(answer[-1])["version"] == wire.VERSION
    async with shared.client(start=False) as client:
        await _once(client, EMBEDDED)


@pytest.fixture(scope="module")
def shared() -> Iterator[OwnArbiter]:
    """One arbiter for tests that do it no harm."""
    with own_arbiter() as made:
        launch.ensure(made.files, made.config)
        yield made


def _say(place: OwnArbiter, data: bytes) -> list[bytes]:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place.files.socket))
        client.settimeout(5)
        with suppress(BrokenPipeError):
            client.sendall(data)
        heard = b""
        with suppress(ConnectionResetError):
            while part := client.recv(4096):
                heard += part
    return heard.splitlines()


async def test_who_hangs_up_within_a_message_leaves_nothing_behind(shared: OwnArbiter) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(shared.files.socket))
        client.sendall(b'{"do": "hello", "version": 1}\n{"do": "as')
    async with shared.client(start=False) as looker:
        await _once(looker, EMBEDDED)
        await until(lambda: _alone(looker))


async def _alone(client: ArbiterClient) -> bool:
    return bool((await client.status())["arbiter"]["programs"] == 1)


async def test_a_lease_that_is_over_time_is_taken_back(shared: OwnArbiter) -> None:
    async with shared.client(start=False) as client:
        with pytest.raises(LeaseLostError, match="its time is over"):
            async with client.lease([WHISPER], limit_s=0.2):
                await asyncio.sleep(10)
        await _once(client, WHISPER)


async def test_a_program_that_hangs_loses_its_lease(place: OwnArbiter) -> None:
    place.configure(heartbeat_s=1.0)
    choice = replace(EMBEDDED, variant="hung")
    async with holder(place, choice) as (program, _), place.client() as client:
        await asyncio.sleep(1.5)
        assert not await _free(place), "one that lives says so"
        program.send_signal(signal.SIGSTOP)
        await until(lambda: _revoked(client))
        program.send_signal(signal.SIGCONT)
        await until(lambda: _free(place))


async def _revoked(client: ArbiterClient) -> bool:
    return any(one["revoked"] for one in (await client.status())["leases"])


async def test_an_ask_that_is_given_up_is_withdrawn(shared: OwnArbiter) -> None:
    async with shared.client(start=False) as client, client.lease([WHISPER]):
        asked = asyncio.create_task(_once(client, WHISPER))
        await until(lambda: _waits(shared))
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert (await client.status())["waiting"] == []


async def test_a_deadline_and_what_cannot_be_are_refused(shared: OwnArbiter) -> None:
    async with shared.client(start=False) as client:
        huge = Choice(variant="huge", weights_bytes=100 * GIB)
        with pytest.raises(LeaseRefusedError, match="bytes of the card"):
            await _once(client, huge)
        async with client.lease([WHISPER]):
            with pytest.raises(LeaseRefusedError, match="deadline"):
                async with client.lease([WHISPER], deadline_s=0.2):
                    pass


async def test_a_turn_has_the_executive(shared: OwnArbiter) -> None:
    async with shared.client(start=False) as client, client.turn() as admitted:
        told = await client.status()
        assert admitted.place == "cuda"
        assert told["executive"]["place"] == "resident"
        assert [one["begun"] for one in told["turns"]] == [True]


async def test_an_arbiter_of_another_version_is_named(place: OwnArbiter) -> None:
    place.files.prepare()

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(wire.encode({"is": "error", "reason": "I speak 0.", "version": 0}))
        writer.close()

    async with await asyncio.start_unix_server(old, place.files.socket):
        with pytest.raises(ArbiterVersionError, match="another version of cortical"):
            async with place.client() as client:
                await client.status()


async def test_the_owner_has_the_card_until_it_is_given_back(place: OwnArbiter) -> None:
    async with place.client() as client:
        await client.pause(WhilePaused.CPU)
        async with client.lease([WHISPER, EMBEDDED]) as grant:
            assert (grant.place, grant.reason) == ("cpu", "paused by the owner")
    await place.end(signal.SIGTERM)
    async with place.client() as client:
        told = await client.status()
        assert (told["paused"], told["executive"]["place"]) == ("cpu", None)
        await client.resume()
        async with client.lease([WHISPER, EMBEDDED]) as grant:
            assert grant.place == "cuda"


async def test_who_waits_for_a_card_that_the_owner_has_is_told(place: OwnArbiter) -> None:
    async with place.client() as client:
        await client.pause(WhilePaused.WAIT)
        lent = ArbitratedResidency(client)
        with pytest.raises(LeaseRefusedError, match=r"deadline.*the owner has the card"):
            async with client.turn(deadline_s=0.2):
                pass
        with pytest.raises(LeaseRefusedError, match=r"deadline.*the owner has the card"):
            async with client.lease([WHISPER, EMBEDDED], deadline_s=0.2):
                pass
        await client.resume()
        async with lent.turn() as admitted:
            assert admitted is not None
            assert admitted.profile == "simulated"


async def test_it_ends_when_nobody_needs_it(place: OwnArbiter) -> None:
    place.configure(idle_s=0.4)
    async with place.client() as client:
        await _once(client, EMBEDDED)
        await asyncio.sleep(0.8)
        assert place.files.alive(), "a program is still there"
    await until(lambda: not place.files.alive())
    assert place.traces()[0].verdict is check.Verdict.PROVED


async def test_a_socket_that_is_taken_away_ends_it(place: OwnArbiter) -> None:
    place.configure(idle_s=2.0)
    async with place.client() as client:
        await _once(client, EMBEDDED)
        place.files.socket.unlink()
    await until(lambda: not place.files.alive())
    assert "socket_gone" in place.log()


async def test_a_full_disk_ends_the_trace_and_not_the_work(place: OwnArbiter) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        await asyncio.to_thread(launch.ensure, place.files, place.config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    async with place.client() as client:
        for _ in range(20):
            await _once(client, WHISPER)
        told = await client.status()
    assert "File too large" in told["arbiter"]["trace_flaw"]
    assert place.log().count("trace_not_written") == 1


async def test_eight_programs_share_a_card_and_the_trace_proves_it(place: OwnArbiter) -> None:
    kinds = [[replace(WHISPER, variant=f"whisper-{number}"), EMBEDDED] for number in range(3)] + [
        [SEGMENTS, EMBEDDED],
        [replace(SEGMENTS, variant="speech"), EMBEDDED],
    ]

    async def program(number: int) -> int:
        served = 0
        async with place.client() as client:
            for turn in range(25):
                choices = kinds[(number + turn) % len(kinds)]
                async with client.lease(choices):
                    await asyncio.sleep(0.001 * (turn % 3))
                    served += 1
        return served

    assert await asyncio.gather(*map(program, range(8))) == [25] * 8
    await place.end(signal.SIGTERM)

    (report,) = place.traces()
    assert report.verdict is check.Verdict.PROVED, check.lines(report)
    assert report.tally.granted == 8 * 25
    assert report.tally.evictions > 0
