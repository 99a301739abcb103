"""The worker as processes of their own: signals, a kill in the middle, the lock, and what others do meanwhile."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.bootstrap import open_program
from sendoff.cli import worker as worker_verb
from sendoff.release import Installed
from sendoff.store import news
from sendoff.store.db import StoreTrouble
from tests.cli.conftest import PASSPHRASE, Run, Spawn, ledger


def wait_for(what: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def lines_until(process: subprocess.Popen[str], words: str) -> list[str]:
    """Reads lines of a process up to the first with these words."""
    assert process.stdout
    lines: list[str] = []
    while words not in (lines or [""])[-1]:
        line = process.stdout.readline()
        assert line, f"it ended without “{words}”: {lines}"
        lines.append(line)
    return lines


def state(run: Run, number: int = 1) -> str:
    return str(run("show", str(number), "--json").json["delivery"]["state"])


def slow_account(run: Run, answers: str = "slow:5", doubt: str = "search") -> None:
    fields = ("handle=@slow", f"answers={answers}", f"doubt={doubt}")
    words = [word for field in fields for word in ("--field", field)]
    assert run("accounts", "add", "practice", "--name", "Slow", *words).code == 0


# --- what it does -------------------------------------------------------------------------------------------------


def test_it_sends_what_is_due_tells_it_and_ends(ada: Run, home: Path) -> None:
    ada("post", "--text", "hello", "--thread", "again")
    ada("post", "--text", "another day", "--at", "+1d")
    said = ada("worker", "--until-idle")
    lines = [line.split(maxsplit=1)[1] for line in said.out.splitlines()]
    assert lines[0] == f"started   sending for {home}"
    assert lines[1].startswith("sent      1  Ada  part 1 of 2, practice-1")
    assert lines[2].startswith("sent      1  Ada  part 2 of 2, practice-2, ")
    assert lines[3] == "stopped   nothing is left to do in the next minute"
    assert (said.code, said.err) == (0, "")
    assert [line["text"] for line in ledger(home)] == ["hello", "again"]
    assert state(ada, 2) == "scheduled"


def test_lines_for_programs(ada: Run) -> None:
    slow_account(ada, "later:1, refuse")
    ada("post", "--to", "Slow", "--text", "hello")
    told = [json.loads(line) for line in ada("worker", "--until-idle", "--json").out.splitlines()]
    assert [one["what"] for one in told] == ["started", "later", "refused", "stopped"]
    assert told[1]["next_try"] is not None
    assert (told[2]["delivery"], told[2]["state"], told[2]["account"]) == (1, "failed", "Slow")
    assert "not today" in told[2]["reason"]


def test_it_hears_of_what_others_post_and_pause(ada: Run, spawn: Spawn, home: Path) -> None:
    worker = spawn("worker")
    lines_until(worker, "started")
    ada("post", "--text", "one")
    lines_until(worker, "sent      1")
    ada("pause")
    lines_until(worker, "paused")
    ada("post", "--text", "two")
    ada("post", "--text", "three", "--at", "+1h")
    ada("cancel", "3")
    assert state(ada, 2) == "scheduled"
    ada("resume")
    lines_until(worker, "sent      2")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0


def test_it_ends_after_its_time(ada: Run) -> None:
    began = time.monotonic()
    assert "stopped   the time is over" in ada("worker", "--for", "0.2").out
    assert time.monotonic() - began < 5
    ada("post", "--text", "x", "--at", "+20s")
    early = ada("worker", "--until-idle", "--for", "0.2")
    assert early.code == 1
    assert "before everything had left" in early.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_told_to(ada: Run, spawn: Spawn, number: signal.Signals) -> None:
    worker = spawn("worker", started=True)
    lines_until(worker, "started")
    worker.send_signal(number)
    out, err = worker.communicate(timeout=5)
    assert (worker.returncode, err) == (0, "")
    assert "stopped   told to" in out


def test_it_ends_within_five_seconds_while_something_is_leaving(ada: Run, spawn: Spawn, home: Path) -> None:
    slow_account(ada, "slow:60")
    ada("post", "--to", "Slow", "--text", "hello")
    worker = spawn("worker")
    wait_for(lambda: state(ada) == "sending")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0
    assert ledger(home) == []
    assert "in doubt  1  Slow" in ada("worker", "--for", "0.1").out


def test_it_tells_once_that_another_version_is_installed_and_goes_on(
    ada: Run, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_verb, "LOOK_AT_FILES", 0.0)
    stamp = tmp_path / "commit.txt"
    stamp.write_text("a" * 40)
    ada("post", "--text", "hello", "--at", "+1s")
    with closing(open_program(home, passphrase=PASSPHRASE)) as program:
        duty = worker_verb.Duty(program, program.engine(), installed=Installed(stamp))
        stamp.write_text("b" * 40)
        assert duty.run(until_idle=True, seconds=None) == 0
    out = capsys.readouterr().out
    assert out.count("updated   another version is installed now") == 1
    assert out.index("updated") < out.index("sent ")


# --- one sender ---------------------------------------------------------------------------------------------------


def test_a_second_worker_exits_4_and_the_first_goes_on(ada: Run, spawn: Spawn, home: Path) -> None:
    first = spawn("worker")
    lines_until(first, "started")
    out, err = (second := spawn("worker")).communicate(timeout=20)
    assert (second.returncode, out) == (4, "")
    assert (
        err
        == f"sendoff: Another Sendoff (process {first.pid}) sends for this profile already. There can be only one.\n"
    )
    ada("post", "--text", "hello")
    lines_until(first, "sent      1")
    first.kill()
    first.wait()
    assert ada("worker", "--until-idle").code == 0
    assert len(ledger(home)) == 1


def test_a_profile_is_free_again_after_a_kill(ada: Run, spawn: Spawn) -> None:
    first = spawn("worker")
    lines_until(first, "started")
    assert "Nothing sends" not in ada("post", "--text", "x", "--at", "+1h").err
    first.kill()
    first.wait()
    assert "Nothing sends" in ada("post", "--text", "y", "--at", "+1h").err
    assert ada("worker", "--until-idle").code == 0


# --- killed in the middle -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("doubt", "code", "found"), [
    ("search", 0, "It was looked for and is surely not there, so it goes again."),
    ("repeat", 0, "It went again under the same key: it is out."),
    ("ask", 1, ""),
])  # fmt: skip
def test_kill_9_while_sending_leaves_a_doubt_that_is_settled(
    ada: Run, spawn: Spawn, home: Path, doubt: str, code: int, found: str
) -> None:
    slow_account(ada, doubt=doubt)
    ada("post", "--to", "Slow", "--text", "hello")
    ada("post", "--to", "Slow", "--text", "next", "--at", "+1s")
    worker = spawn("worker")
    wait_for(lambda: state(ada) == "sending")
    worker.kill()
    worker.wait()
    assert state(ada) == "sending"
    again = ada("worker", "--until-idle")
    assert again.code == code
    assert "found     1 that may have gone out when the last sender stopped" in again.out
    assert "in doubt  1  Slow  Sendoff stopped while this was leaving" in again.out
    assert found in again.out
    if doubt == "ask":
        assert state(ada) == "in_doubt"
        assert [line["text"] for line in ledger(home)] == ["next"]
        ada("settle", "1", "--as", "not-sent")
        assert ada("worker", "--until-idle").code == 0
    assert state(ada) == "sent"
    assert sorted(line["text"] for line in ledger(home)) == ["hello", "next"]


def test_kill_9_before_its_time_loses_nothing(ada: Run, spawn: Spawn, home: Path) -> None:
    ada("post", "--text", "hello", "--at", "+6s")  # a busy machine takes seconds to start the worker
    worker = spawn("worker")
    lines_until(worker, "started")
    worker.kill()
    worker.wait()
    assert "in doubt" not in ada("worker", "--until-idle").out
    assert [line["text"] for line in ledger(home)] == ["hello"]


def test_trouble_with_the_disk_does_not_end_it(ada: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ada("post", "--text", "hello")
    since, left = news.since, [3]

    def failing(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise StoreTrouble("The disk is full.")
        return since(*arguments)

    monkeypatch.setattr(news, "since", failing)
    said = ada("worker", "--until-idle")
    assert said.code == 0
    assert "sent      1" in said.out


# --- passphrases and other processes' keys ------------------------------------------------------------------------


@pytest.fixture
def box(run: Run, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """An account whose key is in the encrypted file, made as another process would."""
    monkeypatch.setenv("MY_TOKEN", "good")
    assert run("accounts", "add", "letterbox", "--name", "Box", "--secret-env", "token=MY_TOKEN").code == 0
    return run


def test_without_its_passphrase_it_does_not_start(box: Run, spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENDOFF_PASSPHRASE")
    out, err = (worker := spawn("worker", "--until-idle")).communicate(timeout=20)
    assert (worker.returncode, out) == (3, "")
    assert "SENDOFF_PASSPHRASE" in err
    monkeypatch.setenv("SENDOFF_PASSPHRASE", "not this")
    said = box("worker", "--until-idle")
    assert said.code == 3
    assert "That is not the passphrase" in said.err


def from_pipe(text: str) -> int:
    """A descriptor that a passphrase can be read from."""
    readable, writable = os.pipe()
    os.write(writable, text.encode())
    os.close(writable)
    return readable


def test_the_passphrase_from_a_descriptor(box: Run, spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENDOFF_PASSPHRASE")
    box("post", "--text", "hello")
    pipe = from_pipe(f"{PASSPHRASE}\n")
    worker = spawn("worker", "--until-idle", "--passphrase-fd", str(pipe), pass_fds=[pipe])
    os.close(pipe)
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 0, err
    assert "sent      1  Box  letter-1" in out


def test_descriptors_without_a_passphrase(box: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENDOFF_PASSPHRASE")
    pipe, empty = from_pipe(PASSPHRASE), from_pipe("\n")
    assert box("--passphrase-fd", str(pipe), "accounts", "check").code == 0
    assert "there is no passphrase in it" in box("accounts", "check", "--passphrase-fd", str(empty)).err
    closed = box("accounts", "check", "--passphrase-fd", "7777")
    assert closed.code == 2
    assert "--passphrase-fd 7777" in closed.err
    for one in (pipe, empty):
        os.close(one)


def test_keys_that_other_processes_store_reach_a_running_worker(
    box: Run, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    box("post", "--text", "before")
    worker = spawn("worker")
    lines_until(worker, "sent      1")
    monkeypatch.setenv("OTHER_TOKEN", "good too")
    box("accounts", "add", "letterbox", "--name", "Other", "--secret-env", "token=OTHER_TOKEN")
    box("post", "--to", "Other", "--text", "hello")
    lines_until(worker, "sent      2  Other")
    monkeypatch.setenv("OTHER_TOKEN", "changed")
    assert box("accounts", "sign-in", "Other", "--secret-env", "token=OTHER_TOKEN").code == 0
    box("post", "--to", "Other", "--text", "refuse")
    lines_until(worker, "refused   3  Other  The letterbox refused ••••••••.")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0
    assert box("accounts", "check").code == 0  # the file of keys holds both


# --- pipes --------------------------------------------------------------------------------------------------------


def nobody() -> int:
    """The writing end of a pipe that nobody reads any more."""
    readable, writable = os.pipe()
    os.close(readable)
    return writable


def test_a_reader_that_leaves_does_not_stop_the_sending(ada: Run, spawn: Spawn, home: Path) -> None:
    ada("post", "--text", "hello", "--at", "+3s")
    pipe = nobody()
    worker = spawn("worker", "--until-idle", stdout=pipe, started=True)
    os.close(pipe)
    _, err = worker.communicate(timeout=30)
    assert (worker.returncode, err) == (0, "")
    assert len(ledger(home)) == 1


def test_a_broken_pipe_is_no_fault(ada: Run, spawn: Spawn) -> None:
    ada("post", "--text", "hello", "--at", "+1h")
    pipe = nobody()
    process = spawn("queue", stdout=pipe, started=True)
    os.close(pipe)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


def test_what_was_planned_while_nothing_ran_is_told_at_the_start(ada: Run, home: Path) -> None:
    assert ada("worker", "--for", "1").code == 0
    later = datetime.now(UTC) - timedelta(minutes=10)
    with sqlite3.connect(home / "sendoff.db") as connection:
        connection.execute("UPDATE senders SET seen_at = ?", (int(later.timestamp() * 1_000_000),))
    ada("post", "--text", "hello", "--at", "now")
    ada("post", "--text", "again", "--at", "now")
    said = ada("worker", "--until-idle")
    line = next(line for line in said.out.splitlines() if "  back  " in line)
    assert "2 posts were planned while nothing could leave: sendoff queue --since '" in line
