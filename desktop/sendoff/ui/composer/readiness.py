"""Who has to be awake for a post to leave, in two lines; never more than is true."""

from __future__ import annotations

from datetime import datetime

from sendoff.ui.composer.foot import Badge
from sendoff.ui.composer.timing import Timing
from sendoff.ui.standing import Mood, Standing


def badge(standing: Standing, timing: Timing, now: datetime) -> Badge:
    """What the foot says beside the button."""
    if standing.mood is Mood.PAUSED:
        return Badge("pause", "missed.text", "Sending is paused", "It waits until you resume")
    if standing.mood is Mood.TROUBLE:
        return Badge("triangle-alert", "doubt.text", "Sending waits", standing.trouble)
    if standing.elsewhere:
        return Badge("laptop", "text", "Another Sendoff sends", "It has to be running then")
    at = timing.brief(now)
    return Badge("laptop", "text", "Needs this computer", f"Awake {at}" if at else "Until it has left")
