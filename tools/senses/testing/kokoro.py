"""A Kokoro of random weights with voices for English, British English and Spanish."""

import io
import json
from pathlib import Path
from typing import Any

from tools.senses.models.kokoro import CONFIG, VOICES

LETTERS = ';:,.!?—…"() “”abdefhijklmnopqrstuvwxzæçðŋɐɑɒɔəɛɜɡɣɪɲɹɾʁʃʊʌʎʒʔʤʧˈˌːβθᵊAIOQTWYᵻɚ'  # noqa: RUF001 - phonemes

SIZES: dict[str, Any] = {
    "vocab": {letter: number + 1 for number, letter in enumerate(LETTERS)},
    "n_token": len(LETTERS) + 1,
    "hidden_dim": 512,  # the decoder is written for it
    "style_dim": 128,
    "n_layer": 1,
    "max_dur": 1,  # one frame for each phoneme: little sound, soon made
    "dropout": 0.0,
    "text_encoder_kernel_size": 5,
    "n_mels": 80,
    "plbert": {
        "hidden_size": 32,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "embedding_size": 16,
        "max_position_embeddings": 512,
        "num_hidden_layers": 1,
        "dropout": 0.0,
    },
    "istftnet": {
        "upsample_kernel_sizes": [20, 12],
        "upsample_rates": [10, 6],
        "gen_istft_hop_size": 5,
        "gen_istft_n_fft": 20,
        "resblock_dilation_sizes": [[1, 3, 5]],
        "resblock_kernel_sizes": [3],
        "upsample_initial_channel": 512,
    },
}


def make(folder: Path) -> None:
    """Write the files as they are published: with a prefix, and without the weights of norms.

    The weights share a few numbers, so that the file stays small.
    """
    import torch
    from kokoro.model import KModel

    folder.mkdir(parents=True)
    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    model = KModel(repo_id="hexgrad/Kokoro-82M", config=SIZES, model=empty)
    pool = torch.randn(4_000_000, generator=torch.Generator().manual_seed(3)) * 0.02

    def shared(tensor: Any) -> Any:
        fits = tensor.is_floating_point() and tensor.numel() <= len(pool)
        return pool[: tensor.numel()].view(tensor.shape) if fits else tensor

    def published(part: Any) -> dict[str, Any]:
        norms = {
            f"{name}.{which}"
            for name, module in part.named_modules()
            if isinstance(module, torch.nn.InstanceNorm1d)
            for which in ("weight", "bias")
        }
        return {
            f"module.{name}": shared(tensor)
            for name, tensor in part.state_dict().items()
            if name not in norms
        }

    torch.save(
        {name: published(part) for name, part in model.named_children()}, folder / "kokoro.pth"
    )
    (folder / CONFIG).write_text(json.dumps(SIZES))
    (folder / VOICES).mkdir()
    for number, name in enumerate(("af_aoede", "af_heart", "bf_emma", "ef_dora")):
        made = torch.Generator().manual_seed(number)
        torch.save(torch.randn(510, 1, 256, generator=made) * 0.1, folder / VOICES / f"{name}.pt")
