"""Uris of the documents within a file, and which of them there were."""

import hashlib
from array import array
from bisect import bisect_left
from urllib.parse import quote

from memory.documents import URI_BYTES_LIMIT

_DIGEST_DIGITS = 32


def member_uri(file: str, key: str) -> str:
    """Return the uri of a document within a file; a key that is too long stands as its digest."""
    uri = f"{file}#{quote(key.encode('utf-8', 'surrogatepass'), safe='')}"
    if len(uri) <= URI_BYTES_LIMIT:
        return uri
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{file}#~{digest[:_DIGEST_DIGITS]}"


class Seen:
    """Which uris there were, in eight bytes each: a dump has millions."""

    def __init__(self) -> None:
        self._new: set[int] = set()
        self._sorted: array[int] = array("q")

    def add(self, uri: str) -> bool:
        """Note a uri; return whether it is new."""
        if uri in self:
            return False
        self._new.add(hash(uri))
        if len(self._new) > max(10_000, len(self._sorted) // 4):
            self._sorted = array("q", sorted([*self._sorted, *self._new]))
            self._new.clear()
        return True

    def __contains__(self, uri: str) -> bool:
        code = hash(uri)
        at = bisect_left(self._sorted, code)
        return code in self._new or (at < len(self._sorted) and self._sorted[at] == code)
