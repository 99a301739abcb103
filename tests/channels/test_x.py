"""X's channel in detail: both sign-ins, tokens that end, the request that leaves, and what refusals mean."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from sendoff.channels import testing, x_posts, x_sign
from sendoff.channels.fault_server import Reply
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.channels.x import X
from sendoff.channels.x_media import BLOCK
from sendoff.channels.x_sign import Keys, base_string
from sendoff.domain import limits
from sendoff.domain.account import Account
from sendoff.domain.channel import Identity, Level, Parcel, Trace
from sendoff.domain.delivery import Receipt, State
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, Rejected, TryLater
from sendoff.domain.post import Attachment, Content, Item, Poll, Role
from sendoff.store import accounts
from tests.conftest import SetClock
from tests.engine.driver import Driver
from tests.fakes.letters import attachment
from tests.fakes.x import CLIENT, KEYS, NAME, USER, XServer

HERE = f"https://x.com/{NAME}/status/"


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer() as server:
        yield server


@pytest.fixture
def x(tmp_path: Path) -> X:
    return X(Context(Transport(IMPATIENT), tmp_path), port=0)


class Bench:
    """An account that really signed in, and a post."""

    def __init__(
        self,
        x: X,
        server: XServer,
        folder: Path,
        *items: Item,
        reads: str = "yes",
        browser: bool = False,
        **options: str,
    ) -> None:
        self.channel = x
        fields = by_browser(x, server) if browser else server.fields
        self.identity: Identity = x.connect(fields)
        self.secrets = {name: value for name, value in self.identity.secrets.items() if value}
        self.content, self.options, self.files, self._reads = (
            Content(items or (Item("Hello."),)),
            options,
            folder,
            reads,
        )

    def account(self, url: str = "") -> Account:
        settings = {**self.identity.settings, "paid_reads": self._reads}
        return Account(1, 1, "x", "x", self.identity.handle, settings, self.identity.learned)


def by_browser(x: X, server: XServer) -> Mapping[str, str]:
    """The fields that a sign-in with the browser brings, of a person who says yes."""
    flow = x.browser({"client_id": f" {CLIENT} ", "base_url": server.url})
    asked = dict(parse_qsl(urlsplit(flow.url).query))
    assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT, "S256")
    assert set(asked["scope"].split()) == set(x_sign.SCOPES)
    came = urlencode({"state": asked["state"], "code": f"code-for-{asked['code_challenge']}"})
    where = urlsplit(asked["redirect_uri"])
    assert (where.hostname, where.path) == ("127.0.0.1", "/x")
    with closing(http.client.HTTPConnection("127.0.0.1", where.port, timeout=5)) as connection:
        connection.request("GET", f"{where.path}?{came}")
        assert connection.getresponse().status == 200
    return flow.wait(5)


def sent(x: X, server: XServer, folder: Path, item: Item | str, **options: str) -> tuple[dict[str, Any], Receipt]:
    """The body that came of an item, and the receipt."""
    bench = Bench(x, server, folder, Item(item) if isinstance(item, str) else item, **options)
    receipt = x.publish(testing.parcel(bench, server.url))
    return dict(server.posts[-1].body), receipt


def again(made: Parcel, seconds: float = 0) -> Parcel:
    return replace(
        made, first_try=made.now, last_try=made.now, now=made.now + timedelta(seconds=seconds), trace=Trace()
    )


# --- signatures ---------------------------------------------------------------------------------------------------


def test_the_published_signatures() -> None:
    """RFC 5849 sections 1.2 and 3.4.1.1, and X's own “Creating a signature”."""
    given = [
        ("oauth_consumer_key", "9djdj82h48djs9d2"), ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"), ("oauth_timestamp", "137131201"), ("oauth_nonce", "7d8f3e4a"),
        ("c2", ""), ("a3", "2 q"),
    ]  # fmt: skip
    assert base_string("post", "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", given) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2"
        "%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26"
        "oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )
    photos = Keys("dpf43f3p2l4k3l03", "kd94hf93k423kf44", "nnch734d00sl2jdk", "pfkkdhi9sl3r4s00")
    header = photos.authorization(
        "GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", oauth_timestamp="137131202",
        oauth_nonce="chapoH",
    )  # fmt: skip
    assert 'oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"' in header
    update = Keys(
        "xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
        "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
    )  # fmt: skip
    given = [
        ("status", "Hello Ladies + Gentlemen, a signed OAuth request!"), ("oauth_consumer_key", update.api_key),
        ("oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"), ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "1318622958"), ("oauth_token", update.access_token), ("oauth_version", "1.0"),
    ]  # fmt: skip
    where = "https://api.twitter.com/1.1/statuses/update.json?include_entities=true"
    assert update.signature("POST", where, given) == "hCtSmYh+iHYCEqBWrE7C7hYmtUk="


# --- signing in ---------------------------------------------------------------------------------------------------


def test_the_four_keys_sign_in(x: X, server: XServer) -> None:
    identity = x.connect({**server.fields, "api_key": f" {KEYS['api_key']}\n", "limit": "4000", "link_cost": "0.25"})
    assert (identity.handle, identity.name, identity.url) == (
        "@harborcoffee",
        "Harbor Coffee",
        "https://x.com/harborcoffee",
    )
    assert identity.learned == {"user_id": USER, "text": 4000, "post_cost": 15, "link_cost": 250}
    assert {name: value for name, value in identity.secrets.items() if value} == KEYS
    assert identity.note == "X charges $0.015 for a post and $0.25 for one with a link."
    assert [one.path for one in server.requests] == ["/2/users/me"]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"access_secret": ""}, "access_secret", "all four keys"),
        ({"api_key": "short"}, "api_key", "none of the four"),
        ({"access_token": KEYS["api_key"]}, "access_token", "begin with your account’s number"),
        ({"limit": "0"}, "limit", "280 characters"),
        ({"post_cost": "cheap"}, "post_cost", "like 0.015"),
    ],
)
def test_what_cannot_be_right_is_named_at_its_field(
    x: X, server: XServer, fields: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises(BadInput, match=words) as wrong:
        x.connect({**server.fields, **fields})
    assert wrong.value.field == field
    assert server.requests == []


def test_keys_that_may_not_post_are_told_from_wrong_ones(x: X, server: XServer) -> None:
    server.endpoint.level = "read"
    with pytest.raises(NeedsLogin, match="may read and not post"):
        x.connect(server.fields)
    with pytest.raises(NeedsLogin, match="no longer accepts the key"):
        x.connect({**server.fields, "api_secret": "x" * 50})
    with pytest.raises(NeedsLogin):
        x.connect({**server.fields, "access_secret": "x" * 45})


def test_a_whole_sign_in_with_the_browser(x: X, server: XServer, tmp_path: Path) -> None:
    fields = by_browser(x, server)
    assert not any(fields[one] for one in x_sign.KEYS)
    identity = x.connect(fields)
    kept = {name: value for name, value in identity.secrets.items() if value}
    assert set(kept) == {"bearer", "refresh_token", "grant"}
    assert kept["bearer"] not in kept["grant"]
    assert x.connect({**identity.settings, **kept}).handle == "@harborcoffee"  # a test of what is stored
    bench = Bench(x, server, tmp_path, browser=True)
    x.publish(testing.parcel(bench, server.url))
    assert len(server.posts) == 1
    assert "client_secret" not in server.endpoint.forms[0]


def test_what_stands_in_the_way_of_a_sign_in_with_the_browser(x: X, server: XServer, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Client ID") as wrong:
        x.browser({"base_url": server.url})
    assert wrong.value.field == "client_id"
    server.endpoint.scope = "tweet.read users.read media.write"
    with pytest.raises(Rejected, match=r"without the right to tweet.write"):
        by_browser(x, server)
    flow = X(Context(Transport(), tmp_path), port=0).browser({"client_id": CLIENT})
    assert flow.url.startswith("https://x.com/i/oauth2/authorize?")
    flow.close()
    with pytest.raises(Rejected, match="damaged"):
        x_sign.granted({"oauth": "[]"})


# --- tokens that end ----------------------------------------------------------------------------------------------


def test_tokens_are_renewed_before_they_end_and_not_before(x: X, server: XServer, tmp_path: Path) -> None:
    bench, now = Bench(x, server, tmp_path, browser=True), datetime.now(UTC)
    account, secret = bench.account(), dict(bench.secrets)
    assert x.renew(account, secret, now) == {}
    assert x.renew(account, dict(KEYS), now + timedelta(days=900)) == {}
    fresh = x.renew(account, secret, now + timedelta(minutes=110))
    assert set(fresh) == {"bearer", "refresh_token", "grant"}
    assert fresh["refresh_token"] != secret["refresh_token"]
    assert x.renew(account, fresh, now + timedelta(minutes=111)) == {}
    with pytest.raises(NeedsLogin, match="is over: “Value passed for the token was invalid"):
        x.renew(account, secret, now + timedelta(minutes=112))  # each works once
    with pytest.raises(TryLater, match="ran out"):
        X(Context(Transport(IMPATIENT), tmp_path), now=lambda: now + timedelta(hours=3)).connect(
            {**bench.identity.settings, **secret}
        )


def test_a_token_that_x_calls_over_is_renewed_once(x: X, server: XServer, tmp_path: Path) -> None:
    """A 401 may mean that it ran out (and this computer's clock is wrong), or that the app was shut out."""
    bench = Bench(x, server, tmp_path, browser=True)
    account, made = bench.account(), testing.parcel(bench, server.url)
    server.endpoint.tokens.clear()
    with pytest.raises(TryLater, match="ran out") as wrong:
        x.publish(made)
    assert wrong.value.after == timedelta(seconds=1)
    fresh = x.renew(account, bench.secrets, datetime.now(UTC))
    x.publish(replace(made, secret=fresh))
    assert len(server.posts) == 1
    server.endpoint.tokens.clear()
    with pytest.raises(NeedsLogin, match="no longer accepts the key"):
        x.publish(replace(made, secret=fresh))


# --- the request --------------------------------------------------------------------------------------------------


def test_the_whole_body(x: X, server: XServer, tmp_path: Path) -> None:
    other = server.endpoint.write("Somebody's")
    options = {"reply_to": f"https://x.com/bob/status/{other.id}?s=20", "quote": other.id, "paid_partnership": "yes"}
    body, receipt = sent(x, server, tmp_path, "Yes!", reply_settings="mentionedUsers", made_with_ai="no", **options)
    assert body == {
        "text": "Yes!", "reply": {"in_reply_to_tweet_id": other.id}, "quote_tweet_id": other.id,
        "reply_settings": "mentionedUsers", "paid_partnership": True,
    }  # fmt: skip
    assert (receipt.remote_id, receipt.url) == (server.posts[-1].id, HERE + server.posts[-1].id)
    poll = Poll(("Tea", "Coffee"), lasts=90)
    body, _ = sent(x, server, tmp_path, Item("Which?", poll=replace(poll, lasts=301)))
    assert body["poll"] == {"options": ["Tea", "Coffee"], "duration_minutes": 6}


def test_any_text_stands_there_as_it_was_written(x: X, server: XServer, tmp_path: Path) -> None:
    text = '👨‍👩‍👧‍👦🇪🇪🏳️‍⚧️ مرحبا \u202eRTL\u202c e\u0301 Z̸̡͠ 한국어 日本\u200b\u2060 \\"\n\t नमस्ते <b>&amp; & https://x.co/?a=1&b=2'
    bench = Bench(x, server, tmp_path, Item(text))
    made = testing.parcel(bench, server.url)
    receipt = x.publish(made)
    assert server.posts[-1].text == text
    found = x.find(again(made))
    assert found is not None
    assert found.remote_id == receipt.remote_id


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (" 1900000000000000777 ", "1900000000000000777"),
        ("https://x.com/a_b/status/19?s=20", "19"),
        ("https://mobile.twitter.com/a/statuses/19#m", "19"),
        ("x.com/i/web/status/19/photo/1", "19"),
        ("https://x.com/a", ""),
        ("https://example.com/a/status/19", ""),
        ("", ""),
    ],
)
def test_a_post_is_named_by_its_address(typed: str, number: str) -> None:
    assert x_posts.number(typed) == number


def test_media_go_up_in_pieces_with_their_alt_text(x: X, server: XServer, tmp_path: Path) -> None:
    film = attachment(tmp_path, bytes(range(256)) * 10_000, "Unser Ausflug.mp4", "video/mp4", alt="", role=Role.MEDIA)
    photo = attachment(tmp_path, b"\x89PNG\r\n--\r\n", "Elefant.PNG", "image/png", alt="Törööö 🐘", role=Role.MEDIA)
    body, _ = sent(x, server, tmp_path, Item("", media=(film,)))
    (number,) = body["media"]["media_ids"]
    upload = server.endpoint.uploads[number]
    assert upload.told == {"media_type": "video/mp4", "total_bytes": 2_560_000, "media_category": "tweet_video"}
    assert [len(piece) for piece in upload.pieces.values()] == [BLOCK, BLOCK, 2_560_000 - 2 * BLOCK]
    assert (upload.data, upload.alt) == ((tmp_path / film.sha256).read_bytes(), "")
    assert not any("Ausflug" in one.text for one in server.requests)
    body, _ = sent(x, server, tmp_path, Item("Look", media=(photo, photo)))
    assert [server.endpoint.uploads[one].alt for one in body["media"]["media_ids"]] == ["Törööö 🐘"] * 2
    assert x_posts.category(replace(photo, mime="image/gif")) == "tweet_gif"


def test_what_went_up_before_its_time_is_not_uploaded_again(x: X, server: XServer, tmp_path: Path) -> None:
    film = attachment(tmp_path, b"film", "a.mp4", "video/mp4", role=Role.MEDIA)
    server.endpoint.waits = 1
    made = replace(testing.parcel(Bench(x, server, tmp_path, Item("Look", media=(film,))), server.url), prepared={})
    server.endpoint.uploads.clear()
    put = x.upload(made)
    assert (len(server.endpoint.uploads), server.posts) == (1, [])
    x.publish(replace(made, prepared=x.prepare(replace(made, uploaded=put))))
    assert len(server.endpoint.uploads) == len(server.posts) == 1
    assert x.upload(replace(made, item=Item("words alone"))) == {}


def test_a_post_waits_for_what_x_still_works_on(x: X, server: XServer, tmp_path: Path) -> None:
    film = attachment(tmp_path, b"film", "a.mp4", "video/mp4", role=Role.MEDIA)
    server.endpoint.waits = 2
    made = testing.parcel(Bench(x, server, tmp_path, Item("Look", media=(film,))), server.url)
    assert made.prepared["pending"] == made.prepared["media"]
    told: list[bool] = []
    with pytest.raises(TryLater, match="still works on") as wrong:
        x.publish(replace(made, trace=Trace(lambda: told.append(True))))
    assert (wrong.value.after, told) == (timedelta(seconds=3), [])
    server.endpoint.uploads[made.prepared["pending"][0]].waits = 1
    with pytest.raises(TryLater, match="still works on a picture or video of this post, for 1 h now") as wrong:
        x.publish(replace(made, first_try=made.now - timedelta(hours=1)))
    assert wrong.value.after == timedelta(minutes=1)
    x.publish(made)
    assert len(server.posts) == 1
    server.endpoint.fails = "Unsupported video format"
    with pytest.raises(Rejected, match="Unsupported video format"):
        x.publish(made)
    assert len(server.posts) == 1


# --- refusals -----------------------------------------------------------------------------------------------------


def problem(kind: str, detail: str, **more: Any) -> dict[str, Any]:
    return {"title": "Forbidden", "type": f"https://api.twitter.com/2/problems/{kind}", "detail": detail, **more}


REFUSALS: tuple[tuple[int, Any, Any, str, str], ...] = (
    (402, {"title": "Payment Required"}, Rejected, "credits .* are used up: “Payment Required”", "console.x.com"),
    (429, problem("usage-capped", "Usage cap exceeded: Monthly."), Rejected, "spending limit", "Raise it"),
    (403, problem("oauth1-permissions", "Not configured."), NeedsLogin, "does not let this app post", "Read and write"),
    (403, {"detail": "Your account is suspended."}, NeedsLogin, "has closed this account", "x.com"),
    (403, {"detail": "You are not permitted to do this."}, Rejected, "not permitted to do this", ""),
    (401, {"errors": [{"code": 135, "message": "Timestamp out of bounds."}]}, TryLater, "does not believe", "clock"),
    (401, {"title": "Unauthorized"}, NeedsLogin, "no longer accepts", "Sign in again"),
    (400, problem("invalid-request", "Your media IDs are invalid."), Rejected, "media IDs are invalid", ""),
    (400, [], Rejected, r"refused it \(400\)", ""),
)


@pytest.mark.parametrize(("status", "body", "end", "words", "advice"), REFUSALS)
def test_what_a_refusal_means(
    x: X, server: XServer, tmp_path: Path, status: int, body: Any, end: Any, words: str, advice: str
) -> None:
    made = testing.parcel(Bench(x, server, tmp_path), server.url)
    server.endpoint.refusal = status, body, {}
    with pytest.raises(end, match=words) as wrong:
        x.publish(made)
    assert advice in wrong.value.advice
    assert server.posts == []


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "{240}"}, 230, 241),
        (
            {
                "x-rate-limit-remaining": "99", "x-rate-limit-reset": "{240}", "x-user-limit-24hour-remaining": "0",
                "x-user-limit-24hour-reset": "{40000}",
            },
            39_990, 40_001,
        ),
        ({"x-app-limit-24hour-remaining": "0", "x-app-limit-24hour-reset": "{50000}"}, 49_990, 50_001),
        ({"x-rate-limit-reset": "{-100}"}, 1, 1),
        ({"Retry-After": "77"}, 77, 77),
    ],
)  # fmt: skip
def test_limits_end_when_x_says(
    x: X, server: XServer, tmp_path: Path, headers: dict[str, str], least: int, most: int
) -> None:
    made = testing.parcel(Bench(x, server, tmp_path), server.url)
    now = datetime.now(UTC).timestamp()
    filled = {
        name: str(int(now + int(value[1:-1]))) if value.startswith("{") else value for name, value in headers.items()
    }
    server.endpoint.refusal = 429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}, filled
    with pytest.raises(TryLater, match="asks to wait: “Rate limit exceeded”") as wrong:
        x.publish(made)
    assert wrong.value.after is not None
    assert least <= wrong.value.after.total_seconds() <= most


def test_a_limit_without_a_word_leaves_the_pause_to_the_engine(x: X, server: XServer, tmp_path: Path) -> None:
    made = testing.parcel(Bench(x, server, tmp_path), server.url)
    server.endpoint.refusal = 429, {}, {}
    with pytest.raises(TryLater) as wrong:
        x.publish(made)
    assert wrong.value.after is None


# --- duplicates ---------------------------------------------------------------------------------------------------


def test_a_duplicate_at_the_first_try_is_an_older_post(x: X, server: XServer, tmp_path: Path) -> None:
    server.endpoint.write("Hello.")
    made = testing.parcel(Bench(x, server, tmp_path), server.url)
    with pytest.raises(Rejected, match=r"has these words .* already.*Nothing was posted") as wrong:
        x.publish(made)
    assert wrong.value.advice == "Change a word and it will go."


def test_a_duplicate_at_a_repeat_may_be_the_earlier_try(x: X, server: XServer, tmp_path: Path) -> None:
    made = testing.parcel(Bench(x, server, tmp_path), server.url)
    post = server.endpoint.write("Hello.")
    assert x.publish(again(made)).remote_id == post.id
    server.endpoint.hidden.add(post.id)
    with pytest.raises(InDoubt, match="does not show them yet"):
        x.publish(again(made, 10))
    with pytest.raises(Rejected, match="already"):
        x.publish(again(made, 400))  # an older one, which the list of the newest posts no longer has
    server.endpoint.hidden.clear()
    post.at -= timedelta(hours=1)
    with pytest.raises(InDoubt, match=r"the look for it did not work\. There is something like it"):
        x.publish(again(made))


# --- threads ------------------------------------------------------------------------------------------------------


def part_two(x: X, server: XServer, folder: Path) -> Parcel:
    bench = Bench(x, server, folder, Item("One."), Item("Two."))
    first = x.publish(testing.parcel(bench, server.url, of=2))
    return testing.parcel(bench, server.url, number=2, of=2, previous=(first,))


def test_a_part_that_comes_too_early_waits(x: X, server: XServer, tmp_path: Path) -> None:
    made = part_two(x, server, tmp_path)
    server.posts.clear()
    with pytest.raises(TryLater, match="does not know the part before") as wrong:
        x.publish(made)
    assert wrong.value.after == timedelta(seconds=5)
    with pytest.raises(Rejected, match="deleted or not visible"):
        x.publish(again(made, 61))


def test_a_refused_answer_says_what_to_do_with_the_rest(x: X, server: XServer, tmp_path: Path) -> None:
    made = part_two(x, server, tmp_path)
    server.endpoint.refusal = 403, {"detail": "You are not allowed to reply."}, {}
    with pytest.raises(Rejected, match="not allowed to reply") as wrong:
        x.publish(made)
    assert "copy the rest" in wrong.value.advice
    with pytest.raises(Rejected, match="its number is not known"):
        x.prepare(replace(made, previous=(Receipt("by hand"),)))


# --- looking ------------------------------------------------------------------------------------------------------


def looked(x: X, server: XServer, folder: Path, item: Item | str = "Hello.", **more: Any) -> Receipt | None:
    item = Item(item) if isinstance(item, str) else item
    made = testing.parcel(Bench(x, server, folder, item), server.url)
    return x.find(replace(again(made), **more))


def test_only_the_same_post_counts_as_found(x: X, server: XServer, tmp_path: Path) -> None:
    server.endpoint.write("Hello.", at=datetime.now(UTC) - timedelta(days=2))
    server.endpoint.write("Hello. And more.")
    assert looked(x, server, tmp_path) is None
    for post in (
        server.endpoint.write("Hello.", at=datetime.now(UTC) - timedelta(hours=2)),  # by a clock that is wrong, ours
        server.endpoint.write("Hello.", parent="19"),
        server.endpoint.write("Hello. https://example.com"),
        server.endpoint.write("Hello.", body={"media": {"media_ids": ["19"]}}),
        server.endpoint.write("Hello.", body={"poll": {}, "media": {}} | {"poll": {"options": []}}),
    ):
        server.endpoint.hidden = {one.id for one in server.posts if one is not post}
        with pytest.raises(CannotLook, match=HERE + post.id):
            looked(x, server, tmp_path)
    server.endpoint.hidden = {one.id for one in server.posts}
    ours = server.endpoint.write("Hello.")
    assert looked(x, server, tmp_path, known=frozenset({ours.id})) is None
    found = looked(x, server, tmp_path)
    assert found is not None
    assert found.remote_id == ours.id
    server.endpoint.write("Hello.")
    with pytest.raises(CannotLook, match="something like it"):
        looked(x, server, tmp_path)


def test_links_tell_posts_with_the_same_words_apart(x: X, server: XServer, tmp_path: Path) -> None:
    ours = server.endpoint.write("New: https://example.com/b/")
    assert looked(x, server, tmp_path, "New: https://EXAMPLE.com/b") == Receipt(
        ours.id, HERE + ours.id, "Found among your posts."
    )
    with pytest.raises(CannotLook):
        looked(x, server, tmp_path, "New: https://example.com/c")
    long = "A long one, " * 40 + "https://example.com/d"
    found = server.endpoint.write(long)
    assert looked(x, server, tmp_path, long) == Receipt(found.id, HERE + found.id, "Found among your posts.")


def test_an_answer_is_looked_for_in_somebody_s_conversation(x: X, server: XServer, tmp_path: Path) -> None:
    bench = Bench(x, server, tmp_path, Item("Yes!"), Item("And more."), reply_to="19")
    first = testing.parcel(bench, server.url, of=2)
    alone = server.endpoint.write("Yes!")
    with pytest.raises(CannotLook, match=alone.id):
        x.find(again(first))
    server.posts.remove(alone)
    ours = server.endpoint.write("Yes!", parent="19")
    found = x.find(again(first))
    assert found is not None
    assert found.remote_id == ours.id
    second = server.endpoint.write("And more.", parent=ours.id)
    found = x.find(again(testing.parcel(bench, server.url, number=2, of=2, previous=(found,))))
    assert found is not None
    assert found.remote_id == second.id


def test_a_look_reads_as_little_as_it_can(x: X, server: XServer, tmp_path: Path) -> None:
    for number in range(12):
        server.endpoint.write(f"Old {number}", at=datetime.now(UTC) - timedelta(hours=13 - number))
    assert looked(x, server, tmp_path) is None
    assert server.endpoint.reads == 10
    for number in range(60):
        server.endpoint.write(f"New {number}")
    with pytest.raises(CannotLook, match="more than 50 times"):
        looked(x, server, tmp_path)
    assert server.endpoint.reads == 60


def test_a_list_of_something_else_proves_nothing(x: X, server: XServer, tmp_path: Path) -> None:
    made = testing.parcel(Bench(x, server, tmp_path), server.url)
    post = server.endpoint.write("Other.")
    answer = server.endpoint.list
    for body, end in (({}, TryLater), ({"meta": {}, "data": [{"id": post.id, "text": "Hello."}]}, CannotLook)):
        server.endpoint.list = lambda *_, body=body: Reply(200, json.dumps(body).encode())  # type: ignore[method-assign]
        with pytest.raises(end):
            x.find(again(made))
    server.endpoint.list = answer  # type: ignore[method-assign]


def test_a_deletion_without_a_clear_word_is_in_doubt(x: X, server: XServer, tmp_path: Path) -> None:
    bench = Bench(x, server, tmp_path)
    server.endpoint.remove = lambda *_: Reply(200, b'{"data": {"deleted": false}}')  # type: ignore[method-assign]
    with pytest.raises(InDoubt, match="did not say that it is gone"):
        x.delete(bench.account(), bench.secrets, Receipt("19"))


# --- before it is sent --------------------------------------------------------------------------------------------

PHOTO = Attachment("a" * 64, "a.jpg", "image/jpeg", 1000, alt="A", width=640, height=480)
GIF, FILM = replace(PHOTO, mime="image/gif"), replace(PHOTO, mime="video/mp4", width=None, height=None)


@pytest.mark.parametrize(
    ("items", "options", "codes"),
    [
        (["Hello."], {}, []),
        (["Hello.", "Hello. "], {}, ["duplicate"]),
        (["a\ufeff"], {}, ["character"]),
        (["$BTC up, $ETH down"], {}, ["cashtag"]),
        (["It costs $5 or $BTC"], {}, []),
        ([Item("", (PHOTO,) * 4)], {}, []),
        ([Item("", (PHOTO,) * 5)], {}, ["media"]),
        ([Item("", (GIF, PHOTO))], {}, ["media_mix"]),
        ([Item("", (FILM, FILM))], {}, ["media_mix"]),
        ([Item("", (replace(GIF, size=14_000_000),))], {}, []),
        ([Item("", (replace(GIF, size=16_000_000, width=2000),))], {}, ["media_size", "media_size"]),
        ([Item("", (replace(PHOTO, size=6_000_000),))], {}, ["media_size"]),
        ([Item("", (replace(PHOTO, mime="image/tiff"),))], {}, ["media_type"]),
        ([Item("?", poll=Poll(("A", "B")))], {}, []),
        ([Item("", poll=Poll(("A", "B"), multiple=True))], {}, ["poll", "poll"]),
        ([Item("?", poll=Poll(("A", "B" * 26), lasts=60))], {}, ["poll", "poll"]),
        (["Hello."], {"reply_to": "https://x.com/a", "quote": "nobody"}, ["quote", "quote", "reply_to", "reply_to"]),
        (["Hello."], {"reply_to": "19"}, ["reply_to"]),
    ],
)
def test_what_stands_against_a_post(x: X, items: list[Any], options: dict[str, str], codes: list[str]) -> None:
    content = Content(tuple(Item(one) if isinstance(one, str) else one for one in items))
    account = Account(1, 1, "x", "x", "@x")
    found = [*limits.check(content, x.capabilities, "X", options), *x.check(content, options, account)]
    assert sorted(one.code for one in found if one.level is not Level.NOTE) == codes


# --- under the real engine ----------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path, clock: SetClock, server: XServer) -> Iterator[Driver]:
    server.endpoint.now = clock.now  # type: ignore[method-assign]
    x = X(Context(Transport(IMPATIENT), tmp_path), port=0, now=clock.now)
    with closing(Driver(tmp_path / "profile", clock, x)) as driver:  # type: ignore[arg-type]
        yield driver


@pytest.mark.parametrize("mode", ["hang_up_after", "captive"])
def test_a_thread_with_lost_answers_ends_whole_and_once(engine: Driver, server: XServer, mode: str) -> None:
    words = ("One.", "Two: https://example.com", "Three.", "Four.")
    account = engine.commands.accounts.add("x", "me", {**server.fields, "paid_reads": "yes"})
    delivery_id = engine.schedule(*words, account=account)
    server.mode, server.times = mode, 2
    engine.settled(delivery_id)
    assert engine.get(delivery_id).state is State.SENT
    ids = [part.receipt and part.receipt.remote_id for part in engine.detail(delivery_id).parts]
    assert [one.id for one in server.posts] == ids
    assert [one.text for one in server.posts] == list(words)
    assert [one.parent for one in server.posts[1:]] == ids[:-1]
    assert len(server.endpoint.effects) == 4


@pytest.mark.parametrize("arrived", [True, False])
def test_without_paid_reads_the_person_is_asked(engine: Driver, server: XServer, arrived: bool) -> None:
    account = engine.commands.accounts.add("x", "me", server.fields)
    delivery_id = engine.schedule("Once.", account=account)
    server.mode, server.times = "hang_up_after" if arrived else "hang_up_before", 1
    engine.settled(delivery_id)
    found = engine.get(delivery_id)
    assert (found.state, found.look_at) == (State.IN_DOUBT, None)
    engine.commands.deliveries.settle(delivery_id, sent=False)  # the person is wrong about it where it arrived
    engine.settled(delivery_id)
    assert engine.get(delivery_id).state is (State.IN_DOUBT if arrived else State.SENT)
    assert len(server.posts) == 1
    assert server.endpoint.reads == 0


def test_a_token_that_ends_before_the_due_time_costs_nothing(engine: Driver, server: XServer) -> None:
    channel = engine.channel
    fields = by_browser(channel, server)  # type: ignore[arg-type]
    account = engine.commands.accounts.add("x", "me", {**fields, "paid_reads": "yes"})
    delivery_id = engine.schedule("Later.", seconds=30 * 3600, account=account)
    engine.clock.advance(30 * 3600)
    engine.step()
    found = engine.get(delivery_id)
    assert (found.state, found.tries, server.endpoint.renewals) == (State.SENT, 0, 1)
    with engine.store.reading() as connection:
        kept = engine.secrets.get(accounts.get(connection, account).secret_ref)
    assert kept["refresh_token"] in server.endpoint.refresh
    doubtful = engine.schedule("Lost.", account=account)
    server.mode, server.times = "hang_up_after", 1
    engine.run()
    assert engine.get(doubtful).state is State.IN_DOUBT
    engine.clock.advance(3 * 3600)  # asleep: the look needs another token
    engine.settled(doubtful)
    assert engine.get(doubtful).state is State.SENT
    assert server.endpoint.renewals == 2
    assert [one.text for one in server.posts] == ["Later.", "Lost."]


def test_an_app_that_was_shut_out_holds_what_is_planned(engine: Driver, server: XServer) -> None:
    account = engine.commands.accounts.add("x", "me", by_browser(engine.channel, server))  # type: ignore[arg-type]
    delivery_id = engine.schedule("Once.", account=account)
    server.endpoint.tokens.clear()
    server.endpoint.refresh.clear()
    engine.settled(delivery_id)
    assert engine.get(delivery_id).state is State.HELD
    engine.commands.accounts.reconnect(account, server.fields)
    engine.settled(delivery_id)
    assert engine.get(delivery_id).state is State.SENT
    assert len(server.posts) == 1
