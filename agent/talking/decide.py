"""What a conversation does next: all that follows from one event. Pure.

A person who speaks is always listened to, save while a decision is asked for at the terminal, where
what waits for a line of text cannot be taken back, and while what was decided is done. Who speaks
while nothing of the answer has sounded goes on with the question, so both utterances ask together;
who speaks into the answer asks something new.
"""

from dataclasses import replace

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

Decision = tuple[State, tuple[Effect, ...]]

_ANSWERING = (Phase.THINKING, Phase.SPEAKING, Phase.ASKING, Phase.ACTING)


def decide(state: State, event: Event) -> Decision:
    """Return the state behind an event, and what is to be done."""
    match event:
        case VoiceBegan():
            return _voice_began(state)
        case VoiceEnded(utterance=utterance):
            return _voice_ended(state, utterance)
        case Settled(turn=turn):
            return _settled(state, turn)
        case MicrophoneEnded(failure=failure):
            return _ended(replace(state, ended=True, failure=failure))
        case _ if event.turn != state.turn or state.settling or state.phase not in _ANSWERING:
            return state, ()
        case _:
            return _answering(state, event)


def _voice_began(state: State) -> Decision:
    if state.phase is Phase.LISTENING:
        return replace(state, phase=Phase.HEARING, asked=()), ()
    if state.phase not in (Phase.THINKING, Phase.SPEAKING):
        return state, ()
    asked = state.asked if state.phase is Phase.THINKING else ()
    hearing = replace(state, phase=Phase.HEARING, asked=asked, running=False, settling=True)
    # What waits for an interrupted turn to settle has not begun itself.
    return hearing, () if state.settling else (Interrupt(turn=state.turn),)


def _voice_ended(state: State, utterance: int) -> Decision:
    if state.phase is not Phase.HEARING:
        return state, ()
    asking = replace(state, phase=Phase.THINKING, asked=(*state.asked, utterance))
    return (asking, ()) if state.settling else _begun(asking)


def _begun(state: State) -> Decision:
    turn = state.turn + 1
    return replace(state, turn=turn, running=True), (Begin(turn=turn, utterances=state.asked),)


def _settled(state: State, turn: int) -> Decision:
    if turn != state.turn or not state.settling:
        return state, ()
    settled = replace(state, settling=False)
    return _begun(settled) if state.phase is Phase.THINKING else _resting(settled)


def _ended(state: State) -> Decision:
    """Give up an utterance that breaks off; what was asked before it is still asked."""
    if state.phase is not Phase.HEARING:
        return _resting(state)
    if not state.asked:
        return _resting(replace(state, phase=Phase.LISTENING))
    thinking = replace(state, phase=Phase.THINKING)
    return (thinking, ()) if state.settling else _begun(thinking)


def _answering(state: State, event: Event) -> Decision:
    match event:
        case Written(turn=turn, text=text):
            told = Phase.THINKING if state.phase is Phase.ACTING else state.phase
            return replace(state, phase=told), (Say(turn=turn, text=text),)
        case Sounding() if state.phase is Phase.THINKING:
            return replace(state, phase=Phase.SPEAKING), ()
        case Asked(turn=turn, text=text) if state.running:
            return replace(state, phase=Phase.ASKING), (Say(turn=turn, text=text, aside=True),)
        case Decided() if state.phase is Phase.ASKING:
            # What was asked is being done: who speaks after that asks something else.
            return replace(state, phase=Phase.ACTING, asked=()), ()
        case TurnEnded(speaks=speaks) if state.running:
            return _turn_ended(replace(state, running=False), speaks=speaks)
        case Silent() if not state.running:
            return _resting(replace(state, phase=Phase.LISTENING))
        case _:
            return state, ()


def _turn_ended(state: State, *, speaks: bool) -> Decision:
    if not speaks:
        return _resting(replace(state, phase=Phase.LISTENING))
    told = Phase.THINKING if state.phase is Phase.ACTING else state.phase
    return replace(state, phase=told), ()


def _resting(state: State) -> Decision:
    """End the conversation if there is nothing more to wait for."""
    if state.ended and state.phase is Phase.LISTENING and not state.settling:
        return replace(state, phase=Phase.OVER), (Finish(failure=state.failure),)
    return state, ()
