"""The Bluesky channel against a real PDS and a real directory of identities, and the loopback PDS held against them.

A FaultServer stands in front of the PDS where answers have to get lost: what it lets through takes effect there.
"""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sendoff.channels import bluesky_posts as posts
from sendoff.channels import testing
from sendoff.channels.bluesky import Bluesky
from sendoff.channels.fault_server import FaultServer, Reply, Request
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.account import Account
from sendoff.domain.channel import Identity, Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt, NeedsLogin, Rejected, TryLater
from sendoff.domain.post import Attachment, Content, Item, LinkCard
from sendoff.domain.text import filled
from tests.channels.test_bluesky_text import published
from tests.fakes.bluesky_video import VideoServer
from tests.fakes.letters import PNG
from tests.fakes.pds import PdsServer

pytestmark = pytest.mark.peer

HERE = Path(__file__).parent
FAMILY = "👨‍👩‍👧‍👦"
TORTURE = (
    f"{FAMILY}🇪🇪🏳️‍⚧️👍🏽 مرحبا بالعالم \u202eRTL\u202c שלום e\u0301 Z̸̡͠ 한국어 日本語 ไทย नमस्ते "
    "\u200b\u200d\u2060\u00ad\ufeff ﷺ \\ \" ' <b>&amp;</b>\n\n\ttab\r\nend \x7f"
)
PICTURE = Attachment(sha256="a" * 64, name="a.png", mime="image/png", size=len(PNG), alt="Ein Bild", width=4, height=3)


@dataclass(frozen=True)
class Peer:
    """The PDS and its directory."""

    pds: str
    plc: str


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    folder = tmp_path_factory.mktemp("pds")
    command = ["bash", str(HERE / "pds.sh"), "serve", str(free_port()), str(free_port()), str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                pytest.skip(f"the PDS does not start: {(folder / 'log').read_text()[-300:]}")
            said = json.loads(line)
            yield Peer(said["pds"], said["plc"])
        finally:
            process.terminate()
            process.communicate(timeout=10)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """One plain request; what came back as JSON where it is some."""
    reply = passed_on(url, Request(method, path, headers, b"" if body is None else json.dumps(body).encode()))
    try:
        return reply.status, json.loads(reply.body)
    except ValueError:
        return reply.status, reply.body


def passed_on(url: str, request: Request) -> Reply:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    headers = {"Content-Type": "application/json", **request.headers} if request.body else dict(request.headers)
    connection.request(request.method, request.path, request.body or None, headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    kept = {name: value for name, value in answer.getheaders() if name.lower() in ("content-type", "retry-after")}
    return Reply(answer.status, body, kept)


class Lossy:
    """The PDS behind a server that loses answers: an endpoint of channels/fault_server.py."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.effects: list[Any] = []

    def is_effect(self, request: Request) -> bool:
        return request.path == "/xrpc/com.atproto.repo.putRecord"

    def handle(self, request: Request) -> Reply:
        return passed_on(self.url, request)


@dataclass
class Person:
    """An account at the PDS, signed in by the channel, and what its posts are made of."""

    channel: Bluesky
    identity: Identity
    app_password: str
    files: Path
    secrets: Mapping[str, str]
    content: Content = field(default_factory=Content)
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def did(self) -> str:
        return str(self.identity.learned["did"])

    def account(self, url: str) -> Account:
        return Account(
            1, 1, "bluesky", "a", self.identity.handle, settings={"base_url": url}, learned=self.identity.learned
        )

    def parcel(self, url: str, *items: Item, **more: Any) -> Parcel:
        """The first of these items, made ready; `number` and `previous` for another."""
        self.content, self.options = Content(items), more.pop("options", {})
        return testing.parcel(self, url, of=len(items), key=secrets.token_hex(16), **more)  # type: ignore[arg-type]


def add_person(peer: Peer, channel: Bluesky, folder: Path) -> Person:
    handle = f"u{secrets.token_hex(5)}.test"
    made = {"handle": handle, "email": f"{handle}@example.com", "password": "pw-12345678"}
    status, account = ask(peer.pds, "POST", "/xrpc/com.atproto.server.createAccount", made)
    assert status == 200, account
    status, app = ask(
        peer.pds, "POST", "/xrpc/com.atproto.server.createAppPassword", {"name": "Sendoff"},
        Authorization=f"Bearer {account['accessJwt']}",
    )  # fmt: skip
    assert status == 200, app
    identity = channel.connect({"identifier": f"@{handle}", "app_password": app["password"]})
    (folder / PICTURE.sha256).write_bytes(PNG)
    return Person(channel, identity, app["password"], folder, identity.secrets)


@pytest.fixture
def bluesky(peer: Peer, tmp_path: Path) -> Bluesky:
    return Bluesky(Context(Transport(IMPATIENT), tmp_path), entry=peer.pds, directory=peer.plc)


@pytest.fixture
def person(peer: Peer, bluesky: Bluesky, tmp_path: Path) -> Person:
    return add_person(peer, bluesky, tmp_path)


def there(peer: Peer, person: Person) -> list[dict[str, Any]]:
    """The person's posts in the order of their keys."""
    path = f"/xrpc/com.atproto.repo.listRecords?repo={person.did}&collection={posts.COLLECTION}&limit=100&reverse=true"
    found: list[dict[str, Any]] = ask(peer.pds, "GET", path)[1]["records"]
    return found


# --- signing in ---------------------------------------------------------------------------------------------------


def test_a_handle_leads_to_the_server(peer: Peer, person: Person) -> None:
    assert person.identity.learned == {"did": person.did, "pds": peer.pds}
    assert person.identity.handle == f"@{person.identity.name}"
    by_did = {"identifier": person.did, "app_password": person.app_password}
    assert person.channel.connect(by_did).handle == person.identity.handle
    own = {
        "identifier": f"{person.identity.name}@example.com",
        "app_password": person.app_password,
        "base_url": peer.pds,
    }
    assert person.channel.connect(own).handle == person.identity.handle
    with pytest.raises(NeedsLogin, match="does not take"):
        person.channel.connect({**by_did, "app_password": "aaaa-bbbb-cccc-dddd"})


def test_tokens_are_renewed_and_what_is_over_is_told_as_such(peer: Peer, person: Person) -> None:
    channel, account, now = person.channel, person.account(peer.pds), datetime.now(UTC)
    assert channel.renew(account, person.secrets, now) == {}
    fresh = channel.renew(account, person.secrets, now + timedelta(hours=1, minutes=58))
    assert fresh["refresh_jwt"] != person.secrets["refresh_jwt"]
    # The answer got lost, and the old token is used once more.
    assert channel.renew(account, person.secrets, now + timedelta(hours=1, minutes=58)).keys() == fresh.keys()
    made = replace(person.parcel(peer.pds, Item("With the new one.")), secret={**person.secrets, **fresh})
    channel.publish(made)
    void = {**person.secrets, "access_jwt": "eyJhbGciOiJIUzI1NiJ9.e30.x"}
    with pytest.raises(TryLater, match="ran out"):
        channel.publish(replace(made, secret=void))
    assert channel.renew(account, void, now).keys() == fresh.keys()
    for token in (person.secrets["refresh_jwt"], fresh["refresh_jwt"]):
        ask(peer.pds, "POST", "/xrpc/com.atproto.server.deleteSession", Authorization=f"Bearer {token}")
    by_password = channel.renew(account, {**void, "refresh_jwt": fresh["refresh_jwt"]}, now)
    channel.publish(replace(made, secret={**person.secrets, **by_password}))
    assert len(there(peer, person)) == 1


# --- what was written stands there --------------------------------------------------------------------------------


def test_a_torture_text_is_read_back_identical(peer: Peer, person: Person) -> None:
    made = person.parcel(peer.pds, Item(TORTURE), options={"languages": "ar, he, zh-Hant"})
    receipt = person.channel.publish(made)
    (record,) = there(peer, person)
    assert record["value"]["text"] == TORTURE
    assert record["value"]["langs"] == ["ar", "he", "zh-Hant"]
    assert (record["uri"], record["cid"]) == (receipt.remote_id, receipt.data["cid"])


def test_everything_that_a_post_can_have_is_valid(peer: Peer, bluesky: Bluesky, person: Person, tmp_path: Path) -> None:
    other = add_person(peer, bluesky, tmp_path)
    theirs = bluesky.publish(other.parcel(peer.pds, Item("A post of somebody else's.")))
    page = f"https://bsky.app/profile/{other.identity.name}/post/{theirs.remote_id[-13:]}"
    text = f"{FAMILY} @{other.identity.name} @nobody.test https://example.com/ä_(ö) a.co, #größe ＃全 $BTC"
    four = Item(text, media=(PICTURE,) * 4)
    sent = []
    for options in (
        {"labels": "graphic-media", "languages": "de", "quote": page, "reply_to": theirs.remote_id},
        {"quote": page},
        {"card_title": "A page"},
    ):
        item = four if "labels" in options else Item(text)
        receipt = bluesky.publish(person.parcel(peer.pds, item, options=options))
        assert "nobody.test" in receipt.answer
        sent.append(receipt.remote_id)
    by_uri = {one["uri"]: one["value"] for one in there(peer, person)}
    first, quoting, carded = (by_uri[one] for one in sent)
    assert first["embed"]["media"]["images"][3]["alt"] == "Ein Bild"
    assert first["reply"]["root"] == first["reply"]["parent"] == {"uri": theirs.remote_id, "cid": theirs.data["cid"]}
    assert quoting["embed"]["record"]["uri"] == theirs.remote_id
    assert carded["embed"]["external"]["uri"] == "https://example.com/ä_(ö)"
    shown = [text.encode()[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode() for one in first["facets"]]
    assert shown == [f"@{other.identity.name}", "https://example.com/ä_(ö)", "a.co", "#größe", "＃全", "$BTC"]


def test_a_card_goes_with_what_its_page_says_and_its_picture(peer: Peer, person: Person) -> None:
    card = LinkCard("https://example.com/a", "A page", "About it", PICTURE)
    receipt = person.channel.publish(person.parcel(peer.pds, Item("See example.com/a", card=card)))
    (value,) = [one["value"] for one in there(peer, person) if one["uri"] == receipt.remote_id]
    external = value["embed"]["external"]
    assert (external["title"], external["description"]) == ("A page", "About it")
    assert (external["thumb"]["mimeType"], external["thumb"]["size"]) == (PICTURE.mime, PICTURE.size)


def test_the_server_takes_the_facets_of_every_published_text(peer: Peer, person: Person) -> None:
    vectors = published("atproto-richtext-vectors.json")
    texts = [case["text"] for name in ("links_and_mentions", "hashtags", "cashtags") for case in vectors[name]]
    for text in texts:
        facets = posts.rich.facets(text, dict.fromkeys(posts.rich.handles(text), person.did))
        made = person.parcel(peer.pds, Item("x"))
        record = {**made.prepared["record"], "text": text, "facets": facets}
        person.channel.publish(replace(made, prepared={"record": record}))
    assert len(there(peer, person)) == len(texts) == 97


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a" * 300, True),
        ("a" * 301, False),
        (FAMILY * 120, True),
        (FAMILY * 121, False),
        ("🏳️‍⚧️" * 187, True),
        ("ﷺ" * 300, True),
    ],
)
def test_the_server_counts_as_we_do(peer: Peer, person: Person, text: str, fits: bool) -> None:
    made = person.parcel(peer.pds, Item(text))
    assert (filled(text, Bluesky.capabilities) <= 300) is fits
    if fits:
        person.channel.publish(made)
        return
    with pytest.raises(Rejected, match="too big") as wrong:
        person.channel.publish(made)
    assert "Shorten the text" in wrong.value.advice


def test_a_picture_that_is_too_big_is_refused_in_words(peer: Peer, person: Person) -> None:
    large = replace(PICTURE, sha256="b" * 64, size=2_000_001)
    (person.files / large.sha256).write_bytes(PNG + bytes(2_000_001 - len(PNG)))
    with pytest.raises(Rejected, match="too big"):
        person.channel.publish(person.parcel(peer.pds, Item("x", media=(large,))))
    (person.files / large.sha256).write_bytes(PNG + bytes((5 << 20) + 1))
    with pytest.raises(Rejected, match="too large"):
        person.parcel(peer.pds, Item("x", media=(large,)))
    assert there(peer, person) == []


# --- lost answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hang_up_after", "error_after", "hang_up_before", "captive", "cut_answer", "slow"])
def test_a_thread_with_pictures_and_lost_answers_is_there_once(peer: Peer, person: Person, mode: str) -> None:
    items = tuple(Item(f"{number} of 4 {FAMILY}", media=(PICTURE,)) for number in range(1, 5))
    receipts: list[Receipt] = []
    with FaultServer(Lossy(peer.pds)) as line:
        for number in range(1, 5):
            made = person.parcel(line.url, *items, number=number, previous=tuple(receipts))
            line.mode = mode if number in (1, 3) else "accept"
            if line.mode != "accept":
                with pytest.raises(InDoubt):
                    person.channel.publish(made)
                line.mode = "accept"
                again = replace(made, first_try=made.now, last_try=made.now, trace=Trace())
                found = person.channel.find(again)
                assert (found is None) is (mode in ("hang_up_before", "captive"))
                repeated = person.channel.publish(again)  # the same again has one effect
                assert found is None or found.remote_id == repeated.remote_id
                receipts.append(repeated)
            else:
                receipts.append(person.channel.publish(made))
    by_uri = {one["uri"]: one for one in there(peer, person)}
    assert len(by_uri) == 4
    thread = [by_uri[one.remote_id] for one in receipts]
    strong = [{"uri": one["uri"], "cid": one["cid"]} for one in thread]
    assert [one["value"]["text"] for one in thread] == [item.text for item in items]
    assert [one["value"]["reply"] for one in thread[1:]] == [{"root": strong[0], "parent": one} for one in strong[:3]]


def test_what_was_sent_can_be_deleted(peer: Peer, person: Person) -> None:
    made = person.parcel(peer.pds, Item("Soon gone."))
    receipt = person.channel.publish(made)
    for _ in range(2):
        person.channel.delete(made.account, made.secret, receipt)
    assert there(peer, person) == []
    assert person.channel.find(made) is None


# --- the loopback PDS is like this one ----------------------------------------------------------------------------


def probes(token: str, did: str) -> Iterator[tuple[str, str, Any, dict[str, str]]]:
    """Requests to which both have to say the same: method, path, body, headers."""
    auth = {"Authorization": f"Bearer {token}"}
    record = {"$type": posts.COLLECTION, "text": "x", "createdAt": "2026-01-02T03:04:05.123Z"}
    at = {"repo": did, "collection": posts.COLLECTION, "rkey": "3kzzzzzzzzz2k"}
    put, create = "/xrpc/com.atproto.repo.putRecord", "/xrpc/com.atproto.repo.createRecord"
    yield "POST", put, {**at, "record": record}, {}
    yield "POST", put, {**at, "record": record}, {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}
    yield "POST", put, {**at, "record": record, "swapRecord": None}, auth
    yield "POST", put, {**at, "record": record, "swapRecord": None}, auth  # the same again
    yield "POST", put, {**at, "record": {**record, "text": "y"}, "swapRecord": None}, auth  # another
    yield "POST", create, {**at, "record": record}, auth  # it is there
    yield "POST", put, {**at, "record": record, "rkey": "not-a-tid"}, auth
    yield "POST", put, {**at, "record": {**record, "text": "x" * 301}}, auth
    yield "POST", put, {**at, "record": {**record, "text": "x" * 3001}}, auth
    yield "POST", put, {**at, "record": {**record, "createdAt": "yesterday"}}, auth
    yield "POST", put, {**at, "record": record, "repo": "did:plc:zzzzzzzzzzzzzzzzzzzzzzzz"}, auth
    blob = {"$type": "blob", "ref": {"$link": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"}}
    image = {"alt": "", "image": {**blob, "mimeType": "image/png", "size": 3}}
    embed = {"$type": "app.bsky.embed.images", "images": [image]}
    yield "POST", put, {**at, "record": {**record, "embed": embed}, "rkey": "3kyyyyyyyyy2k"}, auth
    yield "POST", put, {**at, "record": {**record, "embed": {**embed, "images": [image] * 5}}}, auth
    look = f"/xrpc/com.atproto.repo.getRecord?repo={did}&collection={posts.COLLECTION}&rkey="
    yield "GET", f"{look}3kzzzzzzzzz2k", None, {}
    yield "GET", f"{look}3kaaaaaaaaa2k", None, {}
    yield "GET", "/xrpc/com.atproto.identity.resolveHandle?handle=nobody.test", None, {}
    yield "GET", "/xrpc/app.bsky.feed.getAuthorFeed?actor=x", None, auth
    yield "POST", "/xrpc/com.atproto.repo.deleteRecord", at, auth
    yield "POST", "/xrpc/com.atproto.repo.deleteRecord", at, auth
    yield "POST", "/xrpc/com.atproto.server.createSession", {"identifier": did, "password": "wrong"}, {}
    yield "POST", "/xrpc/com.atproto.server.refreshSession", None, auth


def test_the_loopback_pds_answers_alike(peer: Peer, person: Person) -> None:
    def told(answer: tuple[int, Any]) -> tuple[int, Any]:
        status, found = answer
        return status, found.get("error") or sorted(set(found) - {"commit", "validationStatus"}), "commit" in found

    with PdsServer() as fake:
        token, did = fake.endpoint.pair()["accessJwt"], fake.endpoint.did
        for real, same in zip(probes(person.secrets["access_jwt"], person.did), probes(token, did), strict=True):
            method, path, body, headers = real
            one = told(ask(peer.pds, method, path, body, **headers))
            method, path, body, headers = same
            assert told(ask(fake.url, method, path, body, **headers)) == one, (method, path, body)


# --- signing in with the browser ----------------------------------------------------------------------------------


class Browser:
    """What the person's browser does at the PDS: its page signs in and consents by these calls."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}

    def go(self, method: str, url: str, body: Any = None, **headers: str) -> tuple[int, Mapping[str, str], Any]:
        where = urlsplit(url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        path = f"{where.path}?{where.query}" if where.query else where.path
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        raw = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        connection.close()
        return answer.status, answer.headers, raw

    def navigate(self, url: str, site: str, **headers: str) -> Mapping[str, str]:
        """Opens a page; returns the answer's headers."""
        headers |= {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": site}
        status, found, raw = self.go("GET", url, **headers, Accept="text/html")
        assert status < 400, raw
        return found

    def decide(self, page: str, handle: str, *, allow: bool) -> str:
        """Signs in at the page and says yes or no; returns where the browser is sent then."""
        self.navigate(page, "cross-site")
        csrf = next(value for name, value in self.cookies.items() if "csrf" in name)
        same = {
            "Content-Type": "application/json", "Origin": self.url, "Referer": page, "Sec-Fetch-Mode": "same-origin",
            "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty", "x-csrf-token": csrf,
        }  # fmt: skip
        api = f"{self.url}/@atproto/oauth-provider/~api"
        who = {"locale": "en", "username": handle, "password": "pw-12345678"}
        status, _, raw = self.go("POST", f"{api}/sign-in", who, **same)
        assert status == 200, raw
        signed_in = json.loads(raw)
        if signed_in.get("ephemeralToken"):
            same["Authorization"] = f"Bearer {signed_in['ephemeralToken']}"
        account = signed_in["account"]
        did = account.get("did") or account["sub"]
        status, _, raw = self.go(
            "POST", api + ("/consent" if allow else "/reject"), {"did": did} if allow else {}, **same
        )
        assert status == 200, raw
        return self.navigate(json.loads(raw)["url"], "same-origin", Referer=page)["Location"]


def let_in(peer: Peer, channel: Bluesky, person: Person, *, allow: bool = True) -> Mapping[str, str]:
    """A whole sign-in with the browser; what it brings to connect with."""
    flow = channel.browser({"identifier": person.identity.name})
    try:
        back = Browser(peer.pds).decide(flow.url, person.identity.name, allow=allow)
        passed_on(back, Request("GET", back.partition(urlsplit(back).netloc)[2], {}, b""))
        return flow.wait(5)
    finally:
        flow.close()


def test_the_browser_lets_us_in_and_posts_go_out(peer: Peer, bluesky: Bluesky, person: Person) -> None:
    identity = bluesky.connect(let_in(peer, bluesky, person))
    assert identity.handle == person.identity.handle
    assert identity.learned == person.identity.learned
    inside = replace(person, identity=identity, secrets=identity.secrets)
    first = inside.parcel(peer.pds, Item(TORTURE, media=(PICTURE,)))
    receipt = bluesky.publish(first)
    assert "DPoP" in first.trace.request
    account, later = inside.account(peer.pds), datetime.now(UTC) + timedelta(hours=2)
    fresh = bluesky.renew(account, inside.secrets, later)
    renewed = {**inside.secrets, **fresh}
    assert bluesky.publish(replace(first, secret=renewed)).remote_id == receipt.remote_id  # the same is one
    void = {**renewed, "access_jwt": f"{renewed['access_jwt'][:-4]}AAAA"}
    with pytest.raises(TryLater, match="ran out"):
        bluesky.publish(replace(first, secret=void))
    bluesky.delete(account, renewed, receipt)
    assert there(peer, person) == []
    with pytest.raises(NeedsLogin, match="is over"):  # used once more, it ends the sign-in
        bluesky.renew(account, inside.secrets, later)
    with pytest.raises(NeedsLogin, match="is over"):
        bluesky.renew(account, renewed, later)


def test_the_person_says_no_in_the_browser(peer: Peer, bluesky: Bluesky, person: Person) -> None:
    with pytest.raises(Rejected, match="was told not to let Sendoff in"):
        let_in(peer, bluesky, person, allow=False)


# --- films --------------------------------------------------------------------------------------------------------


def test_the_server_lets_the_video_service_hand_a_film_over(peer: Peer, tmp_path: Path) -> None:
    """The permissions are the real server's, and it judges whether they are good for the upload; the service is ours,
    because Bluesky's own is on the internet."""
    data = b"\0\0\0\x18ftypmp42" + secrets.token_bytes(200_000)
    film = Attachment("f" * 64, "a.mp4", "video/mp4", len(data), "Ein Film", width=640, height=480)
    said = b"WEBVTT\n\n00:00.000 --> 00:02.000\nEin Elefant.\n"
    words = Attachment("e" * 64, "a.de.vtt", "text/vtt", len(said))
    (tmp_path / film.sha256).write_bytes(data)
    (tmp_path / words.sha256).write_bytes(said)
    with VideoServer(peer.pds, works=2) as service:
        context = Context(Transport(IMPATIENT), tmp_path)
        bluesky = Bluesky(context, entry=peer.pds, directory=peer.plc, videos=service.url, waits=(0.01,) * 4)
        person = add_person(peer, bluesky, tmp_path)
        made = person.parcel(peer.pds, Item("Look", media=(film, words)))
        receipt = bluesky.publish(made)
        (post,) = there(peer, person)
        assert post["uri"] == receipt.remote_id
        embed = post["value"]["embed"]
        assert (embed["$type"], embed["alt"]) == ("app.bsky.embed.video", "Ein Film")
        path = f"/xrpc/com.atproto.sync.getBlob?did={person.did}&cid={embed['video']['ref']['$link']}"
        assert passed_on(peer.pds, Request("GET", path, {}, b"")).body == data
        assert [(one["lang"], one["file"]["mimeType"], one["file"]["size"]) for one in embed["captions"]] == [
            ("de", "text/vtt", len(said))
        ]
        again = bluesky.publish(replace(made, first_try=made.now, trace=Trace()))
        assert again.data["cid"] == receipt.data["cid"]
        assert len(there(peer, person)) == 1


def test_a_handle_that_changed_is_the_same_account(peer: Peer, person: Person) -> None:
    fresh = f"v{secrets.token_hex(5)}.test"
    status, said = ask(
        peer.pds, "POST", "/xrpc/com.atproto.server.createSession",
        {"identifier": person.did, "password": "pw-12345678"},
    )  # fmt: skip
    assert status == 200, said
    status, said = ask(
        peer.pds, "POST", "/xrpc/com.atproto.identity.updateHandle", {"handle": fresh},
        Authorization=f"Bearer {said['accessJwt']}",
    )  # fmt: skip
    assert status == 200, said
    old = {"identifier": person.identity.handle, "app_password": person.app_password, "did": person.did}
    found = person.channel.connect(old)
    assert (found.handle, found.learned["did"]) == (f"@{fresh}", person.did)
