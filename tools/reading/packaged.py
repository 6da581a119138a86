"""Packages of Office Open XML, made safe for the libraries that unpack them whole."""

import io
import posixpath
import re
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tools.archives import Archive, ArchiveError
from tools.reading.trees import TREE_BYTES, Bounds, tree

if TYPE_CHECKING:
    from lxml.etree import _Element

CONTENT_TYPES = "[Content_Types].xml"
_EXTENSIONS = (".xml", ".rels")
_OUTSIDE = "External"


def package(archive: Archive, main_types: re.Pattern[bytes], main_type: bytes) -> io.BytesIO:
    """Return the texts of a package in an archive that unpacks to no more than it is.

    Pictures, fonts and whatever else is no XML stand in it without their bytes. A template and a
    file with macros become an ordinary document: their main type is replaced. Relationships to
    what is not there are taken out, for the libraries stumble over them. Raises `ArchiveError`.
    """
    file = io.BytesIO()
    bounds = Bounds()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as whole:
        for name in archive.names:
            is_text = name.lower().endswith(_EXTENSIONS)
            data = archive.read(name, TREE_BYTES) if is_text else b""
            bounds.take(data, name)
            if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
                raise ArchiveError(
                    f"{name!r} in it has a document type of its own, as no office program writes "
                    "and XML bombs do. It was not read."
                )
            if name == CONTENT_TYPES:
                data = main_types.sub(main_type, data)
            elif name.endswith(".rels"):
                data = _there(archive, name, data)
            whole.writestr(name, data)
    file.seek(0)
    return file


def _there(archive: Archive, name: str, data: bytes) -> bytes:
    """Return relationships without those to what is not in the archive."""
    from lxml import etree

    root = tree(data, name)
    for one in list(root):
        if one.get("TargetMode") != _OUTSIDE and target(name, one) not in archive:
            root.remove(one)
    return bytes(etree.tostring(root))


def target(rels: str, relationship: "_Element") -> str:
    """Return the name in the archive that a relationship leads to."""
    folder = posixpath.dirname(posixpath.dirname(rels))
    link = unquote(relationship.get("Target", ""))
    return posixpath.normpath(posixpath.join("/", folder, link)).lstrip("/")
