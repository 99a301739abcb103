"""Reading what servers send: whatever it is, that never fails."""

from __future__ import annotations

import base64
import binascii
import json
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


def count(value: Any) -> int | None:
    """The value if it is a whole number of something, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def ends_at(token: str) -> datetime | None:
    """When a token ends, as it says itself (RFC 7519 section 4.1.4); None where it does not."""
    try:
        payload = token.split(".")[1]
        until = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get("exp")
        return datetime.fromtimestamp(until, UTC)
    except (IndexError, binascii.Error, ValueError, AttributeError, TypeError, OverflowError, OSError):
        return None
