"""What holds on every screen: each control has a name to be read aloud, and nothing is cut off in a small window."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QApplication, QWidget

from sendoff.channels.registry import ordered
from sendoff.domain.delivery import State
from sendoff.store import timeline
from sendoff.ui.activity.settling import SettleSheet
from sendoff.ui.activity.trace import AttemptView
from sendoff.ui.composer.screen import ComposerScreen
from sendoff.ui.screens import SCREENS
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.surface import Card, Header
from sendoff.ui.window import LEAST
from tests.gui import composing, sample
from tests.gui.desk import Desk


@pytest.fixture
def first_screen() -> str:
    return ""


def places(desk: Desk) -> Iterator[str]:
    """Goes to every place, and names it."""
    window = desk.window
    for name in SCREENS:
        window.go(name)
        yield name
    for channel in ordered(desk.program.channels):
        window.go("add_account", kind=channel.kind)
        yield f"add_account {channel.kind}"
        form = window.screen_named("add_account").page.form  # type: ignore[union-attr]
        for fold in (form._servers, *form.folds.values()):
            fold.open(True)
        yield f"add_account {channel.kind}, unfolded"
    window.go("planner")
    window.screen_named("planner").show_view("list")  # type: ignore[union-attr]
    yield "planner list"
    for bring in (composing.open_post, composing.open_mail, composing.open_mix, composing.open_poll):
        bring(desk)
        yield bring.__name__
    window.go("activity")
    for opened in ("November at the harbor", "Roast log: the long"):
        desk.settle()
        screen = window.screen_named("activity")
        lines = screen.model.rows  # type: ignore[union-attr]
        screen.toggle(next(one for one in lines if getattr(one, "text", "").startswith(opened)))  # type: ignore[union-attr]
        yield f"activity: {opened}"
    attempt = screen.list.findChildren(AttemptView)[0]  # type: ignore[union-attr]
    attempt.line.click()
    yield "activity, an attempt opened"
    window.go("accounts", account_id=1 + sample.NEWS)
    yield "accounts, one chosen"

    def open_doubt() -> None:
        with desk.context.reading() as connection:
            (doubtful,) = timeline.queue(connection, states=[State.IN_DOUBT])
        SettleSheet.show_for(desk.context, doubtful.delivery.id, True)

    sheets: tuple[Callable[[], object], ...] = (
        window.open_palette, window.open_keys, window.open_restore, open_doubt,
    )  # fmt: skip
    for open_sheet in sheets:
        open_sheet()
        yield open_sheet.__name__
        assert window.overlay is not None
        window.overlay.close_it()


def seen(desk: Desk) -> list[QWidget]:
    """What can be seen, once everything has come to rest."""
    desk.settle()
    screen = desk.window.screen_named(desk.window.current)
    if isinstance(screen, ComposerScreen):
        desk.until(lambda: not screen._look_soon.isActive())
        desk.settle()
    QApplication.processEvents()
    return [one for one in desk.window.findChildren(QWidget) if one.isVisible()]


def is_cut(widget: QWidget) -> bool:
    """Whether words or a card have less room than they take, with no bar to scroll by."""
    beyond = widget.parentWidget()
    if isinstance(widget, Label) and widget.hasHeightForWidth():
        return widget.height() < widget.heightForWidth(widget.width())
    if isinstance(beyond, Header) and widget is beyond.title:
        return widget.width() < widget.sizeHint().width()
    return isinstance(widget, Card) and beyond is not None and not beyond.rect().contains(widget.geometry())


def path(widget: QWidget | None) -> str:
    """Where it stands, for whoever has to mend it: its own class and those it is in."""
    return f"{type(widget).__name__} in {path(widget.parentWidget())}" if widget is not None else "nothing"


def test_controls_have_names_and_nothing_goes_sideways_in_the_smallest_window(harbor: Desk) -> None:
    harbor.window.setMinimumSize(LEAST)
    harbor.window.resize(LEAST)
    wrong = []
    for place in places(harbor):
        for one in seen(harbor):
            spoken = QAccessible.queryAccessibleInterface(one)
            name = spoken.text(QAccessible.Text.Name) if spoken else one.accessibleName()
            if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.isEnabled() and not name.strip():
                wrong.append(f"{place}: no name, {path(one)}")
            if is_cut(one):
                wrong.append(f"{place}: cut off, {path(one)}")
            if isinstance(one, QAbstractScrollArea) and (more := one.horizontalScrollBar().maximum()) > 0:
                wrong.append(f"{place}: {more} px too wide, {path(one)}")
        if harbor.window.size() != LEAST:
            wrong.append(f"{place}: the window can't be that small")
    assert wrong == []


def walk(desk: Desk) -> tuple[list[QWidget], list[QWidget]]:
    """What Tab comes to until it is back where it began, and what of it was not in sight then."""
    focused = QApplication.focusWidget()
    assert focused is not None, "nothing has the keyboard"
    reached: list[QWidget] = []
    unseen = []
    while focused not in reached:
        reached.append(focused)
        if focused.visibleRegion().isEmpty():
            unseen.append(focused)
        for _ in range(20):  # the links of a mail come one after the other, with the keyboard in the mail
            QTest.keyClick(focused, Qt.Key.Key_Tab)
            if QApplication.focusWidget() is not focused:
                break
        focused = QApplication.focusWidget()
        assert focused is not None, "Tab leads nowhere"
    return reached, unseen


def tabbed(desk: Desk) -> list[QWidget]:
    """What Tab should come to. Of buttons of which one is chosen it is the chosen one; the arrows go on from there."""
    among = [one for one in seen(desk) if desk.window.overlay is None or desk.window.overlay.isAncestorOf(one)]
    return [
        one
        for one in among
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.isEnabled()
        and one.focusProxy() is None
        and not (isinstance(one, QAbstractButton) and one.group() and one.group().exclusive() and not one.isChecked())
    ]


def test_tab_comes_to_everything_and_only_to_what_is_in_sight(harbor: Desk) -> None:
    wrong = []
    for place in places(harbor):
        harbor.window.activateWindow()
        expected = tabbed(harbor)
        reached, unseen = walk(harbor)
        past = [one for one in expected if one not in reached]
        for words, those in (("Tab goes past", past), ("not in sight", unseen)):
            wrong += [f"{place}: {words}: {one.accessibleName()}, {path(one)}" for one in those]
    assert wrong == []
