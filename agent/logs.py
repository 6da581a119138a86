"""Log events on standard error: a fixed verb, with its fields beside it."""

import logging
import sys

_USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class EventFormatter(logging.Formatter):
    """Writes `level logger event key=value …` in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {key: value for key, value in record.__dict__.items() if key not in _USUAL}
        words = [record.levelname.lower(), record.name, record.getMessage()]
        words += [f"{key}={value!r}" for key, value in fields.items()]
        if record.exc_info:
            words.append("\n" + self.formatException(record.exc_info))
        return " ".join(words)


def configure(level: str) -> None:
    """Log our own packages from this level on; what others log, from warnings on.

    The pool of connections warns of each attempt, many a second where the database has gone; what
    comes of it is raised, so its warnings are shown only to who asks for more than warnings.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for package in ("agent", "graphs", "tools", "memory"):
        logging.getLogger(package).setLevel(level.upper())
    chatty = level in ("debug", "info")
    logging.getLogger("psycopg.pool").setLevel(logging.WARNING if chatty else logging.ERROR)
