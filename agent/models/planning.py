"""The plan for a card: which executive is meant, what it takes, what fits beside it."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from agent.errors import UsageError
from agent.models import card, published, subjects
from agent.models.sizes import gib, size_of
from agent.residency import budget, envelopes, planner
from agent.residency.decoder import Generation
from agent.residency.vram import (
    MICRO_BATCH,
    KvType,
    Load,
    Shape,
    cache_bytes,
    compute_bytes,
    need,
)
from agent.settings import Settings
from tools.senses.base import Operation, Task

PROFILES = ("24GiB", "16GiB", "12GiB")
SENSES = (envelopes.WHISPER_INT8, envelopes.SAM2_BASE, envelopes.KOKORO)
"""Chosen unless others are named: one for each task that a card is used for."""

_OLLAMA_BATCHES = ((4_096, 512), (32_768, 1_024))
_OLLAMA_LARGEST_BATCH = 2_048


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a plan is asked for; what is None is chosen."""

    executive: str | None = None
    vram: Sequence[str] = ()
    unified: str | None = None
    profiles: bool = False
    foreign: str | None = None
    context_tokens: int | None = None
    kv_type: KvType = KvType.F16
    quantisation: str | None = None
    micro_batch: int | None = MICRO_BATCH
    """None: as Ollama raises it."""
    parallel: int = 1
    shared_cache: bool = False
    flash_attention: bool = True
    whole_window: bool = False
    generation: Generation | None = None
    senses: Sequence[str] = ()
    audio_s: float | None = None
    audio_batch: int = 1
    pixels: int | None = None
    characters: int | None = None


async def planned(settings: Settings, question: Question) -> dict[str, Any]:
    """Return the plan as plain values. Raises UsageError or ModelMissingError."""
    senses = _senses(question.senses)
    budgets, notes = await _budgets(question)
    subject = await subjects.subject(settings, question.executive, mix=question.quantisation)
    load = _load(settings, question, subject)
    wanted = planner.Wanted(
        shape=subject.shape, load=load, senses=senses, operations=_operations(question)
    )
    plans = [planner.plan(one, wanted) for one in budgets]
    return {
        "executive": {
            **{
                key: value
                for key, value in asdict(subject).items()
                if key not in {"shape", "builds"}
            },
            "trained_tokens": subject.shape.trained_tokens,
            "layers": len(subject.shape.layers),
            "windowed_layers": sum(layer.windowed for layer in subject.shape.layers),
            "window_tokens": subject.shape.sliding_window,
            "embedding_on_card": subject.shape.tied,
        },
        "load": {
            "context_tokens": load.context_tokens,
            "kv_type": load.kv_type.value,
            "parallel": load.parallel,
            "shared_cache": load.shared_cache,
            "micro_batch": load.micro_batch,
            "flash_attention": load.flash_attention,
            "builds": list(load.builds),
            "cache_per_token": _per_token(subject.shape, load),
            "buffer_by_build": {
                build.value: compute_bytes(subject.shape, replace(load, builds=(build,)))
                for build in Generation
            },
        },
        "senses": [one.name for one in senses],
        "cards": [{**_told(plan, subject), "compact": _compact(plan, wanted)} for plan in plans],
        "notes": notes,
    }


def _per_token(shape: Shape, load: Load) -> float:
    caches = 1 if load.shared_cache else load.parallel
    return cache_bytes(shape, load) / (load.context_tokens * caches)


def _told(plan: planner.Plan, subject: subjects.Subject) -> dict[str, Any]:
    unified = plan.budget.kind is budget.Kind.UNIFIED
    host = 0 if subject.shape.tied else subject.shape.embedding_bytes
    return {
        **asdict(plan.budget),
        "capacity_bytes": plan.budget.capacity_bytes,
        "need": {**asdict(plan.need), "total": plan.need.total},
        "headroom_bytes": plan.headroom_bytes,
        "beside": [_beside(one) for one in plan.beside],
        "heaviest": None if plan.heaviest is None else plan.heaviest.variant.name,
        "pairs": [
            {"senses": [one, other], "spare_bytes": spare} for one, other, spare in plan.pairs
        ],
        "context_alone": plan.context_alone,
        "context_beside": plan.context_beside,
        "ladder": [{**asdict(step), "fits": step.fits} for step in plan.ladder],
        "host_bytes": {"embedding": host, "shares_the_memory": unified},
    }


def _compact(plan: planner.Plan, wanted: planner.Wanted) -> str | None:
    """Return the largest well-known executive that fits where the asked one cannot."""
    if not plan.ladder or plan.ladder[-1].fits:
        return None
    taken = 0 if plan.heaviest is None else plan.heaviest.bytes + plan.heaviest.process_bytes
    room = plan.budget.capacity_bytes - taken
    fitting = [one for one in published.MODELS if _total(one, wanted.load) <= room]
    return max(fitting, key=lambda one: one.parameters).name if fitting else None


def _total(model: published.Published, load: Load) -> int:
    tokens = min(load.context_tokens, model.trained_tokens)
    return need(model.shape(), replace(load, context_tokens=tokens, kv_type=KvType.Q8_0)).total


def _beside(one: planner.Beside) -> dict[str, Any]:
    variant = one.variant
    return {
        "name": variant.name,
        "task": variant.task,
        "bytes": one.bytes,
        "process_bytes": one.process_bytes,
        "spare_bytes": one.spare_bytes,
        "fits": one.fits,
        "ground": variant.ground.value,
        "source": variant.source,
        "host_bytes": variant.staged_bytes,
        "load_s": {
            tier.value: round(envelopes.load_s(variant, tier), 3) for tier in envelopes.Tier
        },
    }


async def _budgets(question: Question) -> tuple[list[budget.Budget], list[str]]:
    """Return what is planned for, and what was assumed."""
    foreign = None if question.foreign is None else size_of(question.foreign, "--foreign", least=0)
    if question.unified is not None and question.vram:
        raise UsageError("--vram and --unified name two machines. Give one of them.")
    if question.unified is not None:
        size = size_of(question.unified, "--unified")
        name = f"{question.unified.strip()} of unified memory"
        return [budget.of_unified(name, size, foreign_bytes=foreign)], []
    there = None
    if not question.vram and not question.profiles:
        there = await asyncio.to_thread(card.found)
    if there is not None:
        return _found(there, foreign)
    sizes = question.vram or PROFILES
    notes = []
    if not question.vram and not question.profiles:
        notes.append("no card was found, so these are the usual ones; --vram 24GiB tells of one")
    cards = [card.supposed(size) for size in sizes]
    return [
        budget.of_card(one.name, one.total_bytes, foreign_bytes=foreign, measured=False)
        for one in cards
    ], notes


def _found(there: card.Card, foreign: int | None) -> tuple[list[budget.Budget], list[str]]:
    made = budget.of_card(there.name, there.total_bytes, foreign_bytes=foreign, measured=True)
    used = there.total_bytes - (there.free_bytes or there.total_bytes)
    notes = [f"{gib(used)} of the card are used now; --foreign SIZE says how much of it stays"]
    return [made], notes if used > made.foreign_bytes and foreign is None else []


def _load(settings: Settings, question: Question, subject: subjects.Subject) -> Load:
    trained = subject.shape.trained_tokens
    asked = question.context_tokens
    if asked is not None and asked > trained:
        raise UsageError(
            f"{subject.name} was trained for {trained:,} tokens, and --context asks for {asked:,}. "
            f"Ask for {trained} at most."
        )
    if question.kv_type.quantised and not question.flash_attention:
        raise UsageError(
            f"llama.cpp keeps a cache of {question.kv_type} only with flash attention. Leave out "
            "--no-flash-attention, or use f16."
        )
    tokens = asked or min(settings.ollama.context_tokens, trained)
    batch = _raised(tokens) if question.micro_batch is None else question.micro_batch
    return Load(
        context_tokens=tokens,
        kv_type=question.kv_type,
        parallel=question.parallel,
        shared_cache=question.shared_cache,
        micro_batch=batch,
        flash_attention=question.flash_attention,
        whole_window=question.whole_window,
        builds=subject.builds if question.generation is None else (question.generation,),
    )


def _raised(tokens: int) -> int:
    """Return the batch that Ollama takes for a context unless it is told one."""
    return next(
        (batch for longest, batch in _OLLAMA_BATCHES if tokens <= longest), _OLLAMA_LARGEST_BATCH
    )


def _senses(names: Sequence[str]) -> tuple[envelopes.Variant, ...]:
    if not names:
        return SENSES
    if list(names) == ["none"]:
        return ()
    found = []
    for name in names:
        one = envelopes.variant(name)
        if one is None:
            known = ", ".join(variant.name for variant in envelopes.VARIANTS)
            raise UsageError(f"--sense {name!r} is none that is known. Use `none`, or {known}.")
        found.append(one)
    return tuple(found)


def _operations(question: Question) -> dict[Task, Operation]:
    """Return the usual operations, with what was asked for in their place."""
    told = dict(envelopes.USUAL)
    hearing = told[Task.HEARING]
    told[Task.HEARING] = replace(
        hearing,
        audio_s=hearing.audio_s if question.audio_s is None else question.audio_s,
        batch=question.audio_batch,
    )
    if question.pixels is not None:
        for task in (Task.SEGMENTS, Task.PICTURES):
            told[task] = replace(told[task], pixels=question.pixels)
    if question.characters is not None:
        told[Task.SPEECH] = replace(told[Task.SPEECH], characters=question.characters)
    return told
