"""The doctor: well, unwell, and never anything private."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.bootstrap import open_program, system_zone
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.engine.clock import SystemClock
from sendoff.store import deliveries, migrate, posts, timeline
from tests.cli.conftest import PASSPHRASE, Run, Spawn
from tests.conftest import installed


def checks(run: Run) -> dict[str, Any]:
    said = run("doctor", "--json")
    shown = said.json
    assert said.code == (0 if shown["ok"] else 1)
    return {one["name"]: one for one in shown["checks"]} | {"ok": shown["ok"]}


def test_a_new_profile_is_well(ada: Run, home: Path) -> None:
    ada("post", "--text", "hello", "--at", "+1h")
    found = checks(ada)
    assert found["ok"]
    assert found["database"]["data"]["version"] == migrate.HEAD
    assert found["folder"]["data"] == {"mode": "0700", "open_to_others": 0}
    assert found["lock"]["data"] == {"held": False}
    assert found["keychain"]["data"]["place"] == "Sendoff’s own encrypted file"
    assert "practice" in found["channels"]["data"]["loaded"]
    assert found["deliveries"]["data"]["scheduled"] == 1
    assert found["deliveries"]["text"] == "1 scheduled"
    assert not found.keys() & {"you", "zone"}
    assert found["clock"]["data"]["zone"]
    assert found["disk"]["data"]["free_bytes"] > 0
    lines = ada("doctor").out.splitlines()
    assert lines[0].startswith("ok     program    sendoff ")


def test_without_a_profile_nothing_is_made(run: Run, home: Path) -> None:
    found = checks(run)
    assert found["ok"]
    assert "no profile yet" in found["folder"]["text"]
    assert found["folder"]["data"] == {"exists": False}
    assert not home.exists()


def test_a_zone_by_choice_is_told(ada: Run, home: Path) -> None:
    ada("settings", "set", "zone", "Asia/Tokyo")
    assert checks(ada)["zone"]["text"] == "times are read in Asia/Tokyo, by choice"


def test_it_says_nothing_private(ada: Run, home: Path, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home.parent))
    ada("post", "--text", "my dear diary", "--at", "+1h")
    for said in (ada("doctor"), ada("doctor", "--json")):
        for private in ("diary", "Ada", "@ada", str(home), str(home.parent)):
            assert private not in said.out


def test_the_folder_is_named_beside_the_report(ada: Run, home: Path) -> None:
    assert ada("doctor").err == f"PROFILE is {home}\n"
    assert ada("doctor", "--json").err == ""


def test_open_files_are_named(ada: Run, home: Path) -> None:
    (home / "sendoff.db").chmod(0o644)
    assert "sendoff.db" in checks(ada)["folder"]["text"]
    home.chmod(0o755)
    found = checks(ada)
    assert (found["ok"], found["folder"]["verdict"]) == (False, "wrong")
    assert found["folder"]["text"].endswith("chmod 700 PROFILE")


def test_a_damaged_database_is_named_and_not_touched(ada: Run, home: Path) -> None:
    database = home / "sendoff.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for data in (b"not a database at all", database.read_bytes()[:20_000] + b"\xff" * 30_000):
        database.write_bytes(data)
        found = checks(ada)
        assert (found["ok"], found["database"]["verdict"]) == (False, "wrong")
        assert "damaged" in found["database"]["text"]
        assert database.read_bytes() == data
    said = ada("queue")
    assert said.code == 3
    assert "is damaged" in said.err


def test_a_newer_database_is_named(ada: Run, home: Path) -> None:
    with closing(sqlite3.connect(home / "sendoff.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    found = checks(ada)
    assert not found["ok"]
    assert "newer Sendoff" in found["profile"]["text"]


def test_what_is_due_and_untouched_is_wrong(ada: Run, home: Path) -> None:
    program = open_program(home)
    past = datetime.now(UTC) - timedelta(hours=2)
    with program.store.writing() as connection:
        post_id = posts.insert(connection, 1, Content((Item("x"),)), [Variant(1)], Plan(), past)
        deliveries.insert(
            connection, post_id=post_id, account_id=1, when=When.at(past, "UTC"), late="send", give_up_at=past,
            plans=[deliveries.PartPlan()], now=past,
        )  # fmt: skip
    program.close()
    found = checks(ada)
    assert not found["ok"]
    assert "1 delivery is due and nothing takes it, the oldest for 2 h. Start a sender" in found["due"]["text"]
    ada("pause")
    assert checks(ada)["due"]["text"] == "sending is paused"


def test_a_running_sender_and_a_silent_one(ada: Run, home: Path, spawn: Spawn) -> None:
    worker = spawn("worker")
    assert worker.stdout
    worker.stdout.readline()
    until = time.monotonic() + 10
    while checks(ada)["sender"]["verdict"] != "ok" and time.monotonic() < until:
        time.sleep(0.05)
    found = checks(ada)
    assert found["ok"]
    assert f"(process {worker.pid})" in found["lock"]["text"]
    assert found["sender"]["data"]["running"]
    program = open_program(home)
    hours_ago = SystemClock().now() - timedelta(hours=3)
    with program.store.writing() as connection:
        timeline.say_alive(connection, owner="x", pid=1, host="h", started_at=hours_ago, seen_at=hours_ago, trouble="")
    program.close()
    assert "no sign of life for 3 h" in checks(ada)["sender"]["text"]


def test_keys_that_cannot_be_had(run: Run, plugin: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "CANARY-1")
    run("accounts", "add", "letterbox", "--secret-env", "token=MY_TOKEN")
    assert checks(run)["keychain"]["text"] == "Sendoff’s own encrypted file; 1 of 1 keys can be read"
    monkeypatch.setenv("SENDOFF_PASSPHRASE", "not this")
    assert "not the passphrase" in checks(run)["keychain"]["text"]
    monkeypatch.delenv("SENDOFF_PASSPHRASE")
    assert "needs the file’s passphrase" in checks(run)["keychain"]["text"]
    monkeypatch.setenv("SENDOFF_PASSPHRASE", PASSPHRASE)
    os.unlink(home / "secrets.vault")
    assert "1 of 1 keys are gone" in checks(run)["keychain"]["text"]


@pytest.mark.expects_log("could not be loaded")
def test_a_channel_that_fails_is_shown_and_wrong_if_it_is_used(
    run: Run, plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "x")
    run("accounts", "add", "letterbox", "--secret-env", "token=MY_TOKEN")
    (plugin / "letterbox-1.0.dist-info" / "entry_points.txt").write_text(
        "[sendoff.channels]\nletterbox = nowhere.at.all:Letterbox\n"
    )
    installed.cache_clear()
    found = checks(run)
    assert not found["ok"]
    assert "ModuleNotFoundError" in found["channels"]["text"]
    assert "accounts need letterbox" in found["channels"]["text"]
    listed = run("channels")
    assert listed.code == 0
    assert "letterbox: could not be loaded" in listed.out
    assert "letterbox" in run("channels", "--json").json["failed"]


def test_the_zone_is_the_one_that_is_set_now(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Europe/Berlin", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", name)
        assert system_zone() == name
