"""Bluesky's channel in detail: signing in, tokens that end, the record that leaves, and what refusals mean."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import bluesky_pds as pds
from sendoff.channels import bluesky_posts as posts
from sendoff.channels import testing
from sendoff.channels.bluesky import Bluesky
from sendoff.channels.fault_server import Reply
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.account import Account
from sendoff.domain.channel import How, Identity, Level, Parcel, Trace
from sendoff.domain.delivery import Receipt, State
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, Rejected, TryLater
from sendoff.domain.post import Attachment, Content, Item, LinkCard
from sendoff.store import accounts
from tests.conftest import SetClock
from tests.engine.driver import Driver
from tests.fakes.pds import PdsServer

ELEPHANT = Attachment(
    sha256="e" * 64, name="Ausflug.PNG", mime="image/png", size=264, alt="Elefant: „Törööö“ 🐘", width=640, height=480
)  # fmt: skip
BOB, CAROL = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb", "did:plc:cccccccccccccccccccccccc"


@pytest.fixture
def server() -> Iterator[PdsServer]:
    with PdsServer() as server:
        server.endpoint.handles |= {"bob.test": BOB, "carol.test": CAROL}
        yield server


@pytest.fixture
def bluesky(tmp_path: Path, server: PdsServer) -> Bluesky:
    (tmp_path / ELEPHANT.sha256).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    return Bluesky(Context(Transport(IMPATIENT), tmp_path), entry=server.url, directory=server.url)


def typed(server: PdsServer, **more: str) -> dict[str, str]:
    return {"identifier": server.handle, "app_password": server.app_password, **more}


class Bench:
    """An account that really signed in, and a post."""

    def __init__(self, bluesky: Bluesky, server: PdsServer, folder: Path, *items: Item, **options: str) -> None:
        self.channel = bluesky
        self.identity: Identity = bluesky.connect(typed(server))
        self.secrets = self.identity.secrets
        self.content = Content(items or (Item("Hello."),))
        self.options = options
        self.files = folder

    def account(self, url: str = "") -> Account:
        return Account(1, 1, "bluesky", "a", self.identity.handle, learned=self.identity.learned)


def sent(
    bluesky: Bluesky, server: PdsServer, folder: Path, item: Item | str, **options: str
) -> tuple[dict[str, Any], Receipt]:
    """The record that came of an item, and its receipt."""
    bench = Bench(bluesky, server, folder, Item(item) if isinstance(item, str) else item, **options)
    receipt = bluesky.publish(testing.parcel(bench, server.url))
    return next(one for one in server.posts if one.uri == receipt.remote_id).value, receipt


# --- signing in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "who", ["alice.test", " @Alice.test ", "https://bsky.app/profile/alice.test", "did", "alice@example.org"]
)
def test_signing_in_finds_the_server(bluesky: Bluesky, server: PdsServer, who: str) -> None:
    did = server.endpoint.did
    server.endpoint._store(did, "app.bsky.actor.profile", "self", {"displayName": " Alice  B. "})
    identity = bluesky.connect(typed(server, identifier=did if who == "did" else who))
    assert (identity.handle, identity.name, identity.note) == ("@alice.test", "Alice B.", "")
    assert identity.url == "https://bsky.app/profile/alice.test"
    assert identity.learned == {"did": did, "pds": server.url}
    assert identity.settings == {"did": did}
    assert set(identity.secrets) == {"app_password", "access_jwt", "refresh_jwt"}
    assert server.endpoint.effects == []


def test_an_own_server_is_asked_alone(tmp_path: Path, server: PdsServer) -> None:
    """No directory and no entry: those would be on the internet."""
    bluesky = Bluesky(Context(Transport(IMPATIENT), tmp_path))
    identity = bluesky.connect(typed(server, base_url=server.url, app_password=" abcd-efgh-ijkl-mnop\n"))
    assert identity.learned["pds"] == server.url
    assert identity.name == "alice.test"  # there is no profile
    server.endpoint.app_password = "another-form"  # other programs make other ones
    assert "main password" in bluesky.connect(typed(server, base_url=server.url, app_password="another-form")).note
    account = Account(
        1, 1, "bluesky", "a", "@a", settings={"base_url": server.url}, learned={"did": "d", "pds": "http://127.0.0.1:9"}
    )
    bluesky.reach(account)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"identifier": "alice"}, "identifier", "Write all of it"),
        ({"identifier": "did:plc:short"}, "identifier", "is no DID"),
        ({"identifier": "nobody.test"}, "identifier", "There is no account nobody.test"),
        ({"identifier": "did:plc:zzzzzzzzzzzzzzzzzzzzzzzz"}, "identifier", "There is no identity"),
        ({"identifier": "carol.test"}, "identifier", "names no server"),
        ({"identifier": "mallory.test"}, "identifier", "does not call itself so"),
        ({"app_password": "hunter2"}, "app_password", "That is no app password"),
        ({"app_password": ""}, "app_password", "or sign in with the browser"),
    ],
)
def test_what_cannot_be_right_is_named_at_its_field(
    bluesky: Bluesky, server: PdsServer, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], field: str, words: str
) -> None:
    def document(did: str, handle: str) -> dict[str, Any]:
        return {
            "id": did,
            "alsoKnownAs": [f"at://{handle}"],
            "service": [{"id": "#other", "serviceEndpoint": server.url}],
        }

    server.endpoint.handles["mallory.test"] = BOB
    monkeypatch.setattr(server.endpoint, "document", document)
    with pytest.raises(BadInput, match=words) as wrong:
        bluesky.connect(typed(server, **fields))
    assert wrong.value.field == field
    assert server.endpoint.sessions == 0


def test_a_public_directory_can_t_point_at_this_computer() -> None:
    did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    for where in ("http://127.0.0.1:8080", "https://localhost", "http://example.org", 5):
        found = {"service": [{"id": f"{did}#atproto_pds", "serviceEndpoint": where}]}
        with pytest.raises(BadInput):
            pds.server_of(found, did, asked=pds.DIRECTORY)
    found = {"service": [5, {"id": f"{did}#atproto_pds", "serviceEndpoint": "https://pds.example.org/"}]}
    assert pds.server_of(found, did, asked=pds.DIRECTORY) == "https://pds.example.org"


def test_a_wrong_password_and_a_main_password_are_told_apart(bluesky: Bluesky, server: PdsServer) -> None:
    with pytest.raises(NeedsLogin, match="does not take this handle") as wrong:
        bluesky.connect(typed(server, app_password="aaaa-bbbb-cccc-dddd"))
    assert wrong.value.field == "app_password"
    with pytest.raises(NeedsLogin, match="a code from your mail"):
        bluesky.connect(typed(server, app_password=server.endpoint.password, base_url=server.url))
    server.endpoint.active = False
    with pytest.raises(NeedsLogin, match="deactivated"):
        bluesky.connect(typed(server))


# --- tokens -------------------------------------------------------------------------------------------------------


def test_tokens_are_renewed_before_they_end_and_not_before(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    bench, now = Bench(bluesky, server, tmp_path), datetime.now(UTC)
    account, secret = bench.account(), dict(bench.secrets)
    assert bluesky.renew(account, secret, now) == {}
    fresh = bluesky.renew(account, secret, now + timedelta(hours=1, minutes=56))
    assert set(fresh) == {"access_jwt", "refresh_jwt"}
    assert bluesky.renew(account, secret, now + timedelta(hours=1, minutes=56)) == fresh  # its answer got lost: again
    assert server.endpoint.sessions == 1
    assert bluesky.renew(account, {**secret, "access_jwt": "no.jwt"}, now) == {}  # the server will say what it is


def test_where_no_refresh_helps_the_app_password_does(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    bench, later = Bench(bluesky, server, tmp_path), datetime.now(UTC) + timedelta(days=91)
    server.endpoint.now = lambda: later
    fresh = bluesky.renew(bench.account(), bench.secrets, later)
    assert fresh["access_jwt"] != bench.secrets["access_jwt"]
    assert server.endpoint.sessions == 2
    server.endpoint.tokens.clear()
    server.endpoint.app_password = "new1-new2-new3-new4"
    with pytest.raises(NeedsLogin, match="does not take"):
        bluesky.renew(bench.account(), {**bench.secrets, **fresh}, later + timedelta(days=1))


@pytest.mark.parametrize("what", ["expired", "unknown"])
def test_a_token_that_the_server_calls_over_is_renewed_whatever_it_says(
    bluesky: Bluesky, server: PdsServer, tmp_path: Path, what: str
) -> None:
    """Expiry is a 400 there; and this computer's clock may be wrong."""
    bench = Bench(bluesky, server, tmp_path)
    made = testing.parcel(bench, server.url)
    if what == "expired":
        server.endpoint.tokens[bench.secrets["access_jwt"]].revoked = True
    else:
        del server.endpoint.tokens[bench.secrets["access_jwt"]]
    with pytest.raises(TryLater, match="ran out") as wrong:
        bluesky.publish(made)
    assert wrong.value.after == timedelta(seconds=1)
    assert made.trace.status == 400
    fresh = bluesky.renew(bench.account(), bench.secrets, datetime.now(UTC))
    bluesky.publish(replace(made, secret={**bench.secrets, **fresh}))
    assert bluesky.renew(bench.account(), {**bench.secrets, **fresh}, datetime.now(UTC)) == {}
    assert len(server.posts) == 1


def test_a_limit_says_its_end_in_seconds_since_1970(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    made = testing.parcel(Bench(bluesky, server, tmp_path), server.url)
    server.endpoint.throttled = 240
    for ask in (lambda: bluesky.publish(made), lambda: bluesky.find(made)):
        with pytest.raises(TryLater, match="Rate Limit Exceeded") as wrong:
            ask()
        assert wrong.value.after is not None
        assert 230 < wrong.value.after.total_seconds() <= 240


# --- the record ---------------------------------------------------------------------------------------------------


def test_the_whole_record(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    item = Item("🐘 @bob.test @gone.test https://example.com #trip", media=(ELEPHANT,))
    record, receipt = sent(bluesky, server, tmp_path, item, languages="en, pt-BR", labels="nudity", card_title="No")
    created = record.pop("createdAt")
    assert created.endswith("Z")
    assert abs(datetime.fromisoformat(created) - datetime.now(UTC)) < timedelta(minutes=1)
    (blob,) = server.endpoint.blobs
    prefix = "app.bsky.richtext.facet#"
    assert record == {
        "$type": "app.bsky.feed.post",
        "text": item.text,
        "langs": ["en", "pt-BR"],
        "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]},
        "facets": [
            {"index": {"byteStart": 5, "byteEnd": 14}, "features": [{"$type": f"{prefix}mention", "did": BOB}]},
            {
                "index": {"byteStart": 26, "byteEnd": 45},
                "features": [{"$type": f"{prefix}link", "uri": "https://example.com"}],
            },
            {"index": {"byteStart": 46, "byteEnd": 51}, "features": [{"$type": f"{prefix}tag", "tag": "trip"}]},
        ],
        "embed": {
            "$type": "app.bsky.embed.images",
            "images": [
                {
                    "image": {"$type": "blob", "ref": {"$link": blob}, "mimeType": "image/png", "size": 264},
                    "alt": ELEPHANT.alt,
                    "aspectRatio": {"width": 640, "height": 480},
                }
            ],
        },
    }
    assert server.endpoint.blobs[blob] == ("image/png", (tmp_path / ELEPHANT.sha256).read_bytes())
    assert receipt.url == f"https://bsky.app/profile/{server.endpoint.did}/post/{receipt.remote_id[-13:]}"
    assert receipt.answer == "@gone.test is nobody there, and stays plain text."
    assert receipt.data == {"cid": server.posts[0].cid}


def test_any_text_stands_there_as_it_was_written(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    text = '👨‍👩‍👧‍👦🇪🇪🏳️‍⚧️ مرحبا \u202eRTL\u202c e\u0301 Z̸̡͠ 한국어 日本\u200b\u2060 \\"\n\t नमस्ते \x7f\u0000\ufeff'
    record, _ = sent(bluesky, server, tmp_path, text)
    assert record["text"] == text
    assert set(record) == {"$type", "text", "createdAt"}


def test_a_card_a_quote_and_both_with_pictures(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    bob = server.endpoint.write_elsewhere("Bob's", did=BOB)
    strong = {"uri": bob.uri, "cid": bob.cid}
    quoted = {"$type": "app.bsky.embed.record", "record": strong}
    card = {
        "$type": "app.bsky.embed.external",
        "external": {"uri": "https://example.com/a", "title": "A page", "description": "About it"},
    }
    link, quote = "Read example.com/a, please", "https://bsky.app/profile/bob.test/post/3kzzzzzzzzz2k"
    titled = {"card_title": " A page ", "card_text": "About it"}
    assert sent(bluesky, server, tmp_path, link)[0].get("embed") is None
    assert sent(bluesky, server, tmp_path, link, **titled)[0]["embed"] == card
    assert sent(bluesky, server, tmp_path, "No link", **titled)[0].get("embed") is None
    assert sent(bluesky, server, tmp_path, "Look", quote=quote)[0]["embed"] == quoted
    both = {"$type": "app.bsky.embed.recordWithMedia", "record": quoted, "media": card}
    assert sent(bluesky, server, tmp_path, link, quote=bob.uri, **titled)[0]["embed"] == both
    shown = sent(bluesky, server, tmp_path, Item(link, media=(ELEPHANT,)), quote=bob.uri, **titled)[0]["embed"]
    assert shown["media"]["$type"] == "app.bsky.embed.images"


def test_the_card_of_a_page_and_its_picture(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    thumb = Attachment(ELEPHANT.sha256, "card.jpg", ELEPHANT.mime, ELEPHANT.size)
    card = LinkCard("https://example.com/a", "A page", "About it", thumb)
    item = Item("Read example.com/a, please", card=card)

    def embed(item: Item, **options: str) -> Any:
        return sent(bluesky, server, tmp_path, item, **options)[0].get("embed")

    made = embed(item)
    assert made["$type"] == "app.bsky.embed.external"
    about = made["external"]
    assert (about["uri"], about["title"], about["description"]) == ("https://example.com/a", "A page", "About it")
    assert [about["thumb"]["ref"]["$link"]] == list(server.endpoint.blobs)
    typed = embed(item, card_title="Mine")["external"]
    assert (typed["title"], typed["description"], typed["thumb"]) == ("Mine", "", about["thumb"])
    assert "thumb" not in embed(replace(item, card=replace(card, image=None)))["external"]
    assert embed(replace(item, card=replace(card, removed=True))) is None
    assert embed(replace(item, text="Read example.com/b")) is None  # the card of another link
    assert embed(replace(item, media=(ELEPHANT,)))["$type"] == "app.bsky.embed.images"


def test_the_picture_of_a_card_that_the_server_forgot_is_uploaded_again(
    bluesky: Bluesky, server: PdsServer, tmp_path: Path
) -> None:
    item = Item("Read example.com/a", card=LinkCard("https://example.com/a", "A", "", ELEPHANT))
    made = testing.parcel(Bench(bluesky, server, tmp_path, item), server.url)
    server.endpoint.blobs.clear()
    assert bluesky.publish(made).remote_id
    assert server.posts[-1].value["embed"]["external"]["thumb"]
    again = bluesky.prepare(made)
    assert again == made.prepared  # nothing changed, so the record stays as it was


def test_an_answer_belongs_to_the_thread_of_what_it_answers(
    bluesky: Bluesky, server: PdsServer, tmp_path: Path
) -> None:
    root = {"uri": f"at://{CAROL}/app.bsky.feed.post/3kyyyyyyyyy2k", "cid": "bafyroot"}
    bob = server.endpoint.write_elsewhere("Bob's", did=BOB, reply={"root": root, "parent": root})
    strong = {"uri": bob.uri, "cid": bob.cid}
    bench = Bench(
        bluesky, server, tmp_path, Item("One a.co"), Item("Two b.co"), reply_to=bob.uri, quote=bob.uri, card_title="C"
    )
    first = bluesky.publish(testing.parcel(bench, server.url, of=2))
    bluesky.publish(testing.parcel(bench, server.url, number=2, of=2, previous=(first,)))
    one, two = server.posts[-2:] if server.posts[-2].value["text"] == "One a.co" else reversed(server.posts[-2:])
    assert one.value["reply"] == {"root": root, "parent": strong}
    assert two.value["reply"] == {"root": root, "parent": {"uri": one.uri, "cid": one.cid}}
    assert one.value["embed"]["$type"] == "app.bsky.embed.recordWithMedia"
    assert "embed" not in two.value  # the quote and the card are the first item's


@pytest.mark.parametrize(
    ("typed_post", "words"),
    [
        ("https://bsky.app/profile/nobody.test/post/3kzzzzzzzzz2k", "no post of anybody"),
        ("https://bsky.app/profile/bob.test/post/3kaaaaaaaaa2k", "is not there"),
    ],
)
def test_what_is_answered_has_to_be_there(
    bluesky: Bluesky, server: PdsServer, tmp_path: Path, typed_post: str, words: str
) -> None:
    with pytest.raises(Rejected, match=words):
        testing.parcel(Bench(bluesky, server, tmp_path, reply_to=typed_post), server.url)


def test_nothing_follows_a_part_that_the_person_vouched_for(
    bluesky: Bluesky, server: PdsServer, tmp_path: Path
) -> None:
    bench = Bench(bluesky, server, tmp_path, Item("One"), Item("Two"))
    with pytest.raises(Rejected, match="You said of a part"):
        testing.parcel(bench, server.url, number=2, of=2, previous=(Receipt("by hand"),))


# --- the same again -----------------------------------------------------------------------------------------------


def test_what_went_up_before_its_time_is_not_uploaded_again(
    bluesky: Bluesky, server: PdsServer, tmp_path: Path
) -> None:
    made = testing.parcel(Bench(bluesky, server, tmp_path, Item("Look", media=(ELEPHANT,))), server.url)
    unmade = replace(made, prepared={}, frozen={})
    put = bluesky.upload(unmade)
    assert len(uploads(server)) == 2  # one more than while it was made ready
    again = bluesky.prepare(replace(made, prepared={}, uploaded=put))
    assert (again, len(uploads(server))) == (made.prepared, 2)
    assert bluesky.upload(replace(unmade, item=Item("words alone"))) == {}
    assert server.posts == []


def uploads(server: PdsServer) -> list[str]:
    return [one.path for one in server.requests if one.path.endswith("com.atproto.repo.uploadBlob")]


def test_uploads_are_made_again_and_the_record_stays(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    made = testing.parcel(Bench(bluesky, server, tmp_path, Item("@bob.test", media=(ELEPHANT,))), server.url)
    server.endpoint.blobs.clear()
    server.endpoint.handles["bob.test"] = CAROL  # the handle has gone over to somebody else
    assert bluesky.prepare(made) == made.prepared
    assert len(server.endpoint.blobs) == 1
    server.endpoint.blobs.clear()  # within the hour, and in front of the very request
    bluesky.publish(made)
    assert server.posts[0].value == made.prepared["record"]
    assert [one for one, _ in server.endpoint.effects] == ["create"]


def repeated(made: Parcel) -> Parcel:
    return replace(made, first_try=made.now, last_try=made.now, trace=Trace())


def test_a_refused_repeat_is_looked_at_first(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    made = testing.parcel(Bench(bluesky, server, tmp_path), server.url)
    receipt = bluesky.publish(made)
    server.mode, server.times = "refuse", 1
    assert bluesky.publish(repeated(made)).remote_id == receipt.remote_id
    server.mode, server.times = "refuse", 1
    with pytest.raises(Rejected):  # the first try has nothing before it
        bluesky.publish(made)
    other = testing.parcel(Bench(bluesky, server, tmp_path), server.url, key="f" * 32)
    server.mode, server.times = "refuse", 1
    with pytest.raises(Rejected):
        bluesky.publish(repeated(other))


def test_another_server_may_write_over_what_is_there_and_may_refuse_it(
    bluesky: Bluesky, server: PdsServer, tmp_path: Path
) -> None:
    """One that does not compare first answers the repeat with InvalidSwap; it is there all the same."""
    made = testing.parcel(Bench(bluesky, server, tmp_path), server.url)
    did, rkey = server.endpoint.did, made.frozen["rkey"]
    server.endpoint._store(did, "app.bsky.feed.post", rkey, {**made.prepared["record"], "langs": ["en"]})
    assert bluesky.publish(made).remote_id.endswith(rkey)
    server.endpoint._store(did, "app.bsky.feed.post", rkey, {"text": "Somebody else's", "createdAt": "2026"})
    with pytest.raises(CannotLook, match="another post"):
        bluesky.find(made)
    with pytest.raises(InDoubt, match="another post"):
        bluesky.publish(made)
    assert server.endpoint.effects == []


def test_a_look_needs_no_token(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    made = testing.parcel(Bench(bluesky, server, tmp_path), server.url)
    bluesky.publish(made)
    server.endpoint.tokens.clear()
    found = bluesky.find(made)
    assert found is not None
    assert found.data == {"cid": server.posts[0].cid}
    settle = bluesky.settle(made.account)
    assert (settle.how, settle.absent_after) == (How.SEARCH, 30)


@pytest.mark.parametrize(
    ("body", "end", "words"),
    [
        (
            {"error": "InvalidRequest", "message": "… record: blob too big (maximum 1000000, got 2)"},
            Rejected,
            "too big",
        ),
        ({"error": "AccountTakedown", "message": "Account has been taken down"}, NeedsLogin, "closed this account"),
        ({"error": "InvalidRequest", "message": "Invalid datetime"}, Rejected, "Invalid datetime"),
        ({"error": 5, "message": None}, Rejected, "refused it"),
    ],
)
def test_refusals_say_what_to_do(
    bluesky: Bluesky,
    server: PdsServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: Any,
    end: type,
    words: str,
) -> None:
    made = testing.parcel(Bench(bluesky, server, tmp_path), server.url)
    monkeypatch.setattr(server.endpoint, "handle", lambda _: Reply(400, json.dumps(body).encode()))
    with pytest.raises(end, match=words):
        bluesky.publish(made)


# --- what is said before ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "options", "codes"),
    [
        ("Hello", {}, []),
        ("Hello", {"languages": "en de pt-BR", "labels": "porn"}, []),
        ("Hello", {"languages": "english!"}, [(Level.ERROR, "language")]),
        ("Hello", {"languages": "en,de,fr,it"}, [(Level.ERROR, "language")]),
        ("Hello", {"labels": "!hide"}, [(Level.ERROR, "labels")]),
        ("Hello", {"reply_to": "bob", "quote": "x"}, [(Level.ERROR, "reply_to"), (Level.ERROR, "quote")]),
        ("Hello", {"card_title": "T"}, [(Level.WARNING, "card")]),
        ("a.co", {"card_text": "T"}, [(Level.WARNING, "card")]),
        ("a.co", {"card_title": "T"}, []),
        (Item("a.co", media=(ELEPHANT,)), {"card_title": "T"}, [(Level.WARNING, "card")]),
        (Item(media=(replace(ELEPHANT, mime="image/gif"),)), {}, [(Level.WARNING, "gif")]),
        (Item(media=(replace(ELEPHANT, size=1_000_001),)), {}, []),
        (
            Item(media=(replace(ELEPHANT, size=1_000_001),)),
            {"base_url": "https://my.pds"},
            [(Level.WARNING, "media_size")],
        ),
    ],
)
def test_what_stands_against_a_post(bluesky: Bluesky, item: Any, options: dict[str, str], codes: list[Any]) -> None:
    settings = {"base_url": options.pop("base_url", "")}
    account = Account(1, 1, "bluesky", "a", "@a", settings=settings)
    content = Content((Item(item) if isinstance(item, str) else item,))
    assert [(one.level, one.code) for one in bluesky.check(content, options, account)] == codes


# --- under the real engine ----------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path, clock: SetClock, bluesky: Bluesky, server: PdsServer) -> Iterator[Driver]:
    server.endpoint.now = clock.now
    with closing(Driver(tmp_path / "profile", clock, bluesky)) as driver:  # type: ignore[arg-type]
        yield driver


@pytest.mark.parametrize("mode", ["hang_up_after", "error_after", "hang_up_before", "captive"])
def test_a_thread_with_lost_answers_ends_whole_and_once(engine: Driver, server: PdsServer, mode: str) -> None:
    words = ("One.", "Two @bob.test.", "Three.", "Four.")
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    delivery_id = engine.schedule(*words, account=account)
    engine.step()
    server.mode, server.times = mode, 2
    engine.clock.advance(2)
    engine.settled(delivery_id)
    assert engine.get(delivery_id).state is State.SENT
    ids = [part.receipt and part.receipt.remote_id for part in engine.detail(delivery_id).parts]
    assert [one.uri for one in server.posts] == ids  # keys sort as they came
    assert [one.value["text"] for one in server.posts] == list(words)
    assert [one.value["reply"]["parent"]["uri"] for one in server.posts[1:]] == ids[:-1]
    assert {one.value["reply"]["root"]["uri"] for one in server.posts[1:]} == {ids[0]}
    assert [one for one, _ in server.endpoint.effects] == ["create"] * 4


def test_a_token_that_ends_before_the_due_time_costs_nothing(engine: Driver, server: PdsServer) -> None:
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    delivery_id = engine.schedule("Later.", seconds=30 * 3600, account=account)
    engine.clock.advance(30 * 3600)
    engine.step()
    found = engine.get(delivery_id)
    assert (found.state, found.tries) == (State.SENT, 0)
    assert server.endpoint.sessions == 1
    with engine.store.reading() as connection:
        kept = engine.secrets.get(accounts.get(connection, account).secret_ref)
    assert kept["access_jwt"] in server.endpoint.tokens
    server.endpoint.tokens[kept["access_jwt"]].revoked = True  # now without a word before
    second = engine.schedule("Again.", account=account)
    assert engine.settled(second) <= 10
    assert engine.get(second).state is State.SENT
    assert sorted(one.value["text"] for one in server.posts) == ["Again.", "Later."]


def test_an_app_password_that_was_taken_back_holds_what_is_planned(engine: Driver, server: PdsServer) -> None:
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    delivery_id = engine.schedule("Once.", account=account)
    server.endpoint.tokens.clear()
    server.endpoint.app_password = "new1-new2-new3-new4"
    for _ in range(3):
        engine.run()
        engine.clock.advance(5)
    assert engine.get(delivery_id).state is State.HELD
    engine.commands.accounts.reconnect(account, {"app_password": "new1-new2-new3-new4"})
    engine.settled(delivery_id)
    assert engine.get(delivery_id).state is State.SENT
    assert len(server.posts) == 1


# --- a handle that changed ----------------------------------------------------------------------------------------


def test_an_account_whose_handle_changed_signs_in_again_and_keeps_what_is_planned(
    engine: Driver, server: PdsServer
) -> None:
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    delivery_id = engine.schedule("Once.", seconds=3600, account=account)
    del server.endpoint.handles["alice.test"]
    server.endpoint.called, server.endpoint.handles["alice.example.org"] = "alice.example.org", server.endpoint.did
    assert engine.commands.accounts.check(account).handle == "@alice.example.org"  # found by its DID
    server.endpoint.called = "ally.test"
    server.endpoint.handles = {"ally.test": server.endpoint.did}
    engine.commands.accounts.reconnect(account, {"identifier": "ally.test"})
    with engine.store.reading() as connection:
        found = accounts.get(connection, account)
    assert (found.handle, found.settings["identifier"]) == ("@ally.test", "ally.test")
    engine.clock.advance(3600)
    engine.settled(delivery_id)
    assert engine.get(delivery_id).state is State.SENT


def test_an_old_handle_that_is_somebody_else_s_by_now_gets_no_password(engine: Driver, server: PdsServer) -> None:
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    server.endpoint.handles["alice.test"] = BOB
    sessions = server.endpoint.sessions
    with pytest.raises(BadInput, match="is another account than this one"):
        engine.commands.accounts.check(account)
    assert server.endpoint.sessions == sessions
    with engine.store.reading() as connection:
        assert accounts.get(connection, account).state == "working"


def test_another_account_is_not_taken_for_this_one(engine: Driver, server: PdsServer) -> None:
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    server.endpoint.did, server.endpoint.called = BOB, "bob.test"
    with pytest.raises(BadInput, match="is another account than this one"):
        engine.commands.accounts.reconnect(account, typed(server, identifier="bob.test"))
    own = typed(server, identifier="bob.test", base_url=server.url)
    with pytest.raises(BadInput, match=r"That is @bob\.test, but this account is @alice\.test"):
        engine.commands.accounts.reconnect(account, own)


# --- when a post was made -----------------------------------------------------------------------------------------


def created(server: PdsServer) -> list[str]:
    return [one.value["createdAt"] for one in server.posts]


def test_a_post_that_waited_for_a_connection_was_made_when_it_came_out(
    engine: Driver, server: PdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    with engine.store.writing() as connection:
        here = accounts.get(connection, account).learned
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
        accounts.update(connection, account, learned={**here, "pds": nowhere})
    delivery_id = engine.schedule("At last.", account=account)
    for _ in range(3):
        engine.run()
        assert engine.get(delivery_id).state is State.SCHEDULED
        (part,) = engine.detail(delivery_id).parts
        assert part.frozen is None  # nothing of it left
        engine.clock.advance(1000)
    assert len(engine.detail(delivery_id).attempts) == 3
    with engine.store.writing() as connection:
        accounts.update(connection, account, learned=here)
    began = engine.clock.now()
    engine.settled(delivery_id)
    assert created(server) == [posts.created_at(began)]


@pytest.mark.parametrize("mode", ["hang_up_before", "hang_up_after", "unavailable", "too_many"])
def test_once_a_byte_may_have_left_it_stays_as_it_is(engine: Driver, server: PdsServer, mode: str) -> None:
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    delivery_id = engine.schedule("Frozen.", account=account)
    began = engine.clock.now()
    server.mode, server.times = mode, 1
    engine.run()
    (part,) = engine.detail(delivery_id).parts
    assert part.frozen == {"rkey": posts.own_key(began, part.key), "created_at": posts.created_at(began)}
    engine.settled(delivery_id)
    assert created(server) == [posts.created_at(began)]
    assert [one for one, _ in server.endpoint.effects] == ["create"]


def test_what_was_frozen_before_stays_so_although_a_later_try_does_not_reach_it(
    engine: Driver, server: PdsServer
) -> None:
    """The first try is in doubt and surely absent; the second finds nobody. That nothing left then proves nothing."""
    account = engine.commands.accounts.add("bluesky", "me", typed(server))
    delivery_id = engine.schedule("Frozen.", account=account)
    began = engine.clock.now()
    server.mode, server.times = "hang_up_before", 1
    engine.run()
    while engine.get(delivery_id).state is State.IN_DOUBT:
        engine.clock.advance(10)
        engine.look()
    with engine.store.writing() as connection:
        here = accounts.get(connection, account).learned
        accounts.update(connection, account, learned={**here, "pds": "http://127.0.0.1:9"})
    engine.run()
    assert engine.get(delivery_id).state is State.SCHEDULED
    with engine.store.writing() as connection:
        accounts.update(connection, account, learned=here)
    engine.settled(delivery_id)
    assert created(server) == [posts.created_at(began)]
