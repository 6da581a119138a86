"""A conversation held with real speech, a real voice detector and recordings for devices."""

import asyncio
import wave
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from numpy.typing import NDArray

from agent.migrate import migrate
from agent.talking.conversation import Conversation, Manner, Watch
from agent.talking.ear import VoiceEar
from agent.talking.mouth import Mouth
from agent.talking.pace import IdlePace
from agent.testing import PROFILE, ScriptedExecutive
from agent.turns import Turns
from graphs.executive import Profile, Prompt, ReplyPart, TextPart, TokenCount, Wish
from graphs.interrupted import BROKEN_IN, heard_only
from memory.runs import RunStatus
from tools.senses.base import SAMPLE_RATE_HZ, Recording
from tools.senses.devices import PLAYED_HZ
from tools.senses.errors import SoundDeviceError
from tools.senses.rates import resampled
from tools.senses.recordings import RecordedMicrophone, recorded_loudspeaker
from tools.senses.speech import EspeakSynthesizer
from tools.senses.utterances import Rules
from tools.senses.voice import SileroDetector

QUESTION = "How often must the water filter be cleaned?"
OTHER = "And how long is the warranty of the machine?"
LONG = (
    "The filter is cleaned every six weeks. The cartridge is replaced once a year. "
    "Turn the main valve off before you open the housing."
)


def pause(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


async def spoken(text: str) -> NDArray[np.float32]:
    speech = await EspeakSynthesizer().say(text, language="en")
    samples = resampled(speech.samples, speech.sample_rate_hz, SAMPLE_RATE_HZ)
    return np.asarray(samples / 32768, np.float32)


Answering = Callable[[Watch], Awaitable[Mapping[str, Any]]]


def saying(text: str | None) -> Answering:
    """Return what answers at once."""

    async def answer(watch: Watch) -> Mapping[str, Any]:
        return {"text": text}

    return answer


@dataclass(kw_only=True)
class ScriptedAssistant:
    """An assistant that was told beforehand what to do for each question."""

    script: list[Answering]
    asked: list[float] = field(default_factory=list)
    """Seconds of each question."""
    heard: list[str | None] = field(default_factory=list)
    stopped: int = 0

    async def answer(
        self, spoken: NDArray[np.float32], number: int, *, watch: Watch
    ) -> Mapping[str, Any]:
        self.asked.append(len(spoken) / SAMPLE_RATE_HZ)
        try:
            return await self.script.pop(0)(watch)
        except asyncio.CancelledError:
            self.stopped += 1
            raise

    async def interrupted(self, heard: str | None) -> None:
        self.heard.append(heard)


@dataclass(kw_only=True)
class Talk:
    """What a conversation was."""

    events: list[dict[str, Any]] = field(default_factory=list)
    saying: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something is said."""

    def tell(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if event["event"] == "said":
            self.saying.set()

    def told(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]


class Vanishing(RecordedMicrophone):
    """A microphone that is pulled out where its recording ends."""

    async def frames(self) -> AsyncGenerator[NDArray[np.float32], None]:
        async for frame in super().frames():
            yield frame
        raise SoundDeviceError("The microphone was pulled out.")


async def hold(
    assistant: ScriptedAssistant,
    sound: NDArray[np.float32],
    out: Path,
    talk: Talk,
    *,
    flying: bool = False,
    barge_in: bool = True,
    microphone: type[RecordedMicrophone] = RecordedMicrophone,
) -> NDArray[np.int16]:
    """Hold a conversation over a recording; return what was played.

    Time stands still while something is worked on, unless it is `flying`.
    """
    idle = IdlePace()

    async def fly() -> None:
        await asyncio.sleep(0)

    pace = fly if flying else idle
    noise = np.random.default_rng(5).normal(0, 1e-3, len(sound)).astype(np.float32)
    recording = Recording(samples=sound + noise, declared_s=None)
    with recorded_loudspeaker(out) as loudspeaker:
        conversation = Conversation(
            assistant=assistant,
            ear=VoiceEar(SileroDetector(), Rules()),
            microphone=microphone(recording, "test", pace),
            loudspeaker=loudspeaker,
            mouth=lambda changed, failed: Mouth(
                EspeakSynthesizer(),
                loudspeaker,
                language=lambda _: "en",
                changed=changed,
                failed=failed,
            ),
            pace=pace,
            manner=Manner(barge_in=barge_in, longest_s=60),
            changed=idle.changed,
            tell=talk.tell,
        )
        idle.busy = lambda: conversation.busy
        await conversation.hold()
    return recorded(out)


def recorded(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as reader:
        assert reader.getframerate() == PLAYED_HZ
        return np.frombuffer(reader.readframes(reader.getnframes()), np.int16)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.wav"


async def test_a_question_is_answered_aloud_and_in_its_place(out: Path) -> None:
    assistant, talk = ScriptedAssistant(script=[saying("Every six weeks [1].")]), Talk()
    words = await spoken(QUESTION)
    played = await hold(assistant, np.concatenate([pause(1), words, pause(2)]), out, talk)
    (asked_s,) = assistant.asked
    assert len(words) / SAMPLE_RATE_HZ - 0.4 < asked_s < len(words) / SAMPLE_RATE_HZ + 0.8
    assert [event["text"] for event in talk.told("said")] == ["Every six weeks."]
    (said,) = talk.told("said")
    first = np.flatnonzero(played)[0] / PLAYED_HZ
    assert said["at_s"] - 0.1 < first < said["at_s"] + 0.2


async def test_the_first_sentence_sounds_before_the_second_is_written(out: Path) -> None:
    talk = Talk()

    async def answer(watch: Watch) -> Mapping[str, Any]:
        watch({"event": "text", "text": "The first one. The"})
        await talk.saying.wait()
        watch({"event": "text", "text": " second."})
        return {"text": "The first one. The second."}

    assistant = ScriptedAssistant(script=[answer])
    await hold(assistant, np.concatenate([await spoken(QUESTION), pause(1)]), out, talk)
    assert [event["text"] for event in talk.told("said")] == ["The first one.", "The second."]


async def test_who_breaks_in_silences_the_answer_and_is_heard_from_the_beginning(out: Path) -> None:
    assistant, talk = ScriptedAssistant(script=[saying(LONG), saying("Two years.")]), Talk()
    first, second = await spoken(QUESTION), await spoken(OTHER)
    before = np.concatenate([pause(1), first, pause(3)])
    played = await hold(assistant, np.concatenate([before, second, pause(1)]), out, talk)
    began_s = len(before) / SAMPLE_RATE_HZ
    (interrupted,) = talk.told("interrupted")
    assert 0 < interrupted["at_s"] - began_s < 0.6
    at = round(interrupted["at_s"] * PLAYED_HZ)
    until = round(talk.told("said")[-1]["at_s"] * PLAYED_HZ)
    assert played[at - PLAYED_HZ // 2 : at - 1_000].any()
    assert not played[at : until - 2_000].any()
    assert assistant.heard == [interrupted["heard"]]
    assert LONG.startswith(interrupted["heard"].removesuffix(" …"))
    assert interrupted["heard"] != LONG
    assert assistant.asked[1] > len(second) / SAMPLE_RATE_HZ - 0.4


async def test_who_goes_on_before_the_answer_sounds_asks_both_together(out: Path) -> None:
    async def never(watch: Watch) -> Mapping[str, Any]:
        await asyncio.Event().wait()
        return {}

    assistant, talk = ScriptedAssistant(script=[never, saying("Good.")]), Talk()
    first, second = await spoken(QUESTION), await spoken(OTHER)
    sound = np.concatenate([first, pause(1.2), second, pause(1.5)])
    await hold(assistant, sound, out, talk, flying=True)
    assert assistant.stopped == 1
    assert assistant.heard == [None]
    assert assistant.asked[1] > assistant.asked[0] + len(second) / SAMPLE_RATE_HZ - 0.4


async def test_without_barge_in_the_answer_is_said_to_its_end(out: Path) -> None:
    assistant, talk = ScriptedAssistant(script=[saying(LONG)]), Talk()
    sound = np.concatenate([await spoken(QUESTION), pause(3), await spoken(OTHER), pause(8)])
    await hold(assistant, sound, out, talk, barge_in=False)
    assert not talk.told("interrupted")
    assert len(talk.told("said")) == 3


async def test_the_loudspeaker_does_not_interrupt_itself(out: Path, tmp_path: Path) -> None:
    talk = Talk()
    question = np.concatenate([await spoken(QUESTION), pause(1)])
    assistant = ScriptedAssistant(script=[saying(LONG)])
    played = await hold(assistant, question, out, talk)
    heard = resampled(played, PLAYED_HZ, SAMPLE_RATE_HZ).astype(np.float32) / 32768
    echo = 0.3 * np.concatenate([pause(0.1), heard])
    again = np.pad(question, (0, len(echo) - len(question))) + echo

    assistant, talk = ScriptedAssistant(script=[saying(LONG)]), Talk()
    await hold(assistant, np.concatenate([again, pause(2)]), out, talk)
    assert not talk.told("interrupted")
    assert len(assistant.asked) == 1


@pytest.mark.parametrize("level", [0.0, 0.05])
async def test_silence_and_noise_ask_nothing(out: Path, level: float) -> None:
    assistant, talk = ScriptedAssistant(script=[]), Talk()
    noise = np.random.default_rng(6).normal(0, level, 10 * SAMPLE_RATE_HZ).astype(np.float32)
    played = await hold(assistant, noise, out, talk)
    assert talk.events == []
    assert not played.any()


async def test_a_microphone_that_goes_ends_the_talk_behind_the_answer(out: Path) -> None:
    assistant, talk = ScriptedAssistant(script=[saying("Every six weeks.")]), Talk()
    sound = np.concatenate([await spoken(QUESTION), pause(0.2)])
    with pytest.raises(SoundDeviceError, match="pulled out"):
        await hold(assistant, sound, out, talk, microphone=Vanishing)
    assert [event["text"] for event in talk.told("said")] == ["Every six weeks."]
    assert recorded(out).any()


async def test_a_turn_that_fails_is_told_and_the_talk_goes_on(out: Path) -> None:
    async def fail(watch: Watch) -> Mapping[str, Any]:
        raise SoundDeviceError("The server has gone.")

    assistant, talk = ScriptedAssistant(script=[fail, saying("Yes.")]), Talk()
    words = await spoken(QUESTION)
    sound = np.concatenate([words, pause(2), words, pause(1)])
    await hold(assistant, sound, out, talk)
    assert [event.get("error") for event in talk.told("answer")] == ["The server has gone.", None]
    assert [event["text"] for event in talk.told("said")] == ["Yes."]


async def test_a_fault_of_ours_ends_the_talk(out: Path) -> None:
    class Broken(ScriptedAssistant):
        async def interrupted(self, heard: str | None) -> None:
            raise RuntimeError("the database has gone")

    assistant, talk = Broken(script=[saying(LONG)]), Talk()
    sound = np.concatenate([await spoken(QUESTION), pause(3), await spoken(OTHER), pause(1)])
    with pytest.raises(RuntimeError, match="database"):
        await hold(assistant, sound, out, talk)


async def test_what_waits_at_the_terminal_is_asked_aloud_and_not_interrupted(out: Path) -> None:
    release = asyncio.Event()

    async def answer(watch: Watch) -> Mapping[str, Any]:
        watch({"event": "deciding", "text": "May I note that?"})
        await release.wait()
        watch({"event": "decided"})
        return {"text": "Noted."}

    class Impatient(RecordedMicrophone):
        """Lets the person decide once all was spoken."""

        async def frames(self) -> AsyncGenerator[NDArray[np.float32], None]:
            async for frame in super().frames():
                yield frame
            release.set()

    assistant, talk = ScriptedAssistant(script=[answer]), Talk()
    words = await spoken(QUESTION)
    sound = np.concatenate([words, pause(1), words, pause(1)])
    await hold(assistant, sound, out, talk, flying=True, microphone=Impatient)
    assert [event["text"] for event in talk.told("said")] == ["May I note that?", "Noted."]
    assert not talk.told("interrupted")
    assert len(assistant.asked) == 1


class Halting:
    """An executive that stands still behind its first words until it is stopped."""

    def __init__(self, words: str) -> None:
        self._words = words
        self.stood = asyncio.Event()

    @property
    def profile(self) -> Profile:
        return PROFILE

    async def count(self, prompt: Prompt, wish: Wish, *, room: int | None = None) -> TokenCount:
        return TokenCount(tokens=10, exact=True)

    async def stream(self, prompt: Prompt, wish: Wish) -> AsyncGenerator[ReplyPart, None]:
        yield TextPart(text=self._words)
        self.stood.set()
        await asyncio.Event().wait()


@pytest.fixture
async def dsn(dsn: str) -> str:
    """A database of the test's own, with the checkpointer's tables."""
    await migrate(dsn)
    return dsn


async def messages(turns: Turns, asked: ScriptedExecutive) -> list[tuple[str, str]]:
    """Return the history that the executive was shown with its last question."""
    prompt, _ = asked.asked[-1]
    return [
        ("user" if isinstance(message, HumanMessage) else "assistant", str(message.text))
        for message in prompt.messages
        if isinstance(message, HumanMessage | AIMessage)
    ]


@pytest.mark.parametrize("heard", ["It is cleaned …", None])
async def test_of_a_turn_that_was_broken_off_the_conversation_holds_what_was_heard(
    turns_of: Callable[..., Turns], heard: str | None
) -> None:
    executive = Halting("It is cleaned every six weeks, and")
    turns = turns_of(executive)
    values = {"question": "How often is it cleaned?", "files": []}
    run = asyncio.create_task(
        turns.run("assistant", thread_id="t", values=values, watch=lambda _: None)
    )
    await executive.stood.wait()
    run.cancel()
    await asyncio.wait([run])
    await turns.interrupt(
        "assistant",
        thread_id="t",
        values=values,
        amend=lambda state, run_id: heard_only(state, run_id, heard),
        node="speak",
    )
    (ended,) = await turns.registry.newest(thread_id="t")
    assert ended.status is RunStatus.CANCELLED

    next_one = ScriptedExecutive(["Yes."])
    outcome = await turns_of(next_one).run(
        "assistant",
        thread_id="t",
        values={"question": "Really?", "files": []},
        watch=lambda _: None,
    )
    shown = await messages(turns, next_one)
    assert outcome.output["answer"]["text"] == "Yes."
    if heard is None:
        assert not any("How often" in text for _, text in shown)
    else:
        assert ("assistant", f"{heard} {BROKEN_IN}") in shown
        assert any("How often is it cleaned?" in text for who, text in shown if who == "user")


async def test_of_an_answer_that_was_whole_the_conversation_holds_what_was_heard(
    turns_of: Callable[..., Turns],
) -> None:
    values = {"question": "How often?", "files": []}
    turns = turns_of(ScriptedExecutive(["Every six weeks. Not more often."] * 2))
    await turns.run("assistant", thread_id="t", values=values, watch=lambda _: None)
    await turns.interrupt(
        "assistant",
        thread_id="t",
        values=values,
        amend=lambda state, run_id: heard_only(state, run_id, "Every six weeks."),
        node="speak",
    )
    (ended,) = await turns.registry.newest(thread_id="t")
    assert ended.status is RunStatus.DONE, "it had come to its end"
    next_one = ScriptedExecutive(["Yes."])
    await turns_of(next_one).run(
        "assistant", thread_id="t", values={"question": "So?", "files": []}, watch=lambda _: None
    )
    shown = await messages(turns, next_one)
    assert ("assistant", f"Every six weeks. {BROKEN_IN}") in shown


async def test_another_turn_than_the_one_that_was_broken_into_stays_as_it_is(
    turns_of: Callable[..., Turns],
) -> None:
    turns = turns_of(ScriptedExecutive(["Every six weeks."]))
    values = {"question": "How often?", "files": []}
    await turns.run("assistant", thread_id="t", values=values, watch=lambda _: None)
    await turns.interrupt(
        "assistant",
        thread_id="t",
        values={"question": "Another?", "files": []},
        amend=lambda state, run_id: pytest.fail("it is not this one"),
        node="speak",
    )
