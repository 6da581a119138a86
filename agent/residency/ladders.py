"""What an operation of a sense asks the arbiter for: its ladder, the best first. Pure."""

from collections.abc import Sequence

from agent.residency import envelopes
from agent.residency.arbiter.events import Choice
from agent.residency.envelopes import Tier, Variant
from tools.senses.base import Operation, Sense

SIMULATED = (
    envelopes.WHISPER_FP16,
    envelopes.WHISPER_INT8,
    envelopes.SAM2_BASE,
    envelopes.SAM2_TINY,
    envelopes.KOKORO,
)
"""What is asked for on a simulated card, where no sense of the full tier need be installed."""


def ladder(
    operation: Operation, variants: Sequence[Variant], *, program: str
) -> tuple[Choice, ...]:
    """Return the variants of the sense from the most to the least, then the embedded one.

    The embedded sense runs on the CPU, in the program itself: two programs are not in each other's
    way. Embedders stay off the card.
    """
    fitting = [
        one
        for one in variants
        if one.sense is operation.sense and operation.sense is not Sense.EMBEDDING
    ]
    fitting.sort(key=lambda one: envelopes.need_bytes(one, operation), reverse=True)
    on_card = [
        Choice(
            variant=one.name,
            weights_bytes=one.weight_bytes,
            working_bytes=envelopes.working_bytes(one, operation),
            reload_s=envelopes.load_s(one, Tier.PINNED),
        )
        for one in fitting
    ]
    embedded = Choice(variant=f"{operation.sense}-embedded@{program}", place="cpu")
    return (*on_card, embedded)
