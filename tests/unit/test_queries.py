"""Named queries are found by their headings."""

import pytest

from memory.queries import parse, query

FILE = """
-- What the file is about.

-- claim --
-- Two lines
-- of reasons.
SELECT id -- the key
FROM schedules;

-- release_all --
DELETE FROM schedules WHERE note = '-- not a heading --';
"""


def test_a_query_is_what_stands_under_its_heading_without_the_reasons() -> None:
    assert parse([("a.sql", FILE)]) == {
        "claim": "SELECT id -- the key\nFROM schedules",
        "release_all": "DELETE FROM schedules WHERE note = '-- not a heading --'",
    }


def test_a_name_that_stands_twice_is_told_with_both_files() -> None:
    with pytest.raises(ValueError, match=r"'claim' stands in a\.sql and in b\.sql"):
        parse([("a.sql", FILE), ("b.sql", "-- claim --\nSELECT 1;")])


@pytest.mark.parametrize("body", ["", "\n-- nothing but reasons\n"])
def test_a_heading_without_a_statement_is_told(body: str) -> None:
    with pytest.raises(ValueError, match=r"'empty' in a\.sql has no statement"):
        parse([("a.sql", f"-- empty --{body}")])


def test_sql_without_a_heading_is_told() -> None:
    with pytest.raises(ValueError, match=r"a\.sql has SQL before its first heading"):
        parse([("a.sql", "SELECT 1;\n" + FILE)])


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(LookupError, match=r"No query is named 'no_such'.*'server_versions'"):
        query("no_such")


def test_a_shipped_query_is_found() -> None:
    assert query("load_pgvector") == "SELECT '[1]'::vector"
