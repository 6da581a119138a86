"""A Whisper that has learned two sentences by heart, as faster-whisper loads it."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools.senses.models import voice
from tools.senses.testing.spoken import SENTENCES, recording

_LANGUAGES = ("en", "zh", "de", "es")
_TASKS = "translate transcribe startoflm startofprev nospeech notimestamps".split()
_WIDTH = 48
_BANDS = 80
_STEPS = 400
_LEARNED = 0.005
_RATE = 5e-3
_SHIFT = 1024
"""Samples by which a detector of speech may begin a window earlier or later."""


def make(folder: Path, *, seed: int = 0, texts: Mapping[str, str] = SENTENCES) -> None:
    """Write the files of a model that writes a text when it hears the sentence of a language.

    A few seconds. With one language, English, it is a model of English only.
    """
    from ctranslate2.converters import TransformersConverter
    from transformers import PreTrainedTokenizerFast, WhisperFeatureExtractor

    tokenizer = _tokenizer(multilingual=len(texts) > 1)
    taught = _model(tokenizer, seed, encoder_layers=0)
    _teach(taught, tokenizer, texts)
    model = _with_layer(taught, _model(tokenizer, seed, encoder_layers=1))
    _finish(model, tokenizer)
    with TemporaryDirectory() as made:
        model.save_pretrained(made)
        WhisperFeatureExtractor().save_pretrained(made)
        PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(made)
        TransformersConverter(
            made, copy_files=["tokenizer.json", "preprocessor_config.json"]
        ).convert(str(folder), quantization="int8", force=True)


def _tokenizer(*, multilingual: bool) -> Any:
    """Return one whose tokens are the words of the sentences.

    CTranslate2 takes a vocabulary with an empty token for that of a model of many languages.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    words = sorted({word for text in SENTENCES.values() for word in text.split()})
    pieces = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(f"Ġ{word}" for word in words)]
    if multilingual:
        pieces.append("")
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = ["endoftext", "startoftranscript", *_LANGUAGES, *_TASKS]
    tokenizer.add_special_tokens([f"<|{mark}|>" for mark in marks])
    tokenizer.add_tokens(
        [AddedToken(f"<|{place * 0.02:.2f}|>", normalized=False) for place in range(1501)]
    )
    return tokenizer


def _model(tokenizer: Any, seed: int, *, encoder_layers: int) -> Any:
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    end = tokenizer.token_to_id("<|endoftext|>")
    torch.manual_seed(seed)
    return WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=tokenizer.get_vocab_size(),
            d_model=_WIDTH,
            encoder_layers=encoder_layers,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=2 * _WIDTH,
            decoder_ffn_dim=2 * _WIDTH,
            dropout=0.0,
            bos_token_id=end,
            eos_token_id=end,
            pad_token_id=end,
            decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
            suppress_tokens=[],
            begin_suppress_tokens=[end],
        )
    )


def _teach(model: Any, tokenizer: Any, texts: Mapping[str, str]) -> None:
    import torch

    shifts = [torch.stack(one) for one in zip(*map(_features, texts), strict=True)]
    rows = [_tokens(tokenizer, *one, multilingual=len(texts) > 1) for one in texts.items()]
    longest = max(len(row) for row in rows)
    end = tokenizer.token_to_id("<|endoftext|>")
    tokens = torch.tensor([row + [end] * (longest - len(row)) for row in rows])
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE)
    last: deque[float] = deque(maxlen=len(shifts))
    for step in range(_STEPS):
        told = model(
            input_features=shifts[step % len(shifts)], decoder_input_ids=tokens[:, :-1]
        ).logits
        loss = torch.nn.functional.cross_entropy(told.flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        last.append(loss.item())
        if max(last) < _LEARNED and len(last) == last.maxlen:
            break


def _features(language: str) -> list[Any]:
    """Return what Whisper hears of a sentence, in windows that begin earlier and later."""
    from whisperx.audio import N_SAMPLES, log_mel_spectrogram

    heard = []
    for parts in ((1.0, language, 1.0), (language,), (0.5, language)):
        sound = recording(*parts)
        [window] = voice.windows(voice.spans(sound))
        for first in (window.start, max(0, window.start - _SHIFT)):
            own = sound[first : window.end]
            heard.append(log_mel_spectrogram(own, n_mels=_BANDS, padding=N_SAMPLES - len(own)))
    return heard


def _tokens(tokenizer: Any, language: str, text: str, *, multilingual: bool) -> list[int]:
    task = [f"<|{language}|>", "<|transcribe|>"] if multilingual else []
    words = [f"Ġ{word}" for word in text.split()]
    pieces = ["<|startoftranscript|>", *task, "<|notimestamps|>", *words, "<|endoftext|>"]
    return [int(tokenizer.token_to_id(piece)) for piece in pieces]


def _with_layer(taught: Any, model: Any) -> Any:
    """Return a model with a layer that changes nothing.

    CTranslate2 wants one, and in teaching it is what takes the time.
    """
    import torch

    model.load_state_dict(taught.state_dict(), strict=False)
    [layer] = model.model.encoder.layers
    with torch.no_grad():
        for part in (layer.self_attn.out_proj, layer.fc2):
            part.weight.zero_()
            part.bias.zero_()
    return model.eval()


def _finish(model: Any, tokenizer: Any) -> None:
    """Say what the converter reads from the settings of generation."""
    settings = model.generation_config
    settings._from_model_config = False  # else the rest is lost when it is read again
    settings.lang_to_id = {f"<|{one}|>": tokenizer.token_to_id(f"<|{one}|>") for one in _LANGUAGES}
    settings.alignment_heads = [[0, 0], [0, 1]]
    settings.suppress_tokens = []
    settings.begin_suppress_tokens = [tokenizer.token_to_id("<|endoftext|>")]
