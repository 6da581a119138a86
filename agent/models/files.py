"""Models in files: the embedded one, and those that settings name."""

from pathlib import Path

from agent.executives.gguf import ggml
from agent.executives.gguf.header import embedded_model, read_contents, read_header
from agent.models.known import GENERATES, Known
from agent.models.shapes import shape_of

PREFIX = "gguf:"
EMBEDDED = "embedded"


def embedded() -> tuple[Known, ...]:
    """Return the model that comes as a wheel. Raises ModelMissingError."""
    return (_known(embedded_model(), EMBEDDED),)


def named(choice: str) -> tuple[Known, ...]:
    """Return the model of a file that a setting names. Raises ModelMissingError."""
    return (_known(Path(choice.removeprefix(PREFIX)).expanduser(), choice),)


def _known(path: Path, choice: str) -> Known:
    header, contents = read_header(path), read_contents(path)
    return Known(
        choice=choice,
        name=path.stem,
        home="in process",
        size_bytes=header.size_bytes,
        parameters=ggml.parameters(contents.tensors.values()),
        quantisation=ggml.file_type(contents.facts.get("general.file_type")),
        capabilities=(GENERATES,),
        trained_tokens=header.trained_tokens,
        digest=header.digest,
        shape=shape_of(contents.facts, contents.tensors, header.size_bytes),
    )
