"""Weights of speech, made once for a session."""

import shutil
from pathlib import Path

import pytest

from tools.senses.testing import folder
from tools.senses.testing import kokoro as maker
from tools.senses.testing.folder import Weights


@pytest.fixture(scope="session")
def kokoro(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    made = tmp_path_factory.mktemp("speech") / "kokoro"
    maker.make(made)
    return Weights(made, folder.described(made, "kokoro", "small-kokoro"))


@pytest.fixture
def kokoro_folder(kokoro: Weights, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(kokoro.folder, tmp_path / "kokoro"))
