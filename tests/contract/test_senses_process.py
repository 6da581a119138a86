"""The process of the senses: what the arbiter and programs see of it, with plain models."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from agent.residency import envelopes
from agent.residency.arbiter.events import Running
from agent.residency.daemon import launch
from agent.residency.errors import ResidencyError
from agent.residency.ladders import Rungs
from agent.residency.testing import until
from agent.senses import port, wire
from agent.senses import worker as worker_of_senses
from agent.senses.client import SensesClient
from agent.senses.config import WorkerConfig
from agent.senses.port import ProcessWorker
from agent.senses.shelf import Shelf
from agent.senses.testing import plain_maker
from agent.senses.worker import Worker
from memory.places import Box
from tools.senses.base import SAMPLE_RATE_HZ, Lease, Prompt, Task
from tools.senses.errors import DeviceError, EngineError, WeightsError

SIZE = 1 << 20
HEARS, SPEAKS = replace(envelopes.WHISPER_INT8, name="ear"), replace(envelopes.KOKORO, name="mouth")
NAMES = ("ear", "mouth", "ear-broken", "ear-failing", "ear-huge", "ear-dying")
RUNGS = Rungs(card=[replace(HEARS, name=name) for name in NAMES], cpu=[HEARS, SPEAKS])


def sound(seconds: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), dtype=np.float32)


def on_card(token: int, variant: str = "ear") -> Lease:
    return Lease(token=token, variant=variant, place="cuda", granted_bytes=1)


ON_CPU = Lease(token=1, variant="ear@cpu", place="cpu", granted_bytes=0)


@pytest.fixture
def config() -> Iterator[WorkerConfig]:
    folder = Path(tempfile.mkdtemp(prefix="senses-"))
    weights = folder / "weights"
    weights.mkdir()
    for name in NAMES:
        (weights / name).write_bytes(bytes(SIZE))
    made = WorkerConfig(
        module="agent.senses.testing",
        key="senses",
        run_dir=str(folder / "run"),
        data_dir=str(folder / "data"),
        weights_dir=str(weights),
    )
    yield made
    for pid in pids(made):
        launch.end(made.files, pid)
    shutil.rmtree(folder)


def pids(config: WorkerConfig) -> list[int]:
    """Return the process, if it runs."""
    if not config.files.alive():
        return []

    async def ask() -> list[int]:
        worker = ProcessWorker(config)
        survey = await worker.survey(1 << 40, [])
        found = [worker.pid] if survey.up and worker.pid else []
        await worker.aclose()
        return found

    return asyncio.run(ask())


class Told:
    """What a worker told its arbiter."""

    def __init__(self) -> None:
        self.lost = 0
        self.ended: list[int] = []
        self.news = asyncio.Event()

    def gone(self) -> None:
        self.lost += 1
        self.news.set()

    def over(self, token: int) -> None:
        self.ended.append(token)
        self.news.set()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not true():
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def arbiter(
    config: WorkerConfig, *, epoch: int = 1, start: bool = True
) -> AsyncIterator[tuple[ProcessWorker, Told]]:
    worker, told = ProcessWorker(config), Told()
    worker.attach(lost=told.gone, ended=told.over, gone=lambda *_: None)
    survey = await worker.survey(epoch, [])
    if start and not survey.up:
        await worker.start()
    try:
        yield worker, told
    finally:
        await worker.aclose()


async def begun(config: WorkerConfig) -> None:
    """Wait until something is being heard."""
    await until(Path(config.weights_dir, "ear.began").exists, within_s=20)


@pytest.fixture
def client(config: WorkerConfig) -> SensesClient:
    return SensesClient(config, RUNGS)


async def test_an_operation_runs_on_the_card_under_its_lease(
    config: WorkerConfig, client: SensesClient
) -> None:
    async with arbiter(config) as (worker, told):
        await worker.load("ear", SIZE)
        worker.begin(7, "ear", 1)
        heard = await client.hear(on_card(7), sound(3), language="fr")
        assert [one.text for one in heard.segments] == ["word 0", "word 1", "word 2"]
        assert (heard.language, heard.flaws) == ("fr", ("counted",))
        worker.end(7)
        await told.until(lambda: told.ended == [7])
        await worker.unload("ear")


async def test_speech_comes_back_whole(config: WorkerConfig, client: SensesClient) -> None:
    async with arbiter(config) as (worker, _):
        await worker.load("mouth", SIZE)
        worker.begin(8, "mouth", 1)
        said = await client.say(on_card(8, "mouth"), "Ja, gern", language="de")
        assert bytes(said.samples.astype(np.uint8)) == b"de Ja, gern"
        assert said.sample_rate_hz == 8_000


async def test_outlines_come_back_as_they_were_made(
    config: WorkerConfig, client: SensesClient
) -> None:
    image = np.zeros((5, 8, 3), dtype=np.uint8)
    async with arbiter(config) as (worker, _):
        await worker.load("ear", SIZE)
        worker.begin(7, "ear", 1)
        left, right = await client.regions(on_card(7), image)
        points = [Prompt(points=[(6.0, 1.0)], inside=[True]), Prompt(points=[(1.0, 1.0)])]
        pointed = await client.region(on_card(7), image, points)
    assert (left.box, left.pixels, left.score) == (Box(left=0, top=0, right=4, bottom=5), 10, 0.9)
    assert left.mask.dtype == np.bool_
    assert left.mask.tolist() == (np.indices((5, 4)).sum(axis=0) % 2 == 0).tolist()
    assert right.mask.shape == (0, 0)
    assert [one.box for one in pointed] == [right.box, left.box]


async def test_without_a_lease_nothing_runs_on_the_card(
    config: WorkerConfig, client: SensesClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with arbiter(config) as (worker, _):
        await worker.load("ear", SIZE)
        worker.begin(7, "mouth", 1)
        with pytest.raises(EngineError, match="Lease 7 is no lease of ear"):
            await client.hear(on_card(7), sound(1))


async def test_a_lease_may_come_after_the_operation(
    config: WorkerConfig, client: SensesClient
) -> None:
    async with arbiter(config) as (worker, _):
        await worker.load("ear", SIZE)
        hearing = asyncio.create_task(client.hear(on_card(9), sound(1)))
        await asyncio.sleep(0.1)
        assert not hearing.done()
        worker.begin(9, "ear", 1)
        assert len((await hearing).segments) == 1


async def test_what_does_not_lie_on_the_card_does_not_run_there(
    config: WorkerConfig, client: SensesClient
) -> None:
    async with arbiter(config) as (worker, _):
        worker.begin(7, "ear", 1)
        with pytest.raises(DeviceError, match="do not lie on the card"):
            await client.hear(on_card(7), sound(1))


async def test_the_end_of_a_lease_stops_its_operation(
    config: WorkerConfig, client: SensesClient
) -> None:
    async with arbiter(config) as (worker, told):
        await worker.load("ear", SIZE)
        worker.begin(7, "ear", 1)
        hearing = asyncio.create_task(client.hear(on_card(7), sound(300)))
        await begun(config)
        worker.end(7)
        await told.until(lambda: told.ended == [7])
        with pytest.raises(EngineError, match="taken back"):
            await hearing
        await worker.unload("ear")  # the model is free


async def test_a_program_that_goes_stops_its_operation(
    config: WorkerConfig, client: SensesClient
) -> None:
    async with arbiter(config) as (worker, told):
        await worker.load("ear", SIZE)
        worker.begin(7, "ear", 1)
        hearing = asyncio.create_task(client.hear(on_card(7), sound(300)))
        await begun(config)
        hearing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hearing
        async with asyncio.timeout(10):
            await worker.unload("ear")  # waits for the operation
        worker.end(7)
        await told.until(lambda: told.ended == [7])


@pytest.mark.parametrize(
    ("variant", "words"), [("ear-broken", "is broken"), ("ear-huge", "no room on cuda")]
)
async def test_a_load_that_fails_says_why(config: WorkerConfig, variant: str, words: str) -> None:
    async with arbiter(replace(config, card="GPU-0")) as (worker, _):
        with pytest.raises(ResidencyError, match=words):
            await worker.load(variant, SIZE)
        await worker.load("ear", SIZE)


async def test_a_library_that_fails_costs_its_operation_only(
    config: WorkerConfig, client: SensesClient
) -> None:
    async with arbiter(config) as (worker, _):
        for name in ("ear-failing", "ear"):
            await worker.load(name, SIZE)
        worker.begin(7, "ear-failing", 1)
        worker.begin(8, "ear", 1)
        with pytest.raises(EngineError, match="ear-failing: a fault of a library"):
            await client.hear(on_card(7, "ear-failing"), sound(1))
        assert len((await client.hear(on_card(8), sound(1))).segments) == 1


async def test_a_process_that_dies_is_told_of_and_started_again(
    config: WorkerConfig, client: SensesClient
) -> None:
    async with arbiter(config) as (worker, told):
        await worker.load("ear-dying", SIZE)
        worker.begin(7, "ear-dying", 1)
        with pytest.raises(EngineError, match="ended while ear-dying ran"):
            await client.hear(on_card(7, "ear-dying"), sound(1))
        await told.until(lambda: told.lost == 1)
        with pytest.raises(ResidencyError, match="not there"):
            await worker.load("ear", SIZE)
        await worker.start()
        await worker.load("ear", SIZE)
        worker.begin(8, "ear", 1)
        assert len((await client.hear(on_card(8), sound(1))).segments) == 1


async def test_a_process_that_is_killed_is_not_told_of(config: WorkerConfig) -> None:
    async with arbiter(config) as (worker, told):
        await worker.load("ear", SIZE)
        pid = worker.pid
        worker.kill()
        await worker.start()
        assert worker.pid != pid
        assert told.lost == 0


async def test_a_load_fails_when_the_process_dies_in_it(config: WorkerConfig) -> None:
    async with arbiter(config) as (worker, told):
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        loading = asyncio.create_task(worker.load("ear", SIZE))
        await asyncio.sleep(0.05)
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(ResidencyError, match="has ended"):
            await loading
        await told.until(lambda: told.lost == 1)


async def test_the_next_arbiter_finds_what_is_there(
    config: WorkerConfig, client: SensesClient
) -> None:
    async with arbiter(config) as (worker, _):
        for name in ("ear", "mouth"):
            await worker.load(name, SIZE)
        worker.begin(7, "ear", 1)
        worker.begin(8, "mouth", 1)
        hearing = asyncio.create_task(client.hear(on_card(7), sound(20)))
        saying = asyncio.create_task(client.say(on_card(8, "mouth"), "x" * 3_000, language="en"))
        await asyncio.sleep(0.1)
        pid = worker.pid
    held = Running(token=7, holder="p", variant="ear", place="cuda", working_bytes=1)
    after = ProcessWorker(config)
    survey = await after.survey(2, [(held, SIZE)])
    assert survey.up
    assert after.pid == pid
    assert {one.variant: one.weights_bytes for one in survey.found} == {"ear": SIZE, "mouth": SIZE}
    with pytest.raises(EngineError):  # nobody said that he holds it
        await saying
    assert len((await hearing).segments) == 20
    await after.aclose()


async def test_a_process_that_hangs_when_an_arbiter_comes_is_ended(
    config: WorkerConfig, client: SensesClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port, "_ANSWER_S", 0.5)
    await client.hear(ON_CPU, sound(0))
    hanging = config.files.pid()
    assert hanging is not None
    os.kill(hanging, signal.SIGSTOP)
    async with arbiter(config) as (worker, _):
        assert worker.pid not in (None, hanging)
        await worker.load("ear", SIZE)


async def test_a_process_that_had_a_later_arbiter_is_ended(config: WorkerConfig) -> None:
    async with arbiter(config, epoch=9) as (worker, _):
        pid = worker.pid
    async with arbiter(config, epoch=1) as (worker, _):  # the directory of its state was lost
        assert worker.pid not in (None, pid)
        await worker.load("ear", SIZE)


async def test_what_is_started_anew_has_nothing_on_the_card(config: WorkerConfig) -> None:
    async with arbiter(config) as (worker, _):
        await worker.load("ear", SIZE)
        pid = worker.pid
        later = ProcessWorker(config)
        await later.start()
        assert later.pid not in (None, pid)
        await later.aclose()
    after = ProcessWorker(config)
    survey = await after.survey(2, [])
    assert (survey.up, survey.found) == (True, ())
    await after.aclose()


async def test_without_an_arbiter_nothing_stays_on_the_card(
    config: WorkerConfig, client: SensesClient
) -> None:
    brief = replace(config, rest_s=0.1)
    async with arbiter(brief) as (worker, _):
        await worker.load("ear", SIZE)
        await asyncio.sleep(1.3)  # it looks each second
        worker.begin(7, "ear", 1)
        assert len((await client.hear(on_card(7), sound(1))).segments) == 1
    await asyncio.sleep(1.3)
    after = ProcessWorker(brief)
    assert (await after.survey(2, [])).found == ()
    await after.aclose()


async def test_an_arbiter_of_before_is_not_listened_to(config: WorkerConfig) -> None:
    async with arbiter(config, epoch=5) as (_, told), arbiter(config, epoch=6) as (later, _):
        await told.until(lambda: told.lost == 1)
        earlier = ProcessWorker(config)
        assert not (await earlier.survey(5, [])).up
        await later.load("ear", SIZE)


async def test_an_arbiter_that_goes_while_it_is_greeted_is_gone(config: WorkerConfig) -> None:
    quick = replace(config, idle_s=0.3)
    await SensesClient(quick, RUNGS).hear(ON_CPU, sound(0))
    _, writer = await asyncio.open_unix_connection(config.files.socket)
    hello = {"do": "arbiter", "version": wire.VERSION, "epoch": 1, "keep": []}
    writer.write(wire.encode(hello)[0])
    writer.close()
    await until(lambda: not config.files.alive())


async def test_what_a_model_takes_on_the_cpu_is_no_leak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_of_senses, "_TICK_S", 0.01)
    (tmp_path / "ear").write_bytes(bytes(SIZE))
    config = WorkerConfig(key="k", run_dir="", data_dir="", weights_dir=str(tmp_path), leak_bytes=1)
    shelf = Shelf(plain_maker(config), device="cpu", host_bytes=1 << 30, free_share=lambda: 1.0)
    worker = Worker(config, shelf, card_bytes=lambda: 0, own_bytes=lambda: 3 * SIZE)
    await shelf.bring("ear", "cpu")
    tending = asyncio.create_task(worker.tend())
    assert not (await asyncio.wait([tending], timeout=0.2))[0]
    await shelf.leave("ear", "cpu")
    await asyncio.wait_for(tending, 10)  # two thirds are still not given back


async def test_an_earlier_arbiter_stops_nothing_of_a_later_one(tmp_path: Path) -> None:
    for name in ("ear", "mouth"):
        (tmp_path / name).write_bytes(bytes(SIZE))
    config = WorkerConfig(key="k", run_dir="", data_dir="", weights_dir=str(tmp_path))
    shelf = Shelf(plain_maker(config), device="cpu", host_bytes=1 << 30, free_share=lambda: 1.0)
    worker = Worker(config, shelf, card_bytes=lambda: 0, own_bytes=lambda: 0)
    door = tmp_path / "door"
    async with await asyncio.start_unix_server(worker.serve, door), AsyncExitStack() as stack:

        async def said(*messages: wire.Message) -> asyncio.StreamReader:
            reader, writer = await asyncio.open_unix_connection(door)
            stack.callback(writer.close)
            for one in messages:
                writer.write(wire.encode(one)[0])
            return reader

        def hello(epoch: int, *keep: int) -> wire.Message:
            return {"do": "arbiter", "version": wire.VERSION, "epoch": epoch, "keep": keep}

        await said(
            hello(1),
            *({"do": "load", "variant": one} for one in ("ear", "mouth")),
            {"do": "lease", "token": 7, "variant": "ear"},
            {"do": "lease", "token": 8, "variant": "mouth"},
        )
        await until(lambda: set(shelf.on_card) == {"ear", "mouth"})
        begun, on = Event(), Event()

        def stubborn(*_: object) -> None:
            begun.set()
            assert on.wait(10)

        holding = asyncio.create_task(shelf.use("ear", "cuda", stubborn))
        await asyncio.to_thread(begun.wait, 10)
        one = {"do": "run", "place": "cuda"}
        # The first waits for the model, so its lease cannot be ended; the second runs.
        await said({**one, "task": "hearing", "token": 7, "variant": "ear"})
        words = "x" * 100
        speaks = {"task": "speech", "text": words, "language": "en"}
        speaking = await said({**one, **speaks, "token": 8, "variant": "mouth"})
        await said(hello(2))
        later = await said(hello(3, 8))
        on.set()
        await holding
        answer = await wire.read(later)
        assert answer is not None
        assert answer[0]["is"] == "there"
        told = await wire.read(speaking)
        assert told is not None
        assert told[0]["is"] == "done"


async def test_on_the_cpu_the_first_operation_starts_it(
    config: WorkerConfig, client: SensesClient
) -> None:
    assert not config.files.alive()
    heard = await client.hear(ON_CPU, sound(2))
    assert len(heard.segments) == 2
    assert config.files.alive()


async def test_weights_that_are_not_there_are_named(
    config: WorkerConfig, client: SensesClient
) -> None:
    await asyncio.to_thread(Path(config.weights_dir, "ear").unlink)
    with pytest.raises(WeightsError, match="There are no weights ear"):
        await client.hear(ON_CPU, sound(1))


async def test_it_ends_by_itself(config: WorkerConfig) -> None:
    quick = replace(config, idle_s=0.2)
    await SensesClient(quick, RUNGS).hear(ON_CPU, sound(1))
    await until(lambda: not config.files.alive())


async def test_after_many_operations_it_ends_when_nothing_lies_on_the_card(
    config: WorkerConfig,
) -> None:
    spent = replace(config, operations=2)
    client = SensesClient(spent, RUNGS)
    async with arbiter(spent) as (worker, told):
        await worker.load("ear", SIZE)
        for token in (7, 8, 9):
            worker.begin(token, "ear", 1)
            await client.hear(on_card(token), sound(1))
        await asyncio.sleep(1.5)  # it looks each second
        assert told.lost == 0
        await worker.unload("ear")
        await told.until(lambda: told.lost == 1)


@pytest.mark.parametrize(
    "sent",
    [
        b"\n",
        b"[]\n",
        b"[" * 100_000 + b"\n",
        b'{"do": "dance"}\n',
        b'{"do": "run", "token": -1}\n',
        b'{"do": "run", "token": 1, "variant": "ear", "place": "moon", "arrays": []}\n',
        b'{"do": "run", "arrays": [["float64", [1]]]}\n',
        b'{"do": "run", "arrays": [["uint8", [99999999, 99999999]]]}\n',
        b'{"do": "run", "arrays": [["uint8", [-1]]]}\n',
        b'{"do": "run", "token": 1, "variant": "ear", "place": "cpu", "task": "cooking"}\n',
        b'{"do": "run", "token": 1, "variant": "ear", "place": "cpu", "task": "hearing"}\n',
        b'{"do": "arbiter", "version": 99, "epoch": 1, "keep": []}\n',
        b'{"do": "arbiter", "version": 1, "epoch": 1}\n',
        b'{"do": "run", "arrays": [["uint8", [9]]]}\nhalf',
    ],
)
async def test_what_is_no_message_costs_only_who_sent_it(
    config: WorkerConfig, client: SensesClient, sent: bytes
) -> None:
    await client.hear(ON_CPU, sound(0))
    reader, writer = await asyncio.open_unix_connection(config.files.socket)
    writer.write(sent)
    if b"half" in sent:
        writer.write_eof()
    answer = await wire.read(reader)
    assert answer is not None
    assert answer[0]["is"] == "failed"
    writer.close()
    assert len((await client.hear(ON_CPU, sound(1))).segments) == 1


def test_the_best_is_the_largest_for_the_card(client: SensesClient, config: WorkerConfig) -> None:
    assert client.best(Task.SPEECH) == "mouth"
    assert client.best(Task.SEGMENTS) is None
    assert client.serves("ear@cpu")
    assert not client.serves("hearing-embedded@7")
