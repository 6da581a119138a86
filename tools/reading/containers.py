"""What takes apart the files that hold many documents."""

from tools.content import Content
from tools.reading.members import Container


def container_of(content: Content) -> Container | None:  # noqa: ARG001 - none is known yet
    """Return what takes a file of this kind apart; None where it is a document itself."""
    return None
