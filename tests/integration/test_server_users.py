"""The embedded Postgres under uids that Postgres itself would refuse."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from memory.errors import DataDirectoryError
from memory.testing import hasty_server

START = """
import asyncio, sys
from pathlib import Path
from memory.testing import hasty_server
print(asyncio.run(hasty_server(Path(sys.argv[1])).ensure_running()))
"""
KEEP = (
    START
    + """
import psycopg
with psycopg.connect(asyncio.run(hasty_server(Path(sys.argv[1])).ensure_running())) as c:
    c.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
    c.execute("INSERT INTO kept SELECT count(*) FROM kept")
    print(*[n for n, in c.execute("SELECT n FROM kept ORDER BY n")])
asyncio.run(hasty_server(Path(sys.argv[1])).stop())
"""
)

NO_NAMESPACES = """
import ctypes, os, sys
made, mapped = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    if ctypes.CDLL(None).unshare(0x10000000):
        os._exit(77)
    os.write(made[1], b"x")
    os.read(mapped[0], 1)
    open("/proc/sys/user/max_user_namespaces", "w").write("0")
    os.execvp(sys.argv[1], sys.argv[1:])
os.close(made[1])
if os.read(made[0], 1):
    for name in ("uid_map", "gid_map"):
        open(f"/proc/{child}/{name}", "w").write("0 0 65536")
    os.write(mapped[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""Runs a program as a root that may make no user namespace, as in many containers."""

NAMED = next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0)
NAMELESS = next(
    uid for uid in range(40_000, 50_000) if uid not in {e.pw_uid for e in pwd.getpwall()}
)
WITHOUT_NAMESPACES = (sys.executable, "-W", "ignore", "-c", NO_NAMESPACES)
AS = {
    "as it is": (),
    "root of a namespace": ("unshare", "-r"),
    "a user with a name": ("unshare", "-U", f"--map-user={NAMED}", "--map-group=1"),
    "a user without a name": ("unshare", "-U", f"--map-user={NAMELESS}", "--map-group=1"),
    "root without namespaces": WITHOUT_NAMESPACES,
}


def start(prefix: tuple[str, ...], script: str, data_dir: Path) -> list[str]:
    command = [*prefix, sys.executable, "-c", script, str(data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


BOUND = (*WITHOUT_NAMESPACES, "setpriv", "--bounding-set=-setuid,-setgid")
"""A root that can be nobody else in any way."""


def permitted(prefix: tuple[str, ...]) -> bool:
    if prefix[:1] == WITHOUT_NAMESPACES[:1] and os.geteuid() != 0:
        return False
    try:
        return (
            subprocess.run([*prefix, "/bin/true"], capture_output=True, check=False).returncode == 0
        )
    except FileNotFoundError:
        return False


def test_data_passes_from_each_kind_of_user_to_the_next(data_dir: Path) -> None:
    kinds = [prefix for prefix in AS.values() if permitted(prefix)]
    # What a root without namespaces left, only a root without bounds can take back.
    turns = [*kinds, *kinds[:2]]
    for turn, prefix in enumerate(turns):
        said = start(prefix, KEEP, data_dir)
        assert said[1] == " ".join(map(str, range(turn + 1)))


@pytest.mark.parametrize("kind", list(AS)[1:])
def test_a_first_start_works(kind: str, data_dir: Path) -> None:
    if not permitted(AS[kind]):
        pytest.skip(f"this machine lets nobody be {kind}")
    assert start(AS[kind], START, data_dir)
    assert hasty_server(data_dir).status().running


@pytest.mark.skipif(not permitted(BOUND), reason="only real root can give up its powers")
def test_a_root_that_can_be_nobody_else_is_told_what_to_do(data_dir: Path) -> None:
    command = [*BOUND, sys.executable, "-c", START, str(data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ServerStartError" in done.stderr
    assert "Run cortical as a normal user, or set a database URL" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
async def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, NAMED, -1)
    with pytest.raises(DataDirectoryError, match=f"belongs to user {NAMED}, but this is user 0"):
        await hasty_server(tmp_path).ensure_running()
