"""Weights pulled from a hub over HTTP, whatever becomes of the connection, the hub and the disk."""

import asyncio
import hashlib
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AgentError, HubCutError, HubError, SettingsError, UsageError
from agent.hub_double import Asked, HubDouble
from agent.models.weights import pulling, shelf
from agent.models.weights.hub import Hub
from tools.senses.models import weights

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

TURBO = "whisper-turbo-fp16"
REPOSITORY = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"
SEGMENTS = "facebook/sam2.1-hiera-tiny"
LARGE = random.Random(7).randbytes(300_000)
FILES = {
    "config.json": b"{}",
    "preprocessor_config.json": b'{"feature_size": 128}',
    "model.bin": LARGE,
    "tokenizer.json": b"t" * 3_000,
    "vocabulary.json": b"[]",
    "README.md": b"Not asked for.",
}


def double(**more: Any) -> HubDouble:
    files = {REPOSITORY: dict(FILES), SEGMENTS: {"sam2.1_hiera_tiny.pt": b"s" * 5_000}}
    return HubDouble(repositories=files, **more)


class Pulled:
    """Pulls into a folder of the test's own, without pauses, and keeps what was told."""

    def __init__(self, data_dir: Path, url: str) -> None:
        self.data_dir = data_dir
        self.url = url
        self.events: list[dict[str, Any]] = []

    async def __call__(self, variant: str = TURBO, **more: Any) -> dict[str, Any]:
        return await pulling.pull(
            self.data_dir,
            variant,
            hub_url=self.url,
            watch=more.pop("watch", self.events.append),
            pauses_s=more.pop("pauses_s", ()),
            **more,
        )

    @property
    def said(self) -> list[str]:
        return [event["text"] for event in self.events if event["event"] == "pulling_step"]

    @property
    def parts(self) -> list[Path]:
        return sorted((shelf.coming(self.data_dir, TURBO) / "parts").glob("*"))


def on_shelf(data_dir: Path) -> list[str]:
    return sorted(entry.name for entry in (data_dir / "weights").iterdir())


def starts(hub: HubDouble) -> list[int]:
    """Where the large file was asked for from."""
    digest = hashlib.sha256(LARGE).hexdigest()
    return [one.start for one in hub.asked if one.method == "GET" and one.path.endswith(digest)]


async def test_weights_come_whole_and_are_pinned(serve: Serve, tmp_path: Path) -> None:
    hub = double()
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        done = await pull()

    folder = tmp_path / "weights" / TURBO
    manifest = weights.verified(folder)
    assert {name: (folder / name).read_bytes() for name in manifest.files} == {
        name: content for name, content in FILES.items() if name != "README.md"
    }
    for name, facts in manifest.files.items():
        assert facts.sha256 == hashlib.sha256(FILES[name]).hexdigest()
    assert (manifest.kind, manifest.source) == ("whisperx", REPOSITORY)
    assert manifest.revision == hub.commit(REPOSITORY)
    size = sum(len(content) for name, content in FILES.items() if name != "README.md")
    assert (done["bytes"], done["fetched_bytes"], done["licence"]) == (size, size, "MIT")
    assert "licence is MIT" in pull.said[0]
    assert pull.events[0]["event"] == "pulling_step", "the licence is said before anything comes"
    assert pull.events[-1]["done_bytes"] == pull.events[-1]["total_bytes"] == size
    assert [one.variant for one in shelf.available(tmp_path)] == [TURBO]
    assert on_shelf(tmp_path) == [TURBO], "nothing is left beside them"


async def test_what_is_asked_after_the_first_file_is_of_its_commit(
    serve: Serve, tmp_path: Path
) -> None:
    hub = double()
    async with serve(hub) as url:
        await Pulled(tmp_path, url)()
    asked = [one.path for one in hub.asked if "/resolve/" in one.path]
    assert sum("/resolve/main/" in path for path in asked) == 1
    assert all(f"/resolve/{hub.commit(REPOSITORY)}/" in path for path in asked[1:])


async def test_a_second_pull_fetches_nothing(serve: Serve, tmp_path: Path) -> None:
    hub = double()
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        await pull()
        hub.asked.clear()
        done = await pull()
    assert done["fetched_bytes"] == 0
    assert {one.method for one in hub.asked} == {"HEAD"}


async def test_a_connection_that_breaks_is_gone_on_with(serve: Serve, tmp_path: Path) -> None:
    hub = double(cuts={"model.bin": [100_000, 50_000]})
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        done = await pull(pauses_s=(0.0,))
    assert starts(hub) == [0, 100_000, 150_000], "what came in between earns another try"
    assert weights.verified(tmp_path / "weights" / TURBO)
    assert done["fetched_bytes"] == done["bytes"]
    assert sum("broke while model.bin came" in text for text in pull.said) == 2


async def test_a_connection_that_breaks_for_good_leaves_its_part_to_the_next_pull(
    serve: Serve, tmp_path: Path
) -> None:
    hub = double(cuts={"model.bin": [100_000]})
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        with pytest.raises(HubCutError, match=rf"broke .* `cortical models pull {TURBO}` goes on"):
            await pull()
        assert shelf.available(tmp_path) == ()
        assert shelf.unfinished(tmp_path) == (TURBO,)
        hub.asked.clear()
        done = await pull()
    assert starts(hub) == [100_000]
    assert done["fetched_bytes"] < done["bytes"] - 100_000 + 1
    assert [one.variant for one in shelf.available(tmp_path)] == [TURBO]
    assert shelf.unfinished(tmp_path) == ()


async def test_a_hub_without_ranges_begins_again(serve: Serve, tmp_path: Path) -> None:
    hub = double(cuts={"model.bin": [100_000]}, knows_ranges=False)
    async with serve(hub) as url:
        await Pulled(tmp_path, url)(pauses_s=(0.0,))
    assert weights.verified(tmp_path / "weights" / TURBO)


async def test_a_hub_that_is_busy_is_asked_again(serve: Serve, tmp_path: Path) -> None:
    hub = double()

    def watch(asked: Asked) -> None:
        if asked.method == "GET" and not hub.statuses:
            hub.statuses["config.json"] = [503, 429]

    hub.watch = watch
    async with serve(hub) as url:
        await Pulled(tmp_path, url)(pauses_s=(0.0, 0.0))
    assert hub.statuses == {"config.json": []}


@pytest.mark.parametrize("comes", [LARGE[:-1] + b"x", LARGE[1:] + LARGE[:1]])
async def test_other_bytes_than_were_promised_are_thrown_away(
    serve: Serve, tmp_path: Path, comes: bytes
) -> None:
    hub = double(served={"model.bin": comes})
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        with pytest.raises(HubError, match=r"came of model\.bin is not what .* thrown away"):
            await pull()
        assert all(part.stat().st_size < len(LARGE) for part in pull.parts)
        hub.served.clear()
        await pull()
    assert weights.verified(tmp_path / "weights" / TURBO)


async def test_a_small_file_is_held_against_its_blob(serve: Serve, tmp_path: Path) -> None:
    hub = double(served={"config.json": b"[]"})
    async with serve(hub) as url:
        with pytest.raises(HubError, match=r"came of config\.json is not what"):
            await Pulled(tmp_path, url)()


@pytest.mark.parametrize(
    ("comes", "said"),
    [(LARGE[:-7], "ended after 299993 of 300000 bytes"), (LARGE + b"x", "sends more than the")],
)
async def test_a_file_of_another_length_is_not_taken(
    serve: Serve, tmp_path: Path, comes: bytes, said: str
) -> None:
    hub = double(served={"model.bin": comes})
    async with serve(hub) as url:
        with pytest.raises(HubError, match=said):
            await Pulled(tmp_path, url)()
    assert shelf.available(tmp_path) == ()


async def test_a_file_that_changes_while_it_comes_is_noticed(serve: Serve, tmp_path: Path) -> None:
    hub = double(cuts={"model.bin": [100_000]}, tells_commit=False)

    def watch(asked: Asked) -> None:
        if asked.method == "GET" and asked.path.startswith("/bytes/"):
            hub.repositories[REPOSITORY]["model.bin"] = LARGE[::-1]

    hub.watch = watch
    # What was asked for before still lies where it led to.
    hub.repositories["old/old"] = {"model.bin": LARGE}
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        with pytest.raises(HubError, match=r"model\.bin changed at .* while it came"):
            await pull(pauses_s=(0.0,))
        hub.watch = lambda _: None
        await pull()
    folder = tmp_path / "weights" / TURBO
    assert (folder / "model.bin").read_bytes() == LARGE[::-1], "nothing of the old one is in it"


async def test_what_was_pinned_stays_until_the_newest_is_wished_for(
    serve: Serve, tmp_path: Path
) -> None:
    hub = double(tells_commit=False)  # as a mirror that only knows branches
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        await pull()
        hub.repositories[REPOSITORY]["model.bin"] = LARGE[::-1]
        with pytest.raises(HubError, match=rf"was pinned .* pull {TURBO} --newest"):
            await pull()
        assert (tmp_path / "weights" / TURBO / "model.bin").read_bytes() == LARGE
        done = await pull(newest=True)
        assert done["fetched_bytes"] == len(LARGE) + sum(
            len(FILES[name]) for name in FILES if name != "README.md" and len(FILES[name]) < 1_000
        ), "what is the same and large is taken from the shelf"
    assert (tmp_path / "weights" / TURBO / "model.bin").read_bytes() == LARGE[::-1]
    assert on_shelf(tmp_path) == [TURBO]


async def test_a_small_file_that_was_pinned_does_not_change_either(
    serve: Serve, tmp_path: Path
) -> None:
    hub = double(tells_commit=False)
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        await pull()
        hub.repositories[REPOSITORY]["config.json"] = b"[]"
        with pytest.raises(HubError, match=r"config\.json of .* was pinned"):
            await pull()


async def test_a_commit_that_is_no_more_is_said(serve: Serve, tmp_path: Path) -> None:
    hub = double()
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        await pull()
        hub.repositories[REPOSITORY]["config.json"] = b"[]"
        with pytest.raises(HubError, match=r"no revision .* --newest"):
            await pull()


async def test_a_damaged_file_is_fetched_anew_and_no_other(serve: Serve, tmp_path: Path) -> None:
    hub = double()
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        await pull()
        damaged = tmp_path / "weights" / TURBO / "tokenizer.json"
        damaged.write_bytes(b"u" * 3_000)
        hub.asked.clear()
        await pull()
    assert damaged.read_bytes() == FILES["tokenizer.json"]
    assert starts(hub) == []


async def test_variants_of_the_same_file_share_its_bytes(serve: Serve, tmp_path: Path) -> None:
    hub = double()
    hub.repositories["Systran/faster-whisper-large-v3"] = dict(FILES)
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        await pull("whisper-large-v3-fp16")
        hub.asked.clear()
        await pull("whisper-large-v3-int8")
        assert starts(hub) == []
        places = [tmp_path / "weights" / name for name in on_shelf(tmp_path)]
        assert len({(place / "model.bin").stat().st_ino for place in places}) == 1
        shelf.remove(tmp_path, "whisper-large-v3-fp16")
    assert weights.verified(tmp_path / "weights" / "whisper-large-v3-int8")


async def test_a_shared_file_is_never_written_into(serve: Serve, tmp_path: Path) -> None:
    hub = double()
    hub.repositories["Systran/faster-whisper-large-v3"] = dict(FILES)
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        await pull("whisper-large-v3-fp16")
        mine = tmp_path / "weights" / "whisper-large-v3-fp16" / "model.bin"
        damaged = LARGE[:-1] + b"!"
        mine.write_bytes(damaged)
        await pull("whisper-large-v3-int8")
    assert mine.read_bytes() == damaged
    assert weights.verified(tmp_path / "weights" / "whisper-large-v3-int8")


async def test_a_second_process_is_told_to_wait(serve: Serve, tmp_path: Path) -> None:
    async with serve(double()) as url:
        with shelf.alone(tmp_path):
            done = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-c", PULL, str(tmp_path), url],
                capture_output=True,
                text=True,
                check=False,
            )
        assert "Another process brings or removes weights" in done.stdout, done.stderr
        await Pulled(tmp_path, url)()


PULL = """
import asyncio, sys
from pathlib import Path
from agent.errors import AgentError
from agent.models.weights import pulling

def watch(event):
    if event["event"] == "pulling":
        print(event["done_bytes"], flush=True)

async def main():
    await pulling.pull(
        Path(sys.argv[1]), "whisper-turbo-fp16", hub_url=sys.argv[2], watch=watch
    )

try:
    asyncio.run(main())
except AgentError as error:
    print(error)
"""


async def test_a_killed_pull_is_gone_on_with(serve: Serve, tmp_path: Path) -> None:
    hub = double(hangs={"model.bin": 100_000})
    async with serve(hub) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PULL, str(tmp_path), url, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        while int(await process.stdout.readline()) < 100_000:
            pass
        process.kill()
        await process.communicate()
        pull = Pulled(tmp_path, url)
        came = max(part.stat().st_size for part in pull.parts)
        hub.hangs.clear()
        hub.asked.clear()
        await pull()
    assert starts(hub) == [came]
    assert weights.verified(tmp_path / "weights" / TURBO)


@pytest.mark.parametrize("moved", [0, 2, 5])
async def test_one_killed_while_it_was_put_together_is_gone_on_with(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    """`moved` of five files are in their places, and for five the manifest is written as well."""
    hub = double()
    async with serve(hub) as url:
        pull = Pulled(tmp_path, url)
        with monkeypatch.context() as patched:
            _die_when(patched, moved)
            with pytest.raises(KeyboardInterrupt):
                await pull()
        assert shelf.available(tmp_path) == ()
        hub.asked.clear()
        done = await pull()
    assert done["fetched_bytes"] == 0
    assert starts(hub) == []
    assert weights.verified(tmp_path / "weights" / TURBO)


def _die_when(patched: pytest.MonkeyPatch, moved: int) -> None:
    """Have a rename fail as if the process ended there."""
    original, count = Path.rename, [0]

    def rename(self: Path, target: Path) -> Path:
        if "whole" in str(target) or self.name == "whole":
            if count[0] == moved:
                raise KeyboardInterrupt
            count[0] += 1
        return original(self, target)

    patched.setattr(Path, "rename", rename)


@pytest.mark.parametrize(
    "leads_to",
    ["http://127.0.0.2.example", "ftp://127.0.0.1", "http://user@127.0.0.1", "//evil.example"],
)
async def test_it_is_led_to_no_place_that_is_not_https(
    serve: Serve, tmp_path: Path, leads_to: str
) -> None:
    async with serve(double(leads_to=leads_to)) as url:
        with pytest.raises(HubError, match=r"leads to .* over HTTPS only"):
            await Pulled(tmp_path, url)()


async def test_an_endless_chain_of_places_ends(serve: Serve, tmp_path: Path) -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = [(b"location", b"/again")]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async with serve(app) as url:
        with pytest.raises(HubError, match="does not say the length and the digest"):
            await Pulled(tmp_path, url)()


@pytest.mark.parametrize(
    "url",
    [
        *("http://hub.example", "ftp://hub.example", "hub.example", "", "https://"),
        *("https://u:p@hub", "http://127.0.0.1.hub.example", "http://[::1"),
    ],
)
def test_a_hub_is_reached_over_https_or_on_this_machine(url: str) -> None:
    with pytest.raises(SettingsError, match=r"senses\.hub_url"):
        Hub(url)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: files.pop(REPOSITORY), "has no repository|account"),
        (lambda files: files[REPOSITORY].pop("tokenizer.json"), r"has no tokenizer\.json in"),
        (lambda files: files[REPOSITORY].pop("vocabulary.json"), r"json or vocabulary\.txt in"),
    ],
)
async def test_what_the_hub_has_not_is_named(
    serve: Serve, tmp_path: Path, change: Callable[[Any], Any], said: str
) -> None:
    hub = double()
    change(hub.repositories)
    async with serve(hub) as url:
        with pytest.raises(HubError, match=said):
            await Pulled(tmp_path, url)()


async def test_the_first_of_several_names_that_is_there_is_taken(
    serve: Serve, tmp_path: Path
) -> None:
    hub = double()
    hub.repositories[REPOSITORY]["vocabulary.txt"] = hub.repositories[REPOSITORY].pop(
        "vocabulary.json"
    )
    async with serve(hub) as url:
        await Pulled(tmp_path, url)()
    assert "vocabulary.txt" in weights.read(tmp_path / "weights" / TURBO).files


async def test_no_hub_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(HubCutError, match=r"does not answer: .*senses\.hub_url"):
        await Pulled(tmp_path, "http://127.0.0.1:9")()


async def test_a_name_that_nobody_knows_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'wav2vec2-xx' are is not known\. Pull one of whisper"):
        await Pulled(tmp_path, "http://127.0.0.1:9")("wav2vec2-xx")


async def test_weights_that_were_added_by_hand_are_not_pulled_over(
    serve: Serve, tmp_path: Path
) -> None:
    folder = tmp_path / "weights" / TURBO
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"mine")
    facts = {"model.bin": weights.FileFacts(bytes=4, sha256=hashlib.sha256(b"mine").hexdigest())}
    manifest = weights.Manifest(
        variant=TURBO, kind="whisperx", source="/mine", revision="", files=facts
    )
    weights.write(folder, manifest)
    async with serve(double()) as url:
        with pytest.raises(AgentError, match=rf"came from /mine.*models remove {TURBO}"):
            await Pulled(tmp_path, url)()
    assert (folder / "model.bin").read_bytes() == b"mine"


FULL = """
import asyncio, ctypes, os, sys
from pathlib import Path
from agent.errors import AgentError
from agent.models.weights import pulling, shelf

disk, url, size = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
disk.mkdir()
assert not ctypes.CDLL(None).mount(b"tmpfs", bytes(disk), b"tmpfs", 0, f"size={size}".encode())
ballast = disk / "ballast"

def fill(event):
    # Somebody else fills the disk, once it was found large enough.
    if event["event"] == "pulling" and event["done_bytes"] and not ballast.exists():
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass

async def pull(watch):
    try:
        await pulling.pull(disk, "whisper-turbo-fp16", hub_url=url, watch=watch)
    except AgentError as error:
        print(error)
    print([one.variant for one in shelf.available(disk)])

async def main():
    await pull(fill)
    if ballast.exists():
        ballast.unlink()
        await pull(lambda _: None)

asyncio.run(main())
"""
PREFIX = ("unshare", "-rm")


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.call([*PREFIX, "true"]) != 0,
    reason="a disk of one's own cannot be mounted here",
)
@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("200k", ["0.00 GB of whisper-turbo-fp16 have yet to come, and only 0.00 GB are", "[]"]),
        ("400k", ["The disk of ", "[]", "['whisper-turbo-fp16']"]),
    ],
)
async def test_a_disk_that_is_full_or_fills_up_is_said(
    serve: Serve, tmp_path: Path, size: str, said: list[str]
) -> None:
    async with serve(double()) as url:
        done = await asyncio.to_thread(
            subprocess.run,
            [*PREFIX, sys.executable, "-c", FULL, str(tmp_path / "disk"), url, size],
            capture_output=True,
            text=True,
            check=False,
        )
    lines = done.stdout.splitlines()
    assert len(lines) == len(said), done.stderr
    for line, beginning in zip(lines, said, strict=True):
        assert line.startswith(beginning)
