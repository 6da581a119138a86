"""Full-size random weights onto a device and off again, from each place that they may lie in.

    disk        their file, of which the system holds nothing
    page cache  their file, which the system holds
    pageable    a copy in host memory
    locked      a copy in host memory that is locked for the card

Each is held against the plain copy of as many bytes along the same way, also into memory that is
asked for anew. Then weights come and go many times, and all bytes have to be back.
"""

import importlib.util
import os
import platform
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.bench.swap import disk, made, plain
from agent.bench.swap.made import Made
from agent.bench.swap.plain import Block
from agent.bench.swap.swapped import FlatSwapped, ReplicaSwapped, Swapped
from agent.errors import AgentError, UsageError
from agent.models.weights import shelf
from agent.residency import envelopes
from agent.residency.envelopes import Variant
from memory.sizing import usable_cores
from tools.senses import heap

SUBJECTS = (
    envelopes.WHISPER_FP16,
    envelopes.WHISPER_INT8,
    envelopes.PARAKEET_FP32,
    envelopes.SAM2_LARGE,
    envelopes.KOKORO,
)
GOAL_RATIO = 1.3
"""Of the copy out of locked memory."""
BACK = 0.99
"""Share of the bytes of a card that has to be back after all cycles."""
GROWTH = 0.02
"""By which share the memory of the process may have grown, where there is no card."""
_SETTLING = 10
_LIBRARIES = ("torch", "safetensors", "ctranslate2")

Tell = Callable[[str], None]


def measure(
    cache_dir: Path,
    *,
    device: str | None,
    scale: float,
    rounds: int,
    cycles: int,
    names: Sequence[str],
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Return the figures of each variant. Raises UsageError, or AgentError if nothing was measured.

    `scale` makes all weights smaller by that factor; without a device the card is taken.
    """
    chosen = _chosen(names)
    _refuse_poor()
    import torch

    place = device or "cuda"
    _refuse_absent(place)
    heap.return_large_blocks()  # as the worker does
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="swap-", dir=cache_dir) as folder:
        subjects = [
            _subject(Path(folder), one, place, scale=scale, rounds=rounds, cycles=cycles, tell=tell)
            for one in chosen
        ]
    figures = [tier["in_s"] for one in subjects for tier in one["tiers"]]
    if not figures or min(figures) <= 0:
        raise AgentError("The benchmark is void: nothing was measured.")
    cuda = place.startswith("cuda")
    return {
        "device": torch.cuda.get_device_name(place) if cuda else "CPU",
        "machine": platform.machine(),
        "cores": usable_cores(),
        "load_before": os.getloadavg()[0],
        "torch": torch.__version__,
        "scale": scale,
        "rounds": rounds,
        "goal_ratio": GOAL_RATIO,
        "subjects": subjects,
        "good": all(one["back"]["good"] for one in subjects),
    }


def _chosen(names: Sequence[str]) -> tuple[Variant, ...]:
    known = {one.name: one for one in SUBJECTS}
    for name in names:
        if name not in known:
            raise UsageError(f"--variant {name!r} is none of {', '.join(known)}.")
    return tuple(known[name] for name in names) or SUBJECTS


def _refuse_poor() -> None:
    lacks = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if lacks:
        raise AgentError(
            f"What loads weights is not installed here: {', '.join(lacks)}. "
            f"{shelf.INSTALL} makes an environment, .venv-senses, that has it."
        )


def _refuse_absent(device: str) -> None:
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(
            "torch sees no card here. `--device cpu --scale 0.05` runs the same code on the CPU."
        )
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {device!r} is none that torch has: {error}") from error


def _subject(
    folder: Path,
    variant: Variant,
    device: str,
    *,
    scale: float,
    rounds: int,
    cycles: int,
    tell: Tell,
) -> dict[str, Any]:
    whisper = variant.name.startswith("whisper")
    _refuse_narrow(folder, variant, scale)
    tell(f"{variant.name}: writing {made.file_bytes(variant, scale) / 1e9:.2f} GB")
    weights = (made.whisper_folder if whisper else made.module_file)(folder, variant, scale)
    cuda = device.startswith("cuda")
    kinds: dict[str, Swapped] = {}
    if whisper:
        kinds["CTranslate2's own"] = ReplicaSwapped(weights, device)
    else:
        kinds["pageable"] = FlatSwapped(weights, device, lock=False)
        if cuda:
            kinds["locked"] = FlatSwapped(weights, device, lock=True)
    from_file = next(reversed(kinds.values()))
    lock = "locked" in kinds
    tiers = []
    left_out = [] if cuda else ["locked: no card", *(["host: no card"] if whisper else [])]
    for tier in ("disk", "page cache"):
        tell(f"{variant.name}: from the {tier}")
        row = _from_file(weights, from_file, device, cold=tier == "disk", lock=lock, rounds=rounds)
        if row is None:
            left_out.append("disk: the file system keeps the file in memory")
        else:
            tiers.append({"tier": tier, **row})
    for tier, swapped in kinds.items():
        if whisper and not cuda:
            continue
        tell(f"{variant.name}: from {tier} memory")
        row = _from_host(weights, swapped, device, lock=tier == "locked", rounds=rounds)
        tiers.append({"tier": tier, **row})
    tell(f"{variant.name}: {cycles} times in and out")
    back = _back(weights, from_file, device, cycles)
    for swapped in kinds.values():
        swapped.drop()
    weights.path.unlink()
    return {
        "variant": variant.name,
        "loaded_by": "CTranslate2" if whisper else "torch, one buffer",
        "bytes": weights.bytes,
        "tensors": weights.tensors,
        "tiers": tiers,
        "left_out": left_out,
        "back": back,
    }


def _refuse_narrow(folder: Path, variant: Variant, scale: float) -> None:
    free, needed = shutil.disk_usage(folder).free, int(made.file_bytes(variant, scale) * 1.2)
    if free < needed:
        raise AgentError(
            f"{needed / 1e9:.2f} GB are written for {variant.name}, and {free / 1e9:.2f} GB are "
            f"free in {folder.parent}. Free some space, or make it smaller with --scale."
        )


def _from_file(
    weights: Made, swapped: Swapped, device: str, *, cold: bool, lock: bool, rounds: int
) -> dict[str, Any] | None:
    """Time bringing out of the file; None where it cannot be read from the disk."""
    block = Block(weights.bytes, device, lock=lock)
    came, went, plainly = [], [], []
    try:
        for _ in range(rounds):
            swapped.drop()
            if not _prepared(weights, cold=cold):
                return None
            came.append(swapped.from_file_s())
            went.append(swapped.off_s())
            swapped.drop()
            if not _prepared(weights, cold=cold):
                return None
            plainly.append(block.read_s(weights.path))
    finally:
        block.close()
    return _row(weights.bytes, came, went, plainly)


def _prepared(weights: Made, *, cold: bool) -> bool:
    if cold:
        return disk.forget(weights.path)
    disk.warm(weights.path)
    return True


def _from_host(
    weights: Made, swapped: Swapped, device: str, *, lock: bool, rounds: int
) -> dict[str, Any]:
    block = Block(weights.bytes, device, lock=lock)
    came, went, plainly = [], [], []
    swapped.drop()
    swapped.from_file_s()
    swapped.off_s()
    for _ in range(rounds):
        came.append(swapped.from_host_s())
        went.append(swapped.off_s())
        plainly.append(block.copied_s())
    block.close()
    return _row(weights.bytes, came, went, plainly)


def _row(
    size: int, came: Sequence[float], went: Sequence[float], plainly: Sequence[float]
) -> dict[str, Any]:
    seconds, plain_s = statistics.median(came), statistics.median(plainly)
    return {
        "in_s": seconds,
        "out_s": statistics.median(went),
        "gb_s": size / seconds / 1e9,
        "plain_s": plain_s,
        "ratio": seconds / plain_s,
    }


def _back(weights: Made, swapped: Swapped, device: str, cycles: int) -> dict[str, Any]:
    """Bring and take off again and again; tell what is not back of it."""
    swapped.drop()
    swapped.from_file_s()
    swapped.off_s()
    for _ in range(_SETTLING):  # what a library keeps for itself, it takes in the first ones
        swapped.from_host_s()
        swapped.off_s()
    before = plain.held_bytes(device)
    for _ in range(cycles):
        swapped.from_host_s()
        swapped.off_s()
    lost = plain.held_bytes(device) - before
    allowed = (1 - BACK) * weights.bytes if device.startswith("cuda") else GROWTH * before
    return {"cycles": cycles, "lost_bytes": lost, "good": lost <= allowed}


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures: medians of the rounds."""
    yield (
        f"{report['device']}, {report['cores']} cores of {report['machine']}, torch "
        f"{report['torch']}, weights × {report['scale']:g}, medians of {report['rounds']}"
    )
    yield f"{'from':<18} {'s':>8} {'GB/s':>7} {'off, s':>8} {'plain, s':>9} {'ratio':>6}"
    for one in report["subjects"]:
        yield (
            f"{one['variant']}: {one['bytes'] / 1e9:.2f} GB, {one['tensors']} tensors, by "
            f"{one['loaded_by']}"
        )
        for tier in one["tiers"]:
            yield (
                f"  {tier['tier']:<16} {tier['in_s']:>8.3f} {tier['gb_s']:>7.2f} "
                f"{tier['out_s']:>8.3f} {tier['plain_s']:>9.3f} {tier['ratio']:>6.2f}"
            )
        yield from (f"  not measured: {reason}" for reason in one["left_out"])
        back = one["back"]
        yield (
            f"  after {back['cycles']} times in and out {back['lost_bytes'] / 1e6:.1f} MB more are "
            f"held: {'all is back' if back['good'] else 'not all is back'}"
        )
