"""What the person set, declared once: the preferences page, the command line and the manual derive from this list."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from sendoff import release
from sendoff.domain.errors import BadInput
from sendoff.domain.when import DEFAULT_LATE, parse_late, zone_info
from sendoff.store import changes
from sendoff.store.tables import settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One preference. `choices` are (value, label); `kind` is "choice", "switch" ("yes"/"no"), "text" or "hidden"."""

    name: str
    label: str
    default: str
    kind: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""
    page: str = "General"


_LATE_RULES = ("send", "ask 15m", "ask 2h", "ask 1d", "skip 15m", "next 2h")
SETTINGS = (
    Setting(
        "theme", "Appearance", "system", "choice",
        (("system", "Like the system"), ("light", "Light"), ("dark", "Dark")),
    ),
    Setting("zone", "Time zone", "", "text", help="Leave it empty to follow this computer."),
    Setting(
        "week_start", "Weeks begin on", "monday", "choice",
        (("monday", "Monday"), ("sunday", "Sunday"), ("saturday", "Saturday")),
    ),
    Setting(
        "late", "If a post can’t leave on time", str(DEFAULT_LATE), "choice",
        tuple((rule, parse_late(rule).words) for rule in _LATE_RULES),
        "Each post can have its own rule.", "Sending",
    ),
    Setting(
        "give_up", "Keep trying for", "24h", "choice",
        (("1h", "1 hour"), ("6h", "6 hours"), ("24h", "A day"), ("72h", "3 days")),
        "How long a post that certainly did not leave is tried again.", "Sending",
    ),
    Setting(
        "strip_location", "Take the place out of pictures", "yes", "switch",
        help="Removes GPS data before a picture is stored.", page="Sending",
    ),
    Setting(
        "alt_required", "Let no picture go without alt text", "no", "switch",
        help="A post waits until each picture has one, on networks that have alt text.", page="Sending",
    ),
    Setting(
        "link_cards", "Look at linked pages for their cards", "yes", "switch",
        help="While you write. The site sees this computer’s address, and nothing of you.", page="Sending",
    ),
    Setting("close_to_tray", "Keep sending when the window is closed", "yes", "switch", page="Background"),
    Setting(
        "close_without_tray", "Where there is no tray, closing the window", "ask", "choice",
        (("ask", "Asks"), ("minimise", "Minimises it and keeps sending"), ("quit", "Quits")), page="Background",
    ),
    Setting("start_at_login", "Start at login, in the tray", "no", "switch", page="Background"),
    Setting(
        "notify", "Tell me", "attention", "choice",
        (("all", "About every delivery"), ("attention", "When something needs me"), ("none", "Nothing")),
        page="Background",
    ),
    Setting(
        "updates", "Look for newer versions", "no", "switch",
        help="Asks once a day, over an encrypted line, without a word of who you are. Nothing is installed by it.",
        page="About",
    ),
    Setting("newer_asked", "", "", "hidden"),
    Setting("newer_found", "", "", "hidden"),
    Setting("newer_trouble", "", "", "hidden"),
    Setting("newer_told", "", "", "hidden"),
    Setting("paused_until", "", "", "hidden"),
    Setting("paused_why", "", "", "hidden"),
    Setting("profile_id", "", "", "hidden"),
    Setting("told_about_tray", "", "no", "hidden"),
    Setting("first_run_done", "", "no", "hidden"),
    Setting("window_geometry", "", "", "hidden"),
    Setting("last_folder", "", "", "hidden"),
)  # fmt: skip
_BY_NAME = {setting.name: setting for setting in SETTINGS}
FOREVER = "forever"
"""The value of `paused_until` that means: until the person says so."""


def offered() -> tuple[Setting, ...]:
    """What a person can choose here. A Sendoff that was made without an address for newer versions looks for none."""
    hidden = () if release.newer_page() else ("updates",)
    return tuple(one for one in SETTINGS if one.kind != "hidden" and one.name not in hidden)


def read(connection: sa.Connection) -> dict[str, str]:
    """Every setting, with its default where the person chose nothing."""
    stored = {row.name: row.value for row in connection.execute(sa.select(settings.c.name, settings.c.value))}
    return {setting.name: stored.get(setting.name, setting.default) for setting in SETTINGS}


def write(connection: sa.Connection, name: str, value: str) -> None:
    """Stores one setting.

    Raises:
        BadInput: there is no such setting, or it does not take this value.
    """
    setting = _BY_NAME.get(name)
    if setting is None:
        raise BadInput(f"There is no setting “{name}”. There are: {', '.join(_BY_NAME)}.")
    _check(setting, value)
    connection.execute(sa.delete(settings).where(settings.c.name == name))
    connection.execute(sa.insert(settings).values(name=name, value=value))
    changes.bump(connection, changes.SETTINGS)


def _check(setting: Setting, value: str) -> None:
    if setting.kind == "switch" and value not in ("yes", "no"):
        raise BadInput(f"{setting.label} is yes or no, not “{value}”.")
    if setting.name == "late":
        parse_late(value)
    elif setting.name == "zone":
        if value:
            zone_info(value)
    elif setting.kind == "choice" and value not in dict(setting.choices):
        raise BadInput(f"{setting.label}: choose one of {', '.join(dict(setting.choices))}.")
