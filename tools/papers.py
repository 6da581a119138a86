"""From a reading to a document as memory stores it."""

from datetime import datetime

from memory import language
from memory.documents import NewDocument
from tools.chunking import chunks
from tools.reading.base import Reading
from tools.tokens import tokens_bound

_SAMPLE_BLOCKS = 100
_SAMPLE_LETTERS = 8_000


def document_of(reading: Reading, *, uri: str, digest: bytes, modified_at: datetime) -> NewDocument:
    """Cut a reading into passages and say what it is; the content's own date comes first."""
    return NewDocument(
        uri=uri,
        title=reading.title,
        kind=reading.kind,
        media_type=reading.media_type,
        content_hash=digest,
        reader=reading.reader,
        language=language.detect(_sample(reading)),
        modified_at=reading.made_at or modified_at,
        label=reading.label,
        chunks=chunks(reading, tokens_bound),
        flaws=reading.flaws,
        author=reading.author,
        message=reading.message,
    )


def _sample(reading: Reading) -> str:
    """Return what the language of a reading is told by."""
    if reading.own_words is not None:
        return reading.own_words
    # The names of a mail's headers are English in any mail.
    texts = (block.text for block in reading.blocks[reading.kind == "mail" :][:_SAMPLE_BLOCKS])
    return "\n".join(texts)[:_SAMPLE_LETTERS]
