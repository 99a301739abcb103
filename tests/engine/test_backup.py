"""What the sender does once a day: a copy, whose troubles are shown and stop nothing, and a tidying."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sendoff.bootstrap import Program
from sendoff.domain.post import Content, Item, Plan
from sendoff.engine.engine import Engine
from sendoff.store import backups, posts
from tests.conftest import SetClock
from tests.store.test_backups import damaged


def test_a_copy_a_day_and_a_warning_that_is_no_trouble(open_profile: Callable[..., Program]) -> None:
    program = open_profile()
    engine: Engine = program.engine()
    engine._back_up()
    engine._back_up()
    assert [one.kind for one in backups.every(program.folder)] == ["daily"]
    (made,) = (program.folder / "backups").iterdir()
    made.unlink()
    made.parent.rmdir()
    made.parent.write_text("in the way")
    engine._back_up()
    status = engine.status()
    assert "can’t be written" in status.warning
    assert status.trouble == ""
    made.parent.unlink()
    engine._back_up()
    assert engine.status().warning == ""


def test_once_a_day_the_words_go_that_no_post_has(open_profile: Callable[..., Program], clock: SetClock) -> None:
    program = open_profile(clock=clock)
    with program.store.writing() as connection:
        numbers = [
            posts.insert(connection, 1, Content((Item(f"zanzibar{number}"),)), [], Plan(), clock.now())
            for number in range(100)
        ]
        for number in numbers[1:]:
            posts.delete(connection, number)
    engine: Engine = program.engine()
    engine.start()
    engine._sweep(program.media)
    engine.stop()
    with program.store.reading() as connection:
        blocks = connection.exec_driver_sql("SELECT block FROM posts_text_data").scalars().all()
    assert sum(block.count(b"nzibar") for block in blocks) == 1


@pytest.mark.expects_log("")
def test_damage_that_the_copy_finds_is_trouble(open_profile: Callable[..., Program]) -> None:
    program = open_profile()
    program.close()
    damaged(program.folder, "events")
    again = open_profile()
    engine = again.engine()
    engine._back_up()
    assert "is damaged. Nothing is sent." in engine.status().trouble
    assert backups.every(program.folder) == []
