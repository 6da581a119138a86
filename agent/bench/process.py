"""What this process has taken of the machine."""

import resource
import sys

_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
"""In which the system tells the largest memory of a process."""


def peak_bytes() -> int:
    """Return the most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT_BYTES
