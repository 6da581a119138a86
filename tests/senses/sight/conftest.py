"""Weights of sight, made once for a session, and a picture for them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.senses.testing import folder
from tools.senses.testing import sam2 as maker
from tools.senses.testing.folder import Weights


@pytest.fixture(scope="session")
def sam2(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    made = tmp_path_factory.mktemp("sight") / "sam2"
    maker.make(made)
    return Weights(made, folder.described(made, "sam2", "small-sam2"))


@pytest.fixture
def sam2_folder(sam2: Weights, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(sam2.folder, tmp_path / "sam2"))


@pytest.fixture(scope="session")
def picture() -> Callable[[int, int], NDArray[np.uint8]]:
    """Return what draws a bright box on dark ground."""

    def drawn(width: int, height: int) -> NDArray[np.uint8]:
        image = np.full((height, width, 3), 40, np.uint8)
        image[height // 4 : height // 2, width // 4 : width // 2] = (230, 200, 20)
        return image

    return drawn
