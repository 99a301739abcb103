"""Signing in to Bluesky with the browser: bound tokens, nonces that change, refreshes that work once."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sendoff.channels import bluesky_oauth as oauth
from sendoff.channels import testing
from sendoff.channels.bluesky import Bluesky
from sendoff.channels.fault_server import Reply
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.account import Account
from sendoff.domain.channel import Identity, Trace
from sendoff.domain.delivery import State
from sendoff.domain.errors import BadInput, InDoubt, NeedsLogin, Rejected, TryLater
from sendoff.domain.post import Content, Item
from tests.conftest import SetClock
from tests.engine.driver import Driver
from tests.fakes.pds import PdsServer


@pytest.fixture
def server() -> Iterator[PdsServer]:
    with PdsServer() as server:
        yield server


@pytest.fixture
def bluesky(tmp_path: Path, server: PdsServer) -> Bluesky:
    return Bluesky(Context(Transport(IMPATIENT), tmp_path), entry=server.url, directory=server.url)


def visit(url: str) -> str:
    """What the browser does with an address: it goes there, and where it is sent on to, there too."""
    where = urlsplit(url)
    with closing(http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)) as connection:
        connection.request("GET", f"{where.path}?{where.query}")
        answer = connection.getresponse()
        answer.read()
        return visit(answer.headers["Location"]) if answer.status == 303 else url


def by_browser(bluesky: Bluesky, **typed: str) -> Mapping[str, str]:
    """The fields that a whole sign-in brings."""
    flow = bluesky.browser({"identifier": "alice.test", **typed})
    visit(flow.url)
    return flow.wait(5)


class Bench:
    """An account that signed in with the browser, and a post."""

    def __init__(self, bluesky: Bluesky, folder: Path) -> None:
        self.channel = bluesky
        self.identity: Identity = bluesky.connect(by_browser(bluesky))
        self.secrets = self.identity.secrets
        self.content = Content((Item("Hello @bob.test."),))
        self.options: Mapping[str, str] = {}
        self.files = folder

    def account(self, url: str = "") -> Account:
        return Account(1, 1, "bluesky", "a", self.identity.handle, learned=self.identity.learned)


def test_a_whole_sign_in(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    bench = Bench(bluesky, tmp_path)
    assert bench.identity.handle == "@alice.test"
    assert bench.identity.learned == {"did": server.endpoint.did, "pds": server.url}
    assert set(bench.secrets) == {
        "app_password", "oauth", "access_jwt", "refresh_jwt", "dpop_key", "dpop_client"
    }  # fmt: skip
    assert (bench.secrets["app_password"], bench.secrets["oauth"]) == ("", "")
    made = testing.parcel(bench, server.url)  # type: ignore[arg-type]
    receipt = bluesky.publish(made)
    assert [one.uri for one in server.posts] == [receipt.remote_id]
    assert server.endpoint.sessions == 0
    assert "DPoP" in made.trace.request
    assert not any(value in made.trace.request for value in bench.secrets.values() if value)
    # Looked at again later, as "Check the account" does: nothing is used up by it.
    again = bluesky.connect({"identifier": "alice.test", **bench.secrets})
    assert again.secrets == bench.secrets
    server.endpoint.now = lambda: datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(TryLater, match="ran out"):
        bluesky.connect({"identifier": "alice.test", **bench.secrets})


def test_its_end_is_known_and_a_renewal_does_not_move_it(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    bench, now = Bench(bluesky, tmp_path), datetime.now(UTC)
    ends = bench.identity.expires
    assert ends is not None
    assert timedelta(0) <= now + oauth.LIFE - ends < timedelta(minutes=1)
    fresh = bluesky.renew(bench.account(), bench.secrets, now + timedelta(minutes=26))
    again = bluesky.connect({"identifier": "alice.test", **bench.secrets, **fresh})
    assert again.expires == ends
    assert bluesky.connect({"identifier": "alice.test", "app_password": server.endpoint.app_password}).expires is None


def test_a_nonce_that_changes_costs_nothing(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    bench = Bench(bluesky, tmp_path)
    made = testing.parcel(bench, server.url)  # type: ignore[arg-type]
    server.endpoint.desk.nonce = "nonce-2"
    bluesky.publish(made)
    assert [one for one, _ in server.endpoint.effects] == ["create"]
    server.endpoint.desk.nonce = "nonce-3"
    server.mode = "hang_up_after"
    with pytest.raises(InDoubt):  # the first request is cut, so no nonce is read: in doubt, as ever
        bluesky.publish(replace(made, trace=Trace()))


def test_a_refresh_works_once_and_is_bound(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    bench, now = Bench(bluesky, tmp_path), datetime.now(UTC)
    account = bench.account()
    assert bluesky.renew(account, bench.secrets, now) == {}
    fresh = bluesky.renew(account, bench.secrets, now + timedelta(minutes=26))
    assert set(fresh) == {"access_jwt", "refresh_jwt"}
    secret = {**bench.secrets, **fresh}
    bluesky.publish(replace(testing.parcel(bench, server.url), secret=secret))  # type: ignore[arg-type]
    with pytest.raises(NeedsLogin, match="two weeks"):
        bluesky.renew(account, {**secret, "dpop_key": oauth.Key().text}, now + timedelta(hours=1))
    with pytest.raises(NeedsLogin, match="is over"):  # the old one once more ends it all
        bluesky.renew(account, bench.secrets, now + timedelta(hours=1))
    with pytest.raises(NeedsLogin):
        bluesky.renew(account, secret, now + timedelta(hours=1))


def test_a_stolen_token_is_worth_nothing_without_the_key(bluesky: Bluesky, server: PdsServer, tmp_path: Path) -> None:
    """The loopback server judges as RFC 9449 says, so this holds the proofs to it."""
    bench = Bench(bluesky, tmp_path)
    made = testing.parcel(bench, server.url)  # type: ignore[arg-type]
    with pytest.raises(NeedsLogin, match="Invalid DPoP key binding"):
        bluesky.publish(replace(made, secret={**bench.secrets, "dpop_key": oauth.Key().text}))
    assert server.posts == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"approve": False}, "was told not to let Sendoff in"),
        ({"issuer": "https://evil.example"}, "somebody else than"),
        ({"names_itself": False}, "somebody else than"),
    ],
)
def test_a_sign_in_that_comes_to_nothing(
    bluesky: Bluesky, server: PdsServer, change: dict[str, Any], words: str
) -> None:
    for name, value in change.items():
        setattr(server.endpoint.desk, name, value)
    with pytest.raises(Rejected, match=words):
        by_browser(bluesky)


def test_somebody_else_signs_in(bluesky: Bluesky, server: PdsServer) -> None:
    flow = bluesky.browser({"identifier": "alice.test"})
    server.endpoint.did = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
    visit(flow.url)
    with pytest.raises(Rejected, match="signed in as somebody else"):
        flow.wait(5)


def test_what_can_t_begin(bluesky: Bluesky, server: PdsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="mail address") as wrong:
        bluesky.browser({"identifier": "alice@example.org"})
    assert wrong.value.field == "identifier"
    with pytest.raises(BadInput, match="no handle"):
        bluesky.browser({"identifier": ""})
    with pytest.raises(Rejected, match="damaged"):
        bluesky.connect({"identifier": "alice.test", "oauth": "{}"})
    told = json.dumps({"authorization_servers": []}).encode()
    monkeypatch.setattr(server.endpoint.desk, "handle", lambda _: Reply(200, told))
    with pytest.raises(Rejected, match="knows no sign-in with the browser"):
        bluesky.browser({"identifier": "alice.test"})


def test_it_lasts_under_the_engine_and_then_holds(
    tmp_path: Path, clock: SetClock, bluesky: Bluesky, server: PdsServer
) -> None:
    server.endpoint.now = clock.now
    with closing(Driver(tmp_path / "profile", clock, bluesky)) as engine:  # type: ignore[arg-type]
        account = engine.commands.accounts.add("bluesky", "me", by_browser(bluesky))
        for number in range(3):
            delivery_id = engine.schedule(f"{number}", seconds=3600, account=account)
            clock.advance(3600)
            engine.run()
            assert engine.get(delivery_id).state is State.SENT
        assert len(server.endpoint.desk.refresh) == 4
        server.endpoint.desk.over.update(one["session"] for one in server.endpoint.desk.refresh.values())
        delivery_id = engine.schedule("Held.", seconds=3600, account=account)
        clock.advance(3600)
        engine.run()
        assert engine.get(delivery_id).state is State.HELD
        assert engine.commands.accounts.reconnect(account, by_browser(bluesky)) == 1
        engine.run()
        assert engine.get(delivery_id).state is State.SENT
        engine.commands.accounts.reconnect(account, {"app_password": server.app_password})
        clock.advance(3600)
        delivery_id = engine.schedule("By password.", account=account)
        engine.run()
        assert engine.get(delivery_id).state is State.SENT


def test_cryptography_is_loaded_by_whoever_signs_in_so_and_by_nobody_else(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sendoff.channels import registry; "
        "from sendoff.channels.http import Transport; "
        "assert 'bluesky' in registry.load(registry.Context(Transport(), Path(sys.argv[1]))).channels; "
        "print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
