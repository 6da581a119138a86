"""Weights of hearing, made once for a session."""

import shutil
from pathlib import Path

import pytest

from tools.senses.testing import folder, parakeet, wav2vec2, whisper

WHISPER, PARAKEET = "whisper-tiny-int8", "parakeet-tiny-fp32"


@pytest.fixture(scope="session")
def whisper_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("whisper")
    whisper.make(made)
    wav2vec2.make(made / "align" / "en")
    folder.described(made, "whisperx", WHISPER)
    return made


@pytest.fixture(scope="session")
def parakeet_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("parakeet")
    parakeet.make(made)
    folder.described(made, "parakeet", PARAKEET, languages=["en", "de"])
    return made


@pytest.fixture
def whisper_folder(whisper_made: Path, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(whisper_made, tmp_path / "whisper"))


@pytest.fixture
def parakeet_folder(parakeet_made: Path, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(parakeet_made, tmp_path / "parakeet"))
