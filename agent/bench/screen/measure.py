"""Elements of drawn screenshots, as `see --screen` tells them and as simpler ways would."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from agent.bench.screen import themes
from agent.bench.screen.drawing import Screenshot, screenshot
from agent.bench.screen.scoring import Found, Score
from agent.errors import AgentError
from tools.senses import flats, ink, screen, screens
from tools.senses.base import Reader, Sighting
from tools.senses.screen import Kind

HELD_OUT = 2000
"""The first of the seeds on which nothing was tuned: those from 0 on were looked at."""

OURS, LINES, AREAS = "see --screen", "lines of text alone", "every even area"
_KINDS = tuple(kind.value for kind in Kind)

Watch = Callable[[Mapping[str, Any]], None]


async def measure(reader: Reader, *, count: int, seed: int, watch: Watch) -> dict[str, Any]:
    """Return recall, precision and accuracy of text of each way. Raises AgentError for nothing."""
    scores = {OURS: Score(), LINES: Score(), AREAS: Score()}
    read_s = look_s = 0.0
    for number in range(count):
        watch({"event": "measuring", "text": f"screenshot {number + 1} of {count}"})
        shot = await asyncio.to_thread(screenshot, seed + number)
        timed = _Timed(reader)
        began = time.perf_counter()
        seen = await screens.look(shot.pixels, timed)
        took = time.perf_counter() - began
        read_s += timed.seconds
        look_s += took - timed.seconds
        scores[OURS].add(shot, _ours(seen))
        scores[LINES].add(shot, _lines(seen.sighting, shot))
        scores[AREAS].add(shot, await asyncio.to_thread(_areas, shot))
    report = {
        "screenshots": count,
        "seed": seed,
        "fonts": ["Pillow's own", *themes.fonts()],
        "read_s": read_s / count,
        "look_s": look_s / count,
        "ways": {name: score.told() for name, score in scores.items()},
    }
    ours = scores[OURS].total
    if not ours.drawn or not ours.found:
        raise AgentError("The benchmark is void: nothing was drawn, or nothing was found.")
    return report


class _Timed:
    """A reader that counts the seconds it takes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.seconds = 0.0

    @property
    def name(self) -> str:
        """Name of the reader."""
        return self._reader.name

    async def read(self, image: Any) -> Sighting:
        """Read, and count."""
        began = time.perf_counter()
        seen = await self._reader.read(image)
        self.seconds += time.perf_counter() - began
        return seen


def _ours(seen: screens.Screen) -> Sequence[Found]:
    return [
        Found(kind=one.kind, box=one.box, text=one.text) for one in screen.flattened(seen.elements)
    ]


def _lines(sighting: Sighting, shot: Screenshot) -> Sequence[Found]:
    exact = ink.lines(sighting.lines, shot.pixels)
    return [Found(kind=Kind.TEXT, box=line.box, text=line.text) for line in exact]


def _areas(shot: Screenshot) -> Sequence[Found]:
    return [Found(kind=None, box=one.box, text="") for one in flats.flats(flats.runs(shot.pixels))]


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures as a table."""
    yield (
        f"{report['screenshots']} screenshots from seed {report['seed']} on, drawn with "
        f"{', '.join(report['fonts'])}; boxes match from an overlap of 0.7 on:"
    )
    for name, way in report["ways"].items():
        yield (
            f"  {name:<20} recall {_shown(way['recall'])}, precision {_shown(way['precision'])}; "
            f"with the right kind {_shown(way['recall_with_kind'])}, "
            f"{_shown(way['precision_with_kind'])}; text {_shown(way['text_accuracy'])}"
        )
    yield f"{OURS} by kind:"
    for kind in _KINDS:
        one = report["ways"][OURS]["by_kind"][kind]
        yield (
            f"  {kind:<8} {one['drawn']:>5} drawn: recall {_shown(one['recall_with_kind'])}, "
            f"precision {_shown(one['precision_with_kind'])}, text {_shown(one['text_accuracy'])}"
        )
    yield f"{report['read_s']:.1f} s to read a screenshot, {report['look_s']:.2f} s for the rest"


def _shown(share: float | None) -> str:
    return "    -" if share is None else f"{share:.3f}"
