"""What happens in a conversation. A turn's events carry its number: so late ones are known."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class VoiceBegan:
    """Somebody has spoken for long enough to be meant, or pressed the key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VoiceEnded:
    """And has paused, or pressed it again."""

    utterance: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A sentence of the answer can be said."""

    turn: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sounding:
    """The first sound of the answer is played."""

    turn: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Silent:
    """All of the answer that was written has been played."""

    turn: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The turn waits for a decision that is put at the terminal."""

    turn: int
    text: str
    """What is said of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """The person has decided."""

    turn: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnEnded:
    """The graph has come to its end, or failed; all that it wrote was told before."""

    turn: int
    speaks: bool
    """Whether a sentence of the answer is being said, or will be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What was heard of an interrupted answer is written down."""

    turn: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MicrophoneEnded:
    """The microphone gives no more."""

    failure: str | None = None


Event = (
    VoiceBegan
    | VoiceEnded
    | Written
    | Sounding
    | Silent
    | Asked
    | Decided
    | TurnEnded
    | Settled
    | MicrophoneEnded
)
