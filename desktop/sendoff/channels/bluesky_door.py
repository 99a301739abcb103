"""The way into a Bluesky account: whose server it is, an app password or the browser, and who came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sendoff.channels import bluesky_oauth as oauth
from sendoff.channels import bluesky_pds as pds
from sendoff.channels.bluesky_pds import Xrpc
from sendoff.channels.http import Http, Transport
from sendoff.channels.oauth import Listener
from sendoff.channels.reading import table
from sendoff.domain.channel import BrowserSignIn, Identity
from sendoff.domain.errors import BadInput, Rejected


@dataclass(frozen=True, slots=True)
class Door:
    """Signs accounts in.

    Args:
        entry: the server that is asked first, and keeps most accounts.
        directory: where identities stand, with the servers of each.
        nonces: those of the servers, which the channel needs too.
    """

    transport: Transport
    entry: str
    directory: str
    nonces: oauth.Nonces

    def browser(self, fields: Mapping[str, str]) -> BrowserSignIn:
        """Pushes the sign-in to whom the account's server trusts with it, and says what to open.

        Raises:
            BadInput: there is no such account. Rejected: its server knows no sign-in with the browser. TryLater.
        """
        where, http = self._where(fields)
        if "@" in where.identifier:
            raise BadInput("With a mail address no browser sign-in can begin. Write your handle.").at("identifier")
        server = oauth.authority(self.transport, where.base, http.name, http.ca_file)
        listener = Listener()
        try:
            return oauth.BoundSignIn(
                self.transport, http.name, server, listener,
                who=where.identifier, did=where.did, fields=fields, nonces=self.nonces, ca_file=http.ca_file,
            )  # fmt: skip
        except BaseException:
            listener.close()
            raise

    def connect(self, fields: Mapping[str, str]) -> Identity:
        password = "".join(fields.get("app_password", "").split())
        grant = oauth.granted(fields)
        if grant is None and not (fields.get("base_url") and password) and not pds.APP_PASSWORD.fullmatch(password):
            if not password:
                raise BadInput("Paste an app password, or sign in with the browser.").at("app_password")
            raise BadInput(
                "That is no app password: those are four groups of four letters and digits, like abcd-efgh-ijkl-mnop. "
                "Make one in the app: Settings → Privacy and security → App passwords."
            ).at("app_password")
        where, http = self._where(fields)
        if grant:
            proved = self._proved(http, where, grant)
            made = self._identity(http, where, proved, {"app_password": "", "oauth": "", **grant.secrets})
            return replace(made, expires=datetime.fromisoformat(grant.ends)) if grant.ends else made
        session = pds.signed_in(http, where.identifier, password)
        note = "" if pds.APP_PASSWORD.fullmatch(password) else (
            "This looks like a main password. An app password can do less harm, and you can take it back by itself."
        )  # fmt: skip
        return self._identity(http, where, session, {"app_password": password, **session.secrets}, note)

    def _where(self, fields: Mapping[str, str]) -> tuple[pds.Home, Http]:
        """The account's server, as it was typed or as its identity says.

        Raises:
            BadInput: there is no such account.
        """
        own, known = fields.get("base_url", ""), fields.get("did", "")
        try:
            who = pds.identifier(fields.get("identifier", ""))
            where = pds.Home(own, who) if own else self._home(who, known)
        except BadInput as wrong:
            raise wrong.at("identifier") from None
        return where, Http(self.transport, where.base, pds.called(where.base), ca_file=fields.get("ca_file", ""))

    def _home(self, who: str, known: str) -> pds.Home:
        """The server of an account that signs in, or signs in again: then `known` is its DID, and its old handle may
        be nobody's any more, or somebody else's.

        Raises:
            BadInput: there is no such account, or it is another one.
        """
        try:
            where = pds.home(self.transport, who, entry=self.entry, directory=self.directory)
        except BadInput:
            if not known:
                raise
            return pds.home(self.transport, known, entry=self.entry, directory=self.directory)
        if known and where.did and where.did != known:
            raise BadInput(f"{who} is another account than this one. Write the handle that yours has today.")
        return where

    def _proved(self, http: Http, where: pds.Home, grant: oauth.Grant) -> pds.Session:
        """Who a browser sign-in is at the account's own server, which has to trust the one who let it in."""
        if oauth.authority(self.transport, http.base, http.name, http.ca_file).issuer != grant.issuer:
            raise Rejected(f"{http.name} does not trust {grant.issuer} with sign-ins. Nothing was stored.")
        xrpc = Xrpc(http, proofs=oauth.Proofs(oauth.Key(grant.key), self.nonces, grant.access_token))
        found = table(xrpc.get("com.atproto.server.getSession").json())
        if found.get("did") != grant.did:
            raise Rejected(f"{http.name} signed somebody else in. Nothing was stored.")
        handle = found.get("handle")
        name = handle if isinstance(handle, str) else where.identifier
        return pds.Session(grant.did, name, grant.access_token, grant.refresh_token, {})

    def _identity(
        self, http: Http, where: pds.Home, session: pds.Session, secrets: Mapping[str, str], note: str = ""
    ) -> Identity:
        if where.did and session.did != where.did:
            raise Rejected(f"{http.name} signed somebody else in. Nothing was stored.")
        base = where.base
        if base == self.entry and session.document:
            base = pds.server_of(session.document, session.did, asked=self.entry)
        return Identity(
            handle=f"@{session.handle}",
            name=self._name(replace(http, base=base), session.did) or session.handle,
            url=f"https://bsky.app/profile/{session.handle}",
            learned={"did": session.did, "pds": base},
            settings={"did": session.did},
            secrets=secrets,
            note=note,
        )

    def _name(self, http: Http, did: str) -> str:
        """The name on the profile, which is a record like any other; "" where there is none."""
        answer = Xrpc(http).get(
            "com.atproto.repo.getRecord", ok=range(400, 600), repo=did, collection="app.bsky.actor.profile", rkey="self"
        )
        name = table(table(answer.json()).get("value")).get("displayName")
        return " ".join(name.split()) if isinstance(name, str) else ""
