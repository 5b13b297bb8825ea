"""Structured logs: a stable event name plus ids, never a sentence built on the way.

Names of people, e-mail addresses and codes do not belong in a log line; database
errors carry their arguments, so `scrubbed` keeps only their class and state.

A line that cannot be written (a full disk, a reader that has gone) is counted and given
up: the door that wanted to say something goes on.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from ops import metrics

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _Stream:
    """The error stream of the process, as far as it takes what is written to it."""

    def write(self, text: str) -> int:
        """Write; what the stream does not take is counted."""
        try:
            return sys.stderr.write(text)
        except OSError:
            metrics.log_lines_lost_total.inc()
            return 0

    def flush(self) -> None:
        """Hand over what is buffered, if anybody takes it."""
        with suppress(OSError):
            sys.stderr.flush()


def configure(level: str, fmt: str, **context: Any) -> None:
    """Set up the log of this process; `context` (role, pid ..) is on every line."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if fmt == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Stream())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**context)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


def get(name: str) -> Any:
    """The logger of a module."""
    return structlog.get_logger(module=name)


def scrubbed(error: BaseException) -> str:
    """An error as class and SQLSTATE: its text may hold personal data."""
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}({state})" if state else type(error).__name__
