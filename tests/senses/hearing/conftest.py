"""Weights of hearing, made once for a session."""

import shutil
from pathlib import Path

import pytest

from tools.senses.testing import folder, parakeet, wav2vec2, whisper

WHISPER, ALIGNER, PARAKEET = "whisper-tiny-int8", "wav2vec2-en", "parakeet-tiny-fp32"


@pytest.fixture(scope="session")
def whisper_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of hearing, and one for the times of English words beside it."""
    made = tmp_path_factory.mktemp("weights") / WHISPER
    whisper.make(made)
    folder.described(made, "whisperx", WHISPER)
    aligner = made.with_name(ALIGNER)
    wav2vec2.make(aligner)
    folder.described(aligner, "wav2vec2", ALIGNER)
    return made


@pytest.fixture(scope="session")
def parakeet_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("parakeet")
    parakeet.make(made)
    folder.described(made, "parakeet", PARAKEET, languages=["en", "de"])
    return made


@pytest.fixture
def whisper_folder(whisper_made: Path, tmp_path: Path) -> Path:
    """A copy of both, to be spoilt."""
    shutil.copytree(whisper_made.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / WHISPER


@pytest.fixture
def parakeet_folder(parakeet_made: Path, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(parakeet_made, tmp_path / "parakeet"))
