"""A plan says what servers wrote when they loaded: term by term, within two hundredths."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.models import published
from agent.models.shapes import shape_of
from agent.residency.decoder import Generation
from agent.residency.vram import KvType, Load, Shape, cache_bytes, need

LOGS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "load_logs.json").read_text()
)
MIB = 1 << 20
FAR = 0.02
"""What a term may be off; nothing that llama.cpp lays out itself is off by more than rounding,
save one log whose build is not known."""

ESTIMATE_FAR = 0.05
"""What the buffer of an architecture may be off whose layers are built in another way."""


def shape_in(log: dict[str, Any]) -> Shape:
    if "facts" in log:
        shape = shape_of(log["facts"], {}, 1)
        assert shape is not None
        return shape
    model = published.named(log["model"])
    assert model is not None
    return replace(model, **log.get("change", {})).shape(log.get("mix"))


def load_in(log: dict[str, Any]) -> Load:
    told = dict(log["load"])
    kv_type = KvType(told.pop("kv_type", "f16"))
    return Load(**told, kv_type=kv_type, builds=(Generation(log["generation"]),))


def ours(log: dict[str, Any]) -> dict[str, float]:
    """Return the terms of a log as they are computed, in mebibytes."""
    shape, load = shape_in(log), load_in(log)
    windowed = replace(shape, state_bytes=0, layers=tuple(x for x in shape.layers if x.windowed))
    found = need(shape, load)
    terms = {
        "file": shape.weight_bytes,
        "embedding": shape.embedding_bytes,
        "weights": found.weights,
        "cache": found.cache,
        "window": cache_bytes(windowed, load),
        "state": shape.state_bytes * load.parallel,
        "buffer": found.buffer,
    }
    return {name: size / MIB for name, size in terms.items()}


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log['source']} {log['load']}")
def test_each_term_is_what_the_server_wrote(log: dict[str, Any]) -> None:
    found, known = ours(log), shape_in(log).known

    for name, size in log["mib"].items():
        far = FAR if known or name != "buffer" else ESTIMATE_FAR
        assert found[name] == pytest.approx(size, rel=far), name


@pytest.mark.parametrize(
    "log", [log for log in LOGS if {"weights", "cache", "buffer"} <= log["mib"].keys()]
)
def test_the_sum_is_within_a_quarter_of_a_hundredth(log: dict[str, Any]) -> None:
    found, terms = ours(log), ("weights", "cache", "buffer")

    told = sum(log["mib"][name] for name in terms)
    assert sum(found[name] for name in terms) == pytest.approx(told, rel=0.0025)


def test_there_are_logs_of_every_kind() -> None:
    loads = [log["load"] for log in LOGS]

    assert len(LOGS) >= 20
    assert {log["generation"] for log in LOGS} >= {"b2500", "b5900", "b10900"}
    assert any(load.get("kv_type") == "q8_0" for load in loads)
    assert any(load.get("flash_attention") is False for load in loads)
    assert any("window" in log["mib"] for log in LOGS)
