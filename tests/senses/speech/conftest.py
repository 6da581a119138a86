"""Weights of speech, made once for a session."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.senses.models.weights import Manifest
from tools.senses.testing import folder
from tools.senses.testing import kokoro as maker


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder of weights and what it holds."""

    folder: Path
    manifest: Manifest


class Spoilt:
    """The same in a folder that a test may spoil; the manifest is of what is there when asked."""

    def __init__(self, copy: Path) -> None:
        self.folder = copy

    @property
    def manifest(self) -> Manifest:
        return folder.described(self.folder, "kokoro", "small-kokoro")


@pytest.fixture(scope="session")
def kokoro(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    made = tmp_path_factory.mktemp("speech") / "kokoro"
    maker.make(made)
    return Weights(made, folder.described(made, "kokoro", "small-kokoro"))


@pytest.fixture
def kokoro_copy(kokoro: Weights, tmp_path: Path) -> Spoilt:
    copy = tmp_path / "kokoro"
    shutil.copytree(kokoro.folder, copy)
    return Spoilt(copy)
