"""How much of the machine the embedded Postgres takes: little of a small one, enough of a big one.

Of a million passages three gigabytes are read by searches. In the server's own buffers they cost
half of what they cost when each page is fetched from the system (29 and 52 ms a question), and
buffers are taken only as pages come to be read. The index of their vectors is built in minutes
rather than hours when it fits the memory that building may take.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

MIB = 1 << 20
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def settings(memory_bytes: int, cores: int) -> Mapping[str, str]:
    """Return the settings of Postgres for a machine that also has an executive to hold."""
    return {
        "shared_buffers": _share(memory_bytes, 6, least=128, most=4_096),
        "maintenance_work_mem": _share(memory_bytes, 12, least=128, most=2_048),
        "work_mem": _share(memory_bytes, 256, least=4, most=64),
        "effective_cache_size": _share(memory_bytes, 3, least=256, most=8_192),
        "max_parallel_maintenance_workers": str(max(0, min(cores - 1, 7))),
        "max_parallel_workers": str(max(1, min(cores, 8))),
    }


def usable_memory() -> int:
    """Return the bytes of memory that the system grants this process."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [machine]
    for place in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # none, or the word `max`
            limits.append(int(Path(place).read_text()))
    return min(limits)


def usable_cores() -> int:
    """Return the cores that the system grants this process, else all of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share(memory_bytes: int, part: int, *, least: int, most: int) -> str:
    return f"{max(least, min(most, memory_bytes // part // MIB))}MB"
