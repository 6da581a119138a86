"""How many processor cores this process may use."""

import os


def usable_cores() -> int:
    """Return the cores that the system grants the process, else all of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
