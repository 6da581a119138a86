"""The executive kept on an Ollama: loaded by one profile, verified, watched, put right."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import Asked, Reply, Say, computed
from agent.residency.arbiter.events import ExecutiveDrifted, ExecutiveLost
from agent.residency.keeper import ExecutiveUnfitError, OllamaKeeper
from agent.residency.process.config import ServedExecutive
from agent.residency.vram import PROCESS_BYTES

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

GIB = 1 << 30
NAME = "qwen3:14b"
OTHER = DoubleModel(name="phi4:latest", capabilities=("completion",))


def words(_: Asked) -> Reply:
    return Say(text="five, six, seven, eight, nine, ten, eleven")


class Kept:
    """A double, a card that it takes bytes of, and who keeps it; the clock is the test's."""

    def __init__(self, double: OllamaDouble, url: str, *, lies_by: int = 0) -> None:
        self.double = double
        self.now = 0.0
        self.lies_by = lies_by
        self.url = url
        self.keeper = OllamaKeeper(
            ServedExecutive(url=url, model=NAME, context_tokens=16_384),
            used_bytes=self.used,
            clock=lambda: self.now,
        )

    def used(self) -> int:
        held = self.double.shelf.card_bytes()
        return GIB + (held + PROCESS_BYTES - self.lies_by if held else 0)

    async def load(self) -> str:
        await self.keeper.found()
        name = self.keeper.profiles[0].name
        await self.keeper.load(name)
        return name

    async def inspect(self) -> Any:
        self.now += 60
        return await self.keeper.inspect()

    async def call(self, model: str = NAME, **more: Any) -> dict[str, Any]:
        """A call of another program."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            body = {"model": model, "prompt": "Hello", "stream": False, **more}
            answer = await client.post("/api/generate", json=body)
            told: dict[str, Any] = answer.json()
            return told

    def resident(self) -> Any:
        return self.double.shelf.resident(NAME)


@asynccontextmanager
async def kept(serve: Serve, *, card: int = 24 * GIB, **more: Any) -> AsyncIterator[Kept]:
    lies_by = more.pop("lies_by", 0)
    double = OllamaDouble(computed(words), models=[DoubleModel(), OTHER], card_bytes=card, **more)
    async with serve(double) as url:
        one = Kept(double, url, lies_by=lies_by)
        yield one
        await one.keeper.aclose()


async def test_it_is_loaded_by_one_profile_and_verified(serve: Serve) -> None:
    async with kept(serve) as one:
        name = await one.load()

        assert name == "qwen3:14b@16384"
        started = one.resident().started_with
        assert started == {"num_ctx": 16_384, "num_batch": 512, "num_gpu": 999, "shift": False}
        assert one.resident().expires_at.year > 2300
        assert one.double.shelf.loads == 1, "the test of its speed loads nothing anew"
        real = one.resident().size_bytes + PROCESS_BYTES
        assert abs(one.keeper.profiles[0].bytes - real) <= real // 100, "what it takes is learnt"
        assert await one.inspect() is None


async def test_a_call_of_ours_does_not_load_it_anew(serve: Serve) -> None:
    async with kept(serve) as one:
        await one.load()
        options = {"num_ctx": 16_384, "num_batch": 512}
        told = await one.call(options=options, shift=False, keep_alive=-1)
        assert told["load_duration"] < 100_000_000
        assert one.double.shelf.loads == 1
        assert await one.inspect() is None


async def test_the_next_arbiter_finds_it_where_it_is(serve: Serve) -> None:
    async with kept(serve) as one:
        name = await one.load()
        again = Kept(one.double, one.url)
        assert await again.keeper.found() == name
        assert one.double.shelf.loads == 1
        await again.keeper.aclose()


async def test_one_that_does_not_fit_whole_fails_and_does_not_spill(serve: Serve) -> None:
    async with kept(serve, card=8 * GIB) as one:
        with pytest.raises(ExecutiveUnfitError, match="out of memory"):
            await one.load()
        assert one.resident() is None


async def test_a_card_that_did_not_lose_the_bytes_is_believed_before_the_server(
    serve: Serve,
) -> None:
    async with kept(serve, lies_by=4 * GIB) as one:
        with pytest.raises(ExecutiveUnfitError, match="bytes of the card, not the"):
            await one.load()
        assert one.resident() is None, "what is not verified does not stay"


async def test_one_that_writes_as_slowly_as_a_spilled_one_is_not_kept(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.ollama_double.generate._TOKEN_NS", 400_000_000)
    async with kept(serve) as one:
        with pytest.raises(ExecutiveUnfitError, match=r"writes 2\.5 tokens a second"):
            await one.load()


async def test_a_restarted_server_has_lost_it_and_that_is_told_once(serve: Serve) -> None:
    async with kept(serve) as one:
        await one.load()
        one.double.shelf.restart()
        event = await one.inspect()
        assert isinstance(event, ExecutiveLost)
        assert await one.inspect() is None
        await one.load()
        assert await one.inspect() is None


async def test_another_model_that_came_has_pushed_it_out(serve: Serve) -> None:
    async with kept(serve, card=14 * GIB) as one:
        await one.load()
        await one.call("phi4")
        assert isinstance(await one.inspect(), ExecutiveLost)


async def test_other_options_of_another_program_are_drift(serve: Serve) -> None:
    async with kept(serve) as one:
        name = await one.load()
        await one.call(options={"num_ctx": 4_096})
        event = await one.inspect()
        assert isinstance(event, ExecutiveDrifted)
        assert "context of 4096 tokens, not 16384" in event.reason
        assert await one.inspect() is None, "it is told once"
        assert one.resident().context == 4_096, "and not put right unasked"

        await one.keeper.unload()
        assert one.resident() is None
        await one.keeper.load(name)
        assert one.resident().context == 16_384


async def test_a_spill_is_drift(serve: Serve) -> None:
    async with kept(serve) as one:
        await one.load()
        one.resident().spilled_bytes = GIB
        event = await one.inspect()
        assert isinstance(event, ExecutiveDrifted)
        assert "has spilled" in event.reason


async def test_a_shorter_stay_is_made_long_again_without_a_load(serve: Serve) -> None:
    async with kept(serve) as one:
        await one.load()
        ours = {"num_ctx": 16_384, "num_batch": 512}
        await one.call(options=ours, shift=False, keep_alive="5m")
        assert one.resident().expires_at.year == datetime.now(UTC).year
        assert await one.inspect() is None
        assert one.resident().expires_at.year > 2300
        assert one.double.shelf.loads == 1


async def test_one_that_comes_without_leave_goes_again(serve: Serve) -> None:
    async with kept(serve) as one:
        await one.load()
        await one.keeper.unload()
        await one.call()
        assert await one.inspect() is None
        assert one.resident() is None


async def test_an_old_server_is_told_the_least_version(serve: Serve) -> None:
    async with kept(serve, version="0.12.11") as one:
        assert await one.keeper.found() is None
        assert one.keeper.profiles == ()
        assert one.keeper.flaw is not None
        assert "is 0.12.11; at least 0.30 is needed" in one.keeper.flaw


async def test_a_server_without_the_model_or_none_at_all_is_named_and_asked_again(
    serve: Serve,
) -> None:
    async with kept(serve) as one:
        one.double.shelf._models.pop(NAME)
        assert await one.keeper.found() is None
        assert one.keeper.flaw is not None
        assert "does not have qwen3:14b" in one.keeper.flaw
        one.double.shelf.add(NAME)
        assert await one.inspect() is None
        assert one.keeper.flaw is None
        assert [profile.name for profile in one.keeper.profiles] == [
            "qwen3:14b@16384",
            "qwen3:14b@8192",
        ]


async def test_a_server_that_went_down_has_lost_it(serve: Serve) -> None:
    double = OllamaDouble(computed(words))
    async with serve(double) as url:
        one = Kept(double, url)
        name = await one.load()
    event = await one.inspect()
    assert isinstance(event, ExecutiveLost)
    assert "does not answer" in event.reason
    with pytest.raises(ExecutiveUnfitError, match="does not load"):
        await one.keeper.load(name)
    await one.keeper.unload()
    await one.keeper.aclose()


async def test_what_the_driver_tells_of_its_processes_counts(serve: Serve) -> None:
    async with kept(serve) as one:
        await one.load()
        reported = one.resident().size_bytes + PROCESS_BYTES
        assert one.keeper.held_bytes({}) == reported
        assert one.keeper.held_bytes({1: None}) == reported
