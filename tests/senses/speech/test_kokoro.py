"""Kokoro by its real library, small and random: it makes noise, all else is real."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tools.senses import heap
from tools.senses.background import GivenUpError, Patience
from tools.senses.errors import DeviceError, EngineError, NothingToSayError, WeightsError
from tools.senses.models.kokoro import CONFIG, PAUSE_S, SAMPLE_RATE_HZ, VOICES, KokoroModel

# Of torch and transformers, at what the library asks of them.
pytestmark = pytest.mark.filterwarnings("ignore")

FRAME = 600
"""Samples that a phoneme lasts with these weights; one more frame stands at either end."""


@pytest.fixture(scope="module")
def model(kokoro: Any) -> KokoroModel:
    model = KokoroModel(kokoro.folder, kokoro.manifest)
    model.bring("cpu")
    return model


def test_a_word_becomes_sound(model: KokoroModel) -> None:
    speech = model.say("Si.", Patience(), language="es")
    assert speech.sample_rate_hz == SAMPLE_RATE_HZ
    assert speech.samples.dtype == np.int16
    assert speech.samples.ndim == 1
    assert speech.samples.any()
    assert len(speech.samples) == (len("sˈi.") + 2) * FRAME


def test_it_speaks_the_languages_that_it_has_voices_for(model: KokoroModel, kokoro: Any) -> None:
    assert model.languages() == {"en", "es"}
    files = {name: facts for name, facts in kokoro.manifest.files.items() if "bf_emma" in name}
    british = KokoroModel(kokoro.folder, replace(kokoro.manifest, files=files))
    assert british.languages() == {"en"}


@pytest.mark.parametrize(
    ("language", "voice", "chosen"),
    [
        ("en", None, ("a", "af_heart")),
        ("en-GB", None, ("b", "bf_emma")),
        ("en_US", None, ("a", "af_heart")),
        ("en-AU", None, ("a", "af_heart")),
        ("es-MX", None, ("e", "ef_dora")),
        ("en", "bf_emma", ("b", "bf_emma")),
        ("en", "af_aoede", ("a", "af_aoede")),
        ("es", "af_aoede", ("e", "af_aoede")),
    ],
)
def test_a_language_has_a_voice_of_its_own(
    model: KokoroModel, language: str, voice: str | None, chosen: tuple[str, str]
) -> None:
    assert model._chosen(language, voice) == chosen


@pytest.mark.parametrize("language", ["fr", "ja", "zh", "xx", ""])
def test_a_language_without_a_voice_is_refused(model: KokoroModel, language: str) -> None:
    with pytest.raises(EngineError, match=f"does not speak '{language}' here, but en, es"):
        model.say("Hm.", Patience(), language=language)


@pytest.mark.parametrize("voice", ["af_nobody", "../kokoro", "af_heart.pt"])
def test_a_voice_that_is_not_there_is_refused(model: KokoroModel, voice: str) -> None:
    with pytest.raises(EngineError, match="It has af_aoede, af_heart, bf_emma, ef_dora"):
        model.say("Hm.", Patience(), language="en", voice=voice)


@pytest.mark.parametrize("text", ["", "  \n", "...", "?!", "—"])
def test_a_text_without_a_word_is_nothing_to_say(model: KokoroModel, text: str) -> None:
    with pytest.raises(NothingToSayError, match="no word that could be spoken"):
        model.say(text, Patience(), language="en")


def test_between_two_pieces_there_is_silence(
    model: KokoroModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.senses.models.phonemes.COMFORTABLE", 5)
    speech = model.say("Si. No.", Patience(), language="es")
    first, pause = (len("sˈi.") + 2) * FRAME, round(PAUSE_S * SAMPLE_RATE_HZ)
    assert not speech.samples[first : first + pause].any()
    assert len(speech.samples) == first + pause + (len("nˈo.") + 2) * FRAME


class OfTwoPieces(Patience):
    """Runs out when it is asked for the fifth time: twice for phonemes, twice for sound."""

    asked = 0

    def check(self) -> None:
        self.asked += 1
        if self.asked == 5:
            self.end()
        super().check()


def test_speech_that_nobody_waits_for_ends_between_two_pieces(
    model: KokoroModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.senses.models.phonemes.COMFORTABLE", 5)
    patience = OfTwoPieces()
    with pytest.raises(GivenUpError):
        model.say("Si. No. Si. No. Si. No.", patience, language="es")
    assert patience.asked == 5


def test_as_many_voices_are_kept_as_are_bounded(
    kokoro: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.senses.models.kokoro._KEPT_VOICES", 2)
    model = KokoroModel(kokoro.folder, kokoro.manifest)
    for name in ("af_heart", "bf_emma", "af_heart", "ef_dora"):
        model._voice(name)
    assert list(model._voices) == ["af_heart", "ef_dora"]


def test_weights_are_read_as_they_were_saved(kokoro: Any) -> None:
    model = KokoroModel(kokoro.folder, kokoro.manifest)
    assert model.host_bytes == 0
    model.stage()
    saved = torch.load(kokoro.folder / "kokoro.pth", weights_only=True)
    for part, weights in saved.items():
        loaded = getattr(model._model, part).state_dict()
        for name, tensor in weights.items():
            plain = name.removeprefix("module.")
            if plain.endswith("_g"):
                continue
            if plain.endswith("_v"):
                scale = weights[f"{name.removesuffix('_v')}_g"]
                normed = tensor * scale / tensor.flatten(1).norm(dim=1).view(scale.shape)
                assert torch.allclose(loaded[plain.removesuffix("_v")], normed, atol=1e-5)
            else:
                assert torch.equal(loaded[plain], tensor)
    model.drop()
    assert model.host_bytes == 0


def test_a_use_leaves_no_tensor_beside_the_weights(kokoro: Any) -> None:
    model = KokoroModel(kokoro.folder, kokoro.manifest)
    model.bring("cpu")
    model.say("Si.", Patience(), language="es")
    stray = {
        f"{name}.{key}"
        for name, part in model._model.named_modules()
        for key, value in vars(part).items()
        if isinstance(value, torch.Tensor)
    }
    assert stray == {"decoder.generator.stft.window"}  # a table of 20 numbers


PART, NAME = "bert_encoder", "module.bias"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({NAME: None}, "no bias"),
        ({"module.surplus": torch.zeros(1)}, "surplus, which it has not"),
        ({NAME: torch.zeros(3)}, r"bias of shape \(3,\), not \(512,\)"),
        ({NAME: "x"}, "holds 'module.bias', which is no weight"),
        # What the library itself would pass over, all of it.
        ({NAME: None, "decoder.bias": torch.zeros(512)}, "no bias"),
    ],
)
def test_weights_of_another_model_are_refused(
    kokoro_copy: Any, changes: dict[str, Any], words: str
) -> None:
    path = kokoro_copy.folder / "kokoro.pth"
    told = torch.load(path, weights_only=True)
    for name, value in changes.items():
        if value is None:
            del told[PART][name]
        else:
            told[PART][name] = value
    torch.save(told, path)
    model = KokoroModel(kokoro_copy.folder, kokoro_copy.manifest)
    with pytest.raises(WeightsError, match=words) as refused:
        model.stage()
    assert "kokoro.pth" in str(refused.value)
    assert model.host_bytes == 0
    assert model._model is None


@pytest.mark.parametrize("told", [{}, {"bert": {}}, [1]])
def test_a_file_without_its_parts_is_refused(kokoro_copy: Any, told: Any) -> None:
    torch.save(told, kokoro_copy.folder / "kokoro.pth")
    with pytest.raises(WeightsError, match=r"kokoro\.pth does not hold the parts bert, "):
        KokoroModel(kokoro_copy.folder, kokoro_copy.manifest).stage()


def test_a_file_that_is_cut_off_is_refused(kokoro_copy: Any) -> None:
    path = kokoro_copy.folder / "kokoro.pth"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match=r"kokoro\.pth is no file of weights"):
        KokoroModel(kokoro_copy.folder, kokoro_copy.manifest).stage()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("{", "is no config of Kokoro"),
        ("{}", "it has no vocabulary"),
        ('{"vocab": {}}', "describes no model that can be built: KeyError"),
    ],
)
def test_a_config_that_is_no_config_is_refused(kokoro_copy: Any, told: str, words: str) -> None:
    (kokoro_copy.folder / CONFIG).write_text(told)
    with pytest.raises(WeightsError, match=words):
        KokoroModel(kokoro_copy.folder, kokoro_copy.manifest).stage()


def test_weights_of_another_size_are_refused(kokoro_copy: Any) -> None:
    path = kokoro_copy.folder / CONFIG
    sizes = json.loads(path.read_bytes())
    path.write_text(json.dumps({**sizes, "n_token": sizes["n_token"] + 1}))
    with pytest.raises(WeightsError, match=r"kokoro\.pth is not of the model .* of shape"):
        KokoroModel(kokoro_copy.folder, kokoro_copy.manifest).stage()


@pytest.mark.parametrize("voice", [torch.zeros(510, 256), {"a": 1}, torch.zeros(5, 1, 256).long()])
def test_a_file_that_is_no_voice_is_refused(kokoro_copy: Any, voice: Any) -> None:
    torch.save(voice, kokoro_copy.folder / VOICES / "ef_dora.pt")
    model = KokoroModel(kokoro_copy.folder, kokoro_copy.manifest)
    with pytest.raises(WeightsError, match=r"ef_dora\.pt is no voice of Kokoro"):
        model._voice("ef_dora")


def test_a_short_voice_bounds_the_pieces(kokoro_copy: Any) -> None:
    torch.save(torch.zeros(6, 1, 256), kokoro_copy.folder / VOICES / "ef_dora.pt")
    model = KokoroModel(kokoro_copy.folder, kokoro_copy.manifest)
    model.bring("cpu")
    speech = model.say("Si. No.", Patience(), language="es")
    assert len(speech.samples) == 12 * FRAME + round(PAUSE_S * SAMPLE_RATE_HZ)


def test_weights_that_make_no_sound_are_an_error(kokoro_copy: Any) -> None:
    style = torch.zeros(510, 1, 256)
    style[:, :, :128] = torch.nan  # of the sound; the other half is of how long it takes
    torch.save(style, kokoro_copy.folder / VOICES / "ef_dora.pt")
    model = KokoroModel(kokoro_copy.folder, kokoro_copy.manifest)
    model.bring("cpu")
    with pytest.raises(EngineError, match="make no sound"):
        model.say("Si.", Patience(), language="es")


def test_a_model_that_was_not_brought_does_nothing(kokoro: Any) -> None:
    with pytest.raises(EngineError, match="has not been brought"):
        KokoroModel(kokoro.folder, kokoro.manifest).say("Si.", Patience(), language="es")


def test_a_device_that_is_not_there_leaves_the_model_staged(kokoro: Any) -> None:
    model = KokoroModel(kokoro.folder, kokoro.manifest)
    with pytest.raises(DeviceError, match="to nowhere"):
        model.bring("nowhere")
    assert model.host_bytes > 0


def test_memory_is_back_after_fifty_cycles(kokoro: Any, resident_bytes: Callable[[], int]) -> None:
    heap.return_large_blocks()  # as the worker does
    model = KokoroModel(kokoro.folder, kokoro.manifest)

    def cycle() -> None:
        model.bring("cpu")
        model.say("Si", Patience(), language="es")
        model.leave()

    for _ in range(5):
        cycle()
    home = resident_bytes()
    for _ in range(50):
        cycle()
    assert resident_bytes() < home * 1.02
    staged = model.host_bytes
    model.drop()
    assert resident_bytes() < home - staged * 0.9


def test_what_is_not_what_was_brought_is_refused(kokoro_copy: Any) -> None:
    manifest = kokoro_copy.manifest
    name = max(manifest.files, key=lambda one: manifest.files[one].bytes)
    with (kokoro_copy.folder / name).open("r+b") as file:
        file.seek(-1_000, 2)
        file.write(b"other")
    with pytest.raises(WeightsError, match="is not what was brought"):
        KokoroModel(kokoro_copy.folder, manifest).stage()
