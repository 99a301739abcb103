"""`python -m tests.bench.activity`: Activity over 100,000 deliveries, what its moves cost the window; prints JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QApplication

from sendoff.bootstrap import Program, open_program
from sendoff.domain.delivery import State
from sendoff.store import activity, changes
from sendoff.store.activity import Wanted
from sendoff.store.tables import to_stamp
from sendoff.ui.activity.lines import Line
from sendoff.ui.activity.screen import ActivityScreen
from sendoff.ui.session import make_application
from sendoff.ui.theme import Look
from tests.conftest import SetClock
from tests.gui.desk import set_up

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
EVERY = 150_000_000
"""A delivery every so many microseconds: half a year back, two months ahead."""

COUNT = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
POSTS = f"""
INSERT INTO posts (id, workspace_id, content, excerpt, is_draft, created_at, updated_at) {COUNT}
SELECT i + 1, 1, '{{"items": [{{"text": "Post number ' || i || ' about coffee"}}]}}',
    'Post number ' || i || ' about coffee', 0, 1, 1 FROM n
"""
DELIVERIES = f"""
INSERT INTO deliveries (id, post_id, account_id, state, planned_at, wall, zone, due_at, late, give_up_at, created_at,
    sent_at, acknowledged) {COUNT}
SELECT i + 1, i / 2 + 1, i % 5 + 1,
    CASE WHEN i > :past THEN 'scheduled' WHEN i % 5000 = 0 THEN 'failed' ELSE 'sent' END,
    :now - (:past - i / 2 * 2) * :every, '2026-11-23T00:00:00', 'Europe/Berlin', :now, 'send', :now, 1,
    CASE WHEN i > :past OR i % 5000 = 0 THEN NULL ELSE :now - (:past - i / 2 * 2) * :every + 300000 END,
    i % 5000 = 0 AND i < 60000 FROM n
"""
PARTS = """
INSERT INTO parts (delivery_id, number, key, remote_id, receipt, sent_at)
SELECT id, 1, 'k' || id, CASE WHEN state = 'sent' THEN 'r' || id END,
    CASE WHEN state = 'sent' THEN '{"remote_id": "r' || id || '", "url": "https://toot.example/' || id || '"}' END,
    sent_at FROM deliveries
"""
ATTEMPTS = """
INSERT INTO attempts (part_id, delivery_id, number, owner, began_at, ended_at, outcome, status, summary)
SELECT id, delivery_id, 1, 'bench', sent_at - 250000, sent_at, 'sent', 200, 'Taken' FROM parts WHERE sent_at IS NOT NULL
"""


def fill(program: Program, rows: int) -> None:
    """So many deliveries, two for each post, three quarters of them in the past."""
    figures = {"last": rows - 1, "past": rows * 3 // 4, "now": to_stamp(NOW), "every": EVERY}

    def filled(text: str, **more: int) -> str:
        for name, value in (figures | more).items():
            text = text.replace(f":{name}", str(value))
        return text

    with program.store.writing(changes.DELIVERIES) as connection:
        run = connection.exec_driver_sql
        for number in range(1, 6):
            run(
                "INSERT INTO accounts (id, workspace_id, channel, name, state, created_at)"
                f" VALUES ({number}, 1, 'practice', 'account {number}', 'working', 1)"
            )
        run(filled(POSTS, last=rows // 2 - 1))
        run("INSERT INTO posts_text (rowid, body) SELECT id, excerpt FROM posts")
        for text in (DELIVERIES, PARTS, ATTEMPTS):
            run(filled(text))


def best(work: Callable[[], object], times: int = 9) -> float:
    """The least of several runs: what else the machine does only adds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return round(min(took), 1)


def questions(program: Program) -> dict[str, float]:
    """Milliseconds of what the screen asks the database."""

    def ask(wanted: Wanted, limit: int = 100) -> Callable[[], object]:
        def run() -> object:
            with program.store.reading() as connection:
                return activity.history(connection, wanted, limit)

        return run

    def decisions() -> object:
        with program.store.reading() as connection:
            return activity.decisions(connection, 8)

    return {
        "page_ms": best(ask(Wanted(until=NOW))),
        "state_ms": best(ask(Wanted(states=frozenset({State.FAILED})))),
        "account_ms": best(ask(Wanted(account_id=3, until=NOW))),
        "words_ms": best(ask(Wanted(words="number 4711", until=NOW))),
        "common_word_ms": best(ask(Wanted(words="coffee", until=NOW))),
        "decisions_ms": best(decisions),
    }


def paint() -> None:
    """Lets Qt lay out and paint what is due; what that asks for in turn comes in the second round."""
    for _ in range(2):
        QApplication.processEvents()


def window(program: Program, look: Look) -> dict[str, Any]:
    """Milliseconds that the window is busy: opening the page, asking again, opening a line, scrolling on."""
    desk = set_up(program, look)
    desk.window.show()
    desk.settle()
    began = time.perf_counter()
    desk.window.go("activity")
    paint()
    found: dict[str, Any] = {"first_open_ms": round((time.perf_counter() - began) * 1000, 1)}
    screen = desk.window.screen_named("activity")
    assert isinstance(screen, ActivityScreen)
    found["refresh_ms"] = best(screen.refresh)
    found["open_again_ms"] = best(lambda: (desk.window.go("drafts"), desk.window.go("activity"), paint()))
    line = next(one for one in screen.model.rows if isinstance(one, Line) and one.word == "Sent")
    found["open_and_close_line_ms"] = best(lambda: (screen.toggle(line), paint(), screen.toggle(line), paint()))
    found["next_page_ms"] = best(lambda: (screen.model.fetchMore(QModelIndex()), paint()), 3)
    bar = screen.list.verticalScrollBar()
    found["frame_ms"] = best(lambda: (bar.setValue(bar.value() + 37), screen.list.viewport().repaint()), 60)
    while screen.model.canFetchMore(QModelIndex()):
        screen.model.fetchMore(QModelIndex())
    found["posts_in_a_full_list"] = len(screen._entries)
    found["refresh_of_a_full_list_ms"] = best(screen.refresh)
    desk.close()
    return found


def main(rows: int) -> None:
    look = Look(make_application(), "light")
    with tempfile.TemporaryDirectory(prefix="sendoff-bench-") as name:
        program = open_program(Path(name) / "profile", passphrase="bench", clock=SetClock(NOW))
        fill(program, rows)
        found = {"deliveries": rows, "load": round(os.getloadavg()[0], 2)} | questions(program) | window(program, look)
        program.close()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
