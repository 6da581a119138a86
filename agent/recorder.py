"""Notes each node of a run as it ends, and tells whoever watches."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langgraph.errors import GraphBubbleUp

from memory.runs import RunStep
from tools.base import Clock

Watch = Callable[[dict[str, Any]], None]


class RunRecorder(AsyncCallbackHandler):
    """Hears of each node from LangGraph's own callbacks, so that any graph can be recorded.

    LangChain knows a handler by its base class; this is the one that we inherit.
    """

    raise_error = True
    run_inline = True

    def __init__(self, note: Callable[[RunStep], None], clock: Clock, watch: Watch) -> None:
        self._note = note
        self._clock = clock
        self._watch = watch
        self.failed: str | None = None
        """Error of the last node that failed."""
        self._open: dict[UUID, tuple[str, str, datetime, float]] = {}

    async def on_chain_start(
        self,
        serialized: dict[str, Any] | None,  # noqa: ARG002 - LangChain's signature
        inputs: Any,  # noqa: ARG002 - LangChain's signature
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Note the beginning of a node; other chains, such as routers, are passed over."""
        node = (metadata or {}).get("langgraph_node")
        if node is None or more.get("name") != node:
            return
        task = str((metadata or {}).get("langgraph_checkpoint_ns", node))
        self._open[run_id] = (node, task, self._clock.now(), time.monotonic())
        self._watch({"event": "node_started", "node": node})

    async def on_chain_end(
        self,
        outputs: Any,  # noqa: ARG002 - LangChain's signature
        *,
        run_id: UUID,
        **more: Any,  # noqa: ARG002 - LangChain's signature
    ) -> None:
        """Write down a node that came to its end."""
        self._close(run_id, None)

    async def on_chain_error(
        self,
        error: BaseException,
        *,
        run_id: UUID,
        **more: Any,  # noqa: ARG002 - LangChain's signature
    ) -> None:
        """Write down a node that failed; one that waits for a person has not ended."""
        if isinstance(error, GraphBubbleUp):
            self._open.pop(run_id, None)
            return
        self.failed = _told(error)
        self._close(run_id, self.failed)

    def _close(self, run_id: UUID, error: str | None) -> None:
        opened = self._open.pop(run_id, None)
        if opened is None:
            return
        node, task, started_at, began = opened
        seconds = time.monotonic() - began
        self._note(
            RunStep(node=node, task_id=task, started_at=started_at, seconds=seconds, error=error)
        )
        self._watch({"event": "node_ended", "node": node, "seconds": seconds, "error": error})


def _told(error: BaseException) -> str:
    # Where a run is stopped, the error carries an object of asyncio's own, not words.
    if isinstance(error, asyncio.CancelledError):
        return "stopped before its end"
    return f"{type(error).__name__}: {error}"
