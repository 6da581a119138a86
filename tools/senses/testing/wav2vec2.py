"""A wav2vec2 that tells letters at random, as transformers saves it: words get times even so."""

import json
from pathlib import Path

_LETTERS = "abcdefghijklmnopqrstuvwxyz'äöüß"


def make(folder: Path, *, seed: int = 0, width: int = 32) -> None:
    """Write the files of a model that aligns."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    folder.mkdir(parents=True)
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *_LETTERS.upper()]
    torch.manual_seed(seed)
    config = Wav2Vec2Config(
        vocab_size=len(letters),
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=2 * width,
        conv_dim=[width] * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    (folder / "vocab.json").write_text(
        json.dumps({letter: number for number, letter in enumerate(letters)})
    )
