"""An HTTP endpoint signed in to with the browser: code grant and PKCE, tokens renewed and kept; GitHub's signature."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from sendoff.channels import http_endpoint_setup as setups
from sendoff.channels.fault_server import FaultServer, Reply, Request
from sendoff.channels.http import Transport
from sendoff.channels.http_endpoint import HttpEndpoint
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.account import Account
from sendoff.domain.channel import Trace
from sendoff.domain.delivery import State
from sendoff.domain.errors import BadInput, NeedsLogin, Rejected, TryLater
from sendoff.domain.post import Item
from sendoff.store import accounts
from tests.channels.test_http_endpoint import parcel, typed
from tests.conftest import SetClock
from tests.engine.driver import Driver
from tests.fakes.endpoint import answer

SECRET = "CANARY-client-0123456789"


@dataclass
class Guarded:
    """An API behind an authorization server of its own: /authorize, /token, /me, /notes.

    What a test may set: `life` (seconds of a token, None: not told), `confidential` (the client has a secret, which is
    taken in the `form`, the `header`, or neither has to be), `rotates`, `approve`.
    """

    effects: list[Request] = field(default_factory=list)
    life: int | None = 3600
    confidential: str = "form"
    rotates: bool = True
    approve: bool = True
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    refreshes: set[str] = field(default_factory=set)
    made: int = 0

    def is_effect(self, request: Request) -> bool:
        return request.method == "POST" and request.path == "/notes"

    def handle(self, request: Request) -> Reply:
        path, _, query = request.path.partition("?")
        if path == "/authorize":
            return self._authorize(dict(parse_qsl(query)))
        if path == "/token":
            return self._token(request)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return answer(401, {"error": "who are you?"})
        if self.is_effect(request):
            self.effects.append(request)
        return answer(200, {"id": str(len(self.effects) or 1)})

    def _authorize(self, asked: dict[str, str]) -> Reply:
        back = {"state": asked["state"]}
        if self.approve:
            back["code"] = f"CANARY-code-{len(self.codes)}"
            self.codes[back["code"]] = asked
        else:
            back["error"] = "access_denied"
        return Reply(302, b"", {"Location": f"{asked['redirect_uri']}?{urlencode(back)}"})

    def _token(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.text).items()}
        shown = request.headers.get("Authorization", "")
        in_header = shown == f"Basic {base64.b64encode(f'robot:{SECRET}'.encode()).decode()}"
        in_form = form.get("client_secret") == SECRET
        if (self.confidential == "form" and not in_form) or (self.confidential == "header" and not in_header):
            return answer(401, {"error": "invalid_client"})
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refreshes:
                return answer(400, {"error": "invalid_grant", "error_description": "It was used."})
            if self.rotates:
                self.refreshes.remove(form["refresh_token"])
            return self._hand_out()
        granted = self.codes.pop(form.get("code", ""), None)
        digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            granted is None or granted["redirect_uri"] != form.get("redirect_uri")
            or granted["code_challenge"] != digest.decode().rstrip("=") or granted["code_challenge_method"] != "S256"
            or granted["client_id"] != form.get("client_id", "robot")
        ):  # fmt: skip
            return answer(400, {"error": "invalid_grant"})
        return self._hand_out()

    def _hand_out(self) -> Reply:
        self.made += 1
        found: dict[str, Any] = {"access_token": f"CANARY-access-{self.made:04}", "token_type": "bearer"}
        self.tokens = {found["access_token"]}  # the one before is void
        if self.rotates or self.made == 1:
            found["refresh_token"] = f"CANARY-refresh-{self.made:04}"
            self.refreshes.add(found["refresh_token"])
        if self.life is not None:
            found["expires_in"] = self.life
        return answer(200, found)


class GuardedServer(FaultServer):
    endpoint: Guarded

    def __init__(self) -> None:
        super().__init__(Guarded())

    def __enter__(self) -> GuardedServer:
        return self


@pytest.fixture
def server() -> Iterator[GuardedServer]:
    with GuardedServer() as server:
        yield server


@pytest.fixture
def channel(tmp_path: Path) -> HttpEndpoint:
    return HttpEndpoint(Context(Transport(IMPATIENT), tmp_path))


def form(server: GuardedServer, **more: str) -> dict[str, str]:
    made = {
        "auth": "code", "username": "robot", "authorize_url": f"{server.url}/authorize?audience=notes",
        "token_url": f"{server.url}/token", "scope": "read write", "check_url": "/me", "id_at": "/id",
        "secret": SECRET, **more,
    }  # fmt: skip
    return typed(server.url, **made)


def let_in(channel: HttpEndpoint, server: GuardedServer, **more: str) -> Mapping[str, str]:
    """A whole sign-in with the browser; what it brings to connect with."""
    fields = form(server, **more)
    assert channel.needs_browser(fields)
    with closing(channel.browser(fields)) as flow:
        visited(visited(flow.url))
        return flow.wait(5)


def without_host(fields: Mapping[str, str]) -> dict[str, str]:
    """As a person fills it in; connecting adds the host."""
    return {name: value for name, value in fields.items() if name != "host"}


def visited(url: str) -> str:
    """Opens an address as a browser does; where it is sent on to."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
    connection.request("GET", f"{where.path}?{where.query}", headers={"Host": where.netloc})
    found = connection.getresponse()
    found.read()
    connection.close()
    return found.getheader("Location") or ""


@pytest.mark.parametrize("confidential", ["form", "header", "no"])
def test_a_sign_in_with_the_browser(
    channel: HttpEndpoint, server: GuardedServer, tmp_path: Path, confidential: str
) -> None:
    server.endpoint.confidential = confidential
    fields = let_in(channel, server, **({"secret": ""} if confidential == "no" else {}))
    identity = channel.connect(fields)
    assert identity.secrets["oauth"] == ""
    assert identity.secrets["access_token"] == "CANARY-access-0001"
    assert identity.note == ""  # it was asked at /me
    authorized = next(one for one in server.requests if one.path.startswith("/authorize"))
    asked = dict(parse_qsl(urlsplit(authorized.path).query))
    assert (asked["audience"], asked["scope"], asked["response_type"]) == ("notes", "read write", "code")
    assert urlsplit(asked["redirect_uri"]).hostname == "127.0.0.1"
    secret = {"secret": fields["secret"], **identity.secrets}
    made = parcel(tmp_path, fields, Item("Hello"), secret)
    assert channel.publish(made).remote_id == "1"
    assert server.endpoint.effects[0].headers["Authorization"] == "Bearer CANARY-access-0001"
    assert "CANARY" not in made.trace.request + made.trace.answer


def test_a_code_that_somebody_else_caught_is_worth_nothing(channel: HttpEndpoint, server: GuardedServer) -> None:
    with closing(channel.browser(form(server))) as flow:
        back = visited(flow.url)
        for granted in server.endpoint.codes.values():
            granted["code_challenge"] = "of another verifier"
        visited(back)
        with pytest.raises(Rejected, match="did not hand out a key"):
            flow.wait(5)


def test_who_says_no_is_told_so(channel: HttpEndpoint, server: GuardedServer) -> None:
    server.endpoint.approve = False
    with pytest.raises(Rejected, match="was told not to let Sendoff in"):
        let_in(channel, server)


def test_a_fixed_way_back(channel: HttpEndpoint, server: GuardedServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for _ in range(2):  # again at once
        identity = channel.connect(let_in(channel, server, redirect_port=str(port)))
        assert identity.secrets["access_token"]
    asked = dict(parse_qsl(urlsplit(server.requests[0].path).query))
    assert asked["redirect_uri"] == f"http://127.0.0.1:{port}/callback"


def test_what_is_stored_is_checked_and_not_renewed_on_the_way(channel: HttpEndpoint, server: GuardedServer) -> None:
    """A check stores nothing, and a refresh token works once."""
    fields = let_in(channel, server)
    stored = {**fields, **channel.connect(fields).secrets}
    assert channel.connect(stored).secrets["access_token"] == stored["access_token"]
    over = {**stored, "expires_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    assert "renewed when the next post leaves" in channel.connect(over).note
    assert server.endpoint.made == 1
    with pytest.raises(BadInput, match="Sign in with the browser") as wrong:
        channel.connect(form(server))
    assert wrong.value.field == "auth"


@pytest.mark.parametrize("rotates", [True, False])
def test_tokens_are_renewed_before_their_end(channel: HttpEndpoint, server: GuardedServer, rotates: bool) -> None:
    server.endpoint.rotates = rotates
    fields = let_in(channel, server)
    secret = {"secret": SECRET, **channel.connect(fields).secrets}
    account = Account(1, 1, "endpoint", "n", "h", settings=fields)
    now = datetime.now(UTC)
    assert channel.renew(account, secret, now) == {}
    fresh = channel.renew(account, secret, now + timedelta(minutes=59))
    assert fresh["access_token"] == "CANARY-access-0002"
    assert fresh["refresh_token"] == ("CANARY-refresh-0002" if rotates else "CANARY-refresh-0001")
    if rotates:
        with pytest.raises(NeedsLogin, match=r"does not renew the sign-in: “It was used\.”") as over:
            channel.renew(account, secret, now + timedelta(minutes=59))
        assert "CANARY" not in str(over.value) + over.value.detail
    without = {name: value for name, value in secret.items() if name != "refresh_token"}
    with pytest.raises(NeedsLogin, match="has run out"):
        channel.renew(account, without, now + timedelta(minutes=59))


def test_a_token_that_is_refused_before_its_end_gets_one_chance(
    channel: HttpEndpoint, server: GuardedServer, tmp_path: Path
) -> None:
    server.endpoint.life = None
    fields = let_in(channel, server)
    secret = {"secret": SECRET, **channel.connect(fields).secrets}
    assert secret["expires_at"] == ""
    account = Account(1, 1, "endpoint", "n", "h", settings=fields)
    assert channel.renew(account, secret, datetime.now(UTC) + timedelta(days=900)) == {}
    server.endpoint.tokens.clear()
    made = parcel(tmp_path, fields, Item("Hello"), secret)
    with pytest.raises(TryLater, match="gets a new one"):
        channel.publish(made)
    renewed = {**secret, **channel.renew(account, secret, datetime.now(UTC))}
    assert channel.publish(replace(made, secret=renewed, trace=Trace())).remote_id == "1"
    for end in (TryLater, NeedsLogin):  # one that is refused although it is new is another matter
        server.endpoint.tokens.clear()
        with pytest.raises(end):
            channel.publish(replace(made, secret=renewed, trace=Trace()))
        renewed = {**renewed, **channel.renew(account, renewed, datetime.now(UTC))}
    assert len(server.endpoint.effects) == 1


def test_the_engine_keeps_a_new_token_before_it_uses_it(
    channel: HttpEndpoint, server: GuardedServer, tmp_path: Path, clock: SetClock
) -> None:
    server.endpoint.life = 7200
    fields = let_in(channel, server)
    with closing(Driver(tmp_path / "profile", clock, channel)) as engine:  # type: ignore[arg-type]
        account = engine.commands.accounts.add("endpoint", "notes", without_host(fields))
        with engine.store.writing() as connection:
            ref = accounts.get(connection, account).secret_ref
            kept = engine.secrets.get(ref)
            engine.secrets.put({**kept, "expires_at": engine.clock.now().isoformat()}, ref)
        delivery_id = engine.schedule("Hello", account=account)
        engine.run()
        assert engine.get(delivery_id).state is State.SENT
        kept = engine.secrets.get(ref)
        assert (kept["access_token"], kept["refresh_token"]) == ("CANARY-access-0002", "CANARY-refresh-0002")
        assert server.endpoint.effects[0].headers["Authorization"] == "Bearer CANARY-access-0002"


def test_signing_in_again_needs_no_secret_that_is_stored(
    channel: HttpEndpoint, server: GuardedServer, tmp_path: Path, clock: SetClock
) -> None:
    fields = let_in(channel, server)
    with closing(Driver(tmp_path / "profile", clock, channel)) as engine:  # type: ignore[arg-type]
        account = engine.commands.accounts.add("endpoint", "notes", without_host(fields))
        bare = {name: value for name, value in without_host(form(server)).items() if name != "secret"}
        with closing(engine.commands.accounts.browser("endpoint", bare, account_id=account)) as flow:
            visited(visited(flow.url))
            engine.commands.accounts.reconnect(account, flow.wait(5))
        with engine.store.reading() as connection:
            kept = engine.secrets.get(accounts.get(connection, account).secret_ref)
        assert (kept["secret"], kept["access_token"]) == (SECRET, "CANARY-access-0002")


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"authorize_url": ""}, "authorize_url", "Where does one sign in"),
        ({"token_url": ""}, "token_url", "hands out tokens"),
        ({"username": ""}, "username", "client ID"),
        ({"redirect_port": "80"}, "redirect_port", "between 1024 and 65535"),
        ({"headers": "Authorization: x"}, "headers", "comes from the sign-in"),
    ],
)
def test_what_can_not_be(
    channel: HttpEndpoint, server: GuardedServer, more: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises(BadInput, match=words) as wrong:
        channel.browser({**form(server), **more})
    assert wrong.value.field == field


def test_no_sign_in_goes_over_an_open_line(channel: HttpEndpoint, server: GuardedServer) -> None:
    for name in ("authorize_url", "token_url"):
        with pytest.raises((BadInput, Rejected), match=r"not encrypted|in the open"):
            channel.browser({**form(server), name: "http://auth.example.org/x"})


# --- GitHub's signature -------------------------------------------------------------------------------------------


def test_the_signature_of_github_s_own_example() -> None:
    """docs.github.com, “Validating webhook deliveries”: testing the webhook payload validation."""
    made = setups.hub_signature("It's a Secret to Everybody", b"Hello, World!")
    assert made == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


@pytest.mark.parametrize("name", ["", "X-Signature-256"])
def test_the_bytes_that_leave_are_signed(
    channel: HttpEndpoint, server: GuardedServer, tmp_path: Path, name: str
) -> None:
    settings = typed(server.url, auth="hub", key_name=name)
    server.endpoint.tokens.add("")
    made = parcel(tmp_path, settings, Item('Grüße "😀"'), {"secret": "CANARY schlüssel"})
    channel.publish(made)
    (got,) = server.endpoint.effects
    expected = setups.hub_signature("CANARY schlüssel", got.body)
    assert got.headers[name or "X-Hub-Signature-256"] == expected
    assert json.loads(got.body) == {"text": 'Grüße "😀"'}
    assert "CANARY" not in made.trace.request


def test_a_signature_needs_a_secret(channel: HttpEndpoint, server: GuardedServer) -> None:
    with pytest.raises(BadInput, match="key is missing"):
        channel.connect(typed(server.url, auth="hub"))
