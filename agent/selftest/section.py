"""A part of a selftest, and the time that it has."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from graphs.errors import ExecutiveError, ExecutiveUnreachableError, ModelMissingError

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(kw_only=True, slots=True)
class Section:
    """What was found out of one kind of work."""

    name: str
    planned: int
    done: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    """The figures in words."""
    failed: list[str] = field(default_factory=list)
    """Answers that were none, by the kind of their error."""
    broken: list[str] = field(default_factory=list)
    """Promises of the engine that did not hold; whatever the model is, there should be none."""
    judged: bool = True
    """Whether the figures say something of the model; of the embedded one some do not."""
    left_out: str = ""
    seconds: float = 0.0

    def count(self, figure: str, by: int = 1) -> None:
        """Add to a figure."""
        self.figures[figure] = self.figures.get(figure, 0) + by


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """Until when a section may begin something, on the monotonic clock."""

    until: float

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return max(0.0, self.until - time.monotonic())


async def each(
    section: Section,
    box: Box,
    items: Sequence[Item],
    ask: Callable[[Item], Awaitable[Found]],
) -> AsyncIterator[tuple[Item, Found | None]]:
    """Yield what each item gave, as long as there is time; None where the model gave no answer.

    An item that does not end in time is not counted. Raises ExecutiveUnreachableError and
    ModelMissingError: then there is nothing to test.
    """
    for item in items:
        if not box.left_s:
            return
        found: Found | None = None
        try:
            async with asyncio.timeout(box.left_s):
                found = await ask(item)
        except TimeoutError:
            return
        except (ExecutiveUnreachableError, ModelMissingError):
            raise
        except ExecutiveError as error:
            section.failed.append(type(error).__name__)
        section.done += 1
        yield item, found
