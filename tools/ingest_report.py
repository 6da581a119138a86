"""What an ingestion tells, on the way and at its end."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from tools.ingestion.pace import FILE_BYTES, Pace


class Outcome(StrEnum):
    """What became of a file."""

    READ = "read"  # new or changed, and now in memory
    MOVED = "moved"  # in memory as it is, under its new name
    UNCHANGED = "unchanged"  # in memory as it is
    EMPTY = "empty"  # there is nothing in it to be remembered
    GONE = "gone"  # it was there when the folder was listed
    FAILED = "failed"  # not in memory as it is


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What was wrong with a file or a folder."""

    uri: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestProgress:
    """A file is done, or a part of one that holds many documents."""

    uri: str
    name: str
    outcome: Outcome | None
    """None: there is more to come of it."""
    done: int
    total: int
    """Files."""
    documents: int
    chunks: int
    """Documents and passages that were stored so far."""
    files_s: float | None
    """Files in a second of late; None until that means something."""
    left_s: float | None
    """Seconds that the rest will take, judged by its bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestReport:
    """What became of all files."""

    read: int
    moved: int
    unchanged: int
    empty: int
    vanished: int
    ignored: int
    """Files and whole folders that rules pass over."""
    failed: tuple[Failure, ...]
    """What is not in memory as it is, by uri."""
    flawed: tuple[Failure, ...]
    """What was read with something missing or doubtful, by uri."""
    documents: int
    """That were stored: files that were read, and what was read of those that hold many."""
    chunks: int
    """Passages of these documents."""
    bytes_read: int
    """Of files that were read."""
    seconds: float


OnProgress = Callable[[IngestProgress], None]


def silent(_: IngestProgress) -> None:
    """Tell nobody."""


class Tally:
    """Counts while files are read."""

    def __init__(
        self, on_progress: OnProgress, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_progress = on_progress
        self._timer = timer
        self._counts = dict.fromkeys(Outcome, 0)
        self._total = 0
        self._advanced: dict[str, int] = {}
        self._work = Pace(0, now_s=timer())
        self._files = Pace(0, now_s=timer())
        self._failed: list[Failure] = []
        self._flawed: list[Failure] = []
        self._documents = 0
        self._chunks = 0
        self._bytes = 0
        self.vanished = 0
        self.ignored = 0

    def expect(self, sizes: Iterable[int], *, settled: int) -> None:
        """Say which files will be looked at, by their bytes, and how many need no look."""
        work = [size + FILE_BYTES for size in sizes]
        self._total = len(work) + settled
        self._work = Pace(sum(work), now_s=self._timer())
        self._files = Pace(len(work), now_s=self._timer())

    def fail(self, uri: str, reason: str) -> Outcome:
        """Note why something is not in memory as it is."""
        self._failed.append(Failure(uri=uri, reason=reason))
        return Outcome.FAILED

    def stored(self, uri: str, chunks: int, flaws: Iterable[str]) -> None:
        """Note a document that was read."""
        self._documents += 1
        self._chunks += chunks
        self._flawed += (Failure(uri=uri, reason=flaw) for flaw in flaws)

    def settled(self, outcome: Outcome) -> None:
        """Count a file that needed no look."""
        self._counts[outcome] += 1

    def advance(self, uri: str, name: str, size: int) -> None:
        """Note that so many bytes of a file are done, and tell of it."""
        self._advanced[uri] = self._advanced.get(uri, 0) + size
        self._work.advance(size, now_s=self._timer())
        self._tell(uri, name, None)

    def done(self, uri: str, name: str, size: int, outcome: Outcome) -> None:
        """Count a file of so many bytes, and tell of it."""
        self._counts[outcome] += 1
        if outcome is Outcome.READ:
            self._bytes += size
        now_s = self._timer()
        self._work.advance(size + FILE_BYTES - self._advanced.pop(uri, 0), now_s=now_s)
        self._files.advance(1, now_s=now_s)
        self._tell(uri, name, outcome)

    def _tell(self, uri: str, name: str, outcome: Outcome | None) -> None:
        now_s = self._timer()
        self._on_progress(
            IngestProgress(
                uri=uri,
                name=name,
                outcome=outcome,
                done=sum(self._counts.values()),
                total=self._total,
                documents=self._documents,
                chunks=self._chunks,
                files_s=self._files.rate(now_s=now_s),
                left_s=self._work.left_s(now_s=now_s),
            )
        )

    def report(self, seconds: float) -> IngestReport:
        """Return the sum of it."""
        return IngestReport(
            read=self._counts[Outcome.READ],
            moved=self._counts[Outcome.MOVED],
            unchanged=self._counts[Outcome.UNCHANGED],
            empty=self._counts[Outcome.EMPTY],
            vanished=self.vanished,
            ignored=self.ignored,
            failed=tuple(sorted(self._failed, key=lambda one: one.uri)),
            flawed=tuple(sorted(self._flawed, key=lambda one: one.uri)),
            documents=self._documents,
            chunks=self._chunks,
            bytes_read=self._bytes,
            seconds=seconds,
        )
