"""Copies and going back to one, at the prompt and under kill -9: whole old or whole new, paused, nothing sent."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sendoff.store import health, migrate
from tests.cli.conftest import Run, Spawn, ledger

OLD = Path(__file__).parents[1] / "store" / "old" / "0001.db"
kills = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a Unix thing")


def planned(run: Run) -> list[str]:
    """The first words of what is planned, in order."""
    return [one["text"] for one in run("queue", "--json").json["deliveries"]]


def killed(spawn: Spawn, point: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """A verb in a process of its own that is killed at a point."""
    with monkeypatch.context() as patch:
        patch.setenv("SENDOFF_KILL_AT", point)
        process = spawn(*words)
    out, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"it did not come to {point}: {out}{err}"


# --- at the prompt ------------------------------------------------------------------------------------------------


def test_a_copy_is_listed_and_gone_back_to(ada: Run, home: Path) -> None:
    assert ada("backup", "--list").err == "There are no copies yet.\n"
    ada("post", "--text", "before", "--at", "+1h")
    made = Path(ada("backup").out.strip())
    ada("post", "--text", "after", "--at", "+2h")
    listed = ada("backup", "--list", "--json").json["copies"]
    assert [(one["file"], one["kind"]) for one in listed] == [(str(made), "sendoff")]
    assert made.name in ada("backup", "--list").out
    said = ada("restore", "latest")
    assert said.code == 0
    assert said.out.startswith(f"Restored from {made}. What was here is kept as {home / 'backups' / 'replaced-'}")
    assert "Nothing of it was tried since." in said.out
    assert said.err == (
        "Paused: This profile was taken back to a backup. Nothing is overdue. 1 is still to come. "
        "Look at what it would send (sendoff queue), then: sendoff resume\n"
    )
    assert planned(ada) == ["before"]
    assert "taken back to a backup" in ada("queue").err
    resumed = ada("resume")
    assert resumed.out == "Things leave again.\n"
    assert "taken back" not in ada("queue").err


def test_what_left_since_the_copy_does_not_leave_again(ada: Run, home: Path) -> None:
    ada("post", "--text", "once", "--at", "+1s")
    ada("backup")
    assert ada("worker", "--until-idle", "--for", "40").code == 0
    assert len(ledger(home)) == 1
    assert "1 of it left or was tried since." in ada("restore", "latest").out
    stopped = ada("worker", "--until-idle")
    assert stopped.code == 1
    assert "paused    This profile was taken back to a backup. Look" in stopped.out
    assert "taken back to a backup" in stopped.err
    ada("resume")
    assert ada("worker", "--until-idle").code == 0
    assert len(ledger(home)) == 1


def test_what_is_overdue_is_told_before_it_leaves(ada: Run, home: Path) -> None:
    ada("post", "--text", "now")
    ada("backup")
    (home / "sendoff.db").unlink()
    ada("restore", "latest")
    found = {one["name"]: one for one in ada("doctor", "--json").json["checks"]}["due"]
    assert found["verdict"] == "wrong"
    assert "1 is overdue: 1 leaves at once." in found["text"]
    assert "1 is overdue: 1 leaves at once." in ada("queue").err
    assert ledger(home) == []
    assert ada("resume").out.startswith("1 is overdue: 1 leaves at once.\n")


@pytest.mark.parametrize("harm", ["damaged", "gone", "newer"])
def test_a_database_of_no_use_is_told_with_the_command(ada: Run, home: Path, harm: str) -> None:
    ada("backup")
    path = home / "sendoff.db"
    if harm == "damaged":
        path.write_bytes(b"a poem " * 3000)
    elif harm == "gone":
        path.unlink()
    else:
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute("UPDATE alembic_version SET version_num = '9999'")
    for words in (["queue"], ["worker", "--until-idle"], ["post", "--text", "hello"], ["backup"]):
        said = ada(*words)
        assert (said.code, said.out) == (3, "")
        about = (
            "before the update: sendoff backup --list"
            if harm == "newer"
            else "To go back to it: sendoff restore latest"
        )
        assert about in said.err
    assert ada("doctor").code == 1
    assert ada("backup", "--list").code == 0
    assert ada("restore", "latest").code == 0
    assert ada("queue").code == 0


def test_what_cannot_be_restored(ada: Run, spawn: Spawn, tmp_path: Path) -> None:
    said = ada("restore", "latest")
    assert said.code == 2
    assert "There is no copy in" in said.err
    assert ada("backup", "--list", tmp_path / "x").code == 2
    poem = tmp_path / "poem.db"
    poem.write_text("this is a poem")
    said = ada("restore", poem)
    assert said.code == 2
    assert "Take an older copy. See what there is: sendoff backup --list" in said.err
    ada("backup")
    worker = spawn("worker")
    assert worker.stdout
    worker.stdout.readline()
    said = ada("restore", "latest")
    assert said.code == 4
    assert "sends for this profile already" in said.err


def test_a_copied_profile_waits_for_a_look(
    ada: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada("post", "--text", "now")
    shutil.copytree(home, tmp_path / "copy")
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "copy"))
    said = ada("worker", "--until-idle")
    assert said.code == 1
    assert "This profile was copied from another place." in said.out
    refused = ada("pause", "--until", "+1h")
    assert refused.code == 1
    assert "paused already: This profile was copied" in refused.err
    assert ledger(tmp_path / "copy") == []
    assert ada("resume").code == 0
    assert ada("worker", "--until-idle").code == 0
    assert len(ledger(tmp_path / "copy")) == 1


# --- killed -------------------------------------------------------------------------------------------------------


@kills
@pytest.mark.parametrize(
    ("point", "is_new"),
    [
        ("restore.copied", False),
        ("restore.written", False),
        ("restore.decided", True),
        ("restore.moved", True),
        ("restore.moved-wal", True),
        ("restore.swapped", True),
    ],
)
def test_a_restore_that_is_killed(
    ada: Run, spawn: Spawn, home: Path, monkeypatch: pytest.MonkeyPatch, point: str, is_new: bool
) -> None:
    ada("post", "--text", "before", "--at", "+1h")
    ada("backup")
    with closing(sqlite3.connect(home / "sendoff.db")) as reader:  # keeps what follows in the log
        reader.execute("SELECT 1 FROM posts").fetchone()
        ada("post", "--text", "after", "--at", "+2h")
        killed(spawn, point, monkeypatch, "restore", "latest")
    assert planned(ada) == (["before"] if is_new else ["before", "after"])
    assert ("taken back" in ada("queue").err) == is_new
    assert health.look(home / "sendoff.db").faults == ()
    assert not (home / "restored").exists()
    kept = list((home / "backups").glob("replaced-*.db"))
    assert len(kept) == is_new
    for one in kept:
        with closing(sqlite3.connect(one)) as raw:
            assert raw.execute("SELECT count(*) FROM posts").fetchone() == (2,)
    assert ada("restore", "latest").code == 0
    assert planned(ada) == ["before"]
    assert not (home / ".restoring").exists()


@kills
@pytest.mark.parametrize("point", ["backup.copied", "backup.checked"])
def test_a_backup_that_is_killed(
    ada: Run, spawn: Spawn, home: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    first = ada("backup").out.strip()
    killed(spawn, point, monkeypatch, "backup")
    assert [one["file"] for one in ada("backup", "--list", "--json").json["copies"]] == [first]
    assert ada("queue").code == 0


@kills
@pytest.mark.parametrize(
    ("point", "step"),
    [("backup.checked", "0001"), ("migration.copied", "0001"), ("migration.written", "0001"),
     ("migration.done", migrate.HEAD)],
)  # fmt: skip
def test_an_update_that_is_killed(
    run: Run, spawn: Spawn, home: Path, monkeypatch: pytest.MonkeyPatch, point: str, step: str
) -> None:
    home.mkdir(mode=0o700)
    shutil.copy(OLD, home / "sendoff.db")
    killed(spawn, point, monkeypatch, "queue")
    found = health.look(home / "sendoff.db")
    assert (found.version, found.faults) == (step, ())
    for copy in (home / "backups").glob("*.db"):
        assert health.look(copy).version == "0001"
    assert len(planned(run)) == 5
    assert health.look(home / "sendoff.db").is_current
    assert list((home / "backups").glob("before-update-from-0001-*.db"))
