"""Mastodon and its relatives against the contract, and what a look finds after every doubtful end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.http import Transport
from sendoff.channels.mastodon import Mastodon
from sendoff.channels.registry import Context
from sendoff.channels.testing import HTTP_CASES, IMPATIENT, Case
from sendoff.domain.account import Account
from sendoff.domain.channel import Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt
from sendoff.domain.post import Attachment, Content, Item
from tests.fakes.mastodon import FLAVOURS, MastodonServer

PICTURE = Attachment(sha256="a" * 64, name="Ausflug mit Anna.png", mime="image/png", size=67, alt="Ein Elefant.")
DOUBTFUL = [case for case in HTTP_CASES if case.end is InDoubt]


class MastodonBench:
    """A post with a picture, so that every flavour takes it."""

    secrets: Mapping[str, str] = {"access_token": "CANARY-token-0123456789abcdef"}
    options: Mapping[str, str] = {"visibility": "unlisted", "spoiler_text": "Elephants", "language": "en"}

    def __init__(self, folder: Path, software: str = "mastodon", items: tuple[Item, ...] | None = None) -> None:
        self.channel = Mastodon(Context(Transport(IMPATIENT), folder), waits=(0.01,) * 3)
        self.content = Content(items or (Item("Hello @bob@b.example, https://example.com/x 🐘", media=(PICTURE,)),))
        self.files = folder
        self.software = software
        (folder / PICTURE.sha256).write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 59)

    def account(self, url: str) -> Account:
        learned = {"software": FLAVOURS[self.software].software.lower(), "account_id": "42"}
        return Account(1, 1, "mastodon", "a", "@alice@lab", settings={"server": url}, learned=learned)


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    with MastodonServer() as server:
        server.endpoint.token = MastodonBench.secrets["access_token"]
        yield server


@pytest.mark.parametrize("case", HTTP_CASES, ids=lambda case: case.mode)
def test_the_contract(server: MastodonServer, tmp_path: Path, case: Case) -> None:
    """Without a deviation: a first try of Mastodon's is as plain as HTTP can be. Repeats are another matter."""
    testing.run(MastodonBench(tmp_path), server, case)


def test_a_refused_connection_is_certainly_not_sent(server: MastodonServer, tmp_path: Path) -> None:
    """Made ready at a server that is there: the contract's own silent one has no list of posts to begin a look from."""
    bench = MastodonBench(tmp_path)
    end = testing.refused_connection(bench, testing.parcel(bench, server.url))
    assert "refused the connection" in end.reason


@pytest.mark.parametrize("case", DOUBTFUL, ids=lambda case: case.mode)
def test_a_look_after_doubt_tells_the_truth(server: MastodonServer, tmp_path: Path, case: Case) -> None:
    looked_for(server, MastodonBench(tmp_path), case)


RELATIVES = ("4.6", "old", "gotosocial", "pleroma", "pixelfed", "friendica")
NEWER = tuple(name for name in FLAVOURS if name not in ("mastodon", *RELATIVES))


@pytest.mark.parametrize(
    ("flavour", "mode"),
    [
        *((name, mode) for name in RELATIVES
          for mode in ("error_after", "hang_up_after", "hang_up_before", "captive", "no_id")),
        *((name, mode) for name in NEWER for mode in ("hang_up_after", "hang_up_before")),
    ],
)  # fmt: skip
def test_a_look_at_its_relatives(tmp_path: Path, flavour: str, mode: str) -> None:
    with MastodonServer(flavour) as server:
        server.endpoint.token = MastodonBench.secrets["access_token"]
        looked_for(server, MastodonBench(tmp_path, flavour), next(case for case in HTTP_CASES if case.mode == mode))


def looked_for(server: MastodonServer, bench: MastodonBench, case: Case) -> None:
    server.endpoint.statuses.clear()
    server.endpoint.write_elsewhere("Hello @bob@b.example, https://example.com/x 🐘")  # the same words, but before
    made = testing.parcel(bench, server.url)
    server.mode = case.mode
    with pytest.raises(InDoubt):
        bench.channel.publish(made)
    found = bench.channel.find(later(made))
    if case.effects:
        assert found is not None
        assert found.remote_id == server.statuses[1].id
        assert found.url == f"{server.url}/@alice/{found.remote_id}"
    else:
        assert found is None
    assert len(server.statuses) == 1 + case.effects


def later(made: Parcel) -> Parcel:
    """The parcel as the engine makes it for a look."""
    return replace(made, first_try=made.now, trace=Trace())


@pytest.mark.parametrize("flavour", list(FLAVOURS))
def test_a_thread_hangs_together(tmp_path: Path, flavour: str) -> None:
    words = ("One.", "Two.", "Three.", "One.")  # the last says what the first said
    bench = MastodonBench(tmp_path, flavour, tuple(Item(text, media=(PICTURE,)) for text in words))
    with MastodonServer(flavour) as server:
        server.endpoint.token = bench.secrets["access_token"]
        receipts: list[Receipt] = []
        for number in range(1, 5):
            made = testing.parcel(bench, server.url, number=number, of=4, previous=tuple(receipts))
            server.mode = "hang_up_after" if number in (2, 4) else "accept"
            if number in (2, 4):
                with pytest.raises(InDoubt):
                    bench.channel.publish(made)
                found = bench.channel.find(later(made))
                assert found is not None
                receipts.append(found)
            else:
                receipts.append(bench.channel.publish(made))
        assert [one.text for one in server.statuses] == list(words)
        ids = [one.id for one in server.statuses]
        assert [one.remote_id for one in receipts] == ids
        assert [one.in_reply_to_id for one in server.statuses] == [None, *ids[:3]]
        assert {one.spoiler_text for one in server.statuses} == {"Elephants"}


def test_a_receipt_says_where_it_is(server: MastodonServer, tmp_path: Path) -> None:
    bench = MastodonBench(tmp_path)
    receipt = bench.channel.publish(testing.parcel(bench, server.url))
    assert receipt.url == f"{server.url}/@alice/{receipt.remote_id}"
    assert receipt.data["uri"] == f"{server.url}/users/alice/statuses/{receipt.remote_id}"
    assert receipt.data["created_at"].endswith("Z")
