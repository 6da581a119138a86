"""Weights brought from a hub, whatever breaks off meanwhile.

    weights/.coming-VARIANT/parts/…   what has come of each file, under a name made of its digest
    weights/.coming-VARIANT/whole/…   put together when all has come and is what the hub says
    weights/VARIANT/                  the same folder, renamed

A killed pull leaves its parts, and the next one goes on where they end. The first pull of a variant
pins its files: a later one takes the same commit, and nothing of another SHA-256.
"""

import asyncio
import errno
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from agent.errors import AgentError, HubCutError, HubError, UsageError
from agent.models.pulling import Progress, Watch
from agent.models.weights import catalogue, shelf
from agent.models.weights.catalogue import Source
from agent.models.weights.hub import Hub, RemoteFile
from tools.senses.errors import WeightsError
from tools.senses.models import weights
from tools.senses.models.weights import FileFacts, Manifest

log = logging.getLogger(__name__)

PAUSES_S = (1.0, 4.0, 15.0)
"""After a break, until it is tried again; begun anew whenever something came in between."""

_SHA256_DIGITS = 64
_FULL = (errno.ENOSPC, errno.EDQUOT)


async def pull(
    data_dir: Path,
    variant: str,
    *,
    hub_url: str,
    watch: Watch,
    newest: bool = False,
    pauses_s: Sequence[float] = PAUSES_S,
    timer: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Bring the weights of a variant and return what came.

    `newest` takes what the hub has now in place of what was pinned. Raises UsageError, AgentError
    or WeightsError.
    """
    source = catalogue.source(variant)
    if source is None:
        raise UsageError(
            f"Where the weights {variant!r} are is not known. Pull one of "
            f"{', '.join(catalogue.variants())}, or `cortical models add PATH`."
        )
    began = timer()
    with shelf.alone(data_dir), _disk(data_dir, variant):
        async with aclosing(Hub(hub_url)) as hub:
            task = _Pull(data_dir, variant, source, hub, watch=watch, pauses_s=pauses_s)
            done = await task.run(Progress(variant, timer=timer), newest=newest)
    return {**done, "licence": source.licence, "seconds": round(timer() - began, 2)}


class _Pull:
    """One variant on its way."""

    def __init__(
        self,
        data_dir: Path,
        variant: str,
        source: Source,
        hub: Hub,
        *,
        watch: Watch,
        pauses_s: Sequence[float],
    ) -> None:
        self._data_dir = data_dir
        self._variant = variant
        self._source = source
        self._hub = hub
        self._watch = watch
        self._pauses_s = pauses_s
        self._target = shelf.folder(data_dir, variant)
        self._coming = shelf.coming(data_dir, variant)
        self._parts = self._coming / "parts"
        self._whole = self._coming / "whole"

    async def run(self, progress: Progress, *, newest: bool) -> dict[str, Any]:
        pinned = self._pinned()
        revision = self._source.revision if pinned is None or newest else pinned.revision
        files = await self._files(revision)
        size = sum(one.bytes for one in files)
        self._say(
            f"{self._variant}: {size / 1e9:.2f} GB of {self._source.repository}, whose licence is "
            f"{self._source.licence}"
        )
        held = {} if pinned is None or newest else pinned.files
        _refuse_others(self._variant, held, files)
        if pinned is None or not await asyncio.to_thread(self._is_here, pinned, files):
            await self._bring(files, held, progress)
        return {
            "model": self._variant,
            "source": self._source.repository,
            "revision": files[0].revision,
            "bytes": size,
            "fetched_bytes": progress.fetched_bytes,
        }

    def _pinned(self) -> Manifest | None:
        """Return what an earlier pull brought. Raises AgentError where it was no pull."""
        if not self._target.exists():
            return None
        try:
            manifest = weights.read(self._target)
        except WeightsError:
            return None
        if manifest.source != self._source.repository:
            raise AgentError(
                f"The weights {self._variant} that are here came from {manifest.source}. `cortical "
                f"models remove {self._variant}` makes room for those of {self._source.repository}."
            )
        return manifest

    async def _files(self, revision: str) -> list[RemoteFile]:
        """Ask the hub for what there is of the catalogue's files, all of one commit."""
        found = []
        for part in (one for one in self._source.parts if one.pulled):
            file = None
            for name in part.names:
                file = await self._hub.file(self._source.repository, revision, name)
                if file is not None:
                    revision = file.revision
                    found.append(file)
                    break
            if file is None and part.needed:
                raise HubError(
                    f"{self._hub.url} has no {' or '.join(part.names)} in "
                    f"{self._source.repository}: the repository has changed. Bring the files "
                    "yourself, then `cortical models add PATH`."
                )
        return found

    def _is_here(self, pinned: Manifest, files: Sequence[RemoteFile]) -> bool:
        """Return whether just these files are here, by their contents."""
        if pinned.files.keys() != {one.name for one in files}:
            return False
        try:
            weights.verified(self._target)
            return all(_is(self._target / one.name, one, pinned.files[one.name]) for one in files)
        except (WeightsError, OSError):
            return False

    async def _bring(
        self, files: Sequence[RemoteFile], held: Mapping[str, FileFacts], progress: Progress
    ) -> None:
        await asyncio.to_thread(self._prepare, files)
        for file in files:
            self._tell(progress, file, _size(self._part(file)))
        missing = sum(file.bytes - _size(self._part(file)) for file in files)
        self._refuse_narrow(missing)
        facts = {}
        for file in files:
            tell = partial(self._tell, progress, file)
            facts[file.name] = await self._fetched(file, tell)
            _refuse_other(self._variant, held.get(file.name), file.name, facts[file.name].sha256)
        manifest = Manifest(
            variant=self._variant,
            kind=self._source.kind,
            source=self._source.repository,
            revision=files[0].revision,
            files=facts,
        )
        await asyncio.to_thread(self._put_together, files, manifest)

    def _prepare(self, files: Sequence[RemoteFile]) -> None:
        """Keep the parts that are of use, and take what is on the shelf already."""
        self._parts.mkdir(parents=True, exist_ok=True)
        wanted = {self._part(file).name for file in files}
        for file in files:
            put = self._whole / file.name
            if put.exists():
                put.replace(self._part(file))
        shutil.rmtree(self._whole, ignore_errors=True)
        for part in list(self._parts.iterdir()):
            if part.name not in wanted:
                part.unlink()
        on_shelf = _by_digest(self._data_dir)
        for file in files:
            part, other = self._part(file), on_shelf.get(file.digest)
            shared = part.exists() and part.stat().st_nlink > 1
            if _size(part) > file.bytes or (shared and _size(part) < file.bytes):
                part.unlink()
            if other is not None and _size(part) < file.bytes:
                _share(other, part, file)

    def _part(self, file: RemoteFile) -> Path:
        """Return where a file comes; under another name once it is another."""
        named = f"{file.name}\n{file.digest}\n{file.bytes}".encode()
        return self._parts / hashlib.sha256(named).hexdigest()

    def _refuse_narrow(self, missing: int) -> None:
        free = shutil.disk_usage(self._parts).free
        if free < missing:
            raise AgentError(
                f"{missing / 1e9:.2f} GB of {self._variant} have yet to come, and only "
                f"{free / 1e9:.2f} GB are free in {self._coming.parent}. Free some space, or "
                "remove weights with `cortical models remove`."
            )

    async def _fetched(self, file: RemoteFile, tell: Callable[[int], None]) -> FileFacts:
        part = self._part(file)
        part.touch()
        await self._through_breaks(lambda: self._append(file, part, tell), part)
        sha256, digest = await asyncio.to_thread(_digests, part, file)
        if digest != file.digest:
            part.unlink()
            raise HubError(
                f"What came of {file.name} is not what {self._hub.url} says it is: {digest}, not "
                f"{file.digest}. It was thrown away. {_again(self._variant)}"
            )
        return FileFacts(bytes=file.bytes, sha256=sha256)

    async def _through_breaks(self, append: Callable[[], Awaitable[bool]], part: Path) -> None:
        """Append until the file is whole, with pauses after breaks."""
        pauses = list(self._pauses_s)
        whole = False
        while not whole:
            before = _size(part)
            try:
                whole = await append()
            except HubCutError as error:
                if _size(part) > before:
                    pauses = list(self._pauses_s)
                if not pauses:
                    raise HubCutError(f"{error} {_again(self._variant)}") from error
                self._say(f"{error} It is tried again.")
                await asyncio.sleep(pauses.pop(0))

    async def _append(self, file: RemoteFile, part: Path, tell: Callable[[int], None]) -> bool:
        """Fetch from where the part ends; return that it is whole."""
        have = _size(part)
        if have < file.bytes:
            with part.open("r+b") as out:
                async with self._hub.opened(file, have) as (start, pieces):
                    out.truncate(start)
                    out.seek(start)
                    have = start
                    async for piece in pieces:
                        have += len(piece)
                        if have > file.bytes:
                            break
                        await asyncio.to_thread(out.write, piece)
                        tell(have)
                out.flush()
                await asyncio.to_thread(os.fsync, out.fileno())
        if have < file.bytes:
            raise HubCutError(f"{file.name} ended after {have} of {file.bytes} bytes.")
        if have > file.bytes:
            await asyncio.to_thread(part.unlink)
            raise HubError(
                f"{self._hub.url} sends more than the {file.bytes} bytes of {file.name}."
            )
        return True

    def _put_together(self, files: Sequence[RemoteFile], manifest: Manifest) -> None:
        for file in files:
            place = self._whole / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            self._part(file).rename(place)
        shelf.take_in(self._data_dir, self._whole, manifest)
        shutil.rmtree(self._coming)

    def _tell(self, progress: Progress, file: RemoteFile, done: int) -> None:
        event = {"digest": file.name, "total": file.bytes, "completed": done}
        told = progress.take(event)
        if told is not None:
            self._watch(told)

    def _say(self, text: str) -> None:
        self._watch({"event": "pulling_step", "model": self._variant, "text": text})


@contextmanager
def _disk(data_dir: Path, variant: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise AgentError(
            f"The disk of {shelf.root(data_dir)} is full. Free some space. {_again(variant)}"
        ) from error


def _refuse_others(
    variant: str, held: Mapping[str, FileFacts], files: Sequence[RemoteFile]
) -> None:
    """Refuse what differs from the pins before gigabytes of it come."""
    for file in files:
        if len(file.digest) == _SHA256_DIGITS:
            _refuse_other(variant, held.get(file.name), file.name, file.digest)


def _refuse_other(variant: str, pinned: FileFacts | None, name: str, sha256: str) -> None:
    if pinned is not None and pinned.sha256 != sha256:
        raise HubError(
            f"{name} of {variant} was pinned when it was first pulled, and the hub has another "
            f"one now: SHA-256 {sha256}, not {pinned.sha256}. `cortical models pull {variant} "
            "--newest` takes it, if that is what you want."
        )


def _by_digest(data_dir: Path) -> dict[str, Path]:
    """Return the files on the shelf by their SHA-256, those that are only linked to left out."""
    found = {}
    for one in shelf.surveyed(data_dir):
        try:
            manifest = weights.read(one.folder)
        except WeightsError:
            continue
        found.update(
            {
                facts.sha256: one.folder / name
                for name, facts in manifest.files.items()
                if facts.at is None
            }
        )
    return found


def _share(other: Path, part: Path, file: RemoteFile) -> None:
    """Share the bytes of a file on the shelf, if they are right and the file system can."""
    try:
        if _size(other) == file.bytes and weights.digest(other) == file.digest:
            part.unlink(missing_ok=True)
            os.link(other, part)
    except OSError as error:
        log.info("weights_not_shared", extra={"file": str(other), "reason": str(error)})


def _is(path: Path, file: RemoteFile, facts: FileFacts) -> bool:
    if len(file.digest) == _SHA256_DIGITS:
        return facts.sha256 == file.digest
    return _digests(path, file)[1] == file.digest


def _digests(path: Path, file: RemoteFile) -> tuple[str, str]:
    """Return the SHA-256 of a file, and the digest that the hub names it by."""
    sha256 = weights.digest(path)
    if len(file.digest) == _SHA256_DIGITS:
        return sha256, sha256
    blob = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            blob.update(block)
    return sha256, blob.hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _again(variant: str) -> str:
    return f"`cortical models pull {variant}` goes on where it stopped."
