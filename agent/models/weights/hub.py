"""A hub of models: what it says of a file, and the file's bytes from any point on.

A file's address names its repository, a revision and its name. The hub says its length and a digest
of it: the SHA-256 of a large file, which lies on another host, the SHA-1 of git's blob for a small
one. It answers a branch with the commit that it is now, and what is then asked for is of that one.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

import httpx

from agent.errors import HubCutError, HubError, SettingsError

_CONNECT_S, _SILENCE_S = 10.0, 60.0
_MOST_HOPS = 5
_DIGEST = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_PASSING = (408, 429)
"""Refusals that do not last, besides all errors of the server's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteFile:
    """A file, as a hub tells of it."""

    name: str
    url: str
    revision: str
    """The commit that it is of; what was asked for where the hub tells none."""
    bytes: int
    digest: str
    """Hexadecimal: the SHA-256 of the file, or, of forty digits, the SHA-1 of git's blob."""


class Hub:
    """A hub at an address: HTTPS, or a server on this machine."""

    def __init__(self, url: str) -> None:
        """Open nothing yet. Raises SettingsError."""
        self.url = url.rstrip("/")
        parsed = _parsed(self.url)
        self._local = parsed is not None and parsed.scheme == "http" and _is_loopback(parsed.host)
        if parsed is None or not self._safe(parsed):
            raise SettingsError(
                f"The setting senses.hub_url = {url!r} is no address that weights are fetched "
                "from: it has to begin with https://, or be http:// of this machine."
            )
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(_SILENCE_S, connect=_CONNECT_S),
            follow_redirects=False,
            trust_env=not self._local,
            verify=not self._local,
            headers={"accept-encoding": "identity"},
        )

    async def aclose(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def file(self, repository: str, revision: str, name: str) -> RemoteFile | None:
        """Return what the hub says of a file; None if the repository has none of that name.

        Raises HubError.
        """
        url = _parsed(f"{self.url}/{repository}/resolve/{quote(revision, safe='')}/{quote(name)}")
        assert url is not None, "the hub's address was parsed before"
        told: dict[str, str] = {}
        for _ in range(_MOST_HOPS):
            response = await self._answer("HEAD", url, stream=False)
            self._refuse_unknown(response, repository, revision)
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            self._refuse(response, repository)
            told = {**_told(response), **told}
            if not response.has_redirect_location or {"digest", "bytes"} <= told.keys():
                break
            url = self._next(url, response)
        return self._file(repository, revision, name, told)

    @asynccontextmanager
    async def opened(
        self, file: RemoteFile, start: int
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """Ask for a file from a byte on; yield from where the answer begins, and its pieces.

        A hub that knows no ranges begins at 0. Raises HubError, HubCutError also from the pieces.
        """
        url = _parsed(file.url)
        assert url is not None, "the hub's address was parsed before"
        wish = {"range": f"bytes={start}-"} if start else {}
        for _ in range(_MOST_HOPS):
            response = await self._answer("GET", url, stream=True, headers=wish)
            try:
                self._refuse_changed(response, file)
                if not response.has_redirect_location:
                    self._refuse(response, file.name)
                    yield self._begins(response, file, start), self._pieces(response, file)
                    return
                url = self._next(url, response)
            finally:
                await response.aclose()
        raise HubError(f"{self.url} sends whoever asks for {file.name} from place to place.")

    def _file(self, repository: str, revision: str, name: str, told: dict[str, str]) -> RemoteFile:
        digest, size = told.get("digest", ""), told.get("bytes", "")
        if not _DIGEST.fullmatch(digest) or not size.isascii() or not size.isdigit():
            raise HubError(
                f"{self.url} does not say the length and the digest of {name} in {repository}, so "
                "it cannot be told whether it comes whole. Is senses.hub_url a hub of models?"
            )
        commit = told.get("commit", "")
        known = commit if _COMMIT.fullmatch(commit) else revision
        return RemoteFile(
            name=name,
            url=f"{self.url}/{repository}/resolve/{quote(known, safe='')}/{quote(name)}",
            revision=known,
            bytes=int(size),
            digest=digest,
        )

    async def _answer(
        self, method: str, url: httpx.URL, *, stream: bool, **more: Any
    ) -> httpx.Response:
        try:
            request = self._http.build_request(method, url, **more)
            return await self._http.send(request, stream=stream)
        except httpx.HTTPError as error:
            raise HubCutError(
                f"{url.host} does not answer: {str(error) or type(error).__name__}. Is there a "
                "network? Another hub can be named by the setting senses.hub_url."
            ) from error

    def _next(self, url: httpx.URL, response: httpx.Response) -> httpx.URL:
        """Return where an answer leads to, if weights may be fetched there."""
        location = response.headers["location"]
        parsed = _parsed(location)
        following = None if parsed is None else url.join(parsed)
        if following is None or not self._safe(following):
            raise HubError(
                f"{url.host} leads to {location[:80]!r}, and weights are fetched over HTTPS only."
            )
        return following

    def _safe(self, url: httpx.URL) -> bool:
        if not url.host or url.userinfo:
            return False
        return url.scheme == "https" or (
            self._local and url.scheme == "http" and _is_loopback(url.host)
        )

    def _refuse_unknown(self, response: httpx.Response, repository: str, revision: str) -> None:
        code = response.headers.get("x-error-code", "")
        if code == "RevisionNotFound":
            raise HubError(
                f"{self.url} has no revision {revision} of {repository} any more. `cortical models "
                "pull --newest` takes what is there now."
            )
        if code == "RepoNotFound":
            raise HubError(
                f"{self.url} has no repository {repository}, or shows it to some accounts only. "
                "Bring the files yourself, then `cortical models add PATH`."
            )

    def _refuse(self, response: httpx.Response, what: str) -> None:
        status = response.status_code
        if status < httpx.codes.BAD_REQUEST:
            return
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _PASSING:
            raise HubCutError(f"{self.url} answers {status} for {what}. Try again later.")
        if status in (401, 403):
            raise HubError(
                f"{self.url} gives {what} to those with an account only, or has it no more. Bring "
                "it yourself, then `cortical models add PATH`."
            )
        raise HubError(f"{self.url} refuses {what} with {status}.")

    def _refuse_changed(self, response: httpx.Response, file: RemoteFile) -> None:
        # The place that it leads to, where the bytes of large files lie, has tags of its own kind.
        if "x-linked-etag" not in response.headers and str(response.url) != file.url:
            return
        digest = _told(response).get("digest", file.digest)
        if digest != file.digest:
            raise HubError(
                f"{file.name} changed at {self.url} while it came. Pull again to begin it anew."
            )

    def _begins(self, response: httpx.Response, file: RemoteFile, start: int) -> int:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise HubError(f"{response.url.host} sends {file.name} compressed, unasked.")
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            return 0
        found = _RANGE.fullmatch(response.headers.get("content-range", ""))
        if found is None or int(found[1]) != start or found[2] not in ("*", str(file.bytes)):
            raise HubError(
                f"{response.url.host} sends another part of {file.name} than it was asked for."
            )
        return start

    async def _pieces(self, response: httpx.Response, file: RemoteFile) -> AsyncIterator[bytes]:
        try:
            async for piece in response.aiter_raw():
                yield piece
        except httpx.HTTPError as error:
            raise HubCutError(
                f"The connection to {response.url.host} broke while {file.name} came: "
                f"{str(error) or type(error).__name__}."
            ) from error


def _told(response: httpx.Response) -> dict[str, str]:
    """Return digest, length and commit, as far as an answer says them of the file itself."""
    headers = response.headers
    here = not response.has_redirect_location
    found = {
        "digest": headers.get("x-linked-etag") or (headers.get("etag", "") if here else ""),
        "bytes": headers.get("x-linked-size")
        or (headers.get("content-length", "") if here else ""),
        "commit": headers.get("x-repo-commit", ""),
    }
    found["digest"] = found["digest"].removeprefix("W/").strip('"').lower()
    if not _DIGEST.fullmatch(found["digest"]):
        del found["digest"]
    return {name: value for name, value in found.items() if value}


def _parsed(url: str) -> httpx.URL | None:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
