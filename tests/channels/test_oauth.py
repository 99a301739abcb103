"""Signing in with the browser: the right answer comes through once, and every wrong one changes nothing."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from sendoff.channels.fault_server import FaultServer, Reply, Request
from sendoff.channels.http import Transport
from sendoff.channels.mastodon import Mastodon
from sendoff.channels.oauth import OUT_OF_BAND, Client, CodeSignIn, GivenUp, Listener, Service
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.channel import BrowserSignIn
from sendoff.domain.errors import BadInput, Rejected, TryLater
from tests.fakes.mastodon import MastodonServer


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    with MastodonServer() as server:
        yield server


@pytest.fixture
def mastodon(tmp_path: Path) -> Mastodon:
    return Mastodon(Context(Transport(IMPATIENT), tmp_path))


@pytest.fixture
def sign_in(server: MastodonServer, mastodon: Mastodon) -> Iterator[BrowserSignIn]:
    with closing(mastodon.browser({"server": server.url})) as sign_in:
        yield sign_in


# --- a browser, as far as it matters here -------------------------------------------------------------------------


def visit(url: str, host: str | None = None, method: str = "GET") -> tuple[int, Mapping[str, str], str]:
    """One request as a browser makes it: status, headers, text. `host` is what it believes to talk to."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=5)
    with closing(connection):
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read().decode()


def approved(url: str) -> str:
    """The address at which the browser ends after the person said yes (or no) at the server."""
    status, headers, _ = visit(url)
    assert status == 302
    return headers["Location"]


def in_background(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def changed(url: str, **parameters: str | None) -> str:
    """An address with some parameters replaced, or (None) left out."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **parameters}
    return parts._replace(query=urlencode({name: value for name, value in query.items() if value is not None})).geturl()


def comes_back(url: str) -> None:
    """The browser follows its way to the end, and finds the door answered."""
    assert visit(url)[0] == 200


# --- the whole way ------------------------------------------------------------------------------------------------


def test_a_sign_in_from_the_server_s_name_to_a_working_account(server: MastodonServer, mastodon: Mastodon) -> None:
    sign_in = mastodon.browser({"server": server.url, "access_token": ""})
    browser = in_background(lambda: comes_back(approved(sign_in.url)))
    fields = sign_in.wait(10)
    browser.join(5)
    identity = mastodon.connect(fields)
    assert identity.handle == f"@alice@{server.host}"
    assert identity.settings == {"server": server.url}
    assert identity.secrets["access_token"] in server.endpoint.tokens
    assert server.endpoint.tokens[identity.secrets["access_token"]] == (
        "profile", "read:statuses", "write:statuses", "write:media", "read:search",
    )  # fmt: skip
    assert identity.note == ""


def test_the_request_asks_for_no_more_than_is_used_and_proves_itself(sign_in: BrowserSignIn) -> None:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sign_in.url).query).items()}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 32
    assert asked["scope"] == "profile read:statuses write:statuses write:media read:search"
    redirect = urlsplit(asked["redirect_uri"])
    assert (redirect.scheme, redirect.hostname) == ("http", "127.0.0.1")
    assert len(redirect.path) > 16


def test_a_server_that_lets_no_program_in_has_another_way(mastodon: Mastodon, server: MastodonServer) -> None:
    server.endpoint.lets_in = False
    with pytest.raises(Rejected, match="did not let Sendoff introduce itself") as refused:
        mastodon.browser({"server": server.url})
    assert refused.value.advice == "Paste an access token instead."


def test_two_sign_ins_share_nothing(mastodon: Mastodon, server: MastodonServer) -> None:
    with (
        closing(mastodon.browser({"server": server.url})) as one,
        closing(mastodon.browser({"server": server.url})) as two,
    ):
        first, second = (parse_qs(urlsplit(each.url).query) for each in (one, two))
    for name in ("state", "code_challenge", "redirect_uri", "client_id"):
        assert first[name] != second[name]


def test_the_door_is_open_before_anybody_is_told_of_it(sign_in: BrowserSignIn) -> None:
    redirect = parse_qs(urlsplit(sign_in.url).query)["redirect_uri"][0]
    with socket.create_connection((urlsplit(redirect).hostname, urlsplit(redirect).port), timeout=2):
        pass


def test_the_page_at_the_end_is_calm_and_holds_nothing(sign_in: BrowserSignIn) -> None:
    back = approved(sign_in.url)
    status, headers, text = visit(back)
    assert status == 200
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    for value in parse_qs(urlsplit(back).query).values():
        assert value[0] not in text


# --- answers that are not ours ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"state": "x" * 43}, "not meant for this sign-in"),
        ({"state": None}, "not meant for this sign-in"),
        ({"state": "ünïcode"}, "not meant for this sign-in"),
        ({"code": None}, "without a code"),
        ({"code": ""}, "without a code"),
        ({"iss": "https://evil.example"}, "from somebody else"),
        ({"code": None, "error": "access_denied"}, "told not to let Sendoff in"),
        ({"code": None, "error": "server_error", "error_description": "We are\nbusy"}, "“We are busy”"),
        ({"code": None, "error": "temporarily_unavailable"}, "“temporarily_unavailable”"),
    ],
)  # fmt: skip
def test_wrong_answers_end_the_sign_in_before_any_key_is_asked_for(
    server: MastodonServer, sign_in: BrowserSignIn, wrong: dict[str, str | None], words: str
) -> None:
    comes_back(changed(approved(sign_in.url), **wrong))
    with pytest.raises(Rejected, match=words):
        sign_in.wait(5)
    assert not any(request.path == "/oauth/token" for request in server.requests)
    assert server.endpoint.tokens == {}


def test_a_parameter_that_stands_there_twice_is_worth_nothing(sign_in: BrowserSignIn) -> None:
    back = approved(sign_in.url)
    comes_back(f"{back}&state={parse_qs(urlsplit(back).query)['state'][0]}")
    with pytest.raises(Rejected, match="not meant for this sign-in"):
        sign_in.wait(5)


def test_an_answer_of_an_earlier_sign_in_is_refused(mastodon: Mastodon, server: MastodonServer) -> None:
    with (
        closing(mastodon.browser({"server": server.url})) as earlier,
        closing(mastodon.browser({"server": server.url})) as now,
    ):
        old = urlsplit(approved(earlier.url)).query
        comes_back(parse_qs(urlsplit(now.url).query)["redirect_uri"][0] + "?" + old)
        with pytest.raises(Rejected, match="not meant for this sign-in"):
            now.wait(5)
    assert server.endpoint.tokens == {}


def test_an_issuer_that_is_the_right_one_comes_through(server: MastodonServer, sign_in: BrowserSignIn) -> None:
    server.endpoint.issuer = f"{server.url}/"
    comes_back(approved(sign_in.url))
    assert sign_in.wait(5)["access_token"] in server.endpoint.tokens


def test_a_server_that_promised_to_name_itself_has_to(mastodon: Mastodon, server: MastodonServer) -> None:
    server.endpoint.extra_metadata = {"authorization_response_iss_parameter_supported": True}
    with closing(mastodon.browser({"server": server.url})) as sign_in:
        comes_back(approved(sign_in.url))
        with pytest.raises(Rejected, match="from somebody else"):
            sign_in.wait(5)


def test_the_person_says_no(server: MastodonServer, sign_in: BrowserSignIn) -> None:
    server.endpoint.approve = False
    comes_back(approved(sign_in.url))
    with pytest.raises(
        Rejected, match=r"was told not to let Sendoff in\. Start the sign-in again if that was a slip\."
    ):
        sign_in.wait(5)


def test_a_second_answer_finds_nobody(server: MastodonServer, sign_in: BrowserSignIn) -> None:
    back = approved(sign_in.url)
    comes_back(back)
    first = sign_in.wait(5)
    try:
        assert visit(changed(back, code="another"))[0] == 410
    except ConnectionError:
        pass  # the listener is closed already, which is as good
    assert list(server.endpoint.tokens) == [first["access_token"]]


def test_of_two_answers_at_once_the_first_one_counts() -> None:
    with closing(Listener()) as listener:
        assert listener.take({"code": "first"})
        assert not listener.take({"code": "second"})
        assert listener.wait(0.01) == {"code": "first"}
    with closing(Listener()) as listener:
        listener.close()
        assert not listener.take({"code": "late"})


def test_other_paths_hosts_and_methods_change_nothing(sign_in: BrowserSignIn, server: MastodonServer) -> None:
    back = approved(sign_in.url)
    origin = back[: back.index("/", len("http://"))]
    assert visit(f"{origin}/favicon.ico")[0] == 404
    assert visit(f"{origin}/?{urlsplit(back).query}")[0] == 404
    assert visit(back, host="evil.example")[0] == 421
    assert visit(back, host=f"localhost:{urlsplit(back).port}")[0] == 421
    assert visit(back, method="POST")[0] == 501
    comes_back(back)
    assert sign_in.wait(5)["access_token"] in server.endpoint.tokens


def test_a_connection_that_says_nothing_does_not_block_the_door(sign_in: BrowserSignIn) -> None:
    """Browsers open connections ahead of need."""
    back = approved(sign_in.url)
    with socket.create_connection(("127.0.0.1", urlsplit(back).port), timeout=5):
        comes_back(back)
        assert sign_in.wait(5)["access_token"]


def test_a_browser_that_does_not_wait_for_the_page_is_enough(sign_in: BrowserSignIn) -> None:
    back = approved(sign_in.url)
    with socket.create_connection(("127.0.0.1", urlsplit(back).port), timeout=5) as line:
        parts = urlsplit(back)
        line.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    assert sign_in.wait(5)["access_token"]


# --- no answer at all ---------------------------------------------------------------------------------------------


def test_the_person_closes_the_browser(sign_in: BrowserSignIn) -> None:
    with pytest.raises(TryLater, match="The browser did not come back"):
        sign_in.wait(0.05)


def test_waiting_can_go_on_after_a_pause(sign_in: BrowserSignIn) -> None:
    with pytest.raises(TryLater):
        sign_in.wait(0.01)
    comes_back(approved(sign_in.url))
    assert sign_in.wait(5)["access_token"]


def test_the_door_closes_by_itself_after_its_time() -> None:
    listener = Listener(limit=0.1)
    with pytest.raises(TryLater, match="did not come back"):
        listener.wait(60)
    assert not listener.is_open
    with pytest.raises(ConnectionError):
        visit(listener.redirect_uri)


def test_another_thread_gives_up(sign_in: BrowserSignIn) -> None:
    began = time.monotonic()
    threading.Timer(0.05, sign_in.close).start()
    with pytest.raises(GivenUp, match="Nothing was changed"):
        sign_in.wait(60)
    assert time.monotonic() - began < 5
    sign_in.close()  # again is fine


def test_what_comes_after_giving_up_is_not_taken(sign_in: BrowserSignIn, server: MastodonServer) -> None:
    back = approved(sign_in.url)
    sign_in.close()
    try:
        assert visit(back)[0] == 410
    except ConnectionError:
        pass
    with pytest.raises(GivenUp):
        sign_in.wait(5)
    assert server.endpoint.tokens == {}


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(TryLater, match=f"Port {port} of this computer can’t be listened on"):
            Listener(port=port)


def test_a_fixed_port_is_used_as_asked_for() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with closing(Listener(port=port)) as listener:
        assert listener.redirect_uri.startswith(f"http://127.0.0.1:{port}/")


# --- by hand ------------------------------------------------------------------------------------------------------


def test_a_code_that_the_page_showed_is_pasted(sign_in: BrowserSignIn, server: MastodonServer) -> None:
    assert parse_qs(urlsplit(sign_in.code_url).query)["redirect_uri"] == [OUT_OF_BAND]
    _, _, page = visit(sign_in.code_url)
    code = page.split("<code>")[1].split("</code>")[0]
    fields = sign_in.paste(f"  {code}\n")
    assert fields["server"] == server.url
    assert fields["access_token"] in server.endpoint.tokens
    with pytest.raises(GivenUp):
        sign_in.wait(5)


def test_a_wrong_code_can_be_corrected(sign_in: BrowserSignIn) -> None:
    with pytest.raises(Rejected, match="did not hand out a key: “The provided authorization grant is invalid"):
        sign_in.paste("wrong")
    with pytest.raises(Rejected, match="That is no code"):
        sign_in.paste("two words")
    with pytest.raises(Rejected, match="That is no code"):
        sign_in.paste("")
    code = visit(sign_in.code_url)[2].split("<code>")[1].split("</code>")[0]
    assert sign_in.paste(code)["access_token"]


def test_the_address_of_a_browser_elsewhere_is_pasted(sign_in: BrowserSignIn, server: MastodonServer) -> None:
    """The browser runs on another computer, where nobody listens; its address bar holds all that is needed."""
    back = approved(sign_in.url)
    with pytest.raises(Rejected, match="does not belong to this sign-in"):
        sign_in.paste("http://127.0.0.1:1/other?" + urlsplit(back).query)
    with pytest.raises(Rejected, match="not meant for this sign-in"):
        sign_in.paste(changed(back, state="wrong"))
    assert sign_in.paste(back)["access_token"] in server.endpoint.tokens


# --- the server's side --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://mastodon.example/oauth/token", "ftp://x.example/", "javascript:alert(1)", "https:///x"]
)
def test_an_endpoint_that_is_not_encrypted_is_refused(url: str) -> None:
    with pytest.raises(Rejected, match="not encrypted"):
        Service("mastodon.example", "https://mastodon.example/oauth/authorize", url)
    with pytest.raises(Rejected, match="not encrypted"):
        Service("mastodon.example", url, "https://mastodon.example/oauth/token")


def test_a_server_that_names_a_plain_address_for_its_keys_gets_nothing(
    mastodon: Mastodon, server: MastodonServer
) -> None:
    server.endpoint.extra_metadata = {"token_endpoint": "http://mastodon.example/oauth/token"}
    with pytest.raises(Rejected, match="not encrypted"):
        mastodon.browser({"server": server.url})
    assert server.endpoint.apps == {}


@pytest.mark.parametrize("name", ["authorize_url", "token_url"])
@pytest.mark.parametrize("url", ["http://127.0.0.1:631/admin", "http://localhost:8080/", "https://[::1]/"])
def test_a_server_elsewhere_names_nothing_on_this_computer(name: str, url: str) -> None:
    told = {"authorize_url": "https://m.example/a", "token_url": "https://m.example/t", name: url}
    with pytest.raises(Rejected, match="of your own computer"):
        Service("m.example", **told, told_by="https://m.example")
    Service("m.example", **told, told_by="http://localhost:3000")


class Keys:
    """A token endpoint that answers as it is told."""

    def __init__(self, reply: Reply) -> None:
        self.effects: list[object] = []
        self.reply = reply

    def is_effect(self, request: Request) -> bool:
        return request.method == "POST"

    def handle(self, request: Request) -> Reply:
        return self.reply


@pytest.mark.parametrize(
    ("status", "body", "end", "words"),
    [
        (200, b"{}", Rejected, "did not hand out a key"),
        (200, b'{"access_token": 5}', Rejected, "did not hand out a key"),
        (200, b"<html>", Rejected, "did not hand out a key"),
        (200, b'{"access_token": "canary", "token_type": "mac"}', Rejected, "a kind of key"),
        (400, b'{"error": "invalid_grant", "error_description": "It is\\nused up."}', Rejected, "“It is used up.”"),
        (401, b'{"error": "invalid_client"}', Rejected, "“invalid_client”"),
        (302, b"", Rejected, "another address"),
        (500, b"", TryLater, "error of its own"),
        (429, b"", TryLater, "asks to wait"),
    ],
)  # fmt: skip
def test_what_the_token_endpoint_can_say(status: int, body: bytes, end: type[Exception], words: str) -> None:
    with FaultServer(Keys(Reply(status, body))) as server, closing(Listener()) as listener:
        sign_in = CodeSignIn(
            Transport(IMPATIENT), Service("lab.example", "https://lab.example/authorize?x=1", f"{server.url}/token"),
            Client("me", "canary-secret"), listener, scopes=["write"],
            finish=lambda found: {"token": found["access_token"]},
        )  # fmt: skip
        assert sign_in.url.startswith("https://lab.example/authorize?x=1&response_type=code")
        assert sign_in.code_url == ""
        state = parse_qs(urlsplit(sign_in.url).query)["state"][0]
        comes_back(f"{listener.redirect_uri}?code=c&state={state}")
        with pytest.raises(end, match=words) as caught:
            sign_in.wait(5)
        assert "canary" not in str(caught.value)
        assert "canary" not in repr(sign_in._client)


@pytest.mark.parametrize(
    ("flavour", "scope", "has_code_page"),
    [
        ("old", "read:accounts read:statuses write:statuses write:media", True),
        ("gotosocial", "read:accounts read:statuses write:statuses write:media", True),
        ("pixelfed", "read write", False),
        ("friendica", "read:accounts read:statuses write:statuses write:media read:search", False),
    ],
)  # fmt: skip
def test_relatives_are_asked_for_what_they_know(
    mastodon: Mastodon, flavour: str, scope: str, has_code_page: bool
) -> None:
    with MastodonServer(flavour) as server, closing(mastodon.browser({"server": server.url})) as sign_in:
        assert parse_qs(urlsplit(sign_in.url).query)["scope"] == [scope]
        assert bool(sign_in.code_url) is has_code_page
        comes_back(approved(sign_in.url))
        assert mastodon.connect(sign_in.wait(5)).handle == f"@alice@{server.host}"


def test_a_server_that_is_none_is_named_before_anything_opens(mastodon: Mastodon) -> None:
    with (
        FaultServer(Keys(Reply(200, b"<html>A shop</html>"))) as server,
        pytest.raises(BadInput, match="does not speak"),
    ):
        mastodon.browser({"server": server.url})
