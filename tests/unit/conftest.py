"""Unit tests reach no network: only sockets within this machine's kernel may be made."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every new socket that is not AF_UNIX."""
    original = socket.socket.__init__

    def refuse(self: socket.socket, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if self.family != socket.AF_UNIX:
            self.close()
            pytest.fail(
                "A unit test asked for a network socket; such a test is an integration test."
            )

    monkeypatch.setattr(socket.socket, "__init__", refuse)


@pytest.fixture
def new_step() -> Callable[..., Any]:
    """Make steps of a node: real tools and policy, everything stored in dictionaries.

    What a test does not hand over is missing: to use it is a fault of the test.
    """
    from agent.testing import FixedClock
    from graphs.context import Limits, Services, Step
    from memory.artifacts import Artifact
    from memory.effects import Effect, EffectState, Entry
    from tools.executor import Executor
    from tools.policy import ANSWER
    from tools.registry import Toolbox

    class Stored(dict[str, Artifact]):
        async def put(self, artifact: Artifact, **_: Any) -> None:
            self.setdefault(artifact.id, artifact)

        async def get(self, ids: Sequence[str]) -> dict[str, Artifact]:  # type: ignore[override]  # the store's method, not the dictionary's
            return {one: self[one] for one in ids if one in self}

    class Ledger(dict[str, Entry]):
        async def intend(self, effect: Effect, **_: Any) -> Entry:
            fresh = Entry(state=EffectState.INTENDED, receipt=None, fresh=True)
            known = self.setdefault(effect.key, fresh)
            return known if known is fresh else replace(known, fresh=False)

        async def end(self, key: str, state: EffectState, receipt: str | None, **_: Any) -> None:
            self[key] = Entry(state=state, receipt=receipt, fresh=False)

    def make(*, tools: Sequence[Any] = (), events: list[Any] | None = None, **parts: Any) -> Step:
        services = {
            **dict.fromkeys(field.name for field in fields(Services)),
            "executor": Executor(Toolbox(tools), Ledger(), timeout_s=5),
            "artifacts": Stored(),
            "clock": FixedClock(),
            "purpose": ANSWER,
            "collection": "default",
            "limits": Limits(),
        }
        return Step(
            services=Services(**{**services, **parts}),
            run_id="00000000-0000-0000-0000-000000000001",
            thread_id="t",
            token=7,
            emit=[].append if events is None else events.append,
        )

    return make
