"""`python -m tests.bench.planner`: how long the planner takes to open a week, and to paint a frame; one line of JSON.

The window is real and painted offscreen; the database has 100,000 deliveries over a year, and a week of 5,000 chips.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sendoff.bootstrap import Program, open_program
from sendoff.store import settings
from sendoff.store.secrets import Vault
from sendoff.store.tables import to_stamp
from sendoff.ui.planner.screen import PlannerScreen
from sendoff.ui.session import make_application
from sendoff.ui.theme import Look
from tests.conftest import SetClock
from tests.gui.desk import Desk, grab, set_up

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
BUSY = datetime(2027, 2, 1, tzinfo=UTC)
"""The Monday of the week with 5,000 chips."""
ROWS, CHIPS = 100_000, 5_000
WEEK = timedelta(days=7) // timedelta(microseconds=1)
ACCOUNT = (
    "INSERT INTO accounts (workspace_id, channel, name, state, created_at) VALUES (1, 'mastodon', ?, 'working', 1)"
)
POSTS = """
INSERT INTO posts (id, workspace_id, content, excerpt, is_draft, created_at, updated_at)
WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)
SELECT i, 1, '{}', 'Number ' || i || ': what we roast, brew and pour at the pier this week', 0, 1, 1 FROM n
"""
DELIVERIES = """
INSERT INTO deliveries
    (post_id, account_id, state, planned_at, wall, zone, due_at, late, give_up_at, created_at, sent_at)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1)
SELECT :first + i / :seats, 1 + i % 6, iif(at < :now, 'sent', 'scheduled'),
    at, strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch'), 'UTC', :now, 'send', :now, 1, 1
FROM (SELECT i, :start + (i / :seats) * :step AS at FROM n)
"""


def fill(program: Program) -> None:
    """A year with two deliveries a post, evenly; and one week of 5,000 posts."""
    year = 52 * WEEK
    with program.store.writing() as connection:
        settings.write(connection, "zone", "UTC")
        for number in range(6):
            connection.exec_driver_sql(ACCOUNT, (f"account {number}",))
        for first, count, seats, start, span in (
            (1, ROWS, 2, NOW - timedelta(days=182), year),
            (ROWS + 1, CHIPS, 1, BUSY, WEEK),
        ):
            posts = count // seats
            numbers = {"first": first, "last": first + posts - 1, "count": count, "seats": seats}
            numbers |= {"start": to_stamp(start), "step": span // posts, "now": to_stamp(NOW)}
            for statement in (POSTS, DELIVERIES):
                connection.exec_driver_sql(_named(statement, numbers))


def _named(statement: str, numbers: dict[str, int]) -> str:
    for name in sorted(numbers, key=len, reverse=True):
        statement = statement.replace(f":{name}", str(numbers[name]))
    return statement


def _milliseconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000


def _middle(times: list[float]) -> dict[str, float]:
    return {"median_ms": round(statistics.median(times), 1), "worst_ms": round(max(times), 1)}


def _painted(screen: PlannerScreen, target: QPixmap) -> None:
    screen.week.viewport().render(target)


def opening(screen: PlannerScreen, target: QPixmap) -> dict[str, float]:
    """From the wish to the painted week: read, laid out, painted; each time a week not seen before."""

    def one() -> None:
        screen.page(1)
        _painted(screen, target)

    return _middle([_milliseconds(one) for _ in range(8)])


def frames(screen: PlannerScreen, target: QPixmap) -> dict[str, float]:
    """Frames while the grid is scrolled."""
    bar = screen.week.verticalScrollBar()
    times = []
    for step in range(100):
        bar.setValue(bar.minimum() + step * (bar.maximum() - bar.minimum()) // 100)
        times.append(_milliseconds(lambda: _painted(screen, target)))
    return _middle(times)


def dragging(screen: PlannerScreen, target: QPixmap) -> dict[str, float]:
    """Frames while a chip is dragged over the busy week."""
    view = screen.week.viewport()
    spot = next(spot for spot in screen.week.spots() if view.rect().contains(screen.week.rect_of(spot)))
    start = screen.week.rect_of(spot).center()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    times = []
    for step in range(1, 60):
        to = start + QPoint(step * 8, step * 3)
        times.append(_milliseconds(lambda to=to: (QTest.mouseMove(view, to), _painted(screen, target))))  # type: ignore[misc]
    QTest.keyClick(screen.week, Qt.Key.Key_Escape)
    return _middle(times)


def measure(desk: Desk) -> dict[str, object]:
    screen = desk.window.screen_named("planner")
    assert isinstance(screen, PlannerScreen)
    target = QPixmap(screen.week.viewport().size())
    found: dict[str, object] = {"rows": ROWS + CHIPS, "opening_a_week": opening(screen, target)}
    screen.arrive(at=BUSY + timedelta(days=2))
    QApplication.processEvents()
    chips = sum(len(spot.entries) for spot in screen.week.spots())
    found["opening_5000_chips_ms"] = round(
        _milliseconds(lambda: (screen.page(1), screen.page(-1), _painted(screen, target)))
    )
    found |= {"chips": chips, "frame": frames(screen, target), "drag_frame": dragging(screen, target)}
    screen.show_view("list")
    found["list_page_ms"] = round(_milliseconds(lambda: (screen.page(1), QApplication.processEvents())), 1)
    return found


def main() -> int:
    Vault.N = 1 << 10
    with tempfile.TemporaryDirectory(prefix="sendoff-bench-") as folder:
        program = open_program(Path(folder) / "profile", passphrase="bench", clock=SetClock(NOW))
        fill(program)
        look = Look(make_application(), "light")
        desk = set_up(program, look)
        grab(desk.window, 1280, 800)
        desk.settle()
        print(json.dumps(measure(desk) | {"load": round(os.getloadavg()[0], 2)}))
        desk.close()
        program.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
