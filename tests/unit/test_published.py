"""Well-known models have the parameters and weigh what is published of them."""

import time

import pytest

from agent.models import published
from agent.models.quantisation import MIXES, Place, sized

GB = 10**9


@pytest.mark.parametrize(
    ("name", "billions", "gigabytes"),
    [
        ("qwen3:4b", 4.02, 2.6),
        ("qwen3:8b", 8.19, 5.2),
        ("qwen3:14b", 14.77, 9.3),
        ("qwen3:32b", 32.76, 20.2),
        ("qwen3:30b-a3b", 30.53, 18.6),
        ("phi4", 14.66, 9.05),
        ("llama3.1:8b", 8.03, 4.92),
        ("llama3.2:3b", 3.21, 2.02),
        ("qwen2.5:7b", 7.62, 4.68),
        ("mistral-nemo", 12.25, 7.07),
        ("mistral-small:24b", 23.57, 14.33),
        ("gemma3:4b", 3.88, 3.34),
        ("gemma3:12b", 11.77, 8.15),
        ("gemma3:27b", 27.01, 17.4),
        ("gpt-oss:20b", 20.91, 13.8),
    ],
)
def test_parameters_and_size_are_those_of_the_model_that_ollama_serves(
    name: str, billions: float, gigabytes: float
) -> None:
    model = published.named(name)

    assert model is not None
    assert model.parameters / GB == pytest.approx(billions, abs=0.006)
    assert model.shape().weight_bytes / GB == pytest.approx(gigabytes, rel=0.01)
    assert model.shape().exact


def test_a_model_is_found_by_any_of_its_names() -> None:
    assert published.named("phi4:14b") == published.named("phi4:latest") == published.named("Phi4")
    assert published.named("qwen3:14b") is not None
    assert published.named("qwen3:15b") is None


def test_more_bits_weigh_more() -> None:
    model = published.named("llama3.1:8b")
    assert model is not None
    sizes = [model.shape(mix).weight_bytes for mix in MIXES if mix != "MXFP4"]

    assert sizes == sorted(sizes)


def test_experts_of_four_bits_stay_so_whatever_the_rest_is() -> None:
    model = published.named("gpt-oss:20b")

    assert model is not None
    assert model.shape("Q8_0").weight_bytes / GB == pytest.approx(12.1, rel=0.01)


def test_rows_that_are_no_multiple_of_a_super_block_fall_back() -> None:
    place = Place(role="other")

    assert sized("Q4_K_M", place, (256, 10)) == 10 * 144
    assert sized("Q4_K_M", place, (320, 10)) == 10 * 10 * 22
    assert sized("Q8_0", place, (320, 10)) == 10 * 10 * 34


def test_a_shape_is_made_in_a_moment() -> None:
    begun = time.perf_counter()
    for model in published.MODELS:
        model.shape()
    assert time.perf_counter() - begun < 1
