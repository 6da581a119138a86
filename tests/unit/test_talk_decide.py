"""What a spoken conversation does next, over any order of events."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.talking.decide import decide
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
from agent.talking.state import Phase, State

LISTENING = State()


def after(*events: Event) -> tuple[State, list[Effect]]:
    """Return where a conversation stands behind some events, and all that was to be done."""
    state = LISTENING
    done: list[Effect] = []
    for event in events:
        state, effects = decide(state, event)
        done += effects
    return state, done


ASKS = (VoiceBegan(), VoiceEnded(utterance=0))
ANSWERS = (*ASKS, Written(turn=1, text="Nine."), Sounding(turn=1))


def test_what_is_said_is_asked_and_the_answer_is_said() -> None:
    state, done = after(*ANSWERS, TurnEnded(turn=1, speaks=True), Silent(turn=1))
    assert done == [Begin(turn=1, utterances=(0,)), Say(turn=1, text="Nine.")]
    assert state.phase is Phase.LISTENING


def test_a_voice_in_the_answer_silences_it_and_asks_anew_once_the_old_turn_has_settled() -> None:
    state, done = after(*ANSWERS, VoiceBegan())
    assert done[-1] == Interrupt(turn=1)
    assert state.phase is Phase.HEARING

    state, done = after(*ANSWERS, VoiceBegan(), VoiceEnded(utterance=1))
    assert done[-1] == Interrupt(turn=1), "two turns of one thread never run at once"
    state, done = after(*ANSWERS, VoiceBegan(), VoiceEnded(utterance=1), Settled(turn=1))
    assert done[-1] == Begin(turn=2, utterances=(1,))


def test_a_voice_before_the_answer_sounds_goes_on_with_the_question() -> None:
    _, done = after(*ASKS, VoiceBegan(), Settled(turn=1), VoiceEnded(utterance=1))
    assert done == [
        Begin(turn=1, utterances=(0,)),
        Interrupt(turn=1),
        Begin(turn=2, utterances=(0, 1)),
    ]


def test_late_words_of_an_interrupted_turn_are_not_said() -> None:
    for events in ([VoiceBegan()], [VoiceBegan(), VoiceEnded(utterance=1)]):
        _, done = after(*ANSWERS, *events, Written(turn=1, text="Ten."))
        assert Say(turn=1, text="Ten.") not in done


def test_nobody_breaks_into_a_question_at_the_terminal() -> None:
    asked = (*ASKS, Asked(turn=1, text="May I?"))
    state, done = after(*asked, VoiceBegan(), VoiceEnded(utterance=1))
    assert state.phase is Phase.ASKING
    assert done[-1] == Say(turn=1, text="May I?", aside=True)


def test_nobody_breaks_into_what_was_decided_before_it_is_told() -> None:
    decided = (*ASKS, Asked(turn=1, text="May I?"), Decided(turn=1))
    state, done = after(*decided, VoiceBegan(), VoiceEnded(utterance=1))
    assert state.phase is Phase.ACTING
    assert Interrupt(turn=1) not in done
    told = (*decided, Written(turn=1, text="Done."), VoiceBegan(), Settled(turn=1))
    _, done = after(*told, VoiceEnded(utterance=1))
    assert done[-1] == Begin(turn=2, utterances=(1,)), "what was done is not asked again"
    state, _ = after(*decided, TurnEnded(turn=1, speaks=False))
    assert state.phase is Phase.LISTENING


def test_a_turn_without_a_word_is_followed_by_listening() -> None:
    state, _ = after(*ASKS, TurnEnded(turn=1, speaks=False))
    assert state.phase is Phase.LISTENING


def test_the_answer_is_said_to_its_end_when_the_microphone_ends() -> None:
    state, done = after(*ANSWERS, MicrophoneEnded(failure="gone"))
    assert state.phase is Phase.SPEAKING
    for event in (TurnEnded(turn=1, speaks=True), Silent(turn=1)):
        state, done_now = decide(state, event)
        done += done_now
    assert done[-1] == Finish(failure="gone")


def test_it_does_not_end_before_an_interrupted_answer_is_written_down() -> None:
    broken = (*ANSWERS, VoiceBegan(), MicrophoneEnded())
    _, done = after(*broken)
    assert done[-1] == Interrupt(turn=1)
    _, done = after(*broken, Settled(turn=1))
    assert done[-1] == Finish(failure=None)


@dataclass(kw_only=True)
class World:
    """What stands around the decisions: it does what it is told, in any order that can be."""

    state: State = LISTENING
    voice: bool = False
    utterances: int = 0
    running: int | None = None
    settling: int | None = None
    waiting: list[str] = field(default_factory=list)
    sounded: bool = False
    asking: bool = False
    acting: bool = False
    deaf: bool = False
    accepted: list[int] = field(default_factory=list)
    begun: list[Begin] = field(default_factory=list)
    finished: int = 0

    def meet(self, event: Event) -> None:
        before = self.state
        self.state, effects = decide(before, event)
        for effect in effects:
            self.do(effect)
        if isinstance(event, VoiceEnded) and before.phase is Phase.HEARING:
            self.accepted.append(event.utterance)

    def do(self, effect: Effect) -> None:
        match effect:
            case Begin(turn=turn):
                assert self.running is None, "one turn of a thread at a time"
                assert self.settling is None
                assert turn == len(self.begun) + 1
                self.begun.append(effect)
                self.running, self.waiting, self.sounded = turn, [], False
            case Interrupt(turn=turn):
                assert self.settling is None
                assert turn == len(self.begun)
                assert not self.asking
                assert not self.acting
                self.running, self.settling, self.waiting = None, turn, []
            case Say(turn=turn, text=text):
                assert turn == len(self.begun), "only the newest turn is heard"
                assert self.settling is None
                self.waiting.append(text)
            case Finish():
                self.finished += 1
                assert self.running is None
                assert self.settling is None

    def act(self, action: str) -> None:
        """Let something happen, if it can."""
        self.person(action)
        self.turn(action)
        self.sound(action)

    def person(self, action: str) -> None:
        match action:
            case "speak" if not self.voice and not self.deaf:
                self.voice = True
                self.meet(VoiceBegan())
            case "pause" if self.voice and not self.deaf:
                self.voice = False
                self.utterances += 1
                self.meet(VoiceEnded(utterance=self.utterances))
            case "decide" if self.asking and self.running:
                self.asking, self.acting = False, True
                self.meet(Decided(turn=self.running))
            case "unplug" if not self.deaf:
                # Whoever is speaking then is not heard to the end.
                self.deaf = True
                self.meet(MicrophoneEnded())

    def turn(self, action: str) -> None:
        newest = len(self.begun)
        match action:
            case "write" if self.running and not self.asking:
                self.acting = False
                self.meet(Written(turn=self.running, text="word"))
            case "end" if self.running and not self.asking:
                turn, self.running, self.acting = self.running, None, False
                self.meet(TurnEnded(turn=turn, speaks=bool(self.waiting)))
            case "ask" if self.running and not self.asking:
                self.asking, self.acting = True, False
                self.meet(Asked(turn=self.running, text="may I"))
            case "late" if newest > 1:
                self.meet(Written(turn=newest - 1, text="late"))
                self.meet(TurnEnded(turn=newest - 1, speaks=False))
                self.meet(Settled(turn=newest - 1))

    def sound(self, action: str) -> None:
        newest = len(self.begun)
        match action:
            case "sound" if self.waiting:
                self.meet(Sounding(turn=newest))
            case "silence" if newest:
                self.waiting = []
                self.meet(Silent(turn=newest))
            case "settle" if self.settling:
                turn, self.settling = self.settling, None
                self.meet(Settled(turn=turn))


ACTIONS = "speak pause write end ask decide sound silence settle late".split()


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from([*ACTIONS, "unplug"]), max_size=60))
def test_whatever_happens_each_utterance_is_asked_one_turn_runs_and_it_comes_to_an_end(
    actions: list[str],
) -> None:
    world = World()
    for action in actions:
        world.act(action)
    for _ in range(3):
        for action in ("decide", "unplug", "settle", "end", "sound", "silence"):
            world.act(action)

    assert world.state.phase is Phase.OVER
    assert world.finished == 1
    asked = [number for begin in world.begun for number in begin.utterances]
    assert set(asked) == set(world.accepted), "nothing that was said is lost, nothing is made up"
    for begin in world.begun:
        assert list(begin.utterances) == sorted(begin.utterances)


@pytest.mark.parametrize("event", [Silent(turn=0), Settled(turn=0), TurnEnded(turn=0, speaks=True)])
def test_what_belongs_to_no_turn_changes_nothing(event: Event) -> None:
    assert decide(LISTENING, event) == (LISTENING, ())
