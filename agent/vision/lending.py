"""The card lent to a model that describes pictures, where its server uses a card that is ours."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from agent.errors import VisionError
from agent.models import ollama
from agent.residency import envelopes, ladders
from agent.residency.arbiter.events import Choice, Priority
from agent.residency.errors import LeaseLostError, LeaseRefusedError, ResidencyError
from agent.residency.keeper import newer_needed
from agent.residency.ladders import Rungs
from agent.residency.opening import place_of
from agent.residency.vram import Load, need
from agent.settings import Settings
from agent.vision import picture
from agent.vision.describing import BATCH, CONTEXT_TOKENS, Describer
from agent.vision.served import ServedVision
from graphs.errors import ExecutiveUnreachableError
from tools.senses.base import Operation, Task

WAIT_S = 120.0
"""A person waits at most so long for the card, then is told why it is not to be had."""
_TELL_S = 10.0


@asynccontextmanager
async def lent(
    settings: Settings, served: ServedVision, describer: Describer
) -> AsyncIterator[bool]:
    """Hold the card for the block, and tell whether it had to be asked for.

    That is so where an arbiter has the card and the server is an Ollama on this machine: then the
    model was loaded for the block and stays as it is. Another server, or one elsewhere, loads and
    unloads as it likes. Raises VisionError where the card is not to be had, or not any more.
    """
    place = await asyncio.to_thread(place_of, settings)
    if place is None or place.config.vision is None or (await describer.version()) is None:
        yield False
        return
    choices = await asking(served, describer.shown)
    entered = False
    try:
        async with (
            place.client() as client,
            client.lease(choices, priority=Priority.PERSON, deadline_s=WAIT_S),
        ):
            entered = True
            yield True
    except (LeaseRefusedError, LeaseLostError) as error:
        raise VisionError(
            f"{served.model} cannot {'stay' if entered else 'come'} on the card. {error} `cortical "
            "residency status` tells who has it."
        ) from error
    except ResidencyError as error:
        raise VisionError(
            f"{served.model} cannot be brought onto the card without its arbiter. {error}"
        ) from error


async def asking(served: ServedVision, shown: str) -> Sequence[Choice]:
    """Return what a description asks the arbiter for, by what its Ollama tells of the model.

    `shown` is the server's address as it may be said. Raises VisionError.
    """
    # There is no choice on the CPU: a server holds a model once, so a load there would take it from
    # whoever uses it on the card.
    try:
        told = await ollama.told(served.url, served.model, timeout_s=_TELL_S)
    except ExecutiveUnreachableError as error:
        raise VisionError(str(error)) from error
    if told is None:
        raise VisionError(
            f"The Ollama at {shown} does not have {served.model}. `cortical models pull "
            f"{served.model}` brings it to an Ollama; or correct the setting senses.vision_model."
        )
    if (least := newer_needed(told.version)) is not None:
        raise VisionError(
            f"The Ollama at {shown} is {told.version}; at least {least} is needed to lend it "
            "the card. Update it."
        )
    if told.known.shape is None:
        raise VisionError(
            f"The Ollama at {shown} does not tell what {served.model} is made of, so nobody "
            "knows what it takes of the card. Name another model by senses.vision_model."
        )
    load = Load(context_tokens=CONTEXT_TOKENS, micro_batch=BATCH)
    variant = envelopes.served_vision(served.model, need(told.known.shape, load))
    operation = Operation(task=Task.PICTURES, pixels=picture.MOST_PIXELS)
    return ladders.ladder(operation, Rungs(card=[variant]), program=str(os.getpid()))
