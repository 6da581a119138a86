"""A GGUF file's own vocabulary, for a server that has no tokeniser to ask."""

import re
import struct
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.executives.counting.tokens import MESSAGE_TOKENS, Remembered
from agent.executives.gguf.header import metadata

_CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_ENDS = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_QWEN2 = rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{_ENDS}"
_LLAMA3 = rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{_ENDS}"

_SPLITS: dict[str, tuple[str, ...]] = {
    "gpt-2": (_GPT2,),
    "smollm": (r"\p{N}", _GPT2),
    "qwen2": (_QWEN2,),
    "llama-bpe": (_LLAMA3,),
    "llama3": (_LLAMA3,),
    "dbrx": (_LLAMA3,),
    "smaug-bpe": (_LLAMA3,),
}
"""How a text is cut before pieces are merged, by the name that the file gives it."""

_FROM = re.compile(r"^FROM\s+(/\S.*?)\s*$", re.MULTILINE)

TOOLS_TOKENS = 192
"""What a template says of tools beside naming them."""
PROMPT_TOKENS = 32
_SLACK = 4


def blob(modelfile: str) -> Path | None:
    """Return the file that an Ollama model is made from, if it lies on this machine."""
    found = _FROM.search(modelfile)
    path = Path(found[1]) if found else None
    try:
        return path if path and path.is_file() else None
    except OSError:
        return None


class Vocabulary:
    """Counts the tokens of texts as the model does."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.count = Remembered(self._counted, size=4_096)

    @classmethod
    def read(cls, path: Path) -> "Vocabulary | None":
        """Read a file's vocabulary; None where it is of a kind that is not known here."""
        try:
            return cls._of(metadata(path))
        except (OSError, struct.error, ValueError, KeyError):
            return None

    @classmethod
    def _of(cls, facts: Mapping[str, Any]) -> "Vocabulary | None":
        splits = _SPLITS.get(str(facts.get("tokenizer.ggml.pre")))
        tokens, merges = facts.get("tokenizer.ggml.tokens"), facts.get("tokenizer.ggml.merges")
        if facts.get("tokenizer.ggml.model") != "gpt2" or not splits or not tokens or not merges:
            return None
        return cls(_tokenizer(tokens, merges, splits))

    def _counted(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _tokenizer(tokens: Sequence[str], merges: Sequence[str], splits: Sequence[str]) -> Any:
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, Split
    from tokenizers.pre_tokenizers import Sequence as InOrder

    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    vocab = {token: at for at, token in enumerate(tokens)}
    try:
        made = Tokenizer(BPE(vocab=vocab, merges=pairs))
    except Exception as error:  # the package raises nothing narrower
        raise ValueError(f"tokens and merges do not fit each other: {error}") from error
    made.pre_tokenizer = InOrder(
        [
            *(Split(Regex(split), "isolated") for split in splits),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return made


@dataclass(frozen=True, slots=True)
class _Around:
    """What a server's template added to a prompt, all told."""

    messages: int
    tools: int
    tokens: int


class OwnVocabulary:
    """Bounds prompts by the model's own vocabulary; only what its template adds is not known.

    That is learnt from the server's counts: a prompt has no less around it than one with fewer
    messages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loading = threading.Lock()  # protects `_vocabulary`: the file is read once
        self._vocabulary: Vocabulary | None = None
        self._read = False
        self._around: deque[_Around] = deque(maxlen=32)

    def bound(self, messages: Sequence[str], tools: Sequence[str]) -> int | None:
        """Return a close upper bound; None where the file's vocabulary cannot be used. Blocks."""
        vocabulary = self._opened()
        if vocabulary is None:
            return None
        own = sum(map(vocabulary.count, [*messages, *tools]))
        return own + self._most(len(messages), len(tools))

    def learn(self, messages: Sequence[str], tools: Sequence[str], counted: int) -> None:
        """Take note of what the server counted, if the vocabulary was needed before."""
        if self._vocabulary is not None:
            own = sum(map(self._vocabulary.count, [*messages, *tools]))
            self._around.append(_Around(len(messages), len(tools), counted - own))

    def _most(self, messages: int, tools: int) -> int:
        known = [
            one.tokens + MESSAGE_TOKENS * max(0, messages - one.messages) + _SLACK
            for one in self._around
            if one.tools == tools
        ]
        prior = PROMPT_TOKENS + MESSAGE_TOKENS * messages + (TOOLS_TOKENS if tools else 0)
        return min(known, default=prior)

    def _opened(self) -> Vocabulary | None:
        with self._loading:
            if not self._read:
                self._vocabulary = Vocabulary.read(self._path)
                self._read = True
            return self._vocabulary
