"""What fails in a library, said of the model that it failed for."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.senses.errors import EngineError


@contextmanager
def translated(variant: str) -> Iterator[None]:
    """Raise EngineError where a library is not there or fails; our own errors pass."""
    try:
        yield
    except ImportError as error:
        raise EngineError(
            f"{variant} cannot be used: {error}. Install the extra `senses`."
        ) from error
    except (RuntimeError, ValueError, TypeError, IndexError, MemoryError) as error:
        told = str(error).strip().splitlines()
        raise EngineError(
            f"{variant} failed: {told[0] if told else type(error).__name__}. The cause is in the "
            "log of the worker."
        ) from error
