"""Named SQL, read once from `memory/sql/queries/*.sql`.

A query begins with its heading, then come comments and one statement:

    -- claim_due_schedules --
    -- Lock the due rows that no other ticker holds.
    SELECT id FROM schedules WHERE next_at <= %(now)s FOR UPDATE SKIP LOCKED;
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

_HEADING = re.compile(r"^-- ([a-z][a-z0-9_]*) --[ \t]*$", re.MULTILINE)
_ONLY_COMMENTS = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z))*")


def query(name: str) -> str:
    """Return the statement under that heading; LookupError names those that there are."""
    known = _all()
    if name not in known:
        raise LookupError(
            f"No query is named {name!r} in memory/sql/queries; there are: {sorted(known)}."
        )
    return known[name]


def load() -> None:
    """Read the files, which `query` else does at its first use: for a loop that must not block."""
    _all()


def parse(texts: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Split files, given as (file name, text), at their headings.

    Words before the first heading, a heading without a statement and a name that stands twice
    raise ValueError: such a file is our mistake, not the user's.
    """
    found: dict[str, str] = {}
    origin: dict[str, str] = {}
    for file, text in texts:
        preamble, *parts = _HEADING.split(text)
        if not _ONLY_COMMENTS.fullmatch(preamble):
            raise ValueError(f"{file} has SQL before its first heading `-- name --`.")
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"Query {name!r} stands in {origin[name]} and in {file}.")
            if _ONLY_COMMENTS.fullmatch(body):
                raise ValueError(f"Query {name!r} in {file} has no statement.")
            found[name] = _statement(body)
            origin[name] = file
    return found


def _statement(body: str) -> str:
    """Drop the comments above the statement and the semicolon after it."""
    comments = _ONLY_COMMENTS.match(body)
    assert comments is not None
    return body[comments.end() :].strip().removesuffix(";")


@cache
def _all() -> Mapping[str, str]:
    folder = files("memory") / "sql" / "queries"
    texts = sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir())
    return parse((name, text) for name, text in texts if name.endswith(".sql"))
