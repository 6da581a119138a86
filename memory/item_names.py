"""Names of what the store holds: namespaces and keys, and the documents that they lead to."""

from collections.abc import Sequence

from memory.characters import storable
from memory.documents import URI_BYTES_LIMIT
from memory.labels import OWNER

KIND = "memory"
"""Kind of the documents that items are."""
SOURCE_URI = "memory:"
"""Source of the items within their collection."""
COLLECTION_PREFIX = "memory:"


def collection_of(root: str) -> str:
    """Return the collection of the items whose namespace begins with that label."""
    return f"{COLLECTION_PREFIX}{root}"


OWNERS_COLLECTION = collection_of(OWNER)
"""What the assistant recalls beside documents."""
FACTS = (OWNER, "facts")
"""Namespace of what `remember` notes."""


def item_uri(namespace: Sequence[str], key: str) -> str:
    """Return the address of an item, which is another one for each name.

    ValueError: the name cannot be stored as it is, so that two names could become one.
    """
    for label in namespace:
        if storable(label) != label:
            raise ValueError(
                f"The label {label!r} in {tuple(namespace)} holds half of a surrogate pair, which "
                "cannot be stored. Choose another label."
            )
    if storable(key) != key:
        raise ValueError(
            f"The key {key!r} holds NUL or half of a surrogate pair, which cannot be stored. "
            "Choose another key."
        )
    uri = f"{SOURCE_URI}{path(namespace, key)}"
    size = len(uri.encode())
    if size > URI_BYTES_LIMIT:
        raise ValueError(
            f"Namespace and key {uri[:80]}… have {size} bytes, but at most {URI_BYTES_LIMIT} can "
            "be indexed. Choose shorter ones, such as a digest."
        )
    return uri


def path(namespace: Sequence[str], key: str) -> str:
    """Write a name with slashes, those within a label or a key quoted."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in (*namespace, key))


def parsed(written: str) -> tuple[str, ...]:
    """Read what `path` has written: the labels of a namespace, or these and a key."""
    parts = written.split("/") if written else []
    return tuple(part.replace("%2F", "/").replace("%25", "%") for part in parts)


def within(namespace: Sequence[str]) -> dict[str, list[str] | None]:
    """Return the bounds of a namespace and all below it, as the queries name them."""
    labels = list(namespace)
    return {
        "prefix": labels or None,
        "beyond": [*labels[:-1], f"{labels[-1]}\x01"] if labels else None,
    }
