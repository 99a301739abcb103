"""Bluesky against the contract, and what its key makes of every doubtful end: one post, found or sent again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.bluesky import Bluesky
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import HTTP_CASES, IMPATIENT, Case
from sendoff.domain.account import Account
from sendoff.domain.channel import Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt
from sendoff.domain.post import Attachment, Content, Item
from tests.fakes.pds import PdsServer, Token

PICTURE = Attachment(
    sha256="a" * 64, name="Ausflug.png", mime="image/png", size=67, alt="Ein Elefant.", width=4, height=3
)
COSTLY = ("huge", "bomb", "endless", "many_headers")  # the contract itself has them; a look after them is no other
DOUBTFUL = [case for case in HTTP_CASES if case.end is InDoubt and case.mode not in COSTLY]
TEXT = "Hello @bob.test, https://example.com/x #trip 🐘"


class BlueskyBench:
    """A post with a picture, a mention and a link."""

    secrets: Mapping[str, str] = {
        "app_password": "CANA-RYpa-sswo-rd01",
        "access_jwt": "CANARY-access-0123456789",
        "refresh_jwt": "CANARY-refresh-0123456789",
    }
    options: Mapping[str, str] = {"languages": "en, de", "labels": "graphic-media"}

    def __init__(self, folder: Path, *items: Item) -> None:
        self.channel = Bluesky(Context(Transport(IMPATIENT), folder))
        self.content = Content(items or (Item(TEXT, media=(PICTURE,)),))
        self.files = folder
        (folder / PICTURE.sha256).write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 59)

    def account(self, url: str) -> Account:
        learned = {"did": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "pds": url}
        return Account(1, 1, "bluesky", "a", "@alice.test", learned=learned)


@pytest.fixture
def server() -> Iterator[PdsServer]:
    with PdsServer() as server:
        token = Token("access", datetime.now(UTC) + timedelta(hours=2))
        server.endpoint.tokens[BlueskyBench.secrets["access_jwt"]] = token
        yield server


@pytest.mark.parametrize("case", HTTP_CASES, ids=lambda case: case.mode)
def test_the_contract(server: PdsServer, tmp_path: Path, case: Case) -> None:
    testing.run(BlueskyBench(tmp_path), server, case)


def test_a_refused_connection_is_certainly_not_sent(server: PdsServer, tmp_path: Path) -> None:
    """Made ready at a server that is there: the contract's own silent one names no picture."""
    bench = BlueskyBench(tmp_path)
    end = testing.refused_connection(bench, testing.parcel(bench, server.url))
    assert "refused the connection" in end.reason


@pytest.mark.parametrize("case", DOUBTFUL, ids=lambda case: case.mode)
def test_a_look_and_a_repeat_after_doubt_come_to_one_post(server: PdsServer, tmp_path: Path, case: Case) -> None:
    bench = BlueskyBench(tmp_path)
    made = testing.parcel(bench, server.url)
    server.endpoint.write_elsewhere(TEXT)  # the same words, but not this post
    server.mode = case.mode
    with pytest.raises(InDoubt):
        bench.channel.publish(made)
    found = bench.channel.find(again(made))
    assert (found is not None) == bool(case.effects)
    server.mode = "accept"
    repeated = bench.channel.publish(again(made))
    if found:
        assert (found.remote_id, found.url, found.data) == (repeated.remote_id, repeated.url, repeated.data)
    assert [one for one, _ in server.endpoint.effects] == ["create"]
    assert len(server.posts) == 2


def again(made: Parcel) -> Parcel:
    """The parcel as the engine makes it for a look or another try."""
    return replace(made, first_try=made.now, last_try=made.now, trace=Trace())


def test_a_thread_hangs_together(server: PdsServer, tmp_path: Path) -> None:
    words = ("One.", "Two.", "Three.", "One.")  # the last says what the first said
    bench = BlueskyBench(tmp_path, *(Item(text, media=(PICTURE,)) for text in words))
    receipts: list[Receipt] = []
    for number in range(1, 5):
        made = testing.parcel(bench, server.url, number=number, of=4, previous=tuple(receipts))
        server.mode = "hang_up_after" if number in (2, 4) else "accept"
        if server.mode == "accept":
            receipts.append(bench.channel.publish(made))
        else:
            with pytest.raises(InDoubt):
                bench.channel.publish(made)
            found = bench.channel.find(again(made))
            assert found is not None
            receipts.append(found)
    by_uri = {post.uri: post for post in server.posts}
    thread = [by_uri[one.remote_id] for one in receipts]
    strong = [{"uri": post.uri, "cid": post.cid} for post in thread]
    assert [post.value["text"] for post in thread] == list(words)
    assert "reply" not in thread[0].value
    assert [post.value["reply"] for post in thread[1:]] == [{"root": strong[0], "parent": one} for one in strong[:3]]
    assert len(server.endpoint.effects) == 4


def test_what_was_sent_is_deleted_once_and_again(server: PdsServer, tmp_path: Path) -> None:
    bench = BlueskyBench(tmp_path)
    made = testing.parcel(bench, server.url)
    receipt = bench.channel.publish(made)
    assert bench.channel.can_delete
    for _ in range(2):
        bench.channel.delete(made.account, made.secret, receipt)
    assert server.posts == []
    assert [one for one, _ in server.endpoint.effects] == ["create", "delete"]
    server.mode = "hang_up_before"
    with pytest.raises(InDoubt):
        bench.channel.delete(made.account, made.secret, receipt)
