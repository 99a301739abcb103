"""Mastodon, and the servers that speak its API: sign-in, posts and threads, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from sendoff.channels import mastodon_check as checking
from sendoff.channels import mastodon_media as media
from sendoff.channels import mastodon_own as own
from sendoff.channels import mastodon_planned as planned
from sendoff.channels import mastodon_posts as posts
from sendoff.channels import mastodon_quotes as quotes
from sendoff.channels import mastodon_servers as servers
from sendoff.channels import tls
from sendoff.channels.fediverse import Software, home
from sendoff.channels.http import Answer, Http
from sendoff.channels.mastodon_servers import Dialect, dialect, words
from sendoff.channels.oauth import OUT_OF_BAND, CodeSignIn, Listener, Service
from sendoff.channels.reading import count, listed, table
from sendoff.channels.unfinished import unfinished
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import (
    BrowserSignIn,
    Channel,
    Field,
    How,
    Identity,
    Kind,
    Option,
    Parcel,
    Planned,
    Problem,
    Settle,
    Trace,
)
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.numbers import Numbers
from sendoff.domain.post import Content

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

WAITS = (0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0)
"""Seconds between the looks at an upload that the server still works on. After them the post waits, not the worker."""

UNSURE = frozenset({400, 403, 404, 408, 409, 410, 422})
"""Refusals that prove nothing when they answer a repeat."""

REPLAYED = "idempotent-replayed"
"""The header with which the Pleroma family says that it repeats its first answer to this key."""


class Mastodon(Channel):
    """One part is one POST /api/v1/statuses under the part's key; what became of it is read in the own list."""

    kind = "mastodon"
    title = "Mastodon"
    needs = "Sign in on your server · 1 min"
    group = "network"
    mark = "mastodon"
    steps = (
        "Write your server’s name or your whole handle, and sign in with your browser.",
        "Or make a token there: Preferences → Development → New application, with the scopes profile (read:accounts on "
        "older servers), read:statuses, write:statuses and write:media. Open it and copy “Your access token”.",
    )
    can_reach = True
    can_delete = True
    uploads = True
    tells_leaving = True
    own_ids = True
    places = ("account_id", "server")
    tells_planned = True
    capabilities = Capabilities(
        checked="2026-11-23",
        sources=("docs.joinmastodon.org/entities/Instance", "docs.joinmastodon.org/methods/statuses"),
        threads=True,
        spacing=1.0,
        prepares=True,
        prepared_life=12 * 3600,  # uploads that no post took are removed after a day (media_attachments_vacuum.rb)
        text=500,
        counter="mastodon",
        url_length=23,
        card="own",
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
        numbers=1,  # several at once came with 4.3, and not to all who speak this API
    )
    fields = (
        # TEXT and not ADDRESS: a handle names the server too.
        Field("server", "Server", help="Its name, its address, or your handle there.", placeholder="mastodon.social"),
        Field(
            "access_token", "Access token", Kind.SECRET, required=False,
            help="Only if you don’t sign in with the browser: Preferences → Development on your server.",
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
                ("", "As set on the server"), ("public", "Everyone"), ("unlisted", "Everyone, but not in the feeds"),
                ("private", "Followers"), ("direct", "People it mentions"),
            ),
        ),
        Option("spoiler_text", "Content warning", help="Stands in front; the post opens with a click."),
        Option("language", "Language", help="Its code: en, de, pt-BR."),
        Option("sensitive", "Hide pictures until clicked", Kind.SWITCH, default="no"),
        Option("quote", "Quotes", help="The address of the post that the first item shows."),
        Option(
            "quotes", "Who may quote it", Kind.CHOICE,
            choices=(
                ("", "As set on the server"), ("public", "Everyone"), ("followers", "Followers"),
                ("nobody", "Just you"),
            ),
        ),
    )  # fmt: skip
    signs_in_by_browser = True

    def __init__(self, context: Context, waits: tuple[float, ...] = WAITS) -> None:
        self._transport = context.transport
        self._waits = waits

    # --- signing in -----------------------------------------------------------------------------------------------

    def browser(self, fields: Mapping[str, str]) -> BrowserSignIn:
        """Makes Sendoff known to the server for this sign-in, and says what to open.

        Raises:
            BadInput: there is no such server, or it speaks something else. Rejected, TryLater: it did not let us.
        """
        http = self._typed(fields)
        about, runs = servers.instance(http)
        speaks = dialect(runs.name)
        told = table(http.read("/.well-known/oauth-authorization-server", ok=range(300, 600)).json())
        scopes = servers.scopes(speaks, listed(told.get("scopes_supported")), bool(servers.quotes(about, runs)))
        service = Service(
            http.name,
            authorize_url=servers.url(told, "authorization_endpoint") or f"{http.base}/oauth/authorize",
            token_url=servers.url(told, "token_endpoint") or f"{http.base}/oauth/token",
            issuer=servers.url(told, "issuer") or http.base,
            always_names_itself=told.get("authorization_response_iss_parameter_supported") is True,
            told_by=http.base,
        )
        listener = Listener()
        try:
            redirects = (listener.redirect_uri, OUT_OF_BAND) if speaks.redirects else (listener.redirect_uri,)
            return CodeSignIn(
                self._transport, service, servers.registered(http, redirects, scopes), listener, scopes=scopes,
                finish=lambda token: {**fields, "server": http.base, "access_token": token["access_token"]},
                ca_file=http.ca_file,
            )  # fmt: skip
        except BaseException:
            listener.close()
            raise

    def connect(self, fields: Mapping[str, str]) -> Identity:
        token = "".join(fields.get("access_token", "").split())
        if not token:
            raise BadInput("Sign in with the browser, or paste an access token of your account.").at("access_token")
        if not token.isascii() or not token.isprintable():
            raise BadInput("That is no access token: it has characters that none has. Copy it once more.").at(
                "access_token"
            )
        http = self._typed(fields)
        about, runs = servers.instance(http)
        http.headers = {"Authorization": f"Bearer {token}"}
        person = servers.person(http)
        may_look, note = self._rights(http, person["id"])
        return Identity(
            handle=f"@{person['username']}@{servers.domain(about, http)}",
            name=str(person.get("display_name") or person["username"]),
            url=servers.url(person, "url"),
            learned={
                **servers.figures(about, runs),
                "software": runs.name, "version": runs.version, "account_id": person["id"], "may_look": may_look,
                "quotes": servers.quotes(about, runs),
            },
            settings={"server": http.base},
            secrets={"access_token": token},
            note=note,
        )  # fmt: skip

    def _typed(self, fields: Mapping[str, str]) -> Http:
        ca_file = fields.get("ca_file", "")
        try:
            base = home(self._transport, fields.get("server", ""), ca_file)
        except BadInput as wrong:
            raise wrong.at("server") from None
        return Http(self._transport, base, urlsplit(base).netloc, ca_file=ca_file)

    def _rights(self, http: Http, own_id: str) -> tuple[bool, str]:
        """Whether the own posts can be read, and a sentence for the person if not.

        Raises:
            NeedsLogin: the token may not post.
        """
        lacking = servers.lacking(http)
        if "write:statuses" in lacking:
            raise NeedsLogin(
                f"{http.name} does not let this token post: it lacks the scope write:statuses.",
                advice=f"Make one with the scopes profile, {', '.join(servers.WANTED)}.",
            )
        note = "This token can’t upload pictures: it lacks the scope write:media." if "write:media" in lacking else ""
        try:
            own.page_of(http, own_id, "limit=1")
        except Rejected:
            blind = "It can’t read your posts, so Sendoff has to ask you when an answer gets lost."
            return False, f"{note} {blind}".strip()
        return True, note

    def _http(self, parcel: Parcel, trace: Trace) -> Http:
        return self._account_http(parcel.account, parcel.secret, trace)

    def _account_http(self, account: Account, secret: Mapping[str, str], trace: Trace) -> Http:
        settings = account.settings
        return Http(
            self._transport, settings["server"], urlsplit(settings["server"]).netloc,
            headers={"Authorization": f"Bearer {secret['access_token']}"},
            ca_file=settings.get("ca_file", ""), trace=trace,
        )  # fmt: skip

    def reach(self, account: Account) -> None:
        tls.reach_web(account.settings["server"])

    # --- before it is sent ----------------------------------------------------------------------------------------

    def called(self, account: Account) -> str:
        return servers.named(account.learned.get("software")) or self.title

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        return checking.check(content, options, account, self.called(account))

    def lacks(self, account: Account) -> Iterable[str]:
        runs = Software(str(account.learned.get("software", "")), str(account.learned.get("version", "")))
        return servers.lacks(runs, account.learned.get("quotes") != "")

    def upload(self, parcel: Parcel) -> Mapping[str, Any]:
        """Uploads what belongs to this part: {"media": ids in order, each with whether the server is done with it}."""
        if not parcel.item.shown:
            return {}
        http = self._http(parcel, Trace())
        return {"media": [media.upload(http, self._transport.patience, parcel, one) for one in parcel.item.shown]}

    def prepare(self, parcel: Parcel) -> Mapping[str, Any]:
        """Uploads what is not there yet, and notes the newest own post, from which a look would begin.

        Returns:
            media: the ids in order; pending: those that the server still works on; since: the newest own post's id
            and time, {} where there is none, left out where the list can't be read; quoted: the parameter that names
            the quoted post, where there is one.
        """
        http = self._http(parcel, Trace())
        quoted = parcel.prepared.get("quoted") or quotes.quoted(http, parcel)
        uploads = (parcel.uploaded or self.upload(parcel)).get("media", ())
        since = parcel.prepared["since"] if "since" in parcel.prepared else own.newest(http, parcel)
        return {
            "media": [name for name, _ in uploads],
            "pending": media.waited(http, [name for name, is_ready in uploads if not is_ready], self._waits),
            **({} if since is None else {"since": since}),
            **({"quoted": quoted} if quoted else {}),
        }

    def planned(self, account: Account, secret: Mapping[str, str]) -> Sequence[Planned]:
        if not dialect(account.learned.get("software")).keeps_planned(str(account.learned.get("version", ""))):
            return ()
        return planned.planned(self._account_http(account, secret, Trace()))

    # --- sending --------------------------------------------------------------------------------------------------

    def publish(self, parcel: Parcel) -> Receipt:
        http, aside = self._http(parcel, parcel.trace), self._http(parcel, Trace())
        if not all(media.is_processed(aside, name) for name in parcel.prepared.get("pending", ())):
            raise unfinished(http.name, "a picture or video", parcel)
        speaks = dialect(parcel.account.learned.get("software"))
        answer = _posted(http, parcel, speaks)
        if parcel.first_try is not None and answer.status in UNSURE:
            found = self._before_refusal(parcel, speaks, http.name, answer)
            if found:
                return found
        return _judged(http, parcel, answer)

    def _before_refusal(self, parcel: Parcel, speaks: Dialect, name: str, answer: Answer) -> Receipt | None:
        """A repeat that is refused proves nothing about the first try: Pixelfed answers 400 to a key that it knows,
        Mastodon 404 or 422 when the first try took the pictures. So the post is looked for before that is told.

        Raises:
            InDoubt: the look does not tell, or comes too early to be believed.
            TryLater: nothing is there, and only the key stands in the way.
        """
        said = words(answer)
        about = f"{name} refused the repeat ({answer.status})" + (f": “{said}”" if said else "")
        try:
            found = self.find(replace(parcel, trace=Trace()))
        except (CannotLook, SendError) as wrong:
            raise InDoubt(f"{about}. An earlier try may have gone out. {wrong}", status=answer.status) from None
        since_last = (parcel.now - (parcel.last_try or parcel.first_try or parcel.now)).total_seconds()
        if found is None and since_last < speaks.absent_after and not media.is_unfinished(answer):
            raise InDoubt(f"{about}. An earlier try may still be on its way.", status=answer.status)
        if found is None and answer.status in (400, 408) and "idempotency" in said.lower():
            key_age = parcel.now - (parcel.first_try or parcel.now)
            raise TryLater(
                f"{about}. It is not there; the server takes it again when it has forgotten the first try.",
                after=max(timedelta(seconds=speaks.refuses_key + 60) - key_age, timedelta(seconds=60)),
                status=answer.status,
            )
        return found

    def delete(self, account: Account, secret: Mapping[str, str], receipt: Receipt) -> None:
        """The server tells other servers, which mostly follow. Mastodon takes 30 of these in half an hour
        (docs.joinmastodon.org/api/rate-limits)."""
        http = self._account_http(account, secret, Trace())
        answer = http.send("DELETE", f"/api/v1/statuses/{quote(receipt.remote_id, safe='')}", effect=True)
        if answer.status not in (404, 410):
            http.judge(answer, effect=True, words=words(answer))

    # --- after a lost answer --------------------------------------------------------------------------------------

    def numbers(
        self, account: Account, secret: Mapping[str, str], receipts: Sequence[Receipt]
    ) -> Mapping[str, Numbers | None]:
        """What this server knows (docs.joinmastodon.org/entities/Status); quotes_count came with 4.5."""
        http = self._account_http(account, secret, Trace())
        return {one.remote_id: _counted(http, one.remote_id) for one in receipts}

    def settle(self, account: Account) -> Settle:
        if account.learned.get("may_look") is False:
            return Settle(
                How.ASK, why="This account’s token can’t read your posts. Look at your profile whether it is there."
            )
        speaks = dialect(account.learned.get("software"))
        after = speaks.absent_after
        repeats = (
            "The server knows the repeat of a try by its key." if speaks.keeps_key
            else "The server takes every repeat for another post, so it comes late."
        )  # fmt: skip
        return Settle(
            How.SEARCH,
            looks=(30, 60, 120, 300),
            absent_after=after,
            why=f"Sendoff looks through your own posts there. What isn’t among them {after // 60} minutes after a try "
            f"never came. {repeats}",
        )

    def find(self, parcel: Parcel) -> Receipt | None:
        """Looks for the part among the own posts that came after it was made ready.

        Raises:
            CannotLook: the list can't be read or does not reach back, or something like it is there.
        """
        http = self._http(parcel, parcel.trace)
        speaks = dialect(parcel.account.learned.get("software"))
        if parcel.options.get("visibility") == "direct" and not speaks.lists_direct:
            raise CannotLook(f"{http.name} may not list posts for mentioned people only. Look there yourself.")
        own_posts = own.since(http, self._transport.patience, parcel)
        try:
            same = [one for one in own_posts if own.says_the_same(http, one, parcel.item.text)]
        except Rejected as refused:
            raise CannotLook(f"Your posts can’t be read: {refused.reason}") from None
        exact = [one for one in same if posts.is_built_the_same(one, parcel)]
        if len(exact) == 1:
            return posts.receipt(exact[0], "Found among your posts.")
        if same:
            places = ", ".join(servers.url(one, "url") or str(one["id"]) for one in same[:3])
            raise CannotLook(f"There is something like it, and Sendoff can’t tell whether that is this post: {places}")
        return None


# --- one request --------------------------------------------------------------------------------------------------


def _posted(http: Http, parcel: Parcel, speaks: Dialect) -> Answer:
    """The request that has the effect. The Pleroma family keeps its first answer to a key for six hours, errors too. An
    error that it replays says nothing of today; no repeat comes before it is known that nothing happened under this
    key, so another one is safe then."""
    body = posts.body(parcel, speaks)
    answer = http.send("POST", "/api/v1/statuses", effect=True, json=body, headers={"Idempotency-Key": parcel.key})
    if answer.status >= 400 and REPLAYED in answer.headers:
        fresh = f"{parcel.key}-{parcel.now:%Y%m%d%H%M%S}"
        answer = http.send("POST", "/api/v1/statuses", effect=True, json=body, headers={"Idempotency-Key": fresh})
    return answer


def _judged(http: Http, parcel: Parcel, answer: Answer) -> Receipt:
    """The receipt, or the end that an answer means (docs.joinmastodon.org/entities/Error, api/rate-limits)."""
    said = words(answer)
    if media.is_unfinished(answer):
        raise unfinished(http.name, "a picture or video", parcel)
    if answer.status == 403 and "scope" in said.lower():
        raise NeedsLogin(
            f"{http.name} does not let this key post: “{said}”.",
            advice="Sign in again and allow everything that Sendoff asks for.", status=403,
        )  # fmt: skip
    http.judge(answer, effect=True, words=said)
    status = table(answer.json())
    if not posts.is_status(status):
        raise InDoubt(
            f"{http.name} answered with something else than a post. It may have gone out.",
            detail=answer.text[:500], status=answer.status,
        )  # fmt: skip
    alone = "The server left the quoted post out." if parcel.prepared.get("quoted") else ""
    return posts.receipt(status, "" if posts.shows_quote(status) else alone)


def _counted(http: Http, status_id: str) -> Numbers | None:
    answer = http.read(f"/api/v1/statuses/{quote(status_id, safe='')}", ok=(404, 410))
    if answer.status in (404, 410):
        return None
    status = table(answer.json())
    if str(status.get("id")) != status_id:
        raise TryLater(f"{http.name} answered with something else than the post.", detail=answer.text[:500])
    return Numbers(*(count(status.get(f"{name}_count")) for name in ("favourites", "reblogs", "replies", "quotes")))
