"""Parakeet by transformers, on speech of eSpeak and weights that know two sentences."""

import gc
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from memory.language import UNKNOWN
from tools.senses import heap
from tools.senses.background import GivenUpError, Patience
from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.errors import DeviceError, EngineError, WeightsError
from tools.senses.models import weights
from tools.senses.models.parakeet import Parakeet
from tools.senses.testing import folder, parakeet
from tools.senses.testing.patience import ShortPatience
from tools.senses.testing.spoken import SENTENCES, recording

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own

VARIANT = "parakeet-tiny-fp32"


def opened(made: Path, **options: Any) -> Parakeet:
    return Parakeet(made, weights.read(made), **options)


@pytest.fixture(scope="module")
def hearing(parakeet_made: Path) -> Iterator[Parakeet]:
    model = opened(parakeet_made)
    model.bring("cpu")
    yield model
    model.drop()


@pytest.mark.parametrize("language", SENTENCES)
def test_speech_is_written_down_with_the_times_of_its_words(
    hearing: Parakeet, language: str
) -> None:
    heard = hearing.transcribe(recording(language), Patience())
    [segment] = heard.segments
    assert segment.text == SENTENCES[language]
    assert [word.text for word in segment.words] == SENTENCES[language].split()
    for before, after in pairwise(segment.words):
        assert before.start_s < before.end_s <= after.start_s
    assert (segment.start_s, segment.end_s) == (
        segment.words[0].start_s,
        segment.words[-1].end_s,
    )
    assert segment.end_s <= len(recording(language)) / SAMPLE_RATE_HZ + 0.4
    assert heard.language == language  # told from what was written
    assert heard.flaws == ()


def test_a_language_that_it_does_not_know_is_said(hearing: Parakeet) -> None:
    heard = hearing.transcribe(recording("en"), Patience(), language="ja")
    assert heard.language == "ja"
    assert heard.flaws == (f"{VARIANT} was not trained on 'ja': words may be wrong",)


def test_no_more_is_heard_at_once_than_it_may(parakeet_made: Path) -> None:
    longest_s = 4.0
    model = opened(parakeet_made, longest_s=longest_s)
    model.bring("cpu")
    seen: list[int] = []

    def see(_: Any, given: Any, told: dict[str, Any]) -> None:
        seen.append((told["input_features"] if "input_features" in told else given[0]).shape[1])

    hook = model._model.encoder.register_forward_pre_hook(see, with_kwargs=True)
    heard = model.transcribe(recording("en", 1.0, "en", 30.0, "en", 1.0, "de"), Patience())
    hook.remove()
    assert len(seen) >= 4
    assert max(seen) <= longest_s * 100 + 1
    assert heard.segments[0].text == SENTENCES["en"]
    starts = [segment.start_s for segment in heard.segments]
    assert starts == sorted(starts)
    assert starts[-1] > 35
    assert not any(9 < start < 34 for start in starts)
    model.drop()


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.02])
def test_silence_and_noise_have_no_segments(hearing: Parakeet, level: float) -> None:
    noise = np.random.default_rng(0).normal(0, level, 10 * SAMPLE_RATE_HZ).astype(np.float32)
    heard = hearing.transcribe(noise, Patience())
    assert heard.segments == ()
    assert heard.language == UNKNOWN
    assert heard.flaws == ()


def test_an_operation_that_nobody_waits_for_ends_between_two_tokens(hearing: Parakeet) -> None:
    sound = recording("en")
    before_generating, words = 2, len(SENTENCES["en"].split())
    for checks in (1, before_generating, before_generating + words):
        with pytest.raises(GivenUpError):
            hearing.transcribe(sound, ShortPatience(checks))
    [segment] = hearing.transcribe(sound, Patience()).segments
    assert segment.text == SENTENCES["en"]


def test_nothing_is_heard_before_it_is_brought_nor_after_it_left(parakeet_made: Path) -> None:
    model = opened(parakeet_made)
    assert model.host_bytes == 0
    model.stage()
    staged = model.host_bytes
    assert staged > 0.9 * (parakeet_made / "model.safetensors").stat().st_size
    with pytest.raises(EngineError, match=f"{VARIANT} has not been brought to a device"):
        model.transcribe(recording("en"), Patience())
    model.bring("cpu")
    before = model.transcribe(recording("en"), Patience())
    model.leave()
    assert model.host_bytes == staged
    with pytest.raises(EngineError, match="has not been brought"):
        model.transcribe(recording("en"), Patience())
    model.bring("cpu")
    assert model.transcribe(recording("en"), Patience()) == before
    model.drop()
    assert model.host_bytes == 0


def test_sixteen_bits_are_kept_and_a_cpu_computes_in_thirty_two(parakeet_folder: Path) -> None:
    plain = opened(parakeet_folder)
    plain.stage()
    folder.described(parakeet_folder, "parakeet", "parakeet-tiny-bf16", languages=["en"])
    model = opened(parakeet_folder)
    model.stage()
    assert model.host_bytes < plain.host_bytes * 0.7
    model.bring("cpu")
    assert model._model.dtype == torch.float32
    heard = model.transcribe(recording("en"), Patience())
    assert heard.segments[0].text == SENTENCES["en"]
    assert heard.language == "en"
    model.leave()
    model.drop()


def test_a_device_that_is_not_there_is_an_error_and_changes_nothing(
    parakeet_made: Path,
) -> None:
    model = opened(parakeet_made)
    with pytest.raises(DeviceError, match="of weights cannot be copied to nowhere"):
        model.bring("nowhere")
    model.bring("cpu")
    assert model.transcribe(recording("en"), Patience()).segments
    model.drop()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_memory_is_back_after_fifty_cycles(parakeet_made: Path) -> None:
    heap.return_large_blocks()  # as the worker does
    model = opened(parakeet_made)
    model.stage()

    def cycle() -> None:
        model.bring("cpu")
        assert model.transcribe(recording("en"), Patience()).segments
        model.leave()

    for _ in range(5):
        cycle()
    gc.collect()
    before = resident_bytes()
    for _ in range(50):
        cycle()
    gc.collect()
    assert resident_bytes() < before * 1.02
    model.drop()


def lacks(made: Path) -> str:
    path = made / "model.safetensors"
    tensors = load_file(path)
    name = next(iter(sorted(tensors)))
    save_file({one: tensor for one, tensor in tensors.items() if one != name}, path)
    return "is of another model: it lacks"


def more(made: Path) -> str:
    path = made / "model.safetensors"
    save_file({**load_file(path), "left.over": torch.zeros(3)}, path)
    return r"it has, and the model has not, left\.over"


def shape(made: Path) -> str:
    path = made / "model.safetensors"
    tensors = load_file(path)
    name = next(one for one, tensor in sorted(tensors.items()) if tensor.ndim == 2)
    save_file({**tensors, name: torch.zeros(3, 5)}, path)
    return "is of another model: it has in another shape"


def cut(made: Path) -> str:
    path = made / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    return r"model\.safetensors cannot be loaded"


def other_kind(made: Path) -> str:
    path = made / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_type": "parakeet_ctc"}))
    return r"config\.json is of a 'parakeet_ctc' model, not 'parakeet_tdt'"


def no_json(made: Path) -> str:
    (made / "config.json").write_text("{")
    return r"config\.json cannot be read"


def other_bands(made: Path) -> str:
    path = made / "processor_config.json"
    path.write_text(path.read_text().replace('"feature_size": 80', '"feature_size": 128'))
    return "the processor makes 128 bands of sound and the model hears 80"


def no_processor(made: Path) -> str:
    (made / "tokenizer.json").write_text("{}")
    return "holds no processor of Parakeet"


@pytest.mark.parametrize(
    "spoil", [lacks, more, shape, cut, other_kind, no_json, other_bands, no_processor]
)
def test_wrong_weights_are_refused_by_name(
    parakeet_folder: Path, spoil: Callable[[Path], str]
) -> None:
    message = spoil(parakeet_folder)
    folder.described(parakeet_folder, "parakeet", VARIANT)
    with pytest.raises(WeightsError, match=message):
        opened(parakeet_folder).stage()


def test_files_have_to_be_named(parakeet_folder: Path) -> None:
    folder.described(parakeet_folder, "parakeet", VARIANT, without=["tokenizer.json"])
    with pytest.raises(WeightsError, match=r"tokenizer\.json lies beside the weights"):
        opened(parakeet_folder).stage()
    (parakeet_folder / "tokenizer.json").unlink()
    with pytest.raises(WeightsError, match=r"holds no tokenizer\.json"):
        opened(parakeet_folder).stage()


def test_a_model_of_other_bands_is_heard_by_its_own_processor(tmp_path: Path) -> None:
    parakeet.make(tmp_path, bands=128, steps=1)
    folder.described(tmp_path, "parakeet", VARIANT)
    model = opened(tmp_path)
    model.bring("cpu")
    assert model.transcribe(recording(1.0), Patience()).segments == ()
    model.transcribe(recording("en"), Patience())
