"""Run a program of Postgres as its own process, never as root.

Postgres refuses to run as uid 0 and, in initdb, as a uid without a name. Where that is so, a user
namespace gives this process another uid that owns the same files; where namespaces are forbidden,
real root becomes another user and keeps the right to pass the directories on the way.

A script of the standard library alone, started with `python -I -S`:

    launcher.py run DIRECTORY PROGRAM ARGUMENT…          becomes the program
    launcher.py detach DIRECTORY LOG PROGRAM ARGUMENT…   leaves it running in a session of its own
"""

import ctypes
import os
import pwd
import struct
import sys
from collections.abc import Callable
from pathlib import Path

CLONE_NEWUSER = 0x10000000
CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2


def main(arguments: list[str]) -> None:
    """Do what the command line says; what goes wrong before the program runs ends with 1."""
    mode, directory, *command = arguments
    if mode == "detach":
        # Opened while this is still the user, whose file the log stays whoever the server becomes.
        output = os.open(command.pop(0), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        _become_or_exit(directory)
        if os.fork():
            os._exit(0)
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
    else:
        _become_or_exit(directory)
    os.execv(command[0], command)  # noqa: S606 - the wheel's own program


def become_acceptable(directory: str) -> None:
    """Take on a uid that Postgres accepts and that owns the directory, or raise OSError."""
    uid = os.geteuid()
    if uid != 0 and _name(uid) is not None:
        return
    account = _account()
    if _in_child(lambda: enter_namespace(account)):
        _give(directory, uid, os.getegid())
        enter_namespace(account)
    elif uid == 0:
        _give(directory, account.pw_uid, account.pw_gid)
        step_down(account)
    else:
        raise PermissionError("user namespaces are forbidden here")


def _become_or_exit(directory: str) -> None:
    try:
        become_acceptable(directory)
    except (OSError, LookupError) as error:
        sys.exit(
            "Postgres runs neither as root nor as a user without a name, and this process cannot "
            f"become another user ({error}). Run cortical as a normal user, or set a database URL."
        )


def enter_namespace(account: pwd.struct_passwd) -> None:
    """Be that account in a user namespace of one's own; outside one stays who one is."""
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc().unshare(CLONE_NEWUSER))
    for name, line in (
        ("setgroups", "deny"),
        ("gid_map", f"{account.pw_gid} {gid} 1"),
        ("uid_map", f"{account.pw_uid} {uid} 1"),
    ):
        Path("/proc/self", name).write_text(line)


def step_down(account: pwd.struct_passwd) -> None:
    """Become that account for good, as root; on Linux still allowed to pass private directories.

    The data may lie under /root, which nobody else may enter.
    """
    if sys.platform != "linux":
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        return
    libc = _libc()
    _check(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    mask = 1 << CAP_DAC_OVERRIDE
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    # Effective, permitted and inheritable, first of the low 32 capabilities, then of the high.
    _check(libc.capset(header, struct.pack("6I", mask, mask, mask, 0, 0, 0)))
    _check(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))


def _account() -> pwd.struct_passwd:
    """Return whom to be: `postgres` where there is one, else `nobody`, else any user but root."""
    known = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in ("postgres", "nobody", *known):
        if name in known:
            return known[name]
    raise LookupError("/etc/passwd knows no user but root")


def _give(directory: str, uid: int, gid: int) -> None:
    """Let the data belong to whom the server will be; it may have run in the other way before."""
    if Path(directory).stat().st_uid == uid:
        return
    for path in (*Path(directory).rglob("*"), Path(directory)):
        os.chown(path, uid, gid, follow_symlinks=False)


def _in_child(attempt: Callable[[], None]) -> bool:
    """Whether it works, tried in a child: half a namespace cannot be left again."""
    child = os.fork()
    if child == 0:
        try:
            attempt()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main(sys.argv[1:])
