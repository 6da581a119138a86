"""What the embedded Postgres takes of a machine."""

import pytest

from memory import sizing

GIB = 1 << 30


@pytest.mark.parametrize(
    ("memory_gib", "cores", "buffers", "building", "workers"),
    [
        (1, 1, "170MB", "128MB", "0"),
        (4, 2, "682MB", "341MB", "1"),
        (16, 8, "2730MB", "1365MB", "7"),
        (24, 2, "4096MB", "2048MB", "1"),
        (256, 64, "4096MB", "2048MB", "7"),
    ],
)
def test_a_small_machine_keeps_its_memory_and_a_large_one_serves_a_million_passages(
    memory_gib: int, cores: int, buffers: str, building: str, workers: str
) -> None:
    found = sizing.settings(memory_gib * GIB, cores)
    assert found["shared_buffers"] == buffers
    assert found["maintenance_work_mem"] == building
    assert found["max_parallel_maintenance_workers"] == workers


def test_what_this_machine_has_is_told() -> None:
    assert sizing.usable_memory() > 1 << 27
    assert sizing.usable_cores() >= 1
