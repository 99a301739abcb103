"""Mastodon under the real engine, store and keychain file: threads with lost answers end whole, once, and in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sendoff.channels.http import Transport
from sendoff.channels.mastodon import Mastodon
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.delivery import State
from tests.channels.test_mastodon import answering
from tests.conftest import SetClock
from tests.engine.driver import Driver
from tests.fakes.mastodon import FLAVOURS, MastodonServer

WORDS = ("One.", "Two @bob@b.example.", "Three.")
TEXT_ONLY = [name for name in FLAVOURS if name != "pixelfed"]


@pytest.fixture
def engine(tmp_path: Path, clock: SetClock) -> Iterator[Driver]:
    channel = Mastodon(Context(Transport(IMPATIENT), tmp_path))
    with closing(Driver(tmp_path / "profile", clock, channel)) as driver:  # type: ignore[arg-type]
        yield driver


def planned(engine: Driver, server: MastodonServer, *texts: str) -> int:
    account = engine.commands.accounts.add("mastodon", "me", {"server": server.url, "access_token": server.token})
    return engine.schedule(*texts, account=account)


@pytest.mark.parametrize("flavour", TEXT_ONLY)
def test_a_thread_with_a_lost_answer_is_found_and_goes_on(engine: Driver, flavour: str) -> None:
    with MastodonServer(flavour) as server:
        delivery_id = planned(engine, server, *WORDS)
        engine.step()
        server.mode, server.times = "hang_up_after", 1
        engine.clock.advance(1)
        engine.step()
        assert engine.get(delivery_id).state is State.IN_DOUBT
        assert engine.settled(delivery_id) <= 35
        assert engine.get(delivery_id).state is State.SENT
        ids = [one.id for one in server.statuses]
        assert [one.text for one in server.statuses] == list(WORDS)
        assert [one.in_reply_to_id for one in server.statuses] == [None, *ids[:-1]]
        assert [part.receipt and part.receipt.remote_id for part in engine.detail(delivery_id).parts] == ids


def test_an_answer_with_an_earlier_post_is_no_receipt(engine: Driver) -> None:
    with MastodonServer() as server:
        delivery_id = planned(engine, server, *WORDS[:2])
        engine.step()
        first = server.statuses[0].id
        with answering(server, {"id": first, "uri": f"{server.url}/users/a/statuses/{first}"}):
            engine.clock.advance(1)
            engine.step()
        doubtful = engine.get(delivery_id)
        assert doubtful.state is State.IN_DOUBT
        assert f"the id of another post ({first})" in doubtful.reason
        engine.settled(delivery_id)
        assert engine.get(delivery_id).state is State.SENT
        assert [one.text for one in server.statuses] == list(WORDS[:2])


@pytest.mark.parametrize("flavour", TEXT_ONLY)
@pytest.mark.parametrize("mode", ["hang_up_before", "error_before", "captive"])
def test_what_never_came_goes_again_once_that_is_sure(engine: Driver, flavour: str, mode: str) -> None:
    with MastodonServer(flavour, mode, times=2) as server:
        delivery_id = planned(engine, server, "Once.")
        took = engine.settled(delivery_id)
        assert engine.get(delivery_id).state is State.SENT
        assert [one.text for one in server.statuses] == ["Once."]
        wait = 300 if FLAVOURS[flavour].repeat == "ignored" else 120
        assert wait * 2 <= took <= wait * 2 + 30  # at once after the first look, after a pause of ≤ 30 s then


def test_a_refused_text_fails_with_the_server_s_words(engine: Driver) -> None:
    with MastodonServer() as server:
        delivery_id = planned(engine, server, "Hello")
        server.endpoint.flavour = FLAVOURS["mastodon"].__class__("mastodon", "4.5.2", limit=3)
        engine.run()
        failed = engine.get(delivery_id)
        assert failed.state is State.FAILED
        assert "“Validation failed: Text character limit of 3 exceeded”" in failed.reason


def test_a_token_that_was_taken_back_holds_everything(engine: Driver, tmp_path: Path) -> None:
    with MastodonServer() as server:
        delivery_id = planned(engine, server, "Hello")
        token, server.endpoint.token = server.token, "canary-another"
        engine.run()
        held = engine.get(delivery_id)
        assert held.state is State.HELD
        assert "no longer accepts the key: “The access token is invalid”" in held.reason
        account = held.account_id
        server.endpoint.token = "canary-new-token"
        engine.commands.accounts.reconnect(account, {"access_token": "canary-new-token"})
        engine.settled(delivery_id)
        assert [one.text for one in server.statuses] == ["Hello"]
    for file in (tmp_path / "profile").rglob("*"):
        assert file.is_dir() or (token.encode() not in file.read_bytes() and b"canary-new" not in file.read_bytes())
