"""What the window wants to know before SQLAlchemy is there: the settings, read with Python's own driver."""

from __future__ import annotations

import sqlite3
from pathlib import Path

FILE = "sendoff.db"
"""The same as db.FILE, which cannot be had without SQLAlchemy."""


def settings(folder: Path) -> dict[str, str]:
    """What the person set, without the defaults; nothing where no profile can be read, be it that there is none."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.1)
        try:
            return dict(connection.execute("SELECT name, value FROM settings"))
        finally:
            connection.close()
    except sqlite3.Error:
        return {}  # opening it properly will say what is wrong
