"""Threads of four with pictures, where the process is killed in the middle: the next one goes on, and nothing is twice.

The kill is an exception that nothing catches, at the points where tests/crash kill real processes; what is left is the
database, the keychain and what the network has. Then a new channel and a new engine begin over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from sendoff import killpoints
from sendoff.channels.bluesky import Bluesky
from sendoff.channels.http import Transport
from sendoff.channels.mastodon import Mastodon
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.channels.x import X
from sendoff.domain.channel import Channel
from sendoff.domain.delivery import State
from sendoff.domain.post import Attachment, Content, Item, Plan, Variant
from sendoff.domain.when import When
from tests.conftest import SetClock
from tests.engine.driver import Driver
from tests.fakes.mastodon import MastodonServer
from tests.fakes.pds import PdsServer
from tests.fakes.x import XServer

FAMILY = "👨‍👩‍👧‍👦🇪🇪 שלום e\u0301 日本\u200b"
WORDS = tuple(f"{number} of 4 {FAMILY}" for number in range(1, 5))
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

Seen = list[tuple[str, str, str, int]]
"""What a reader sees of each post, in order: its id, the one it answers, its words, and how many pictures it shows."""


@dataclass(frozen=True)
class Network:
    """One of the networks on the loopback interface."""

    kind: str
    make: Callable[[], Channel]
    fields: Mapping[str, str]
    seen: Callable[[], Seen]


@pytest.fixture(params=["bluesky", "mastodon", "x"])
def network(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[Network]:
    context = Context(Transport(IMPATIENT), tmp_path)
    yield from {"bluesky": on_bluesky, "mastodon": on_mastodon, "x": on_x}[request.param](context, clock)


def on_bluesky(context: Context, clock: SetClock) -> Iterator[Network]:
    with PdsServer() as server:
        server.endpoint.now = clock.now
        fields = {"identifier": "alice.test", "app_password": server.app_password}

        def seen() -> Seen:
            return [
                (
                    one.uri, one.value.get("reply", {}).get("parent", {}).get("uri", ""), one.value["text"],
                    len(one.value["embed"]["images"]),
                )
                for one in server.posts
            ]  # fmt: skip

        yield Network(
            "bluesky", lambda: Bluesky(context, entry=server.url, directory=server.url), fields, seen
        )  # fmt: skip


def on_mastodon(context: Context, clock: SetClock) -> Iterator[Network]:
    with MastodonServer() as server:
        fields = {"server": server.url, "access_token": server.token}

        def seen() -> Seen:
            return [(one.id, one.in_reply_to_id or "", one.text, len(one.media)) for one in server.statuses]

        yield Network("mastodon", lambda: Mastodon(context), fields, seen)


def on_x(context: Context, clock: SetClock) -> Iterator[Network]:
    with XServer() as server:
        server.endpoint.now = clock.now  # type: ignore[method-assign]
        fields = {**server.fields, "paid_reads": "yes"}

        def seen() -> Seen:
            return [(one.id, one.parent, one.text, len(one.body["media"]["media_ids"])) for one in server.posts]

        yield Network("x", lambda: X(context, port=0, now=clock.now), fields, seen)


class Killed(BaseException):
    """The end of a process: nothing that follows it runs."""


@pytest.mark.parametrize("point", ["publish.before", "wire.connected", "wire.noted", "wire.sent", "answer.read"])
def test_a_thread_with_pictures_goes_on_after_a_kill(
    network: Network, point: str, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(reached: str) -> None:
        if reached == point and len(network.seen()) >= 2:
            raise Killed(reached)

    with closing(Driver(tmp_path / "profile", clock, network.make())) as first:  # type: ignore[arg-type]
        account = first.commands.accounts.add(network.kind, "me", network.fields)
        picture = Attachment(first.media.keep(PICTURE), "a.png", "image/png", len(PICTURE), alt=FAMILY)
        content = Content(tuple(Item(words, media=(picture,)) for words in WORDS))
        post_id, _ = first.commands.posts.save_draft(content, [Variant(account)], Plan())
        (delivery_id,) = first.commands.posts.schedule(post_id, When.at(clock.now(), "UTC"))
        with monkeypatch.context() as patched:
            patched.setattr(killpoints, "reach", kill)
            with pytest.raises(Killed):
                first.settled(delivery_id)
        assert len(network.seen()) in (2, 3)
        assert first.get(delivery_id).state is State.SENDING
        drawer = first.drawer
    with closing(Driver(tmp_path / "profile", clock, network.make())) as second:  # type: ignore[arg-type]
        second.drawer = drawer
        clock.advance(2)  # a start takes its time, and the parts of a thread leave a second apart
        second.recover()
        second.settled(delivery_id)
        assert second.get(delivery_id).state is State.SENT
        receipts = [part.receipt.remote_id for part in second.detail(delivery_id).parts if part.receipt]
    seen = network.seen()
    assert [(name, words, pictures) for name, _, words, pictures in seen] == [
        (name, words, 1) for name, words in zip(receipts, WORDS, strict=True)
    ]
    assert [parent for _, parent, _, _ in seen] == ["", *receipts[:-1]]
