"""Speech with noise over it, put to our detector and to WebRTC's; and answers broken into."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.bench import peer
from agent.bench.voice import breaking_in, first_sound
from agent.bench.voice.material import (
    ANSWERS,
    NOISES,
    TEXTS,
    Sound,
    Stream,
    frames,
    noisy,
    recorded,
    said,
    stream,
)
from agent.bench.voice.scoring import Score
from agent.errors import AgentError, UsageError
from agent.recorder import Watch
from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.voice import FRAME, FRAME_S, SileroDetector

SNRS_DB = (20, 10, 5, 0)
PEER, PEER_FRAME_S = "webrtc_voice", 0.03
NOISE_S = 60.0


async def measure(
    folder: Path | None,
    *,
    interpreter: Path | None,
    utterances: int,
    seed: int,
    watch: Watch,
) -> dict[str, Any]:
    """Return what was found over so many utterances, and the recordings of a folder.

    Raises UsageError where the folder holds no recording, AgentError where nobody spoke.
    """
    rng = np.random.default_rng(seed)
    spoken = [await said(text, language) for language, text in TEXTS[:utterances]]
    parts = [*spoken, *(await _recorded(folder))]
    clean = stream(parts, rng)
    if not clean.utterances:
        raise AgentError("The benchmark is void: nobody speaks in any of the recordings.")
    conditions = list(_conditions(clean, rng))
    scores: dict[str, list[dict[str, Any]]] = {"cortical": []}
    for name, snr_db, sound in conditions:
        watch({"event": "measuring", "text": f"{name} noise, {snr_db} dB"})
        found = await asyncio.to_thread(_ours, sound)
        scores["cortical"].append(_scored(name, snr_db, found, FRAME_S, clean))
    if interpreter is not None:
        scores["webrtc"] = await _webrtc(interpreter, conditions, clean)
    watch({"event": "measuring", "text": "answers that are broken into"})
    answers = [await said(text, "en") for text in ANSWERS[: max(1, utterances // 3)]]
    return {
        "utterances": len(clean.utterances),
        "recordings": len(parts) - len(spoken),
        "seconds": round(len(clean.sound) / SAMPLE_RATE_HZ, 1),
        "scores": scores,
        "breaking_in": await asyncio.to_thread(breaking_in.measure, answers, parts[::3], seed),
        "first_sound": await first_sound.measure(),
    }


async def _recorded(folder: Path | None) -> list[Sound]:
    if folder is None:
        return []
    if not folder.is_dir():  # noqa: ASYNC240 - a benchmark has nothing else to do
        raise UsageError(f"There is no folder {str(folder)!r} of recordings. Is the path right?")
    found = await recorded(folder)
    if not found:
        raise UsageError(
            f"{str(folder)!r} holds no recording (WAV, FLAC, Ogg or MP3). Name another folder."
        )
    return found


def _conditions(clean: Stream, rng: np.random.Generator) -> Iterator[tuple[str, int | None, Sound]]:
    """Yield speech under each noise at each level, and each noise alone (None)."""
    for name, made in NOISES.items():
        noise = made(len(clean.sound), rng)
        for snr_db in SNRS_DB:
            yield name, snr_db, noisy(clean, noise, snr_db)
        yield name, None, made(round(NOISE_S * SAMPLE_RATE_HZ), rng)


def _ours(sound: Sound) -> list[float]:
    detector = SileroDetector()
    return [detector.probability(frame) for frame in frames(sound, FRAME)]


async def _webrtc(
    interpreter: Path, conditions: Sequence[tuple[str, int | None, Sound]], clean: Stream
) -> list[dict[str, Any]]:
    scores = []
    async with peer.started(interpreter, PEER) as other:
        for name, snr_db, sound in conditions:
            with tempfile.NamedTemporaryFile() as file:
                file.write(np.clip(sound * 32767, -32768, 32767).astype("<i2").tobytes())
                file.flush()
                flags = (await other.ask("flags", path=file.name)).value
            scores.append(_scored(name, snr_db, flags, PEER_FRAME_S, clean))
    return scores


def _scored(
    noise: str, snr_db: int | None, found: Sequence[float], frame_s: float, clean: Stream
) -> dict[str, Any]:
    score = Score()
    score.add(found, frame_s, clean if snr_db is not None else _nobody(len(found) * frame_s))
    return {"noise": noise, "snr_db": snr_db, **score.told()}


def _nobody(seconds: float) -> Stream:
    """Return a stream in which nobody speaks."""
    return Stream(sound=np.zeros(0, np.float32), spoken=np.zeros(round(seconds * 100), np.bool_))


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Write the figures for a person."""
    yield (
        f"{report['utterances']} utterances, {report['seconds']:.0f} s; miss and false alarm by "
        "frame; found and extra utterances; seconds until noticed, and from the last sound until "
        "the pause is counted (p50, p95)"
    )
    for name, scores in report["scores"].items():
        yield name
        yield from (_line(one) for one in scores)
    for one in report["breaking_in"]:
        levels = "; ".join(
            f"{level} dB above it {found['noticed']}/{found['tries']}"
            + (f" after {found['after_s']:.2f} s" if found["noticed"] else "")
            for level, found in one["person"].items()
        )
        yield (
            f"loudspeaker {one['room']}: interrupts itself in {one['interrupted_itself']} of "
            f"{one['answers']} answers; a person is noticed {levels}"
        )
    first = report["first_sound"]
    yield (
        f"first sound {first['first_sound_s']:.2f} s after the first word, the answer written "
        f"after {first['written_s']:.2f} s ({first['words_per_s']:.0f} words a second)"
    )


def _line(one: dict[str, Any]) -> str:
    if one["snr_db"] is None:
        return (
            f"  {one['noise']:<8} alone   false {one['false_alarm']:7.2%}, "
            f"{one['extra']} utterances in {NOISE_S:.0f} s"
        )
    began, ended = (
        "none" if one[name] is None else f"{one[name]['p50']:.2f} {one[name]['p95']:.2f}"
        for name in ("began_s", "ended_s")
    )
    return (
        f"  {one['noise']:<8} {one['snr_db']:>3} dB  miss {one['miss']:7.2%}  false "
        f"{one['false_alarm']:7.2%}  found {one['found']:7.2%}  extra {one['extra']:>2}  "
        f"noticed {began}  ended {ended}"
    )
