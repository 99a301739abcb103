"""Mastodon's channel in detail: what it learns, uploads, says, and that no lost answer ever doubles a post."""

from __future__ import annotations

import bisect
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import mastodon as module
from sendoff.channels import testing
from sendoff.channels.fault_server import FaultServer, Reply, Request
from sendoff.channels.http import Patience, Transport
from sendoff.channels.mastodon import Mastodon
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain import limits
from sendoff.domain.account import Account
from sendoff.domain.channel import How, Level, Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.post import Attachment, Content, Item, Poll, Role
from sendoff.engine.limiter import MOST_TRIES
from tests.fakes.mastodon import FLAVOURS, MastodonServer

ELEPHANT = Attachment(sha256="e" * 64, name="Ausflug.PNG", mime="image/png", size=300, alt="Ein Elefant: „Törööö“ 🐘")
FILM = Attachment(sha256="f" * 64, name="film", mime="video/mp4", size=3_072_000)


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    with MastodonServer() as server:
        yield server


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / ELEPHANT.sha256).write_bytes(b"\x89PNG\r\n\x1a\n--boundary--\r\n" + bytes(range(256)))
    (tmp_path / FILM.sha256).write_bytes(bytes(range(256)) * 12_000)
    return tmp_path


@pytest.fixture
def mastodon(tmp_path: Path) -> Mastodon:
    return made(tmp_path)


def made(folder: Path, patience: Patience = IMPATIENT) -> Mastodon:
    return Mastodon(Context(Transport(patience), folder), waits=(0.01, 0.01, 0.01))


class Bench:
    """An account that was really connected, and a post."""

    def __init__(self, files: Path, server: MastodonServer, *items: Item, **options: str) -> None:
        seconds = 0.3 if server.mode == "slow" else 5.0  # a busy machine takes its time to answer
        self.channel = made(files, Patience(connect=2.0, read=seconds, total=2 * seconds))
        self.content = Content(items or (Item("Hello"),))
        self.options: Mapping[str, str] = options
        self.secrets = {"access_token": server.token}
        self.files = files
        self.server = server
        self.identity = self.channel.connect({"server": server.url, "access_token": server.token})

    def account(self, url: str) -> Account:
        return Account(1, 1, "mastodon", "a", self.identity.handle, {"server": url}, self.identity.learned)

    def parcel(self, **more: Any) -> Parcel:
        return testing.parcel(self, self.server.url, **{"key": uuid.uuid4().hex, **more})

    def post(self) -> Receipt:
        return self.channel.publish(self.parcel())


def later(parcel: Parcel, seconds: float = 0.0, last: float = 0.0) -> Parcel:
    """The parcel of another try or look, so many seconds after the first try; `last` is when the latest one began."""
    first = parcel.first_try or parcel.now
    return replace(
        parcel, first_try=first, last_try=first + timedelta(seconds=last), now=first + timedelta(seconds=seconds),
        trace=Trace(),
    )  # fmt: skip


# --- connecting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flavour", "learned"),
    [
        ("mastodon", {"text": 500, "counter": "mastodon", "url_length": 23, "media": 4, "alt": 1500}),
        ("old", {"text": 500, "counter": "mastodon", "url_length": 23, "image_bytes": 16_777_216, "poll_min": 300}),
        ("gotosocial", {"text": 5000, "counter": "codepoints", "url_length": None, "media": 6}),
        ("pleroma", {"text": 5000, "counter": "graphemes", "alt": 5000, "video_bytes": 16_000_000, "poll_option": 200}),
        ("akkoma", {"text": 5000, "media": 1000}),  # it did not tell: these had no limit before they told one
        ("pixelfed", {"text": 500, "counter": "codepoints", "poll_options": 0}),
        ("friendica", {"text": 200_000, "counter": "codepoints", "poll_options": 0}),
    ],
)  # fmt: skip
def test_each_server_tells_its_own_limits(mastodon: Mastodon, flavour: str, learned: dict[str, Any]) -> None:
    with MastodonServer(flavour) as server:
        identity = mastodon.connect({"server": server.url, "access_token": server.token})
        assert identity.handle == f"@alice@{server.host}"
        assert identity.name == "Alice 🐘"
        assert identity.url == f"{server.url}/@alice"
    figures = mastodon.capabilities.learned(identity.learned)
    assert {name: getattr(figures, name) for name in learned} == learned
    assert identity.learned["software"] == FLAVOURS[flavour].software
    assert identity.learned["account_id"] == "42"
    json.dumps(identity.learned)


@pytest.mark.parametrize(
    "form", ["{url}", "{url}/", "{url}/@alice", "{host}", " @alice@{host} ", "alice@{host}", "@{host}"]
)
def test_a_server_may_be_named_in_many_ways(mastodon: Mastodon, server: MastodonServer, form: str) -> None:
    typed = form.format(url=server.url, host=server.host)
    identity = mastodon.connect({"server": typed, "access_token": server.token})
    assert identity.settings["server"] == server.url


def test_a_handle_s_domain_says_where_the_account_lives(mastodon: Mastodon, server: MastodonServer) -> None:
    mastodon.connect({"server": f"@alice@{server.host}", "access_token": server.token})
    assert any(request.path.startswith("/.well-known/webfinger") for request in server.requests)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Which server"),
        ("not a server", "is not a web address"),
        ("http://mastodon.example", "would send your key in the open"),
        ("https://alice:pw@mastodon.example", "Leave the name and password out"),
        ("nobody-has-this-name.invalid", "There is no server nobody-has-this-name.invalid to be found"),
        ("@alice@nobody-has-this-name.invalid", "There is no server nobody-has-this-name.invalid to be found"),
    ],
)  # fmt: skip
def test_a_server_that_can_not_be_is_named(mastodon: Mastodon, typed: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        mastodon.connect({"server": typed, "access_token": "token"})


class Elsewhere:
    """A web server that is something else."""

    def __init__(self, pages: Mapping[str, Reply]) -> None:
        self.effects: list[Any] = []
        self.pages = pages

    def is_effect(self, request: Request) -> bool:
        return False

    def handle(self, request: Request) -> Reply:
        page = self.pages.get(request.path.partition("?")[0], Reply(404, b"<html>no</html>"))
        host = request.headers.get("Host", "")
        return Reply(page.status, page.body.replace(b"HOST", host.encode()), page.headers)


MISSKEY = {
    "/.well-known/nodeinfo": Reply(200, b'{"links": [{"rel": "2.1", "href": "http://HOST/nodeinfo/2.1"}]}'),
    "/nodeinfo/2.1": Reply(200, b'{"software": {"name": "misskey", "version": "2025.10"}}'),
}
MOVED = {"/api/v2/instance": Reply(301, b"", {"Location": "https://social.example.org/api/v2/instance"})}


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ({}, "does not speak Mastodon’s language"),
        ({"/api/v2/instance": Reply(200, b"<html>A hotel</html>")}, "does not speak Mastodon’s language"),
        ({"/api/v1/instance": Reply(200, b'{"title": "x"}')}, "does not speak Mastodon’s language"),
        (MISSKEY, "It runs Misskey"),
        (MOVED, "If that is your server, write “social.example.org”"),
    ],
)  # fmt: skip
def test_a_server_of_another_kind_is_named(mastodon: Mastodon, pages: dict[str, Reply], words: str) -> None:
    with FaultServer(Elsewhere(pages)) as other, pytest.raises(BadInput, match=words):
        mastodon.connect({"server": other.url, "access_token": "token"})


def test_webfinger_can_not_lead_into_the_home(mastodon: Mastodon, server: MastodonServer) -> None:
    """A server's answer may name another one on the web; an address in numbers, or http, it may not."""
    links = json.dumps({"links": [{"rel": "self", "href": f"{server.url}/users/alice"}, {"rel": "self", "href": 5}]})
    pages = {"/.well-known/webfinger": Reply(200, links.encode())}
    with FaultServer(Elsewhere(pages)) as other, pytest.raises(BadInput, match="does not speak"):
        mastodon.connect({"server": f"@alice@{other.url.removeprefix('http://')}", "access_token": server.token})
    assert server.requests == []


@pytest.mark.parametrize(("token", "words"), [("", "Sign in with the browser"), ("tökén", "is no access token")])
def test_a_token_that_can_not_be_one(mastodon: Mastodon, server: MastodonServer, token: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        mastodon.connect({"server": server.url, "access_token": token})


def test_white_space_around_a_pasted_token_does_not_matter(mastodon: Mastodon, server: MastodonServer) -> None:
    identity = mastodon.connect({"server": server.url, "access_token": f" {server.token}\n"})
    assert identity.secrets == {"access_token": server.token}


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (None, "does not accept this access token"),
        (("push",), "does not let this token in: “This action is outside the authorized scopes”"),
        (("read",), "lacks the scope write:statuses"),
    ],
)  # fmt: skip
def test_a_token_that_may_not_enough(
    mastodon: Mastodon, server: MastodonServer, scopes: tuple[str, ...] | None, words: str
) -> None:
    server.endpoint.scopes = scopes or ()
    token = server.token if scopes else "canary-wrong-token"
    with pytest.raises(NeedsLogin, match=words) as caught:
        mastodon.connect({"server": server.url, "access_token": token})
    assert token not in str(caught.value) + caught.value.detail + caught.value.advice


def test_a_token_that_can_not_read_is_taken_and_the_person_told(mastodon: Mastodon, server: MastodonServer) -> None:
    server.endpoint.scopes = ("profile", "write:statuses")
    identity = mastodon.connect({"server": server.url, "access_token": server.token})
    assert "can’t upload pictures" in identity.note
    assert "has to ask you when an answer gets lost" in identity.note
    account = Account(1, 1, "mastodon", "a", "@a", {"server": server.url}, identity.learned)
    assert mastodon.settle(account).how is How.ASK


@pytest.mark.parametrize(
    ("software", "absent_after"),
    [
        ("mastodon", 120),
        ("pleroma", 120),
        ("pixelfed", 120),
        ("gotosocial", 300),
        ("friendica", 300),
        ("unheard of", 300),
    ],
)
def test_where_no_key_is_kept_a_look_waits_longer(mastodon: Mastodon, software: str, absent_after: int) -> None:
    settle = mastodon.settle(Account(1, 1, "mastodon", "a", "@a", learned={"software": software}))
    assert (settle.how, settle.absent_after) == (How.SEARCH, absent_after)
    assert absent_after in settle.looks


# --- uploads ------------------------------------------------------------------------------------------------------


def test_media_go_up_whole_in_order_and_with_their_words(files: Path, server: MastodonServer) -> None:
    letter = Attachment("0" * 64, "a.pdf", "application/pdf", 1, role=Role.ATTACHMENT)
    bench = Bench(files, server, Item("Look", media=(ELEPHANT, letter, replace(ELEPHANT, alt=""))))
    bench.post()
    (status,) = server.statuses
    assert [one.description for one in status.media] == [ELEPHANT.alt, ""]
    assert [one.mime for one in status.media] == ["image/png", "image/png"]
    assert status.media[0].data == (files / ELEPHANT.sha256).read_bytes()
    upload = next(request for request in server.requests if request.path == "/api/v2/media")
    assert b"Ausflug" not in upload.body  # what the person called the file stays here
    assert b'filename="file.PNG"' in upload.body


def test_a_big_file_goes_up_in_pieces(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server, Item("Film", media=(FILM,)))
    parcel = bench.parcel()
    (upload,) = server.endpoint.uploads.values()
    assert upload.data == (files / FILM.sha256).read_bytes()
    assert parcel.prepared["media"] == [upload.id]


def test_it_waits_a_little_for_what_the_server_works_on(files: Path, server: MastodonServer) -> None:
    server.endpoint.processing = 2
    bench = Bench(files, server, Item("Film", media=(FILM,)))
    parcel = bench.parcel()
    assert parcel.prepared["pending"] == []
    assert bench.channel.publish(parcel).remote_id == server.statuses[0].id


def test_what_went_up_before_its_time_is_not_uploaded_again(files: Path, server: MastodonServer) -> None:
    server.endpoint.processing = 2
    bench = Bench(files, server, Item("Look", media=(FILM,)))
    made = replace(bench.parcel(), prepared={})
    server.endpoint.uploads.clear()
    put = bench.channel.upload(made)
    assert (len(server.endpoint.uploads), server.statuses) == (1, [])
    bench.channel.publish(replace(made, prepared=bench.channel.prepare(replace(made, uploaded=put))))
    assert len(server.endpoint.uploads) == 1
    assert [one.id for one in server.statuses[0].media] == list(server.endpoint.uploads)
    assert bench.channel.upload(replace(made, item=Item("words alone"))) == {}


def test_what_takes_longer_makes_the_post_wait_and_is_not_uploaded_again(files: Path, server: MastodonServer) -> None:
    server.endpoint.processing = 5  # three looks while it is made ready, then one for each try
    bench = Bench(files, server, Item("Film", media=(FILM,)))
    parcel = bench.parcel()
    assert parcel.prepared["pending"] == parcel.prepared["media"]
    for _ in range(2):
        with pytest.raises(TryLater, match="still works on a picture or video") as caught:
            bench.channel.publish(parcel)
        assert caught.value.after == timedelta(seconds=10)
        parcel = later(parcel, 10)
    assert bench.channel.publish(parcel).remote_id == server.statuses[0].id
    assert len(server.endpoint.uploads) == 1


def test_a_server_that_works_for_long_is_asked_less_often_and_that_is_told(files: Path, server: MastodonServer) -> None:
    server.endpoint.processing = 1000
    bench = Bench(files, server, Item("Film", media=(FILM,)))
    parcel, worked, told = bench.parcel(), timedelta(), []
    for _ in range(MOST_TRIES):
        with pytest.raises(TryLater) as caught:
            bench.channel.publish(later(parcel, worked.total_seconds()))
        told.append((caught.value.after, str(caught.value)))
        worked += caught.value.after or timedelta()
    assert told[0][0] == timedelta(seconds=10)
    assert told[-1][0] == timedelta(minutes=1)
    assert told[-1][1].endswith("still works on a picture or video of this post, for 1 h 20 min now.")
    assert worked > timedelta(minutes=75)


def test_an_unfinished_upload_that_only_the_post_tells_of(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server, Item("Film", media=(FILM,)))
    parcel = bench.parcel()
    server.endpoint.uploads[parcel.prepared["media"][0]].left = 1
    for again in (parcel, later(parcel, 10)):
        with pytest.raises(TryLater, match="still works on"):
            bench.channel.publish(again)
    assert server.statuses == []


def test_a_file_that_the_server_can_not_read_is_refused_with_its_words(files: Path, server: MastodonServer) -> None:
    server.endpoint.processing, server.endpoint.broken_uploads = 1, True
    with pytest.raises(Rejected, match="“Error processing thumbnail for uploaded media”"):
        Bench(files, server, Item("Film", media=(FILM,))).parcel()


def test_uploads_of_an_older_kind(files: Path) -> None:
    with MastodonServer("friendica") as server:
        Bench(files, server, Item("Look", media=(ELEPHANT,))).post()
        assert len(server.statuses[0].media) == 1


def test_preparing_again_keeps_the_place_from_which_a_look_begins(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server)
    server.endpoint.write_elsewhere("before")
    parcel = bench.parcel()
    server.endpoint.write_elsewhere("meanwhile")
    assert bench.channel.prepare(parcel)["since"] == parcel.prepared["since"]
    assert bench.channel.prepare(replace(parcel, prepared={}))["since"] != parcel.prepared["since"]


# --- what is posted -----------------------------------------------------------------------------------------------

TORTURE = [
    "  Zwei Zeilen\nund ein Absatz:\n\nÄÖÜß — „so“ … ‚und so‘  ",
    "👨‍👩‍👧‍👦 👩🏽‍💻 🇪🇪 ✊🏿 🏳️‍⚧️ e\u0301 f\u0301 \u200bzero\u200b",
    "שלום עולם — مرحبا بالعالم \u202bRTL\u202c",
    "नमस्ते, 你好，世界。こんにちは 안녕하세요 สวัสดี",
    "<b>not bold</b> & &amp; \"quotes\" 'x' <script>alert(1)</script> 1 < 2 > 0",
    "https://example.com/a_(b)?q=1&r=ä#f @bob@b.example, #tag #日本 $x {{name}} `code` *a* _b_ ~c~",
    "a\tb\u00a0c\u2028d\u2029e\\n\\u0041 %41 %s {0} \x7f",
    "https://a.example/" + "very-long-" * 20,
]


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial", "pleroma"])
@pytest.mark.parametrize("text", TORTURE)
def test_text_of_every_kind_arrives_as_it_was_written_and_is_found_again(files: Path, flavour: str, text: str) -> None:
    with MastodonServer(flavour) as server:
        bench = Bench(files, server, Item(text))
        parcel = bench.parcel()
        receipt = bench.channel.publish(parcel)
        assert server.statuses[0].text == text.strip()
        for elsewhere in TORTURE:
            if elsewhere != text:
                server.endpoint.write_elsewhere(elsewhere)
        assert bench.channel.find(later(parcel)) == replace(receipt, answer="Found among your posts.")


def test_options_go_along_and_what_is_not_chosen_is_left_to_the_server(files: Path, server: MastodonServer) -> None:
    Bench(files, server).post()
    Bench(
        files, server, Item("Look"), visibility="private", spoiler_text=" Elephants ", language="de", sensitive="yes"
    ).post()
    plain, chosen = server.statuses
    assert plain.body == {"status": "Hello"}
    assert chosen.body == {
        "status": "Look", "visibility": "private", "spoiler_text": "Elephants", "language": "de", "sensitive": True,
    }  # fmt: skip


def test_a_poll(files: Path, server: MastodonServer) -> None:
    Bench(files, server, Item("Tea?", poll=Poll(("Yes", "No 🫖"), lasts=3600, multiple=True))).post()
    assert server.statuses[0].body["poll"] == {
        "options": ["Yes", "No 🫖"], "expires_in": 3600, "multiple": True, "hide_totals": False,
    }  # fmt: skip


def test_relatives_get_what_keeps_a_text_as_it_is(files: Path) -> None:
    for flavour, more in (("gotosocial", {"content_type": "text/plain"}), ("friendica", {"friendica": {"title": ""}})):
        with MastodonServer(flavour) as server:
            Bench(files, server).post()
            assert server.statuses[0].body == {"status": "Hello", **more}


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial", "pleroma"])
@pytest.mark.parametrize("filler", ["x", "é", "e\u0301", "👨‍👩‍👧‍👦", "日"])
def test_a_warning_counts_and_the_limit_is_where_the_server_has_it(files: Path, flavour: str, filler: str) -> None:
    """What the composer lets pass is taken; one more is refused, with the server's own words."""
    start = "see https://example.com/a/long/path/of/no/matter and @bob@b.example "
    with MastodonServer(flavour) as server:
        warning = "Elephants 🐘"
        bench = Bench(files, server)
        figures = bench.channel.capabilities.learned(bench.identity.learned)
        assert figures.text

        def over(text: str) -> bool:
            content = Content((Item(text),))
            return any(one.code == "text" for one in limits.check(content, figures, "x", {"spoiler_text": warning}))

        most = bisect.bisect_left(range(figures.text), True, key=lambda size: over(start + filler * size)) - 1
        Bench(files, server, Item(start + filler * most), spoiler_text=warning).post()
        with pytest.raises(Rejected, match=f"“Validation failed: Text character limit of {figures.text} exceeded”"):
            Bench(files, server, Item(start + filler * (most + 1)), spoiler_text=warning).post()


# --- what the server answers --------------------------------------------------------------------------------------


def test_the_hourly_limit_names_its_end_as_a_time(files: Path, server: MastodonServer) -> None:
    server.endpoint.allowance = 0
    with pytest.raises(TryLater, match="“Too many requests”") as caught:
        Bench(files, server).post()
    assert caught.value.after
    assert 290 <= caught.value.after.total_seconds() <= 301


def test_a_parent_that_is_gone(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server, Item("One"), Item("Two"))
    first = bench.channel.publish(bench.parcel(of=2))
    server.statuses.clear()
    with pytest.raises(Rejected, match="“Record not found”"):
        bench.channel.publish(bench.parcel(number=2, of=2, previous=(first,)))


def test_a_key_that_lost_its_rights_holds_the_account(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server)
    server.endpoint.scopes = ("profile", "read")
    with pytest.raises(NeedsLogin, match="outside the authorized scopes"):
        bench.post()


@contextmanager
def answering(server: MastodonServer, body: Mapping[str, Any], status: int = 200) -> Iterator[None]:
    """The server answers every post so, whatever it does."""
    real = server.endpoint.post
    server.endpoint.post = lambda call: (real(call), Reply(status, json.dumps(body).encode()))[1]  # type: ignore[method-assign]
    yield
    server.endpoint.post = real  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "body",
    [
        {"id": "7", "scheduled_at": "2026-11-24T10:00:00Z", "params": {"text": "Hello"}},
        {"id": "", "uri": "https://x.example/7"},
        {"id": 7, "uri": "https://x.example/7"},
        {"id": "7"},
        {"error": "none"},
    ],
)  # fmt: skip
def test_only_a_published_post_is_a_receipt(files: Path, server: MastodonServer, body: dict[str, Any]) -> None:
    bench = Bench(files, server)
    with answering(server, body), pytest.raises(InDoubt, match="something else than a post"):
        bench.post()


def test_an_address_that_is_none_is_not_shown(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server)
    with answering(server, {"id": "7", "url": "javascript:alert(1)", "uri": ["x"], "created_at": 5}):
        assert bench.post() == Receipt("7")


# --- looking ------------------------------------------------------------------------------------------------------


def lost(bench: Bench, *, shown: bool = True) -> Parcel:
    """A try whose answer got lost."""
    parcel = bench.parcel()
    bench.server.mode, bench.server.times = "hang_up_after" if shown else "hang_up_before", 1
    with pytest.raises(InDoubt):
        bench.channel.publish(parcel)
    return later(parcel)


def test_the_same_words_of_before_are_not_taken_for_it(files: Path, server: MastodonServer) -> None:
    server.endpoint.write_elsewhere("Hello")
    bench = Bench(files, server)
    assert bench.channel.find(lost(bench, shown=False)) is None


@pytest.mark.parametrize("skew", [-86_400.0, -600.0, 600.0, 86_400.0])
def test_a_server_s_wrong_clock_does_not_matter(files: Path, server: MastodonServer, skew: float) -> None:
    server.endpoint.skew = skew
    server.endpoint.write_elsewhere("before")
    bench = Bench(files, server)
    assert bench.channel.find(lost(bench, shown=False)) is None
    assert bench.channel.find(lost(bench)) is not None


def test_a_post_without_words_is_told_by_its_pictures(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server, Item("", media=(ELEPHANT,)), spoiler_text="Elephants")
    parcel = lost(bench)
    server.endpoint.write_elsewhere("👍")
    found = bench.channel.find(parcel)
    assert found
    assert found.remote_id == server.statuses[0].id


def test_what_a_server_makes_of_a_text_is_looked_through(files: Path) -> None:
    with MastodonServer("gotosocial") as server:
        server.endpoint.respell = lambda text: text.replace("*", "")
        bench = Bench(files, server, Item("*Hello*"))
        assert bench.channel.find(lost(bench)) is not None


@pytest.mark.parametrize(
    ("elsewhere", "more"),
    [("Hello", {}), ("Hello", {"spoiler_text": "x"}), ("Hello", {"in_reply_to_id": "1"})],
)
def test_something_like_it_is_left_to_the_person(
    files: Path, server: MastodonServer, elsewhere: str, more: Any
) -> None:
    bench = Bench(files, server)
    parcel = lost(bench, shown=not more)
    server.endpoint.write_elsewhere(elsewhere, **more)
    with pytest.raises(CannotLook, match=f"can’t tell whether that is this post: {server.url}/@alice/"):
        bench.channel.find(parcel)


def test_a_boost_may_be_what_the_look_begins_from(files: Path, server: MastodonServer) -> None:
    server.endpoint.skew = -60
    server.endpoint.write_elsewhere("Hello")
    server.endpoint.skew = 0
    server.endpoint.write_elsewhere("somebody else's", reblog=True)
    bench = Bench(files, server)
    assert bench.channel.find(lost(bench, shown=False)) is None
    assert bench.channel.find(lost(bench)) is not None


def test_a_list_of_very_long_posts_is_read_whole(files: Path) -> None:
    with MastodonServer("friendica") as server:
        bench = Bench(files, server)
        bench.channel = made(files, Patience())  # megabytes take their time on a busy machine
        parcel = lost(bench)
        for number in range(30):
            server.endpoint.write_elsewhere(f"{number}" * 50_000)
        assert bench.channel.find(parcel) is not None


def test_a_look_goes_back_page_by_page(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server)
    parcel = lost(bench)
    for number in range(100):
        server.endpoint.write_elsewhere(f"number {number}")
    assert bench.channel.find(parcel) is not None
    for number in range(100):
        server.endpoint.write_elsewhere(f"number {number}")
    with pytest.raises(CannotLook, match="more than 200 times"):
        bench.channel.find(parcel)


def test_a_list_that_can_not_be_read_proves_nothing(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server)
    parcel = lost(bench)
    server.endpoint.scopes = ("write",)
    with pytest.raises(CannotLook, match="can’t be read"):
        bench.channel.find(parcel)
    server.endpoint.scopes = ("read", "write")
    server.endpoint.listed = lambda call: Reply(200, b'{"error": "down"}')  # type: ignore[method-assign]
    with pytest.raises(TryLater, match="something else than posts"):
        bench.channel.find(parcel)


def test_without_a_place_to_begin_the_clock_has_to_do(files: Path, server: MastodonServer) -> None:
    server.endpoint.skew = -3600
    server.endpoint.write_elsewhere("Hello")
    server.endpoint.skew = 0
    bench = Bench(files, server)
    parcel = lost(bench)
    found = bench.channel.find(replace(parcel, prepared={}))
    assert found
    assert found.remote_id == server.statuses[1].id


@pytest.mark.parametrize(("flavour", "can"), [("mastodon", True), ("gotosocial", False)])
def test_posts_for_mentioned_people_are_not_in_every_list(files: Path, flavour: str, can: bool) -> None:
    with MastodonServer(flavour) as server:
        bench = Bench(files, server, Item("@bob@b.example psst"), visibility="direct")
        parcel = lost(bench)
        if can:
            assert bench.channel.find(parcel) is not None
        else:
            with pytest.raises(CannotLook, match="mentioned people only"):
                bench.channel.find(parcel)


# --- never twice --------------------------------------------------------------------------------------------------

MODES = [
    "error_before", "error_after", "bad_gateway_after", "hang_up_after", "hang_up_before", "reset", "cut_answer",
    "captive", "nothing", "garbage", "no_id", "slow",
]  # fmt: skip


def played(bench: Bench, tries: int = 6) -> Receipt | SendError | CannotLook:
    """What the engine does: try, look when in doubt, believe an absence after its time, try again under its key."""
    parcel, age, last = bench.parcel(), 0.0, 0.0
    settle = bench.channel.settle(bench.account(bench.server.url))
    for _ in range(tries):
        try:
            return bench.channel.publish(parcel)
        except InDoubt:
            try:
                found = bench.channel.find(later(parcel, age))
            except CannotLook as asked:
                return asked
            if found:
                return found
            age += settle.absent_after
        except TryLater as wait:
            age += wait.after.total_seconds() if wait.after else 15.0
            bench.server.endpoint.skew += wait.after.total_seconds() if wait.after else 15.0
        except SendError as end:
            return end
        parcel, last = later(parcel, age, last), age
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("flavour", [one for one in FLAVOURS if one != "pixelfed"])  # which takes no words alone
@pytest.mark.parametrize(
    ("mode", "times"),
    [(mode, 1) for mode in MODES] + [("hang_up_after", 2), ("hang_up_before", 2), ("error_before", 3)],
)
def test_a_lost_answer_never_doubles_a_post(files: Path, flavour: str, mode: str, times: int) -> None:
    with MastodonServer(flavour, mode, times) as server:
        end = played(Bench(files, server, Item("Once.", media=(ELEPHANT,))))
        assert isinstance(end, Receipt)
        assert [one.id for one in server.statuses] == [end.remote_id]


@pytest.mark.parametrize("flavour", [name for name, one in FLAVOURS.items() if one.repeat != "ignored"])
def test_a_list_that_lags_never_doubles_a_post_where_a_key_is_kept(files: Path, flavour: str) -> None:
    """The list is behind when it is believed; the key, or the refusal of a repeat, saves the day. Where none is kept
    (GoToSocial, Friendica), nothing could, and so a look waits longer there."""
    with MastodonServer(flavour, "hang_up_after", 1) as server:
        bench = Bench(files, server, Item("Once.", media=(ELEPHANT,)))
        parcel = bench.parcel()
        with pytest.raises(InDoubt):
            bench.channel.publish(parcel)
        server.endpoint.hidden = True
        assert bench.channel.find(later(parcel, 120)) is None
        server.endpoint.hidden = False
        try:
            end = bench.channel.publish(later(parcel, 125))
        except InDoubt:
            end = bench.channel.find(later(parcel, 155))  # type: ignore[assignment]
        assert [one.id for one in server.statuses] == [end.remote_id]


@pytest.mark.parametrize(("flavour", "status"), [("mastodon", 422), ("gotosocial", 400), ("pleroma", 422)])
def test_a_refusal_after_a_wait_stays_a_refusal(files: Path, flavour: str, status: int) -> None:
    """First 429, then a plain no: the repeat is refused, nothing is there, and so it ends; in doubt it would circle."""
    with MastodonServer(flavour) as server:
        server.endpoint.allowance = 0
        bench = Bench(files, server, Item("x" * 6000))
        parcel = bench.parcel()
        with pytest.raises(TryLater):
            bench.channel.publish(parcel)
        server.endpoint.allowance = None
        with pytest.raises(InDoubt, match="An earlier try may still be on its way"):
            bench.channel.publish(later(parcel, 20))
        with pytest.raises(InDoubt, match="An earlier try may still be on its way"):
            bench.channel.publish(later(parcel, 400, last=350))
        with pytest.raises(Rejected, match="limit of") as caught:
            bench.channel.publish(later(parcel, 800, last=400))
        assert caught.value.status == status
        assert server.statuses == []


def test_a_repeat_whose_look_fails_stays_in_doubt(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server, Item("x" * 600))
    parcel = later(bench.parcel(), 400)
    server.endpoint.scopes = ("profile", "write")
    with pytest.raises(InDoubt, match=r"refused the repeat \(422\).*An earlier try may have gone out"):
        bench.channel.publish(parcel)


def test_a_burnt_key_waits_until_it_is_forgotten(files: Path) -> None:
    """Pixelfed keeps the key of a try that it refused, and refuses every repeat for an hour."""
    with MastodonServer("pixelfed") as server:
        bench = Bench(files, server, Item("Once.", media=(ELEPHANT,)))
        parcel = bench.parcel()
        server.endpoint.allowance = 0
        with pytest.raises(TryLater):
            bench.channel.publish(parcel)
        server.endpoint.allowance = None
        with pytest.raises(TryLater, match="when it has forgotten the first try") as caught:
            bench.channel.publish(later(parcel, 300))
        assert caught.value.after == timedelta(seconds=3600 + 60 - 300)
        server.endpoint.skew = 3660
        assert bench.channel.publish(later(parcel, 3660)).remote_id == server.statuses[0].id


def test_a_refusal_that_is_only_replayed_is_asked_again_under_another_key(files: Path) -> None:
    """Pleroma keeps its answer to a key for six hours, a 429 too, which is over long before."""
    with MastodonServer("pleroma") as server:
        bench = Bench(files, server)
        parcel = bench.parcel()
        server.endpoint.allowance = 0
        with pytest.raises(TryLater):
            bench.channel.publish(parcel)
        server.endpoint.allowance = None
        assert bench.channel.publish(later(parcel, 300)).remote_id == server.statuses[0].id


def test_every_try_of_a_part_carries_its_key(files: Path, server: MastodonServer) -> None:
    bench = Bench(files, server)
    parcel = bench.parcel(key="0123456789abcdef0123456789abcdef")
    bench.channel.publish(parcel)
    bench.channel.publish(later(parcel, 120))
    keys = [one.headers["Idempotency-Key"] for one in server.requests if one.path == "/api/v1/statuses"]
    assert keys == [parcel.key, parcel.key]
    assert len(server.statuses) == 1


def test_nothing_is_ever_handed_to_a_server_s_own_timetable() -> None:
    """Servers that do not know `scheduled_at` publish at once."""
    assert "scheduled_at" not in Path(module.__file__).read_text()


# --- what can be said before --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("software", "item", "options", "codes"),
    [
        ("mastodon", Item("Hi"), {}, []),
        ("mastodon", Item("Hi"), {"language": "pt-BR", "visibility": "direct"}, ["nobody"]),
        ("mastodon", Item("Hi @bob"), {"language": "de", "visibility": "direct"}, []),
        ("mastodon", Item("Hi"), {"language": "Deutsch"}, ["language"]),
        ("mastodon", Item("Hi"), {"visibility": "local"}, ["visibility"]),
        ("mastodon", Item("Hi", media=(ELEPHANT, FILM)), {}, ["media_mix"]),
        ("mastodon", Item("Hi", media=(FILM,)), {}, []),
        ("mastodon", Item("Hi", media=(ELEPHANT, ELEPHANT)), {}, []),
        ("pixelfed", Item("Hi"), {}, ["needs_media"]),
        ("pixelfed", Item("Hi @bob", media=(ELEPHANT,)), {"visibility": "direct"}, ["visibility"]),
        ("pixelfed", Item("Hi", media=(ELEPHANT,)), {"spoiler_text": "x" * 141}, ["spoiler"]),
    ],
)  # fmt: skip
def test_what_only_this_channel_can_say(
    mastodon: Mastodon, software: str, item: Item, options: dict[str, str], codes: list[str]
) -> None:
    account = Account(1, 1, "mastodon", "a", "@a", learned={"software": software})
    found = list(mastodon.check(Content((item,)), options, account))
    assert [one.code for one in found] == codes
    assert all(one.title.endswith((".", "?")) and one.text.endswith(".") for one in found)


def test_a_thread_s_items_are_named(mastodon: Mastodon) -> None:
    content = Content((Item("Hi @bob"), Item("and on"), Item("to @bob")))
    found = list(mastodon.check(content, {"visibility": "direct"}, Account(1, 1, "mastodon", "a", "@a")))
    assert [(one.item, one.level, one.title) for one in found] == [(1, Level.WARNING, "Item 2: Nobody is mentioned.")]


# --- taking back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flavour", sorted(set(FLAVOURS) - {"pixelfed"}))  # that takes no words alone
def test_a_post_is_taken_back_once_or_more(files: Path, flavour: str) -> None:
    with MastodonServer(flavour) as server:
        bench = Bench(files, server)
        receipt = bench.post()
        for _ in range(2):
            bench.channel.delete(bench.account(server.url), bench.secrets, receipt)
            assert server.endpoint.statuses == []


def test_what_could_not_be_taken_back_is_still_there(files: Path) -> None:
    with MastodonServer() as server:
        bench = Bench(files, server)
        receipt = bench.post()
        with pytest.raises(NeedsLogin):
            bench.channel.delete(bench.account(server.url), {"access_token": "of somebody else"}, receipt)
        assert len(server.endpoint.statuses) == 1
