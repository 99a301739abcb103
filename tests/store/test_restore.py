"""Going back to a copy: paused, with what the replaced database knew of the time since, or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sendoff.bootstrap import Program
from sendoff.domain.delivery import Move, State
from sendoff.domain.errors import BadInput, NotFound, OwnedElsewhere, SetupMissing
from sendoff.domain.numbers import Numbers, Reading
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.engine.journal import Journal
from sendoff.store import backups, deliveries, doubts, evidence, health, posts, readings, restore, settings, timeline
from sendoff.store.db import StoreDamaged
from sendoff.store.profile import SenderLock
from tests.conftest import SetClock
from tests.store.test_transfer import NOW, add_account, plan, send

OpenProfile = Callable[..., Program]
NAMES = ("sent", "thread", "leaving", "refused", "cancelled", "moved", "edited", "waiting", "overdue")


@pytest.fixture
def program(open_profile: OpenProfile, clock: SetClock) -> Program:
    return open_profile(clock=clock)


def copied(program: Program, clock: SetClock) -> dict[str, int]:
    """Plans some, makes a copy, and lets something happen to each after it."""
    account, other = add_account(program), add_account(program, "Bea")
    made = {name: plan(program, account, name) for name in NAMES if name not in ("thread", "leaving")}
    made["thread"] = plan(program, account, content=Content((Item("one"), Item("two"))))
    made["leaving"] = plan(program, other, "leaving")
    backups.make(program.store.path, backups.DAILY, NOW)
    send(program, made["sent"])
    send(program, made["thread"], Move.CONTINUE)
    with program.store.writing() as connection:
        (part,) = deliveries.parts_of(connection, made["sent"])
        readings.insert(connection, part.id, Reading(NOW, Numbers(3, 2, 1)))
    send(program, made["refused"], Move.REFUSE)
    program.commands.deliveries.cancel([made["cancelled"]])
    when = When.at(NOW + timedelta(hours=5), "Europe/Berlin")
    program.commands.deliveries.move([made["moved"]], when)
    with program.store.reading() as connection:
        post = posts.get(connection, deliveries.get(connection, made["edited"]).post_id)
    program.commands.posts.edit(
        post.id,
        Content((Item("edited since"),)),
        [Variant(account)],
        When.at(NOW + timedelta(hours=1), "Europe/Berlin"),
    )
    send(program, made["leaving"], None)
    plan(program, account, "made since")
    clock.advance(7200)
    return made


def states(program: Program, made: dict[str, int]) -> dict[str, str]:
    with program.store.reading() as connection:
        return {name: str(deliveries.get(connection, made[name]).state) for name in NAMES}


def go_back(program: Program, clock: SetClock) -> restore.Restored:
    return restore.restore(program.folder, restore.find(program.folder, "latest"), clock.now())


def test_what_left_since_is_known_and_what_was_changed_is_held(
    program: Program, open_profile: OpenProfile, clock: SetClock
) -> None:
    made = copied(program, clock)
    program.close()
    done = go_back(program, clock)
    assert done.told == evidence.Told(tried=4, held=3, all_known=True)
    assert done.made_at == NOW
    again = open_profile(clock=clock)
    assert states(again, made) == {
        "sent": "sent", "thread": "scheduled", "leaving": "in_doubt", "refused": "failed",
        "cancelled": "held", "moved": "held", "edited": "held", "waiting": "scheduled", "overdue": "scheduled",
    }  # fmt: skip
    with again.store.reading() as connection:
        chosen = settings.read(connection)
        assert (chosen["paused_until"], chosen["paused_why"]) == ("forever", "restored")
        assert [part.receipt is not None for part in deliveries.parts_of(connection, made["thread"])] == [True, False]
        assert timeline.detail(connection, made["sent"]).row.url == "https://example.org/1"
        assert len(deliveries.attempts_of(connection, made["sent"])) == 1
        assert readings.latest_of(connection, made["sent"]) == {1: Reading(NOW, Numbers(3, 2, 1))}
        assert deliveries.get(connection, made["moved"]).reason == evidence.CHANGED
        assert doubts.to_look_at(connection, clock.now()) == [made["leaving"]]
    again.close()
    assert states(open_profile(clock=clock), made)["sent"] == "sent"
    assert health.look(again.folder / "sendoff.db").faults == ()


def test_a_replaced_database_of_before_the_numbers_is_no_less_known(program: Program, clock: SetClock) -> None:
    copied(program, clock)
    program.close()
    with closing(sqlite3.connect(program.store.path)) as old, old:
        old.execute("DROP TABLE readings")
    assert go_back(program, clock).told == evidence.Told(tried=4, held=3, all_known=True)


def test_the_replaced_database_is_kept_whole(program: Program, clock: SetClock) -> None:
    copied(program, clock)
    with closing(sqlite3.connect(program.store.path)) as other:  # somebody has it open, so its log stays
        other.execute("SELECT 1 FROM posts").fetchone()
        program.close()
        done = go_back(program, clock)
    assert done.replaced == program.folder / "backups" / "replaced-20261123-195200.db"
    with closing(sqlite3.connect(done.replaced)) as kept:
        assert kept.execute("SELECT count(*) FROM posts").fetchone() == (len(NAMES) + 1,)
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not list(program.folder.glob(".restoring*"))
    assert not (program.folder / "restored").exists()


def test_where_the_replaced_one_cannot_be_read_the_journal_tells_what_left(
    program: Program, open_profile: OpenProfile, clock: SetClock
) -> None:
    made = copied(program, clock)
    journal = Journal(program.folder)
    journal.start()
    with program.store.reading() as connection:
        journal.note(deliveries.parts_of(connection, made["sent"])[0].id)
    journal.close()
    program.close()
    (program.folder / "sendoff.db").write_bytes(b"a poem " * 3000)
    done = go_back(program, clock)
    assert not done.told.all_known
    found = states(open_profile(clock=clock), made)
    assert found.pop("sent") == "in_doubt"
    assert set(found.values()) == {"scheduled"}  # nothing is known of them: the profile is paused, and they are listed
    assert not (program.folder / "leaving").exists()


def test_a_database_that_is_damaged_in_places_still_tells_the_rest(
    program: Program, open_profile: OpenProfile, clock: SetClock
) -> None:
    made = copied(program, clock)
    program.close()
    path = program.folder / "sendoff.db"
    with closing(sqlite3.connect(path)) as raw:
        (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'attempts'").fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    data[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(data)
    done = go_back(program, clock)
    assert not done.told.all_known
    found = states(open_profile(clock=clock), made)
    assert (found["cancelled"], found["moved"]) == ("held", "held")  # that needs no attempts


def test_a_database_that_is_gone_comes_back(program: Program, open_profile: OpenProfile, clock: SetClock) -> None:
    copied(program, clock)
    program.close()
    (program.folder / "sendoff.db").unlink()
    with pytest.raises(StoreDamaged):
        open_profile(clock=clock)
    assert go_back(program, clock).replaced is None
    with open_profile(clock=clock).store.reading() as connection:
        assert len(timeline.queue(connection)) == len(NAMES)


def test_a_copy_of_an_older_version_is_brought_up_to_date(
    program: Program, open_profile: OpenProfile, clock: SetClock
) -> None:
    program.close()
    restore.restore(program.folder, Path(__file__).parent / "old" / "0001.db", clock.now())
    assert health.look(program.folder / "sendoff.db").is_current
    with open_profile(clock=clock).store.reading() as connection:
        assert settings.read(connection)["paused_why"] == "restored"
    assert [one.kind for one in backups.every(program.folder)] == ["replaced"]


def test_the_copy_of_another_profile_is_taken_too(program: Program, open_profile: OpenProfile, clock: SetClock) -> None:
    other = open_profile("other", clock=clock)
    plan(other, add_account(other), "theirs")
    copy = backups.make(other.store.path, backups.BY_HAND, NOW)
    program.close()
    restore.restore(program.folder, copy, clock.now())
    with open_profile(clock=clock).store.reading() as connection:
        assert settings.read(connection)["paused_why"] == "restored"
        assert timeline.queue(connection)[0].excerpt == "theirs"


# --- refused ------------------------------------------------------------------------------------------------------


def unchanged(program: Program, source: Path, clock: SetClock, error: type[Exception], about: str) -> None:
    program.close()
    before = (program.folder / "sendoff.db").read_bytes()
    with pytest.raises(error, match=about):
        restore.restore(program.folder, source, clock.now())
    assert (program.folder / "sendoff.db").read_bytes() == before
    assert not (program.folder / ".restoring").exists()


def test_while_a_sender_runs(program: Program, clock: SetClock) -> None:
    copy = backups.make(program.store.path, backups.DAILY, NOW)
    lock = SenderLock(program.folder)
    lock.acquire()
    unchanged(program, copy, clock, OwnedElsewhere, "sends for this profile already")
    lock.release()


def test_a_newer_one(program: Program, clock: SetClock) -> None:
    copy = backups.make(program.store.path, backups.DAILY, NOW)
    with closing(sqlite3.connect(copy)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    unchanged(program, copy, clock, SetupMissing, "made by a newer Sendoff")


def test_a_damaged_one(program: Program, clock: SetClock) -> None:
    copied(program, clock)
    copy = program.folder / "backups" / "daily-20261123-175200.db"
    whole = copy.read_bytes()
    copy.write_bytes(whole[:40_960] + bytes(40_960) + whole[81_920:])
    unchanged(program, copy, clock, BadInput, "is damaged.*Take an older copy")
    copy.write_bytes(b"a poem " * 3000)
    unchanged(program, copy, clock, BadInput, "is damaged.*Take an older copy")


def test_another_programs(program: Program, clock: SetClock, tmp_path: Path) -> None:
    source = tmp_path / "bookmarks.db"
    with closing(sqlite3.connect(source)) as raw, raw:
        raw.execute("CREATE TABLE places (url TEXT)")
    unchanged(program, source, clock, BadInput, "not one of Sendoff’s")


def test_what_a_person_names(program: Program, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no copy in"):
        restore.find(program.folder, "latest")
    copy = backups.make(program.store.path, backups.DAILY, NOW)
    assert restore.find(program.folder, "latest") == copy
    assert restore.find(program.folder, copy.name) == copy
    mine = Path(shutil.copy(copy, tmp_path / "mine.db"))
    assert restore.find(program.folder, str(mine)) == mine
    with pytest.raises(NotFound, match="backup --list"):
        restore.find(program.folder, "yours.db")


def test_another_process_that_has_the_old_one_open_writes_no_more(program: Program, clock: SetClock) -> None:
    copied(program, clock)
    go_back(program, clock)
    with pytest.raises(StoreDamaged, match="replaced"):
        program.commands.settings.set("theme", "dark")
    program.close()


def test_overdue_ones_are_listed_and_nothing_is_sent(
    program: Program, open_profile: OpenProfile, clock: SetClock
) -> None:
    made = copied(program, clock)
    program.close()
    go_back(program, clock)
    again = open_profile()  # the real clock: everything of it is overdue or to come, as may be
    engine = again.engine()
    engine.start()
    try:
        assert engine.status().paused
    finally:
        engine.stop()
    assert again.channels["practice"].received() == []  # type: ignore[attr-defined]
    assert states(again, made)["waiting"] == "scheduled"


def test_states_are_those_of_the_table() -> None:
    assert {State(one) for one in evidence.LEFT} == {
        State.SENDING, State.SENT, State.IN_DOUBT, State.HANDED_OVER, State.FAILED
    }  # fmt: skip
