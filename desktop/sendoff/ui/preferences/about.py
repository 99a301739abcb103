"""What this program is made of, and under which terms."""

from __future__ import annotations

import platform

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit

from sendoff import release
from sendoff.resources import resource
from sendoff.ui.context import Context
from sendoff.ui.links import open_web
from sendoff.ui.newer import day, newer_in, said
from sendoff.ui.preferences.rows import Row, Section, SettingRow
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.choice import ComboBox
from sendoff.ui.widgets.floating import Sheet

OVERVIEW = "README"
FONTS = "Inter and JetBrains Mono (OFL 1.1), Lucide icons (ISC, MIT), Simple Icons (CC0 1.0). Sendoff itself: MIT."


def versions() -> str:
    """What a report of trouble needs: "Sendoff 0.1.0, Python 3.11.2, Qt 6.9.3, Linux-6.1.0-x86_64"."""
    return (
        f"Sendoff {release.version()}, Python {platform.python_version()}, Qt {qVersion()}, "
        f"{platform.system()} {platform.release()} {platform.machine()}"
    )


class AboutSection(Section):
    """The version, whether there is a newer one, and the licences of what Sendoff brings along, which come last."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.look, "About")
        self._context = context
        copy = Button(context.look, "Copy", icon="copy", run=self.copy_versions)
        copy.setAccessibleName("Copy the versions")
        self.version = Row(context.look, f"Sendoff {release.version()}", versions().partition(", ")[2], copy)
        read = Button(context.look, "Read them", run=self.open_licences)
        self.licences = Row(context.look, "Fonts, icons and licences", FONTS, read)
        notes = Button(context.look, "What is new", icon="external-link", run=self.open_notes)
        notes.setAccessibleName("What is new in it")
        self.newer = Row(context.look, "A newer version", "", notes)
        self.add(self.version)
        self.add(self.newer)
        self.set_shown(self.newer, False)

    def copy_versions(self) -> None:
        QGuiApplication.clipboard().setText(versions())
        self._context.say("The versions were copied.")

    def show_newer(self, switch: SettingRow | None) -> None:
        """Says whether there is a newer version, and how the looking for one stands, where it can be looked for."""
        if switch is None:
            return
        context, chosen = self._context, self._context.settings()
        found = newer_in(chosen)
        self.set_shown(self.newer, found is not None)
        if found is not None:
            self.newer.label.setText(f"Sendoff {found.version} is there")
            self.newer.set_words(f"Since {day(found)}. Install it where you got this one; your queue stays as it is.")
        if not switch.is_wrong:
            switch.set_words(f"{switch.setting.help} {said(chosen, context.now(), context.zone())}".strip())

    def open_notes(self) -> None:
        """Opens the page of the newer version in the person's browser."""
        found = newer_in(self._context.settings())
        if found is not None and not open_web(found.notes):
            self._context.say(f"No browser could be opened. The page is {found.notes}", trouble=True)

    def open_licences(self) -> None:
        self._context.window.show_overlay(LicenceSheet(self._context))


class LicenceSheet(Sheet):
    """The texts, one at a time."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.look, context.window, "Licences", width=900, top=64)
        look = context.look
        files = sorted(path.stem for path in resource("licences").glob("*.txt") if path.stem != OVERVIEW)
        names = [(OVERVIEW, "Overview"), *((name, name.replace("-", " ")) for name in files)]
        self.choice = ComboBox(look, "Which licence", names)
        self.choice.setFixedWidth(240)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("The licence")
        self.text.setFont(look.font("small", mono=True))
        self.text.setMinimumHeight(160)
        self.body.addWidget(self.choice)
        self.body.addWidget(self.text, 1)
        self.choice.chosen.connect(self._show)
        close = Button(look, "Close", run=self.close_it)
        self.add_button(close)
        self.begin_with(close)
        self._show(OVERVIEW)

    def _show(self, name: str) -> None:
        self.text.setPlainText(resource("licences", f"{name}.txt").read_text(encoding="utf-8"))
