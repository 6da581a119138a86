"""Operations of the full tier, as messages say them and as models run them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from agent.residency.errors import MessageError
from agent.senses.wire import Arrays, Message, text
from memory.places import Box
from tools.senses.background import Patience
from tools.senses.base import Prompt, Region, Speech, Task
from tools.senses.models.base import (
    Heard,
    HearingModel,
    Model,
    SegmentingModel,
    SpeakingModel,
)

Answer = tuple[Message, Sequence[NDArray[Any]]]

_HEARD = TypeAdapter(Heard)
_PROMPTS = TypeAdapter(list[Prompt])
_BOXES = TypeAdapter(list[Box])


def run(model: Model, message: Message, arrays: Arrays, patience: Patience) -> Answer:
    """Run the operation of a message. Raises MessageError or SenseError."""
    operation = _OPERATIONS.get(text(message, "task"))
    if operation is None:
        raise MessageError(f"There is no task {message['task']!r:.40}.")
    return operation(model, message, arrays, patience)


def _hear(model: Model, message: Message, arrays: Arrays, patience: Patience) -> Answer:
    samples = _array(arrays, "float32", 1)
    language = message.get("language")
    heard = cast("HearingModel", model).transcribe(
        samples, patience, language=language if isinstance(language, str) else None
    )
    return asdict(heard), ()


def _say(model: Model, message: Message, _arrays: Arrays, patience: Patience) -> Answer:
    speech = cast("SpeakingModel", model).say(
        text(message, "text"), patience, language=text(message, "language")
    )
    return {"sample_rate_hz": speech.sample_rate_hz}, (speech.samples,)


def _segment(model: Model, message: Message, arrays: Arrays, patience: Patience) -> Answer:
    image = _array(arrays, "uint8", 3)
    segmenting = cast("SegmentingModel", model)
    told = message.get("prompts")
    if told is None:
        found = segmenting.regions(image, patience)
    else:
        try:
            prompts = _PROMPTS.validate_python(told)
        except ValidationError as error:
            raise MessageError(f"'prompts' are no points and boxes: {error}") from error
        found = segmenting.region(image, prompts, patience)
    facts = [{"box": asdict(one.box), "pixels": one.pixels, "score": one.score} for one in found]
    return {"regions": facts}, [one.mask for one in found]


_OPERATIONS: Mapping[str, Callable[[Model, Message, Arrays, Patience], Answer]] = {
    Task.HEARING: _hear,
    Task.SPEECH: _say,
    Task.SEGMENTS: _segment,
}


def _array(arrays: Arrays, kind: str, dimensions: int) -> NDArray[Any]:
    if len(arrays) != 1 or arrays[0].dtype.name != kind or arrays[0].ndim != dimensions:
        raise MessageError(f"This task takes one array of {kind} with {dimensions} dimensions.")
    return arrays[0]


def heard(message: Message) -> Heard:
    """Read what was heard from an answer. Raises MessageError."""
    try:
        return _HEARD.validate_python({**message, "flaws": message.get("flaws", ())})
    except ValidationError as error:
        raise MessageError(f"The process of the senses answers wrongly: {error}") from error


def said(message: Message, arrays: Arrays) -> Speech:
    """Read the sound of a text from an answer. Raises MessageError."""
    rate = message.get("sample_rate_hz")
    if type(rate) is not int:
        raise MessageError(f"{rate!r:.40} is no rate of samples.")
    return Speech(samples=_array(arrays, "int16", 1), sample_rate_hz=rate)


def regions(message: Message, arrays: Arrays) -> tuple[Region, ...]:
    """Read regions from an answer. Raises MessageError."""
    facts = message.get("regions", [])
    try:
        boxes = _BOXES.validate_python([one["box"] for one in facts])
        return tuple(
            Region(
                box=box,
                pixels=int(one["pixels"]),
                score=float(one["score"]),
                mask=mask.astype(np.bool_, copy=False),
            )
            for box, one, mask in zip(boxes, facts, arrays, strict=True)
        )
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise MessageError(f"The process of the senses answers wrongly: {error}") from error
