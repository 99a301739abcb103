"""A sign-in whose end is known: told where one plans, by the doctor, the list and the worker; and when it comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sendoff.bootstrap import open_program
from sendoff.store import accounts
from tests.cli.conftest import Run
from tests.cli.test_doctor import checks


def add(run: Run, ends: timedelta) -> str:
    at = f"{datetime.now(UTC) + ends:%Y-%m-%d %H:%M:%S}"
    said = run("accounts", "add", "practice", "--name", "Ada", "--field", "handle=@ada", "--field", f"ends={at}")
    assert (said.code, said.err) == (0, "")
    return at


def test_it_is_told_in_time(run: Run, home: Path) -> None:
    at = add(run, timedelta(days=2, minutes=5))
    listed = run("accounts", "list", "--json").json["accounts"][0]
    assert listed["expires_at"].startswith(at[:10])
    assert listed["checked_at"]
    assert "works, signed in until" in run("accounts", "list").out
    early = run("post", "--text", "tomorrow's words", "--at", "+1d")
    assert "sign-in" not in early.err
    late = run("post", "--text", "words for later", "--at", "+3d")
    assert late.code == 0
    assert "The sign-in of Ada ends" in late.err
    assert "before this is due. Sign in again before, and it goes: sendoff accounts sign-in 1" in late.err
    found = checks(run)
    assert (found["ok"], found["sign-in"]["verdict"]) == (True, "note")
    assert "account 1 (practice): its sign-in ends in 2 days; 1 post is planned for later." in found["sign-in"]["text"]
    assert "words" not in found["sign-in"]["text"]
    program = open_program(home)
    with program.store.writing() as connection:
        accounts.update(connection, 1, warned=3)
    program.close()
    told = run("worker", "--for", "0.1").out
    assert told.count("1 post is planned for later: “words for later”. Sign in again before, and it goes.") == 1


def test_what_is_due_after_it_is_held(run: Run, home: Path) -> None:
    at = add(run, timedelta(days=1))
    run("post", "--text", "too late")
    program = open_program(home)
    with program.store.writing() as connection:
        known = accounts.get(connection, 1)
        accounts.update(connection, 1, settings={**known.settings, "ends": at.replace("20", "19", 1)})
    program.close()
    assert run("worker", "--until-idle").code == 1
    shown = run("show", "1", "--json").json["delivery"]
    assert (shown["state"], shown["reason"]) == ("held", "The practice network no longer accepts the key.")
    assert run("accounts", "check").code == 1


def test_an_end_that_is_no_time_is_refused(run: Run) -> None:
    said = run("accounts", "add", "practice", "--field", "ends=soon")
    assert said.code != 0
    assert "“soon” is no time. Write it like 2026-12-24 18:00." in said.err
