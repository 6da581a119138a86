"""What is passed over below a folder."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import folders, ignoring
from tools.ignoring import Rules, _decisive, reaches


def files(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in folders.find(root).files]


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


@pytest.fixture(autouse=True)
def no_patterns_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    ignoring._users_file.cache_clear()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with rules of its own at two levels."""
    root = tmp_path / "work"
    make(root, ".git/HEAD", ".git/info/exclude", "src/a.py", "src/a.log", "src/deep/b.log")
    make(root, "out/built.txt", "src/out/kept.txt", "notes.md", ".github/ci.yml", ".env")
    (root / ".gitignore").write_text("*.log\n/out/\n\\\n")
    (root / "src" / "deep" / ".gitignore").write_text("!b.log\n")
    (root / ".git" / "info" / "exclude").write_text("notes.md\n")
    return root


def test_ignore_files_of_git_hold_at_every_level_and_git_itself_is_not_entered(
    repository: Path,
) -> None:
    assert files(repository) == [
        ".github/ci.yml",
        "src/a.py",
        "src/deep/b.log",
        "src/out/kept.txt",
    ]
    assert folders.find(repository).ignored == 7


def test_they_hold_where_only_a_folder_of_the_repository_is_named(repository: Path) -> None:
    assert files(repository / "src") == ["a.py", "deep/b.log", "out/kept.txt"]


def test_what_is_named_is_read_though_it_is_ignored(repository: Path) -> None:
    assert files(repository / "out") == ["built.txt"]
    assert files(repository / "src" / "a.log") == ["."]


def test_outside_of_a_repository_only_files_of_our_own_are_rules(tmp_path: Path) -> None:
    make(tmp_path, "a.log", "b.txt", "deep/c.txt", ".notes/d.txt", "node_modules/e.js")
    (tmp_path / ".gitignore").write_text("*.txt\n")
    assert files(tmp_path) == ["a.log", "b.txt", "deep/c.txt"]
    (tmp_path / ".corticalignore").write_text("*.txt\n!.notes/\n!node_modules/\n")
    (tmp_path / ".notes" / ".corticalignore").write_text("!d.txt\n")
    assert files(tmp_path) == [".notes/d.txt", "a.log", "node_modules/e.js"]


def test_our_own_file_is_stronger_than_those_of_git(repository: Path) -> None:
    (repository / ".corticalignore").write_text("*.yml\n!*.log\n")
    assert files(repository) == ["src/a.log", "src/a.py", "src/deep/b.log", "src/out/kept.txt"]


def test_built_and_vendored_files_of_a_repository_are_passed_over_unless_asked_for(
    tmp_path: Path,
) -> None:
    names = ("uv.lock", "page.min.js", "vendor/lib.go", "api_pb2.py", "main.py")
    make(tmp_path, *names)
    assert len(files(tmp_path)) == len(names)
    (tmp_path / ".git").mkdir()
    assert files(tmp_path) == ["main.py"]
    (tmp_path / ".corticalignore").write_text("!uv.lock\n")
    assert files(tmp_path) == ["main.py", "uv.lock"]


def test_a_repository_within_another_has_its_own_rules(repository: Path) -> None:
    make(repository, "inner/x.log", "inner/y.txt", "gitdir/info/exclude", "gitdir/HEAD")
    (repository / "inner" / ".git").write_text("gitdir: ../gitdir\n")
    (repository / "gitdir" / "info" / "exclude").write_text("y.txt\n")
    assert "inner/x.log" in files(repository)
    assert "inner/y.txt" not in files(repository)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_what_the_user_ignores_in_all_repositories_is_passed_over(
    repository: Path, empty_home: Path
) -> None:
    (empty_home / "mine").write_text("*.py\n")
    subprocess.run(
        ["git", "config", "--global", "core.excludesFile", "~/mine"],
        check=True,
        env={"HOME": str(empty_home), "PATH": "/usr/bin:/bin"},
    )
    assert "src/a.py" not in files(repository)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_itself_ignores_the_same(repository: Path) -> None:
    make(repository, "docs/a.md", "docs/b.txt", "src/deep/out/x", "a/b/c/d.txt", "a/c/e.txt")
    (repository / "docs" / ".gitignore").write_text("*\n!*.md\n!.gitignore\n")
    (repository / "src" / ".gitignore").write_text("deep/**\n!deep/.gitignore\nout\n")
    (repository / "a" / ".gitignore").write_text("**/c/\n")
    shutil.rmtree(repository / ".git")
    subprocess.run(["git", "init", "-q", repository], check=True)
    listed = subprocess.run(
        ["git", "-C", repository, "ls-files", "-o", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    hidden = [".env", ".gitignore", "docs/.gitignore", "src/.gitignore", "src/deep/.gitignore"]
    hidden.append("a/.gitignore")
    assert files(repository) == sorted(set(listed) - set(hidden))


def test_a_walk_reaches_what_no_rule_hides(repository: Path) -> None:
    assert reaches(repository, repository / "src" / "a.py")
    assert reaches(repository, repository)
    assert not reaches(repository, repository / "out" / "built.txt")
    assert not reaches(repository, repository / "src" / "a.log")
    assert not reaches(repository / "src", repository / "notes.md")


@pytest.mark.parametrize(
    "pattern",
    ["*a" * 30 + "b", "*" * 50 + "b", "?*" * 25 + "b", "[a-z]*" * 20 + "!", "a/**/" * 20 + "b"],
)
def test_a_pattern_of_many_stars_holds_nothing_up(tmp_path: Path, pattern: str) -> None:
    (tmp_path / ".corticalignore").write_text(f"{pattern}\n")
    rules = Rules.of(tmp_path)
    began = time.process_time()
    for name in ("a" * 250, "a/" * 2_000 + "a"):
        assert not rules.ignores(tmp_path / name, folder=False)
    assert time.process_time() - began < 5


@given(
    st.lists(st.sampled_from(["a", "b", "*", "**", "/", "/**/", "?", "[ab]"]), max_size=9),
    st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=6),
)
def test_a_pattern_that_goes_back_less_means_the_same(parts: list[str], names: list[str]) -> None:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    try:
        plain = GitIgnoreSpecPattern("".join(parts)).regex
    except ValueError:
        return
    if plain is None:
        return
    decisive, path = re.compile(_decisive(plain.pattern)), "/".join(names)
    for asked in (path, f"{path}/"):
        assert (plain.match(asked) is None) == (decisive.match(asked) is None)
