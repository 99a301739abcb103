"""Posts and mails from the command line: stored as they were written, read back in full, or refused in a sentence."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.fakes import site


@pytest.fixture
def post(ada: Run) -> Run:
    """The verb `post`, where Ada and a mailbox are."""
    ada("accounts", "add", "practice", "--name", "Post", "--field", "handle=post@x", "--field", "takes=mail")

    def call(*words: str | Path) -> Any:
        return ada("post", *words)

    return call


def content_of(run: Run, said: Any) -> dict[str, Any]:
    assert said.code == 0, said.err
    shown: dict[str, Any] = run("show", said.out.split()[0], "--json").json["content"]
    return shown


def picture(path: Path, color: str = "red") -> Path:
    Image.new("RGB", (8, 8), color).save(path)
    return path


def test_it_prints_the_id_and_reads_the_time_back_with_its_zone(post: Run) -> None:
    said = post("--to", "ada", "--text", "hello", "--at", "2031-07-01 09:00", "--zone", "Asia/Tokyo")
    assert said.code == 0
    assert said.out.startswith("1  Ada (@ada)  Tue 1 Jul 2031, 09:00 Asia/Tokyo, in ")
    assert "sendoff worker" in said.err  # nobody sends here


def test_without_a_time_it_is_now(post: Run) -> None:
    said = post("--to", "Ada", "--text", "hello")
    assert "Europe/Berlin, now" in said.out


def test_json(post: Run) -> None:
    said = post(
        "--to", "Ada", "--to", "2", "--text", "hello", "--recipient", "b@x.org", "--at", "2031-01-01 09:00", "--json"
    )
    shown = said.json
    assert shown["post"] == 1
    assert [one["id"] for one in shown["deliveries"]] == [1, 2]
    assert shown["deliveries"][0]["planned"] == {
        "at": "2031-01-01T08:00:00.000Z", "wall": "2031-01-01T09:00:00", "zone": "Europe/Berlin",
    }  # fmt: skip
    assert shown["deliveries"][0]["state"] == "scheduled"


def test_the_only_account_needs_no_name(ada: Run) -> None:
    assert ada("post", "--text", "hello").code == 0


def test_text_from_a_file_and_from_standard_input(ada: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "text"
    source.write_bytes("\ufeffGrüße\r\n– zwei Zeilen\r\n".encode())
    assert content_of(ada, ada("post", "--text-file", source))["items"][0]["text"] == "Grüße\n– zwei Zeilen"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("von außen\n".encode())))
    assert content_of(ada, ada("post", "--text-file", "-"))["items"][0]["text"] == "von außen"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert "standard input is not UTF-8 text" in ada("post", "--text-file", "-").err


def test_a_thread_with_pictures_where_they_stand(ada: Run, tmp_path: Path) -> None:
    one, two = picture(tmp_path / "one.png"), picture(tmp_path / "two.png", "blue")
    said = ada(
        "post", "--text", "A", "--media", one, "--alt", "the first", "--thread", "B", "--thread", "C", "--media", two
    )
    items = content_of(ada, said)["items"]
    assert [(item["text"], [(file["name"], file["alt"]) for file in item["media"]]) for item in items] == [
        ("A", [("one.png", "the first")]), ("B", []), ("C", [("two.png", "")]),
    ]  # fmt: skip
    assert ada("queue", "--json").json["deliveries"][0]["parts"] == 3
    assert "has no alt text" in said.err


def test_a_picture_is_made_to_fit(ada: Run, tmp_path: Path, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "abcdefghijkl")
    assert ada("accounts", "add", "letterbox", "--name", "Box", "--secret-env", "token=TOKEN").code == 0
    path = tmp_path / "grain.png"
    Image.effect_noise((200, 200), 90).save(path)
    words = ("post", "--to", "Ada", "--to", "Box", "--text", "x", "--media", path, "--alt", "grain")
    refused = ada(*words)
    assert refused.code == 2
    assert "too big for Letterbox" in refused.err
    said = ada(*words, "--fit")
    (file,) = content_of(ada, said)["items"][0]["media"]
    assert file["size"] == path.stat().st_size
    assert [copy["size"] <= 9000 for copy in file["copies"]] == [True]


def test_a_card_goes_along_where_a_network_takes_one(ada: Run, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "abcdefghijkl")
    ada("accounts", "add", "letterbox", "--name", "Box", "--secret-env", "token=TOKEN")
    assert "none of these accounts" in ada("post", "--to", "Ada", "--text", "https://a.example/b", "--card").err
    with site.opened() as pages:
        link = pages.page("/", "<title>A page</title>").replace("127.0.0.1", "localhost")
        said = ada("post", "--to", "Box", "--text", f"See {link} now", "--card")
    assert "no address of the public internet" in said.err  # this computer is none of theirs, and the post goes without
    assert content_of(ada, said)["items"][0]["card"] is None
    assert pages.asked == []


def test_a_picture_keeps_its_words(ada: Run, tmp_path: Path) -> None:
    bmp = tmp_path / "pier.bmp"
    Image.new("RGB", (40, 30)).save(bmp)
    words = ("post", "--to", "Ada", "--text", "x", "--media", bmp)
    items = content_of(ada, ada(*words, "--alt", "The pier"))["items"]
    assert (items[0]["media"][0]["mime"], items[0]["media"][0]["alt"]) == ("image/bmp", "The pier")
    said = ada(*words)
    assert "pier.bmp has its alt text from last time: “The pier”" in said.err
    assert content_of(ada, said)["items"][0]["media"][0]["alt"] == "The pier"


def test_what_is_too_long_becomes_a_thread(ada: Run, tmp_path: Path) -> None:
    text = "A sentence of some length. " * 30
    assert "--override" in ada("post", "--text", text).err
    said = ada("post", "--text", text, "--media", picture(tmp_path / "one.png"), "--split", "--numbered")
    items = content_of(ada, said)["items"]
    assert [(item["text"].rpartition(" ")[2], len(item["media"])) for item in items] == [("1/2", 1), ("2/2", 0)]
    assert len(content_of(ada, ada("post", "--text", text, "--split", "--thread", "end"))["items"]) == 3
    assert ada("post", "--text", "x", "--numbered").err == "sendoff: --numbered goes with --split.\n"
    assert "say where to" in ada("post", "--text", "x", "--split", "--draft").err


def test_a_mail_with_everything(ada: Run, post: Run, tmp_path: Path) -> None:
    html = tmp_path / "mail.html"
    html.write_text("<p>Hi <img src='cid:logo.png'></p>")
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.4 not really")
    said = post(
        "--to", "Post", "--text", "plain", "--html-file", html, "--inline", picture(tmp_path / "logo.png"),
        "--attach", paper, "--subject", "Hello", "--recipient", "Ada <ada@x.org>", "--cc", "c@x.org",
        "--bcc", "d@x.org", "--reply-to", '"Doe, Jo" <jo@x.org>', "--preheader", "in short", "--unsubscribe", "https://x.org/u",
    )  # fmt: skip
    shown = content_of(ada, said)
    assert [(file["name"], file["role"]) for file in shown["items"][0]["media"]] == [
        ("logo.png", "inline"), ("paper.pdf", "attachment"),
    ]  # fmt: skip
    mail = shown["mail"]
    assert (mail["subject"], mail["markup"], mail["separately"]) == ("Hello", "html", False)
    assert mail["to"] == [{"address": "ada@x.org", "name": "Ada", "fields": {}}]
    assert mail["reply_to"] == '"Doe, Jo" <jo@x.org>'


@pytest.mark.parametrize(
    ("words", "separately"),
    [
        (["--recipient", "a@x.org"], False),
        (["--recipient", "a@x.org", "--recipient", "b@x.org"], True),
        (["--recipient", "a@x.org", "--recipient", "b@x.org", "--together"], False),
        (["--recipient", "a@x.org", "--recipient", "b@x.org", "--cc", "c@x.org"], False),
        (["--recipient", "a@x.org", "--recipient", "b@x.org", "--bcc", "c@x.org"], False),
        (["--recipients-csv", "CSV"], True),
        (["--recipients-csv", "CSV", "--together"], False),
    ],
)
def test_several_people_get_an_own_mail_each(
    ada: Run, post: Run, tmp_path: Path, words: list[str], separately: bool
) -> None:
    table = tmp_path / "people.csv"
    table.write_text("email\nada@x.org\n")
    given = [str(table) if word == "CSV" else word for word in words]
    said = post("--to", "Post", "--subject", "S", "--text", "T", *given)
    assert content_of(ada, said)["mail"]["separately"] is separately


def test_markdown_and_fields(ada: Run, post: Run, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("E-Mail;Name;Home Town\nada@x.org;Ada;Ulm\nbob@x.org;;Bonn\n")
    said = post(
        "--to",
        "Post",
        "--subject",
        "{{name|you}}",
        "--text",
        "*{{home_town}}*",
        "--markdown",
        "--recipients-csv",
        table,
    )
    mail = content_of(ada, said)["mail"]
    assert mail["markup"] == "markdown"
    assert mail["to"][0] == {"address": "ada@x.org", "name": "Ada", "fields": {"home_town": "Ulm"}}


def test_a_draft_is_kept_and_not_sent(ada: Run, home: Path) -> None:
    said = ada("post", "--text", "not yet", "--at", "tomorrow 9", "--draft")
    assert said.out == "Kept as draft 1. Nothing is sent.\n"
    assert ada("queue", "--json").json == {"deliveries": [], "more": False}
    assert ada("post", "--text", "x", "--draft", "--json").json == {"post": 2, "deliveries": []}


def test_a_limit_is_refused_until_it_is_overridden(ada: Run) -> None:
    long = ada("post", "--text", "x" * 501)
    assert long.code == 2
    assert "1 too many for Practice" in long.err
    assert "--override" in long.err
    assert ada("post", "--text", "x" * 501, "--override").code == 0


def test_options_go_to_the_channels_that_have_them(ada: Run, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "good")
    ada("accounts", "add", "letterbox", "--name", "Box", "--secret-env", "token=MY_TOKEN")
    good = ("--to", "Box", "--text", "hi", "--option", "stamp=red", "--option", "fragile=yes", "--option", "weight=20")
    assert ada("post", *good, "--to", "Ada").code == 0
    for option, about in (
        ("colour=red", "Letterbox has: stamp, fragile, weight."),
        ("stamp=green", "one of “”, red, blue"),
        ("fragile=very", "yes or no"),
        ("weight=much", "is a number"),
    ):
        said = ada("post", "--to", "Box", "--text", "hi", "--option", option)
        assert said.code == 2
        assert about in said.err
    assert "Practice has: none." in ada("post", "--to", "Ada", "--text", "hi", "--option", "a=b").err


WRONG = {
    "no account named": (["--text", "x"], "Say where to"),
    "no such account": (["--to", "bob", "--text", "x"], "There are: Ada, Post"),
    "twice": (["--to", "Ada", "--to", "1", "--text", "x"], "twice"),
    "nothing": (["--to", "Ada"], "nothing to post"),
    "two texts": (["--to", "Ada", "--text", "x", "--text", "y"], "--thread"),
    "text file missing": (["--to", "Ada", "--text-file", "TMP/none"], "No such file"),
    "text file is a folder": (["--to", "Ada", "--text-file", "TMP"], "directory"),
    "text file is no text": (["--to", "Ada", "--text-file", "TMP/latin1"], "not UTF-8 text (byte 3)"),
    "text file has zeros": (["--to", "Ada", "--text-file", "TMP/zeros"], "zero bytes"),
    "text file never ends": (["--to", "Ada", "--text-file", "/dev/zero"], "larger than"),
    "media missing": (["--to", "Ada", "--text", "x", "--media", "TMP/none"], "can’t be attached"),
    "media empty": (["--to", "Ada", "--text", "x", "--media", "TMP/empty"], "is empty"),
    "media of a wrong kind": (["--to", "Ada", "--text", "x", "--media", "TMP/latin1"], "does not take"),
    "media that is none": (
        ["--to", "Ada", "--text", "x", "--media", "TMP/x.png"], "Ada: x.png is no picture that can be read. Choose ",
    ),
    "media that is cut off": (["--to", "Ada", "--text", "x", "--media", "TMP/cut.png"], "no picture that can be read"),
    "a video that is none": (["--to", "Ada", "--text", "x", "--media", "TMP/x.mp4"], "no video that can be read"),
    "alt alone": (["--to", "Ada", "--text", "x", "--alt", "y"], "picture before it"),
    "alt twice": (["--to", "Ada", "--media", "TMP/ok.png", "--alt", "x", "--alt", "y"], "picture before it"),
    "time": (["--to", "Ada", "--text", "x", "--at", "soonish"], "“soonish”"),
    "an empty time": (["--to", "Ada", "--text", "x", "--at", ""], "There is no time"),
    "an empty zone": (["--to", "Ada", "--text", "x", "--at", "9:00", "--zone", ""], "no time zone"),
    "an empty rule": (["--to", "Ada", "--text", "x", "--late", ""], "rule for lateness"),
    "past": (["--to", "Ada", "--text", "x", "--at", "2020-01-01 09:00"], "is past"),
    "zone": (["--to", "Ada", "--text", "x", "--at", "9:00", "--zone", "Mars"], "no time zone “Mars”"),
    "a time that is not": (
        ["--to", "Ada", "--text", "x", "--at", "2031-03-30 02:30", "--zone", "Europe/Berlin"], "does not exist",
    ),
    "a time that is twice": (
        ["--to", "Ada", "--text", "x", "--at", "2031-10-26 02:30", "--zone", "Europe/Berlin"], "happens twice",
    ),
    "rule": (["--to", "Ada", "--text", "x", "--late", "never"], "“never”"),
    "option": (["--to", "Ada", "--text", "x", "--option", "a"], "NAME=VALUE"),
    "mail words for a network": (["--to", "Ada", "--text", "x", "--subject", "y"], "--subject is for mail"),
    "nobody": (["--to", "Post", "--text", "x", "--subject", "y"], "Nobody is in To"),
    "no address": (["--to", "Post", "--text", "x", "--recipient", "bob"], "“bob” is not a mail address"),
    "line break": (["--to", "Post", "--text", "x", "--recipient", "a@x.org\nBcc: b@x.org"], "line break"),
    "two kinds of body": (
        ["--to", "Post", "--html-file", "TMP/ok.html", "--markdown", "--recipient", "a@x.org"], "exclude each other",
    ),
    "unsubscribe": (
        ["--to", "Post", "--text", "x", "--recipient", "a@x.org", "--unsubscribe", "x.org"], "https:// or mailto:",
    ),
    "no table": (["--to", "Post", "--text", "x", "--recipients-csv", "TMP/none"], "No such file"),
    "half a character": (["--to", "Ada", "--text", "caf\udce9"], "not text in this terminal’s encoding"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_posts_are_one_sentence_and_leave_nothing(post: Run, ada: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "latin1").write_bytes(b"Ha\xe4?")
    (tmp_path / "zeros").write_bytes(b"a\0b")
    (tmp_path / "empty").touch()
    (tmp_path / "ok.html").write_text("<p>x</p>")
    picture(tmp_path / "ok.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "ok.png").read_bytes()[:-40])
    (tmp_path / "x.png").write_text("Dear diary")
    (tmp_path / "x.mp4").write_text("<html>Not found</html>")
    words, about = WRONG[name]
    said = post(*(word.replace("TMP", str(tmp_path)) for word in words))
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("sendoff: ")
    assert said.err.count("\n") == 1
    assert about in said.err
    assert ada("queue", "--json").json["deliveries"] == []
    assert ada("post", "--to", "Ada", "--text", "fine", "--json").json["post"] == 1  # no draft was left behind


def test_without_any_account_the_way_is_named(run: Run) -> None:
    said = run("post", "--text", "x")
    assert said.code == 2
    assert "There is no account yet" in said.err
