"""How the double pulls models: what comes, what was there already, and where it fails."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.ollama_double.models import DoubleModel

NAME = re.compile(
    r"(?:[A-Za-z0-9][\w.:-]{0,349}/)?(?:[A-Za-z0-9][\w-]{0,79}/)?[A-Za-z0-9][\w.-]{0,79}"
    r"(?::[A-Za-z0-9][\w.-]{0,79})?"
)
"""Host, namespace, model and tag."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pull:
    """What happens when a model is pulled."""

    steps: int = 4
    """In how many pieces its weights come."""
    error: str = ""
    """Sent as a line of its own, under status 200, once `fails_after` pieces have come; with none
    of them, the manifest fails."""
    fails_after: int = 0
    hangs_after: int | None = None
    """Silence once so many pieces have come, until the client goes away."""


class Pulls:
    """What was asked for, and how much of it has come."""

    def __init__(self, planned: Mapping[str, Pull]) -> None:
        self.planned = dict(planned)
        self.pieces: dict[str, int] = {}
        """Pieces that are there, by name; a later pull goes on from them."""

    def plan(self, model: DoubleModel) -> Pull:
        """Return what happens to a pull of this model."""
        return self.planned.get(model.name, Pull())

    def events(self, model: DoubleModel) -> Iterator[dict[str, Any]]:
        """Yield the lines of a pull, up to where it hangs."""
        plan = self.plan(model)
        yield {"status": "pulling manifest"}
        if plan.error and not plan.fails_after:
            yield {"error": plan.error}
            return
        layer = {
            "status": f"pulling {model.digest[:12]}",
            "digest": f"sha256:{model.digest}",
            "total": model.size_bytes,
        }
        yield self._state(layer, model, plan)
        while self.pieces.get(model.name, 0) < plan.steps:
            here = self.pieces.get(model.name, 0)
            if plan.error and here == plan.fails_after:
                yield {"error": plan.error}
                return
            if here == plan.hangs_after:
                return
            self.pieces[model.name] = here + 1
            yield self._state(layer, model, plan)
        yield {"status": "verifying sha256 digest"}
        yield {"status": "writing manifest"}
        yield {"status": "success"}

    def hangs(self, model: DoubleModel) -> bool:
        """Whether a pull stays silent at the end of its events."""
        return self.pieces.get(model.name, 0) == self.plan(model).hangs_after

    def _state(self, layer: dict[str, Any], model: DoubleModel, plan: Pull) -> dict[str, Any]:
        """Return a line on the weights; nothing of them yet is told by leaving the number out."""
        here = self.pieces.get(model.name, 0)
        done = model.size_bytes * here // plan.steps
        return {**layer, "completed": done} if done else layer
