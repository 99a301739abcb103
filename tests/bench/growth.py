"""Whether a long queue costs: starting, and one wake-up that finds nothing due, at 1,000 and 1,000,000 rows."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sendoff.store import outgoing
from sendoff.store.db import Store
from sendoff.store.profile import open_folder
from sendoff.store.tables import to_stamp

FILL = """
INSERT INTO deliveries (post_id, account_id, state, planned_at, wall, zone, due_at, late, give_up_at, created_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
SELECT 1, 1, 'scheduled', :at + i * 1000000, '2030-01-01T00:00:00', 'UTC',
    :at + i * 1000000, 'send', :at + i * 1000000, :at FROM n
"""


def make(folder: Path, rows: int) -> None:
    """A profile with so many deliveries planned for later."""
    store = Store(open_folder(folder))
    ahead = to_stamp(datetime.now(UTC) + timedelta(days=30))
    with store.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO accounts (id, workspace_id, channel, name, state, created_at)"
            " VALUES (1, 1, 'entry', 'a', 'working', 1)"
        )
        connection.exec_driver_sql(
            "INSERT INTO posts (id, workspace_id, content, is_draft, created_at, updated_at)"
            " VALUES (1, 1, '{}', 0, 1, 1)"
        )
        connection.exec_driver_sql(FILL.replace(":rows", str(rows)).replace(":at", str(ahead)))
    store.close()


def measure(folder: Path) -> dict[str, float]:
    """In a fresh process: milliseconds to open and be the sender, microseconds of a wake-up, memory."""
    from sendoff.bootstrap import open_program
    from tests.bench.contenders import Entry, engine_of

    began = time.perf_counter()
    program = open_program(folder)
    engine = engine_of(program, Entry())
    engine.start()
    started = time.perf_counter() - began
    engine.stop()
    wakes = []
    for _ in range(400):
        began = time.perf_counter()
        with program.store.reading() as connection:
            outgoing.next_due(connection)
        wakes.append(time.perf_counter() - began)
    program.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "start_ms": round(started * 1000, 1),
        "wake_us": round(statistics.median(wakes) * 1e6, 1),
        "memory_mb": round(memory, 1),
    }


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
