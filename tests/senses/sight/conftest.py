"""A small SAM2 of random weights, and a picture for it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.senses.models.sam2 import CONFIG
from tools.senses.models.weights import Manifest

OVERRIDES = {
    "image_encoder.trunk.embed_dim": 16,
    "image_encoder.trunk.stages": [1, 1, 2, 1],
    "image_encoder.trunk.global_att_blocks": [3],
    "image_encoder.neck.backbone_channel_list": [128, 64, 32, 16],
    "memory_attention.num_layers": 1,
    "memory_attention.layer.dim_feedforward": 64,
    "memory_encoder.fuser.num_layers": 1,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder of weights and what it holds."""

    folder: Path
    manifest: Manifest


@pytest.fixture(scope="session")
def sam2(tmp_path_factory: pytest.TempPathFactory, described: Callable[..., Manifest]) -> Weights:
    """Six million weights (24 MB) as the library saves them."""
    import torch
    from sam2.build_sam import build_sam2

    folder = tmp_path_factory.mktemp("sam2")
    torch.manual_seed(7)
    model = build_sam2(
        "configs/sam2.1/sam2.1_hiera_t.yaml",
        None,
        device="cpu",
        hydra_overrides_extra=[f"++model.{name}={value}" for name, value in OVERRIDES.items()],
    )
    torch.save({"model": model.state_dict()}, folder / "small.pt")
    (folder / CONFIG).write_text(json.dumps({"config": "sam2.1_hiera_t", "overrides": OVERRIDES}))
    return Weights(folder, described(folder, "sam2"))


@pytest.fixture
def sam2_copy(sam2: Weights, tmp_path: Path) -> Weights:
    """The same in a folder that a test may spoil."""
    folder = tmp_path / "sam2"
    shutil.copytree(sam2.folder, folder)
    return Weights(folder, sam2.manifest)


@pytest.fixture(scope="session")
def picture() -> Callable[[int, int], NDArray[np.uint8]]:
    """Return what draws a bright box on dark ground."""

    def drawn(width: int, height: int) -> NDArray[np.uint8]:
        image = np.full((height, width, 3), 40, np.uint8)
        image[height // 4 : height // 2, width // 4 : width // 2] = (230, 200, 20)
        return image

    return drawn
