"""A model that sees, under the arbiter on an Ollama of its own: real processes, a supposed card.

Ollama is its double; a description can be made to last until the test lets it end.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.errors import VisionError
from agent.ollama_double import asgi
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import Asked, Say, computed
from agent.residency import check, reading
from agent.residency.arbiter.events import Choice
from agent.residency.client import ArbiterClient
from agent.residency.daemon import launch
from agent.residency.errors import LeaseLostError, LeaseRefusedError, UnreachableError
from agent.residency.opening import Place, place_of
from agent.residency.testing import GIB, OwnArbiter, own_arbiter, until
from agent.residency.timeline import table
from agent.residency.timeline.axes import Clock
from agent.senses.config import WorkerConfig
from agent.settings import ResidencySettings, SensesSettings, Settings
from agent.vision.describing import Describer, Description
from agent.vision.lending import asking, lent
from agent.vision.served import ServedVision
from agent.vision.server import served

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

NAME = "qwen3-vl:4b"
SEEING = DoubleModel(
    name=NAME,
    capabilities=("completion", "vision", "thinking"),
    size_bytes=3_300_000_000,
    layers=36,
    kv_bytes_per_token=144 * 1024,
)
RED = np.full((120, 160, 3), (200, 30, 30), np.uint8)
EAR = "whisper-large-v3-int8"


def words(asked: Asked) -> Say:
    return Say(text="A red field." if asked.path == "/api/chat" else "five, six, seven, eight")


class Sight:
    """A double; while it is told to be slow, descriptions last until it is told otherwise."""

    def __init__(self, **more: Any) -> None:
        self.double = OllamaDouble(computed(words), models=[SEEING], **more)
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        """A program has gone before it was answered."""
        self.slow = False
        self.answers = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] != "/api/chat" or not self.slow:
            await self.double(scope, receive, send)
            return
        whole = await asgi.body(receive)
        self.asked.set()
        leaving = asyncio.create_task(asgi.disconnected(receive))
        answering = asyncio.create_task(self.answers.wait())
        await asyncio.wait([leaving, answering], return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            self.left.set()
            answering.cancel()
            return
        leaving.cancel()
        await self.double._answer("/api/chat", whole, receive, send)

    @property
    def resident(self) -> Any:
        return self.double.shelf.resident(NAME)


class Machine:
    """A machine whose settings name a card and a server that describes pictures."""

    def __init__(self, settings: Settings, sight: Sight) -> None:
        self.settings = settings
        self.sight = sight
        place = place_of(settings)
        assert place is not None
        self.place: Place = place

    async def describe(self) -> Description:
        """Describe a picture as `see --describe` does."""
        server = served(self.settings)
        describer = Describer(server)
        async with lent(self.settings, server, describer) as held:
            return await describer.describe(RED, stays=held)

    async def began(self) -> "asyncio.Task[Description]":
        """Begin a description that lasts."""
        self.sight.slow = True
        describing = asyncio.create_task(self.describe())
        await self.sight.asked.wait()
        return describing

    async def status(self) -> dict[str, Any]:
        told = await self.place.status()
        assert told is not None
        return told

    async def residents(self) -> list[tuple[str, str, bool]]:
        told = (await self.status())["residents"]
        return [(one["variant"], one["place"], one["in_use"]) for one in told]

    async def end(self) -> list[list[dict[str, Any]]]:
        """End the arbiter, and return its traces, each of which is proved."""
        pid = (await self.status())["arbiter"]["pid"]
        assert await asyncio.to_thread(launch.end, self.place.files, pid)
        return self.traces()

    def traces(self) -> list[list[dict[str, Any]]]:
        paths = sorted(self.place.files.data_dir.glob("trace-*.jsonl"))
        assert [check.check_file(one).violations for one in paths] == [()] * len(paths)
        assert check.check_file(paths[-1]).verdict is check.Verdict.PROVED
        return [list(reading.lines_of(one)) for one in paths]


def of(trace: list[dict[str, Any]], *kinds: str) -> list[str]:
    """Return the events and effects of some kinds that concern the model, in their order."""
    told = [one for line in trace for one in (line.get("event", {}), *line.get("effects", ()))]
    return [one["kind"] for one in told if one.get("kind") in kinds and _concerns(one)]


def _concerns(told: dict[str, Any]) -> bool:
    return bool(told.get("variant", NAME) == NAME)


@asynccontextmanager
async def machine(
    serve: Serve, tmp_path: Path, *, card: str = "simulated:24GiB", app: Any = None, **more: Any
) -> AsyncIterator[Machine]:
    sight = Sight(**more)
    async with serve(app or sight) as url:
        settings = Settings(
            data_dir=tmp_path / "data",
            residency=ResidencySettings(card=card, idle_s=60.0),
            senses=SensesSettings(vision_url=url, vision_timeout_s=20.0),
        )
        made = await asyncio.to_thread(Machine, settings, sight)
        yield made
        if made.place.files.alive():
            await made.end()


async def test_a_description_is_lent_the_card_and_the_model_leaves_when_room_is_needed(
    serve: Serve, tmp_path: Path, run_dir: Path
) -> None:
    async with machine(serve, tmp_path) as one:
        describing = await one.began()
        assert await one.residents() == [(NAME, "resident", True)]
        (lease,) = (await one.status())["leases"]
        assert (lease["variant"], lease["place"]) == (NAME, "cuda")
        one.sight.answers.set()
        told = await describing
        assert (told.text, told.served_by) == ("A red field.", f"{NAME} (Ollama 0.33.3)")
        assert await one.residents() == [(NAME, "resident", False)]

        assert (await one.describe()).text == "A red field."
        assert one.sight.double.shelf.loads == 1, "it is used where it is"
        assert one.sight.resident.expires_at.year > 2300

        big = Choice(variant="big", weights_bytes=8 * GIB, working_bytes=GIB)
        async with one.place.client() as client, client.lease([big]):
            assert one.sight.resident is None
        (trace,) = await one.end()
        assert of(trace, "LoadSense", "Granted", "UnloadSense") == [
            "LoadSense",
            "Granted",
            "Granted",
            "UnloadSense",
        ]
        (lent_bytes,) = {
            effect["weights_bytes"]
            for line in trace
            for effect in line.get("effects", ())
            if effect["kind"] == "LoadSense" and effect["variant"] == NAME
        }
        really = SEEING.size_bytes + 8_192 * SEEING.kv_bytes_per_token
        assert really < lent_bytes < 1.3 * really


async def test_an_arbiter_that_ends_in_order_takes_it_off(
    serve: Serve, tmp_path: Path, run_dir: Path
) -> None:
    async with machine(serve, tmp_path) as one:
        await one.describe()
        assert one.sight.resident is not None
        await one.end()
        assert one.sight.resident is None


async def test_a_description_goes_on_over_a_killed_arbiter(
    serve: Serve, tmp_path: Path, run_dir: Path
) -> None:
    async with machine(serve, tmp_path) as one:
        describing = await one.began()
        os.kill((await one.status())["arbiter"]["pid"], signal.SIGKILL)
        await until(lambda: _epoch(one, 2))
        assert await one.residents() == [(NAME, "resident", True)], "it is found, and in use"
        one.sight.answers.set()
        assert (await describing).text == "A red field."
        await until(lambda: _is(one, [(NAME, "resident", False)]))
        assert (await one.describe()).text == "A red field."
        assert one.sight.double.shelf.loads == 1
        _, second = await one.end()
        assert of(second, "LoadSense", "Granted") == ["Granted"]


async def test_what_server_and_arbiter_lost_at_once_is_told_to_who_still_holds_it(
    serve: Serve, tmp_path: Path, run_dir: Path
) -> None:
    async with machine(serve, tmp_path) as one:
        describing = await one.began()
        one.sight.double.shelf.restart()
        os.kill((await one.status())["arbiter"]["pid"], signal.SIGKILL)
        with pytest.raises(VisionError, match=r"cannot stay on the card.*server has lost it"):
            await describing
        await one.sight.left.wait()
        one.sight.slow = False
        assert (await one.describe()).text == "A red field."
        _, second = await one.end()
        assert of(second, "SenseLost", "LoadSense", "Granted") == [
            "SenseLost",
            "LoadSense",
            "Granted",
        ]


async def _epoch(one: Machine, wanted: int) -> bool:
    try:
        told = await one.place.status()
    except UnreachableError:
        return False
    return told is not None and told["arbiter"]["epoch"] == wanted


async def _is(one: Machine, wanted: list[tuple[str, str, bool]]) -> bool:
    return await one.residents() == wanted


async def test_a_server_that_was_restarted_has_lost_it_and_that_is_noticed_after_a_use(
    serve: Serve, tmp_path: Path, run_dir: Path
) -> None:
    async with machine(serve, tmp_path) as one:
        server = served(one.settings)
        async with lent(one.settings, server, Describer(server)):
            one.sight.double.shelf.restart()
        await until(lambda: _is(one, []))
        assert (await one.describe()).text == "A red field."
        (trace,) = await one.end()
        kinds = of(trace, "LoadSense", "Granted", "SenseLost")
        assert kinds == ["LoadSense", "Granted", "SenseLost", "LoadSense", "Granted"]
        said = "\n".join(table.lines(trace[1:-1], Clock(0.0, None, None)))
        assert "qwen3-vl:4b is lost (Ollama has it no more" in said


SERVER = """
import sys
import uvicorn
from agent.ollama_double import asgi
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.script import Say, computed
from agent.ollama_double.models import DoubleModel

model = DoubleModel(
    name="qwen3-vl:4b", capabilities=("completion", "vision"), size_bytes=3_300_000_000
)
double = OllamaDouble(computed(lambda asked: Say(text="A red field.")), models=[model])
slow = sys.argv[2] == "slow"

async def app(scope, receive, send):
    if slow and scope["path"] == "/api/chat":
        await asgi.body(receive)
        print("asked", flush=True)
        await asgi.disconnected(receive)
    else:
        await double(scope, receive, send)

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, lifespan="off")
"""


@asynccontextmanager
async def process(port: int, kind: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a double in a process that can be killed; it tells when it is asked, if it is slow."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, str(port), kind),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await until(lambda: _listens(port))
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_a_server_that_is_killed_costs_that_description_and_may_come_back(
    tmp_path: Path, run_dir: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = Settings(
        data_dir=tmp_path / "data",
        residency=ResidencySettings(card="simulated:24GiB", idle_s=60.0),
        senses=SensesSettings(vision_url=f"http://127.0.0.1:{port}"),
    )
    one = await asyncio.to_thread(Machine, settings, Sight())
    async with process(port, "slow") as server:
        describing = asyncio.create_task(one.describe())
        assert server.stdout is not None
        assert await server.stdout.readline() == b"asked\n"
        assert await one.residents() == [(NAME, "resident", True)]
        server.kill()
        with pytest.raises(VisionError, match=r"The connection to http://127\.0\.0\.1:\d+ broke"):
            await describing
    await until(lambda: _is(one, []))
    with pytest.raises(VisionError, match="No server answers"):
        await one.describe()
    async with process(port, "quick"):
        assert (await one.describe()).text == "A red field."
        (trace,) = await one.end()
    kinds = of(trace, "LoadSense", "Granted", "SenseLost")
    assert kinds == ["LoadSense", "Granted", "SenseLost", "LoadSense", "Granted"]


async def test_a_server_that_is_too_old_is_told_the_least_version_and_is_not_asked_to_load(
    serve: Serve, tmp_path: Path, run_dir: Path
) -> None:
    async with machine(serve, tmp_path, version="0.12.11") as one:
        with pytest.raises(VisionError, match=r"is 0\.12\.11; at least 0\.30 is needed"):
            await one.describe()
        assert one.sight.double.shelf.loads == 0
        assert await one.place.status() is None, "nobody was asked"


async def test_a_server_that_is_no_ollama_is_asked_without_a_lease(
    serve: Serve, tmp_path: Path, run_dir: Path
) -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] == "/v1/chat/completions":
            message = {"role": "assistant", "content": "A red field."}
            await asgi.plain(send, 200, {"choices": [{"message": message}]})
        else:
            await asgi.plain(send, 404, "")

    async with machine(serve, tmp_path, app=app) as one:
        assert (await one.describe()).served_by == f"{NAME} (OpenAI-compatible)"
        assert await one.place.status() is None


async def test_a_card_that_it_never_fits_on_is_said(
    serve: Serve, tmp_path: Path, run_dir: Path
) -> None:
    async with machine(serve, tmp_path, card="simulated:4GiB") as one:
        with pytest.raises(VisionError, match=r"cannot come on the card.* it needs \d+ bytes"):
            await one.describe()
        assert one.sight.double.shelf.loads == 0
        await one.end()


@pytest.fixture
def arbiter() -> Iterator[OwnArbiter]:
    """An arbiter with a process of senses, to which a test adds its server."""
    with own_arbiter(regroup_s=0.3) as made:
        weights = made.folder / "weights"
        weights.mkdir()
        (weights / EAR).write_bytes(bytes(1 << 16))
        made.configure(
            senses=WorkerConfig(
                key="senses",
                run_dir=made.config.run_dir,
                data_dir=str(made.folder / "senses"),
                weights_dir=str(weights),
                module="agent.senses.testing",
                idle_s=1.0,
            )
        )
        yield made


@asynccontextmanager
async def beside(
    serve: Serve, arbiter: OwnArbiter, **more: Any
) -> AsyncIterator[tuple[Sight, ArbiterClient, Describer, list[Choice]]]:
    sight = Sight(**more)
    async with serve(sight) as url:
        server = ServedVision(url=url, model=NAME)
        arbiter.configure(vision=server)
        async with arbiter.client() as client:
            describer = Describer(server)
            yield sight, client, describer, [*await asking(server, url)]
        if arbiter.files.alive():
            await arbiter.end(signal.SIGTERM)
        reports = arbiter.traces()
        assert reports
        assert [one.violations for one in reports] == [()] * len(reports)


async def test_a_lease_that_is_over_stops_the_description(
    serve: Serve, arbiter: OwnArbiter
) -> None:
    async with beside(serve, arbiter) as (sight, client, describer, choices):
        sight.slow = True

        async def describe() -> None:
            async with client.lease(choices, limit_s=0.5):
                await describer.describe(RED, stays=True)

        with pytest.raises(LeaseLostError, match="its time is over"):
            await describe()
        await sight.left.wait()
        assert sight.resident is not None, "the model stays until room is needed"
        sight.slow = False
        async with client.lease(choices):
            assert (await describer.describe(RED, stays=True)).text == "A red field."
        assert sight.double.shelf.loads == 1


async def test_with_the_process_of_the_senses_the_model_goes_and_comes_again(
    serve: Serve, arbiter: OwnArbiter
) -> None:
    async with beside(serve, arbiter) as (sight, client, describer, choices):
        sight.slow = True

        async def describe() -> Description:
            async with client.lease(choices):
                return await describer.describe(RED, stays=True)

        describing = asyncio.create_task(describe())
        await sight.asked.wait()
        os.kill((await client.status())["senses"]["pid"], signal.SIGKILL)
        with pytest.raises(LeaseLostError, match="the process of the senses has ended"):
            await describing
        await sight.left.wait()
        await until(lambda: sight.resident is None)
        sight.slow = False
        assert (await describe()).text == "A red field."
        assert sight.double.shelf.loads == 2
        assert [one["variant"] for one in (await client.status())["residents"]] == [NAME]


async def test_why_it_does_not_load_is_said_to_who_waited_for_it(
    serve: Serve, arbiter: OwnArbiter
) -> None:
    async with beside(serve, arbiter, card_bytes=3 * GIB) as (sight, client, _, choices):

        async def wait() -> None:
            async with client.lease(choices, deadline_s=2):
                pass

        with pytest.raises(LeaseRefusedError, match=r"deadline.*qwen3-vl:4b.*out of memory"):
            await wait()
        assert sight.resident is None
        hearing = Choice(variant=EAR, weights_bytes=GIB, working_bytes=GIB)
        async with client.lease([hearing]) as grant:
            assert grant.place == "cuda", "the senses go on"
