"""Bluesky, and every server that speaks the AT Protocol: sign-in by app password, posts and threads under own keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sendoff.channels import bluesky_check as checking
from sendoff.channels import bluesky_numbers as counts
from sendoff.channels import bluesky_oauth as oauth
from sendoff.channels import bluesky_pds as pds
from sendoff.channels import bluesky_posts as posts
from sendoff.channels import bluesky_text as rich
from sendoff.channels import bluesky_video as video
from sendoff.channels import tls
from sendoff.channels.bluesky_door import Door
from sendoff.channels.bluesky_pds import Xrpc
from sendoff.channels.http import Answer, Http
from sendoff.channels.reading import ends_at, table
from sendoff.channels.unfinished import unfinished
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import (
    BrowserSignIn,
    Channel,
    Field,
    Frozen,
    How,
    Identity,
    Kind,
    Option,
    Parcel,
    Problem,
    Settle,
    Trace,
)
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import CannotLook, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.numbers import Numbers
from sendoff.domain.post import CAPTIONS, Attachment, Content, LinkCard
from sendoff.domain.text import Span

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between the looks at a video that is still worked on. After them the post waits, not the worker."""

STILL = timedelta(seconds=20)
"""How soon a post looks again for its video. Within the hundred tries that it has, that is half an hour."""


class Bluesky(Channel):
    """One part is one putRecord under a record key of our own; what became of it is read by that key.

    putRecord with swapRecord null and the same record again has one effect: the reference server compares the two
    first (packages/pds, putRecord; atproto d6296a1c, 2026-08-20). createRecord answers a repeat with a 500.
    """

    kind = "bluesky"
    title = "Bluesky"
    needs = "An app password · 1 min"
    group = "network"
    mark = "bluesky"
    steps = (
        "In the Bluesky app: Settings → Privacy and security → App passwords → Add App Password. Name it Sendoff.",
        "Copy what it shows, four groups of four signs; it is shown once. Your main password is not needed.",
        "Write your handle and paste the app password here.",
    )
    can_reach = True
    renews = True
    tells_leaving = True
    own_ids = True
    can_delete = True
    uploads = True
    arms_anew = True  # posts stand by their createdAt: one that waited for a connection belongs where it came out
    stable = "did"
    places = ("did",)
    signs_in_by_browser = True
    browser_first = False  # such a sign-in lasts two weeks at most, and an app password until it is taken back
    capabilities = Capabilities(
        checked="2026-11-27",
        sources=(
            "lexicons app.bsky.feed.post, app.bsky.embed.images and app.bsky.embed.video "
            "(github.com/bluesky-social/atproto at d6296a1c)",
            "src/lib/constants.ts of Bluesky’s own app, for alt text (the lexicon has no limit)",
        ),
        threads=True,
        spacing=1.0,
        prepares=True,
        prepared_life=50 * 60,  # a server may delete a picture that no post took after an hour
        text=300,
        text_bytes=3000,
        counter="graphemes",
        media=4,
        media_types=("image/", "video/mp4", CAPTIONS),
        image_bytes=2_000_000,
        video_bytes=300_000_000,
        file_bytes=20_000,  # captions
        alt=2000,
        card="sent",
        numbers=counts.AT_ONCE,
    )
    fields = (
        Field(
            "identifier", "Handle", placeholder="alice.bsky.social",
            help="All of it, without the @. Your DID or your mail address there will do as well.",
        ),
        Field(
            "app_password", "App password", Kind.SECRET, required=False, placeholder="xxxx-xxxx-xxxx-xxxx",
            help="Settings → Privacy and security → App passwords. Not your main password.",
        ),
        Field(
            "base_url", "Server", Kind.ADDRESS, required=False, advanced=True,
            help="The address of your own PDS. Left empty, it is found by your handle.",
        ),
        Field(
            "ca_file", "CA file", Kind.FILE, required=False, advanced=True,
            help="For a server of your own with an authority of your own (PEM).",
        ),
        Field("did", "DID", required=False, advanced=True, hidden=True),
        Field("oauth", "Browser sign-in", Kind.SECRET, required=False, advanced=True, hidden=True),
    )  # fmt: skip
    options = (
        Option("languages", "Languages", help="Up to three codes: en, de, pt-BR."),
        Option(
            "labels", "Content warning", Kind.CHOICE,
            choices=(
                ("", "None"), ("sexual", "Suggestive"), ("nudity", "Nudity"), ("porn", "Adult content"),
                ("graphic-media", "Graphic media"),
            ),
        ),
        Option("reply_to", "Answers", help="The address of the post that this one answers."),
        Option("quote", "Quotes", help="The address of the post that the first item shows."),
        Option("card_title", "Title of the link’s card", help="In place of what the page says of itself."),
        Option("card_text", "Words of the link’s card"),
    )  # fmt: skip

    def __init__(
        self,
        context: Context,
        *,
        entry: str = pds.ENTRY,
        directory: str = pds.DIRECTORY,
        view: str = counts.VIEW,
        videos: str = video.SERVICE,
        waits: tuple[float, ...] = WAITS,
    ) -> None:
        self._transport = context.transport
        self._videos = videos
        self._waits = waits
        self._view = view
        self._ran_out: dict[str, str] = {}  # by DID the token that its server called over
        self._nonces: oauth.Nonces = {}
        self._door = Door(context.transport, entry, directory, self._nonces)

    # --- signing in -----------------------------------------------------------------------------------------------

    def browser(self, fields: Mapping[str, str]) -> BrowserSignIn:
        return self._door.browser(fields)

    def connect(self, fields: Mapping[str, str]) -> Identity:
        return self._door.connect(fields)

    def renew(self, account: Account, secret: Mapping[str, str], now: datetime) -> Mapping[str, str]:
        """New tokens for the account: by the refresh token, and where that is good for none by the app password.

        Raises:
            NeedsLogin: a browser sign-in is over, or the app password was taken back. TryLater.
        """
        token = secret.get("access_jwt", "")
        until = ends_at(token)
        if token and self._ran_out.get(_did(account)) != token and (until is None or until - now > pds.SOON):
            return {}
        http = self._server(account)
        if grant := oauth.granted(secret):
            return oauth.refreshed(self._transport, grant, self._nonces, http.name, http.ca_file)
        refresh = secret.get("refresh_jwt", "")
        session = pds.refreshed(http, refresh) if refresh else None
        session = session or pds.signed_in(http, _did(account), secret["app_password"])
        if session.did != _did(account):
            raise NeedsLogin(f"{http.name} signed somebody else in.", advice="Sign in again.")
        return session.secrets

    def _server(self, account: Account, trace: Trace | None = None, **headers: str) -> Http:
        base = account.settings.get("base_url") or str(account.learned["pds"])
        ca_file = account.settings.get("ca_file", "")
        return Http(self._transport, base, pds.called(base), headers, ca_file=ca_file, trace=trace or Trace())

    def _xrpc(self, account: Account, secret: Mapping[str, str], trace: Trace | None = None) -> Xrpc:
        token = secret["access_jwt"]

        def ran_out() -> None:
            self._ran_out[_did(account)] = token

        if secret.get("dpop_key"):
            proofs = oauth.Proofs(oauth.Key(secret["dpop_key"]), self._nonces, token)
            return Xrpc(self._server(account, trace), ran_out, proofs)
        return Xrpc(self._server(account, trace, Authorization=f"Bearer {token}"), ran_out)

    def reach(self, account: Account) -> None:
        tls.reach_web(account.settings.get("base_url") or str(account.learned["pds"]))

    # --- before it is sent ----------------------------------------------------------------------------------------

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        return checking.check(content, options, account)

    def linked(self, text: str) -> str:
        return rich.first_link(text)

    def marked(self, text: str) -> Sequence[Span]:
        return rich.marks(text)

    def card(self, content: Content, number: int, options: Mapping[str, str]) -> LinkCard | None:
        return posts.card_of(content, number, options)

    def arm(self, parcel: Parcel) -> Frozen:
        """The record's key and its instant."""
        return Frozen({"rkey": posts.own_key(parcel.now, parcel.key), "created_at": posts.created_at(parcel.now)})

    def upload(self, parcel: Parcel) -> Mapping[str, Any]:
        """Uploads what belongs to this part.

        Returns:
            blobs: the server's names of its pictures, or of its video's captions; video: how far that is.
        """
        xrpc = self._xrpc(parcel.account, parcel.secret)
        film = self._film(xrpc, parcel)
        blobs = [self._upload(xrpc, parcel, one) for one in posts.uploads(parcel)]
        return {"blobs": blobs, **({"video": film.kept} if film else {})} if film or blobs else {}

    def prepare(self, parcel: Parcel) -> Mapping[str, Any]:
        """Uploads what is not there yet, finds out who is mentioned, answered and quoted, and makes the record.

        Returns:
            record: all that is sent, which stays as it is while the uploads are made again, left out while a video is
            still worked on; missing: who is mentioned and nobody; video: how far that is.
        """
        xrpc = self._xrpc(parcel.account, parcel.secret)
        film = self._film(xrpc, parcel)
        if film and not film.blob:
            return {"video": film.kept}
        blobs = [film.blob] if film else []
        blobs += parcel.uploaded.get("blobs") or [self._upload(xrpc, parcel, one) for one in posts.uploads(parcel)]
        kept = table(parcel.prepared.get("record"))
        is_of_now = kept.get("createdAt") == parcel.frozen.get("created_at")
        if is_of_now and posts.refs(kept) == [str(table(one.get("ref")).get("$link")) for one in blobs]:
            return {**parcel.prepared, **({"video": film.kept} if film else {})}
        mentioned = rich.handles(parcel.item.text)
        dids = {handle: did for handle in mentioned if (did := _resolved(xrpc, handle))}
        options, is_first = parcel.options, not parcel.previous
        answered = self._answered(xrpc, options.get("reply_to", "")) if is_first else None
        quoted = self._shown(xrpc, options.get("quote", "")) if is_first else None
        if any("cid" not in one.data for one in (*parcel.previous[:1], *parcel.previous[-1:])):
            raise Rejected(
                "You said of a part of this thread that it is there; its exact address is not known, so nothing can "
                "follow it.",
                advice="Write the rest as a new post that answers it.",
            )
        record = posts.record(
            parcel, dids=dids, blobs=blobs, reply=posts.thread(parcel.previous, answered), quoted=quoted
        )
        missing = [one for one in mentioned if one not in dids]
        return {"record": record, "missing": missing, **({"video": film.kept} if film else {})}

    def _film(self, xrpc: Xrpc, parcel: Parcel, *, anew: bool = False) -> video.Film | None:
        """The video of this part, uploaded and as far as the service is with it; None where there is none.

        Args:
            anew: upload it although that was done.
        """
        found = posts.video(parcel.item)
        if found is None:
            return None
        service = video.Service(self._transport, self._videos, xrpc, _did(parcel.account), self._waits)
        known = {} if anew else table(parcel.prepared.get("video") or parcel.uploaded.get("video"))
        return service.film(parcel, found, known)

    def _upload(self, xrpc: Xrpc, parcel: Parcel, attachment: Attachment) -> dict[str, Any]:
        """The server's own name for a picture or for captions, which goes into the record as it is."""
        patient = xrpc.patient(self._transport.patience.with_files)
        patient.http.told = parcel.telling(attachment)
        answer = patient.post(
            "com.atproto.repo.uploadBlob", data=parcel.file(attachment).read_bytes(),
            headers={"Content-Type": attachment.mime},
        )  # fmt: skip
        blob = table(table(answer.json()).get("blob"))
        if not isinstance(table(blob.get("ref")).get("$link"), str):
            raise TryLater(f"{xrpc.http.name} took a file and did not say under which name.", detail=answer.text[:500])
        return blob

    def _answered(self, xrpc: Xrpc, typed: str) -> dict[str, Any] | None:
        """Root and parent of an answer to a post: the parent's own root, if that is itself an answer."""
        found = _post(xrpc, typed, "answers")
        if found is None:
            return None
        parent, value = found
        root = table(table(value.get("reply")).get("root"))
        is_strong = isinstance(root.get("uri"), str) and isinstance(root.get("cid"), str)
        return {"root": {"uri": root["uri"], "cid": root["cid"]} if is_strong else parent, "parent": parent}

    def _shown(self, xrpc: Xrpc, typed: str) -> dict[str, str] | None:
        found = _post(xrpc, typed, "quotes")
        return found and found[0]

    # --- sending --------------------------------------------------------------------------------------------------

    def publish(self, parcel: Parcel) -> Receipt:
        if "record" not in parcel.prepared:
            parcel = replace(parcel, prepared=self.prepare(parcel))
        if "record" not in parcel.prepared:
            raise unfinished("Bluesky", "the video", parcel, STILL)
        xrpc = self._xrpc(parcel.account, parcel.secret, parcel.trace)
        answer = _put(xrpc, parcel)
        if pds.error(answer)[0] == "BlobNotFound":  # nothing was written, and uploads are seen by nobody
            aside = self._xrpc(parcel.account, parcel.secret)
            self._film(aside, parcel, anew=True)
            for one in posts.uploads(parcel):
                self._upload(aside, parcel, one)
            answer = _put(xrpc, parcel)
        if 400 <= answer.status < 500 and (parcel.first_try is not None or pds.error(answer)[0] == "InvalidSwap"):
            found = self._before_refusal(parcel, xrpc.http.name, answer)
            if found:
                return found
        xrpc.judge(answer, effect=True)
        said = table(answer.json())
        if said.get("uri") != posts.uri(_did(parcel.account), parcel.frozen["rkey"]) or not isinstance(
            said.get("cid"), str
        ):
            raise InDoubt(
                f"{xrpc.http.name} answered with something else than this post. It may have gone out.",
                detail=answer.text[:500], status=answer.status,
            )  # fmt: skip
        return posts.receipt(parcel, _did(parcel.account), said["cid"], _aside(parcel))

    def _before_refusal(self, parcel: Parcel, name: str, answer: Answer) -> Receipt | None:
        """A repeat that is refused proves nothing about the first try, so the key is looked at before that is told.

        Raises:
            InDoubt: the look did not work, or something else stands there.
        """
        try:
            return self.find(replace(parcel, trace=Trace()))
        except (CannotLook, SendError) as wrong:
            said = f"{name} refused the repeat ({answer.status}), and an earlier try may have gone out. {wrong}"
            raise InDoubt(said, status=answer.status) from None

    def delete(self, account: Account, secret: Mapping[str, str], receipt: Receipt) -> None:
        rkey = receipt.remote_id.rpartition("/")[2]
        body = {"repo": _did(account), "collection": posts.COLLECTION, "rkey": rkey}
        self._xrpc(account, secret).post("com.atproto.repo.deleteRecord", effect=True, json=body)

    # --- afterwards -----------------------------------------------------------------------------------------------

    def numbers(
        self, account: Account, secret: Mapping[str, str], receipts: Sequence[Receipt]
    ) -> Mapping[str, Numbers | None]:
        """What the view does not show may not have come to it yet, so the account's own server says what is gone."""
        uris = [one.remote_id for one in receipts]
        found = counts.read(self._transport, self._view, uris)
        gone = [uri for uri in uris if uri not in found and self._is_gone(account, uri)]
        return {uri: found.get(uri) for uri in uris if uri in found or uri in gone}

    def _is_gone(self, account: Account, uri: str) -> bool:
        xrpc, rkey = Xrpc(self._server(account)), uri.rpartition("/")[2]
        answer = xrpc.get(
            "com.atproto.repo.getRecord", ok=(400,), repo=_did(account), collection=posts.COLLECTION, rkey=rkey
        )
        return pds.error(answer)[0] == "RecordNotFound"

    # --- after a lost answer --------------------------------------------------------------------------------------

    def settle(self, account: Account) -> Settle:
        return Settle(
            How.SEARCH,
            looks=(2, 10, 30),
            absent_after=30,
            why="Every post has a name of its own before it leaves, and Sendoff asks the server for that name. What is "
            "not there goes again under it, and twice under one name is once.",
        )

    def find(self, parcel: Parcel) -> Receipt | None:
        """Asks the account's own server for the record under this part's key. Anybody may, so no token is needed."""
        xrpc = Xrpc(self._server(parcel.account, parcel.trace))
        did = _did(parcel.account)
        answer = xrpc.get(
            "com.atproto.repo.getRecord", ok=(400,), repo=did, collection=posts.COLLECTION, rkey=parcel.frozen["rkey"]
        )
        if pds.error(answer)[0] == "RecordNotFound":
            return None
        xrpc.judge(answer, effect=False)
        found = table(answer.json())
        if not isinstance(found.get("cid"), str) or not table(found.get("value")):
            raise TryLater(
                f"{xrpc.http.name} answered the look with something else than a post.", detail=answer.text[:500]
            )
        if not posts.is_same(found["value"], parcel):
            raise CannotLook(
                "There is another post under the name of this one. Look at your profile whether it is there."
            )
        return posts.receipt(parcel, did, found["cid"], f"Found under its own name. {_aside(parcel)}".strip())


# --- one request --------------------------------------------------------------------------------------------------


def _did(account: Account) -> str:
    return str(account.learned["did"])


def _put(xrpc: Xrpc, parcel: Parcel) -> Answer:
    """The request that has the effect: this record under this key, if nothing stands there."""
    body = {
        "repo": _did(parcel.account), "collection": posts.COLLECTION, "rkey": parcel.frozen["rkey"],
        "swapRecord": None, "record": parcel.prepared["record"],
    }  # fmt: skip
    return xrpc.send("POST", "com.atproto.repo.putRecord", effect=True, json=body)


def _resolved(xrpc: Xrpc, handle: str) -> str:
    """Who is behind a handle, or "" if it is nobody."""
    answer = xrpc.get("com.atproto.identity.resolveHandle", ok=(400, 404), handle=handle.lower())
    did = table(answer.json()).get("did")
    return did if answer.status == 200 and isinstance(did, str) and did.startswith("did:") else ""


def _post(xrpc: Xrpc, typed: str, does: str) -> tuple[dict[str, str], dict[str, Any]] | None:
    """A post that this one answers or quotes: its address and hash, and what it says. The own server passes the
    question on where the post is not its own.

    Raises:
        Rejected: it is not there.
    """
    if not typed.strip():
        return None
    named = posts.named_post(typed)
    author = named and (named[0] if named[0].startswith("did:") else _resolved(xrpc, named[0]))
    if named is None or not author:
        raise Rejected(f"“{typed.strip()}”, which this {does}, is no post of anybody.", advice="Copy its address anew.")
    answer = xrpc.get(
        "com.atproto.repo.getRecord", ok=(400, 404), repo=author, collection=posts.COLLECTION, rkey=named[1]
    )
    found = table(answer.json())
    if answer.status != 200 or not isinstance(found.get("cid"), str):
        raise Rejected(
            f"The post that this {does} is not there: {typed.strip()}", advice="Was it deleted? Copy its address anew."
        )
    return {"uri": posts.uri(author, named[1]), "cid": found["cid"]}, table(found.get("value"))


def _aside(parcel: Parcel) -> str:
    """What did not become a link."""
    missing = ", ".join(f"@{one}" for one in parcel.prepared.get("missing", ()))
    return f"{missing} is nobody there, and stays plain text." if missing else ""
