"""The whole way: the driver's figures, the arbiter's process, an Ollama, and programs."""

import asyncio
import ctypes
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent import assembly, migrate
from agent.asking import Question, ask
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import Asked, Reply, Say, computed
from agent.residency import check, reading
from agent.residency.arbiter.events import Choice, Priority, WhilePaused
from agent.residency.client import ArbiterClient
from agent.residency.daemon import launch
from agent.residency.errors import LeaseLostError, UnreachableError
from agent.residency.opening import Place, place_of
from agent.residency.process.config import ServedExecutive
from agent.residency.testing import GIB, OwnArbiter, own_arbiter, until
from agent.residency.vram import PROCESS_BYTES
from agent.settings import (
    DatabaseSettings,
    ExecutiveSettings,
    OllamaSettings,
    ResidencySettings,
    Settings,
)

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

NAME = "qwen3:14b"
UUID = "GPU-11111111-aaaa"
VECTORS = DoubleModel(name="all-minilm:latest", capabilities=("embedding",))
EMBEDDED = Choice(variant="embedded", place="cpu")


class Host:
    """A double of Ollama on a card of the stub's, whose figures follow it."""

    def __init__(self, told: Path) -> None:
        self.asked: list[Asked] = []
        """Calls of graphs; the arbiter's own go elsewhere."""
        self.double = OllamaDouble(
            computed(self._words), models=[DoubleModel(), VECTORS], card_bytes=24 * GIB
        )
        self.foreign_bytes = GIB
        self.lost = False
        self.loads = 0
        self._told = told
        shelf = self.double.shelf
        self._load, self._unload = shelf.load, shelf.unload
        shelf.load = self._loaded  # type: ignore[method-assign, assignment]
        shelf.unload = self._unloaded  # type: ignore[method-assign, assignment]
        self.write()

    def _words(self, request: Asked) -> Reply:
        if request.path == "/api/chat":
            self.asked.append(request)
        return Say(text="five, six, seven, eight")

    def _loaded(self, *given: Any) -> Any:
        found = self._load(*given)
        self.loads += given[0].name == NAME and found[1]
        self.write()
        return found

    def _unloaded(self, *given: Any) -> None:
        self._unload(*given)
        self.write()

    def context(self) -> int | None:
        found = self.double.shelf.resident(NAME)
        return None if found is None else found.context

    def write(self) -> None:
        held = self.double.shelf.card_bytes()
        used = self.foreign_bytes + (held + PROCESS_BYTES if held else 0)
        new = self._told.with_suffix(".new")
        lost = "lost 0 15\n" if self.lost else ""
        new.write_text(f"card {UUID} {24 * GIB} {used} NVIDIA GeForce RTX 4090\n{lost}")
        new.replace(self._told)


@asynccontextmanager
async def running(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[OwnArbiter, Host, str]]:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(stub.parent))
    monkeypatch.setenv("NVML_STUB", str(tmp_path / "told"))
    host = Host(tmp_path / "told")
    async with serve(host.double) as url:
        executive = ServedExecutive(url=url, model=NAME, context_tokens=16_384)
        with own_arbiter(card=UUID, executive=executive) as arbiter:
            yield arbiter, host, url
            if arbiter.files.alive():
                await arbiter.end(signal.SIGTERM)


async def called(url: str, **options: int) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        body = {"model": NAME, "prompt": "Hello", "stream": False, "options": options}
        (await client.post("/api/generate", json=body)).raise_for_status()


async def place(arbiter: OwnArbiter) -> Any:
    async with arbiter.client(start=False) as client:
        executive = (await client.status())["executive"]
        return executive and (executive["place"], executive["drifted"])


async def test_an_executive_that_another_program_changed_is_put_right_after_the_turn(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(serve, stub, tmp_path, monkeypatch) as (arbiter, host, url):
        async with arbiter.client() as client:
            async with client.turn() as admitted:
                assert (admitted.place, host.context(), host.loads) == ("cuda", 16_384, 1)
                await called(url, num_ctx=4_096)
                client.suspect("an answer took a load of 2.4 s")
                await until(lambda: _is(arbiter, ("resident", True)))
                await asyncio.sleep(0.5)
                assert host.context() == 4_096, "nothing is changed in a turn"
            await until(lambda: _is(arbiter, ("resident", False)))
            assert host.context() == 16_384
            async with client.lease([EMBEDDED]) as grant:
                assert grant.place == "cpu"
        await arbiter.end(signal.SIGTERM)
        assert host.context() == 16_384, "the executive outlives its arbiter"
        async with arbiter.client() as client, client.turn():
            assert host.loads == 3, "and is found by the next"
        await arbiter.end(signal.SIGTERM)

        reports = arbiter.traces()
        assert [one.violations for one in reports] == [()] * len(reports)
        assert reports[0].verdict is check.Verdict.PROVED


async def test_an_executive_that_nobody_uses_leaves_and_comes_back_for_a_turn(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(serve, stub, tmp_path, monkeypatch) as (arbiter, host, _):
        arbiter.configure(rest_s=0.5)
        async with arbiter.client() as client:
            async with client.turn():
                await asyncio.sleep(1.0)
                assert host.context() == 16_384, "not in a turn"
            await until(lambda: host.context() is None)
            await asyncio.sleep(0.5)
            assert host.loads == 1, "it is not brought back for nobody"
            async with client.turn() as admitted:
                assert (admitted.place, host.context(), host.loads) == ("cuda", 16_384, 2)
        await arbiter.end(signal.SIGTERM)
        (report,) = arbiter.traces() or await asyncio.to_thread(_checked, arbiter)
        assert report.verdict is check.Verdict.PROVED


def _checked(arbiter: OwnArbiter) -> list[check.Report]:
    """Judge traces in which nobody asked for a sense."""
    return [check.check_file(path) for path in sorted(arbiter.files.data_dir.glob("*.jsonl"))]


async def _is(arbiter: OwnArbiter, wanted: tuple[str, bool]) -> bool:
    return bool(await place(arbiter) == wanted)


async def test_a_server_that_restarts_ends_the_turn_and_the_executive_comes_back(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        running(serve, stub, tmp_path, monkeypatch) as (arbiter, host, _),
        arbiter.client() as client,
    ):

        async def interrupted() -> None:
            async with client.turn():
                host.double.shelf.restart()
                host.write()
                client.suspect("no answer")
                await asyncio.sleep(10)

        with pytest.raises(LeaseLostError, match="restarted, or another model came"):
            await interrupted()
        async with client.turn():
            assert host.context() == 16_384


async def test_a_turn_goes_on_over_a_killed_arbiter_and_nothing_is_changed_in_it(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        running(serve, stub, tmp_path, monkeypatch) as (arbiter, host, url),
        arbiter.client() as client,
    ):
        async with client.turn():
            await arbiter.end(signal.SIGKILL)
            await until(arbiter.files.alive)
            async with arbiter.client() as looker:
                told = await looker.status()
                assert told["arbiter"]["epoch"] == 2
                assert [one["begun"] for one in told["turns"]] == [True]
                await called(url, num_ctx=4_096)
                looker.suspect("an answer took a load of 2.4 s")
                await until(lambda: _is(arbiter, ("resident", True)))
            await asyncio.sleep(0.5)
            assert host.context() == 4_096
        await arbiter.end(signal.SIGTERM)
        assert [one.violations for one in arbiter.traces()] == [()] * 2


async def test_a_pause_frees_the_card_and_a_resume_takes_it_again(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        running(serve, stub, tmp_path, monkeypatch) as (arbiter, host, _),
        arbiter.client() as client,
    ):
        async with client.turn():
            pass
        await client.pause(WhilePaused.CPU)
        await until(lambda: host.context() is None)
        async with client.turn() as admitted:
            assert admitted.place == "cpu"
        await client.resume()
        async with client.turn() as admitted:
            assert (admitted.place, host.context()) == ("cuda", 16_384)


async def test_a_game_that_needs_the_card_gets_it_and_the_executive_comes_back_smaller_or_whole(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        running(serve, stub, tmp_path, monkeypatch) as (arbiter, host, _),
        arbiter.client() as client,
    ):
        async with client.turn():
            host.foreign_bytes = 13 * GIB
            host.write()
            await until(lambda: _foreign(client, 13 * GIB))
            assert host.context() == 16_384, "not in a turn"
        await until(lambda: host.context() != 16_384, within_s=20)
        async with client.turn() as admitted:
            assert admitted.profile == "qwen3:14b@8192", "the compact one fits beside the game"
        await arbiter.end(signal.SIGTERM)
        assert [one.violations for one in arbiter.traces()] == [()]


async def _foreign(client: ArbiterClient, size: int) -> bool:
    return bool((await client.status())["card"]["foreign_bytes"] >= size)


async def test_a_card_that_is_lost_grants_nothing_and_is_said(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(serve, stub, tmp_path, monkeypatch) as (arbiter, host, _):
        async with arbiter.client() as client:
            async with client.turn():
                pass
            host.lost = True
            host.write()
            await until(lambda: _unread(client))
            async with client.lease([EMBEDDED]) as grant:
                assert grant.place == "cpu", "the CPU is still there"
        assert "card_lost" in arbiter.log()


async def _unread(client: ArbiterClient) -> bool:
    return (await client.status())["card"]["used_bytes"] is None


async def test_a_card_that_is_not_there_is_told_to_who_starts_the_arbiter(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(serve, stub, tmp_path, monkeypatch) as (arbiter, _, _):
        arbiter.configure(card="GPU-99999999")
        with pytest.raises(UnreachableError, match="There is no card GPU-99999999"):
            await asyncio.to_thread(launch.ensure, arbiter.files, arbiter.config)


@asynccontextmanager
async def settled(
    serve: Serve, stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dsn: str
) -> AsyncIterator[tuple[Host, Settings, Place]]:
    """A machine whose settings name its card, its Ollama and a database."""
    monkeypatch.setenv("LD_LIBRARY_PATH", str(stub.parent))
    monkeypatch.setenv("NVML_STUB", str(tmp_path / "told"))
    host = Host(tmp_path / "told")
    await migrate.migrate(dsn)
    async with serve(host.double) as url:
        settings = Settings(
            data_dir=tmp_path / "data",
            database=DatabaseSettings(url=dsn),
            embedder=f"ollama:{VECTORS.name}",
            ollama=OllamaSettings(url=url),
            executive=ExecutiveSettings(choice=f"ollama:{NAME}", probe="never"),
            residency=ResidencySettings(card=UUID, idle_s=1.0),
        )
        ctypes.CDLL(str(stub), ctypes.RTLD_GLOBAL)
        place = await asyncio.to_thread(place_of, settings)
        assert place is not None
        yield host, settings, place


async def test_a_question_waits_for_the_executive_and_takes_it_as_it_is_kept(
    serve: Serve,
    stub: Path,
    tmp_path: Path,
    run_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    dsn: str,
) -> None:
    async with settled(serve, stub, tmp_path, monkeypatch, dsn) as (host, settings, place):
        async with place.client() as owner:
            await owner.pause(WhilePaused.WAIT)
            told_of: list[Any] = []
            question = Question(text="What is five?", files=(), thread_id=None, speak_to=None)
            asked = asyncio.create_task(ask(settings, question, watch=told_of.append, decide=None))
            await until(lambda: waiting(owner), within_s=30)
            await until(lambda: host.context() is None)
            before = host.loads
            await until(lambda: any(one["event"] == "waiting" for one in told_of))
            await owner.resume()
            told = await asked
            assert told["answer"] == "five, six, seven, eight"
            assert host.context() == 16_384
            assert host.loads == before + 1, "no call of the turn loads it anew"
        (trace,) = place.files.data_dir.glob("*.jsonl")
        assert check.check_file(trace).violations == ()
        await until(lambda: not place.files.alive())


async def test_a_jobs_call_begins_when_no_person_has_a_turn(
    serve: Serve,
    stub: Path,
    tmp_path: Path,
    run_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    dsn: str,
) -> None:
    async with settled(serve, stub, tmp_path, monkeypatch, dsn) as (host, settings, place):
        async with (
            place.client() as person,
            assembly.engine(settings, priority=Priority.JOB) as engine,
        ):
            async with person.turn(priority=Priority.PERSON):
                values = {"question": "What is five?", "files": []}
                job = asyncio.create_task(
                    engine.turns.run(
                        "assistant", thread_id="t", values=values, watch=lambda _: None
                    )
                )
                await until(lambda: calling(person), within_s=30)
                assert not host.asked, "it waits before anything is sent"
            outcome = await job
        assert outcome.output["answer"]["text"] == "five, six, seven, eight"
        (trace,) = place.files.data_dir.glob("*.jsonl")
        granted = [
            one["variant"]
            for line in reading.lines_of(trace)
            for one in line.get("effects", ())
            if one["kind"] == "Granted"
        ]
        assert granted == ["executive"] * len(host.asked)
        await until(lambda: not place.files.alive())
        assert check.check_file(trace).verdict is check.Verdict.PROVED


async def calling(looking: ArbiterClient) -> bool:
    return [one["wishes"] for one in (await looking.status())["waiting"]] == [["executive"]]


async def waiting(owner: ArbiterClient) -> bool:
    return bool((await owner.status())["turns"])
