"""Prism judges the X channel by X's own OpenAPI file, and the loopback X that it is tested on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.x import X
from sendoff.channels.x_sign import Grant
from sendoff.domain.account import Account
from sendoff.domain.channel import Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.numbers import Numbers
from sendoff.domain.post import Content, Item, Poll, Role
from tests.fakes.letters import attachment
from tests.fakes.x import CLIENT, XServer
from tests.peers.referee import Referee, judging

pytestmark = pytest.mark.peer

SCHEME = "Invalid security scheme used"
"""What the referee says of every request that is signed with keys."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The referee with the loopback X behind it. It knows no requests signed with keys, so most come with a token."""

    referee: Referee
    x: XServer

    def breaches(self) -> list[str]:
        said = self.referee.violations("request") + self.referee.violations("response")
        return [one for one in said if SCHEME not in one]


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ring]:
    with XServer() as x, judging("x-openapi.json", x.url, tmp_path_factory.mktemp("prism")) as referee:
        x.endpoint.public.add(referee.url)  # under which the channel signs
        yield Ring(referee, x)


class Bench:
    def __init__(self, ring: Ring, folder: Path, *items: Item, keys: bool = False, **options: str) -> None:
        self.channel = X(Context(Transport(), folder))
        self.identity = self.channel.connect(
            {**(ring.x.fields if keys else _granted(ring)), "base_url": ring.referee.url}
        )
        self.secrets, self.options = self.identity.secrets, options
        self.content, self.files = Content(items), folder

    def account(self, url: str) -> Account:
        settings = {**self.identity.settings, "paid_reads": "yes"}
        return Account(1, 1, "x", "x", self.identity.handle, settings, self.identity.learned)

    def parcel(self, number: int = 1, previous: tuple[Receipt, ...] = ()) -> Parcel:
        of = len(self.content.items)
        return testing.parcel(self, "", number=number, of=of, previous=previous, key=os.urandom(16).hex())


def _granted(ring: Ring) -> dict[str, str]:
    """What a sign-in with the browser brings."""
    tokens = ring.x.endpoint.hand_out()
    until = datetime.now(UTC) + timedelta(hours=2)
    return {"oauth": Grant(CLIENT, tokens["access_token"], tokens["refresh_token"], until).text}


POSTS: dict[str, tuple[Item, dict[str, str]]] = {
    "text": (Item("Hello & <you> 👨‍👩‍👧‍👦 שלום https://example.com/x?a=1&b=2"), {}),
    "options": (Item("Only you"), {"reply_settings": "verified", "made_with_ai": "yes", "paid_partnership": "yes"}),
    "answer": (Item("Yes"), {"reply_to": "https://x.com/a/status/1900000000000000777"}),
    "quote": (Item("Look"), {"quote": "1900000000000000777"}),
    "poll": (Item("Tea or coffee?", poll=Poll(("Tea", "Coffee"), lasts=10_080 * 60)), {"reply_settings": "following"}),
}


@pytest.mark.parametrize("kind", POSTS)
def test_no_post_breaks_the_official_file(ring: Ring, tmp_path: Path, kind: str) -> None:
    item, options = POSTS[kind]
    ring.x.endpoint.write("Somebody's").id = "1900000000000000777"
    bench = Bench(ring, tmp_path, item, **options)
    receipt = bench.channel.publish(bench.parcel())
    assert ring.x.posts[-1].id == receipt.remote_id
    assert ring.breaches() == []


def test_a_thread_with_media_breaks_nothing(ring: Ring, tmp_path: Path) -> None:
    # In letters, because the referee passes a form on as text.
    film = attachment(tmp_path, b"a film\r\n" * 200_000, "Ausflug.mp4", "video/mp4", role=Role.MEDIA)
    photo = replace(attachment(tmp_path, b"a picture", "a.png", role=Role.MEDIA), alt="Ein „Elefant“ 🐘")
    ring.x.endpoint.waits = 1
    bench = Bench(ring, tmp_path, Item("First", (photo, photo)), Item("Second", (film,)))
    first = bench.channel.publish(bench.parcel())
    bench.channel.publish(bench.parcel(2, (first,)))
    (upload,) = (one for one in ring.x.endpoint.uploads.values() if one.told["media_type"] == "video/mp4")
    assert upload.data == (tmp_path / film.sha256).read_bytes()
    assert ring.x.posts[-1].parent == first.remote_id
    assert ring.breaches() == []


def test_keys_sign_what_goes_through_the_referee(ring: Ring, tmp_path: Path) -> None:
    """Whether the signature fits is the loopback X's to say."""
    bench = Bench(ring, tmp_path, Item("By the keys"), keys=True)
    bench.channel.publish(bench.parcel())
    assert ring.x.posts[-1].text == "By the keys"
    assert ring.breaches() == []


def test_looking_and_taking_back_break_nothing(ring: Ring, tmp_path: Path) -> None:
    for number in range(12):
        ring.x.endpoint.write(f"Other {number}")
    bench = Bench(ring, tmp_path, Item("Once"))
    parcel = bench.parcel()
    receipt = bench.channel.publish(parcel)
    for number in range(12):
        ring.x.endpoint.write(f"Another {number}")
    found = bench.channel.find(replace(parcel, first_try=parcel.now, trace=Trace()))
    assert found is not None
    assert found.remote_id == receipt.remote_id
    told = bench.channel.numbers(bench.account(""), bench.secrets, [receipt, Receipt("1")])
    assert told == {receipt.remote_id: Numbers(0, 0, 0, 0, 0), "1": None}
    bench.channel.delete(bench.account(""), bench.secrets, receipt)
    assert all(one.text != "Once" for one in ring.x.posts)
    assert ring.breaches() == []


def test_the_referee_sees_what_is_wrong(ring: Ring, tmp_path: Path) -> None:
    """Last: the breach stays in its log."""
    bench = Bench(ring, tmp_path, Item("Which?", poll=Poll(("A", "B" * 26))))
    bench.channel.publish(bench.parcel())
    assert any("option" in one for one in ring.referee.violations("request"))
