"""A model that describes pictures, and where it is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedVision:
    """A model on a server."""

    url: str
    """Without `/v1`."""
    model: str
    timeout_s: float = 300.0
