"""Reading what servers send: whatever it is, that never fails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def table(value: Any) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def moment(text: Any) -> datetime | None:
    """An ISO 8601 time as servers write it, aware, or None."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
