"""X against the contract, and what comes of doubtful ends: the person's word, or a paid look that finds the post."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import HTTP_CASES, IMPATIENT, Case
from sendoff.channels.x import X
from sendoff.domain.account import Account
from sendoff.domain.channel import How, Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import CannotLook, InDoubt, TryLater
from sendoff.domain.post import Attachment, Content, Item
from tests.fakes.x import CLIENT, KEYS, USER, XServer

PICTURE = Attachment(
    sha256="a" * 64, name="Ausflug.png", mime="image/png", size=67, alt="Ein Elefant.", width=4, height=3
)
COSTLY = (
    "huge",
    "bomb",
    "endless",
    "many_headers",
    "slow",
    "drip",
)  # the contract itself has them; a look after them is no other
DOUBTFUL = [case for case in HTTP_CASES if case.end is InDoubt and case.mode not in COSTLY]
TEXT = "Hello & welcome, https://example.com/x #trip 🐘"
BEARER = "CANARY-bearer-0123456789abcdef"


class XBench:
    """A post with a picture and a link, by the four keys or by a token."""

    options: Mapping[str, str] = {"reply_settings": "following", "made_with_ai": "yes"}

    def __init__(self, folder: Path, *items: Item, reads: str = "yes", by_token: bool = False) -> None:
        self.channel = X(Context(Transport(IMPATIENT), folder))
        self.content = Content(items or (Item(TEXT, media=(PICTURE,)),))
        self.files, self._reads = folder, reads
        grant = json.dumps({"client_id": CLIENT, "until": (datetime.now(UTC) + timedelta(hours=2)).isoformat()})
        tokens = {"bearer": BEARER, "refresh_token": "CANARY-refresh-0123456789", "grant": grant}
        self.secrets: Mapping[str, str] = tokens if by_token else KEYS
        (folder / PICTURE.sha256).write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 59)

    def account(self, url: str) -> Account:
        settings = {"base_url": url, "paid_reads": self._reads}
        return Account(1, 1, "x", "x", "@harborcoffee", settings, {"user_id": USER})


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer() as server:
        server.endpoint.tokens[BEARER] = datetime.now(UTC) + timedelta(hours=2)
        yield server


@pytest.mark.parametrize("case", HTTP_CASES, ids=lambda case: case.mode)
def test_the_contract(server: XServer, tmp_path: Path, case: Case) -> None:
    testing.run(XBench(tmp_path), server, case)


BY_TOKEN = [
    Case("unauthorized", TryLater, 0) if case.mode == "unauthorized" else case  # first the token is renewed
    for case in HTTP_CASES
    if case.mode in ("accept", "unauthorized", "refuse", "error_after", "hang_up_after", "redirect_307")
]


@pytest.mark.parametrize("case", BY_TOKEN, ids=lambda case: case.mode)
def test_the_contract_with_a_token(server: XServer, tmp_path: Path, case: Case) -> None:
    testing.run(XBench(tmp_path, by_token=True), server, case)


def test_a_refused_connection_is_certainly_not_sent(server: XServer, tmp_path: Path) -> None:
    """Made ready at a server that is there: the contract's own silent one numbers no picture."""
    bench = XBench(tmp_path)
    end = testing.refused_connection(bench, testing.parcel(bench, server.url))
    assert "refused the connection" in end.reason


@pytest.mark.parametrize("case", DOUBTFUL, ids=lambda case: case.mode)
def test_a_look_after_doubt_tells_whether_it_is_there(server: XServer, tmp_path: Path, case: Case) -> None:
    bench = XBench(tmp_path)
    server.endpoint.write("Hello & welcome", at=datetime.now(UTC) - timedelta(hours=1))
    made = testing.parcel(bench, server.url)
    server.mode = case.mode
    with pytest.raises(InDoubt):
        bench.channel.publish(made)
    found = bench.channel.find(again(made))
    assert (found is not None) == bool(case.effects)
    if found:
        assert found.remote_id == server.posts[-1].id
        server.mode = "accept"
        assert bench.channel.publish(again(made)).remote_id == found.remote_id  # X says duplicate, the look says which
        assert len(server.endpoint.effects) == 1


def again(made: Parcel) -> Parcel:
    """The parcel as the engine makes it for a look or another try."""
    return replace(made, first_try=made.now, last_try=made.now, trace=Trace())


def test_without_leave_to_read_nothing_is_read(server: XServer, tmp_path: Path) -> None:
    bench = XBench(tmp_path, reads="no")
    made = testing.parcel(bench, server.url)
    assert bench.channel.settle(made.account).how is How.ASK
    assert bench.channel.settle(replace(made.account, settings={})).how is How.ASK
    with pytest.raises(CannotLook, match="set not to"):
        bench.channel.find(made)
    bench.channel.publish(made)
    with pytest.raises(InDoubt, match="has these words already"):
        bench.channel.publish(again(made))
    assert server.endpoint.reads == 0
    assert not [one for one in server.requests if one.method == "GET" and "/tweets" in one.path]


def test_a_thread_hangs_together(server: XServer, tmp_path: Path) -> None:
    words = ("One.", "Two. https://example.com", "Three.", "Four.")
    bench = XBench(tmp_path, *(Item(text, media=(PICTURE,)) for text in words))
    receipts: list[Receipt] = []
    for number in range(1, 5):
        made = testing.parcel(bench, server.url, number=number, of=4, previous=tuple(receipts))
        server.mode = "hang_up_after" if number in (2, 4) else "accept"
        if server.mode == "accept":
            receipts.append(bench.channel.publish(made))
        else:
            with pytest.raises(InDoubt):
                bench.channel.publish(made)
            known = frozenset(one.remote_id for one in receipts)
            found = bench.channel.find(replace(again(made), known=known))
            assert found is not None
            receipts.append(found)
    assert [post.text for post in server.posts] == list(words)
    assert [post.parent for post in server.posts] == ["", *(one.remote_id for one in receipts[:3])]
    assert [one.url for one in receipts] == [f"https://x.com/harborcoffee/status/{one.id}" for one in server.posts]
    assert [post.body.get("reply_settings") for post in server.posts] == ["following", None, None, None]
    assert len(server.endpoint.effects) == 4


def test_what_was_sent_is_deleted_once_and_again(server: XServer, tmp_path: Path) -> None:
    bench = XBench(tmp_path)
    made = testing.parcel(bench, server.url)
    receipt = bench.channel.publish(made)
    assert bench.channel.can_delete
    for _ in range(2):
        bench.channel.delete(made.account, made.secret, receipt)
    assert server.posts == []
