"""Mastodon, and the servers that speak its API: sign-in, limits as each server tells them, posts, and the look after."""

from __future__ import annotations

import html
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sendoff.channels.fediverse import Software, home, listed, software, table
from sendoff.channels.http import Answer, Http, reset_time
from sendoff.channels.multipart import FileForm
from sendoff.channels.oauth import OUT_OF_BAND, Client, CodeSignIn, Listener, Service
from sendoff.domain.account import Account
from sendoff.domain.channel import (
    BrowserSignIn,
    Capabilities,
    Channel,
    Field,
    How,
    Identity,
    Kind,
    Level,
    Option,
    Parcel,
    Problem,
    Settle,
    Trace,
)
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.post import Attachment, Content, Item, Role
from sendoff.domain.text import MENTION, graphemes

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

CHECKED = "2026-11-23"

WAITS = (0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0)
"""Seconds between the looks at an upload that the server still works on. After them the post waits, not the worker."""

PAGE = 40
"""Posts of one page of the own list; the most that Mastodon gives (docs.joinmastodon.org/methods/accounts)."""

PAGES = 5
"""How far back a look goes. An account that posted more in between can't be judged by a list."""

TOLERANCE = timedelta(minutes=5)
"""How far a server's clock may be behind ours, where the list could not be read before the first try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a program that speaks Mastodon's API differs, as far as a post is concerned.

    Args:
        counter: how it counts text (domain/text.py).
        absent_after: seconds after which a post that is not in the list never came. Longer where no key is kept, so
            that a slow first try has surely ended.
        granular: it knows scopes like write:statuses.
        redirects: one app may have several redirect addresses.
        lists_direct: the own list holds posts for mentioned people only, too.
        refuses_key: seconds for which a key that was seen once is refused.
        needs_media: no post without a picture, unless it answers one.
        polls: it has polls.
        spoiler: the longest content warning, where it has a limit of its own.
        visibilities: what its posts can be.
        body: what to add to a post, so that it comes out as it was written.
    """

    counter: str = "codepoints"
    absent_after: int = 300
    granular: bool = True
    redirects: bool = False
    lists_direct: bool = False
    refuses_key: int = 0
    needs_media: bool = False
    polls: bool = True
    spoiler: int | None = None
    visibilities: tuple[str, ...] = ("public", "unlisted", "private", "direct")
    body: Mapping[str, Any] = field(default_factory=dict)


_MASTODON = Dialect(counter="mastodon", absent_after=120, redirects=True, lists_direct=True)
_PLEROMA = Dialect(counter="graphemes", absent_after=120, redirects=True, body={"content_type": "text/plain"})

DIALECTS: Mapping[str, Dialect] = {
    "mastodon": _MASTODON,
    "hometown": _MASTODON,
    "fedibird": _MASTODON,
    "kmyblue": _MASTODON,
    "gotosocial": Dialect(redirects=True, body={"content_type": "text/plain"}),
    "pleroma": _PLEROMA,
    "akkoma": _PLEROMA,
    "pixelfed": Dialect(
        absent_after=120, granular=False, refuses_key=3600, needs_media=True, polls=False, spoiler=140,
        visibilities=("public", "unlisted", "private"),
    ),
    "friendica": Dialect(polls=False, body={"friendica": {"title": ""}}),
    "takahe": Dialect(),
}  # fmt: skip
"""By the name that NodeInfo gives. From the programs' own sources, read in 2026: gotosocial 0.20, pleroma (2021),
pixelfed (2024), friendica (2024), takahe (2024). Others get the careful defaults."""

OTHERS = frozenset({"misskey", "sharkey", "firefish", "lemmy", "mbin", "peertube", "writefreely", "plume"})
"""Programs of the fediverse that speak something else."""


class Mastodon(Channel):
    """One post is one POST /api/v1/statuses with the part's key; what became of it is read in the own list."""

    kind = "mastodon"
    title = "Mastodon"
    needs = "Your server's name and a browser · 1 min"
    group = "network"
    mark = "mastodon"
    steps = (
        "Write your server's name or your whole handle and sign in with your browser.",
        "Or make a token there: Preferences → Development → New application, with the scopes profile, read:statuses, "
        "write:statuses and write:media. Open the application and copy “Your access token”.",
    )
    capabilities = Capabilities(
        checked=CHECKED,
        sources=("docs.joinmastodon.org/entities/Instance", "docs.joinmastodon.org/methods/statuses"),
        threads=True,
        spacing=1.0,
        prepares=True,
        prepared_life=12 * 3600,  # uploads that no post took are removed after a day (media_attachments_vacuum.rb)
        text=500,
        counter="mastodon",
        url_length=23,
        media=4,
        media_types=("image/", "video/", "audio/"),
        image_bytes=16_777_216,
        image_pixels=33_177_600,
        video_bytes=103_809_024,
        alt=1500,
        poll_options=4,
        poll_option=50,
        poll_min=300,
        poll_max=2_629_746,
    )
    fields = (
        # No ADDRESS: a handle names the server too.
        Field(
            "server", "Server", help="Its name, its address, or your handle there.", placeholder="mastodon.social",
        ),
        Field(
            "access_token", "Access token", Kind.SECRET, required=False,
            help="Only if you don't sign in with the browser: Preferences → Development on your server.",
        ),
        Field(
            "ca_file", "CA file", Kind.FILE, required=False, advanced=True,
            help="For a server of your own with an authority of your own (PEM).",
        ),
    )  # fmt: skip
    options = (
        Option(
            "visibility", "Who sees it", Kind.CHOICE,
            choices=(
                ("", "As set on your server"), ("public", "Everyone"), ("unlisted", "Everyone, but not in lists"),
                ("private", "Followers"), ("direct", "People it mentions"),
            ),
        ),
        Option("spoiler_text", "Content warning", help="Stands in front; the post opens with a click."),
        Option("language", "Language", help="Two or three letters: en, de, pt-BR."),
        Option("sensitive", "Hide pictures until clicked", Kind.SWITCH, default="no", choices=(("no", "No"), ("yes", "Yes"))),
    )  # fmt: skip
    signs_in_by_browser = True

    def __init__(self, context: Context, waits: tuple[float, ...] = WAITS) -> None:
        self._transport = context.transport
        self._waits = waits

    # --- signing in -----------------------------------------------------------------------------------------------

    def browser(self, fields: Mapping[str, str]) -> BrowserSignIn:
        """Registers this program at the server, with an address of this sign-in alone, and says what to open.

        Raises:
            BadInput: there is no such server, or it speaks something else. Rejected, TryLater: it did not register us.
        """
        http = self._server(fields)
        instance, runs = _instance(http)
        dialect = _dialect(runs.name)
        knows = table(http.read("/.well-known/oauth-authorization-server", ok=range(300, 500)).json())
        scopes = _scopes(dialect, listed(knows.get("scopes_supported")))
        service = Service(
            http.name,
            _url(knows, "authorization_endpoint") or f"{http.base}/oauth/authorize",
            _url(knows, "token_endpoint") or f"{http.base}/oauth/token",
            issuer=_url(knows, "issuer") or http.base,
            always_names_itself=knows.get("authorization_response_iss_parameter_supported") is True,
        )
        listener = Listener()
        try:
            redirects = (listener.redirect_uri, *([OUT_OF_BAND] if dialect.redirects else []))
            return CodeSignIn(
                self._transport, service, _registered(http, redirects, scopes), listener, scopes=scopes,
                finish=lambda token: {**fields, "server": http.base, "access_token": str(token["access_token"])},
                ca_file=fields.get("ca_file", ""),
            )  # fmt: skip
        except BaseException:
            listener.close()
            raise

    def connect(self, fields: Mapping[str, str]) -> Identity:
        token = "".join(fields.get("access_token", "").split())
        if not token:
            raise BadInput("Sign in with the browser, or paste an access token of your account.")
        if not token.isascii() or not token.isprintable():
            raise BadInput("That is no access token: it has characters that none has. Copy it once more.")
        http = self._server(fields)
        instance, runs = _instance(http)
        http.headers = {"Authorization": f"Bearer {token}"}
        person = _person(http)
        learned = _figures(instance, runs)
        notes = [_lacking(http)]
        try:
            self._own_page(http, person["id"])
        except Rejected:
            learned["may_look"] = False
            notes.append("This token can't read your posts, so Sendoff has to ask you when an answer gets lost.")
        return Identity(
            handle=f"@{person['username']}@{_domain(instance, http)}",
            name=str(person.get("display_name") or person["username"]),
            url=_url(person, "url"),
            learned={
                **learned, "software": runs.name, "version": runs.version, "account_id": person["id"],
            },
            settings={"server": http.base},
            secrets={"access_token": token},
            note=" ".join(note for note in notes if note),
        )  # fmt: skip

    def _server(self, fields: Mapping[str, str]) -> Http:
        ca_file = fields.get("ca_file", "")
        base = home(self._transport, fields.get("server", ""), ca_file)
        return Http(self._transport, base, urlsplit(base).netloc, ca_file=ca_file)

    def _http(self, parcel: Parcel, trace: Trace) -> Http:
        base = parcel.account.settings["server"]
        return Http(
            self._transport, base, urlsplit(base).netloc,
            headers={"Authorization": f"Bearer {parcel.secret['access_token']}"},
            ca_file=parcel.account.settings.get("ca_file", ""), trace=trace,
        )  # fmt: skip

    # --- before it is sent ----------------------------------------------------------------------------------------

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        dialect, where = _dialect(account.learned.get("software", "mastodon")), account.handle or self.title
        yield from _check_options(options, dialect, where)
        for number, item in enumerate(content.items):
            yield from _check_item(item, number, options, dialect, where)

    def prepare(self, parcel: Parcel) -> Mapping[str, Any]:
        """Uploads what belongs to this part, and notes the newest own post, from which a look would begin.

        Returns:
            media: the ids in order; pending: those that the server still works on; since: the newest own post's id
            and time, {} where there is none, left out where the list can't be read.
        """
        http = self._http(parcel, Trace())
        uploads = [self._upload(http, parcel, one) for one in _media(parcel.item)]
        since = parcel.prepared["since"] if "since" in parcel.prepared else self._newest(http, parcel)
        return {
            "media": [name for name, _ in uploads],
            "pending": self._waited(http, [name for name, is_ready in uploads if not is_ready]),
            **({} if since is None else {"since": since}),
        }

    def _upload(self, http: Http, parcel: Parcel, attachment: Attachment) -> tuple[str, bool]:
        """The id that the server gave to a file, and whether it is done with it."""
        fields = {"description": attachment.alt} if attachment.alt else {}
        form = FileForm(fields, parcel.file(attachment), name=attachment.name, mime=attachment.mime)
        normal = self._transport.patience
        patient = replace(http, patience=replace(normal, read=normal.read * 2, total=normal.total * 5))
        request: dict[str, Any] = {"method": "POST", "data": form, "headers": {"Content-Type": form.content_type}}
        answer = patient.read("/api/v2/media", ok=(404,), **request)
        if answer.status == 404:  # Friendica has the first version alone
            answer = patient.read("/api/v1/media", **request)
        name = table(answer.json()).get("id")
        if not isinstance(name, str) or not name:
            raise TryLater(f"{http.name} took a picture and did not say under which name.", detail=answer.text[:500])
        return name, answer.status != 202

    def _waited(self, http: Http, pending: list[str]) -> list[str]:
        """What the server still works on after a while."""
        for pause in self._waits:
            pending = [name for name in pending if not _is_processed(http, name)]
            if not pending:
                break
            time.sleep(pause)
        return pending

    def _newest(self, http: Http, parcel: Parcel) -> dict[str, str] | None:
        try:
            page = self._own_page(http, _own_id(http, parcel))
        except Rejected:
            return None
        return {"id": str(page[0]["id"]), "at": str(page[0].get("created_at", ""))} if page else {}

    # --- sending --------------------------------------------------------------------------------------------------

    def publish(self, parcel: Parcel) -> Receipt:
        http = self._http(parcel, parcel.trace)
        for name in parcel.prepared.get("pending", ()):
            if not _is_processed(self._http(parcel, Trace()), name):
                raise _unfinished(http)
        answer = _post(http, parcel)
        if parcel.first_try is not None and answer.status in _UNSURE:
            return self._after_repeat(http, parcel, answer)
        _judge(http, answer, parcel)
        return _receipt(http, answer, parcel)

    def _after_repeat(self, http: Http, parcel: Parcel, answer: Answer) -> Receipt:
        """A repeat that is refused proves nothing about the first try: Pixelfed answers 400 to a key that it knows,
        Mastodon 404 or 422 to a post whose pictures are taken already. So the post is looked for before that is told.
        """
        dialect, said = _dialect(parcel.account.learned.get("software", "")), _words(answer)
        about = f"{http.name} refused the repeat ({answer.status})" + (f": “{said}”" if said else "")
        try:
            found = self.find(replace(parcel, trace=Trace()))
        except (CannotLook, SendError) as wrong:
            raise InDoubt(f"{about}. An earlier try may have gone out: {wrong}", status=answer.status) from None
        if found:
            return found
        age = (parcel.now - (parcel.first_try or parcel.now)).total_seconds()
        if age < dialect.absent_after:
            raise InDoubt(f"{about}. An earlier try may still be on its way.", status=answer.status)
        if answer.status == 400 and "idempotency" in said.lower() and age < dialect.refuses_key + 60:
            raise TryLater(
                f"{about}. The post is not there, and the server takes it again when it has forgotten the first try.",
                after=timedelta(seconds=dialect.refuses_key + 60 - age), status=answer.status,
            )  # fmt: skip
        _judge(http, answer, parcel)
        return _receipt(http, answer, parcel)

    # --- after a lost answer --------------------------------------------------------------------------------------

    def settle(self, account: Account) -> Settle:
        if account.learned.get("may_look") is False:
            return Settle(
                How.ASK, why="This account's token can't read your posts. Look at your profile whether it is there."
            )
        after = _dialect(account.learned.get("software", "")).absent_after
        return Settle(
            How.SEARCH,
            looks=(30, 60, 120, 300),
            absent_after=after,
            why=f"Sendoff looks through your own posts there. What isn't among them {after // 60} minutes after a try "
            "never came.",
        )

    def find(self, parcel: Parcel) -> Receipt | None:
        """Looks for the part among the own posts that came after it was made ready.

        Raises:
            CannotLook: the list can't be read or does not reach back, or what is there is neither this nor another.
        """
        http = self._http(parcel, parcel.trace)
        dialect = _dialect(parcel.account.learned.get("software", ""))
        if parcel.options.get("visibility") == "direct" and not dialect.lists_direct:
            raise CannotLook(f"{http.name} does not list posts for mentioned people only. Look there yourself.")
        own = {receipt.remote_id for receipt in parcel.previous}
        try:
            since = [one for one in self._since(http, parcel) if one["id"] not in own]
        except Rejected as refused:
            raise CannotLook(f"Your posts there can't be read: {refused.reason}") from None
        same = [one for one in since if _says_the_same(http, one, parcel.item.text)]
        exact = [one for one in same if _is_built_the_same(one, parcel, dialect)]
        if len(exact) == 1:
            return _receipt_of(exact[0], "Found among your posts.")
        if same:
            places = ", ".join(_url(one, "url") or str(one["id"]) for one in same[:3])
            raise CannotLook(f"There are posts like it, and Sendoff can't tell whether one of them is this: {places}")
        return None

    def _since(self, http: Http, parcel: Parcel) -> Iterator[dict[str, Any]]:
        """The own posts since this part was made ready, newest first. The server's clock alone is compared with itself;
        only where the list could not be read then, ours stands in for it."""
        known = parcel.prepared.get("since")
        mark = table(known).get("id", "")
        start = _time(table(known).get("at"))
        if known is None and parcel.first_try:
            start = parcel.first_try - TOLERANCE
        own_id, older_than = _own_id(http, parcel), ""
        for _ in range(PAGES):
            page = self._own_page(http, own_id, older_than)
            for status in page:
                came = _time(status.get("created_at"))
                if status["id"] == mark or (start and came and came < start):
                    return
                yield status
            if not page or str(page[-1]["id"]) == older_than:
                return
            older_than = str(page[-1]["id"])
        raise CannotLook(f"You posted more than {PAGE * PAGES} times since then. Look there yourself whether it is there.")

    def _own_page(self, http: Http, own_id: str, older_than: str = "") -> list[dict[str, Any]]:
        path = f"/api/v1/accounts/{own_id}/statuses?limit={PAGE}&exclude_reblogs=true"
        answer = http.read(path + (f"&max_id={older_than}" if older_than else ""))
        page = answer.json()
        if not isinstance(page, list) or not all(isinstance(one, dict) and "id" in one for one in page):
            raise TryLater(f"{http.name} answered the look with something else than posts.", detail=answer.text[:500])
        return page
