"""A Parakeet that has learned two sentences by heart, as transformers saves it."""

from pathlib import Path
from typing import Any

from tools.senses.base import SAMPLE_RATE_HZ
from tools.senses.testing.spoken import SENTENCES, recording

_BANDS = 80
_STEPS = 400
_LEARNED = 0.01
_RATE = 1e-2


def make(folder: Path, *, seed: int = 0, bands: int = _BANDS, steps: int = _STEPS) -> None:
    """Write the files of a transducer that hears the sentences, if it is taught enough."""
    import torch
    from transformers import ParakeetFeatureExtractor, ParakeetProcessor

    tokenizer = _tokenizer()
    processor = ParakeetProcessor(
        ParakeetFeatureExtractor(feature_size=bands), tokenizer, decoder_type="tdt"
    )
    torch.manual_seed(seed)
    model = _model(len(tokenizer), bands)
    _teach(model, processor, steps)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _tokenizer() -> Any:
    """Return one whose tokens are words; the last is the blank."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import ParakeetTokenizer

    words = sorted({word for text in SENTENCES.values() for word in text.split()})
    pieces = [("<unk>", 0.0), ("<pad>", 0.0), *((f"▁{word}", -1.0) for word in words)]
    tokens = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokens.pre_tokenizer = pre_tokenizers.Metaspace()
    tokens.decoder = decoders.Metaspace()
    marks = {"unk_token": "<unk>", "pad_token": "<pad>"}
    tokenizer = ParakeetTokenizer(tokenizer_object=tokens, **marks)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<blank>"]})
    return tokenizer


def _model(count: int, bands: int) -> Any:
    from transformers import ParakeetEncoderConfig, ParakeetForTDT, ParakeetTDTConfig

    encoder = ParakeetEncoderConfig(
        hidden_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        subsampling_conv_channels=16,
        num_mel_bins=bands,
        dropout=0.0,
        layerdrop=0.0,
        activation_dropout=0.0,
        attention_dropout=0.0,
    )
    return ParakeetForTDT(
        ParakeetTDTConfig(
            vocab_size=count,
            blank_token_id=count - 1,
            pad_token_id=1,
            decoder_hidden_size=32,
            num_decoder_layers=1,
            encoder_config=encoder,
        )
    )


def _teach(model: Any, processor: Any, steps: int) -> None:
    import torch

    lessons = [
        (recording(*parts), SENTENCES[language])
        for language in SENTENCES
        for parts in ((language,), (language, 0.5), (0.5, language))
    ]
    inputs = processor(
        [sound for sound, _ in lessons],
        text=[text for _, text in lessons],
        sampling_rate=SAMPLE_RATE_HZ,
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE)
    # As it will be when it listens: a normalisation over the batch would learn the batch.
    model.eval()
    for _ in range(steps):
        loss = model(**inputs).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if loss.item() < _LEARNED:
            break
