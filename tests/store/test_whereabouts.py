"""A profile knows where it is and how far it was: a copy or an older database is paused, a moved folder is not."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sendoff.bootstrap import Program, open_program
from sendoff.domain.delivery import State
from sendoff.domain.errors import Refused
from sendoff.engine.journal import Journal
from sendoff.engine.pause import is_paused
from sendoff.store import backups, deliveries, doubts, settings, whereabouts, wouldsend
from sendoff.store.db import StoreDamaged
from tests.conftest import SetClock
from tests.store.test_transfer import NOW, add_account, plan, send

OpenProfile = Callable[..., Program]


@pytest.fixture
def program(open_profile: OpenProfile, clock: SetClock) -> Program:
    return open_profile(clock=clock)


def why(program: Program) -> str:
    with program.store.reading() as connection:
        chosen = settings.read(connection)
    assert is_paused(chosen["paused_until"], program.clock.now()) == bool(chosen["paused_why"])
    return chosen["paused_why"]


def state(program: Program, delivery_id: int) -> State:
    with program.store.reading() as connection:
        return deliveries.get(connection, delivery_id).state


def mark(program: Program) -> None:
    """As the sender does, once a second."""
    with program.store.reading() as connection:
        whereabouts.Marker(program.folder).note(whereabouts.mark(connection))


# --- nothing to say -----------------------------------------------------------------------------------------------


def test_a_profile_that_stays_where_it_is(program: Program, open_profile: OpenProfile, clock: SetClock) -> None:
    plan(program, add_account(program))
    mark(program)
    program.close()
    assert why(program) == ""
    again = open_profile(clock=clock)
    assert why(again) == ""


def test_a_folder_that_was_renamed_frightens_nobody(
    program: Program, open_profile: OpenProfile, tmp_path: Path
) -> None:
    mark(program)
    program.close()
    program.folder.rename(tmp_path / "renamed")
    assert why(open_profile("renamed")) == ""


def test_a_profile_of_an_older_sendoff_gets_its_name(program: Program, open_profile: OpenProfile) -> None:
    program.close()
    (program.folder / whereabouts.FILE).unlink()
    forget_name(program.folder)
    assert why(open_profile()) == ""
    assert whereabouts.read(program.folder) is not None


def test_a_first_start_that_ended_before_the_database_had_its_name(program: Program, open_profile: OpenProfile) -> None:
    program.close()
    forget_name(program.folder)
    assert why(open_profile()) == ""


def forget_name(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "sendoff.db")) as raw, raw:
        raw.execute("DELETE FROM settings WHERE name = 'profile_id'")


# --- paused -------------------------------------------------------------------------------------------------------


def test_a_copied_folder_is_paused_and_the_original_goes_on(
    program: Program, open_profile: OpenProfile, clock: SetClock, tmp_path: Path
) -> None:
    account = add_account(program)
    waiting, leaving = plan(program, account), plan(program, account)
    send(program, leaving, None)
    mark(program)
    program.close()
    shutil.copytree(program.folder, tmp_path / "copy")
    copy = open_profile("copy", clock=clock)
    assert why(copy) == "copied"
    assert (state(copy, waiting), state(copy, leaving)) == (State.SCHEDULED, State.IN_DOUBT)
    copy.close()
    assert why(open_profile("copy", clock=clock)) == "copied"  # until somebody has looked
    original = open_profile(clock=clock)
    assert why(original) == ""
    assert state(original, leaving) is State.SENDING


def test_after_resuming_a_copy_is_a_profile_like_any_other(
    program: Program, open_profile: OpenProfile, tmp_path: Path
) -> None:
    program.close()
    shutil.copytree(program.folder, tmp_path / "copy")
    copy = open_profile("copy")
    with pytest.raises(Refused, match=r"copied from another place\. Look"):
        copy.commands.sender.pause(NOW + timedelta(hours=1))
    copy.commands.sender.pause()
    assert why(copy) == "copied"
    copy.commands.sender.resume()
    copy.close()
    assert why(open_profile("copy")) == ""


def test_another_computer(program: Program, open_profile: OpenProfile) -> None:
    program.close()
    path = program.folder / whereabouts.FILE
    text = path.read_text()
    here = whereabouts.computer()
    if not here:
        pytest.skip("this system does not tell which computer it is")
    with path.open("r+") as file:
        file.write(text.replace(here, "0123456789abcdef"))
    assert why(open_profile()) == "computer"


def test_a_database_without_its_folder(program: Program, open_profile: OpenProfile, tmp_path: Path) -> None:
    program.close()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    shutil.copy(program.folder / "sendoff.db", tmp_path / "elsewhere")
    assert why(open_profile("elsewhere")) == "stray"


def test_another_profiles_database(program: Program, open_profile: OpenProfile, clock: SetClock) -> None:
    other = open_profile("other", clock=clock)
    add_account(other)
    other.close()
    program.close()
    shutil.copy(other.folder / "sendoff.db", program.folder / "sendoff.db")
    assert why(open_profile(clock=clock)) == "stray"


def test_an_older_database_put_back_by_hand(program: Program, open_profile: OpenProfile, clock: SetClock) -> None:
    account = add_account(program)
    gone, waiting = plan(program, account, hours=1), plan(program, account, hours=2)
    copy = backups.make(program.store.path, backups.BY_HAND, NOW)
    send(program, gone)
    journal = Journal(program.folder)
    journal.start()
    with program.store.reading() as connection:
        journal.note(deliveries.parts_of(connection, gone)[0].id)
    journal.close()
    mark(program)
    program.close()
    shutil.copy(copy, program.folder / "sendoff.db")
    again = open_profile(clock=clock)
    assert why(again) == "older"
    assert (state(again, gone), state(again, waiting)) == (State.IN_DOUBT, State.SCHEDULED)
    with again.store.reading() as connection:
        assert deliveries.get(connection, gone).reason == whereabouts.LEFT_LATER
        assert doubts.last_attempt_at(connection, gone) is not None  # so that the person can let it be looked for
    again.close()
    assert why(open_profile(clock=clock)) == "older"


def test_an_older_database_is_noticed_although_nothing_was_sent(program: Program, open_profile: OpenProfile) -> None:
    copy = backups.make(program.store.path, backups.BY_HAND, NOW)
    delivery = plan(program, add_account(program))
    program.commands.deliveries.cancel([delivery])
    mark(program)
    program.close()
    shutil.copy(copy, program.folder / "sendoff.db")
    assert why(open_profile()) == "older"


def test_a_database_that_is_gone_is_not_made_anew(program: Program) -> None:
    program.close()
    path = program.folder / "sendoff.db"
    path.unlink()
    with pytest.raises(StoreDamaged, match=r"sendoff\.db is gone\. Nothing is sent\. There is no copy"):
        open_program(program.folder)
    assert not path.exists()
    path.write_bytes(b"")
    with pytest.raises(StoreDamaged, match="is gone"):
        open_program(program.folder)
    assert path.stat().st_size == 0


# --- the sender's hand --------------------------------------------------------------------------------------------


def test_the_sender_marks_how_far_it_came_and_stops_where_the_profile_is_another(
    open_profile: OpenProfile, tmp_path: Path
) -> None:
    program = open_profile()
    engine = program.engine()
    engine.start()
    plan(program, add_account(program))
    engine.stop()
    with program.store.reading() as connection:
        reached = whereabouts.mark(connection)
    note = whereabouts.read(program.folder)
    assert note is not None
    assert note.mark == reached > 0
    program.close()
    shutil.copytree(program.folder, tmp_path / "copy")
    copy = open_profile("copy")
    copy.commands.sender.resume()
    (copy.folder / whereabouts.FILE).unlink()  # as if only now
    engine = copy.engine()
    engine.start()
    assert engine.status().paused
    engine.stop()
    assert why(copy) == "stray"


def test_a_mark_that_cannot_be_written_is_no_trouble(program: Program) -> None:
    marker = whereabouts.Marker(program.folder / "nowhere")
    marker.note(5)
    marker.note(6)


# --- what would leave ---------------------------------------------------------------------------------------------


def test_what_would_leave_and_what_the_rules_make_of_it(program: Program, clock: SetClock) -> None:
    account = add_account(program)
    send_it, ask, skip, later = (
        plan(program, account, "send", hours=1),
        plan(program, account, "ask", hours=1.5, late="ask 2h"),
        plan(program, account, "skip", hours=1.6, late="skip 15m"),
        plan(program, account, "later", hours=9),
    )
    with program.store.reading() as connection:
        early = wouldsend.outlook(connection, NOW)
        assert early.words == "Nothing is overdue. 4 are still to come."
        clock.advance(4 * 3600)
        found = wouldsend.outlook(connection, clock.now())
    assert [(one.row.delivery.id, one.fate) for one in found.shown] == [
        (send_it, wouldsend.Fate.NOW), (ask, wouldsend.Fate.ASK), (skip, wouldsend.Fate.SKIP),
        (later, wouldsend.Fate.LATER),
    ]  # fmt: skip
    assert found.words == ("3 are overdue: 1 leaves at once, 1 asks you first, 1 is skipped. 1 is still to come.")
    two = wouldsend.Outlook((), (1, 2, 3, 4), {wouldsend.Fate.ASK: 2, wouldsend.Fate.SKIP: 2}, 0)
    assert two.words == "4 are overdue: 2 ask you first, 2 are skipped."
    assert program.commands.sender.cancel_overdue() == [send_it, ask, skip]
    assert [state(program, one) for one in (send_it, ask, skip, later)] == [State.CANCELLED] * 3 + [State.SCHEDULED]
