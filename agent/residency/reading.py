"""A trace read from its file, line by line."""

import json
from collections.abc import Iterator
from pathlib import Path

from agent.errors import AgentError
from agent.residency.books import JsonObject

VERSION = 1
CUT = "cut"
"""Key of what stands in place of a last line that was not written whole: `{"cut": its number}`."""


class TraceError(AgentError):
    """A trace cannot be judged: it is empty, damaged, or of another version."""


def lines_of(path: Path) -> Iterator[JsonObject]:
    """Yield the lines of a trace.

    A last line without its line break that is no JSON was cut off: the power failed, or the disk
    was full. It is told as `CUT`. Any other line that is no JSON object raises TraceError.
    """
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, start=1):
                yield _parsed(text, number, path)
    except OSError as error:
        raise TraceError(f"{str(path)!r} cannot be read as a trace: {error}.") from error


def _parsed(text: bytes, number: int, path: Path) -> JsonObject:
    try:
        line = json.loads(text)
    except ValueError as error:
        if not text.endswith(b"\n") and number > 1:
            return {CUT: number}
        raise TraceError(f"Line {number} of {path} is cut or damaged: {error}.") from error
    if not isinstance(line, dict):
        shown = text.decode(errors="replace").strip()[:60]
        raise TraceError(f"Line {number} of {path} is no transition: {shown}")
    return line


def head(line: JsonObject | None, name: str) -> JsonObject:
    """Return the first line of a trace, if it is one. Raises TraceError."""
    if line is None:
        raise TraceError(f"{name} is empty: there is nothing in it to be proved.")
    if line.get("trace") != VERSION:
        raise TraceError(
            f"{name} does not begin as a trace of version {VERSION}; "
            f"its first line says {line.get('trace')!r}."
        )
    limits = line.get("limits")
    missing = _LIMITS - set(limits) if isinstance(limits, dict) else _LIMITS
    if missing:
        raise TraceError(f"The first line of {name} lacks limits: {', '.join(sorted(missing))}.")
    return line


_LIMITS = frozenset(
    """capacity_bytes safety_bytes context_bytes profiles stale_s patience_s overtakes wait_s
    lease_s heartbeat_s revoke_s load_s backoff_s recovery_s""".split()
)
