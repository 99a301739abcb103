"""Export, import, backup, settings and channels, as verbs."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run


def test_export_and_import(ada: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ada("post", "--text", "to come", "--at", "+1h")
    ada("settings", "set", "week_start", "sunday")
    target = tmp_path / "all.zip"
    said = ada("export", target)
    assert said.code == 0
    assert "1 account, 1 post, 1 delivery, 0 files" in said.out
    again = ada("export", target)
    assert again.code == 2
    assert "--force" in again.err
    assert ada("export", target, "--force").code == 0
    known = ada("import", target)
    assert known.code == 2
    assert "in this profile already" in known.err
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "other"))
    ada("accounts", "add", "practice", "--name", "Ada")
    brought = ada("import", target)
    assert brought.code == 0
    assert brought.out == (
        "Imported: 1 account, 1 post, 1 delivery, 0 files. Nothing was sent.\n"
        "“Ada” is called “Ada (imported)” here, because there was an account of that name.\n"
    )
    assert brought.err == "1 waits for a sign-in to its account: sendoff accounts sign-in ACCOUNT\n"
    assert ada("doctor", "--json").json["checks"][-3]["text"] == "1 thing waits for a decision of yours"
    assert ada("queue", "--json").json["deliveries"][0]["state"] == "held"
    assert ada("worker", "--until-idle").code == 1
    signed_in = ada("accounts", "sign-in", "Ada (imported)")
    assert signed_in.code == 0
    assert "at their times again: 1" in signed_in.err
    assert ada("queue", "--json").json["deliveries"][0]["state"] == "scheduled"


def test_what_was_leaving_is_told_and_a_file_that_is_gone(
    ada: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "cat.png")
    ada("post", "--text", "half way", "--media", tmp_path / "cat.png", "--alt", "a cat", "--at", "+1h")
    with closing(sqlite3.connect(home / "sendoff.db")) as connection, connection:
        connection.execute("UPDATE deliveries SET state = 'in_doubt'")
    for file in (home / "media").rglob("*"):
        if file.is_file():
            file.unlink()
    said = ada("export", tmp_path / "all.zip")
    assert (said.code, said.err) == (0, "1 file of a post was no longer there, and not in it.\n")
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "other"))
    assert ada("import", tmp_path / "all.zip").err == "1 may have gone out: sendoff queue --state in-doubt\n"
    assert [one["state"] for one in ada("queue", "--state", "in-doubt", "--json").json["deliveries"]] == ["in_doubt"]


def test_another_profile_is_named_before_the_verb(ada: Run, home: Path, tmp_path: Path) -> None:
    ada("accounts", "add", "practice", "--name", "Ada")
    assert ada("--home", tmp_path / "other", "accounts", "list", "--json").json["accounts"] == []
    assert [one["name"] for one in ada("--home", home, "accounts", "list", "--json").json["accounts"]] == ["Ada"]


def test_backup_to_the_profile_and_to_a_file(ada: Run, home: Path, tmp_path: Path) -> None:
    said = ada("backup")
    assert re.fullmatch(r"sendoff-\d{8}-\d{6}\.db", Path(said.out.strip()).name)
    assert Path(said.out.strip()).parent == home / "backups"
    named = tmp_path / "mine.db"
    assert ada("backup", named).out == f"{named}\n"
    assert ada("backup", named).code == 2
    assert ada("backup", named, "--force", "--json").json == {"file": str(named)}
    assert ada("backup", tmp_path / "no" / "where.db").code == 2


@pytest.mark.parametrize(
    ("data", "about"), [(None, "There is no file"), (b"hello", "not an export"), (b"", "not an export")]
)
def test_what_is_no_export(ada: Run, tmp_path: Path, data: bytes | None, about: str) -> None:
    source = tmp_path / "some.zip"
    if data is not None:
        source.write_bytes(data)
    said = ada("import", source)
    assert (said.code, said.out) == (2, "")
    assert about in said.err


def test_settings(run: Run) -> None:
    assert run("settings", "set", "late", "skip 20m").code == 0
    shown = {one["name"]: one for one in run("settings", "list", "--json").json["settings"]}
    assert shown["late"]["value"] == "skip 20m"
    assert shown["close_to_tray"]["choices"] == ["yes", "no"]
    assert "skip 20m" in run("settings", "list").out
    assert "paused_until" not in shown
    for words, about in (
        (["theme", "pink"], "Appearance"),
        (["colour", "x"], "There is no preference “colour”"),
        (["paused_until", "tomorrow"], "There is no preference “paused_until”"),
        (["zone", "Mars"], "no time zone “Mars”"),
        (["late", "never"], "“never”"),
        (["close_to_tray", "perhaps"], "yes or no"),
    ):
        said = run("settings", "set", *words)
        assert said.code == 2
        assert about in said.err


def test_the_zone_by_choice_is_used(ada: Run) -> None:
    ada("settings", "set", "zone", "Asia/Tokyo")
    assert "09:00 Asia/Tokyo" in ada("post", "--text", "x", "--at", "2031-01-01 09:00").out


def test_channels(run: Run, plugin: Path) -> None:
    said = run("channels", "letterbox")
    assert said.out.startswith("letterbox: Letterbox, posts. You need: A token\n")
    for words in ("--field street  Street; “Main Street” unless given", "secret  token  Token", "--option stamp",
                  "--preset Corner Shop, Castle", "100 characters"):  # fmt: skip
        assert words in said.out
    shown = run("channels", "letterbox", "--json").json["channels"][0]
    assert [(field["name"], field["secret"], field["required"]) for field in shown["fields"]] == [
        ("street", False, True), ("address", False, False), ("token", True, True), ("pin", True, False),
    ]  # fmt: skip
    assert shown["limits"]["text"] == 100
    assert "practice: Practice, posts." in run("channels").out
    assert run("channels", "telegraph").code == 2
