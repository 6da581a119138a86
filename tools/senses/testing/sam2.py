"""A SAM2 of some two million random weights, as the library saves them."""

import json
from pathlib import Path

from tools.senses.models.sam2 import CONFIG

OVERRIDES = {
    "image_encoder.trunk.embed_dim": 16,
    "image_encoder.trunk.stages": [1, 1, 2, 1],
    "image_encoder.trunk.global_att_blocks": [3],
    "image_encoder.neck.backbone_channel_list": [128, 64, 32, 16],
    "image_encoder.neck.d_model": 64,
    "image_encoder.neck.position_encoding.num_pos_feats": 64,
    "memory_attention.num_layers": 1,
    "memory_attention.layer.dim_feedforward": 64,
    "memory_encoder.fuser.num_layers": 1,
}


def make(folder: Path) -> None:
    """Write the files."""
    import torch
    from sam2.build_sam import build_sam2

    folder.mkdir(parents=True)
    torch.manual_seed(7)
    model = build_sam2(
        "configs/sam2.1/sam2.1_hiera_t.yaml",
        None,
        device="cpu",
        hydra_overrides_extra=[f"++model.{name}={value}" for name, value in OVERRIDES.items()],
    )
    torch.save({"model": model.state_dict()}, folder / "small.pt")
    (folder / CONFIG).write_text(json.dumps({"config": "sam2.1_hiera_t", "overrides": OVERRIDES}))
