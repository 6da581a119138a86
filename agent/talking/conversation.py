"""A conversation as it is held: sound in and out, turns between; what to do, `decide` says."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agent import faults
from agent.talking.decide import decide
from agent.talking.ear import Ear
from agent.talking.effects import Begin, Effect, Finish, Interrupt, Say
from agent.talking.events import (
    Asked,
    Decided,
    Event,
    MicrophoneEnded,
    Settled,
    Silent,
    Sounding,
    TurnEnded,
    VoiceBegan,
    VoiceEnded,
    Written,
)
from agent.talking.mouth import Mouth
from agent.talking.script import Script
from agent.talking.state import Phase, State
from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.devices import Loudspeaker, Microphone
from tools.senses.echo import Echo
from tools.senses.errors import SoundDeviceError
from tools.senses.utterances import Edge
from tools.senses.voice import FRAME, FRAME_S

ECHO_S = 1.0
"""Behind the last sound of the loudspeaker, how long it may still be heard by the microphone."""

DRAIN_S = 0.2
"""What a device may still hold when all was handed to it."""

_UNTOLD = frozenset({"text", "begun", "thought", "paused"})
"""Pieces of what is told whole; and that a turn was stopped, which is told as `interrupted`."""

Watch = Callable[[dict[str, Any]], None]


class Assistant(Protocol):
    """Who answers."""

    async def answer(
        self, spoken: NDArray[np.float32], number: int, *, watch: Watch
    ) -> Mapping[str, Any]:
        """Run a turn that a recording asks, mono at `SAMPLE_RATE_HZ`; return what was answered.

        `text` is the answer, or None; `watch` is told its words as they are written.
        """
        ...

    async def interrupted(self, heard: str | None) -> None:
        """Write down that of the answer of the newest turn only this was heard."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How a conversation is held."""

    barge_in: bool
    """Whether a voice is listened to while the loudspeaker sounds."""
    longest_s: float
    """Of what is asked at once."""


class Conversation:
    """One person, one thread."""

    def __init__(
        self,
        *,
        assistant: Assistant,
        ear: Ear,
        microphone: Microphone,
        loudspeaker: Loudspeaker,
        mouth: Callable[[Callable[[], None], Callable[[Exception], None]], Mouth],
        pace: Callable[[], Awaitable[None]],
        manner: Manner,
        changed: Callable[[], None],
        tell: Watch,
    ) -> None:
        self._assistant = assistant
        self._ear = ear
        self._microphone = microphone
        self._loudspeaker = loudspeaker
        self._mouth = mouth(changed, self._unsaid)
        self._pace = pace
        self._manner = manner
        self._changed = changed
        self._tell_all = tell
        self.state = State()
        self._events: deque[Event] = deque()
        self._happening = False
        self._utterances: dict[int, NDArray[np.float32]] = {}
        self._turn: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._echo = Echo()
        self._frames = 0
        self._written: Mapping[str, Any] | None = None
        self._count = 0
        self._asked_s = 0.0
        self._since_sound = ECHO_S

    @property
    def busy(self) -> bool:
        """Whether something is worked on, and nothing sounds meanwhile."""
        if self._loudspeaker.waiting or self._over.done():
            return False
        return self.state.running or self.state.settling or self._mouth.making

    @property
    def at_s(self) -> float:
        """How much the microphone has heard."""
        return round(self._frames * FRAME_S, 3)

    async def hold(self) -> None:
        """Talk until the microphone ends. Raises `SoundDeviceError` where it has gone.

        Cancelled, it is silent at once; a turn that runs is paused and can be gone on with.
        """
        try:
            await self._heard_out()
            while not self._over.done():
                await self._pace()
                self._tick(np.zeros(FRAME, np.float32))
            if failure := self._over.result():
                raise SoundDeviceError(failure)
            if self._loudspeaker.live:
                await asyncio.sleep(DRAIN_S)
        finally:
            self._mouth.hush()
            await self._stopped()

    async def _heard_out(self) -> None:
        """Take all that the microphone gives."""
        failure = None
        try:
            async with contextlib.aclosing(self._microphone.frames()) as frames:
                async for frame in frames:
                    self._tick(frame)
                    self._hear(frame)
        except SoundDeviceError as error:
            failure = str(error)
            self._tell("failed", text=failure)
        self._edge(self._ear.end())
        self._happen(MicrophoneEnded(failure=failure))

    def _tick(self, frame: NDArray[np.float32]) -> None:
        """Let so much time pass. Raises what has ended a task of ours."""
        if self._over.done():
            self._over.result()
        self._frames += 1
        self._loudspeaker.pass_time(FRAME_S)
        played = self._mouth.copied()
        if not len(played) or not self._loudspeaker.waiting:
            played = np.pad(played, (0, max(0, FRAME - len(played))))
        self._echo.add(frame, played)
        self._since_sound = 0.0 if played.any() else self._since_sound + FRAME_S
        for span in self._mouth.sounding():
            self._tell("said", text=span.text)
            if span.aside:
                continue
            if self.state.phase is Phase.THINKING:
                waited_s = asyncio.get_running_loop().time() - self._asked_s
                self._tell("sounding", after_s=round(waited_s, 3))
            self._happen(Sounding(turn=self.state.turn))
        if self.state.phase in (Phase.SPEAKING, Phase.THINKING) and not self._mouth.busy:
            self._tell_answer()
            self._happen(Silent(turn=self.state.turn))

    def _hear(self, frame: NDArray[np.float32]) -> None:
        if self.state.phase in (Phase.ASKING, Phase.ACTING):
            return
        self._edge(self._ear.hear(frame, self._is_echo))

    def _is_echo(self) -> bool:
        if self._since_sound >= ECHO_S:
            return False
        return not self._manner.barge_in or self._echo.only

    def _edge(self, edge: Edge | None) -> None:
        match edge:
            case Edge.BEGAN:
                self._tell("voice")
                self._happen(VoiceBegan())
            case Edge.ENDED | Edge.CUT:
                number, self._count = self._count, self._count + 1
                spoken = self._ear.utterance()
                self._utterances[number] = spoken
                seconds = round(len(spoken) / SAMPLE_RATE_HZ, 2)
                self._tell("utterance", seconds=seconds, cut=edge is Edge.CUT)
                self._asked_s = asyncio.get_running_loop().time()
                self._happen(VoiceEnded(utterance=number))

    def _happen(self, event: Event) -> None:
        """Do what follows from an event, and from what happens meanwhile, one after the other."""
        self._events.append(event)
        if self._happening:
            return
        self._happening = True
        try:
            while self._events:
                self.state, effects = decide(self.state, self._events.popleft())
                for effect in effects:
                    self._do(effect)
        finally:
            self._happening = False
        self._changed()

    def _do(self, effect: Effect) -> None:
        match effect:
            case Begin(turn=turn, utterances=utterances):
                self._mouth.begin()
                self._turn = self._task(self._answered(turn, utterances))
            case Say(text=text, aside=aside):
                self._mouth.say(text, aside=aside)
            case Interrupt(turn=turn):
                heard = self._mouth.hush()
                self._tell_answer()
                self._tell("interrupted", heard=heard)
                self._task(self._settled(turn, heard))
            case Finish(failure=failure) if not self._over.done():
                self._over.set_result(failure)

    def _task(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Let a fault of ours end the conversation."""
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._over.done():
            self._over.set_exception(error)
            self._changed()

    async def _answered(self, turn: int, utterances: Sequence[int]) -> None:
        script = Script()
        watch = self._following(turn, script)
        told: Mapping[str, Any]
        try:
            told = await self._assistant.answer(self._joined(utterances), turn, watch=watch)
        except Exception as error:  # noqa: BLE001 - a turn that fails costs itself, not the talk
            told = {"text": None, "error": faults.explained(error)[1]}
        for sentence in script.end(told["text"] or ""):
            self._happen(Written(turn=turn, text=sentence))
        self._written = told
        self._happen(TurnEnded(turn=turn, speaks=self._mouth.busy))
        if not self._mouth.busy:
            self._tell_answer()

    def _tell_answer(self) -> None:
        """Tell what was answered, once it was said."""
        told, self._written = self._written, None
        if told is not None:
            self._tell("answer", **told)

    def _following(self, turn: int, script: Script) -> Watch:
        """Return what hears of a turn's words while they are written."""

        def watch(event: dict[str, Any]) -> None:
            match event:
                case {"event": "deciding", "text": text}:
                    self._happen(Asked(turn=turn, text=text))
                case {"event": "decided"}:
                    self._happen(Decided(turn=turn))
            if event["event"] not in _UNTOLD:
                self._tell_all({**event, "at_s": self.at_s})
            for sentence in script.follow(event):
                self._happen(Written(turn=turn, text=sentence))

        return watch

    def _joined(self, utterances: Sequence[int]) -> NDArray[np.float32]:
        """Return the newest of some utterances, as many as are taken at once."""
        parts: list[NDArray[np.float32]] = []
        seconds = 0.0
        for number in reversed(utterances):
            part = self._utterances[number]
            seconds += len(part) / SAMPLE_RATE_HZ
            if parts and seconds > self._manner.longest_s:
                self._tell("notice", text="That was long: only its last part is taken.")
                break
            parts.insert(0, part)
        self._utterances = {number: self._utterances[number] for number in utterances}
        return np.concatenate(parts)

    async def _settled(self, turn: int, heard: str | None) -> None:
        running = self._turn
        if running is not None and not running.done():
            running.cancel()
            await asyncio.wait([running])
        await self._assistant.interrupted(heard)
        self._happen(Settled(turn=turn))

    async def _stopped(self) -> None:
        """Wait for what was begun to end, a running turn by being paused."""
        if self._turn is not None:
            self._turn.cancel()
        if self._ending:
            await asyncio.wait(self._ending)

    def _unsaid(self, error: Exception) -> None:
        self._tell("notice", text=f"This cannot be said: {faults.explained(error)[1]}")

    def _tell(self, event: str, **facts: Any) -> None:
        self._tell_all({"event": event, "at_s": self.at_s, **facts})
