"""How things stand with the sending: read once, shown by the strip, the rail and the tray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sendoff.domain.delivery import State
from sendoff.domain.when import When, distance, short
from sendoff.domain.words import counted

if TYPE_CHECKING:
    from sendoff.domain.account import Account
    from sendoff.domain.signin import Ending
    from sendoff.store.timeline import Chip
    from sendoff.ui.context import Context

FOREVER = "forever"
NEVER = datetime.min.replace(tzinfo=UTC)


class Mood(StrEnum):
    """What is most worth saying."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    ELSEWHERE = "elsewhere"  # another process sends
    TROUBLE = "trouble"  # nothing can leave, or not everything


@dataclass(frozen=True, slots=True)
class Standing:
    """One look at the program. `waiting` counts the deliveries that would not leave without a sender, `leaving` those
    that leave right now."""

    mood: Mood = Mood.STARTING
    now: datetime = NEVER
    zone: str = "UTC"
    paused_until: str = ""
    paused_why: str = ""  # a sentence, where it was not the person who paused
    trouble: str = ""
    warning: str = ""  # what does not stop the sending
    elsewhere: bool = False
    locked: bool = False  # the key file waits for its passphrase
    upcoming: tuple[Chip, ...] = ()
    needs_you: int = 0
    drafts: int = 0
    accounts: int = 0
    waiting: int = 0
    leaving: int = 0
    resting: tuple[Account, ...] = ()  # after refusals in a row
    endings: tuple[Ending, ...] = ()  # sign-ins that end soon
    workspace: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)

    # --- words ----------------------------------------------------------------------------------------------------

    @property
    def headline(self) -> str:
        """The first line of the strip: "Next: Tue 09:00"."""
        if self.mood is Mood.STARTING:
            return "Starting…"
        if self.mood is Mood.TROUBLE:
            return "Sending waits"
        if self.mood is Mood.PAUSED:
            return f"Paused {self._until()}".strip()
        if not self.upcoming:
            return "Another Sendoff sends" if self.elsewhere else "Nothing planned"
        due = self.upcoming[0].when.instant
        return "Sending now" if due <= self.now else f"Next: {self.time_of(self.upcoming[0])}"

    @property
    def detail(self) -> str:
        """The second line: "Mastodon · in 14 h"."""
        if self.mood is Mood.STARTING:
            return ""
        if self.mood is Mood.TROUBLE:
            return self.trouble
        if self.paused_why:
            return f"{self.paused_why} Look at what it would send, then resume."
        if self.mood is Mood.PAUSED:
            return f"{counted(self.waiting, 'delivery waits', 'deliveries wait')}"
        if self.warning:
            return self.warning
        if self.needs_you:
            return counted(self.needs_you, "thing needs you", "things need you")
        if self.resting:
            return self._rests()
        if self.at_risk:
            return f"The sign-in of {self.at_risk[0].account.name} ends soon"
        if not self.upcoming:
            return "It sends for this profile" if self.elsewhere else "Ready when you are"
        if self.elsewhere:
            return "Another Sendoff sends it"
        return f"{self.target_of(self.upcoming[0])} · {distance(self.upcoming[0].when.instant - self.now)}"

    @property
    def at_risk(self) -> tuple[Ending, ...]:
        """The sign-ins that end before something that is planned."""
        return tuple(one for one in self.endings if one.at_risk)

    @property
    def is_long(self) -> bool:
        """Whether the second line is a sentence that has to be read whole."""
        warned = bool(self.warning) and self.detail == self.warning
        return self.mood is Mood.TROUBLE or bool(self.paused_why) or warned

    @property
    def token(self) -> str:
        """The state whose colours the dot has."""
        seen_to = self.needs_you or self.paused_why or self.warning or self.resting or self.at_risk
        if self.mood is Mood.TROUBLE or seen_to:
            return "doubt"
        return {Mood.STARTING: "missed", Mood.PAUSED: "missed", Mood.ELSEWHERE: "held"}.get(self.mood, "sent")

    @property
    def icon(self) -> str:
        """The tray's icon: running, paused or needs-you."""
        if self.mood is Mood.TROUBLE or self.needs_you or self.paused_why or self.warning:
            return "needs-you"
        return "paused" if self.mood is Mood.PAUSED else "running"

    @property
    def on_quitting(self) -> tuple[str, ...]:
        """What quitting would mean, each as a part of a sentence."""
        if self.elsewhere:
            return ()
        now = f"{counted(self.leaving, 'delivery is leaving', 'deliveries are leaving')} and may end in doubt"
        later = f"{counted(self.waiting, 'delivery', 'deliveries')} won’t go out until you start it again"
        return (*([now] if self.leaving else []), *([later] if self.waiting else []))

    @property
    def next_change(self) -> timedelta:
        """After how long these words are to be looked at again, where nothing happens meanwhile.

        Each look costs 2 ms with all that shows it, which is most of what a window costs that only waits.
        """
        ahead = self.upcoming[0].when.instant - self.now if self.upcoming else timedelta.max
        if ahead < timedelta(seconds=90):
            return timedelta(seconds=1)
        return timedelta(seconds=20) if ahead < timedelta(hours=4) or self.elsewhere else timedelta(minutes=1)

    def time_of(self, chip: Chip) -> str:
        """When a post leaves, in the person's zone: "Tue 09:00"."""
        return short(When.at(chip.when.instant, self.zone), self.now)

    def target_of(self, chip: Chip) -> str:
        """Where a post goes: the network's name, or how many accounts."""
        kinds = {seat.channel for seat in chip.seats}
        if len(kinds) == 1:
            kind = kinds.pop()
            return self.titles.get(kind, kind)
        return counted(len(chip.seats), "account", "accounts")

    def _rests(self) -> str:
        if len(self.resting) > 1:
            return f"{len(self.resting)} accounts rest"
        return f"{self.resting[0].name} rests"

    def _until(self) -> str:
        if self.paused_until in ("", FOREVER):
            return ""
        return f"until {short(When.at(datetime.fromisoformat(self.paused_until), self.zone), self.now)}"


def take(context: Context) -> Standing:
    """Looks at the program; a handful of small questions."""
    from sendoff.engine.pause import is_paused
    from sendoff.store import accounts, posts, settings, signins, timeline, whereabouts
    from sendoff.ui.sending import Part

    program, sending, now = context.program, context.sending, context.now()
    with context.reading() as connection:
        chosen, totals = settings.read(connection), timeline.totals(connection)
        workspace = accounts.workspace_list(connection)[0]
        known = accounts.every(connection, workspace.id)
        other = timeline.sender(connection) if sending.part is Part.ELSEWHERE else None
        trouble = _trouble(context, other.trouble if other else "")
        paused = is_paused(chosen["paused_until"], now)
        vault = program.secrets.vault
        return Standing(
            mood=_mood(sending.part, trouble, paused),
            now=now,
            zone=context.commands.settings.zone_in(chosen),
            paused_until=chosen["paused_until"] if paused else "",
            paused_why=whereabouts.why_paused(chosen) if paused else "",
            trouble=trouble,
            warning=sending.status().warning if sending.part is Part.HERE else "",
            elsewhere=sending.part is Part.ELSEWHERE,
            locked=vault.exists and not vault.is_open,
            upcoming=tuple(timeline.upcoming(connection, 5)),
            needs_you=timeline.needs_you_count(connection),
            drafts=posts.draft_count(connection, workspace.id),
            accounts=len(known),
            resting=tuple(one for one in known if one.rest_until is not None),
            endings=tuple(signins.endings(connection, now)),
            waiting=totals.get(State.SCHEDULED, 0),
            leaving=totals.get(State.SENDING, 0),
            workspace=workspace.name,
            titles={kind: channel.title for kind, channel in program.channels.items()},
            marks={kind: channel.mark for kind, channel in program.channels.items()},
        )


def _trouble(context: Context, others: str) -> str:
    from sendoff.ui.sending import Part

    part = context.sending.part
    if part is Part.NOWHERE:
        return context.sending.trouble
    return context.sending.status().trouble if part is Part.HERE else others


def _mood(part: str, trouble: str, paused: bool) -> Mood:
    if part == "starting":
        return Mood.STARTING
    if trouble:
        return Mood.TROUBLE
    if paused:
        return Mood.PAUSED
    return Mood.ELSEWHERE if part == "elsewhere" else Mood.RUNNING
