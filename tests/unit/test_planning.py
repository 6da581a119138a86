"""Nonsense is named with what to write instead, before anything is asked of anybody."""

from typing import Any

import pytest

from agent.errors import UsageError
from agent.models import planning
from agent.models.planning import Question
from agent.models.sizes import gib, size_of
from agent.residency.vram import KvType
from agent.settings import Settings


async def planned(**asked: Any) -> dict[str, Any]:
    """Plan a model whose quantisation is given, so that no server is asked."""
    wish: dict[str, Any] = {"executive": "qwen3:14b", "quantisation": "Q4_K_M", "vram": ["24GiB"]}
    return await planning.planned(Settings(), Question(**{**wish, **asked}))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"vram": ["24"]}, "it is 24 bytes. Write it as 24GiB"),
        ({"vram": ["0GiB"]}, "--vram '0GiB' is no size that holds a model"),
        ({"vram": ["-8GiB"]}, "--vram '-8GiB' is no size"),
        ({"vram": ["9000TiB"]}, "is more than any machine has"),
        ({"foreign": "much"}, "--foreign 'much' is no size"),
        ({"unified": "8GiB"}, "name two machines"),
        ({"context_tokens": 50_000}, "was trained for 40,960 tokens"),
        ({"kv_type": KvType.Q8_0, "flash_attention": False}, "only with flash attention"),
        ({"quantisation": "Q9"}, "--quantisation 'Q9' is none that can be computed"),
        ({"quantisation": "MXFP4"}, "is none that can be computed"),
        ({"senses": ["ear"]}, "--sense 'ear' is none that is known"),
    ],
)
async def test_nonsense_is_named(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        await planned(**asked)

    assert said in str(refused.value)


async def test_a_file_has_the_weights_that_it_has() -> None:
    with pytest.raises(UsageError, match="its weights are what they are"):
        await planned(executive="embedded")


async def test_no_sense_may_be_chosen() -> None:
    (card,) = (await planned(senses=["none"]))["cards"]

    assert card["heaviest"] is None
    assert card["context_alone"] == card["context_beside"]


async def test_each_build_is_told_and_the_largest_of_the_living_counts() -> None:
    found = await planned(context_tokens=32_768, kv_type=KvType.Q8_0)
    buffers = found["load"]["buffer_by_build"]

    assert buffers["b2500"] == 306.75 * 2**20
    assert found["cards"][0]["need"]["buffer"] == buffers["b5900"] == max(buffers.values())


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("24GiB", 24 << 30),
        ("16 GB", 16 * 10**9),
        ("24122MiB", 24_122 << 20),
        ("0.5gib", 1 << 29),
        ("8G", 8 * 10**9),
        ("25769803776", 24 << 30),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert size_of(text, "--vram") == size


def test_sizes_are_written_for_people() -> None:
    assert (gib(3 << 29), gib(457 << 20), gib(0)) == ("1.50 GiB", "457 MiB", "0 MiB")
    assert size_of("0B", "--foreign", least=0) == 0
