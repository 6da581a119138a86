"""Where an utterance begins and ends, told from frames that hold speech or do not. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Edge(StrEnum):
    """What a frame has brought about."""

    BEGAN = "began"  # somebody has spoken for long enough to be meant
    ENDED = "ended"  # and has paused for long enough
    CUT = "cut"  # and has spoken for longer than is taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What counts as an utterance, in seconds."""

    pause_s: float = 0.7
    """Silence that ends it."""
    shortest_s: float = 0.25
    """Speech that there must be before it counts: a cough or a click is shorter."""
    longest_s: float = 60.0
    """It is cut there."""
    lead_s: float = 0.3
    """Sound kept from before it was noticed: the first consonant is quiet."""
    speech: float = 0.5
    """Probability from which a frame is speech."""
    silence: float = 0.35
    """Probability below which speech has stopped; between both it goes on as it was."""
    gap_s: float = 0.3
    """Silence within a beginning that makes it no beginning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """What was heard of an utterance so far; the state of the fold `heard`."""

    speaking: bool = False
    """Whether the last frame was speech."""
    begun: bool = False
    since_s: float = 0.0
    """Since its first frame of speech; 0 where there is none."""
    speech_s: float = 0.0
    """Of it that is speech."""
    quiet_s: float = 0.0
    """Since its last frame of speech."""
    deaf: bool = False
    """It was cut: until the next pause nothing begins."""


QUIET = Spoken()


def heard(
    before: Spoken, probability: float, frame_s: float, rules: Rules
) -> tuple[Spoken, Edge | None]:
    """Take one frame; return what is heard now, and whether something began or ended with it."""
    speaking = probability >= (rules.silence if before.speaking else rules.speech)
    if before.deaf:
        return _deaf(before, frame_s, rules, speaking=speaking), None
    if not before.since_s and not speaking:
        return QUIET, None
    now = replace(
        before,
        speaking=speaking,
        since_s=before.since_s + frame_s,
        speech_s=before.speech_s + (frame_s if speaking else 0.0),
        quiet_s=0.0 if speaking else before.quiet_s + frame_s,
    )
    return _begun(now, rules) if before.begun else _beginning(now, rules)


def _beginning(now: Spoken, rules: Rules) -> tuple[Spoken, Edge | None]:
    # Sums of frames: without the margin the last of them would be missed by rounding.
    if now.speech_s > rules.shortest_s - 1e-6:
        return replace(now, begun=True), Edge.BEGAN
    return (QUIET if now.quiet_s > rules.gap_s else now), None


def _begun(now: Spoken, rules: Rules) -> tuple[Spoken, Edge | None]:
    if now.quiet_s > rules.pause_s - 1e-6:
        return QUIET, Edge.ENDED
    if now.since_s > rules.longest_s - 1e-6:
        return replace(QUIET, speaking=now.speaking, deaf=True), Edge.CUT
    return now, None


def _deaf(before: Spoken, frame_s: float, rules: Rules, *, speaking: bool) -> Spoken:
    quiet_s = 0.0 if speaking else before.quiet_s + frame_s
    if quiet_s > rules.pause_s - 1e-6:
        return QUIET
    return replace(before, speaking=speaking, quiet_s=quiet_s)
