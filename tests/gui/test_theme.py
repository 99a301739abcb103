"""The look: what can be read, what is drawn, and that it follows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetrics
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import sendoff
from sendoff.channels import registry
from sendoff.domain.delivery import State
from sendoff.resources import resource
from sendoff.ui.screens import ENTRIES
from sendoff.ui.states import FACES
from sendoff.ui.theme import Look
from sendoff.ui.tokens import Theme, read_tokens
from sendoff.ui.widgets.button import KINDS
from sendoff.ui.widgets.label import Label

TOKENS = read_tokens()
STATES = ("scheduled", "held", "sending", "sent", "failed", "doubt", "missed", "signin")
GROUNDS = ("surface", "window", "raised", "card", "input", "hover", "selected", "accent.tint", "off_hours")
SOURCES = sorted(Path(sendoff.__file__).parent.joinpath("ui").rglob("*.py"))


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [value / 255 for value in QColor(color).getRgb()[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(front: str, back: str) -> float:
    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def pairs(theme: Theme) -> list[tuple[str, str, float]]:
    """Everything that is read on something else, with the ratio that WCAG AA asks for."""
    found = [(text, ground, 4.5) for text in ("text", "text2", "text3") for ground in GROUNDS]
    found += [("accent.text", ground, 4.5) for ground in ("surface", "window", "raised", "accent.tint", "card")]
    found += [("accent.on", f"accent.{part}", 4.5) for part in ("fill", "hover", "pressed")]
    for state in STATES:
        found += [(f"{state}.text", ground, 4.5) for ground in (f"{state}.tint", "surface", "raised", "window")]
        found += [(text, f"{state}.tint", 4.5) for text in ("text", "text2")]
        found.append((f"{state}.line", "surface", 3.0))
    found += [("accent.fill", "surface", 3.0), ("neutral.9", "surface", 3.0)]
    for kind in KINDS.values():
        for colors in (kind.rest, kind.hover, kind.pressed):
            found.append((colors.text, colors.fill or "surface", 4.5))
    return [(front, back, need) for front, back, need in found if front in theme.colors]


@pytest.mark.parametrize("theme", [TOKENS.light, TOKENS.dark], ids=lambda theme: theme.name)
def test_everything_can_be_read(theme: Theme) -> None:
    poor = [
        f"{front} on {back}: {contrast(theme[front], theme[back]):.2f}, needs {need}"
        for front, back, need in pairs(theme)
        if contrast(theme[front], theme[back]) < need
    ]
    assert not poor


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def test_every_state_has_a_face() -> None:
    assert {state.value for state in State} == set(FACES)
    for face in FACES.values():
        assert f"{face.token}.text" in TOKENS.light.colors
        assert face.word


def test_every_icon_that_is_named_is_there() -> None:
    named = {face.icon for face in FACES.values()} | {entry.icon for entry in ENTRIES}
    text = "\n".join(path.read_text() for path in SOURCES)
    named |= set(re.findall(r'icon="([a-z0-9-]+)"', text))
    missing = [name for name in sorted(named) if not resource("icons", f"{name}.svg").is_file()]
    assert not missing


def test_every_channel_has_a_mark(program: registry.Registry) -> None:
    missing = [
        one.kind for one in program.channels.values() if not resource("icons", "marks", f"{one.mark}.svg").is_file()
    ]
    assert not missing


def test_every_colour_that_is_named_is_a_token() -> None:
    text = "\n".join(path.read_text() for path in SOURCES)
    named = set(re.findall(r'look\.color\("([a-z.0-9_]+)"', text)) | set(re.findall(r'color="([a-z.0-9_]+)"', text))
    named |= set(re.findall(r"@([a-z.0-9_]+?)[; ]", resource("..", "desktop", "sendoff", "ui", "style.py").read_text()))
    assert not sorted(named - set(TOKENS.light.colors))
    assert set(TOKENS.light.colors) == set(TOKENS.dark.colors)


def test_the_weights_differ_and_figures_stand_in_columns(look: Look) -> None:
    regular, strong = look.font("base", 400), look.font("base", 600)
    assert QFontMetrics(regular).horizontalAdvance("Schedule") < QFontMetrics(strong).horizontalAdvance("Schedule")
    plain, figures = QFontMetrics(look.font()), QFontMetrics(look.font(figures=True))
    assert plain.horizontalAdvance("11:11") < plain.horizontalAdvance("00:00")
    assert figures.horizontalAdvance("11:11") == figures.horizontalAdvance("00:00")


def test_an_icon_is_drawn_in_its_colour_and_sharp_on_a_dense_screen(look: Look) -> None:
    pixmap = look.pixmap("check", 16, "failed.text", 2.0)
    assert pixmap.size().toTuple() == (32, 32)
    image = pixmap.toImage()
    colors = {
        image.pixelColor(x, y).name().upper()
        for x in range(32)
        for y in range(32)
        if image.pixelColor(x, y).alpha() == 255
    }
    assert colors == {look.theme["failed.text"].upper()}
    assert look.pixmap("check", 16, "failed.text", 2.0).cacheKey() == pixmap.cacheKey()


def test_the_window_follows_the_choice_at_once(qtbot: QtBot, look: Look) -> None:
    label = Label(look, "Hello")
    qtbot.addWidget(label)
    label.show()
    try:
        with qtbot.waitSignal(look.changed):
            look.choose("dark")
        assert label.grab().toImage().pixelColor(0, 0) == QColor(look.tokens.dark["surface"])
        assert QApplication.palette().window().color() == QColor(look.tokens.dark["surface"])
        look._system_changed(Qt.ColorScheme.Light)
        assert look.theme.dark  # the person's choice counts, not the system's
    finally:
        look.choose("light")


def test_the_look_follows_the_system_while_nothing_was_chosen(look: Look) -> None:
    try:
        look.choose("system")
        look._system_changed(Qt.ColorScheme.Dark)
        assert look.theme.dark
        look._system_changed(Qt.ColorScheme.Light)
        assert not look.theme.dark
    finally:
        look.choose("light")
