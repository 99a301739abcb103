"""The verbs about deliveries: listed, shown, moved, taken back, settled; and the pause of everything."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sendoff.cli import render
from tests.cli.conftest import ROOT, Run

DELIVERY = {"id", "post", "account", "state", "planned", "due_at", "began_at", "sent_at", "late_seconds", "late_rule",
            "give_up_at", "text", "parts", "parts_out", "recipients", "tries", "reason", "advice", "url",
            "needs_you"}  # fmt: skip


@pytest.fixture
def three(ada: Run) -> Run:
    """Three posts, planned for 2031: January, February, March."""
    for month in (1, 2, 3):
        assert ada("post", "--text", f"post {month}", "--at", f"2031-0{month}-01 09:00").code == 0
    return ada


def ids(run: Run, *words: str) -> list[int]:
    return [one["id"] for one in run("queue", *words, "--json").json["deliveries"]]


def state(run: Run, number: int = 1) -> str:
    return str(run("show", str(number), "--json").json["delivery"]["state"])


def in_doubt(run: Run, answers: str = "lost", doubt: str = "ask", text: str = "hello") -> None:
    """A delivery 1 whose answer got lost."""
    run("accounts", "add", "practice", "--name", "B", "--field", "handle=@b", "--field", f"answers={answers}",
        "--field", f"doubt={doubt}")  # fmt: skip
    assert run("post", "--to", "B", "--text", text, "--thread", "second").code == 0
    assert run("worker", "--until-idle").code == (1 if doubt == "ask" else 0)


# --- listed -------------------------------------------------------------------------------------------------------


def test_the_queue_as_a_table(three: Run) -> None:
    lines = three("queue").out.splitlines()
    assert lines[0].split() == ["ID", "PLANNED", "STATE", "ACCOUNT", "TEXT"]
    assert lines[1].split() == ["1", "1", "Jan", "2031", "09:00", "scheduled", "Ada", "post", "1"]
    assert len(lines) == 4


def test_the_queue_as_json(three: Run) -> None:
    shown = three("queue", "--json").json
    assert shown["more"] is False
    first = shown["deliveries"][0]
    assert set(first) == DELIVERY
    assert first["account"] == {"id": 1, "name": "Ada", "channel": "practice", "handle": "@ada"}
    assert first["planned"]["at"] == "2031-01-01T08:00:00.000Z"
    assert (first["text"], first["parts"], first["parts_out"], first["late_rule"]) == ("post 1", 1, 0, "ask 2h")


def test_the_queue_narrowed(three: Run) -> None:
    three("cancel", "2")
    assert ids(three) == [1, 3]
    assert ids(three, "--state", "cancelled") == [2]
    assert ids(three, "--state", "cancelled", "--state", "scheduled") == [1, 2, 3]
    assert ids(three, "--since", "2031-02-01 09:00") == [3]
    assert ids(three, "--until", "2031-02-01 09:00") == [1]
    assert ids(three, "--since", "2030-01-01 00:00", "--limit", "1") == [1]
    limited = three("queue", "--limit", "1")
    assert limited.out.splitlines()[1].split()[0] == "3"
    assert "There are more than these 1" in limited.err
    assert three("queue", "--limit", "1", "--json").json["more"] is True
    wrong = three("queue", "--state", "lost")
    assert wrong.code == 2
    assert "There are: scheduled" in wrong.err


def test_an_empty_queue_says_so(run: Run) -> None:
    said = run("queue")
    assert (said.code, said.out) == (0, "")
    assert "Nothing is planned." in said.err
    assert run("queue", "--json").json == {"deliveries": [], "more": False}


# --- shown --------------------------------------------------------------------------------------------------------


def test_show_tells_everything(ada: Run) -> None:
    in_doubt(ada, answers="accept, drop", doubt="search")
    said = ada("show", "1", "-v")
    assert said.code == 0
    for words in ("Delivery 1: sent", "account   B (@b), Practice", "part 1 of 2  practice-1", "part 2, try 1: doubt",
                  "(1/2)", "> POST practice", "It was found: it did go out."):  # fmt: skip
        assert words in said.out
    assert "POST practice" not in ada("show", "1").out
    shown = ada("show", "1", "--json").json
    assert set(shown) == {"delivery", "content", "parts", "attempts", "events", "doubt"}
    assert [part["receipt"]["remote_id"] for part in shown["parts"]] == ["practice-1", "practice-2"]
    assert [one["outcome"] for one in shown["attempts"]] == ["sent", "doubt"]
    assert "POST practice" in shown["attempts"][0]["request"]
    assert shown["delivery"]["late_seconds"] >= 0


def test_what_is_not_there_is_a_sentence(ada: Run) -> None:
    for words in (["show", "9"], ["cancel", "9"], ["retry", "9"], ["move", "9", "--at", "+1h"],
                  ["settle", "9", "--as", "sent"], ["look", "9"]):  # fmt: skip
        said = ada(*words)
        assert (said.code, said.out) == (2, "")
        assert said.err == "sendoff: There is no delivery 9. See what there is: sendoff queue.\n"


def test_foreign_text_cannot_drive_the_terminal(ada: Run) -> None:
    ada("post", "--text", "red \x1b[31m bell \x07 turned \u202e end", "--at", "+1h")
    for words in (["queue"], ["show", "1"]):
        said = ada(*words).out
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", said)
        assert "bell" in said
    assert ada("queue", "--json").json["deliveries"][0]["text"].startswith("red \x1b[31m")


def test_tables_line_up_with_wide_letters() -> None:
    lines = render.table(["A", "B"], [["日本", "x"], ["ab", "y"], ["e\u0301", "z"]])
    assert [render.columns(line[: line.rindex(" ")]) for line in lines] == [5, 5, 5, 5]
    assert render.cut("日本語", 5) == "日本…"


# --- changed ------------------------------------------------------------------------------------------------------


def test_move_reads_the_time_back(three: Run) -> None:
    said = three("move", "1", "2", "--at", "2031-06-01 12:00", "--zone", "America/New_York")
    assert said.code == 0
    assert said.out.startswith("1, 2 moved to Sun 1 Jun 2031, 12:00 America/New_York, in ")
    assert ids(three) == [3, 1, 2]
    assert three("move", "1", "--at", "2020-01-01 00:00").code == 2


def test_all_or_none(three: Run) -> None:
    assert three("cancel", "1", "99").code == 2
    assert state(three) == "scheduled"


def test_cancel_and_move_back(three: Run) -> None:
    assert three("cancel", "1").out == "1 cancelled. Nothing of it leaves.\n"
    assert state(three) == "cancelled"
    again = three("cancel", "1")
    assert again.code == 1
    assert again.err == "sendoff: It can’t be cancelled: it was cancelled.\n"
    assert three("move", "1", "--at", "2031-05-01 09:00").code == 0
    assert state(three) == "scheduled"


def test_cancelling_what_is_half_out_does_not_hide_what_left(ada: Run) -> None:
    ada("accounts", "add", "practice", "--name", "B", "--field", "handle=@b", "--field", "answers=accept, refuse")
    ada("post", "--to", "B", "--text", "one", "--thread", "two")
    assert ada("worker", "--until-idle").code == 1
    assert ada("cancel", "1").out == "1 cancelled. Nothing more of it leaves. What is out stays out.\n"


def test_what_was_sent_stays_sent(ada: Run) -> None:
    ada("post", "--text", "hello")
    assert ada("worker", "--until-idle").code == 0
    for words in (["cancel", "1"], ["retry", "1"], ["move", "1", "--at", "+1h"], ["settle", "1", "--as", "not-sent"]):
        said = ada(*words)
        assert said.code == 1
        assert "it was sent" in said.err
    assert "nothing in doubt" in ada("look", "1").err


def test_retry_sends_what_was_refused(ada: Run, home: Path) -> None:
    ada("accounts", "add", "practice", "--name", "B", "--field", "handle=@b", "--field", "answers=refuse")
    ada("post", "--to", "B", "--text", "hello")
    refused = ada("worker", "--until-idle")
    assert refused.code == 1
    assert "refused   1  B  The practice network refused it: “not today”." in refused.out
    assert "Something needs you: sendoff queue --needs-you" in refused.err
    assert ids(ada, "--needs-you") == [1]
    assert ada("retry", "1").out == "1: sent as soon as possible.\n"
    assert ada("worker", "--until-idle").code == 0
    assert state(ada) == "sent"


def test_what_waits_for_a_sign_in_is_told_so(ada: Run) -> None:
    ada("accounts", "add", "practice", "--name", "B", "--field", "handle=@b", "--field", "answers=login")
    for text in ("one", "two"):
        ada("post", "--to", "B", "--text", text)
    assert ada("worker", "--until-idle").code == 1
    for words in (("retry", "2"), ("move", "2", "--at", "+1h"), ("post", "--to", "B", "--text", "three")):
        said = ada(*words)
        assert said.code == 1
        assert "B waits for a sign-in: sendoff accounts sign-in 2" in said.err
    assert state(ada, 2) == "held"


@pytest.mark.parametrize(("verdict", "words", "handles"), [
    ("sent", "the rest of it follows", 1),
    ("not-sent", "it goes again", 2),
])  # fmt: skip
def test_doubt_is_settled_by_the_person(ada: Run, home: Path, verdict: str, words: str, handles: int) -> None:
    from tests.cli.conftest import ledger

    in_doubt(ada)
    assert state(ada) == "in_doubt"
    assert ada("cancel", "1").code == 1
    settled = ada("settle", "1", "--as", verdict)
    assert settled.code == 0
    assert words in settled.out
    assert ada("worker", "--until-idle").code == 0
    assert state(ada) == "sent"
    assert len(ledger(home, "@b")) == handles


def test_the_last_part_settled_as_sent_ends_it(ada: Run) -> None:
    in_doubt(ada, answers="accept, lost")
    assert ada("settle", "1", "--as", "sent").out == "1 is settled: it is there.\n"
    assert state(ada) == "sent"


def test_what_is_known_of_a_doubt_is_told_with_both_answers(ada: Run) -> None:
    in_doubt(ada, answers="accept, lost")
    told = ada("settle", "1")
    assert told.code == 1
    assert "Delivery 1 is in doubt: " in told.out
    assert "  part      Part 2 of 2 is in doubt. Part 1 is out.\n" in told.out
    assert "  answer    None was read. The line to the practice network broke before it answered." in told.out
    assert "  channel   This practice account plays a network that can’t be asked.\n" in told.out
    assert "  sendoff settle 1 --as sent       It counts as sent, and nothing goes out again.\n" in told.out
    assert "people get it twice" in told.out
    assert "sendoff look 1" not in told.out
    assert "\nKnown\n  part      Part 2 of 2 is in doubt." in ada("show", "1").out
    assert ada("show", "1", "--json").json["doubt"]["can_look"] is False
    asked = ada("settle", "1", "--json")
    assert (asked.code, asked.json) == (1, ada("show", "1", "--json").json)
    assert state(ada) == "in_doubt"
    assert ada("settle", "1", "--as", "sent", "--json").json["state"] == "sent"
    assert ada("show", "1", "--json").json["doubt"] is None
    over = ada("settle", "1")
    assert (over.code, over.err) == (1, "sendoff: There is nothing in doubt about this delivery.\n")


def test_a_look_asks_once_more(ada: Run) -> None:
    in_doubt(ada)
    assert "looks for it as soon as possible" in ada("look", "1").out
    assert ada("worker", "--until-idle").code == 1
    assert state(ada) == "in_doubt"


# --- paused -------------------------------------------------------------------------------------------------------


def test_pause_and_resume(ada: Run) -> None:
    ada("post", "--text", "hello")
    assert "sendoff resume" in ada("pause").out
    idle = ada("worker", "--until-idle")
    assert idle.code == 1
    assert "Sending is paused" in idle.err
    assert state(ada) == "scheduled"
    assert ada("resume").code == 0
    assert ada("worker", "--until-idle").code == 0
    assert state(ada) == "sent"


def test_pause_until_a_time(ada: Run) -> None:
    until = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT09:00Z")
    assert "Nothing leaves until" in ada("pause", "--until", until).out
    assert ada("pause", "--until", "2020-01-01 00:00").code == 2
    ada("post", "--text", "hello")
    assert ada("worker", "--until-idle").code == 1


def test_the_documented_shapes_are_the_real_ones(ada: Run) -> None:
    """Every key of the JSON stands in the manual's page."""
    manual = (ROOT / "docs" / "command-line.md").read_text()
    in_doubt(ada, answers="accept, drop", doubt="search")
    for words in (["queue"], ["show", "1"], ["accounts", "list"], ["channels", "practice"], ["settings", "list"],
                  ["doctor"], ["accounts", "check"]):  # fmt: skip
        shown = json.loads(ada(*words, "--json").out)
        missing = {key for key in keys(shown) if f"`{key}`" not in manual and f'"{key}"' not in manual}
        assert not missing, words


def keys(value: object) -> set[str]:
    """The names of a JSON value that are ours, not a channel's or a person's."""
    if isinstance(value, list):
        return set().union(*(keys(one) for one in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    below = set().union(*(keys(one) for name, one in value.items() if name not in FOREIGN)) if value else set()
    return set(value) | below


FOREIGN = {"limits", "data", "values", "failed"}


# --- rests --------------------------------------------------------------------------------------------------------


def test_who_rests_is_told_and_a_check_ends_the_rest(ada: Run) -> None:
    answers = ", ".join(["refuse"] * 5)
    ada("accounts", "add", "practice", "--name", "B", "--field", "handle=@b", "--field", f"answers={answers}")
    for number in range(5):
        ada("post", "--to", "B", "--text", f"post {number}")
    assert ada("worker", "--until-idle").code == 1
    ada("post", "--to", "B", "--text", "one that waits")
    listed = ada("accounts", "list")
    assert "  rests until " in listed.out
    assert "B: Rests until " in listed.err
    assert "after 5 refusals in a row: The practice network refused it: “not today”." in listed.err
    shown = ada("accounts", "list", "--json").json["accounts"][1]
    assert (shown["strikes"], shown["rest_reason"]) == (5, "The practice network refused it: “not today”.")
    assert "B: Rests until " in ada("queue", "--state", "scheduled").out
    resting = [one for one in ada("doctor", "--json").json["checks"] if one["name"] == "rest"]
    assert [one["verdict"] for one in resting] == ["note"]
    assert "account 2 (practice): Rests until " in resting[0]["text"]
    assert ada("accounts", "check", "B").code == 0
    assert "works" in ada("accounts", "list").out.splitlines()[2]
    assert ada("accounts", "list", "--json").json["accounts"][1]["rest_until"] is None


def test_what_waits_for_its_account_tells_when_that_may_send(ada: Run) -> None:
    ada("accounts", "add", "practice", "--name", "B", "--field", "handle=@b", "--field", "answers=later:7200")
    ada("post", "--to", "B", "--text", "asked to wait")
    assert ada("worker", "--for", "2").code == 0
    ada("post", "--to", "B", "--text", "behind it", "--at", "+20min")
    first, second = ada("queue", "--state", "scheduled").out.splitlines()[1:]
    assert " · B: Waits until " in second
    assert "B: Waits until" not in first  # its own next try is later still
    due = [one["due_at"] for one in ada("queue", "--json").json["deliveries"]]
    assert datetime.fromisoformat(due[1]) > datetime.now(UTC) + timedelta(minutes=110)
    assert "  next try  in 2 h, 1 so far" in ada("show", "1").out
    assert "  leaves    in 2 h, because its account waits until then" in ada("show", "2").out


def test_an_account_has_its_own_rule_for_late_posts(ada: Run) -> None:
    said = ada("accounts", "late", "Ada", "next 2h")
    assert (said.code, said.out) == (
        0, "“Ada”, what is planned from now on: Up to 2 h late, then at the next free time.\n",
    )  # fmt: skip
    ada("post", "--text", "hello", "--at", "+1h")
    assert ada("show", "1", "--json").json["delivery"]["late_rule"] == "next 2h"
    assert ada("accounts", "list", "--json").json["accounts"][0]["late_rule"] == "next 2h"
    assert "as the preference says: Up to 2 h late, then ask" in ada("accounts", "late", "Ada", "default").out
    assert ada("accounts", "late", "Ada", "whenever").code == 2
