"""The log file of a profile: small, rotating, readable by its owner, and without a secret in it."""

from __future__ import annotations

import logging
import logging.handlers
import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from sendoff.domain.redact import Redactor

MOST = 1 << 20
"""Bytes of one log file; three older ones are kept."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys, what begins a line without looking so, and what turns the direction of writing."""


class Masking(logging.Formatter):
    """Masks what is known to be secret, and what looks like it, in the finished line with its traceback.

    Times are UTC. A line that does not begin an entry is indented, so that words from elsewhere never look like one.
    """

    def __init__(self, secrets: Callable[[], Iterable[str]]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s")
        self._secrets = secrets

    def formatTime(self, record: logging.LogRecord, _: str | None = None) -> str:  # noqa: N802  # logging's name
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def format(self, record: logging.LogRecord) -> str:
        clean = Redactor(self._secrets()).clean(super().format(record))
        return _UNSEEN.sub(lambda one: f"\\u{ord(one[0]):04x}", clean).replace("\n", "\n  ")


class LogFile(logging.handlers.RotatingFileHandler):
    """A log that can't be written, on a full disk for example, is done without. Python would print its tracebacks."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)


def start(folder: Path, secrets: Callable[[], Iterable[str]]) -> None:
    """Sends this process's log to PROFILE/sendoff.log, once for each folder."""
    target = folder / "sendoff.log"
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, LogFile):
            if handler.baseFilename == str(target):
                return
            root.removeHandler(handler)
            handler.close()
    handler = LogFile(target, maxBytes=MOST, backupCount=3, delay=True, encoding="utf-8")
    handler.setFormatter(Masking(secrets))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for noisy in ("apscheduler", "alembic", "keyring", "urllib3", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
