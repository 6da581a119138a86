"""Packages of Office Open XML, made safe for the libraries that unpack them whole."""

import io
import posixpath
import zipfile
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tools.archives import Archive, ArchiveError
from tools.reading.trees import MARKS, TREE_BYTES, Bounds, tree

if TYPE_CHECKING:
    from lxml.etree import _Element

CONTENT_TYPES = "[Content_Types].xml"
_EXTENSIONS = (".xml", ".rels")
_OUTSIDE = "External"


def package(
    archive: Archive, instead: Mapping[str, bytes] = MappingProxyType({}), marks: int = MARKS
) -> io.BytesIO:
    """Return the texts of a package in an archive that unpacks to no more than it is.

    Pictures, fonts and whatever else is no XML stand in it without their bytes, and relationships
    to what is not there are taken out, for the libraries stumble over them. What is given instead
    of a part, by its name, is not unpacked. Raises `ArchiveError`.
    """
    file = io.BytesIO()
    bounds = Bounds(marks_limit=marks)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as whole:
        for name in archive.names:
            data = instead[name] if name in instead else _part(archive, name)
            bounds.take(data, name)
            if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
                raise ArchiveError(
                    f"{name!r} in it has a document type of its own, as no office program writes "
                    "and XML bombs do. It was not read."
                )
            whole.writestr(name, data)
    file.seek(0)
    return file


def retyped(archive: Archive, main_type: str) -> dict[str, bytes]:
    """Return the types of a package's parts, its main part being an ordinary document.

    A template, a show and a file with macros are told apart by nothing else, and the libraries
    refuse them. Raises `ArchiveError`.
    """
    root = tree(archive.read(CONTENT_TYPES, TREE_BYTES), CONTENT_TYPES)
    for one in root:
        if one.get("ContentType", "").endswith((".main+xml", ".macroEnabledTemplate.main+xml")):
            one.set("ContentType", main_type)
    return {CONTENT_TYPES: _written(root)}


def parts(archive: Archive, *types: str) -> list[str]:
    """Return the names in the archive of the parts whose type ends in one of some words."""
    root = tree(archive.read(CONTENT_TYPES, TREE_BYTES), CONTENT_TYPES)
    named = (one.get("PartName", "") for one in root if one.get("ContentType", "").endswith(types))
    return [name.lstrip("/") for name in named]


def target(rels: str, relationship: "_Element") -> str:
    """Return the name in the archive that a relationship leads to."""
    folder = posixpath.dirname(posixpath.dirname(rels))
    link = unquote(relationship.get("Target", ""))
    return posixpath.normpath(posixpath.join("/", folder, link)).lstrip("/")


def _part(archive: Archive, name: str) -> bytes:
    if not name.lower().endswith(_EXTENSIONS):
        return b""
    data = archive.read(name, TREE_BYTES)
    return _there(archive, name, data) if name.endswith(".rels") else data


def _there(archive: Archive, name: str, data: bytes) -> bytes:
    """Return relationships without those to what is not in the archive."""
    root = tree(data, name)
    for one in list(root):
        if one.get("TargetMode") != _OUTSIDE and target(name, one) not in archive:
            root.remove(one)
    return _written(root)


def _written(root: "_Element") -> bytes:
    from lxml import etree

    return bytes(etree.tostring(root))
