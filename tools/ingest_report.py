"""What an ingestion tells, on the way and at its end."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a file."""

    READ = "read"  # new or changed, and now in memory
    UNCHANGED = "unchanged"  # in memory as it is
    FAILED = "failed"  # not in memory as it is


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What was wrong with a file or a folder."""

    uri: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestProgress:
    """One file is done."""

    uri: str
    name: str
    outcome: Outcome
    done: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestReport:
    """What became of all files."""

    read: int
    unchanged: int
    vanished: int
    failed: tuple[Failure, ...]
    """What is not in memory as it is, by uri."""
    flawed: tuple[Failure, ...]
    """What was read with something missing or doubtful, by uri."""
    chunks: int
    """Passages of the files that were read."""
    seconds: float


OnProgress = Callable[[IngestProgress], None]


def silent(_: IngestProgress) -> None:
    """Tell nobody."""


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts while files are read."""

    total: int
    on_progress: OnProgress
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    failed: list[Failure] = field(default_factory=list)
    flawed: list[Failure] = field(default_factory=list)
    chunks: int = 0
    vanished: int = 0

    def fail(self, uri: str, reason: str) -> Outcome:
        """Note why something is not in memory as it is."""
        self.failed.append(Failure(uri=uri, reason=reason))
        return Outcome.FAILED

    def stored(self, uri: str, chunks: int, flaws: Iterable[str]) -> Outcome:
        """Note what was read of a file."""
        self.chunks += chunks
        self.flawed += (Failure(uri=uri, reason=flaw) for flaw in flaws)
        return Outcome.READ

    def done(self, uri: str, name: str, outcome: Outcome) -> None:
        """Count a file, and tell of it."""
        self.counts[outcome] += 1
        self.on_progress(
            IngestProgress(
                uri=uri,
                name=name,
                outcome=outcome,
                done=sum(self.counts.values()),
                total=self.total,
            )
        )

    def report(self, seconds: float) -> IngestReport:
        """Return the sum of it."""
        return IngestReport(
            read=self.counts[Outcome.READ],
            unchanged=self.counts[Outcome.UNCHANGED],
            vanished=self.vanished,
            failed=tuple(sorted(self.failed, key=lambda one: one.uri)),
            flawed=tuple(sorted(self.flawed, key=lambda one: one.uri)),
            chunks=self.chunks,
            seconds=seconds,
        )
