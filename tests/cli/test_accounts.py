"""Signing in from a prompt and from scripts, checking, removing; a secret never stands on a command line."""

from __future__ import annotations

import io
import os
import pty
import threading
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sendoff.bootstrap import open_program
from sendoff.store import accounts
from tests.cli.conftest import PASSPHRASE, Result, Run, Spawn
from tests.cli.forked import Parent

CANARY = "CANARY-8f2c-4711"


def secret_of(home: Path, name: str) -> dict[str, str]:
    """What the keychain holds for an account."""
    program = open_program(home, passphrase=PASSPHRASE)
    try:
        with program.store.reading() as connection:
            account = accounts.resolve(connection, name)
        return program.secrets.get(account.secret_ref)
    finally:
        program.close()


def test_an_account_is_added_listed_checked_and_removed(ada: Run) -> None:
    listed = ada("accounts", "list")
    assert "Ada" in listed.out
    assert "works" in listed.out
    shown = ada("accounts", "list", "--json").json["accounts"]
    assert [(one["id"], one["name"], one["channel"], one["handle"], one["state"]) for one in shown] == [
        (1, "Ada", "practice", "@ada", "working")
    ]
    assert ada("accounts", "check").out == "Ada: works, signed in as @ada.\n"
    assert ada("accounts", "check", "ada", "--json").json == {
        "accounts": [{"id": 1, "name": "Ada", "ok": True, "text": "signed in as @ada."}]
    }
    removed = ada("accounts", "remove", "@ADA")
    assert removed.code == 0
    assert "Removed “Ada”" in removed.out
    assert ada("accounts", "list", "--json").json == {"accounts": []}


def test_removing_says_what_was_cancelled(ada: Run) -> None:
    ada("post", "--text", "later", "--at", "+1h")
    assert "cancelled: 1" in ada("accounts", "remove", "Ada").out
    assert ada("queue", "--state", "cancelled", "--json").json["deliveries"][0]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("words", "code", "about"),
    [
        (["add", "twitter"], 2, "There is no channel “twitter”"),
        (["add", "practice", "--field", "handel=x"], 2, "no field “handel”"),
        (["add", "practice", "--field", "handle"], 2, "NAME=VALUE"),
        (["add", "practice", "--field", "=x"], 2, "NAME=VALUE"),
        (["add", "practice", "--field", "handle=x", "--field", "handle=y"], 2, "twice"),
        (["add", "practice", "--field", "takes=money"], 2, "one of posts, mail"),
        (["add", "practice", "--field", "answers=perhaps"], 2, "no answer “perhaps”"),
        (["add", "practice", "--preset", "Gmail"], 2, "no preset “Gmail”"),
        (["add", "practice", "--secret-env", "token=PATH"], 2, "no secret field “token”"),
        (["add", "practice", "--name", "ADA"], 2, "already"),
        (["check", "bob"], 2, "There are: Ada"),
        (["remove", "bob"], 2, "no account “bob”"),
        (["sign-in", "7"], 2, "no account “7”"),
    ],
)
def test_wrong_accounts_are_one_sentence(ada: Run, words: list[str], code: int, about: str) -> None:
    said = ada("accounts", *words)
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("sendoff: ")
    assert said.err.count("\n") == 1
    assert about in said.err
    assert len(ada("accounts", "list", "--json").json["accounts"]) == 1


# --- secrets ------------------------------------------------------------------------------------------------------


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(run: Run, plugin: Path) -> None:
    said = run("accounts", "add", "letterbox", "--field", f"token={CANARY}")
    assert said.code == 2
    assert "others can see a command line" in said.err
    assert "--secret-env token=" in said.err
    assert CANARY not in said.err
    odd = run("accounts", "add", "letterbox", "--secret-env", CANARY)
    assert odd.code == 2
    assert CANARY not in odd.err


def test_a_secret_from_the_environment(run: Run, plugin: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", CANARY)
    added = run("accounts", "add", "letterbox", "--name", "Box", "--secret-env", "token=MY_TOKEN")
    assert added.code == 0
    assert "Added account 1, “Box” (@main-street) at Letterbox." in added.out
    assert "It squeaks." in added.err
    assert secret_of(home, "Box") == {"token": CANARY}
    missing = run("accounts", "add", "letterbox", "--secret-env", "token=NOT_THERE")
    assert missing.code == 2
    assert "NOT_THERE is not set" in missing.err


def test_secrets_from_standard_input(run: Run, plugin: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"token={CANARY}=with=signs \n\npin=0007\r\n"))
    assert run("accounts", "add", "letterbox", "--name", "Box", "--secrets-stdin").code == 0
    assert secret_of(home, "Box") == {"token": f"{CANARY}=with=signs ", "pin": "0007"}


def test_with_nobody_to_ask_the_ways_are_named(run: Run, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    said = run("accounts", "add", "letterbox")
    assert said.code == 2
    assert "needs token" in said.err
    assert "--secret-env token=VARIABLE" in said.err


def test_a_refused_sign_in_exits_1_and_stores_nothing(
    run: Run, plugin: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "wrong")
    said = run("accounts", "add", "letterbox", "--secret-env", "token=MY_TOKEN")
    assert said.code == 1
    assert said.err == "sendoff: The letterbox does not know the token wrong. Copy it again.\n"
    assert run("accounts", "list", "--json").json == {"accounts": []}
    assert not (home / "secrets.vault").exists()


def test_presets_fill_in_by_name_and_by_address(run: Run, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "good")
    token = ("--secret-env", "token=MY_TOKEN")
    shop = run("accounts", "add", "letterbox", "--name", "S", "--preset", "corner shop", *token, "--json")
    assert shop.json["settings"]["street"] == "Corner Street"
    assert "They open at nine." in shop.err
    castle = run("accounts", "add", "letterbox", "--name", "C", "--field", "address=https://x@castle.example", *token)
    assert castle.code == 2  # the address is refused, but it named the castle
    assert "Castle" in castle.err
    own = run(
        "accounts", "add", "letterbox", "--name", "O", "--preset", "Castle", "--field", "street=Mine", *token, "--json"
    )
    assert own.json["settings"]["street"] == "Mine"


def test_without_a_keychain_or_a_passphrase_nothing_is_stored(
    run: Run, plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENDOFF_PASSPHRASE")
    monkeypatch.setenv("MY_TOKEN", CANARY)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    said = run("accounts", "add", "letterbox", "--secret-env", "token=MY_TOKEN")
    assert said.code == 3
    assert "SENDOFF_PASSPHRASE" in said.err
    assert run("accounts", "list", "--json").json == {"accounts": []}


# --- signing in again ---------------------------------------------------------------------------------------------


@pytest.fixture
def box(run: Run, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MY_TOKEN", "old")
    assert run("accounts", "add", "letterbox", "--name", "Box", "--secret-env", "token=MY_TOKEN").code == 0
    return run


def test_signing_in_again_keeps_what_was_not_told(box: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", CANARY)
    said = box("accounts", "sign-in", "Box", "--secret-env", "token=MY_TOKEN")
    assert said.code == 0
    assert "Signed in again: account 1" in said.out
    assert secret_of(home, "Box") == {"token": CANARY}
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert box("accounts", "sign-in", "Box", "--field", "address=https://example.org").code == 0
    assert secret_of(home, "Box") == {"token": CANARY}
    assert box("accounts", "list", "--json").json["accounts"][0]["settings"]["address"] == "https://example.org"


def test_another_identity_is_refused(box: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = box("accounts", "sign-in", "Box", "--field", "street=Elsewhere", "--secret-env", "token=MY_TOKEN")
    assert said.code == 2
    assert "That is @elsewhere, but this account is @main-street" in said.err


def test_a_key_that_no_longer_works_is_noticed_by_check(box: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    program = open_program(home, passphrase=PASSPHRASE)
    with program.store.reading() as connection:
        ref = accounts.resolve(connection, "Box").secret_ref
    program.secrets.put({"token": "wrong"}, ref)
    program.close()
    said = box("accounts", "check")
    assert said.code == 1
    assert said.out == "Box: does not work, The letterbox does not know the token wrong. Copy it again.\n"
    assert box("accounts", "list", "--json").json["accounts"][0]["state"] == "sign_in"
    posted = box("post", "--text", "hello")
    assert posted.code == 1
    assert "waits for a sign-in: sendoff accounts sign-in 1" in posted.err
    monkeypatch.setenv("MY_TOKEN", "good")
    again = box("accounts", "sign-in", "Box", "--secret-env", "token=MY_TOKEN")
    assert "go at their times again: 1" in again.err


# --- by browser ---------------------------------------------------------------------------------------------------


def in_background(call: Run, *words: str) -> tuple[threading.Thread, list[Result]]:
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(call(*words)))
    thread.start()
    return thread, results


def page_of(lines: list[str]) -> str:
    return next(line.strip() for line in lines if line.strip().startswith("http") and "?" not in line)


def test_the_browser_signs_in(spawn: Spawn, plugin: Path, home: Path, tmp_path: Path) -> None:
    process = spawn("accounts", "add", "doorbell", "--name", "Bell", "--no-browser")
    assert process.stderr
    lines: list[str] = []
    while "Waiting" not in (lines or [""])[-1]:
        lines.append(process.stderr.readline())
    assert any("?show=code" in line for line in lines)
    urllib.request.urlopen(page_of(lines), timeout=10).close()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Added account 1, “Bell”" in out
    assert secret_of(home, "Bell") == {"token": "CANARY-from-the-browser"}


def test_the_browser_is_opened_without_our_secrets(
    spawn: Spawn, plugin: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(
        f"#!/bin/sh\nenv > {tmp_path}/env\nexec python3 -c \"import urllib.request as u; u.urlopen('$1')\"\n"
    )
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    process = spawn("accounts", "add", "doorbell", "--name", "Bell")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert PASSPHRASE not in (tmp_path / "env").read_text()


def test_a_code_can_be_pasted_and_a_wrong_one_asks_again(spawn: Spawn, plugin: Path, home: Path) -> None:
    process = spawn("accounts", "add", "doorbell", "--name", "Bell", "--no-browser", stdin=-1)
    out, err = process.communicate("\nabcd\n1234\n", timeout=30)
    assert process.returncode == 0, err
    assert "That is no code. Copy it again." in err
    assert "Added account 1" in out
    assert secret_of(home, "Bell") == {"token": "CANARY-pasted"}


# --- at a terminal ------------------------------------------------------------------------------------------------


AtTerminal = Callable[[list[str], list[tuple[str, str]]], tuple[int, str]]


@pytest.fixture
def at_terminal(parent: Parent, home: Path) -> AtTerminal:
    """Runs a verb at a pseudo-terminal; each answer is typed when its question has come."""
    return partial(converse, parent)


def converse(parent: Parent, words: list[str], answers: list[tuple[str, str]]) -> tuple[int, str]:
    terminal, its = pty.openpty()
    child = parent.fork(*words, stdin=its, stdout=its, stderr=its, terminal=True)
    os.close(its)
    said, waiting = "", list(answers)
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        said += data.decode()
        if waiting and waiting[0][0] in said.rpartition("\n")[2]:
            os.write(terminal, (waiting.pop(0)[1] + "\n").encode())
            said += "\n"
    os.close(terminal)
    return child.wait(20), said


def test_secrets_and_a_new_passphrase_are_asked_for(
    at_terminal: AtTerminal, home: Path, plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENDOFF_PASSPHRASE")
    code, said = at_terminal(
        ["accounts", "add", "letterbox", "--name", "Box"],
        [("Choose a passphrase", PASSPHRASE), ("Type it again", PASSPHRASE), ("Token", CANARY)],
    )
    assert code == 0, said
    assert CANARY not in said
    assert PASSPHRASE not in said
    assert secret_of(home, "Box") == {"token": CANARY}
    code, said = at_terminal(["accounts", "check"], [("Passphrase of Sendoff’s key file", PASSPHRASE)])
    assert code == 0, said
    code, said = at_terminal(["accounts", "check"], [("Passphrase of Sendoff’s key file", "no")])
    assert code == 3
    assert "That is not the passphrase" in said


def test_two_different_passphrases_are_none(
    at_terminal: AtTerminal, home: Path, plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENDOFF_PASSPHRASE")
    code, said = at_terminal(
        ["accounts", "add", "letterbox"], [("Choose a passphrase", "one"), ("Type it again", "other")]
    )
    assert code == 2
    assert "two different passphrases" in said
    assert not (home / "secrets.vault").exists()


def test_practice_asks_for_no_passphrase(at_terminal: AtTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENDOFF_PASSPHRASE")
    code, said = at_terminal(["accounts", "add", "practice"], [])
    assert code == 0, said
    code, said = at_terminal(["worker", "--until-idle"], [])
    assert code == 0, said
