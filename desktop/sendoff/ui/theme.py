"""The look: colours, measures and fonts from the tokens; light and dark, following the system or the person."""

from __future__ import annotations

import sys
from contextlib import suppress

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPixmap
from PySide6.QtWidgets import QApplication

from sendoff.resources import resource
from sendoff.ui.icons import Drawings, mark_file
from sendoff.ui.style import palette, sheet
from sendoff.ui.tokens import Theme, read_tokens

FONT_FILES = ("Inter-Regular", "Inter-Medium", "Inter-SemiBold", "JetBrainsMono-Regular", "JetBrainsMono-Bold")
NORMAL, MEDIUM, STRONG = 400, 500, 600
"""Weights: 600 for what one looks for, 500 for controls, 400 for the rest."""


class Look(QObject):
    """The theme of now, and everything that is drawn from it. Each widget is given it and asks it while painting.

    `changed` comes after the whole window was restyled; widgets that ask in paintEvent need not listen.
    """

    changed = Signal()

    def __init__(self, app: QApplication, choice: str = "system") -> None:
        super().__init__(app)
        self._app = app
        self.tokens = read_tokens()
        self._fonts: dict[tuple[str, int, bool, bool], QFont] = {}
        self._load_fonts()
        self._hints = app.styleHints()
        self.system_dark = self._hints.colorScheme() is Qt.ColorScheme.Dark
        self._choice = choice
        self.theme = self._wanted()
        app.setFont(self.font())
        self._apply()
        self._hints.colorSchemeChanged.connect(self._system_changed)

    def choose(self, choice: str) -> None:
        """Takes "system", "light" or "dark"; the window follows at once."""
        self._choice = choice
        if sys.platform != "linux":  # there the window's frame is not Qt's, and the panel's brightness would be lost
            schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
            self._hints.setColorScheme(schemes.get(choice, Qt.ColorScheme.Unknown))
        self._refresh()

    def _system_changed(self, scheme: Qt.ColorScheme) -> None:
        if sys.platform == "linux" or self._choice == "system":
            self.system_dark = scheme is Qt.ColorScheme.Dark
        self._refresh()

    def _wanted(self) -> Theme:
        dark = self._choice == "dark" or (self._choice == "system" and self.system_dark)
        return self.tokens.dark if dark else self.tokens.light

    def _refresh(self) -> None:
        if self.theme is not self._wanted():
            self.theme = self._wanted()
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        self._colors = {name: QColor(value) for name, value in self.theme.colors.items()}
        self._drawings = Drawings(self.theme.colors)
        self._app.setPalette(palette(self.theme.colors))
        self._app.setStyleSheet(sheet(self.theme.colors))

    @staticmethod
    def _load_fonts() -> None:
        for name in FONT_FILES:
            QFontDatabase.addApplicationFont(str(resource("fonts", f"{name}.ttf")))

    # --- what widgets ask -----------------------------------------------------------------------------------------

    def color(self, name: str) -> QColor:
        """A colour by its token name."""
        return QColor(self._colors[name])

    def font(self, size: str = "base", weight: int = NORMAL, *, figures: bool = False, mono: bool = False) -> QFont:
        """A font of the type scale: small 12, base 13, lead 15, title 20, display 28 px.

        Args:
            figures: digits of equal width; for times, counters and number columns only.
            mono: the fixed-width family.
        """
        wanted = (size, weight, figures, mono)
        if wanted not in self._fonts:
            self._fonts[wanted] = self._made(*wanted)
        return QFont(self._fonts[wanted])  # a copy shares what Qt has found out about the font's files

    def _made(self, size: str, weight: int, figures: bool, mono: bool) -> QFont:
        px, _, spacing = self.tokens.sizes[size]
        font = QFont()
        font.setFamilies(self.tokens.mono if mono else self.tokens.families)
        font.setPixelSize(px)
        font.setWeight(QFont.Weight(weight))
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        if spacing:
            font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, spacing)
        if figures:
            with suppress(TypeError):  # PySide6 6.8.0 can't make a tag from its name: figures keep their own widths
                font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def line_height(self, size: str = "base") -> int:
        return self.tokens.sizes[size][1]

    def pixmap(self, icon: str, size: int = 16, color: str = "text2", ratio: float = 1.0) -> QPixmap:
        """An outline icon in a token's colour, drawn for the screen's device pixel ratio and kept."""
        return self._drawings.pixmap(f"{icon}.svg", size, self._named(color), ratio)

    def mark(self, name: str, size: int = 16, color: str = "", ratio: float = 1.0) -> QPixmap:
        """A network's mark, in its own colour or in that of a token."""
        own = self.tokens.marks.get(name, "text")
        return self._drawings.pixmap(mark_file(name), size, self._named(color or own), ratio)

    def picture(self, name: str, width: int, height: int, ratio: float = 1.0) -> QPixmap:
        """One of Sendoff's own small drawings, in the theme's colours."""
        return self._drawings.picture(name, width, height, ratio)

    def icon(self, name: str, color: str = "text2", size: int = 16) -> QIcon:
        """An outline icon for menus, crisp at the usual scales."""
        return self._drawings.icon(f"{name}.svg", size, self._named(color))

    def mark_icon(self, name: str, color: str = "text2", size: int = 16) -> QIcon:
        return self._drawings.icon(mark_file(name), size, self._named(color))

    def _named(self, color: str) -> str:
        return color if color.startswith("#") else self.theme[color]
