"""The preferences: every setting as store/settings.py declares it, applied at once; the data, the keys, the version."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from zoneinfo import available_timezones

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from sendoff.bootstrap import system_zone
from sendoff.domain.errors import SendoffError
from sendoff.domain.when import When, clock_text
from sendoff.store import changes
from sendoff.store.settings import offered
from sendoff.ui import autostart
from sendoff.ui.actions import add_action
from sendoff.ui.context import Context
from sendoff.ui.preferences.about import AboutSection
from sendoff.ui.preferences.data import DataSection
from sendoff.ui.preferences.keys import KeysSection
from sendoff.ui.preferences.pages import Pages
from sendoff.ui.preferences.rows import Section, SettingRow, ZoneCompleter
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.surface import Header

WIDEST = 720
NEAR = 80
"""A section is being read when its top is not further than this below the upper edge, in px."""


class PreferencesScreen(Screen):
    """One column of sections, with their names at the left. What is chosen holds at once."""

    topics = frozenset({changes.SETTINGS})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.rows: dict[str, SettingRow] = {}
        self.data, self.keys, self.about = DataSection(context), KeysSection(context), AboutSection(context)
        self.sections = [*self._setting_sections(), self.data, self.keys, self.about]
        self.pages = Pages(self.look, [section.title for section in self.sections])
        self.column = _Scroll(self.sections)
        self._build()
        self._add_actions()
        self._zones_asked = False

    def _setting_sections(self) -> Iterator[Section]:
        for page, settings in groupby(offered(), key=lambda setting: setting.page):
            section = self.about if page == self.about.title else Section(self.look, page)
            for setting in settings:
                self.rows[setting.name] = SettingRow(self.look, setting, self._change)
                section.add(self.rows[setting.name])
            if section is not self.about:
                yield section
        self.about.add(self.about.licences)

    def _build(self) -> None:
        beside = QHBoxLayout()
        beside.setContentsMargins(20, 0, 0, 0)
        beside.setSpacing(24)
        names = QVBoxLayout()
        names.setContentsMargins(0, 4, 0, 0)
        names.addWidget(self.pages)
        beside.addLayout(names)
        beside.addWidget(self.column, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Header(self.look, "Preferences"))
        column.addLayout(beside, 1)
        self.pages.chosen.connect(self.column.go_to)
        self.column.reading.connect(self.pages.set_current)

    def _add_actions(self) -> None:
        for words, run, icon in (
            ("Open the profile’s folder", self.data.open_folder, "folder-open"),
            ("Back up the database", self.data.choose_backup, "database"),
            ("Go back to a backup", self.context.window.open_restore, "rotate-ccw"),
            ("Export everything", self.data.choose_export, "upload"),
            ("Import an export or a backup", self.data.choose_import, "download"),
            ("Read the licences", self.about.open_licences, "info"),
        ):
            add_action(self, words, run, icon=icon, group="Preferences")

    # --- filling --------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        for name, value in self.context.settings().items():
            if name in self.rows:
                self.rows[name].show_value(value)
        self._show_zone()
        self.about.show_newer(self.rows.get("updates"))
        if not self._zones_asked:
            self._zones_asked = True
            self.context.do(lambda: sorted(available_timezones()), self._complete_zones, owner=self)
            self.keys.look()

    def arrive(self, **what: object) -> None:
        """Goes to a section by a word of its title: "general", "sending", "background", "data", "keys", "about"."""
        page = str(what.get("page", "")).lower()
        titles = [section.title.lower().split() for section in self.sections]
        place = next((place for place, words in enumerate(titles) if page in words), None)
        if place is not None:
            self.pages.set_current(place)
            QTimer.singleShot(0, self, lambda: self.column.go_to(place))  # when everything has its place

    def _show_zone(self) -> None:
        """Says what the setting comes to now."""
        row, zone = self.rows["zone"], self.context.zone()
        now = clock_text(When.at(self.context.now(), zone).wall.replace(second=0))
        if not row.is_wrong:
            row.set_words(f"{row.setting.help} It is {now} now.")
        if isinstance(row.control, TextField):
            row.control.setPlaceholderText(system_zone())

    def _complete_zones(self, zones: list[str]) -> None:
        row = self.rows["zone"]
        assert isinstance(row.control, TextField)
        completer = ZoneCompleter(self.look, zones, row.control)
        completer.activated.connect(row.take)
        row.control.setCompleter(completer)

    # --- changing -------------------------------------------------------------------------------------------------

    def _change(self, row: SettingRow, value: str) -> None:
        """Stores a setting; what it changes outside the database is changed first, so that it is never only claimed."""
        commands, name = self.context.commands, row.setting.name

        def work() -> None:
            if name == "start_at_login":
                autostart.apply(value == "yes")
            commands.settings.set(name, value)

        def taken(_nothing: None) -> None:
            row.set_wrong("")
            row.show_value(value)

        def refused(error: SendoffError) -> None:
            row.refuse(str(error))

        self.context.do(work, taken, refused, slow=name == "start_at_login", owner=self)


class _Scroll(QScrollArea):
    """The sections below each other, at most `WIDEST` wide. `reading` tells which one is being read."""

    reading = Signal(int)

    def __init__(self, sections: list[Section]) -> None:
        super().__init__()
        self._sections, self._going = sections, False
        self._at: int | None = None  # the section that was gone to, until somebody scrolls
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page, inside = QWidget(), QWidget()
        self._page = page
        page.setObjectName("page")
        inside.setMaximumWidth(WIDEST)
        column = QVBoxLayout(inside)
        column.setContentsMargins(4, 4, 4, 24)  # room for the ring of what has the keyboard
        column.setSpacing(28)
        for section in sections:
            column.addWidget(section)
        column.addStretch(1)
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 20, 0)
        row.addWidget(inside, 1)
        row.addStretch(0)
        self.setWidget(page)
        self.verticalScrollBar().valueChanged.connect(self._tell)
        self.verticalScrollBar().rangeChanged.connect(lambda: QTimer.singleShot(0, self, self._stay))

    def go_to(self, place: int) -> None:
        """Brings a section to the top, as far as there is something below it; it stays there when another one grows."""
        self._at = place
        self._going = True
        self.verticalScrollBar().setValue(self._top(place))
        self._going = False

    def _stay(self) -> None:
        if self._at is not None:
            self.go_to(self._at)

    def _top(self, place: int) -> int:
        section = self._sections[place]
        return section.mapTo(self._page, QPoint(0, 0)).y() - 4

    def _tell(self, value: int) -> None:
        if self._going:
            return
        self._at = None
        last = len(self._sections) - 1
        if value == self.verticalScrollBar().maximum():
            self.reading.emit(last)
            return
        above = [place for place in range(last + 1) if self._top(place) <= value + NEAR]
        self.reading.emit(above[-1] if above else 0)
