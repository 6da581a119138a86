"""Days of work: read from a file, or made from a seed in the same format."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import UsageError


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One operation."""

    do: str
    """executive, hearing, sight, speech"""
    audio_s: float = 0.0
    megapixels: float = 0.0
    masks: bool = False
    characters: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Steps that follow each other."""

    at_s: float
    kind: str
    person_waits: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreign:
    """Another program's use of the card."""

    at_s: float
    until_s: float
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """What comes, and what other programs take."""

    name: str
    jobs: tuple[Job, ...]
    foreign: tuple[Foreign, ...]


_SENSES = {"hearing": ("audio_s",), "sight": ("megapixels", "masks"), "speech": ("characters",)}
_FIELDS = {"executive": ("prompt_tokens", "output_tokens"), **_SENSES}


def read(path: Path) -> Day:
    """Read a day from JSON lines.

    Raises UsageError, with the line, if it is not one.
    """
    try:
        texts = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read as a day: {error}.") from error
    return parse(texts, str(path))


def parse(texts: list[str], name: str) -> Day:
    """Return the day that lines of JSON tell.

    Raises UsageError, with the line, if they do not.
    """
    number = 0
    try:
        parsed = []
        for number, text in enumerate(texts, start=1):
            parsed.append(_head(text) if number == 1 else _job(json.loads(text)))
        foreign, jobs = parsed[0], tuple(parsed[1:])
    except IndexError as error:
        raise UsageError(f"{name!r} is empty.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"Line {number} of {name!r} is not a day's: {error!r}.") from error
    if not jobs:
        raise UsageError(f"{name!r} holds no job.")
    return Day(name=name, jobs=tuple(sorted(jobs, key=lambda job: job.at_s)), foreign=foreign)


def _head(text: str) -> Any:
    return tuple(
        Foreign(at_s=float(one["at_s"]), until_s=float(one["until_s"]), bytes=int(one["bytes"]))
        for one in json.loads(text)["foreign"]
    )


def _job(told: dict[str, Any]) -> Any:
    steps = tuple(
        Step(do=step["do"], **{name: step[name] for name in _FIELDS[step["do"]]})
        for step in told["steps"]
    )
    if not steps:
        raise ValueError("a job without steps")
    return Job(
        at_s=float(told["at_s"]),
        kind=str(told["kind"]),
        person_waits=bool(told["person_waits"]),
        steps=steps,
    )


def made(seed: int, *, turns: int = 60) -> list[str]:
    """Return the lines of a small day of our own making."""
    rng = random.Random(seed)  # noqa: S311 - a day is no secret
    game = {"at_s": 7200, "until_s": 9000, "kind": "game", "bytes": 6 << 30}
    told = [{"seed": seed, "foreign": [game]}, *_told_jobs(rng, turns)]
    return [json.dumps(one) for one in told]


def _told_jobs(rng: random.Random, turns: int) -> Iterator[dict[str, Any]]:
    for _ in range(turns):
        steps: list[dict[str, Any]] = [{"do": "hearing", "audio_s": round(rng.uniform(1, 12), 1)}]
        if rng.random() < 0.3:
            steps.append(_picture(rng))
        steps += [_call(rng, 200), {"do": "speech", "characters": rng.randrange(60, 700)}]
        at = round(rng.uniform(0, 10_000), 2)
        yield {"at_s": at, "kind": "voice", "person_waits": True, "steps": steps}
    for _ in range(turns // 4):
        at = round(rng.uniform(0, 10_000), 2)
        sound = {"do": "hearing", "audio_s": round(rng.uniform(30, 900), 1)}
        steps = [rng.choice((_picture(rng), sound)), _call(rng, 300)]
        yield {"at_s": at, "kind": "mail", "person_waits": False, "steps": steps}


def _picture(rng: random.Random) -> dict[str, Any]:
    return {
        "do": "sight",
        "megapixels": round(rng.uniform(1, 12), 1),
        "masks": rng.random() < 0.4,
    }


def _call(rng: random.Random, output: int) -> dict[str, Any]:
    return {
        "do": "executive",
        "prompt_tokens": rng.randrange(800, 6000),
        "output_tokens": rng.randrange(40, output),
    }
