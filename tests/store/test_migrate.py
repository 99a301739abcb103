"""Each step of the schema takes a real file of the version before it, and nothing in it is lost."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sendoff.domain.delivery import State
from sendoff.domain.errors import SetupMissing
from sendoff.store import accounts, deliveries, migrate, settings
from sendoff.store.db import Store
from sendoff.store.profile import SenderLock
from tests.store.test_schema import shape

OLD = Path(__file__).parent / "old"
"""Files that released versions wrote, one for each step, named by it."""


def opened(folder: Path, step: str) -> Store:
    shutil.copy(OLD / f"{step}.db", folder / "sendoff.db")
    return Store(folder)


@pytest.mark.parametrize("step", sorted(file.stem for file in OLD.glob("*.db")))
def test_an_old_file_becomes_what_a_new_one_is(tmp_path: Path, store: Store, step: str) -> None:
    old = opened(tmp_path, step)
    with old.reading() as connection, store.reading() as fresh:
        assert shape(connection) == shape(fresh)
    old.close()


@pytest.mark.parametrize("step", sorted(file.stem for file in OLD.glob("*.db")))
def test_what_stands_in_it_stays(tmp_path: Path, step: str) -> None:
    old = opened(tmp_path, step)
    with old.reading() as connection:
        states = {number: deliveries.get(connection, number).state for number in range(1, 6)}
        known = accounts.every(connection)
        late = settings.read(connection)["late"]
    old.close()
    assert [str(states[number]) for number in range(1, 6)] == ["sent", "failed", "in_doubt", "scheduled", "scheduled"]
    assert [(one.name, one.late, one.strikes, one.rest_until) for one in known] == [
        ("Ada", "", 0, None), ("Post", "", 0, None), ("Lost", "", 0, None)
    ]  # fmt: skip
    assert late == "ask 15m"
    assert states[1] is State.SENT


def test_the_file_as_it_was_is_kept_beside_it(tmp_path: Path) -> None:
    opened(tmp_path, "0001").close()
    (copy,) = (tmp_path / "backups").glob("before-update-from-0001-*.db")
    with closing(sqlite3.connect(copy)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        assert raw.execute("SELECT count(*) FROM deliveries").fetchone() == (5,)


def test_an_old_sender_that_runs_is_not_pulled_the_ground_from_under(tmp_path: Path) -> None:
    lock = SenderLock(tmp_path)
    lock.acquire()
    with pytest.raises(SetupMissing, match=r"version before is still sending .* Quit it"):
        opened(tmp_path, "0001")
    with closing(sqlite3.connect(tmp_path / "sendoff.db")) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    lock.release()
    Store(tmp_path).close()


def test_every_step_but_the_newest_has_a_file_to_start_from() -> None:
    steps = {step.name.split("_")[0] for step in (migrate.STEPS / "versions").glob("[0-9]*.py")}
    assert {file.stem for file in OLD.glob("*.db")} == steps - {migrate.HEAD}
