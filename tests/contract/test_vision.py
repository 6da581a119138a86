"""Pictures described by a model on an Ollama or another server, and how that model comes and goes.

Ollama is its double; the other server answers what llama.cpp's does.
"""

import base64
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import numpy as np
import pytest
from PIL import Image

from agent.errors import VisionError
from agent.ollama_double import asgi
from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.script import Asked, BreakOff, Hang, Refuse, Say, computed, scripted
from agent.residency.errors import ResidencyError
from agent.residency.process.bare import NoWorker
from agent.residency.process.beside import WithVision
from agent.residency.vision import VisionKeeper
from agent.residency.vram import PROCESS_BYTES
from agent.vision.describing import CONTEXT_TOKENS, QUESTION, Describer
from agent.vision.served import ServedVision

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

GIB = 1 << 30
SEEING = DoubleModel(
    name="qwen3-vl:4b",
    capabilities=("completion", "vision", "thinking"),
    size_bytes=3_300_000_000,
    layers=36,
    kv_bytes_per_token=144 * 1024,
)
RED = np.full((120, 160, 3), (200, 30, 30), np.uint8)


def seeing(*replies: Any, **more: Any) -> OllamaDouble:
    return OllamaDouble(scripted(*replies), models=[SEEING, DoubleModel()], **more)


def describer(url: str, **more: Any) -> Describer:
    return Describer(ServedVision(url=url, **{"model": "qwen3-vl:4b", **more}))


async def test_a_picture_goes_to_ollama_and_its_words_come_back(serve: Serve) -> None:
    double = seeing(" A red field.\n")
    async with serve(double) as url:
        told = await describer(url).describe(RED)
    assert (told.text, told.flaws) == ("A red field.", ())
    assert told.served_by == "qwen3-vl:4b (Ollama 0.33.3)"
    (asked,) = double.asked
    (message,) = asked.body["messages"]
    assert message["content"] == QUESTION
    sent = np.asarray(Image.open(io.BytesIO(base64.b64decode(message["images"][0]))))
    assert np.array_equal(sent, RED)
    assert asked.body["options"]["num_ctx"] == CONTEXT_TOKENS
    assert not asked.body["think"]
    assert not asked.body["stream"]


@pytest.mark.parametrize(("stays", "keeps"), [(False, 0), (True, -1)])
async def test_the_model_goes_with_the_answer_unless_somebody_keeps_it(
    serve: Serve, stays: bool, keeps: int
) -> None:
    double = seeing("A red field.")
    async with serve(double) as url:
        await describer(url).describe(RED, question="Which colour?", stays=stays)
    assert double.asked[0].body["keep_alive"] == keeps
    assert double.asked[0].body["messages"][0]["content"] == "Which colour?"


async def test_a_description_that_was_cut_off_says_so(serve: Serve) -> None:
    async with serve(seeing(Say(text="A red", done_reason="length"))) as url:
        told = await describer(url).describe(RED)
    assert told.flaws == ("cut off after 512 tokens",)


@pytest.mark.parametrize(
    ("reply", "model", "said"),
    [
        ("", "qwen3-vl:4b", "said nothing of the picture"),
        ("x", "qwen3:14b", r"cannot see: it is able of completion, tools, thinking"),
        ("x", "gone:1b", r"does not have gone:1b .* `cortical models pull gone:1b`"),
        (Refuse(status=500, error="out of memory"), "qwen3-vl:4b", "500 out of memory"),
        (Refuse(status=404, error="model not found"), "qwen3-vl:4b", "does not have qwen3-vl"),
        (BreakOff(text="A"), "qwen3-vl:4b", "does not describe the picture: 500"),
    ],
)
async def test_what_goes_wrong_at_ollama_is_said_with_the_next_step(
    serve: Serve, reply: Any, model: str, said: str
) -> None:
    async with serve(seeing(reply)) as url:
        with pytest.raises(VisionError, match=said):
            await describer(url, model=model).describe(RED)


async def test_a_server_that_is_silent_is_not_waited_for_for_ever(serve: Serve) -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] == "/api/version":
            await asgi.plain(send, 404, "")
        else:
            await asgi.disconnected(receive)

    async with serve(app) as url:
        with pytest.raises(VisionError, match=r"no answer within 0\.3 s.*vision_timeout_s"):
            await describer(url, timeout_s=0.3).describe(RED)


async def test_no_server_at_all_is_said() -> None:
    with pytest.raises(VisionError, match=r"No server answers at http://127\.0\.0\.1:9 .*vision_u"):
        await describer("http://127.0.0.1:9").describe(RED)


def openai(status: int, content: Any) -> tuple[Any, list[Any]]:
    """Return a server that is no Ollama and answers everything so, and what it was asked."""
    asked: list[Any] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] != "/v1/chat/completions":
            await asgi.plain(send, 404, {"error": {"message": "File Not Found"}})
            return
        asked.append(await asgi.body(receive))
        await asgi.plain(send, status, content)

    return app, asked


def answer(text: Any, reason: str = "stop") -> dict[str, Any]:
    return {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": reason}]
    }


async def test_a_server_of_openais_protocol_is_asked_in_its_way(serve: Serve) -> None:
    app, asked = openai(200, answer("A red field.", "length"))
    async with serve(app) as url:
        told = await describer(url).describe(RED)
    assert (told.text, told.served_by) == ("A red field.", "qwen3-vl:4b (OpenAI-compatible)")
    assert told.flaws == ("cut off after 512 tokens",)
    words, shown = asked[0]["messages"][0]["content"]
    assert words == {"type": "text", "text": QUESTION}
    assert shown["image_url"]["url"].startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (500, {"error": {"message": "image input is not supported"}}, "image input is not supp"),
        (200, answer(None), "said nothing of the picture"),
        (200, {"choices": []}, "said nothing"),
        (200, {"choices": "none"}, "said nothing"),
        (200, "<html>", "with no object"),
        (200, [1], "with no object"),
    ],
)
async def test_what_goes_wrong_at_another_server_is_said(
    serve: Serve, status: int, content: Any, said: str
) -> None:
    app, _ = openai(status, json.dumps(content) if isinstance(content, list) else content)
    async with serve(app) as url:
        with pytest.raises(VisionError, match=said):
            await describer(url).describe(RED)


class Kept:
    """A double with a card, and who keeps the model; the clock is the test's."""

    def __init__(self, double: OllamaDouble, url: str) -> None:
        self.double = double
        self.now = 0.0
        self.describer = describer(url)
        self.keeper = VisionKeeper(
            ServedVision(url=url, model="qwen3-vl:4b"),
            used_bytes=self.used,
            clock=lambda: self.now,
        )

    def used(self) -> int:
        held = self.double.shelf.card_bytes()
        return GIB + (held + PROCESS_BYTES if held else 0)

    @property
    def resident(self) -> Any:
        return self.double.shelf.resident("qwen3-vl:4b")

    async def inspect(self) -> str | None:
        self.now += 60
        return await self.keeper.fault()


def words(asked: Asked) -> Say:
    return Say(text="five, six, seven, eight, nine, ten, eleven")


@asynccontextmanager
async def kept(serve: Serve, *, card: int = 12 * GIB, **more: Any) -> AsyncIterator[Kept]:
    double = OllamaDouble(computed(words), models=[SEEING, DoubleModel()], card_bytes=card, **more)
    async with serve(double) as url:
        one = Kept(double, url)
        yield one
        await one.keeper.aclose()


async def test_it_is_brought_and_taken_off_again(serve: Serve) -> None:
    async with kept(serve) as one:
        assert not await one.keeper.found()
        assert one.keeper.said_bytes() == 0
        await one.keeper.load(6 * GIB)
        assert await one.keeper.found()
        assert one.resident.context == CONTEXT_TOKENS
        assert one.keeper.said_bytes() == one.resident.card_bytes + PROCESS_BYTES
        assert one.keeper.planned_bytes is not None
        assert abs(one.keeper.planned_bytes - one.keeper.said_bytes()) < 0.01 * GIB
        assert await one.inspect() is None

        await one.keeper.unload()
        assert one.resident is None
        assert one.keeper.said_bytes() == 0
        assert one.double.shelf.card_bytes() == 0


async def test_a_description_while_it_is_kept_loads_nothing_and_leaves_it(serve: Serve) -> None:
    async with kept(serve) as one:
        await one.keeper.load(6 * GIB)
        await one.describer.describe(RED, stays=True)
        assert one.double.shelf.loads == 1
        assert await one.inspect() is None


async def test_one_that_has_no_room_fails_and_does_not_spill(serve: Serve) -> None:
    async with kept(serve, card=3 * GIB) as one:
        with pytest.raises(ResidencyError, match="out of memory"):
            await one.keeper.load(6 * GIB)
        assert one.resident is None
        assert one.keeper.flaw is not None


async def test_one_that_takes_more_than_was_lent_does_not_stay(serve: Serve) -> None:
    async with kept(serve) as one:
        with pytest.raises(ResidencyError, match=r"took \d+ bytes, where 4294967296 were lent"):
            await one.keeper.load(4 * GIB)
        assert one.resident is None


async def test_what_its_server_does_not_let_go_is_another_programs_from_then_on(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("agent.residency.process.beside._GO_S", 0.3)
    async with kept(serve) as one:
        worker = WithVision(NoWorker(), one.keeper)
        await worker.load("qwen3-vl:4b", 6 * GIB)
        assert worker.held_bytes({}) == one.keeper.said_bytes() > 0
        one.double.shelf.unload = lambda _: None  # type: ignore[method-assign, assignment]
        await worker.unload("qwen3-vl:4b")
        assert one.resident is not None
        assert worker.held_bytes({}) == 0
        assert "vision_stays" in caplog.messages
        await worker.load("qwen3-vl:4b", 6 * GIB)
        assert worker.held_bytes({}) > 0, "it is ours again when it is lent room again"


async def test_a_server_without_it_is_named(serve: Serve) -> None:
    async with kept(serve) as one:
        one.double.shelf._models.pop("qwen3-vl:4b")
        with pytest.raises(ResidencyError, match=r"does not have qwen3-vl:4b"):
            await one.keeper.load(6 * GIB)


async def test_one_that_was_lost_or_changed_is_noticed(serve: Serve) -> None:
    async with kept(serve) as one:
        await one.keeper.load(6 * GIB)
        one.resident.spilled_bytes = GIB
        assert "has spilled" in (await one.inspect() or "")
        one.double.shelf.restart()
        assert "has it no more" in (await one.inspect() or "")
        await one.keeper.load(6 * GIB)
        assert await one.keeper.found()


async def test_a_server_that_went_down_can_be_unloaded(serve: Serve) -> None:
    double = OllamaDouble(computed(words), models=[SEEING])
    async with serve(double) as url:
        one = Kept(double, url)
        await one.keeper.load(6 * GIB)
    await one.keeper.unload()
    assert one.keeper.said_bytes() == 0
    with pytest.raises(ResidencyError, match="does not load"):
        await one.keeper.load(6 * GIB)
    await one.keeper.aclose()


async def test_silence_of_ollama_ends(serve: Serve) -> None:
    double = seeing(Hang())
    async with serve(double) as url:
        with pytest.raises(VisionError):
            await describer(url, timeout_s=0.5).describe(RED)
