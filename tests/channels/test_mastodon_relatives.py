"""The programs that speak Mastodon's API: how each is known, what it lacks, quotes, and what a server has planned."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from sendoff.channels import mastodon_servers as servers
from sendoff.channels.fault_server import FaultServer, Reply
from sendoff.channels.fediverse import Software
from sendoff.channels.mastodon import _posted
from sendoff.channels.mastodon_media import upload
from sendoff.channels.mastodon_posts import plain
from sendoff.channels.mastodon_quotes import named
from sendoff.channels.testing import IMPATIENT
from sendoff.domain import problems
from sendoff.domain.account import Account
from sendoff.domain.channel import How, Planned
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, Rejected, TryLater
from sendoff.domain.post import Content, Item, Poll, Variant
from tests.channels.test_mastodon import ELEPHANT, Bench, Elsewhere, answering, later, lost, made
from tests.fakes.mastodon import FLAVOURS, MastodonServer, Status


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / ELEPHANT.sha256).write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    with MastodonServer() as server:
        yield server


# --- who is there, and what it lacks ------------------------------------------------------------------------------

LACKS = {
    "mastodon": set(),
    "old": {"quotes"},
    "gotosocial": {"key", "counting", "quotes"},
    "pleroma": {"counting", "quotes"},
    "akkoma": {"counting"},
    "pixelfed": {"refuses", "planned", "counting", "media", "polls", "quotes", "scopes"},
    "friendica": {"key", "counting", "polls"},
    "takahe": {"key", "planned", "counting", "quotes"},
    "hollo": {"planned", "counting"},
    "iceshrimp": {"refuses", "counting"},
    "sharkey": {"key", "planned", "counting"},
}
WORDS = {
    "key": "takes a repeat for another post", "refuses": "refuses a repeat",
    "planned": "keeps no posts until their time", "counting": "count in full", "media": "without a picture",
    "polls": "No polls", "quotes": "No quotes",
    "scopes": "read and write everything",
}  # fmt: skip


@pytest.mark.parametrize("flavour", list(LACKS))
def test_each_program_is_known_by_its_instance_data_and_what_it_lacks_is_said(tmp_path: Path, flavour: str) -> None:
    with MastodonServer(flavour) as server:
        channel = made(tmp_path)
        identity = channel.connect({"server": server.url, "access_token": server.token})
        account = Account(1, 1, "mastodon", "a", "@a", {"server": server.url}, identity.learned)
        assert identity.learned["software"] == FLAVOURS[flavour].software.lower()
        assert identity.learned["quotes"] == FLAVOURS[flavour].quote
        said = " ".join(channel.lacks(account))
        assert {name for name, words in WORDS.items() if words in said} == LACKS[flavour]
        settle = channel.settle(account)
        speaks = servers.dialect(identity.learned["software"])
        assert settle.how is How.SEARCH
        assert settle.absent_after == (120 if speaks.keeps_key else 300)
        assert ("another post" in settle.why) is not bool(speaks.keeps_key)


CALLED = {
    "mastodon": "Mastodon", "old": "Mastodon", "gotosocial": "GoToSocial", "pleroma": "Pleroma", "akkoma": "Akkoma",
    "pixelfed": "Pixelfed", "friendica": "Friendica", "takahe": "Takahē", "hollo": "Hollo",
    "iceshrimp": "Iceshrimp.NET", "sharkey": "Sharkey",
}  # fmt: skip


@pytest.mark.parametrize("flavour", list(LACKS))
def test_limits_are_told_as_those_of_the_program_that_runs_there(files: Path, flavour: str) -> None:
    with MastodonServer(flavour) as server:
        bench = Bench(files, server)
        account = bench.account(server.url)
        content = Content((Item("x" * 300_000, media=(ELEPHANT,)),))
        going, channels = [Variant(1, None, {"language": "?"})], {"mastodon": bench.channel}
        found = problems.find(content, going, {1: account}, channels, {"alt_required": "no"})
        said = {one.problem.code: f"{one.problem.title} {one.problem.text}" for one in found}
        assert f" too many for {CALLED[flavour]}." in said["text"]
        assert said["language"] == f"“?” is no language code. {CALLED[flavour]} takes codes like en, de or pt-BR."


@pytest.mark.parametrize(
    ("software", "name"),
    [("", "Mastodon"), (None, "Mastodon"), ("mitra", "Mitra"), ("<b>x</b>", "Mastodon"), ("x" * 31, "Mastodon")],
)
def test_a_program_that_does_not_say_its_name_is_called_by_the_channel(
    tmp_path: Path, software: str | None, name: str
) -> None:
    assert made(tmp_path).called(Account(1, 1, "mastodon", "a", "@a", {}, {"software": software})) == name


@pytest.mark.parametrize("flavour", list(LACKS))
def test_what_is_declared_of_a_repeat_is_what_the_program_does(files: Path, flavour: str) -> None:
    """Two requests under one key, without a look between them: one post exactly where a key is declared to be kept."""
    with MastodonServer(flavour) as server:
        bench = Bench(files, server, Item("Look", media=(ELEPHANT,)))
        parcel = bench.parcel()
        http = bench.channel._http(parcel, parcel.trace)
        speaks = servers.dialect(bench.identity.learned["software"])
        again = replace(parcel, prepared={**parcel.prepared, "media": [upload(http, IMPATIENT, parcel, ELEPHANT)[0]]})
        for one in (parcel, again):
            _posted(http, one, speaks)
        assert len(server.statuses) == (1 if speaks.keeps_key else 2)


@pytest.mark.parametrize(
    ("software", "version", "keeps"),
    [
        ("mastodon", "2.6.5", False), ("mastodon", "2.7.0", True), ("mastodon", "4.5.2+glitch", True),
        ("gotosocial", "0.19.1+git-1", False), ("gotosocial", "0.20.0", True), ("pleroma", "2.7.2 (x)", True),
        ("pixelfed", "0.12.4", False), ("hollo", "0.6.8", False), ("unheard of", "9", False),
        ("mastodon", "nightly", False),
    ],
)  # fmt: skip
def test_who_keeps_posts_until_their_time(software: str, version: str, keeps: bool) -> None:
    assert servers.dialect(software).keeps_planned(version) is keeps
    assert any("until their time" in one for one in servers.lacks(Software(software, version), True)) is not keeps


def test_a_sharkey_whose_errors_tell_nothing_is_not_taken(tmp_path: Path) -> None:
    pages = {
        "/api/v2/instance": Reply(200, b'{"domain": "s.example", "version": "3.0.0 (compatible; Sharkey 2024.11.1)"}'),
        "/.well-known/nodeinfo": Reply(200, b'{"links": [{"rel": "2.1", "href": "http://HOST/nodeinfo/2.1"}]}'),
        "/nodeinfo/2.1": Reply(200, b'{"software": {"name": "sharkey", "version": "2024.11.1"}}'),
    }
    with FaultServer(Elsewhere(pages)) as other, pytest.raises(BadInput, match=r"It runs Sharkey 2024\.11\.1"):
        made(tmp_path).connect({"server": other.url, "access_token": "token"})


def test_a_key_that_a_refused_try_burned_is_looked_behind(files: Path) -> None:
    """Iceshrimp.NET keeps the key of a try that it refused, and answers 408 to every repeat."""
    with MastodonServer("iceshrimp") as server:
        bench = Bench(files, server, Item("x" * 9000))
        parcel = bench.parcel()
        with pytest.raises(Rejected, match="limit of 8192"):
            bench.channel.publish(parcel)
        with pytest.raises(InDoubt, match="may still be on its way"):
            bench.channel.publish(later(parcel, 60))
        with pytest.raises(TryLater, match="It is not there") as caught:
            bench.channel.publish(later(parcel, 600))
        assert caught.value.after
        assert caught.value.after > timedelta(hours=23)


def test_pictures_alone_go_without_a_text_where_an_empty_one_is_refused(files: Path) -> None:
    with MastodonServer("hollo") as server:
        Bench(files, server, Item("", media=(ELEPHANT,))).post()
        assert "status" not in server.statuses[0].body
    with MastodonServer() as server:
        Bench(files, server, Item("", media=(ELEPHANT,))).post()
        assert server.statuses[0].body["status"] == ""


@pytest.mark.parametrize(
    ("text", "wrong"), [("🐘", True), (" 👨‍👩‍👧‍👦 ", True), ("Ja", False), ("A", False), ("🐘!", False)]
)
def test_an_emoji_that_would_become_a_reaction_is_named(files: Path, text: str, wrong: bool) -> None:
    with MastodonServer("sharkey") as server:
        bench = Bench(files, server)
        content = Content((Item(text), Item(text)))
        found = [one for one in bench.channel.check(content, {}, bench.account(server.url)) if one.code == "reaction"]
        assert [one.item for one in found] == ([1] if wrong else [])


# --- as GoToSocial describes itself -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gotosocial() -> dict[str, Any]:
    path = Path(os.environ.get("SENDOFF_SPECS", "")) / "mastodon-compatible" / "gotosocial-swagger.yaml"
    if not os.environ.get("SENDOFF_SPECS") or not path.exists():
        pytest.skip("SENDOFF_SPECS names no folder with mastodon-compatible/gotosocial-swagger.yaml")
    found: dict[str, Any] = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


def test_what_is_sent_is_what_gotosocial_describes(gotosocial: dict[str, Any], files: Path) -> None:
    parameters = {one["name"] for one in gotosocial["paths"]["/api/v1/statuses"]["post"]["parameters"]}
    with MastodonServer("gotosocial") as server:
        options = {"visibility": "unlisted", "spoiler_text": "x", "language": "en", "sensitive": "yes"}
        Bench(files, server, Item("Look", media=(ELEPHANT,)), **options).post()
        Bench(files, server, Item("Tea?", poll=Poll(("Yes", "No")))).post()
        for status in server.statuses:
            flat = {
                f"{name}[{inner}]" if isinstance(value, dict) else name
                for name, value in status.body.items()
                for inner in (value if isinstance(value, dict) else [""])
            }
            listed = {f"{name}[]" if f"{name}[]" in parameters else name for name in flat}
            assert listed <= parameters, listed - parameters


def test_the_figures_of_gotosocial_s_own_example(gotosocial: dict[str, Any]) -> None:
    """Its description gives an example for each figure."""

    def example(name: str) -> dict[str, Any]:
        return {key: one.get("example") for key, one in gotosocial["definitions"][name]["properties"].items()}

    configuration = {
        "statuses": example("instanceConfigurationStatuses"), "polls": example("instanceConfigurationPolls"),
        "media_attachments": example("instanceConfigurationMediaAttachments"),
    }  # fmt: skip
    figures = servers.figures({"configuration": configuration}, Software("gotosocial", "0.20.0"))
    statuses = example("instanceConfigurationStatuses")
    assert figures["text"] == statuses["max_characters"]
    assert figures["media"] == statuses["max_media_attachments"]
    assert figures["counter"] == "codepoints"
    assert figures["url_length"] is None
    kept = gotosocial["definitions"]["scheduledStatus"]["properties"]
    assert {"id", "scheduled_at", "params", "media_attachments"} <= set(kept)


@pytest.mark.parametrize(
    ("told", "most"),
    [
        ({}, 1000), ({"max_media_attachments": 6}, 6),
        ({"max_media_attachments": 6, "configuration": {"statuses": {"max_media_attachments": 8}}}, 8),
    ],
)  # fmt: skip
def test_how_many_pictures_the_pleroma_family_takes(told: dict[str, Any], most: int) -> None:
    assert servers.figures(told, Software("pleroma", "2.5.0"))["media"] == most


# --- quotes -------------------------------------------------------------------------------------------------------

ADDRESS = "https://b.example/@bob/7"


def quotable(server: MastodonServer, **more: Any) -> Status:
    """A post of another server, which this one finds by its address."""
    found = Status("9001", "Quote me", datetime.now(UTC), "public", **more)
    server.endpoint.elsewhere[ADDRESS] = found
    return found


@pytest.mark.parametrize("flavour", ["mastodon", "4.6", "akkoma", "friendica", "hollo", "iceshrimp", "sharkey"])
def test_a_quote_shows_the_post_and_is_found_again(files: Path, flavour: str) -> None:
    with MastodonServer(flavour) as server:
        quotable(server)
        bench = Bench(files, server, Item("So true"), Item("And more"), quote=f" {ADDRESS} ")
        parcel = lost(bench)
        assert server.statuses[0].quoted == "9001"
        found = bench.channel.find(parcel)
        assert found is not None
        assert found.remote_id == server.statuses[0].id
        bench.channel.publish(bench.parcel(number=2, of=2, previous=(found,)))
        assert server.statuses[1].quoted is None  # only the first item shows it


def test_the_same_words_without_the_quote_are_another_post(files: Path, server: MastodonServer) -> None:
    quotable(server)
    bench = Bench(files, server, Item("So true"), quote=ADDRESS)
    parcel = bench.parcel()
    server.endpoint.write_elsewhere("So true")
    with pytest.raises(CannotLook, match="something like it"):
        bench.channel.find(later(parcel))


def test_a_post_of_the_own_server_needs_no_search(files: Path, server: MastodonServer) -> None:
    own = server.endpoint.write_elsewhere("Mine")
    server.endpoint.scopes = ("profile", "read:statuses", "write")
    Bench(files, server, Item("Again"), quote=f"{server.url}/@alice/{own.id}").post()
    assert server.statuses[1].quoted == own.id
    assert not any("/search" in request.path for request in server.requests)


def test_quotes_that_can_not_be(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server, Item("So true"), quote=ADDRESS)
    with pytest.raises(Rejected, match="does not find the post"):
        bench.parcel()
    server.endpoint.denied.add(quotable(server).id)
    with pytest.raises(Rejected, match="does not let you quote"):
        bench.parcel()
    server.endpoint.scopes = ("profile", "read:statuses", "write")
    with pytest.raises(Rejected, match="lacks the scope read:search"):
        bench.parcel()
    gone = Bench(files, server, Item("So true"), quote=f"{server.url}/@alice/404")
    with pytest.raises(Rejected, match="is not there"):
        gone.parcel()
    assert server.statuses == []


def test_an_account_of_before_asks_whether_there_are_quotes(files: Path) -> None:
    for flavour, has in (("mastodon", True), ("old", False)):
        with MastodonServer(flavour) as server:
            quotable(server)
            bench = Bench(files, server, Item("So true"), quote=ADDRESS)
            bench.identity = replace(
                bench.identity, learned={name: one for name, one in bench.identity.learned.items() if name != "quotes"}
            )
            if has:
                assert bench.parcel().prepared["quoted"] == {"quoted_status_id": "9001"}
            else:
                with pytest.raises(Rejected, match="has no quotes"):
                    bench.parcel()


def test_a_quote_that_the_server_left_out_is_told(files: Path, server: MastodonServer) -> None:
    quotable(server)
    bench = Bench(files, server, Item("So true"), quote=ADDRESS)
    with answering(server, {"id": "7", "uri": "https://x.example/7"}):
        assert bench.post().answer == "The server left the quoted post out."


def test_preparing_again_does_not_look_for_the_quoted_post_again(files: Path, server: MastodonServer) -> None:
    quotable(server)
    bench = Bench(files, server, Item("So true"), quote=ADDRESS)
    parcel = bench.parcel()
    server.endpoint.elsewhere.clear()
    assert bench.channel.prepare(parcel)["quoted"] == {"quoted_status_id": "9001"}


def test_who_may_quote_it(files: Path, server: MastodonServer) -> None:
    Bench(files, server, quotes="nobody").post()
    assert server.statuses[0].body == {"status": "Hello", "quote_approval_policy": "nobody"}
    with MastodonServer("akkoma") as other:
        Bench(files, other, quotes="nobody").post()
        assert "quote_approval_policy" not in other.statuses[0].body


@pytest.mark.parametrize(
    ("flavour", "item", "options", "codes"),
    [
        ("mastodon", Item("x"), {"quote": ADDRESS}, []),
        ("mastodon", Item("x"), {"quote": "bob"}, ["quote"]),
        ("mastodon", Item("x", media=(ELEPHANT,)), {"quote": ADDRESS}, ["quote"]),
        ("mastodon", Item("x", poll=Poll(("a", "b"))), {"quote": ADDRESS}, ["quote"]),
        ("akkoma", Item("x", media=(ELEPHANT,)), {"quote": ADDRESS}, []),
        ("gotosocial", Item("x"), {"quote": ADDRESS}, ["quote"]),
        ("old", Item("x"), {"quotes": "nobody"}, ["quotes"]),
        ("mastodon", Item("x"), {"quotes": "nobody"}, []),
    ],
)  # fmt: skip
def test_what_stands_against_a_quote(
    files: Path, flavour: str, item: Item, options: dict[str, str], codes: list[str]
) -> None:
    with MastodonServer(flavour) as server:
        bench = Bench(files, server)
        found = bench.channel.check(Content((item,)), options, bench.account(server.url))
        assert [one.code for one in found] == codes


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("https://mastodon.social/@bob/115", ("mastodon.social", "115")),
        ("https://Mastodon.social/@bob@b.example/115/", ("mastodon.social", "115")),
        ("https://m.example/users/bob/statuses/115", ("m.example", "115")),
        ("https://g.example/@bob/statuses/01ABC", ("g.example", "01ABC")),
        ("https://p.example/notice/AbC-1", ("p.example", "AbC-1")),
        ("https://p.example/objects/0b-1", ("p.example", "")),
        ("https://s.example/notes/9xyz", ("s.example", "9xyz")),
        ("https://x.example/p/bob/77", ("x.example", "77")),
        ("https://mastodon.social/@bob", None),
        ("https://[x/@bob/1", None),
        ("ftp://m.example/@bob/1", None),
        ("@bob@b.example", None),
    ],
)  # fmt: skip
def test_addresses_of_posts(typed: str, found: tuple[str, str] | None) -> None:
    assert named(typed) == found


def test_what_a_server_adds_to_a_quote_is_not_among_the_words() -> None:
    for source in (
        '<p class="quote-inline">RE: <a href="x">x</a></p><p>So <b>true</b></p>',
        '<p>So true<span class="x quote-inline"><br/><br>RT: <a href="x"><span>x</span></a></span></p>',
    ):
        assert "".join(plain(source).split()) == "Sotrue"


# --- what the server itself has planned ---------------------------------------------------------------------------


def test_all_that_the_server_keeps_is_read_the_next_one_first(files: Path, server: MastodonServer) -> None:
    start = datetime(2027, 1, 1, 9, tzinfo=UTC)
    for number in range(95):
        server.endpoint.plan_elsewhere(f"Post {number}", start + timedelta(days=(number * 7) % 95), number % 3)
    server.endpoint.scheduled.append({"id": "1", "scheduled_at": "some day", "params": None})
    bench = Bench(files, server)
    found = bench.channel.planned(bench.account(server.url), bench.secrets)
    assert len(found) == 95
    assert [one.at for one in found] == [start + timedelta(days=day) for day in range(95)]
    assert found[7] == Planned(found[7].id, start + timedelta(days=7), "Post 1", 1)


def test_who_keeps_nothing_is_not_asked(files: Path) -> None:
    with MastodonServer("takahe") as server:
        bench = Bench(files, server)
        assert bench.channel.planned(bench.account(server.url), bench.secrets) == ()
        assert not any("scheduled" in request.path for request in server.requests)


def test_what_comes_instead_of_a_list(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server)
    for reply in (
        Reply(404, b"{}"),
        Reply(501, b"{}"),
        Reply(200, b"<html>"),
        Reply(200, json.dumps([5, {}]).encode()),
    ):
        server.endpoint.scheduled_list = lambda call, reply=reply: reply  # type: ignore[method-assign]
        assert list(bench.channel.planned(bench.account(server.url), bench.secrets)) == []
    server.endpoint.scheduled_list = lambda call: Reply(503, b"")  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        bench.channel.planned(bench.account(server.url), bench.secrets)


def test_the_address_of_a_post_is_never_sent_to_anybody_but_the_own_server(files: Path, server: MastodonServer) -> None:
    """The own server looks for it; Sendoff itself fetches nothing that a person pasted."""
    quotable(server)
    Bench(files, server, Item("So true"), quote=ADDRESS).post()
    hosts = {request.headers.get("Host") for request in server.requests}
    assert hosts == {server.host}
