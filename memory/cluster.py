"""The files of the embedded Postgres: its data, its locks, its log, its socket.

In the directory that the caller names lie `data`, which is Postgres' own, `server.log`,
`start.lock`, held by who starts or stops the server, and `alive.lock`, held by every process of the
server and free only when the last of them is gone. Process ids tell less: they are used again, a
zombie still has one, and another namespace counts otherwise.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from memory.errors import DataDirectoryError, EmbeddedServerError, ServerStartError, from_os_error
from memory.pidfile import Postmaster

MAJOR = 18
"""Version of PostgreSQL that the wheel brings and the data is written by."""
_SOCKET_DIR_BYTES = 90
"""Longest directory whose socket still fits the 107 bytes that the kernel allows."""
_LOG_BYTES = 1 << 20
_LOG_KEPT_BYTES = 1 << 16
_POLL_S = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """One data directory with what belongs to it."""

    root: Path

    @property
    def data(self) -> Path:
        """What Postgres calls PGDATA; it is there only once it is whole."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What the server had to say."""
        return self.root / "server.log"

    def prepare(self) -> None:
        """Make the directory, private; refuse another user's, and another version's data."""
        if not str(self.root).isprintable():
            raise DataDirectoryError(
                f"The data directory {str(self.root)!r} has a control character in its name, which "
                "the files of Postgres cannot hold. Name another directory."
            )
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = self.root.stat().st_uid
            if owner != os.geteuid():
                raise DataDirectoryError(
                    f"The data directory {self.root} belongs to user {owner}, but this is user "
                    f"{os.geteuid()}. Run cortical as its owner, or name another directory."
                )
            self.root.chmod(0o700)
        except OSError as error:
            raise from_os_error(error, f"The data directory {self.root} cannot be used") from error
        version = self.version()
        if version not in (None, str(MAJOR)):
            raise DataDirectoryError(
                f"{self.data} was written by PostgreSQL {version}, but this program brings "
                f"{MAJOR}. Install the version of cortical that wrote it, dump the database there, "
                f"move {self.data} away and restore the dump here."
            )

    def version(self) -> str | None:
        """Return the major version that wrote the data, None where there is none yet."""
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise from_os_error(error, f"The data in {self.data} cannot be read") from error

    def postmaster(self) -> Postmaster | None:
        """Read what the server wrote last, which a killed one leaves behind as it was."""
        return Postmaster.read(self.data / "postmaster.pid")

    def alive(self) -> bool:
        """Whether any process of the server is left."""
        try:
            with _opened(self.root / "alive.lock", os.O_RDONLY) as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @contextmanager
    def starting(self, timeout_s: float) -> Iterator[None]:
        """Be the only one who starts or stops the server."""
        with self._held("start.lock", timeout_s, "Another process starts or stops the server"):
            yield

    @contextmanager
    def claimed(self, timeout_s: float) -> Iterator[int]:
        """Hold the lock of the server, to be handed down to it; wait for an earlier one to end."""
        what = "Processes of a server that was killed are still at work"
        with self._held("alive.lock", timeout_s, what) as file:
            yield file

    def choose_socket_dir(self) -> Path:
        """Make a private directory, short enough for a socket: `run`, or else where that leads."""
        place = self.root / "run"
        # In a URL a comma parts several hosts, and libpq knows no way around that.
        if len(os.fsencode(place)) <= _SOCKET_DIR_BYTES and "," not in str(place):
            place.mkdir(mode=0o700, exist_ok=True)
            place.chmod(0o700)
            return place
        for parent in (tempfile.gettempdir(), "/var/tmp"):  # noqa: S108 - mkdtemp makes it private
            if len(os.fsencode(parent)) <= _SOCKET_DIR_BYTES - 20 and os.access(parent, os.W_OK):
                aside = Path(tempfile.mkdtemp(prefix="cortical-", dir=parent))
                place.symlink_to(aside)
                return aside
        raise DataDirectoryError(
            f"The path {self.root} is too long for a socket, and {tempfile.gettempdir()} as well. "
            "Name a shorter data directory, or set TMPDIR to a shorter one."
        )

    def sweep(self) -> None:
        """Remove what a server left behind. Only for who holds its lock, or saw it end."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        place = self.root / "run"
        with suppress(OSError):
            for socket in place.glob(".s.PGSQL.*"):
                socket.unlink()
            place.resolve().rmdir()
        if place.is_symlink():
            place.unlink()
        for half_made in self.root.glob("data.new-*"):
            shutil.rmtree(half_made, ignore_errors=True)

    def trim_log(self) -> None:
        """Keep only the end of a log that has grown too long; the server appends after it."""
        with suppress(OSError), self.log.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size > _LOG_BYTES:
                file.seek(size - _LOG_KEPT_BYTES)
                end = file.read()
                file.truncate(0)
                file.seek(0)
                file.write(end)

    def log_size(self) -> int:
        """Return the length of the log in bytes."""
        try:
            return self.log.stat().st_size
        except OSError:
            return 0

    def log_tail(self, start: int = 0, *, lines: int = 6) -> str:
        """Return the last lines that stand in the log after that byte."""
        with suppress(OSError), self.log.open("rb") as file:
            file.seek(start)
            return "\n".join(file.read().decode(errors="replace").strip().split("\n")[-lines:])
        return ""

    @contextmanager
    def _held(self, name: str, timeout_s: float, otherwise: str) -> Iterator[int]:
        deadline = time.monotonic() + timeout_s
        try:
            with _opened(self.root / name, os.O_RDWR | os.O_CREAT) as file:
                while not _locked(file):
                    if time.monotonic() > deadline:
                        raise ServerStartError(
                            f"{otherwise}, for more than {timeout_s:g} s ({self.root}). "
                            "Wait for them or end them, then try again."
                        )
                    time.sleep(_POLL_S)
                yield file
        except EmbeddedServerError:
            raise
        except OSError as error:
            raise from_os_error(error, f"The data directory {self.root} cannot be used") from error


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags, 0o600)
    try:
        yield file
    finally:
        os.close(file)
