"""The files of a process that there is once.

In the user's runtime directory, which does not outlive the machine: `KEY.sock`, readable by the
user alone; `KEY.lock`, held by the process as long as it lives, with its number in it; `KEY.start`,
held by who starts it.
In the data directory, which does: its log, and what the next one has to know.
"""

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.residency.errors import ResidencyError, UnreachableError

_SOCKET_BYTES = 107
"""Longest name of a socket that the kernel allows."""
_POLL_S = 0.02
_OTHER = re.compile(r"[^A-Za-z0-9.]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class DaemonFiles:
    """Where it is found, and where it writes."""

    what: str
    """What it is called in an error."""
    key: str
    """What it is for, as file names allow it."""
    run_dir: Path
    data_dir: Path

    @classmethod
    def of(cls, name: str, *, what: str, data_dir: Path) -> "DaemonFiles":
        """Return the files for what a process is for: a card by its name or UUID, say."""
        key = _OTHER.sub("-", name).strip("-.") or "card"
        if len(key) > 40:
            key = f"{key[:24]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        return cls(what=what, key=key, run_dir=_run_dir(key), data_dir=data_dir / "residency" / key)

    @property
    def socket(self) -> Path:
        """Where clients connect."""
        return self.run_dir / f"{self.key}.sock"

    @property
    def log(self) -> Path:
        """What the process had to say."""
        return self.data_dir / "process.log"

    def prepare(self) -> None:
        """Make the directories, private. Raises ResidencyError where they cannot be trusted."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.run_dir.lstat()
        except OSError as error:
            raise ResidencyError(
                f"The directories of the {self.what} cannot be made: {error}. Make them "
                "writable, or set XDG_RUNTIME_DIR."
            ) from error
        if self.run_dir.is_symlink() or found.st_uid != os.geteuid():
            raise ResidencyError(
                f"{self.run_dir} is not a directory of user {os.geteuid()}. Remove it, or set "
                "XDG_RUNTIME_DIR."
            )
        if found.st_mode & 0o077:
            self.run_dir.chmod(0o700)

    def alive(self) -> bool:
        """Whether one lives."""
        try:
            file = os.open(self._lock, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def claim(self) -> int | None:
        """Become it: return the lock, to be kept open; None where there is one."""
        file = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        os.ftruncate(file, 0)
        return file

    def pid(self) -> int | None:
        """Return the process that lives; None where none does, or has not come up yet."""
        if not self.alive():
            return None
        try:
            return int(self._lock.read_text("ascii"))
        except (OSError, ValueError):
            return None

    @contextmanager
    def starting(self, timeout_s: float) -> Iterator[None]:
        """Be the only one who starts it."""
        deadline = time.monotonic() + timeout_s
        file = os.open(
            self.run_dir / f"{self.key}.start", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise UnreachableError(
                            f"Another process starts the {self.what} for more than "
                            f"{timeout_s:g} s. See {self.log}."
                        ) from None
                    time.sleep(_POLL_S)
            yield
        finally:
            os.close(file)

    @property
    def _lock(self) -> Path:
        return self.run_dir / f"{self.key}.lock"


def _run_dir(key: str) -> Path:
    """Return a directory that all processes of the user agree on, short enough for a socket."""
    user = os.geteuid()
    usual = Path(f"/run/user/{user}")
    named = os.environ.get("XDG_RUNTIME_DIR")
    if named:
        place = Path(named) / "cortical"
    elif usual.is_dir() and usual.stat().st_uid == user:
        place = usual / "cortical"
    else:
        place = Path(f"/tmp/cortical-{user}")  # noqa: S108 - its owner is checked
    if len(os.fsencode(place / f"{key}.sock")) <= _SOCKET_BYTES:
        return place
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    return Path(f"/tmp/cortical-{user}-{digest}")  # noqa: S108 - its owner is checked
