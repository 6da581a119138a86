"""What a conversation wants done."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Begin:
    """Run a turn of the assistant that is asked by these utterances, one behind the other."""

    turn: int
    utterances: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interrupt:
    """Be silent at once, stop the turn, and write down what was heard of it; then `Settled`."""

    turn: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Say:
    """Say a sentence behind those before it."""

    turn: int
    text: str
    aside: bool = False
    """Whether it is ours and no part of the answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finish:
    """End the conversation."""

    failure: str | None


Effect = Begin | Interrupt | Say | Finish
