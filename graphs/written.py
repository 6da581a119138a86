"""JSON as a bound model writes it, letter for letter. Pure.

What stands in a prompt in these letters is found in the cache of the model that wrote it.
"""

import json
from typing import Any

ITEMS, KEYS = ",", ":"
"""What parts values, and a name from its value."""


def written(value: Any) -> str:
    """Return a value as a bound model writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(ITEMS, KEYS))
