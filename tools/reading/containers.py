"""Which files hold many documents, and what takes them apart."""

from collections.abc import Mapping

from tools.content import Content
from tools.reading import wiki_dump
from tools.reading.members import Container

CONTAINERS: Mapping[str, Container] = {wiki_dump.MEDIA_TYPE: wiki_dump.WikiDump()}
"""By media type."""


def container_of(content: Content) -> Container | None:
    """Return what takes a file apart; None where it is one document."""
    return CONTAINERS.get(content.media_type)
