"""The server of a Bluesky account (its PDS): where it is, how one signs in there, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from sendoff.channels.bluesky_oauth import Proofs
from sendoff.channels.http import Answer, Http, Patience, Transport
from sendoff.channels.reading import listed, table
from sendoff.domain.address import may_name, web_address
from sendoff.domain.errors import BadInput, NeedsLogin, Rejected, TryLater

ENTRY = "https://bsky.social"
"""Where an account of Bluesky's own servers signs in with its e-mail address, and where any handle is resolved."""

DIRECTORY = "https://plc.directory"
"""Where the documents of did:plc identities are (github.com/did-method-plc)."""

SOON = timedelta(minutes=5)
"""A token that ends so soon is renewed first. The reference server's lives two hours."""

APP_PASSWORD = re.compile(r"[a-z0-9]{4}(-[a-z0-9]{4}){3}")

_DID = re.compile(r"did:plc:[a-z2-7]{24}|did:web:[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*[a-z0-9]")
_HANDLE = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
"""What a handle looks like (atproto.com/specs/handle), in lower case."""

_RAN_OUT = frozenset({"ExpiredToken", "InvalidToken", "invalid_token"})  # the last of a token bound to a key
_SHUT = frozenset({"AccountTakedown", "AccountDeactivated", "AccountSuspended", "RepoTakendown", "RepoDeactivated"})


class Xrpc:
    """One account's server, asked by XRPC: a GET with parameters or a POST, under /xrpc/ and the method's name.

    Args:
        ran_out: told when the server no longer takes the token, so that the next try brings another one.
        proofs: prove with each request that the token is ours, where it is bound to a key.
    """

    def __init__(self, http: Http, ran_out: Callable[[], None] = lambda: None, proofs: Proofs | None = None) -> None:
        self.http = http
        self._ran_out = ran_out
        self._proofs = proofs

    def patient(self, patience: Patience) -> Xrpc:
        """The same with other waits."""
        return Xrpc(replace(self.http, patience=patience), self._ran_out, self._proofs)

    def send(self, verb: str, method: str, *, effect: bool, query: str = "", **request: Any) -> Answer:
        """Sends a request and reads the whole answer, whatever its status.

        Raises:
            TryLater, Rejected; InDoubt (effect).
        """
        path = f"/xrpc/{method}{query}"
        if self._proofs:
            return self._proofs.send(self.http, verb, path, effect=effect, **request)
        return self.http.send(verb, path, effect=effect, **request)

    def get(self, method: str, *, ok: Iterable[int] = (), **parameters: str) -> Answer:
        """Reads something.

        Raises:
            Rejected, NeedsLogin, TryLater.
        """
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        answer = self.send("GET", method, effect=False, query=query and f"?{query}")
        if answer.status not in ok:
            self.judge(answer, effect=False)
        return answer

    def post(self, method: str, *, effect: bool = False, ok: Iterable[int] = (), **request: Any) -> Answer:
        """Asks for something to be done; with `effect` it is something that people see.

        Raises:
            Rejected, NeedsLogin, TryLater; InDoubt (effect).
        """
        answer = self.send("POST", method, effect=effect, **request)
        if answer.status not in ok:
            self.judge(answer, effect=effect)
        return answer

    def judge(self, answer: Answer, *, effect: bool) -> None:
        """Turns an answer into an end; returns for one that is good (atproto.com/specs/xrpc).

        A token that ran out is a 400 there, and a rate limit says its end in seconds since 1970 (RateLimit-Reset).
        """
        name, said = error(answer)
        who, status = self.http.name, answer.status
        quoted = f": “{said}”." if said else "."
        if status in (400, 401) and name in _RAN_OUT:
            self._ran_out()
            raise TryLater(
                f"The key of {who} ran out; Sendoff gets a new one.", after=timedelta(seconds=1), status=status
            )
        if 400 <= status < 500 and name in _SHUT:
            raise NeedsLogin(
                f"{who} has closed this account or put it to rest{quoted}",
                advice="Look in the Bluesky app what it says, then sign in again here.", status=status,
            )  # fmt: skip
        if status in (400, 413) and (" too big" in said or name == "PayloadTooLarge"):
            raise Rejected(
                f"{who} finds something too big{quoted}",
                advice="Shorten the text or take a smaller picture, then send it again.",
                detail=answer.text[:500], status=status,
            )  # fmt: skip
        self.http.judge(answer, effect=effect, words=said)


def error(answer: Answer) -> tuple[str, str]:
    """The name of an error and the server's words about it."""
    if answer.status < 400:
        return "", ""
    found = table(answer.json())
    name, said = found.get("error"), found.get("message") or found.get("error_description")
    name = name if isinstance(name, str) else ""
    return name, " ".join(said.split())[:300] if isinstance(said, str) and said else name


def called(base: str) -> str:
    """What to call a server in sentences: Bluesky for its own ones, else the name of its host."""
    host = urlsplit(base).hostname or ""
    return "Bluesky" if host.endswith((".bsky.network", "bsky.social")) else urlsplit(base).netloc


# --- who is where -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Home:
    """Where to sign in, and as whom: `identifier` as the server takes it; `did` is "" where it is not known yet."""

    base: str
    identifier: str
    did: str = ""


def identifier(typed: str) -> str:
    """A handle, DID or e-mail address out of what a person may write or paste.

    Raises:
        BadInput: it is none.
    """
    text = typed.strip().removeprefix("https://bsky.app/profile/").strip("/")
    if text.startswith("did:"):
        if not _DID.fullmatch(text):
            raise BadInput(f"“{text}” is no DID. Write your handle, like alice.bsky.social.")
        return text
    text = text.removeprefix("@").strip().lower()
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) or (len(text) <= 253 and _HANDLE.fullmatch(text)):
        return text
    raise BadInput(f"“{typed.strip()}” is no handle. Write all of it, like alice.bsky.social.")


def home(transport: Transport, who: str, *, entry: str, directory: str) -> Home:
    """The server of a handle, DID or e-mail address: handle → DID → its document → its PDS (atproto.com/specs/did).

    Raises:
        BadInput: there is no such handle, or its identity names no server.
    """
    if "@" in who:
        return Home(entry, who)
    did = who if who.startswith("did:") else _resolved(transport, who, entry)
    found = document(transport, did, directory)
    if did != who and f"at://{who}" not in [str(one).lower() for one in listed(found.get("alsoKnownAs"))]:
        raise BadInput(f"The identity behind {who} does not call itself so. Is the handle spelt right?")
    return Home(server_of(found, did, asked=directory), who, did)


def _resolved(transport: Transport, handle: str, entry: str) -> str:
    xrpc = Xrpc(Http(transport, entry, called(entry)))
    did = table(xrpc.get("com.atproto.identity.resolveHandle", ok=(400, 404), handle=handle).json()).get("did")
    if not isinstance(did, str) or not _DID.fullmatch(did):
        raise BadInput(f"There is no account {handle}. Is the handle spelt right? Write all of it.")
    return did


def document(transport: Transport, did: str, directory: str) -> dict[str, Any]:
    """The document of an identity.

    Raises:
        BadInput: there is none.
    """
    if did.startswith("did:web:"):
        base, path = f"https://{did.removeprefix('did:web:')}", "/.well-known/did.json"
    else:
        base, path = directory, f"/{did}"
    found = table(Http(transport, base, urlsplit(base).netloc).read(path, ok=(404, 410)).json())
    if found.get("id") != did:
        raise BadInput(f"There is no identity {did} any more. Write your handle.")
    return found


def server_of(found: Mapping[str, Any], did: str, *, asked: str) -> str:
    """The address of the PDS that an identity's document names. Nobody typed it, so it has to be on the web.

    Args:
        asked: who told the document; what is on this computer may name a server on it.

    Raises:
        BadInput: it names none.
    """
    for service in listed(found.get("service")):
        one = table(service)
        where = one.get("serviceEndpoint")
        if str(one.get("id")) not in ("#atproto_pds", f"{did}#atproto_pds") or not isinstance(where, str):
            continue
        base = web_address(where)
        if may_name(asked, base):
            return base
    raise BadInput("This account’s identity names no server that Sendoff can reach. Write the server’s address below.")


# --- sessions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in (`did`, `handle`), with which tokens; `document` is the identity's, {} where none was sent."""

    did: str
    handle: str
    access_jwt: str
    refresh_jwt: str
    document: Mapping[str, Any]

    @property
    def secrets(self) -> dict[str, str]:
        return {"access_jwt": self.access_jwt, "refresh_jwt": self.refresh_jwt}


def signed_in(http: Http, who: str, password: str) -> Session:
    """A new session (com.atproto.server.createSession). The server allows 30 in five minutes and 300 a day.

    Raises:
        NeedsLogin: the server does not take the two. Rejected, TryLater.
    """
    xrpc = Xrpc(http)
    body = {"identifier": who, "password": password}
    answer = xrpc.post("com.atproto.server.createSession", json=body, ok=(400, 401))
    name, said = error(answer)
    if name == "AuthFactorTokenRequired":
        raise NeedsLogin(
            f"{http.name} wants a code from your mail, because this is your main password.",
            advice="Make an app password: Settings → Privacy and security → App passwords.", status=answer.status,
        ).at("app_password")  # fmt: skip
    if answer.status == 401 or name in ("AuthenticationRequired", "InvalidRequest"):
        raise NeedsLogin(
            f"{http.name} does not take this handle with this app password: “{said}”.",
            advice="Make a new app password: Settings → Privacy and security → App passwords.", status=answer.status,
        ).at("app_password")  # fmt: skip
    xrpc.judge(answer, effect=False)
    return _session(http, answer)


def refreshed(http: Http, refresh_jwt: str) -> Session | None:
    """A new pair of tokens for a refresh token (com.atproto.server.refreshSession); None: it is good for none."""
    header = {"Authorization": f"Bearer {refresh_jwt}"}
    xrpc = Xrpc(http)
    answer = xrpc.post("com.atproto.server.refreshSession", headers=header, ok=(400, 401))
    if answer.status in (400, 401) and error(answer)[0] not in _SHUT:
        return None
    xrpc.judge(answer, effect=False)
    return _session(http, answer)


def _session(http: Http, answer: Answer) -> Session:
    found = table(answer.json())
    names = ("did", "handle", "accessJwt", "refreshJwt")
    did, handle, access, refresh = (value if isinstance(value := found.get(name), str) else "" for name in names)
    if not (_DID.fullmatch(did) and access and refresh):
        raise TryLater(f"{http.name} answered the sign-in with something else than a session.")
    if found.get("active") is False:
        raise NeedsLogin(
            f"{http.name} says that this account is {found.get('status') or 'not active'}.",
            advice="Look in the Bluesky app what it says, then sign in again here.",
        )
    return Session(did, handle, access, refresh, table(found.get("didDoc")))
