"""Brings the planner into each of its states, for screenshots and tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from PySide6.QtCore import QBuffer, QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest

from sendoff.domain.delivery import PartPlan
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.store import deliveries, posts
from sendoff.ui.planner.layout import Spot
from sendoff.ui.planner.screen import PlannerScreen
from tests.gui import sample
from tests.gui.desk import Desk


def screen_of(desk: Desk) -> PlannerScreen:
    """The planner, shown."""
    desk.window.go("planner")
    desk.settle()
    screen = desk.window.screen_named("planner")
    assert isinstance(screen, PlannerScreen)
    return screen


def spot_with(screen: PlannerScreen, words: str) -> Spot:
    """The chip whose words begin so."""
    return next(spot for spot in screen.week.spots() if spot.entry.chip.excerpt.startswith(words))


def point_at(screen: PlannerScreen, words: str) -> QPoint:
    """The middle of a chip in the viewport of the week."""
    return screen.week.rect_of(spot_with(screen, words)).center()


def with_picture(desk: Desk, words: str = "We finally fixed") -> None:
    """Gives a post a picture, and its last account a text of its own."""
    picture = desk.program.media.attach_bytes(_cup(), "cup.png", "image/png", alt="A cup of coffee")
    post_id = spot_with(screen_of(desk), words).entry.chip.post_id
    with desk.program.store.writing("posts") as connection:
        post = posts.get(connection, post_id)
        content = Content(items=(replace(post.content.items[0], media=(picture,)),))
        *first, last = post.variants
        chosen = [*first, replace(last, content=Content(items=(Item("It works again."),)))]
        posts.update(connection, post_id, content, chosen, post.plan, sample.NOW)
    desk.settle()


def _cup() -> bytes:
    image = QImage(160, 120, QImage.Format.Format_RGB32)
    image.fill(QColor("#E9D8C5"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for color, rect in (("#D8B496", (0, 84, 160, 36)), ("#C49A77", (34, 84, 92, 16)), ("#FFFFFF", (44, 34, 66, 62))):
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(*rect, 14, 14)
    painter.setBrush(QColor("#6B3F25"))
    painter.drawEllipse(46, 32, 62, 16)
    painter.end()
    data = QBuffer()
    data.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(data, "PNG")  # type: ignore[call-overload]
    return bytes(data.data().data())


def hover(desk: Desk, words: str = "We finally fixed") -> None:
    screen = screen_of(desk)
    with_picture(desk)
    screen.week.jump_to(spot_with(screen, words).entry.chip.post_id, sample.NOW)
    QTest.mouseMove(screen.week.viewport(), point_at(screen, words))
    desk.until(lambda: screen.card.entry)
    desk.settle()


def in_doubt(desk: Desk) -> None:
    hover(desk, "Cupping this Saturday")


def keyboard(desk: Desk) -> None:
    screen = screen_of(desk)
    desk.window.activateWindow()
    screen.week.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(screen.week, Qt.Key.Key_Right)
    QTest.keyClick(screen.week, Qt.Key.Key_Up)


def drag(desk: Desk) -> None:
    screen = screen_of(desk)
    view, start = screen.week.viewport(), point_at(screen, "Staff picks")
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 5):
        QTest.mouseMove(view, start + QPoint(step * view.width() // 28, -step * 20))
    desk.settle()


def several(desk: Desk) -> None:
    screen = screen_of(desk)
    view, control = screen.week.viewport(), Qt.KeyboardModifier.ControlModifier
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=point_at(screen, "Behind the counter"))
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, control, point_at(screen, "We finally fixed"))
    desk.settle()


def busy(desk: Desk) -> None:
    """A day with far more than has room."""
    with desk.program.store.writing("deliveries") as connection:
        for number in range(60):
            post_id = posts.insert(
                connection, 1, Content(items=(Item(f"Post number {number} of a busy day"),)), [Variant(1)], Plan(),
                sample.NOW,
            )  # fmt: skip
            posts.set_draft(connection, post_id, False)
            wall = datetime(2026, 11, 26, 8) + timedelta(minutes=7 * number)
            when = When(wall, sample.ZONE)
            deliveries.insert(
                connection, post_id=post_id, account_id=1 + number % 3, when=when, late="send",
                give_up_at=when.instant, plans=[PartPlan()], now=sample.NOW,
            )  # fmt: skip
    screen_of(desk)


def clock_change(desk: Desk) -> None:
    """The week in which Berlin's clock goes forward, at night."""
    screen = screen_of(desk)
    screen.arrive(at=datetime(2027, 3, 26, 12, tzinfo=sample.NOW.tzinfo))
    desk.settle()
    screen.week.verticalScrollBar().setValue(0)


def filtered(desk: Desk) -> None:
    screen = screen_of(desk)
    screen.filters.choose({3})
    screen.page(2)
    desk.settle()


def as_list(desk: Desk) -> None:
    screen = screen_of(desk)
    screen.switch()
    desk.settle()
    view = screen.list
    places = [view.visualRect(view.rows.index(row)).center() for row in range(len(view.rows.rows))]
    named = {
        line.entry.chip.excerpt[:6]: place for line, place in zip(view.rows.rows, places, strict=True) if line.entry
    }
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=named["Behind"])
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, named["What s"])
    QTest.mouseMove(view.viewport(), named["Wholes"])
    desk.settle()


def search(desk: Desk) -> None:
    screen = screen_of(desk)
    QTest.keySequence(desk.window, "Ctrl+F")
    screen.toolbar.search.setText("quiz")
    desk.settle()


def nothing(desk: Desk) -> None:
    screen = screen_of(desk)
    screen.toolbar.begin_search()
    screen.toolbar.search.setText("zebra")
    desk.settle()


def shift(desk: Desk) -> None:
    several(desk)
    screen = screen_of(desk)
    screen.deeds.ask_shift(screen.week.selected)
    QTest.keyClicks(desk.window.overlay.field, "1 day 2 h")  # type: ignore[union-attr]
    desk.settle()
