"""Export, import and copies: everything but secrets comes along, nothing is sent, and a bad file changes nothing."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sendoff.bootstrap import Program
from sendoff.domain.account import AccountState
from sendoff.domain.delivery import Move, Outcome, Receipt, State
from sendoff.domain.errors import BadInput, SetupMissing
from sendoff.domain.numbers import Numbers, Reading
from sendoff.domain.post import Content, Item, Mail, Plan, Recipient, Role, Variant
from sendoff.domain.when import Moment, When
from sendoff.store import (
    accounts,
    archive,
    deliveries,
    doubts,
    health,
    outgoing,
    posts,
    readings,
    settings,
    tables,
    timeline,
    transfer,
)
from sendoff.store.db import Connection
from sendoff.store.outgoing import Begin, End
from tests.conftest import SetClock

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
OpenProfile = Callable[..., Program]


@pytest.fixture
def program(open_profile: OpenProfile, clock: SetClock) -> Program:
    return open_profile(clock=clock)


@pytest.fixture
def other(open_profile: OpenProfile, clock: SetClock) -> Program:
    return open_profile("other", clock=clock)


def add_account(program: Program, name: str = "Ada", takes: str = "posts") -> int:
    return program.commands.accounts.add("practice", name, {"handle": f"@{name}@practice", "takes": takes})


def plan(program: Program, account_id: int, text: str = "hello", *, hours: float = 1, content: Content | None = None,
         late: str = "send") -> int:  # fmt: skip
    content = content or Content((Item(text),))
    post_id, _ = program.commands.posts.save_draft(content, [Variant(account_id)])
    when = When.at(program.clock.now() + timedelta(hours=hours), "Europe/Berlin")
    return program.commands.posts.schedule(post_id, when, late)[0]


def send(program: Program, delivery_id: int, move: Move | None = Move.FINISH) -> None:
    """Takes a delivery through the states of a sender, to the end of its first part or (None) to the middle of it."""
    with program.store.writing() as connection:
        due = deliveries.get(connection, delivery_id).due_at
        outgoing.claim(
            connection, owner="me", until=due, lease_until=due + timedelta(hours=1), room=9, per_account=9, blocked=[]
        )
        one = deliveries.get(connection, delivery_id)
        part = deliveries.parts_of(connection, delivery_id)[0]
        frozen = {"message_id": "<1@example.org>"}
        outgoing.begin_many(connection, [Begin(one.id, one.version, "me", part.id, 1, Moment(NOW), 1, frozen)])
        if move is None:
            return
        outcome = {Move.POSTPONE: Outcome.LATER, Move.REFUSE: Outcome.REFUSED}.get(move, Outcome.SENT)
        receipt = Receipt("r-1", "https://example.org/1", refused=(("x@example.org", "no"),))
        outgoing.end_many(connection, [End(
            one.id, one.account_id, "me", part.id, move, outcome, NOW, "Taken", answer="HTTP 200",
            receipt=receipt if outcome is Outcome.SENT else None, due_at=NOW, look_at=NOW,
        )])  # fmt: skip


def fill(program: Program, folder: Path) -> dict[str, int]:
    """A profile with a bit of everything."""
    ada, mailbox = add_account(program), add_account(program, "Post", "mail")
    picture = folder / "note.txt"
    picture.write_text("a file that goes along")
    attached = program.media.attach(picture, role=Role.ATTACHMENT)
    mail = Content(
        (Item("Dear {{name|friend}}", (attached,)),),
        Mail(
            "Hello", to=(Recipient("bea@example.org", "Bea", {"town": "Ulm"}), Recipient("c@example.org")),
            separately=True,
        ),
    )  # fmt: skip
    made = {
        "later": plan(program, ada, "to come"),
        "mail": plan(program, mailbox, content=mail),
        "past": plan(program, ada, "just due", hours=0),
        "sent": plan(program, ada, "is out"),
        "thread": plan(program, ada, content=Content((Item("one"), Item("two")))),
        "refused": plan(program, ada, "not taken"),
        "leaving": plan(program, ada, "half way"),
        "cancelled": plan(program, ada, "not at all"),
    }
    send(program, made["past"], Move.POSTPONE)
    for name, move in (("sent", Move.FINISH), ("thread", Move.CONTINUE), ("refused", Move.REFUSE), ("leaving", None)):
        send(program, made[name], move)
    program.commands.deliveries.cancel([made["cancelled"]])
    program.commands.posts.save_draft(Content((Item("a draft in words"),)), [Variant(ada, Content((Item("its own"),)))])
    program.commands.settings.set("week_start", "sunday")
    program.commands.sender.pause()
    return made


def export(program: Program, target: Path) -> Path:
    transfer.export_to(program.store, program.media, target, program.clock.now())
    return target


def bring(program: Program, source: Path) -> transfer.Imported:
    return transfer.import_from(program.store, program.media, source, program.clock.now())


def everything(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but those that are about this process."""
    kept = (table for name, table in tables.metadata.tables.items() if name not in ("changes", "senders"))
    return {table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr) for table in kept}


def rows_of(program: Program) -> dict[str, list[tuple[Any, ...]]]:
    with program.store.reading() as connection:
        return everything(connection)


def by_text(program: Program) -> dict[str, timeline.Row]:
    with program.store.reading() as connection:
        return {row.excerpt: row for row in timeline.queue(connection, states=tuple(State))}


def test_everything_comes_along_and_nothing_is_going_to_be_sent(
    program: Program, other: Program, tmp_path: Path
) -> None:
    fill(program, tmp_path)
    arrived = bring(other, export(program, tmp_path / "all.zip"))
    assert (arrived.accounts, arrived.posts, arrived.deliveries, arrived.files) == (2, 9, 8, 1)
    found = by_text(other)
    states = {text: row.delivery.state for text, row in found.items()}
    assert states == {
        "to come": State.HELD, "Hello": State.HELD, "just due": State.HELD, "is out": State.SENT, "one": State.HELD,
        "not taken": State.FAILED, "half way": State.IN_DOUBT, "not at all": State.CANCELLED,
    }  # fmt: skip
    assert (arrived.held, arrived.doubtful) == (4, 1)
    assert "sign" in found["to come"].delivery.reason.lower()
    with other.store.reading() as connection:
        assert outgoing.next_due(connection) is None
        assert doubts.to_look_at(connection, NOW + timedelta(days=9)) == []
        assert {one.state for one in accounts.every(connection)} == {AccountState.SIGN_IN}
        assert timeline.totals(connection)[State.HELD] == 4


def test_what_was_written_is_the_same_on_the_other_side(program: Program, other: Program, tmp_path: Path) -> None:
    made = fill(program, tmp_path)
    with program.store.writing() as connection:
        (part,) = deliveries.parts_of(connection, made["sent"])
        readings.insert(connection, part.id, Reading(NOW, Numbers(12, 3, None)))
    add_account(other, "Somebody else")  # so that ids differ
    plan(other, 1)
    bring(other, export(program, tmp_path / "all.zip"))
    found = by_text(other)
    with program.store.reading() as here, other.store.reading() as there:
        for name, text in (("mail", "Hello"), ("sent", "is out"), ("thread", "one")):
            before, after = timeline.detail(here, made[name]), timeline.detail(there, found[text].delivery.id)
            assert after.content == before.content
            assert (after.readings, bool(after.readings)) == (before.readings, name == "sent")
            assert (after.row.when, after.account.name) == (before.row.when, before.account.name)
            assert [replace(one, id=0) for one in after.parts] == [replace(one, id=0) for one in before.parts]
            assert [replace(one, id=0) for one in after.attempts] == [replace(one, id=0) for one in before.attempts]
            assert after.events == before.events
        draft = posts.get(there, posts.search(there, "draft words")[0])
        assert draft.content_for(draft.variants[0].account_id) == Content((Item("its own"),))
        assert settings.read(there)["week_start"] == "sunday"
        assert settings.read(there)["paused_until"] == ""
        attachment = posts.get(there, found["Hello"].delivery.post_id).content.attachments[0]
    assert other.media.file(attachment).read_text() == "a file that goes along"


def test_a_doubtful_try_has_an_end_and_can_be_settled(program: Program, other: Program, tmp_path: Path) -> None:
    fill(program, tmp_path)
    bring(other, export(program, tmp_path / "all.zip"))
    half_way = by_text(other)["half way"].delivery
    with other.store.reading() as connection:
        assert [one.outcome for one in deliveries.attempts_of(connection, half_way.id)] == [Outcome.DOUBT]
    assert other.commands.deliveries.settle(half_way.id, True) is State.SENT


def test_after_the_sign_in_it_goes_at_its_time_but_what_was_due_asks_first(
    program: Program, other: Program, tmp_path: Path
) -> None:
    fill(program, tmp_path)
    bring(other, export(program, tmp_path / "all.zip"))
    with other.store.reading() as connection:
        ada = accounts.resolve(connection, "Ada")
    assert other.commands.accounts.reconnect(ada.id, {}) == 3
    found = by_text(other)
    assert found["to come"].delivery.state is State.SCHEDULED
    assert found["to come"].delivery.late == "send"
    assert found["just due"].delivery.late == "ask 0s"


def test_no_secret_and_no_reference_to_one_is_in_the_file(program: Program, tmp_path: Path) -> None:
    fill(program, tmp_path)
    ref = program.secrets.put({"token": "CANARY-1234567890"})
    with program.store.writing() as connection:
        accounts.update(connection, 1, secret_ref=ref)
    target = export(program, tmp_path / "all.zip")
    with zipfile.ZipFile(target) as file:
        inside = b"".join(file.read(name) for name in file.namelist())
    assert b"CANARY" not in inside
    assert ref.partition(":")[2].encode() not in inside
    assert target.stat().st_mode & 0o777 == 0o600
    assert "README.txt" in zipfile.ZipFile(target).namelist()


def test_names_that_are_taken_get_new_ones_and_the_workspace_is_shared(
    program: Program, other: Program, tmp_path: Path
) -> None:
    fill(program, tmp_path)
    add_account(other, "ADA")
    arrived = bring(other, export(program, tmp_path / "all.zip"))
    assert arrived.renamed == (("Ada", "Ada (imported)"),)
    with other.store.reading() as connection:
        assert [one.name for one in accounts.every(connection)] == ["ADA", "Ada (imported)", "Post"]
        assert [one.name for one in accounts.workspace_list(connection)] == ["Personal"]


def test_a_second_import_of_the_same_is_refused(program: Program, other: Program, tmp_path: Path) -> None:
    fill(program, tmp_path)
    source = export(program, tmp_path / "all.zip")
    bring(other, source)
    before = rows_of(other)
    for profile in (other, program):
        with pytest.raises(BadInput, match="in this profile already"):
            bring(profile, source)
    assert rows_of(other) == before


def test_many_rows_keep_their_order_and_their_pointers(program: Program, other: Program, tmp_path: Path) -> None:
    ada = add_account(program)
    numbers = 2 * transfer.TOGETHER + 3
    with program.store.writing() as connection:
        for number in range(numbers):
            when = When.at(NOW + timedelta(hours=1 + number), "UTC")
            post_id = posts.insert(connection, 1, Content((Item(f"post {number}"),)), [Variant(ada)],
                                   Plan(), NOW + timedelta(microseconds=number))  # fmt: skip
            deliveries.insert(connection, post_id=post_id, account_id=ada, when=when, late="send",
                              give_up_at=when.instant, plans=[deliveries.PartPlan()], now=NOW)  # fmt: skip
    assert bring(other, export(program, tmp_path / "all.zip")).held == numbers
    with other.store.reading() as connection:
        rows = timeline.queue(connection, limit=numbers)
    assert [row.excerpt for row in rows] == [f"post {number}" for number in range(numbers)]
    assert {row.parts for row in rows} == {1}


# --- what is no export --------------------------------------------------------------------------------------------


def changed(source: Path, target: Path, edit: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with members changed, or left out where `edit` says None."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = edit(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


def set_in(table: str, **values: Any) -> Callable[[str, bytes], bytes]:
    """Changes columns of every row of one table."""

    def edit(name: str, data: bytes) -> bytes:
        if name != f"data/{table}.jsonl":
            return data
        return b"".join(json.dumps(json.loads(line) | values).encode() + b"\n" for line in data.splitlines())

    return edit


def without(wanted: str) -> Callable[[str, bytes], bytes | None]:
    return lambda name, data: None if name.startswith(wanted) else data


def swap(wanted: str, other: bytes) -> Callable[[str, bytes], bytes]:
    return lambda name, data: other if name.startswith(wanted) else data


BAD = {
    "no manifest": (without("manifest.json"), "not a whole export"),
    "manifest is no json": (swap("manifest.json", b"{"), "can’t be read"),
    "manifest has no version": (swap("manifest.json", b'{"format": "one"}'), "which version"),
    "a table is missing": (without("data/parts.jsonl"), "not a whole export"),
    "a line is cut": (swap("data/posts.jsonl", b'{"id": 1'), "posts line 1"),
    "a line is no utf-8": (swap("data/posts.jsonl", b"\xff\xfe\n"), "posts line 1"),
    "a column is missing": (swap("data/events.jsonl", b'{"id": 1}\n'), "events line 1"),
    "a state that is none": (set_in("deliveries", state="gone"), "deliveries line 1"),
    "a time without a zone": (set_in("deliveries", planned_at="2026-11-23T09:00:00"), "deliveries line 1"),
    "a zone that is none": (set_in("deliveries", zone="Mars/Olympus"), "Mars/Olympus"),
    "a rule that is none": (set_in("deliveries", late="perhaps"), "perhaps"),
    "a number that is too big": (set_in("deliveries", tries=2**70), "deliveries line 1"),
    "half a character": (set_in("accounts", name="\ud800"), "accounts line 1"),
    "no items": (set_in("posts", content={"items": []}), "no items"),
    "points nowhere": (set_in("variants", post_id=4711), "number 4711 of posts"),
    "parts of another": (set_in("parts", delivery_id=3), "contradicts itself"),
    "sent without a time": (set_in("deliveries", state="sent", sent_at=None), "sent at no time"),
    "a receipt without a time": (set_in("parts", receipt={"remote_id": "x"}), "without a receipt"),
    "figures of the wrong kind": (set_in("accounts", learned={"text": "many"}), "learned"),
    "a hidden setting": (swap("data/settings.jsonl", b'{"name": "paused_until", "value": "x"}\n'), "paused_until"),
    "a wrong setting": (swap("data/settings.jsonl", b'{"name": "theme", "value": "pink"}\n'), "Appearance"),
    "a file that is not there": (without("media/"), "is not in it"),
    "a changed file": (swap("media/", b"something else"), "is not the file that it was"),
    "a file outside": (
        set_in("posts", content={"items": [{"media": [
            {"sha256": "../../../etc/passwd", "name": "p", "mime": "a/b", "size": 1}
        ]}]}), "is not in it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_sentence_and_changes_nothing(
    name: str, program: Program, other: Program, tmp_path: Path
) -> None:
    fill(program, tmp_path)
    edit, words = BAD[name]
    source = changed(export(program, tmp_path / "all.zip"), tmp_path / "bad.zip", edit)
    before = rows_of(other)
    with pytest.raises(BadInput, match=words) as wrong:
        bring(other, source)
    assert "bad.zip" in str(wrong.value) or name == "a wrong setting"
    assert rows_of(other) == before
    assert other.media.names() == set()


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04 and then nothing", b"SQLite format 3\0 and then nothing"])
def test_other_files_are_refused(data: bytes, other: Program, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(data)
    with pytest.raises(BadInput, match="file"):
        bring(other, source)
    with pytest.raises(BadInput, match="no file"):
        bring(other, tmp_path / "nothing.zip")


def claiming(target: Path, names: list[str], size: int) -> Path:
    """An archive of empty files that claim to be of this size."""
    with zipfile.ZipFile(target, "w") as file:
        for name in names:
            file.writestr(name, b"")
    raw = target.read_bytes().split(
        b"PK\x01\x02"
    )  # the lines of its table of contents; the size is their bytes 24 to 28
    target.write_bytes(
        b"PK\x01\x02".join([raw[0], *(one[:20] + size.to_bytes(4, "little") + one[24:] for one in raw[1:])])
    )
    return target


def test_a_thread_that_is_half_out_can_go_on_on_the_other_side(
    program: Program, other: Program, tmp_path: Path
) -> None:
    """Its text is the one that its first part carried."""
    thread = plan(program, add_account(program), content=Content((Item("one"), Item("two"))))
    send(program, thread, Move.CONTINUE)
    program.commands.deliveries.cancel([thread])
    bring(other, export(program, tmp_path / "all.zip"))
    with other.store.reading() as connection:
        (arrived,) = connection.execute(sa.select(tables.deliveries.c.id)).scalars()
    other.commands.deliveries.restore([arrived])
    with other.store.reading() as connection:
        assert deliveries.get(connection, arrived).state is State.HELD  # its account has no key there yet
        assert [part.receipt is None for part in deliveries.parts_of(connection, arrived)] == [False, True]


def test_what_unpacks_to_more_than_there_is_room_for_is_refused(other: Program, tmp_path: Path) -> None:
    names = ["manifest.json", *(f"media/{number:064x}" for number in range(10_000))]
    with pytest.raises(BadInput, match=r"unpacks to .* room for .* Nothing was imported"):
        bring(other, claiming(tmp_path / "bomb.zip", names, 0xFFFFFFFE))
    assert other.media.names() == set()


def test_more_files_and_rows_than_anybody_has_are_refused(
    program: Program, other: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(program, tmp_path)
    source = export(program, tmp_path / "all.zip")
    before = rows_of(other)
    for name, words in (("MOST_ROWS", "more than 1 accounts"), ("MOST_FILES", "files in it")):
        monkeypatch.setattr(archive, name, 1)
        with pytest.raises(BadInput, match=words):
            bring(other, source)
    assert rows_of(other) == before


def test_a_flipped_bit_is_noticed(program: Program, other: Program, tmp_path: Path) -> None:
    fill(program, tmp_path)
    source = export(program, tmp_path / "all.zip")
    data = bytearray(source.read_bytes())
    with zipfile.ZipFile(source) as file:
        place = file.getinfo("data/posts.jsonl").header_offset + 200
    data[place] ^= 0xFF
    source.write_bytes(data)
    with pytest.raises(BadInput):
        bring(other, source)


def test_a_newer_export_is_refused(program: Program, other: Program, tmp_path: Path) -> None:
    newer = swap("manifest.json", b'{"format": 2, "something": "new"}')
    source = changed(export(program, tmp_path / "all.zip"), tmp_path / "newer.zip", newer)
    with pytest.raises(SetupMissing, match="newer Sendoff"):
        bring(other, source)


def test_an_export_takes_no_existing_file_away(program: Program, tmp_path: Path) -> None:
    target = tmp_path / "thesis.doc"
    target.write_text("years of work")
    with pytest.raises(BadInput, match="there already"):
        export(program, target)
    with pytest.raises(BadInput, match="there already"):
        transfer.backup(program.store, NOW, target)
    assert target.read_text() == "years of work"
    with pytest.raises(BadInput, match="can’t be written"):
        export(program, tmp_path / "nowhere" / "all.zip")
    transfer.export_to(program.store, program.media, target, NOW, force=True)
    assert zipfile.is_zipfile(target)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["profile", "thesis.doc"]


def test_a_lost_file_is_counted_and_the_rest_comes_along(program: Program, other: Program, tmp_path: Path) -> None:
    fill(program, tmp_path)
    for name in program.media.names():
        program.media.discard(name)
    exported = transfer.export_to(program.store, program.media, tmp_path / "all.zip", NOW)
    assert (exported.files, exported.missing) == (0, 1)
    assert bring(other, tmp_path / "all.zip").posts == 9


# --- copies -------------------------------------------------------------------------------------------------------


def test_a_backup_is_a_whole_private_database(program: Program, tmp_path: Path) -> None:
    fill(program, tmp_path)
    copy = transfer.backup(program.store, NOW)
    assert copy == program.folder / "backups" / "sendoff-20261123-175200.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert health.look(copy).faults == ()
    assert health.look(copy).is_current
    with closing(sqlite3.connect(copy)) as connection, connection:
        assert connection.execute("SELECT count(*) FROM deliveries").fetchone() == (8,)
    named = transfer.backup(program.store, NOW, tmp_path / "mine.db")
    assert health.look(named).is_current


def test_a_backup_comes_into_another_profile_without_sending_anything(
    program: Program, other: Program, tmp_path: Path
) -> None:
    fill(program, tmp_path)
    copy = transfer.backup(program.store, NOW, tmp_path / "mine.db")
    arrived = bring(other, copy)
    assert (arrived.posts, arrived.held, arrived.doubtful) == (9, 4, 1)
    assert by_text(other)["to come"].delivery.state is State.HELD
    assert not list(other.folder.glob("import-*"))


def test_a_database_of_another_program_is_refused(other: Program, tmp_path: Path) -> None:
    source = tmp_path / "bookmarks.db"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE places (url TEXT)")
    with pytest.raises(BadInput, match="not one of Sendoff"):
        bring(other, source)


def test_a_damaged_backup_is_refused(program: Program, other: Program, tmp_path: Path) -> None:
    fill(program, tmp_path)
    copy = transfer.backup(program.store, NOW, tmp_path / "mine.db")
    data = copy.read_bytes()
    for broken in (data[:50_000], data[:30_000] + bytes(20_000) + data[50_000:]):
        copy.write_bytes(broken)
        with pytest.raises(BadInput, match=r"mine\.db is damaged"):
            bring(other, copy)
    assert not list(other.folder.glob("import-*"))


def test_a_backup_by_a_newer_sendoff_is_refused(program: Program, other: Program, tmp_path: Path) -> None:
    copy = transfer.backup(program.store, NOW, tmp_path / "mine.db")
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SetupMissing, match=r"mine\.db was made by a newer Sendoff"):
        bring(other, copy)
