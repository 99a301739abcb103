"""All parts in all states on one page, for looking at; not a part of the product."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.delivery import State
from sendoff.ui.states import DRAFT, FACES
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets.button import LARGE, NORMAL, SMALL, Button, IconButton
from sendoff.ui.widgets.choice import ComboBox, FilterChip, SegmentedControl, Switch
from sendoff.ui.widgets.field import Field, TextArea, TextField
from sendoff.ui.widgets.flow import FlowLayout
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.state import Badge, Dot, Icon, Keys, Pill, ProgressRing, Spinner, StateIcon, Tile
from sendoff.ui.widgets.surface import Card, CardButton, Divider, EmptyState, Header, primary


def gallery(look: Look) -> QWidget:
    """The page, 1240 px wide."""
    page = QWidget()
    page.setFixedWidth(1240)
    page.setAutoFillBackground(True)
    column = QVBoxLayout(page)
    column.setContentsMargins(24, 0, 24, 24)
    column.setSpacing(12)
    header = Header(look, "Parts")
    header.set_title("Parts", "in all their states")
    header.add(TextField(look, "Search", icon="search", hint="Search posts", keys="Ctrl F"))
    header.add(Button(look, "Add account", kind="primary", icon="plus"))
    column.addWidget(header)
    for name, parts in _rows(look):
        column.addWidget(Label(look, name, size="small", weight=STRONG, color="text3"))
        column.addLayout(_row(parts))
    column.addWidget(Divider(look))
    column.addWidget(_empty(look))
    return page


def _rows(look: Look) -> Iterable[tuple[str, list[QWidget]]]:
    for kind in ("primary", "secondary", "quiet", "link", "danger"):
        yield f"Button, {kind}: rest, hover, pressed, disabled, icon, shortcut, menu, 28, 36", _buttons(look, kind)
    yield "Icon buttons", [IconButton(look, icon, icon, size=size) for icon, size in _ICONS]
    yield (
        "Fields",
        [
            TextField(look, "Name", hint="Your name"),
            _filled(TextField(look, "Name", icon="calendar-clock"), "tomorrow 9"),
            _wrong(_filled(TextField(look, "Name"), "not a time")),
            _off(_filled(TextField(look, "Name"), "disabled")),
            _filled(TextField(look, "Password", secret=True), "secret"),
            _filled(TextField(look, "Search", icon="search", clear=True), "guji"),
        ],
    )
    rules = [("ask", "Up to 2 h late, then ask"), ("send", "Send whenever possible")]
    yield "Choices", [
        ComboBox(look, "Late", rules, icon="clock"), _off(ComboBox(look, "Late", rules)),
        SegmentedControl(look, "View", [("d", "Day"), ("w", "Week"), ("m", "Month"), ("l", "List")]),
        SegmentedControl(look, "Size", [("w", "Wide"), ("p", "Phone")], size=SMALL),
        Switch(look, "Off"), _on(Switch(look, "On")), _off(Switch(look, "Disabled")),
    ]  # fmt: skip
    yield "Filter chips", [
        _on(FilterChip(look, "All accounts")), FilterChip(look, "harborcoffee@toot", mark="mastodon"),
        _hover(FilterChip(look, "harborcoffee.example", mark="bluesky")),
        FilterChip(look, "Drafts · 5", icon="panel-right"),
        _off(FilterChip(look, "disabled", mark="discord")),
        FilterChip(look, "A very long name of an account that nobody would choose", mark="x"),
    ]  # fmt: skip
    yield "States", [Pill(look, FACES[state]) for state in State] + [Pill(look, DRAFT)]
    yield "Signs", [
        *(StateIcon(look, FACES[state]) for state in State),
        *(StateIcon(look, FACES[one], size=32, tile=True) for one in (State.IN_DOUBT, State.FAILED, State.HELD)),
        Badge(look, 3), Badge(look, 128), *(Dot(look, token) for token in ("sent", "missed", "doubt", "failed")),
        *(ProgressRing(look, used, 300) for used in (0, 105, 299, 325)),
        Keys(look, "Ctrl+Shift+K"), Icon(look, "key-round"), Spinner(look),
    ]  # fmt: skip
    yield "Tiles and marks", [
        *(Tile(look, mark=mark) for mark in _MARKS),
        Tile(look, icon="flask-conical", size=44, accent=True), Tile(look, letter="Harbor", size=28, accent=True),
        Tile(look, letter="Nordlicht", size=22), Tile(look, icon="at-sign", size=44),
    ]  # fmt: skip
    yield "Text", [
        Label(look, "Write once.", size="display", weight=STRONG),
        Label(look, "23 – 29 November 2026", size="title", weight=STRONG),
        Label(look, "Lead 15", size="lead"), Label(look, "Base 13"), Label(look, "Medium", weight=MEDIUM),
        Label(look, "Small 12", size="small", color="text2"), Label(look, "11:11:11.04", figures=True),
        Label(look, "mono 0O1lI", mono=True, size="small"), Label(look, "<b>not bold</b> & plain"),
        Label(look, "قهوة جديدة ☕"),
    ]  # fmt: skip
    yield "Cards", [_card(look), _card_button(look), _form(look)]


_MARKS = ("mastodon", "bluesky", "x", "mailgun", "discord", "telegram", "smtp", "practice")
_ICONS = [("settings", SMALL), ("command", SMALL), ("trash-2", NORMAL), ("ellipsis", LARGE)]


def _buttons(look: Look, kind: str) -> list[QWidget]:
    menu = Menu(look)
    menu.add("Send now", lambda: None, icon="send")
    pressed = Button(look, "Pressed", kind=kind)
    pressed.setDown(True)
    return [
        Button(look, "At rest", kind=kind), _hover(Button(look, "Hover", kind=kind)), pressed,
        _off(Button(look, "Disabled", kind=kind)), Button(look, "New post", kind=kind, icon="pen-line"),
        Button(look, "New post", kind=kind, icon="pen-line", keys="Ctrl N"),
        Button(look, "Pause", kind=kind, menu=menu),
        Button(look, "Schedule for Tue 09:00", kind=kind, menu=menu, split=True),
        Button(look, "Small", kind=kind, size=SMALL),
        Button(look, "Large & fine", kind=kind, size=LARGE),
    ]  # fmt: skip


def _card(look: Look) -> QWidget:
    card = Card(look, line="signin.line")
    card.setFixedWidth(330)
    card.body.addWidget(Label(look, "Harbor Coffee ☕", weight=STRONG))
    words = "X no longer accepts the key. Nothing is lost: the posts keep their times and go on after you sign in."
    card.body.addWidget(Label(look, words, color="text2", wrap=True))
    flow = FlowLayout(gap=6)
    for name in ("one", "two", "three", "four", "five"):
        flow.addWidget(FilterChip(look, name))
    card.body.addLayout(flow)
    return card


def _card_button(look: Look) -> QWidget:
    card = CardButton(look, "Mastodon")
    card.setFixedSize(283, 72)
    card.add(Tile(look, mark="mastodon"))
    words = QWidget()
    column = QVBoxLayout(words)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(Label(look, "Mastodon", weight=STRONG))
    column.addWidget(Label(look, "Sign in on your server · 1 min", size="small", color="text2"))
    card.add(words, 1)
    return card


def _form(look: Look) -> QWidget:
    box = QWidget()
    box.setFixedWidth(360)
    column = QVBoxLayout(box)
    column.setContentsMargins(4, 0, 4, 0)
    wrong = Field(look, "Server", _filled(TextField(look, "Server"), "toot example"), "Where you sign in.")
    wrong.set_wrong("“toot example” is not a web address. Write it like https://example.org.")
    column.addWidget(
        Field(look, "Name there", TextField(look, "Name there", hint="@you@practice"), "Anything you like.")
    )
    column.addWidget(wrong)
    area = TextArea(look, "Text", lines=3)
    area.edit.setPlainText("Several lines\nof text in a box")
    column.addWidget(Field(look, "Text", area))
    return box


def _empty(look: Look) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    pictures = ("planner", "drafts", "activity", "accounts", "compose", "settings", "trouble")
    for name in pictures[:3]:
        button = primary(look, "New post", lambda: None, icon="pen-line")
        layout.addWidget(
            EmptyState(look, name, "Nothing is planned", "Write a post and give it a time.", button=button)
        )
    more = QVBoxLayout()
    for name in pictures[3:]:
        more.addWidget(EmptyState(look, name, name, "", button=None))
    layout.addLayout(more)
    return row


def _row(parts: list[QWidget]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for part in parts:
        row.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
    row.addStretch(1)
    return row


def _hover(widget: QWidget) -> QWidget:
    widget.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    return widget


def _off(widget: QWidget) -> QWidget:
    widget.setEnabled(False)
    return widget


def _on(widget: QWidget) -> QWidget:
    widget.setChecked(True)  # type: ignore[attr-defined]
    return widget


def _filled(field: TextField, words: str) -> TextField:
    field.setText(words)
    return field


def _wrong(field: TextField) -> TextField:
    field.set_wrong(True)
    return field
