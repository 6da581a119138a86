"""The executive that an Ollama on this machine serves: loaded by one profile, and kept so.

It is verified three ways when it is loaded: Ollama says that it lies on the card whole with the
context that was asked for, the card has lost as many bytes as it says, and it writes at a speed
that no spilled model has. Afterwards it is looked at again and again. Nothing is changed here
unasked, save what costs no load: how long Ollama keeps it. The rest is told, and put right by the
arbiter when no turn is in progress.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from agent.executives.ollama.server import server_words
from agent.models import ollama
from agent.residency.arbiter.events import Event, ExecutiveDrifted, ExecutiveLost
from agent.residency.arbiter.limits import Profile
from agent.residency.errors import ResidencyError
from agent.residency.process.config import ServedExecutive
from agent.residency.vram import PROCESS_BYTES, Load, need
from graphs.errors import ExecutiveUnreachableError

log = logging.getLogger(__name__)

MINIMUM = (0, 30)
"""The oldest Ollama whose loads are understood: since then each model is a llama-server."""
BATCH = 512
ALL_LAYERS = 999
"""Layers on the card: a load that does not fit fails, and does not spill."""
FLOOR_TOKENS_PER_S = 8.0
"""What a 14B model on any card exceeds, and one that has spilled does not reach."""
TOLERANCE = 0.05
"""By which share the card's own figures may differ from Ollama's."""
LINGERS_S = 10.0
"""A driver shows freed memory late: Ollama itself waits up to five seconds for it."""
INSPECT_S = 5.0
RETRY_S = 30.0
"""Until a server that does not serve an executive is asked again."""
_CONNECT_S, _TELL_S, _LOAD_S, _GONE_S = 2.0, 10.0, 600.0, 14.0
_SPEED_TOKENS = 16
_LASTING_YEAR = "2100"
"""Ollama writes the end of a model that is kept for ever as a year far beyond."""
_AT = "@"
_RUNNERS = ("llama-server", "ollama")


Held = Callable[[Mapping[int, int | None]], int]
"""Returns what somebody holds, given the bytes of each process on the card; None: not told."""


class ExecutiveUnfitError(ResidencyError):
    """The executive could not be loaded as it has to be."""


class OllamaKeeper:
    """Keeps one model on one server."""

    def __init__(
        self,
        served: ServedExecutive,
        *,
        used_bytes: Callable[[], int | None],
        beside_bytes: Held = lambda _: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`used_bytes` tells what all programs use of the card; None where that is not known.

        `beside_bytes` tells what another server of ours holds of it.
        """
        self._served = served
        self._beside_bytes = beside_bytes
        self._used_bytes = used_bytes
        self._clock = clock
        self._http = ollama.client(served.url, timeout_s=httpx.Timeout(_LOAD_S, connect=_CONNECT_S))
        self._planned: dict[str, tuple[int, int]] = {}
        """By profile: tokens of its context, and bytes of the card."""
        self._flaw: str | None = None
        self._loaded: str | None = None
        self._served_bytes = 0
        """What Ollama says that it holds of the card for us."""
        self._coming_bytes = 0
        """What it will hold once the load is over that is under way."""
        self._strangers_bytes = 0
        """What processes like Ollama's held for others before anything of ours moved."""
        self._lingering = (0, float("-inf"))
        """What it has let go, and until when the driver may still show it."""
        self._other_bytes = 0
        """What it holds for models that others have loaded."""
        self._told = ""
        self._next = 0.0
        self._working = asyncio.Lock()

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """How it may be loaded; empty until the server has told of the model."""
        return tuple(Profile(name=name, bytes=size) for name, (_, size) in self._planned.items())

    @property
    def flaw(self) -> str | None:
        """Why no executive is kept, or why it is not there."""
        return self._flaw

    def suspect(self) -> None:
        """Look at it as soon as may be: a call's own figures were not as they should be."""
        self._next = 0.0

    def held_bytes(self, processes: Mapping[int, int | None]) -> int:
        """Return what Ollama's processes hold for us, as the driver tells or as Ollama does.

        All Ollamas run processes of the same names, and only root may see which of them serves
        which address. So of what the driver tells of such processes no more is taken for ours than
        this server accounts for, and nothing that another server of ours does. The rest counts as
        other programs': what were too much here could hide what those take while a load of ours
        is not there yet, and room would be lent twice.
        """
        told = [size for pid, size in processes.items() if size is not None and _is_runner(pid)]
        if not told:
            return self._said_bytes()
        rest = max(0, sum(told) - self._other_bytes - self._beside_bytes(processes))
        most = self._most_bytes()
        if most == self._said_bytes():  # nothing is on its way in or out
            self._strangers_bytes = max(0, rest - most)
        return min(max(0, rest - self._strangers_bytes), most)

    def _said_bytes(self) -> int:
        """Return what Ollama says that it holds for us, and the context of its process."""
        return self._served_bytes + PROCESS_BYTES if self._served_bytes else 0

    def _most_bytes(self) -> int:
        """Return what may be there for us: as Ollama says, on its way, or let go a moment ago."""
        size, until = self._lingering
        lingering = size if self._clock() < until else 0
        return max(self._said_bytes(), self._coming_bytes, lingering)

    def _hear_size(self, size: int) -> None:
        """Note what Ollama says that it holds for us now."""
        if size < self._served_bytes:
            self._lingering = (self._said_bytes(), self._clock() + LINGERS_S)
        self._served_bytes = size

    async def found(self) -> str | None:
        """Return the profile that is loaded whole; one that is not is left to be put right."""
        await self._learn()
        try:
            entry = await self._resident()
        except (httpx.HTTPError, ValueError):
            return None
        if entry is None:
            return None
        for name, (tokens, _) in self._planned.items():
            if self._fault(entry, tokens) is None:
                self._loaded = name
                return name
        return None

    async def load(self, profile: str) -> None:
        """Load it, and verify it. Raises ExecutiveUnfitError."""
        tokens, planned = self._planned[profile]
        async with self._working:
            self._told = ""
            self._coming_bytes = planned
            try:
                await self._resident()
                used = await asyncio.to_thread(self._used_bytes)
                # One that is there already, from another program say, makes way for its like.
                before = None if used is None else used - self._served_bytes
                await self._post(self._request(tokens, keep_alive=-1))
                fault = await self._verified(tokens, planned, before)
            except (httpx.HTTPError, ValueError) as error:
                self._flaw = (
                    f"Ollama at {self._served.url} does not load {self._served.model}: "
                    f"{str(error) or type(error).__name__}"
                )
                raise ExecutiveUnfitError(self._flaw) from error
            finally:
                self._coming_bytes = 0
            if fault is not None:
                self._flaw = f"{self._served.model} {fault}"
                with suppress(httpx.HTTPError, ValueError):  # else `inspect` finds it there
                    await self._send_away()
                raise ExecutiveUnfitError(self._flaw)
            self._loaded, self._flaw = profile, None
            self._learn_size(profile)

    async def unload(self) -> None:
        """Let it go, and wait until Ollama says that it has. Raises ResidencyError."""
        async with self._working:
            self._loaded = None
            try:
                await self._send_away()
            except httpx.TransportError:
                self._hear_size(0)
            except (httpx.HTTPError, ValueError) as error:
                raise ResidencyError(
                    f"Ollama at {self._served.url} does not let {self._served.model} go: {error}"
                ) from error

    async def inspect(self) -> Event | None:
        """Return what has become of it, once for each thing; None where it is as it was loaded."""
        if self._clock() < self._next or self._working.locked():
            return None
        self._next = self._clock() + (INSPECT_S if self._planned else RETRY_S)
        if not self._planned:
            await self._learn()
            return None
        try:
            entry = await self._resident()
        except httpx.TimeoutException:
            return None
        except (httpx.HTTPError, ValueError) as error:
            return self._lost(f"Ollama does not answer: {str(error) or type(error).__name__}")
        if self._working.locked():
            return None
        if self._loaded is None:
            if entry is not None and self._served_bytes:
                await self._turn_out()
            return None
        if entry is None:
            return self._lost("Ollama has it no more: it was restarted, or another model came")
        return await self._compared(entry)

    async def aclose(self) -> None:
        """Hang up; the model stays as it is."""
        await self._http.aclose()

    async def _compared(self, entry: Mapping[str, Any]) -> Event | None:
        assert self._loaded is not None, "only what is loaded is compared"
        tokens = self._planned[self._loaded][0]
        fault = self._fault(entry, tokens)
        if fault is not None:
            return self._drifted(fault)
        self._told = ""
        if str(entry.get("expires_at", ""))[:4] < _LASTING_YEAR:
            # Another program has said how long it stays. To say it again costs no load.
            log.warning("keep_alive_was_changed", extra={"expires_at": entry.get("expires_at")})
            async with self._working:
                try:
                    await self._post(self._request(tokens, keep_alive=-1))
                except (httpx.HTTPError, ValueError) as error:
                    log.warning("keep_alive_not_renewed", extra={"reason": str(error)})
        return None

    def _lost(self, reason: str) -> Event | None:
        self._hear_size(0)
        if self._loaded is None:
            return None
        self._loaded = None
        return ExecutiveLost(now=0.0, reason=reason)

    def _drifted(self, reason: str) -> Event | None:
        if self._told == reason:
            return None
        self._told = reason
        return ExecutiveDrifted(now=0.0, reason=reason)

    async def _turn_out(self) -> None:
        """Unload a model that came without leave, so that it can come with it."""
        log.warning("executive_without_leave", extra={"model": self._served.model})
        async with self._working:
            try:
                await self._post(self._request(None, keep_alive=0))
            except (httpx.HTTPError, ValueError) as error:
                log.warning("executive_stays", extra={"reason": str(error)})

    def _fault(self, entry: Mapping[str, Any], tokens: int) -> str | None:
        """Return in what a model that is loaded differs from what it should be."""
        size, on_card = int(entry.get("size") or 0), int(entry.get("size_vram") or 0)
        if on_card != size or not size:
            return f"has spilled: {on_card} of its {size} bytes are on the card"
        context = int(entry.get("context_length") or 0)
        if context != tokens:
            return f"has a context of {context} tokens, not {tokens}"
        return None

    async def _verified(self, tokens: int, planned: int, before: int | None) -> str | None:
        """Return what is wrong with a model that was just loaded."""
        entry = await self._resident()
        if entry is None:
            return "was loaded and is not there"
        fault = self._fault(entry, tokens)
        if fault is not None:
            return fault
        after = await asyncio.to_thread(self._used_bytes)
        if before is not None and after is not None:
            lost, least = after - before, (1 - TOLERANCE) * self._served_bytes
            if lost < least:
                return f"took {lost} bytes of the card, not the {self._served_bytes} it tells"
            most = (1 + TOLERANCE) * max(planned, self._served_bytes + PROCESS_BYTES)
            if lost > most:
                log.warning("card_lost_more", extra={"bytes": lost, "planned": planned})
        return await self._slow(tokens)

    async def _slow(self, tokens: int) -> str | None:
        request = self._request(tokens, keep_alive=-1)
        request["options"] |= {"num_predict": _SPEED_TOKENS, "temperature": 0}
        told = await self._post({**request, "prompt": "One, two, three, four,", "raw": True})
        if int(told.get("load_duration") or 0) > 100_000_000:
            return "was loaded anew for its first words"
        count, lasted = int(told.get("eval_count") or 0), int(told.get("eval_duration") or 0)
        if count and lasted and count / lasted * 1e9 < FLOOR_TOKENS_PER_S:
            speed = count / lasted * 1e9
            return f"writes {speed:.1f} tokens a second, less than {FLOOR_TOKENS_PER_S:g}"
        return None

    def _request(self, tokens: int | None, *, keep_alive: int) -> dict[str, Any]:
        """Return a request that loads, keeps or unloads: the one profile of options."""
        request: dict[str, Any] = {
            "model": self._served.model,
            "keep_alive": keep_alive,
            "stream": False,
            # As in every call of ours: another value would load the model anew.
            "shift": False,
        }
        if tokens is not None:
            request["options"] = {"num_ctx": tokens, "num_batch": BATCH, "num_gpu": ALL_LAYERS}
        return request

    async def _send_away(self) -> None:
        await self._post(self._request(None, keep_alive=0))
        deadline = self._clock() + _GONE_S
        while await self._resident() is not None:
            if self._clock() > deadline:
                raise ValueError(f"it is still there after {_GONE_S:g} s")
            await asyncio.sleep(0.1)

    async def _resident(self) -> Mapping[str, Any] | None:
        """Return what Ollama tells of the model, if it is loaded. Raises httpx.HTTPError."""
        response = await self._http.get("/api/ps", timeout=_TELL_S)
        models = response.raise_for_status().json()["models"]
        name = self._served.model
        wanted = {name, f"{name}:latest"}
        mine = next((one for one in models if one.get("name") in wanted), None)
        self._hear_size(0 if mine is None else int(mine.get("size_vram") or 0))
        others = [int(one.get("size_vram") or 0) for one in models if one is not mine]
        self._other_bytes = sum(size + PROCESS_BYTES for size in others if size)
        return mine

    async def _post(self, body: dict[str, Any]) -> Mapping[str, Any]:
        response = await self._http.post("/api/generate", json=body)
        if response.status_code != httpx.codes.OK:
            raise ValueError(server_words(response.content))
        told = response.json()
        return told if isinstance(told, dict) else {}

    async def _learn(self) -> None:
        """Ask the server what it is and what the model takes; say once what is wrong."""
        flaw = await self._asked()
        if flaw is not None and flaw != self._flaw:
            log.warning("executive_not_kept", extra={"reason": flaw})
        self._flaw = flaw

    async def _asked(self) -> str | None:
        served = self._served
        try:
            response = await self._http.get("/api/version", timeout=_TELL_S)
            version = str(response.raise_for_status().json()["version"])
            if (least := newer_needed(version)) is not None:
                return f"Ollama at {served.url} is {version}; at least {least} is needed"
            told = await ollama.told(served.url, served.model, timeout_s=_TELL_S)
        except (httpx.HTTPError, ValueError, KeyError, ExecutiveUnreachableError) as error:
            return f"Ollama at {served.url} does not answer: {str(error) or type(error).__name__}"
        if told is None:
            return f"Ollama at {served.url} does not have {served.model}"
        known = told.known
        if known.shape is None:
            return f"Ollama at {served.url} does not tell what {served.model} is made of"
        trained = known.trained_tokens or served.context_tokens
        for wished in (served.context_tokens, served.compact_tokens):
            tokens = min(wished, trained)
            size = need(known.shape, Load(context_tokens=tokens, micro_batch=BATCH)).total
            self._planned.setdefault(f"{served.model}{_AT}{tokens}", (tokens, size))
        return None

    def _learn_size(self, profile: str) -> None:
        """Take what it really holds for what it takes."""
        tokens, planned = self._planned[profile]
        real = self._served_bytes + PROCESS_BYTES
        if abs(real - planned) > planned // 100:
            log.info("executive_size", extra={"planned": planned, "bytes": real})
            self._planned[profile] = (tokens, real)


def tokens_of(profile: str) -> int | None:
    """Return the context that a profile has; None where its name does not tell."""
    tokens = profile.rpartition(_AT)[2]
    return int(tokens) if tokens.isdigit() else None


def newer_needed(version: str) -> str | None:
    """Return the least version that is needed, where an Ollama is older."""
    return ".".join(map(str, MINIMUM)) if _numbers(version) < MINIMUM else None


def _is_runner(pid: int) -> bool:
    try:
        name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        return False
    return name.startswith(_RUNNERS)


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version; one that is none counts as new: it was built by hand."""
    parts = version.split("-")[0].split(".")
    numbers = tuple(int(part) for part in parts if part.isdigit())
    return numbers if len(numbers) == len(parts) and any(numbers) else (1 << 30,)
