"""The sender's daily copy: made by itself, and what goes wrong with it is shown and stops nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sendoff.bootstrap import Program
from sendoff.engine.engine import Engine
from sendoff.store import backups
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
    assert "can't be written" in status.warning
    assert status.trouble == ""
    made.parent.unlink()
    engine._back_up()
    assert engine.status().warning == ""


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
