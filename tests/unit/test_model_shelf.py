"""The models that the process of the senses holds: one operation at a time, whatever breaks off."""

import asyncio
from threading import Event

import pytest

from agent.senses.shelf import Shelf
from tools.senses.background import Patience
from tools.senses.errors import DeviceError
from tools.senses.models.base import Model

SIZE = 100


class Weights:
    """A model that tells where its weights are; each method can be made to wait, or to fail."""

    def __init__(self, *, failing: str | None = None) -> None:
        self.host_bytes = 0
        self.device: str | None = None
        self.failing = failing
        self.waits: dict[str, tuple[Event, Event]] = {}

    def hold(self, method: str) -> tuple[Event, Event]:
        """Return what tells that a method has begun, and what lets it go on."""
        self.waits[method] = Event(), Event()
        return self.waits[method]

    def _pass(self, method: str) -> None:
        if method in self.waits:
            begun, on = self.waits.pop(method)
            begun.set()
            assert on.wait(10)
        if self.failing == method:
            raise DeviceError(f"{method} failed")

    def stage(self) -> None:
        self._pass("stage")
        self.host_bytes = SIZE

    def bring(self, device: str) -> None:
        self.stage()
        self._pass("bring")
        self.device = device

    def leave(self) -> None:
        self._pass("leave")
        self.device = None

    def drop(self) -> None:
        self._pass("drop")
        self.device, self.host_bytes = None, 0


class Made:
    """A shelf, and what it made."""

    def __init__(self, *, host_bytes: int) -> None:
        self.weights = "first"
        self.failing: str | None = None
        self.models: dict[tuple[str, str], list[Weights]] = {}
        self.shelf = Shelf(self._make, device="cuda", host_bytes=host_bytes, free_share=lambda: 1.0)

    def _make(self, variant: str, device: str) -> tuple[object, Model]:
        made = Weights(failing=self.failing)
        self.models.setdefault((variant, device), []).append(made)
        return self.weights, made

    def on_device(self) -> set[str]:
        """Return the variants that really lie on the card, however many models are of them."""
        return {
            variant
            for (variant, _), models in self.models.items()
            if any(one.device == "cuda" for one in models)
        }

    async def broken(self, variant: str) -> Weights:
        """Return a model that was asked for and cannot be brought."""
        self.failing = "bring"
        with pytest.raises(DeviceError):
            await self.shelf.bring(variant, "cuda")
        self.failing = None
        return self.models[variant, "cuda"][0]


async def begun(event: Event) -> None:
    assert await asyncio.to_thread(event.wait, 10)


async def test_an_operation_that_is_cancelled_twice_still_holds_its_model() -> None:
    made = Made(host_bytes=SIZE)
    await made.shelf.bring("ear", "cuda")
    started, on = Event(), Event()

    def work(_: Model, patience: Patience) -> None:
        started.set()
        assert on.wait(10)
        patience.check()

    using = asyncio.create_task(made.shelf.use("ear", "cuda", work))
    await begun(started)
    using.cancel()  # its program hung up
    await asyncio.sleep(0)
    using.cancel()  # and the arbiter says that its lease is over
    leaving = asyncio.create_task(made.shelf.leave("ear", "cuda"))
    await asyncio.wait([using, leaving], timeout=0.1)
    assert not using.done()
    assert not leaving.done()
    assert made.on_device() == {"ear"}
    on.set()
    await leaving
    assert made.on_device() == set()
    with pytest.raises(asyncio.CancelledError):
        await using


async def test_what_is_brought_while_its_copy_is_dropped_is_known_to_be_there() -> None:
    made = Made(host_bytes=0)
    await made.shelf.bring("ear", "cuda")
    dropping, on = made.models["ear", "cuda"][0].hold("drop")
    await made.shelf.leave("ear", "cuda")
    room = asyncio.create_task(made.shelf.make_room())
    await begun(dropping)
    bringing = asyncio.create_task(made.shelf.bring("ear", "cuda"))
    await asyncio.sleep(0)
    on.set()
    await asyncio.gather(room, bringing)
    assert set(made.shelf.on_card) == made.on_device() == {"ear"}
    await made.shelf.leave("ear", "cuda")
    assert made.on_device() == set()


async def test_room_may_be_made_twice_at_once() -> None:
    made = Made(host_bytes=0)
    await made.shelf.bring("ear", "cuda")
    dropping, on = made.models["ear", "cuda"][0].hold("drop")
    await made.shelf.leave("ear", "cuda")
    first = asyncio.create_task(made.shelf.make_room())
    await begun(dropping)
    made.models["ear", "cuda"][0].host_bytes = SIZE
    second = asyncio.create_task(made.shelf.make_room())
    await asyncio.sleep(0)
    on.set()
    await asyncio.gather(first, second)
    assert made.shelf.staged_bytes == 0


async def test_room_is_not_waited_for_where_a_model_is_used() -> None:
    made = Made(host_bytes=2 * SIZE)
    for name in ("ear", "mouth"):
        await made.shelf.bring(name, "cuda")
        await made.shelf.leave(name, "cuda")
    dropping, dropped = made.models["ear", "cuda"][0].hold("drop")
    bringing, brought = made.models["mouth", "cuda"][0].hold("bring")
    room = asyncio.create_task(made.shelf.bring("eye", "cuda"))
    await begun(dropping)
    loading = asyncio.create_task(made.shelf.bring("mouth", "cuda"))
    await begun(bringing)
    dropped.set()
    await asyncio.wait_for(room, 5)
    assert not loading.done()
    brought.set()
    await loading


async def test_what_cannot_be_let_go_costs_nothing_else() -> None:
    made = Made(host_bytes=0)
    for name in ("ear", "mouth"):
        await made.shelf.bring(name, "cpu")
    made.models["ear", "cpu"][0].failing = "leave"
    await made.shelf.rest(0.0)
    assert made.models["mouth", "cpu"][0].host_bytes == 0
    assert made.shelf.faulty


async def test_weights_that_were_replaced_are_read_again() -> None:
    made = Made(host_bytes=10 * SIZE)
    await made.shelf.bring("ear", "cuda")
    await made.shelf.leave("ear", "cuda")
    made.weights = "others"
    await made.shelf.bring("ear", "cuda")
    assert made.shelf.staged_bytes == SIZE
    old, *_, new = made.models["ear", "cuda"]
    assert (old.host_bytes, new.device) == (0, "cuda")


async def test_what_could_not_be_brought_can_be_mended() -> None:
    made = Made(host_bytes=10 * SIZE)
    failing = await made.broken("ear")
    made.weights = "mended"
    await made.shelf.bring("ear", "cuda")
    assert made.on_device() == {"ear"}
    assert failing.host_bytes == 0
