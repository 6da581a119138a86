"""WhisperX by its real libraries, on speech of eSpeak and weights that know two sentences."""

import pickle
from collections.abc import Callable, Iterator
from functools import partial
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
from tools.senses.models import listening, weights
from tools.senses.models.whisper import WhisperX
from tools.senses.testing import folder, pyannote, whisper
from tools.senses.testing.patience import ShortPatience
from tools.senses.testing.spoken import SENTENCES, recording

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own

VARIANT = "whisper-tiny-int8"


def opened(made: Path, **options: Any) -> WhisperX:
    return WhisperX(made, weights.read(made), **options)


@pytest.fixture(scope="module")
def hearing(whisper_made: Path) -> Iterator[WhisperX]:
    model = opened(whisper_made)
    model.bring("cpu")
    yield model
    model.drop()


@pytest.mark.parametrize("language", SENTENCES)
def test_speech_is_written_down_in_the_language_that_is_heard(
    hearing: WhisperX, language: str
) -> None:
    heard = hearing.transcribe(recording(1.0, language, 1.0), Patience())
    assert [one.text for one in heard.segments] == [SENTENCES[language]]
    assert heard.language == language


def test_words_have_their_times_where_there_are_weights_to_align_them(hearing: WhisperX) -> None:
    heard = hearing.transcribe(recording(1.0, "en", 1.0), Patience())
    [segment] = heard.segments
    assert heard.flaws == ()
    assert [word.text for word in segment.words] == SENTENCES["en"].split()
    for before, after in pairwise(segment.words):
        assert before.start_s < before.end_s <= after.start_s
    assert segment.start_s == segment.words[0].start_s == pytest.approx(1.0, abs=0.3)
    assert segment.end_s == segment.words[-1].end_s == pytest.approx(3.7, abs=0.3)


def test_without_such_weights_words_are_timed_roughly_and_it_is_said(hearing: WhisperX) -> None:
    heard = hearing.transcribe(recording("de"), Patience())
    [segment] = heard.segments
    assert [word.text for word in segment.words] == SENTENCES["de"].split()
    assert all(0 <= word.start_s <= word.end_s <= 2.3 for word in segment.words)
    assert heard.flaws == ("word times are rough: no weights to align 'de' are there",)


def test_a_language_that_is_given_is_not_guessed(hearing: WhisperX) -> None:
    assert hearing.transcribe(recording("en"), Patience(), language="de").language == "de"


def test_a_language_that_the_model_does_not_know_is_detected_and_it_is_said(
    hearing: WhisperX,
) -> None:
    heard = hearing.transcribe(recording("en"), Patience(), language="tlh")
    assert heard.language == "en"
    assert heard.flaws == (f"{VARIANT} does not know 'tlh': heard as 'en'",)


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.02])
def test_silence_and_noise_have_no_segments(hearing: WhisperX, level: float) -> None:
    noise = np.random.default_rng(0).normal(0, level, 40 * SAMPLE_RATE_HZ).astype(np.float32)
    heard = hearing.transcribe(noise, Patience())
    assert heard.segments == ()
    assert heard.language == UNKNOWN


def test_no_sound_at_all_has_no_segments(hearing: WhisperX) -> None:
    assert hearing.transcribe(np.zeros(0, np.float32), Patience()).segments == ()


def test_no_more_windows_than_a_batch_are_on_the_device_at_once(
    whisper_made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = recording("en", 30.0, "en", 30.0, "en", 30.0, "en", 30.0, "en")
    told = {}
    for batch in (1, 2, 8):
        model = opened(whisper_made, batch=batch)
        model.bring("cpu")
        seen: list[int] = []
        encode = model._replica.model.encode
        monkeypatch.setattr(
            model._replica.model,
            "encode",
            partial(counted, encode, seen),
        )
        told[batch] = model.transcribe(sound, Patience(), language="en").segments
        assert sum(seen) == 5
        assert max(seen) == min(batch, 5)
        model.drop()
    assert [one.text for one in told[1]] == [SENTENCES["en"]] * 5
    assert told[1] == told[2] == told[8]


def counted(encode: Callable[[Any], Any], seen: list[int], features: Any) -> Any:
    seen.append(len(features))
    return encode(features)


def test_a_model_of_english_only_hears_english(tmp_path: Path) -> None:
    whisper.make(tmp_path, texts={"en": SENTENCES["en"]})
    folder.described(tmp_path, "whisperx", VARIANT)
    model = opened(tmp_path)
    model.bring("cpu")
    heard = model.transcribe(recording("en"), Patience())
    assert (heard.segments[0].text, heard.language) == (SENTENCES["en"], "en")
    assert model.transcribe(recording(3.0), Patience()).language == "en"
    other = model.transcribe(recording("en"), Patience(), language="de")
    assert other.language == "en"
    assert f"{VARIANT} does not know 'de': heard as 'en'" in other.flaws


def test_what_only_repeats_itself_is_heard_again_without_repeats(tmp_path: Path) -> None:
    whisper.make(tmp_path, texts={"en": " ".join(["the water filter"] * 16)})
    folder.described(tmp_path, "whisperx", VARIANT)
    model = opened(tmp_path)
    model.bring("cpu")
    heard = model.transcribe(recording("en"), Patience())
    text = " ".join(one.text for one in heard.segments)
    assert text.count("the water filter") == 1


@pytest.mark.parametrize(
    ("no_speech", "mean_log_probability", "silent"),
    [(0.7, -1.2, True), (0.7, -0.8, False), (0.5, -1.2, False)],
)
def test_a_window_is_silent_only_where_whisper_says_so_and_doubts_its_text(
    no_speech: float, mean_log_probability: float, silent: bool
) -> None:
    attempt = listening.Attempt(
        text="Thank you.",
        tokens=(1, 2),
        mean_log_probability=mean_log_probability,
        no_speech_probability=no_speech,
        compression=0.8,
    )
    assert attempt.silent is silent
    assert not attempt.repeats


@pytest.mark.parametrize("checks", [1, 2, 3, 4])
def test_an_operation_that_nobody_waits_for_ends_and_the_model_goes_on(
    hearing: WhisperX, checks: int
) -> None:
    sound = recording("en", 35.0, "en")
    with pytest.raises(GivenUpError):
        hearing.transcribe(sound, ShortPatience(checks))
    assert len(hearing.transcribe(sound, Patience()).segments) == 2


def test_nothing_is_heard_before_it_is_brought_nor_after_it_left(whisper_made: Path) -> None:
    model = opened(whisper_made)
    assert model.host_bytes == 0
    model.stage()
    staged = model.host_bytes
    assert staged > (whisper_made / "model.bin").stat().st_size
    with pytest.raises(EngineError, match=f"{VARIANT} has not been brought to a device"):
        model.transcribe(recording("en"), Patience())
    model.bring("cpu")
    before = model.transcribe(recording("en"), Patience())
    model.leave()
    assert model.host_bytes > staged  # with what aligned the words
    with pytest.raises(EngineError, match="has not been brought"):
        model.transcribe(recording("en"), Patience())
    model.bring("cpu")
    assert model.transcribe(recording("en"), Patience()) == before
    model.drop()
    assert model.host_bytes == 0


def test_a_card_that_is_not_there_is_an_error_and_changes_nothing(hearing: WhisperX) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a card")
    other = opened(hearing._folder)
    with pytest.raises(DeviceError, match="CTranslate2 sees no card cuda:0"):
        other.bring("cuda:0")
    other.bring("cpu")
    assert other.transcribe(recording("en"), Patience()).segments
    other.drop()


def test_memory_is_back_after_fifty_cycles(
    whisper_made: Path, resident_bytes: Callable[[], int]
) -> None:
    heap.return_large_blocks()  # as the worker does
    model = opened(whisper_made)
    model.stage()

    def cycle() -> None:
        model.bring("cpu")
        assert model.transcribe(recording("en"), Patience()).segments
        model.leave()

    for _ in range(5):
        cycle()
    before = resident_bytes()
    for _ in range(50):
        cycle()
    assert resident_bytes() < before * 1.02
    model.drop()


def test_missing_files_are_named(whisper_folder: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json"):
        folder.described(whisper_folder, "whisperx", VARIANT, without=[name])
        (whisper_folder / name).rename(whisper_folder / f".{name}")
        with pytest.raises(WeightsError, match=f"holds no {name}"):
            opened(whisper_folder).stage()
        (whisper_folder / f".{name}").rename(whisper_folder / name)


def test_a_file_that_the_manifest_does_not_name_is_not_loaded(whisper_folder: Path) -> None:
    folder.described(whisper_folder, "whisperx", VARIANT, without=["preprocessor_config.json"])
    with pytest.raises(WeightsError, match=r"preprocessor_config\.json is no file of"):
        opened(whisper_folder).stage()


def test_a_changed_byte_is_seen(whisper_folder: Path) -> None:
    path = whisper_folder / "model.bin"
    told = bytearray(path.read_bytes())
    told[len(told) // 2] ^= 1
    path.write_bytes(told)
    with pytest.raises(WeightsError, match=r"model\.bin is not what was brought"):
        opened(whisper_folder).stage()


def spoilt_cut(made: Path) -> str:
    path = made / "model.bin"
    path.write_bytes(path.read_bytes()[:-1000])
    return r"model\.bin cannot be loaded"


def spoilt_other(made: Path) -> str:
    (made / "model.bin").write_bytes(b"\x06\x00\x00\x00\x0f\x00TransformerSpec" + bytes(200))
    return r"model\.bin is no Whisper of CTranslate2"


def spoilt_tokenizer(made: Path) -> str:
    path = made / "tokenizer.json"
    path.write_text(path.read_text().replace("<|notimestamps|>", "<|other|>"))
    return "belong to different models"


def spoilt_bands(made: Path) -> str:
    path = made / "preprocessor_config.json"
    path.write_text(path.read_text().replace('"feature_size": 80', '"feature_size": 128'))
    return "hears 80 bands of sound and preprocessor_config.json makes 128"


@pytest.mark.parametrize(
    "spoil",
    [
        spoilt_cut,
        spoilt_other,
        spoilt_tokenizer,
        spoilt_bands,
    ],
)
def test_wrong_weights_are_refused_by_name(whisper_folder: Path, spoil: Any) -> None:
    message = spoil(whisper_folder)
    folder.described(whisper_folder, "whisperx", VARIANT)
    with pytest.raises(WeightsError, match=message):
        opened(whisper_folder).bring("cpu")


def lacks(aligner: Path) -> str:
    path = aligner / "model.safetensors"
    tensors = load_file(path)
    save_file({name: one for name, one in tensors.items() if name != "lm_head.bias"}, path)
    return "is of another model: it lacks lm_head.bias"


def has_more(aligner: Path) -> str:
    path = aligner / "model.safetensors"
    save_file({**load_file(path), "left.over": torch.zeros(3)}, path)
    return "it has, and the model has not, left.over"


def has_other_shape(aligner: Path) -> str:
    path = aligner / "model.safetensors"
    save_file({**load_file(path), "lm_head.bias": torch.zeros(7)}, path)
    return "is of another model: it has in another shape lm_head.bias"


def is_cut(aligner: Path) -> str:
    path = aligner / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    return "model.safetensors cannot be loaded"


def has_other_letters(aligner: Path) -> str:
    (aligner / "vocab.json").write_text('{"<pad>": 0, "A": 700}')
    return "gives 'A' the number 700"


def has_no_letters(aligner: Path) -> str:
    (aligner / "vocab.json").unlink()
    return "holds no vocab.json"


@pytest.mark.parametrize(
    "spoil", [lacks, has_more, has_other_shape, is_cut, has_other_letters, has_no_letters]
)
def test_wrong_weights_of_alignment_cost_the_times_and_not_the_words(
    whisper_folder: Path, spoil: Callable[[Path], str]
) -> None:
    aligner = whisper_folder.with_name("wav2vec2-en")
    message = spoil(aligner)
    folder.described(aligner, "wav2vec2", "wav2vec2-en")
    model = opened(whisper_folder)
    model.bring("cpu")
    heard = model.transcribe(recording("en"), Patience())
    model.drop()
    assert heard.segments[0].text == SENTENCES["en"]
    [flaw] = heard.flaws
    assert flaw.startswith("word times are rough: ")
    assert message in flaw


def test_a_variant_without_a_precision_is_refused(whisper_folder: Path) -> None:
    folder.described(whisper_folder, "whisperx", "whisper-tiny")
    with pytest.raises(WeightsError, match="'whisper-tiny' says no precision"):
        opened(whisper_folder).stage()


def test_speakers_are_told_apart_where_they_are_wanted(whisper_folder: Path) -> None:
    pyannote.make(whisper_folder)
    folder.described(whisper_folder, "whisperx", VARIANT)
    plain = opened(whisper_folder)
    plain.stage()
    model = opened(whisper_folder, who=True)
    model.bring("cpu")
    assert model.host_bytes > plain.host_bytes + 20_000_000  # of the embedding
    heard = model.transcribe(recording("en"), Patience())
    model.leave()
    [segment] = heard.segments
    assert segment.text == SENTENCES["en"]
    assert segment.speaker in {voice.speaker for voice in heard.voices}
    assert {word.speaker for word in segment.words} <= {one.speaker for one in heard.voices}
    assert all(len(voice.features) == 256 for voice in heard.voices)
    model.bring("cpu")
    with pytest.raises(GivenUpError):
        model.transcribe(recording("en"), ShortPatience(6))
    model.drop()
    assert model.host_bytes == 0


def test_speakers_without_their_weights_are_an_error(whisper_made: Path) -> None:
    with pytest.raises(WeightsError, match="speakers cannot be told apart"):
        opened(whisper_made, who=True).stage()


class Opens:
    """Runs when it is unpickled freely."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled_that_could_run(whisper_folder: Path, tmp_path: Path) -> None:
    pyannote.make(whisper_folder)
    mark = tmp_path / "ran"
    with (whisper_folder / "speakers" / "segmentation.bin").open("wb") as file:
        torch.save({"state_dict": Opens(mark)}, file, pickle_module=pickle)
    folder.described(whisper_folder, "whisperx", VARIANT)
    with pytest.raises(WeightsError, match=r"segmentation\.bin is no file of weights that may"):
        opened(whisper_folder, who=True).stage()
    assert not mark.exists()
