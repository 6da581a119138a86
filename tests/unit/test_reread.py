"""A text that was shown in part is read again by parts."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.testing import FixedClock
from memory.artifacts import Artifact
from memory.labels import USER_LABEL, Label, Origin
from tools.base import ToolContext, ToolError
from tools.registry import Toolbox
from tools.reread import RereadArguments, parts_of, reread

WEB = Label(origins=frozenset({Origin.WEB}))
TEXT = "one two three four five six seven eight nine ten " * 20


@dataclass
class Store:
    """Bodies by thread."""

    bodies: dict[str, list[Artifact]] = field(default_factory=dict)

    async def referred(self, reference: str, *, thread_id: str) -> list[Artifact]:
        return [one for one in self.bodies.get(thread_id, []) if one.id.startswith(reference)]


def stored(name: str, text: str = TEXT) -> Artifact:
    return Artifact(id=name, kind="result", body={"text": text}, label=WEB)


STORE = Store({"t": [stored("aaaaaaaa-1"), stored("bbbbbbbb-1"), stored("bbbbbbbb-2")]})


def context(thread_id: str = "t") -> ToolContext:
    return ToolContext(
        run_id="r",
        thread_id=thread_id,
        token=1,
        collections=(),
        clock=FixedClock(),
        label=USER_LABEL,
    )


@settings(deadline=None)
@given(st.text(), st.integers(min_value=2, max_value=50))
def test_parts_are_the_whole_text_and_none_is_too_long(text: str, characters: int) -> None:
    parts = parts_of(text, characters)
    assert "".join(parts) == text
    assert all(len(part) <= characters for part in parts)
    assert all(parts[:-1])


def test_a_part_ends_at_a_space_where_there_is_one() -> None:
    assert parts_of("alpha beta gamma", 12) == ["alpha beta ", "gamma"]


async def test_a_part_says_how_many_there_are_and_has_the_label_of_its_text() -> None:
    tool = reread(STORE, part_characters=400)
    first = await tool.run(RereadArguments(reference="aaaaaaaa"), context())
    last = await tool.run(RereadArguments(reference="AAAAAAAA", part=3), context())
    assert first.text.startswith("Part 1 of 3:\none two")
    assert last.text.startswith("Part 3 of 3:\n")
    assert first.label == WEB


@pytest.mark.parametrize(
    ("reference", "part", "thread_id", "said"),
    [
        ("cccccccc", 1, "t", "no text"),
        ("aaaaaaaa", 1, "another", "no text"),
        ("bbbbbbbb", 1, "t", "more than one text"),
        ("aaaaaaaa", 9, "t", "the text has 3"),
    ],
)
async def test_what_is_not_there_is_said(
    reference: str, part: int, thread_id: str, said: str
) -> None:
    tool = reread(STORE, part_characters=400)
    with pytest.raises(ToolError, match=said):
        await tool.run(RereadArguments(reference=reference, part=part), context(thread_id))


@pytest.mark.parametrize("wrong", [{"reference": "x%_"}, {"reference": "aaaaaaaa", "part": 0}])
def test_a_reference_is_hexadecimal(wrong: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="not valid"):
        Toolbox([reread(STORE)]).validate("reread", wrong)
