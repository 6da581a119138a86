"""What takes apart the files that hold many documents."""

from collections.abc import Mapping

from tools.content import Content
from tools.reading import wiki_dump
from tools.reading.mbox import Mailbox
from tools.reading.members import Container

CONTAINERS: Mapping[str, Container] = {
    "application/mbox": Mailbox(),
    wiki_dump.MEDIA_TYPE: wiki_dump.WikiDump(),
}
"""By media type."""


def container_of(content: Content) -> Container | None:
    """Return what takes a file of this kind apart; None where it is a document itself."""
    return CONTAINERS.get(content.media_type)
