"""Errors of memory, for the person who runs the program.

MemoryStoreError
├── EmbeddedServerError
│   ├── ServerMissingError
│   ├── DataDirectoryError
│   └── ServerStartError
├── DatabaseUnreachableError
├── DatabaseTooOldError
├── DatabaseAccessError
├── DiskFullError
├── SchemaError
├── FenceLostError
├── PassageTooLongError
├── EmbedderUnavailableError
├── ModelReplacedError
└── EmbeddingMismatchError
"""

import errno


class MemoryStoreError(Exception):
    """Memory cannot do what was asked; the text says what, with which value, and what to do."""


class EmbeddedServerError(MemoryStoreError):
    """The embedded Postgres cannot be used."""


class ServerMissingError(EmbeddedServerError):
    """The package that brings Postgres is not installed, or not for this machine."""


class DataDirectoryError(EmbeddedServerError):
    """The directory for the data cannot be used: whose it is, what it holds, or where it is."""


class ServerStartError(EmbeddedServerError):
    """Postgres did not start, did not answer or did not stop."""


class DatabaseUnreachableError(MemoryStoreError):
    """No database answers, or the connection broke off."""


class DatabaseTooOldError(MemoryStoreError):
    """PostgreSQL or pgvector is older than what search needs."""


class DatabaseAccessError(MemoryStoreError):
    """The database does not let this user in, or not do that."""


class DiskFullError(MemoryStoreError):
    """There is no room on the disk; what was stored before is untouched."""


class SchemaError(MemoryStoreError):
    """The tables are not those that this program knows."""


class FenceLostError(MemoryStoreError):
    """Another runner has taken the thread; what this one wrote late was refused."""


def from_os_error(error: OSError, what: str) -> MemoryStoreError:
    """Say in words why a file of the embedded server could not be read or written."""
    reason = error.strerror or str(error)
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(f"{what}: {reason}{where}. Free some space, then try again.")
    return DataDirectoryError(f"{what}: {reason}{where}. Make it writable, or name another one.")


class PassageTooLongError(MemoryStoreError):
    """A passage is longer than search can index; it has to be cut first."""


class EmbedderUnavailableError(MemoryStoreError):
    """Text cannot be turned into vectors now; what is stored is found by its words meanwhile."""


class ModelReplacedError(MemoryStoreError):
    """Memory has gone over to another embedding model; the vectors of this one are gone."""


class EmbeddingMismatchError(MemoryStoreError):
    """A model's vectors are not what is stored under its name, or not unit vectors."""
