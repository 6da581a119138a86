"""What comes next is on the card before it is asked for: a real turn, a real arbiter's process."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.migrate import migrate
from agent.residency import ladders, reading
from agent.residency.arbiter.events import Choice
from agent.residency.arbitrated import ArbitratedResidency
from agent.residency.client import ArbiterClient
from agent.residency.errors import UnreachableError
from agent.residency.testing import GIB, OwnArbiter, own_arbiter, until
from agent.testing import PROFILE, ScriptedExecutive
from agent.turns import Turns
from graphs.executive import Profile, Prompt, ReplyPart, TextPart, TokenCount, Wish
from memory.language import detect
from memory.store import DocumentStore
from memory.testing import text_document
from tools.reading.perception import Perception
from tools.reading.reader import ContentReader
from tools.senses.base import Operation, Senses
from tools.senses.hearing import PocketsphinxTranscriber
from tools.senses.leased import LeasedSynthesizer, leased
from tools.senses.sight import RapidOcrReader
from tools.senses.speech import EspeakSynthesizer

DATA = Path(__file__).parents[1] / "data"

Meanwhile = Callable[[], Any]


class Slow:
    """An executive that writes on only when something has come about meanwhile."""

    def __init__(self, executive: ScriptedExecutive, meanwhile: Meanwhile) -> None:
        self._executive = executive
        self._meanwhile = meanwhile

    @property
    def profile(self) -> Profile:
        return self._executive.profile

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        return await self._executive.count(prompt, wish, room=room)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        if not self.profile.judgement:
            await until(self._meanwhile, within_s=60)
        async with aclosing(self._executive.stream(prompt, wish)) as parts:
            async for part in parts:
                yield part
                if isinstance(part, TextPart):
                    await until(self._meanwhile, within_s=60)


@pytest.fixture
def arbiter() -> Iterator[OwnArbiter]:
    with own_arbiter() as made:
        yield made


@asynccontextmanager
async def lent(arbiter: OwnArbiter) -> AsyncIterator[ArbitratedResidency]:
    async with arbiter.client() as client:
        yield ArbitratedResidency(client, rungs=ladders.SIMULATED)


def resident(arbiter: OwnArbiter, variant: str) -> Meanwhile:
    """Tell whether a variant lies on the card, without starting an arbiter."""

    async def there() -> bool:
        try:
            async with arbiter.client(start=False) as looking:
                told = await looking.status()
        except UnreachableError:
            return False  # it is on its way
        return any(
            (one["variant"], one["place"]) == (variant, "resident") for one in told["residents"]
        )

    return there


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """Where in the trace something happened first."""

    hinted: int
    loaded: int
    there: int
    asked: int
    granted: int


def seen(arbiter: OwnArbiter, variant: str) -> Seen:
    (path,) = sorted(arbiter.files.data_dir.glob("*.jsonl"))
    lines = [line for line in reading.lines_of(path) if "event" in line]
    events = [(line["n"], line["event"]) for line in lines]
    effects = [(line["n"], one) for line in lines for one in line["effects"]]
    load = next(one for one in effects if one[1].get("variant") == variant)
    assert load[1]["kind"] == "LoadSense"
    return Seen(
        hinted=next(
            n
            for n, one in events
            if one["kind"] == "Hinted" and one["choice"]["variant"] == variant
        ),
        loaded=load[0],
        there=next(n for n, one in events if one.get("load") == load[1]["load"]),
        asked=next(
            n
            for n, one in events
            if one["kind"] == "Asked" and one["choices"][0]["variant"] == variant
        ),
        granted=next(
            n for n, one in effects if one["kind"] == "Granted" and one["variant"] == variant
        ),
    )


@pytest.mark.parametrize("judgement", [True, False])
async def test_speech_is_loaded_while_the_executive_writes_and_found_there(
    arbiter: OwnArbiter,
    dsn: str,
    turns_of: Callable[..., Turns],
    store: DocumentStore,
    tmp_path: Path,
    judgement: bool,
) -> None:
    await migrate(dsn)
    source = await store.source("default", "file:///notes")
    await store.put(source, text_document("file:///notes/a.txt", "The filter is changed in March."))
    profile = Profile(
        name="scripted",
        tier="full",
        context_tokens=PROFILE.context_tokens,
        native_tools=True,
        judgement=judgement,
    )
    answer = "The filter is changed in March [1]."
    executive = Slow(ScriptedExecutive([answer], profile=profile), resident(arbiter, "kokoro-82m"))
    spoken = tmp_path / "answer.wav"
    async with lent(arbiter) as residency:
        speech = LeasedSynthesizer(EspeakSynthesizer(), residency, None)
        others = {"residency": residency, "synthesizer": speech, "language": detect}
        outcome = await turns_of(executive, (), others).run(
            "assistant",
            thread_id="t",
            values={
                "question": "When is the filter changed?",
                "files": [],
                "speak_to": str(spoken),
            },
            watch=lambda _: None,
        )
    assert outcome.output["spoken"] == str(spoken)
    found = seen(arbiter, "kokoro-82m")
    # The executive wrote on only when it was there: so all that lies before its asking for.
    assert found.hinted == found.loaded < found.there < found.asked == found.granted


async def test_what_a_file_needs_is_hinted_at_before_it_is_decoded(arbiter: OwnArbiter) -> None:
    file = "message.wav"
    senses = Senses(
        hearing=PocketsphinxTranscriber(), sight=RapidOcrReader(), speech=EspeakSynthesizer()
    )
    async with lent(arbiter) as residency:
        reader = ContentReader(Perception(senses=leased(senses, residency), residency=residency))
        read = await reader.read((DATA / file).read_bytes(), file)
    assert read.blocks
    found = seen(arbiter, "whisper-large-v3-fp16")
    assert found.hinted == found.loaded < found.asked


async def test_what_was_hinted_at_makes_way_for_what_is_asked_for(arbiter: OwnArbiter) -> None:
    likely = Choice(variant="likely", weights_bytes=8 * GIB, working_bytes=GIB, reload_s=1.0)
    wanted = Choice(variant="wanted", weights_bytes=8 * GIB, working_bytes=GIB, reload_s=1.0)
    async with arbiter.client() as client:
        client.hint(likely, for_s=60.0)
        await until(resident(arbiter, "likely"), within_s=60)
        async with client.lease((wanted,)) as grant:
            assert (grant.variant, grant.rung) == ("wanted", 0)
            assert not await resident(arbiter, "likely")()
        await ended(client, arbiter)
    (report,) = arbiter.traces()
    assert report.violations == ()


async def ended(client: ArbiterClient, arbiter: OwnArbiter) -> None:
    """Wait until the arbiter knows that nothing is out."""

    async def nothing() -> bool:
        return not (await client.status())["leases"]

    await until(nothing)
    assert arbiter.files.alive()


async def test_a_hint_where_no_arbiter_can_start_costs_nothing(arbiter: OwnArbiter) -> None:
    arbiter.configure(card="simulated:1")
    async with lent(arbiter) as residency:
        residency.hint(Operation(task=ladders.SIMULATED.card[0].task))
    assert not arbiter.files.alive()
    assert not list(arbiter.files.data_dir.glob("*.jsonl"))


async def test_on_a_machine_without_senses_for_the_card_nothing_is_started(
    arbiter: OwnArbiter,
) -> None:
    async with arbiter.client() as client:
        ArbitratedResidency(client).hint(Operation(task=ladders.SIMULATED.card[0].task))
    assert not arbiter.files.alive()
