"""Which models of word times a Whisper finds."""

from pathlib import Path

import pytest

from tools.senses.errors import WeightsError
from tools.senses.models.alignment import Alignment
from tools.senses.testing import folder


def test_there_is_none_for_a_language_without_a_folder_of_weights(tmp_path: Path) -> None:
    (tmp_path / "wav2vec2-fr").mkdir()
    alignment = Alignment(tmp_path, lock=False)
    assert not alignment.stage("en")
    assert not alignment.stage("fr")
    assert alignment.host_bytes == 0


def test_one_that_is_not_whole_is_an_error(tmp_path: Path) -> None:
    made = tmp_path / "wav2vec2-en"
    made.mkdir()
    (made / "config.json").write_text("{}")
    folder.described(made, "wav2vec2", made.name)
    (made / "config.json").unlink()
    with pytest.raises(WeightsError, match="wav2vec2-en"):
        Alignment(tmp_path, lock=False).stage("en")
