"""What people did with posts, as Mastodon, Bluesky and X tell it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sendoff.channels.bluesky import Bluesky
from sendoff.channels.http import Transport
from sendoff.channels.mastodon import Mastodon
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.channels.x import X
from sendoff.domain.account import Account
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import NeedsLogin, TryLater
from sendoff.domain.numbers import Numbers
from tests.fakes.appview import ViewServer
from tests.fakes.mastodon import FLAVOURS, MastodonServer
from tests.fakes.pds import PdsServer
from tests.fakes.x import KEYS, NAME, USER, XServer


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(Transport(IMPATIENT), tmp_path)


# --- Mastodon -----------------------------------------------------------------------------------------------------


def read(context: Context, server: MastodonServer, *ids: str, token: str = "") -> dict[str, Numbers | None]:
    account = Account(1, 1, "mastodon", "a", "@alice", {"server": server.url})
    secret = {"access_token": token or server.token}
    return dict(Mastodon(context).numbers(account, secret, [Receipt(one) for one in ids]))


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_mastodon_post_and_one_that_is_gone(context: Context, flavour: str) -> None:
    with MastodonServer(flavour) as server:
        counts = {"favourites_count": 12, "reblogs_count": 3, "replies_count": 1}
        one = server.endpoint.write_elsewhere("hello", counts=counts)
        assert read(context, server, one.id, "999") == {one.id: Numbers(12, 3, 1, None), "999": None}


def test_quotes_are_told_since_4_5_and_nonsense_is_not_believed(context: Context) -> None:
    with MastodonServer() as server:
        one = server.endpoint.write_elsewhere("a", counts={"quotes_count": 4, "favourites_count": -1})
        assert read(context, server, one.id) == {one.id: Numbers(None, 0, 0, 4)}


def test_a_server_that_answers_with_something_else_tells_nothing(context: Context) -> None:
    with MastodonServer() as server:
        one = server.endpoint.write_elsewhere("a", counts={"id": 7})
        with pytest.raises(TryLater, match="something else than the post"):
            read(context, server, one.id)


# --- Bluesky ------------------------------------------------------------------------------------------------------


@pytest.fixture
def pds() -> Iterator[PdsServer]:
    with PdsServer() as server:
        yield server


@pytest.fixture
def view(pds: PdsServer) -> Iterator[ViewServer]:
    with ViewServer(pds.endpoint) as server:
        yield server


def counted(context: Context, pds: PdsServer, view: ViewServer, *uris: str) -> dict[str, Numbers | None]:
    bluesky = Bluesky(context, entry=pds.url, directory=pds.url, view=view.url)
    account = Account(1, 1, "bluesky", "a", "@alice.test", learned={"did": pds.endpoint.did, "pds": pds.url})
    return dict(bluesky.numbers(account, {}, [Receipt(one) for one in uris]))


def test_bluesky_posts_in_one_question_without_a_key(context: Context, pds: PdsServer, view: ViewServer) -> None:
    first, second = (pds.endpoint.write_elsewhere("hello", rkey=f"3kzzzzzzzzz2{sign}") for sign in "ab")
    view.endpoint.counts[first.uri] = {"likeCount": 12, "repostCount": 3, "replyCount": 1, "quoteCount": 2}
    found = counted(context, pds, view, first.uri, second.uri)
    assert found == {first.uri: Numbers(12, 3, 1, 2), second.uri: Numbers(0, 0, 0, 0)}
    assert len(view.requests) == 1
    assert "Authorization" not in view.requests[0].headers
    assert pds.requests == []


def test_what_the_view_lacks_is_gone_only_if_the_own_server_says_so(
    context: Context, pds: PdsServer, view: ViewServer
) -> None:
    late, gone = (pds.endpoint.write_elsewhere("hello", rkey=f"3kzzzzzzzzz2{sign}") for sign in "ab")
    view.endpoint.unseen = {late.uri}
    pds.endpoint.records.pop((pds.endpoint.did, "app.bsky.feed.post", "3kzzzzzzzzz2b"))
    assert counted(context, pds, view, late.uri, gone.uri) == {gone.uri: None}


@pytest.mark.parametrize(
    ("mode", "end"), [("limit", TryLater), ("error_before", TryLater), ("unauthorized", NeedsLogin)]
)
def test_an_endpoint_that_does_not_tell(
    context: Context, pds: PdsServer, view: ViewServer, mode: str, end: type[Exception]
) -> None:
    one = pds.endpoint.write_elsewhere("hello")
    view.mode = mode
    with pytest.raises(end):
        counted(context, pds, view, one.uri)


# --- X ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def timeline() -> Iterator[XServer]:
    with XServer() as server:
        yield server


def told(context: Context, server: XServer, *ids: str) -> dict[str, Numbers | None]:
    account = Account(1, 1, "x", "x", f"@{NAME}", {"base_url": server.url}, learned={"user_id": USER})
    return dict(X(context).numbers(account, KEYS, [Receipt(one) for one in ids]))


def test_x_posts_in_one_question_and_those_that_are_gone(context: Context, timeline: XServer) -> None:
    counts = {"like_count": 12, "repost_count": 3, "reply_count": 1, "quote_count": 2, "impression_count": 4_000}
    read, bare, late = (timeline.endpoint.write(words, counts=counts) for words in ("a", "b", "c"))
    bare.counts = {}
    timeline.endpoint.hidden = {late.id}
    found = told(context, timeline, read.id, bare.id, late.id, "1")
    assert found == {read.id: Numbers(12, 3, 1, 2, 4_000), bare.id: Numbers(0, 0, 0, 0, 0), "1": None}
    assert (len(timeline.requests), timeline.endpoint.reads) == (1, 2)


def test_x_counted_retweets_once(context: Context, timeline: XServer) -> None:
    one = timeline.endpoint.write("a", counts={"retweet_count": 7})
    one.counts["repost_count"] = "gone"  # type: ignore[assignment]
    assert told(context, timeline, one.id) == {one.id: Numbers(0, None, 0, 0, 0)}


@pytest.mark.parametrize(
    ("mode", "end"),
    [("limit", TryLater), ("error_before", TryLater), ("unauthorized", NeedsLogin), ("no_id", TryLater)],
)
def test_an_x_that_does_not_tell(context: Context, timeline: XServer, mode: str, end: type[Exception]) -> None:
    one = timeline.endpoint.write("a")
    timeline.mode, timeline.endpoint.is_effect = mode, lambda _: True  # type: ignore[method-assign]
    with pytest.raises(end):
        told(context, timeline, one.id)


def test_reading_at_x_is_off_until_it_is_switched_on(context: Context) -> None:
    """It costs, so the engine and Activity ask `may_read` first."""
    off, on = (Account(1, 1, "x", "x", "@a", {"paid_reads": one}) for one in ("no", "yes"))
    x = X(context)
    assert (x.may_read(off), x.may_read(on), x.capabilities.numbers, x.capabilities.read_cost) == (False, True, 100, 1)
