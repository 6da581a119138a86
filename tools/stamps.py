"""The state of a file as the file system tells it, by which an unchanged file is known at a look.

A stamp is compared for equality only: clocks go back, and times are set at will.
"""

import os
from dataclasses import dataclass

GRAIN_NS = 2_000_000_000
"""Coarsest clock of a file system in use (FAT). What is written within it after a file was read may
leave no trace in the file's times."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """Size, times and identity of a file. The time of its status cannot be set by a program."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """Take it from what the system says of a file."""
        return cls(
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            ctime_ns=status.st_ctime_ns,
            inode=status.st_ino,
            device=status.st_dev,
        )

    def __str__(self) -> str:
        """Write it as it is stored."""
        return f"{self.size} {self.mtime_ns} {self.ctime_ns} {self.inode} {self.device}"

    @property
    def doubtful(self) -> str:
        """Write what may be stored where a change might not show in it: it equals no stamp."""
        return str(self.size)

    def lasting(self, at_ns: int) -> bool:
        """Return whether any change after a moment will show in it.

        Not so where the file changed within the clock's grain before, or in the future: the clock
        was set back, or another machine's is ahead.
        """
        return max(self.mtime_ns, self.ctime_ns) + GRAIN_NS < at_ns


def size_of(stamp: str) -> int:
    """Return the size that a stored stamp tells."""
    return int(stamp.partition(" ")[0])
