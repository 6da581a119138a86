"""What Postgres can hold of a text.

It refuses NUL and half of a surrogate pair. Both become U+FFFD, one for one, so that offsets into
a text stay right; what is stored is the text that quotations are checked against.
"""

import re
from typing import Any

REPLACEMENT = "\ufffd"
_REFUSED = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Return the text as it is stored: of the same length, mostly the very same."""
    return _REFUSED.sub(REPLACEMENT, text)


def storable_json(value: Any) -> Any:
    """Return a JSON value with every text in it, names of members too, as it is stored."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [storable_json(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable_json(item) for key, item in value.items()}
    return value
