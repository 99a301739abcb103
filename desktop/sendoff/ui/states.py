"""How a state looks: a token, an icon and a word, always all three."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Face:
    """What stands for a state. `token` names its colours ("failed" → failed.text, failed.line, failed.tint)."""

    token: str
    icon: str
    word: str


SCHEDULED = Face("scheduled", "clock", "Scheduled")
HELD = Face("held", "cloud", "Held by endpoint")
SENDING = Face("sending", "arrow-up-right", "Sending")
SENT = Face("sent", "check", "Sent")
FAILED = Face("failed", "circle-alert", "Failed")
DOUBT = Face("doubt", "circle-question-mark", "In doubt")
MISSED = Face("missed", "moon", "Missed")
SIGN_IN = Face("signin", "key-round", "Sign in")
DRAFT = Face("scheduled", "file-text", "Draft")
CANCELLED = Face("scheduled", "x", "Cancelled")

FACES: Mapping[str, Face] = {
    "scheduled": SCHEDULED,
    "claimed": SCHEDULED,  # nothing has left yet
    "sending": SENDING,
    "handed_over": HELD,
    "sent": SENT,
    "failed": FAILED,
    "held": SIGN_IN,
    "in_doubt": DOUBT,
    "missed": MISSED,
    "cancelled": CANCELLED,
}
"""The face of every domain.delivery.State, which is a string too; so the first window need not load the domain."""

SIGN_IN_FIRST = "Its account wants you to sign in again first; then it goes."
