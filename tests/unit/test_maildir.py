"""Folders of mail among other folders."""

from pathlib import Path

import pytest

from tools import folders, ignoring


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Maildir with two further folders in it, and all that mail programs leave there."""
    for name in ("", ".Sent/", ".Work.2026/", "Lists/deep/"):
        for held in ("cur", "new", "tmp"):
            (tmp_path / f"Maildir/{name}{held}").mkdir(parents=True)
    for name in (
        "Maildir/cur/1.host:2,S",
        "Maildir/new/2.host",
        "Maildir/tmp/3.host",
        "Maildir/.Sent/cur/4.host:2,RS",
        "Maildir/.Work.2026/new/5.host",
        "Maildir/Lists/deep/cur/6.host:2,",
        "Maildir/dovecot-uidlist",
        "Maildir/.Sent/maildirfolder",
        "Maildir/.notmuch/xapian/table",
        "Maildir/courierimapkeywords/list",
        "Maildir/cur/.hidden",
        "notes.txt",
        ".config/settings",
        "plain/cur/kept.txt",
        "plain/tmp/kept.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


def found(root: Path, below: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in folders.find(below).files]


def test_of_a_maildir_the_mails_are_found_and_nothing_else(home: Path) -> None:
    assert sorted(found(home, home)) == [
        "Maildir/.Sent/cur/4.host:2,RS",
        "Maildir/.Work.2026/new/5.host",
        "Maildir/Lists/deep/cur/6.host:2,",
        "Maildir/cur/1.host:2,S",
        "Maildir/new/2.host",
        "notes.txt",
        "plain/cur/kept.txt",
        "plain/tmp/kept.txt",
    ]


def test_a_hidden_folder_of_mail_can_be_named_itself(home: Path) -> None:
    assert found(home, home / "Maildir" / ".Sent") == ["Maildir/.Sent/cur/4.host:2,RS"]


def test_a_mail_is_known_to_be_below_its_maildir(home: Path) -> None:
    mail = home / "Maildir" / ".Sent" / "cur" / "4.host:2,RS"
    assert ignoring.reaches(home, mail)
    assert home in list(folders.above(mail))
    assert not ignoring.reaches(home, home / ".config" / "settings")
    assert not ignoring.reaches(home, home / "Maildir" / ".notmuch" / "xapian" / "table")
