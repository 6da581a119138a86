"""What an operation of a sense asks the arbiter for: its ladder, the best first. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.residency import envelopes
from agent.residency.arbiter.events import Choice
from agent.residency.envelopes import Growth, Tier, Variant
from agent.residency.errors import LeaseRefusedError
from tools.senses.base import ATTENTION_S, Operation, Task

ON_CPU = "@cpu"
"""Ends the name of a variant that runs on the CPU, which is another one to the arbiter."""

_EMBEDDED = frozenset((Task.HEARING, Task.TEXT, Task.SPEECH, Task.EMBEDDING))
"""What a machine can do without the full tier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rungs:
    """The models of the full tier that may be asked for."""

    card: Sequence[Variant] = ()
    cpu: Sequence[Variant] = ()


NONE = Rungs()
"""Only the embedded senses are here."""

SIMULATED = Rungs(
    card=(
        envelopes.WHISPER_FP16,
        envelopes.WHISPER_INT8,
        envelopes.SAM2_BASE,
        envelopes.SAM2_TINY,
        envelopes.KOKORO,
    )
)
"""What is asked for on a simulated card, where no sense of the full tier need be installed."""


def ladder(operation: Operation, rungs: Rungs, *, program: str) -> tuple[Choice, ...]:
    """Return the variants for the task, the best first, then the CPU, then the embedded.

    On the CPU the least of the full tier is the fastest. The embedded sense runs in the program
    itself: two programs are not in each other's way. Embedders and text recognition stay off the
    card. Raises LeaseRefusedError where nothing here can do it.
    """
    on_card = [_choice(one, operation) for one in _on_card(rungs, operation)]
    on_cpu = [
        Choice(variant=f"{one.name}{ON_CPU}", place="cpu") for one in _on_cpu(rungs, operation)[:1]
    ]
    embedded = [
        Choice(variant=f"{operation.task}-embedded@{program}", place="cpu")
        for _ in range(operation.task in _EMBEDDED)
    ]
    if not (on_card or on_cpu or embedded):
        raise LeaseRefusedError(
            f"No model for {operation.task} is here. `cortical doctor` tells what to bring."
        )
    return (*on_card, *on_cpu, *embedded)


def first(rungs: Rungs, task: Task) -> Variant | None:
    """Return what of the full tier is asked for first; None where nothing of it does the task."""
    usual = envelopes.USUAL[task]
    return next(iter((*_on_card(rungs, usual), *_on_cpu(rungs, usual))), None)


def _choice(variant: Variant, operation: Operation) -> Choice:
    """Return a rung on the card."""
    if variant.own_process:
        # Its server takes all of it when it loads, and gives nothing back before it unloads.
        return Choice(
            variant=variant.name,
            weights_bytes=envelopes.process_bytes(variant, operation),
            reload_s=envelopes.load_s(variant, Tier.NVME),
        )
    return Choice(
        variant=variant.name,
        weights_bytes=variant.weight_bytes,
        working_bytes=envelopes.working_bytes(variant, _heard_at_once(variant, operation)),
        reload_s=envelopes.load_s(variant, Tier.PINNED),
    )


def _on_card(rungs: Rungs, operation: Operation) -> list[Variant]:
    """Return what can do it on the card, the best first."""
    return sorted(_able(rungs.card, operation), key=envelopes.rank)


def _on_cpu(rungs: Rungs, operation: Operation) -> list[Variant]:
    """Return what can do it on the CPU, the least first."""
    return sorted(_able(rungs.cpu, operation), key=lambda one: envelopes.need_bytes(one, operation))


def _able(variants: Sequence[Variant], operation: Operation) -> list[Variant]:
    return [
        one for one in variants if one.task is operation.task and _speaks(one, operation.language)
    ]


def _heard_at_once(variant: Variant, operation: Operation) -> Operation:
    """Return the operation as it is run: what sees all of a recording at once is given less."""
    if variant.growth not in (Growth.FRAMES, Growth.SQUARE):
        return operation
    return replace(operation, audio_s=min(operation.audio_s, ATTENTION_S))


def _speaks(variant: Variant, language: str | None) -> bool:
    if variant.languages is None or language is None:
        return True
    return language.lower().replace("_", "-").partition("-")[0] in variant.languages
