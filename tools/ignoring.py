"""Which files below a folder are passed over: what is hidden, built, or ignored by rules.

Rules are patterns as in `.gitignore`. A path is passed over that one of these sets names:

- `USUAL`, and within a repository `IN_REPOSITORY`
- what git ignores, in its own order: the user's `core.excludesFile`, `.git/info/exclude`, each
  `.gitignore` from the top of the repository down

unless a `.corticalignore` in a folder above it says otherwise, the innermost last: that may add
patterns, and `!node_modules/` there brings back what the sets leave out. `.git` itself is never
entered, and a folder that is passed over is not looked into.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tools.reading import maildir
from tools.reading.base import UnreadableError
from tools.reading.disk import head

OWN_FILE = ".corticalignore"
USUAL = """
.*
*~
~$*
Thumbs.db
desktop.ini
node_modules/
__pycache__/
*.pyc
"""
"""Passed over everywhere: hidden, for editors and the desktop, or made by a package manager."""
IN_REPOSITORY = """
!.github/
!.gitlab/
!.gitlab-ci.yml
!.circleci/
!.devcontainer/
!.pre-commit-config.yaml
!.env.example
package-lock.json
npm-shrinkwrap.json
yarn.lock
pnpm-lock.yaml
bun.lock
Cargo.lock
Pipfile.lock
poetry.lock
pdm.lock
uv.lock
composer.lock
Gemfile.lock
Podfile.lock
pubspec.lock
mix.lock
flake.lock
gradle.lockfile
go.sum
*.min.js
*.min.mjs
*.min.css
*.map
*.pb.go
*.pb.cc
*.pb.h
*_pb2.py
*_pb2.pyi
*_pb2_grpc.py
*.g.dart
vendor/
third_party/
bower_components/
site-packages/
*.egg-info/
dist/
htmlcov/
*.o
*.obj
*.a
*.so
*.dylib
*.dll
*.exe
*.class
*.jar
*.wasm
"""
"""Passed over in a repository: locked versions, minified and generated code, others' code, what a
build leaves. Of what is hidden, what people write for others to read is not."""

_BYTES_LIMIT = 1 << 20
"""Of a file of rules that are read."""


_LETTERS, _FOLDERS, _ANYWHERE = "[^/]*", "(?:/.+)?", "^(?:.+/)?"
"""What pathspec writes for `*`, for `/**` within a pattern, and for a beginning at any depth."""

Patterns = tuple[tuple[re.Pattern[str], bool], ...]
"""Each with whether it leaves out or brings back; the last one that matches counts."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """Patterns that hold below a folder."""

    base: str
    """Path of the folder with a slash behind it."""
    patterns: "Patterns"

    def verdict(self, path: str) -> bool | None:
        """Return whether a path is ignored; None where no pattern says anything."""
        return _decided(self.patterns, path.removeprefix(self.base))


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the entries of a folder."""

    repository: bool = False
    git: tuple[_Layer, ...] = ()
    own: tuple[_Layer, ...] = ()

    @classmethod
    def of(cls, folder: Path) -> "Rules":
        """Return the rules for the entries of a folder that is named: it is read in any case.

        Blocks.
        """
        rules = cls()
        for at in (*reversed(folder.parents), folder):
            if rules.ignores(at, folder=True):
                rules = cls()
            rules = rules.within(at)
        return rules

    def ignores(self, path: Path, *, folder: bool) -> bool:
        """Return whether an entry is passed over."""
        if path.name == ".git":
            return True
        text = f"{path}/" if folder else str(path)
        if (verdict := _verdict(self.own, text)) is not None:
            return verdict
        if _verdict(self.git, text):
            return True
        name = f"{path.name}/" if folder else path.name
        verdict = _decided(_built_in(IN_REPOSITORY), name) if self.repository else None
        if verdict is None:
            verdict = _decided(_built_in(USUAL), name)
        return bool(verdict)

    def within(self, folder: Path) -> "Rules":
        """Return the rules for the entries of a folder that the present ones hold for. Blocks."""
        rules = self
        if (exclude := _exclude_file(folder)) is not None:
            outer = [
                layer for layer in (_layer(folder, _users_file()), _layer(folder, exclude)) if layer
            ]
            rules = replace(rules, repository=True, git=tuple(outer))
        if rules.repository and (layer := _layer(folder, folder / ".gitignore")):
            rules = replace(rules, git=(*rules.git, layer))
        if layer := _layer(folder, folder / OWN_FILE):
            rules = replace(rules, own=(*rules.own, layer))
        return rules


def reaches(root: Path, path: Path) -> bool:
    """Return whether a walk from a folder comes to a path below it, or would if it were there.

    Blocks.
    """
    if root == path:
        return True
    if not path.is_relative_to(root):
        return False
    rules, at = Rules.of(root), root
    for part in path.relative_to(root).parts:
        at /= part
        if rules.ignores(at, folder=at != path or at.is_dir()) and not maildir.shows(at):
            return False
        rules = rules.within(at)
    return True


def _verdict(layers: tuple[_Layer, ...], path: str) -> bool | None:
    """Return what the innermost layer says that says anything."""
    verdicts = (layer.verdict(path) for layer in reversed(layers))
    return next((verdict for verdict in verdicts if verdict is not None), None)


def _layer(folder: Path, file: Path | None) -> _Layer | None:
    """Read a file of patterns that hold below a folder; None where there is none to be read."""
    if file is None:
        return None
    try:
        text = os.fsdecode(head(file, _BYTES_LIMIT))
    except (OSError, UnreadableError):
        return None
    patterns = _compiled(text.splitlines())
    return _Layer(f"{folder}/".replace("//", "/"), patterns) if patterns else None


def _compiled(lines: Iterable[str]) -> Patterns:
    """Compile patterns; one that is none is passed over, as git does."""
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    compiled = []
    for line in lines:
        try:
            pattern = GitIgnoreSpecPattern(line)
        except ValueError:
            continue
        if pattern.include is not None and pattern.regex is not None:
            compiled.append((re.compile(_decisive(pattern.regex.pattern)), pattern.include))
    return tuple(compiled)


def _decisive(expression: str) -> str:
    """Return a pattern's expression so that it goes back over a path for its last stars only.

    What stands between two stars may be taken where it is met first. Tried at each place, a
    pattern of thirty stars would hold up the walk for years.
    """
    first, *names = expression.split(_FOLDERS)
    if names and first.startswith(_ANYWHERE):
        first = f"^(?>(?:.+?/)??{first.removeprefix(_ANYWHERE)}(?=/))"
    between = [f"(?>(?:/.+?)??{name}(?=/))" for name in names[:-1]]
    whole = first + "".join(between) + "".join(_FOLDERS + name for name in names[-1:])
    begin, *pieces = whole.split(_LETTERS)
    held = [
        f"(?>[^/]*?{piece})" if "/" not in piece.replace("[^/]", "") else _LETTERS + piece
        for piece in pieces[:-1]
    ]
    return begin + "".join(held) + "".join(_LETTERS + piece for piece in pieces[-1:])


def _decided(patterns: Patterns, path: str) -> bool | None:
    for pattern, ignored in reversed(patterns):
        match = pattern.match(path)
        if match is not None and _is_whole(match, path):
            return ignored
    return None


def _is_whole(match: re.Match[str], path: str) -> bool:
    """Return whether a pattern means the path itself: each folder above it was asked about before.

    pathspec also matches what lies below the folder that is meant, and `folder/**` the folder.
    """
    slash = match.start("ps_d") if "ps_d" in match.re.groupindex else -1
    if slash >= 0:
        return slash == len(path) - 1
    return not (match.end() == len(path) and path.endswith("/"))


@cache
def _built_in(patterns: str) -> Patterns:
    return _compiled(patterns.split())


def _exclude_file(folder: Path) -> Path | None:
    """Return where a repository keeps patterns of its own; None for a folder that is none."""
    git = folder / ".git"
    if os.path.isdir(git):  # noqa: PTH112 - which raises nothing, however long the path
        return git / "info" / "exclude"
    try:
        # A submodule or another working tree: a file that says where the repository is.
        told = os.fsdecode(head(git, _BYTES_LIMIT))
    except (OSError, UnreadableError):
        return None
    if not told.startswith("gitdir: "):
        return None
    folder_of_git = folder / told.removeprefix("gitdir: ").strip()
    try:
        common = os.fsdecode(head(folder_of_git / "commondir", _BYTES_LIMIT)).strip()
    except (OSError, UnreadableError):
        common = "."
    return folder_of_git / common / "info" / "exclude"


@cache
def _users_file() -> Path | None:
    """Return where the user keeps patterns for all repositories."""
    program = shutil.which("git")
    if program is not None:
        command = [program, "config", "--global", "--type=path", "--get", "core.excludesFile"]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no shell
        if done.returncode == 0 and (told := os.fsdecode(done.stdout).strip()):
            return Path(told)
    home = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(home) / "git" / "ignore"
