"""What probes found, kept by the digest of the model."""

import hashlib
import logging
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from agent.executives.probe.probing import VERSION, Findings

log = logging.getLogger(__name__)

_READER = TypeAdapter(Findings)


class ProbeCache:
    """A file for each model. One that is damaged or of an older probe counts as none."""

    def __init__(self, cache_dir: Path) -> None:
        self._folder = cache_dir / "probes"

    def get(self, digest: str) -> Findings | None:
        """Return what was found of a model."""
        if not digest:
            return None
        try:
            found = _READER.validate_json(self._path(digest).read_bytes())
        except (OSError, ValidationError):
            return None
        return found if (found.version, found.digest) == (VERSION, digest) else None

    def put(self, found: Findings) -> None:
        """Keep what was found. A folder that cannot be written to costs another probe, no more."""
        if not found.digest:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".probe.", dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(to_json(asdict(found), indent=2))
            Path(name).replace(self._path(found.digest))
        except OSError as error:
            log.warning("probe_not_kept", extra={"folder": str(self._folder), "why": str(error)})

    def _path(self, digest: str) -> Path:
        return self._folder / f"{hashlib.sha256(digest.encode()).hexdigest()[:32]}.json"
