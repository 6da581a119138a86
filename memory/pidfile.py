"""What a running Postgres writes down about itself, in `postmaster.pid`."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

PORT = 5432


@dataclass(frozen=True, kw_only=True, slots=True)
class Postmaster:
    """What a server has written down about itself."""

    pid: int
    data: str
    """Its data directory, as it was told."""
    socket_dir: Path
    ready: bool
    """Whether it said that it takes connections, and has not begun to stop."""

    @property
    def socket(self) -> Path:
        """The file that clients connect to."""
        return self.socket_dir / f".s.PGSQL.{PORT}"

    def reachable(self) -> bool:
        """Whether the socket is there, where this user alone can put one, so that it is its own."""
        try:
            folder = self.socket_dir.lstat()
            self.socket.lstat()
        except OSError:
            return False
        others_write = folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return folder.st_uid == os.geteuid() and not others_write

    def runs(self) -> bool:
        """Whether the process of that number is this server, not one that got the number later."""
        try:
            return os.fsencode(self.data) in Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except FileNotFoundError:
            return not Path("/proc/self").exists()

    @classmethod
    def read(cls, path: Path) -> "Postmaster | None":
        """Read the file; None where it is absent, or not written to its end yet."""
        try:
            lines = path.read_text(errors="surrogateescape").split("\n")
            return cls(
                pid=int(lines[0]),
                data=lines[1],
                socket_dir=Path(lines[4]),
                ready=len(lines) > 7 and lines[7].strip() == "ready",
            )
        except (OSError, ValueError, IndexError):
            return None
