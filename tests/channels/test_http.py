"""The line to an endpoint: nothing from the surroundings gets into it, and nothing leads away from it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import tls
from sendoff.channels.fault_server import FaultServer, Reply, Request
from sendoff.channels.http import Http, Patience, Transport
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.channel import Trace
from sendoff.domain.errors import BadInput, InDoubt, Rejected, TryLater
from tests.fakes import authority

KEY = "CANARY-9f2c1a77"


class Says:
    """An endpoint that gives one answer."""

    def __init__(self, reply: Reply) -> None:
        self.effects: list[Any] = []
        self.reply = reply

    def is_effect(self, request: Request) -> bool:
        return False

    def handle(self, request: Request) -> Reply:
        return self.reply


@pytest.fixture
def transport() -> Transport:
    return Transport(IMPATIENT)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(Says(Reply())) as server:
        yield server


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_netrc_and_proxies_of_the_surroundings_are_not_used(
    transport: Transport, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """requests itself would let ~/.netrc take the place of the key, and send the key to a proxy."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password stolen\ndefault login mallory password stolen\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    Http(transport, server.url, "Harbor", headers={"Authorization": f"Bearer {KEY}"}).read("/me")
    Http(transport, server.url, "Harbor").read("/public")
    first, second = (lowered(one.headers) for one in server.requests)
    assert first["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in second
    assert [one.path for one in server.requests] == ["/me", "/public"]


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7", "RateLimit-Reset": "30"}, 7),
        ({"RateLimit": '"hour";r=0;t=30', "X-RateLimit-Reset": "99"}, 30),
        ({"RateLimit": '"hour";r=0', "RateLimit-Reset": "31"}, 31),
        ({"X-RateLimit-Reset": "32"}, 32),
        ({"X-RateLimit-Reset": "{unix}"}, 40),
        ({"X-RateLimit-Reset": "{milliseconds}"}, 40),
        ({"X-RateLimit-Reset": "{iso}"}, 40),
        ({"X-RateLimit-Reset": "9000000"}, 86_400),
        ({"X-RateLimit-Reset": "-5"}, 0),
        ({"X-RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Reset": "nan"}, None),
        ({"X-RateLimit-Reset": "1e300"}, None),
    ],
)
def test_a_limit_ends_when_the_answer_says(transport: Transport, told: dict[str, str], seconds: int | None) -> None:
    end = datetime.now(UTC) + timedelta(seconds=40)
    units = {"unix": f"{end.timestamp():.0f}", "milliseconds": f"{end.timestamp() * 1000:.0f}", "iso": end.isoformat()}
    headers = {name: value.format(**units) for name, value in told.items()}
    with FaultServer(Says(Reply(429, b"{}", headers))) as server, pytest.raises(TryLater) as caught:
        Http(transport, server.url, "Harbor").write("/posts", json={})
    after = caught.value.after
    assert (after is None) == (seconds is None)
    assert after is None or seconds - 3 <= after.total_seconds() <= seconds + 1  # type: ignore[operator]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("verb", ["read", "write"])
def test_no_redirect_is_followed(transport: Transport, status: int, verb: str) -> None:
    """Not even by a reading request: it would carry its keys along to wherever it is sent."""
    with FaultServer(Says(Reply())) as elsewhere:
        away = Reply(status, b"", {"Location": f"{elsewhere.url.replace('127.0.0.1', 'localhost')}/there"})
        with FaultServer(Says(away)) as server:
            http = Http(transport, server.url, "Harbor", headers={"X-Api-Key": KEY})
            with pytest.raises(Rejected, match="wants to send us on to localhost"):
                getattr(http, verb)("/here")
        assert elsewhere.requests == []


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Cookie", "Proxy-Authorization", "DPoP"])
@pytest.mark.parametrize("scheme", ["Bearer ", ""], ids=["scheme", "bare"])
def test_what_is_noted_of_a_request_hides_its_keys(
    transport: Transport, server: FaultServer, name: str, scheme: str
) -> None:
    http = Http(transport, server.url, "Harbor", headers={name: scheme + KEY})
    http.read("/me")
    assert lowered(server.requests[0].headers)[name.lower()] == scheme + KEY
    assert name in http.trace.request
    assert KEY not in http.trace.request + http.rehearse("GET", "/me")


def test_a_key_in_the_path_is_in_nothing_that_is_kept(transport: Transport) -> None:
    with FaultServer(Says(Reply(400, f'{{"error": "no such bot{KEY}"}}'.encode()))) as server:
        http = Http(transport, server.url, "Harbor", hidden=KEY)
        with pytest.raises(Rejected) as wrong:
            http.read(f"/bot{KEY}/getMe")
    assert server.requests[0].path == f"/bot{KEY}/getMe"
    kept = [str(wrong.value), wrong.value.detail, http.trace.request, http.trace.answer, repr(http)]
    assert [text for text in kept if KEY in text] == []


def test_a_cookie_is_not_kept_and_not_sent_back(transport: Transport) -> None:
    with FaultServer(Says(Reply(headers={"Set-Cookie": f"session={KEY}; Path=/"}))) as server:
        http = Http(transport, server.url, "Harbor")
        http.read("/one")
        http.read("/two")
    assert KEY not in http.trace.answer
    assert "cookie" not in lowered(server.requests[1].headers)


def test_an_answer_is_read_up_to_a_limit_and_never_unpacked(transport: Transport) -> None:
    transport.patience = Patience(connect=2, read=2, total=4, most=1000)
    with FaultServer(Says(Reply(body=b"x" * 5000, headers={"Content-Encoding": "gzip"}))) as server:
        answer = Http(transport, server.url, "Harbor").read("/much")
    assert answer.body == b"x" * 1000
    assert lowered(server.requests[0].headers)["accept-encoding"] == "identity"


def test_an_answer_that_was_cut_is_no_receipt_although_it_can_be_read(transport: Transport) -> None:
    says = Says(Reply(body=b'{"id": "1"}   '))
    says.is_effect = lambda request: True  # type: ignore[method-assign]
    with FaultServer(says) as server:
        server.mode = "cut_answer"  # the last three bytes are missing
        http = Http(transport, server.url, "Harbor")
        with pytest.raises(InDoubt):
            http.write("/notes", json={})


def test_one_thread_keeps_the_time_of_all_transports(server: FaultServer) -> None:
    for patience in (IMPATIENT, IMPATIENT.with_files):
        Http(Transport(patience), server.url, "Harbor").read("/me")
    assert [one.name for one in threading.enumerate()].count("http-deadlines") == 1


def test_what_was_kept_from_leaving_leaves_nothing_on_the_line(transport: Transport, server: FaultServer) -> None:
    """The journal could not be written when the line stood already: not a byte went, and the next request is whole."""

    def full() -> None:
        raise TryLater("The disk is full.")

    harbor = Http(transport, server.url, "Harbor")
    harbor.read("/first")
    with pytest.raises(TryLater, match="disk is full"):
        replace(harbor, trace=Trace(full)).write("/kept", data=b"kept")
    assert harbor.write("/post", data=b"ahoy").status == 200
    assert [(one.path, one.body) for one in server.requests] == [("/first", b""), ("/post", b"ahoy")]


@pytest.mark.parametrize(
    "address",
    ["http://harbor.example", "ftp://harbor.example", "file:///etc/passwd", "https://ada:pw@harbor.example",
     "https://harbor.example/?key=1", "javascript:alert(1)", "https://"],
)  # fmt: skip
def test_no_line_leads_where_it_could_be_overheard_or_to_no_web_at_all(transport: Transport, address: str) -> None:
    with pytest.raises(BadInput):
        Http(transport, address, "Harbor")


@pytest.mark.parametrize(
    "path", [".evil.example/", "@evil.example/", ":81/x", "x", "http://evil.example/", "file:///x"]
)
def test_no_path_makes_another_host_of_the_base(transport: Transport, path: str) -> None:
    http = Http(transport, "https://harbor.example", "Harbor")
    with pytest.raises(BadInput):
        http.rehearse("GET", path)
    assert http.rehearse("GET", "?page=2").startswith("GET https://harbor.example/?page=2")


def test_the_authorities_are_read_ahead_and_not_when_the_first_post_is_due() -> None:
    tls._context.cache_clear()
    Transport.get_ready()
    assert tls._context.cache_info().currsize == 1


def test_tls_is_1_2_at_least_and_verified() -> None:
    import ssl

    context = tls.context()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_server_that_cannot_prove_its_name_hears_nothing(transport: Transport, tmp_path: Path) -> None:
    ca_file = str(authority.ca_file(tmp_path))
    with FaultServer(Says(Reply()), secure=authority.server_context()) as server:
        with pytest.raises(Rejected, match="can’t prove that it is"):
            Http(transport, server.url, "Harbor", headers={"X-Api-Key": KEY}).read("/")
        assert server.requests == []
        Http(transport, server.url, "Harbor", ca_file=ca_file).read("/")
        assert len(server.requests) == 1
    with FaultServer(Says(Reply()), secure=authority.server_context("elsewhere.example")) as server:
        with pytest.raises(Rejected, match="can’t prove that it is"):
            Http(transport, server.url, "Harbor", ca_file=ca_file).read("/")
        assert server.requests == []
