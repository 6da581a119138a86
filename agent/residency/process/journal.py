"""What an arbiter writes down: its traces, and what its successor has to know.

Each life of an arbiter begins a trace of its own, `trace-EPOCH.jsonl`; so does one that has grown
too long, at the next moment when nothing is out. The oldest go when all together are too many. A
disk that takes no more ends the trace, not the work: it is said, and a new trace is tried later.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.residency.arbiter.events import WhilePaused

log = logging.getLogger(__name__)

TRACE_BYTES = 16 << 20
TRACES_BYTES = 64 << 20
RETRY_S = 60.0
"""Until a disk that took no more is tried again."""
_STATE = "state.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """What the last arbiter left."""

    epoch: int = 0
    clean: bool = True
    """It ended in order, with nothing out."""
    paused: WhilePaused | None = None


class Journal:
    """Writes into one directory."""

    def __init__(
        self,
        folder: Path,
        *,
        trace_bytes: int = TRACE_BYTES,
        traces_bytes: int = TRACES_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.flaw: str | None = None
        """Why the trace is not written, if it is not."""
        self.path: Path | None = None
        """Of the trace that is being written."""
        self._folder = folder
        self._clock = clock
        self._trace_bytes = trace_bytes
        self._traces_bytes = traces_bytes
        self._file: int | None = None
        self._written = 0
        self._failed_at = 0.0

    @property
    def card(self) -> str:
        """Key of the card: the directory is called by it."""
        return self._folder.name

    def left(self) -> Left:
        """Return what the last arbiter left; a state that cannot be read is that of a killed one.

        Epochs rise also where the state was lost: the traces have them in their names.
        """
        traced = max((epoch_of(path) for path in self._traces()), default=0)
        try:
            told = json.loads((self._folder / _STATE).read_text("utf-8"))
            paused = told["paused"]
            return Left(
                epoch=max(traced, int(told["epoch"])),
                clean=bool(told["clean"]),
                paused=None if paused is None else WhilePaused(paused),
            )
        except FileNotFoundError:
            return Left(epoch=traced, clean=traced == 0)
        except (OSError, ValueError, KeyError, TypeError):
            return Left(epoch=traced, clean=False)

    def leave(self, left: Left) -> None:
        """Write what the next arbiter has to know, whole or not at all."""
        told = {"epoch": left.epoch, "clean": left.clean, "paused": left.paused}
        new = self._folder / f".{_STATE}.new"
        try:
            new.write_text(json.dumps(told), "utf-8")
            new.replace(self._folder / _STATE)
        except OSError as error:
            log.warning("state_not_written", extra={"reason": str(error)})

    def begin(self, epoch: int) -> None:
        """Begin a trace; the next line is its first."""
        self.end()
        self._drop_oldest()
        path = self._folder / f"trace-{epoch:06}.jsonl"
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._fail(error)
            return
        self.path, self._written = path, 0
        if self.flaw is not None:
            log.warning("trace_written_again", extra={"path": str(path)})
        self.flaw = None

    def write(self, line: dict[str, Any]) -> None:
        """Append a line; once the disk has refused one, nothing until a new trace begins."""
        if self._file is None:
            return
        data = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        try:
            done = os.write(self._file, data)
            while done < len(data):
                done += os.write(self._file, data[done:])
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, self._written)
            self._fail(error)
            return
        self._written += len(data)

    def end(self) -> None:
        """Close the trace."""
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None

    @property
    def long(self) -> bool:
        """Whether a new trace should begin when it can: this one is long, or broke off before."""
        if self._file is None:
            return self._clock() - self._failed_at >= RETRY_S
        return self._written >= self._trace_bytes

    def _fail(self, error: OSError) -> None:
        self.end()
        reason = f"{error.strerror or error} ({self._folder})"
        if self.flaw is None:
            log.warning("trace_not_written", extra={"reason": reason})
        self.flaw = reason
        self._failed_at = self._clock()

    def _traces(self) -> list[Path]:
        return traces(self._folder)

    def _drop_oldest(self) -> None:
        with suppress(OSError):
            sizes = {path: path.stat().st_size for path in self._traces()}
            for path in list(sizes):
                if sum(sizes.values()) <= self._traces_bytes - self._trace_bytes:
                    return
                path.unlink()
                del sizes[path]


def traces(folder: Path) -> list[Path]:
    """Return the traces of a card's directory, the oldest first."""
    return sorted(folder.glob("trace-*.jsonl"), key=epoch_of)


def epoch_of(path: Path) -> int:
    """Return which life a trace is of, by its name; 0 if it tells none."""
    number = path.stem.removeprefix("trace-")
    return int(number) if number.isdigit() else 0
