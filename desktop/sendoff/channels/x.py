"""X: sign-in with the four keys or the browser, posts, threads, media and polls; what became of them only if asked for,
because X charges for every look."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sendoff.channels import tls, x_sign, x_text
from sendoff.channels import x_check as checking
from sendoff.channels import x_media as media
from sendoff.channels import x_numbers as counts
from sendoff.channels import x_posts as posts
from sendoff.channels.http import Answer, Http
from sendoff.channels.reading import listed, table
from sendoff.channels.x_api import SETTLING, Api, is_duplicate, is_too_early
from sendoff.channels.x_sign import Grant, Keys, granted
from sendoff.domain import price
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import (
    PAID_READS,
    BrowserSignIn,
    Channel,
    Field,
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
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.numbers import Numbers
from sendoff.domain.post import Content
from sendoff.domain.text import Span

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

PAGE, PAGES = 10, 5
"""Own posts of one page, each of which costs, and how many pages a look reads at most."""

TOLERANCE = timedelta(minutes=15)
"""How far this computer's clock and X's may be apart. X refuses requests signed with the keys well before that."""

NEAR = timedelta(days=1)
"""A post with the same words that is so near might be this one, by a clock that is quite wrong."""

PATIENT = timedelta(minutes=1)
"""How long a part that X finds too early is tried again."""

LOOKS = (60, 300)
"""When a look is worth its price, in seconds. Two of them have to say that nothing is there."""


class X(Channel):
    """One part is one POST /2/tweets. There is no key that makes a repeat safe, and reading the own posts costs."""

    kind = "x"
    title = "X"
    needs = "Own app and credits · 5 min"
    group = "network"
    mark = "x"
    steps = (
        "X charges for each post. Open console.x.com, sign in as the account that shall post, and buy a few credits "
        "under Billing.",
        "Create an app. Under User authentication settings choose App permissions “Read and write” and the type "
        f"“Native App”, and enter {x_sign.REDIRECT} as Callback URI.",
        "Under Keys and tokens make and copy four: API key, API key secret, access token, access token secret. Paste "
        "them here. They last until you take them back.",
        "Or paste the app’s OAuth 2.0 Client ID further below and sign in with the browser.",
    )
    can_reach = True
    renews = True
    tells_leaving = True
    own_ids = True
    places = ("user_id", "base_url")
    can_delete = True
    uploads = True
    reads_cost = True
    signs_in_by_browser = True
    browser_first = False  # its keys change every two hours, and the four do not
    capabilities = Capabilities(
        checked="2026-11-27",
        sources=(
            "X’s OpenAPI file 2.167 (github.com/xdevplatform/docs at 28713281, 2026-08-22)",
            "docs.x.com: rate limits, media, pricing of 2026-04-20",
            "github.com/twitter/twitter-text at 30e2430d, config/v3.json",
        ),
        threads=True,
        spacing=1.0,
        prepares=True,
        prepared_life=20 * 3600,  # an upload lives about 24 hours (expires_after_secs)
        text=280,
        counter=x_text.COUNTER,
        url_length=x_text.LINK_WEIGHT,
        media=4,
        media_types=("image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4", "video/quicktime"),
        image_bytes=5_000_000,
        gif_bytes=15_000_000,
        video_bytes=512_000_000,
        alt=1000,
        poll_options=4,
        poll_option=25,
        poll_min=5 * 60,
        poll_max=10_080 * 60,
        post_cost=15,
        link_cost=200,
        alt_cost=5,
        read_cost=1,  # an “owned read”: the reader owns the post and the app
        costs_of="2026-04-20",
        numbers=counts.AT_ONCE,
        own_words=True,  # docs.x.com, automation rules: the same or very similar content from several accounts
    )
    fields = (
        Field("api_key", "API key", Kind.SECRET, required=False, help="Keys and tokens → Consumer keys."),
        Field("api_secret", "API key secret", Kind.SECRET, required=False),
        Field(
            "access_token", "Access token", Kind.SECRET, required=False,
            help="Keys and tokens → Authentication tokens. It has to be made after the app may write.",
        ),
        Field("access_secret", "Access token secret", Kind.SECRET, required=False),
        Field(
            PAID_READS, "Read there, which X charges for", Kind.SWITCH, default="no",
            help="Sendoff then looks for posts whose answer got lost (about 1 cent a look; otherwise it asks you), and "
            "reads likes, reposts and replies an hour, a day and a week after each post (about 0.1 cent each time). "
            "Signing in reads your profile once in any case, for up to 1 cent.",
        ),
        Field(
            "client_id", "OAuth 2.0 Client ID", required=False, advanced=True, fold="Sign in with the browser",
            help=f"Your app needs the callback URI {x_sign.REDIRECT}.",
        ),
        Field(
            "limit", "Longest post", Kind.NUMBER, default="280", advanced=True,
            help="As X counts: links 23, emoji and Chinese characters 2. Premium accounts may write more.",
        ),
        Field(
            "post_cost", "Cost of a post (US$)", default="0.015", advanced=True,
            help="What X charges can’t be asked for. These are the prices of 20 April 2026.",
        ),
        Field("link_cost", "Cost of a post with a link (US$)", default="0.20", advanced=True),
        Field(
            "base_url", "Server", Kind.ADDRESS, default=x_sign.API, advanced=True, help="Only for a server of your own."
        ),
        Field("oauth", "Browser sign-in", Kind.SECRET, required=False, advanced=True, hidden=True),
    )  # fmt: skip
    options = (
        Option(
            "reply_settings", "Who may answer", Kind.CHOICE,
            choices=(
                ("", "Everyone"), ("following", "People you follow"), ("mentionedUsers", "People it mentions"),
                ("subscribers", "Your subscribers"), ("verified", "Verified accounts"),
            ),
        ),
        Option("reply_to", "Answers", help="The address of the post that this one answers. It has to mention you."),
        Option(
            "quote", "Quotes", help="The address of the post that the first item shows. X takes it on its Enterprise "
            "plan alone since 2026.",
        ),
        Option("made_with_ai", "Has pictures or videos made by AI", Kind.SWITCH, default="no"),
        Option("paid_partnership", "Is paid advertising", Kind.SWITCH, default="no"),
    )  # fmt: skip

    def __init__(
        self, context: Context, *, port: int = x_sign.PORT, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._transport = context.transport
        self._port = port
        self._now = now
        self._ran_out: dict[str, str] = {}  # by account the token that X called over
        self._last_hope: dict[str, str] = {}  # and the one that came in its place

    # --- signing in -----------------------------------------------------------------------------------------------

    def browser(self, fields: Mapping[str, str]) -> BrowserSignIn:
        base = fields.get("base_url") or x_sign.API
        return x_sign.in_browser(self._transport, base, fields, port=self._port, now=self._now)

    def connect(self, fields: Mapping[str, str]) -> Identity:
        figures = _typed_figures(fields)
        grant = granted(fields)
        if grant and grant.until <= self._now():
            raise TryLater("The key of the browser sign-in ran out. The next post brings a new one; try it after that.")
        base = fields.get("base_url") or x_sign.API
        way = grant or x_sign.keys(fields)
        api = _line(Http(self._transport, base, "X"), way)
        answer = api.get("/2/users/me")
        person = table(table(answer.json()).get("data"))
        name, handle = person.get("id"), person.get("username")
        if not (isinstance(name, str) and name.isdecimal() and isinstance(handle, str) and handle):
            raise TryLater("X answered the sign-in with something else than an account.", advice="Is the server right?")
        level = answer.headers.get("x-access-level", "")
        if level and "write" not in level:
            raise NeedsLogin(
                "These keys may read and not post.",
                advice="Give the app the permissions Read and write, then make the access token and its secret anew.",
            ).at("access_token")
        return Identity(
            handle=f"@{handle}",
            name=" ".join(str(person.get("name") or handle).split()),
            url=f"https://x.com/{handle}",
            learned={"user_id": name, **figures},
            settings={"base_url": base},
            secrets={**dict.fromkeys((*x_sign.KEYS, *x_sign.TOKENS, "oauth"), ""), **way.secrets},
            note=f"X charges {price.dollars(figures['post_cost'])} for a post and "
            f"{price.dollars(figures['link_cost'])} for one with a link.",
        )

    def renew(self, account: Account, secret: Mapping[str, str], now: datetime) -> Mapping[str, str]:
        grant, who = granted(secret), _user_id(account)
        if grant is None:
            return {}
        is_over = self._ran_out.get(who) == grant.access_token
        if not is_over and grant.until - now > x_sign.SOON:
            return {}
        fresh = x_sign.refreshed(Http(self._transport, account.settings["base_url"], "X"), grant, now)
        if is_over:
            self._last_hope[who] = fresh.access_token
        return fresh.secrets

    def _api(self, account: Account, secret: Mapping[str, str], trace: Trace | None = None) -> Api:
        http = Http(self._transport, account.settings["base_url"], "X", trace=trace or Trace())
        grant, who = granted(secret), _user_id(account)
        if grant is None:
            return _line(http, Keys(**{one: secret[one] for one in x_sign.KEYS}))

        def ran_out(answer: Answer) -> None:
            """A 401 does not say whether the token ran out or was taken back; whether it renews does."""
            if self._last_hope.get(who) != grant.access_token:
                self._ran_out[who] = grant.access_token
                raise TryLater(
                    "The key of X ran out; Sendoff gets a new one.", after=timedelta(seconds=1), status=answer.status
                )

        return replace(_line(http, grant), ran_out=ran_out)

    def reach(self, account: Account) -> None:
        tls.reach_web(account.settings["base_url"])

    # --- before it is sent ----------------------------------------------------------------------------------------

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        return checking.check(content, options)

    def marked(self, text: str) -> Sequence[Span]:
        return x_text.marks(text)

    def upload(self, parcel: Parcel) -> Mapping[str, Any]:
        """Uploads what belongs to this part: {"media": X's ids in order, each with whether X is done with it}."""
        if not parcel.item.shown:
            return {}
        api = self._api(parcel.account, parcel.secret).patient(self._transport.patience.with_files)
        return {"media": [media.upload(api, parcel, one) for one in parcel.item.shown]}

    def prepare(self, parcel: Parcel) -> Mapping[str, Any]:
        """Uploads what belongs to this part and is not there yet.

        Returns:
            media: the ids in order; pending: those that X still works on.
        """
        if any(not one.remote_id.isdecimal() for one in parcel.previous[-1:]):
            raise Rejected(
                "You said of a part of this thread that it is there; its number is not known, so nothing can "
                "follow it.",
                advice="Write the rest as a new post that answers it.",
            )
        uploads = (parcel.uploaded or self.upload(parcel)).get("media", ())
        return {"media": [name for name, _ in uploads], "pending": [name for name, is_ready in uploads if not is_ready]}

    # --- sending --------------------------------------------------------------------------------------------------

    def publish(self, parcel: Parcel) -> Receipt:
        aside = self._api(parcel.account, parcel.secret)
        for name in parcel.prepared.get("pending", ()):
            media.wait_for(aside, name, parcel)
        api = self._api(parcel.account, parcel.secret, parcel.trace)
        answer = api.send("POST", "/2/tweets", effect=True, json=posts.body(parcel))
        if is_duplicate(answer) and parcel.first_try is not None:
            found = self._behind_duplicate(parcel, answer)
            if found:
                return found
        if parcel.previous and is_too_early(answer) and parcel.now - (parcel.first_try or parcel.now) < PATIENT:
            raise TryLater("X does not know the part before this one yet.", after=SETTLING, status=answer.status)
        _judge(api, parcel, answer)
        name = table(table(answer.json()).get("data")).get("id")
        if not isinstance(name, str) or not name.isdecimal():
            raise InDoubt(
                "X answered with something else than this post. It may have gone out.",
                detail=answer.text[:500], status=answer.status,
            )  # fmt: skip
        return posts.receipt(name, parcel.account.handle)

    def _behind_duplicate(self, parcel: Parcel, answer: Answer) -> Receipt | None:
        """X refuses words that it has already: the earlier try may be why. None: it is not, they are older.

        Raises:
            InDoubt: nobody can tell, or it is too early to.
        """
        if not self.may_read(parcel.account):
            raise InDoubt(
                "X says that it has these words already: an earlier try went out, or you posted them before.",
                advice="Look at your profile. If it is not there, change a word.", status=answer.status,
            )  # fmt: skip
        try:
            found = self.find(replace(parcel, trace=Trace()))
        except (CannotLook, SendError) as wrong:
            raise InDoubt(
                f"X says that it has these words already, and the look for it did not work. {wrong}",
                status=answer.status,
            ) from None
        if found is None and parcel.now - (parcel.last_try or parcel.now) < timedelta(seconds=LOOKS[-1]):
            raise InDoubt("X says that it has these words already, and does not show them yet.", status=answer.status)
        return found

    def delete(self, account: Account, secret: Mapping[str, str], receipt: Receipt) -> None:
        api = self._api(account, secret)
        answer = api.send("DELETE", f"/2/tweets/{receipt.remote_id}", effect=True)
        if answer.status == 404:
            return
        api.judge(answer, effect=True)
        if table(table(answer.json()).get("data")).get("deleted") is not True:
            raise InDoubt("X did not say that it is gone. Look at your profile.", detail=answer.text[:500])

    # --- afterwards -----------------------------------------------------------------------------------------------

    def numbers(
        self, account: Account, secret: Mapping[str, str], receipts: Sequence[Receipt]
    ) -> Mapping[str, Numbers | None]:
        """What X counts (public_metrics). Each post costs, once a day (UTC)."""
        return counts.read(self._api(account, secret), [one.remote_id for one in receipts])

    # --- after a lost answer --------------------------------------------------------------------------------------

    def settle(self, account: Account) -> Settle:
        if not self.may_read(account):
            return Settle(
                How.ASK,
                why="X charges for looking, and this account is set not to. Look at your profile whether it is there.",
            )
        return Settle(
            How.SEARCH,
            looks=LOOKS,
            absent_after=LOOKS[-1],
            why="Sendoff reads your newest posts there, for about one cent a look. What isn’t among them "
            f"{LOOKS[-1] // 60} minutes after a try never came.",
        )

    def find(self, parcel: Parcel) -> Receipt | None:
        """Looks for the part among the newest own posts. Each of them that X shows costs.

        Raises:
            CannotLook: this account may not look, the posts do not reach back, or something like it is there.
        """
        if not self.may_read(parcel.account):
            raise CannotLook("X charges for looking, and this account is set not to.")
        since = parcel.first_try or parcel.planned_at
        same = [
            (one, at)
            for one, at in self._newest(parcel, since)
            if posts.says_the_same(one, parcel) and at > since - NEAR
        ]
        exact = [one for one, at in same if at >= since - TOLERANCE and posts.is_built_the_same(one, parcel)]
        if len(exact) == 1:
            return posts.receipt(exact[0]["id"], parcel.account.handle, "Found among your posts.")
        if same:
            places = ", ".join(posts.receipt(one["id"], parcel.account.handle).url for one, _ in same[:3])
            raise CannotLook(f"There is something like it, and Sendoff can’t tell whether that is this post: {places}")
        return None

    def _newest(self, parcel: Parcel, since: datetime) -> Iterator[tuple[dict[str, Any], datetime]]:
        """The own posts, newest first, by pages until one has older ones than `since`; with the time that X says."""
        api = self._api(parcel.account, parcel.secret, parcel.trace)
        further: dict[str, str] = {}
        for _ in range(PAGES):
            wanted = {"max_results": str(PAGE), "exclude": "retweets", "post.fields": posts.FIELDS, **further}
            answer = api.get(f"/2/users/{_user_id(parcel.account)}/tweets", wanted)
            told = table(answer.json())
            if not isinstance(told.get("data", []), list) or "meta" not in told:
                raise TryLater("X answered the look with something else than posts.", detail=answer.text[:500])
            times = []
            for one in map(table, listed(told.get("data"))):
                at = posts.came(one)
                if at is None or not isinstance(one.get("id"), str):
                    raise CannotLook("X did not say when your posts came. Look at your profile whether it is there.")
                times.append(at)
                if one["id"] not in parcel.known:
                    yield one, at
            token = table(told.get("meta")).get("next_token")
            if not isinstance(token, str) or (times and min(times) < since - TOLERANCE):
                return
            further = {"pagination_token": token}
        raise CannotLook(f"You posted more than {PAGE * PAGES} times since. Look at your profile whether it is there.")


# --- one request --------------------------------------------------------------------------------------------------


def _line(http: Http, way: Keys | Grant) -> Api:
    return Api(http, way) if isinstance(way, Keys) else Api(http, None, way.access_token)


def _user_id(account: Account) -> str:
    return str(account.learned["user_id"])


def _judge(api: Api, parcel: Parcel, answer: Answer) -> None:
    """As `Api.judge`; of a refused part of a thread it says what to do with the rest."""
    try:
        api.judge(answer, effect=True)
    except Rejected as refused:
        if not parcel.previous or answer.status != 403 or is_duplicate(answer):
            raise
        raise Rejected(
            refused.reason,
            advice="X may not take answers by this app. The parts before it are out; copy the rest and post it at "
            "x.com as an answer to the last one.",
            detail=refused.detail, status=403,
        ) from None  # fmt: skip


# --- what is typed ------------------------------------------------------------------------------------------------


def _typed_figures(fields: Mapping[str, str]) -> dict[str, int]:
    """The figures that the person may know better, under the names of Capabilities; prices in thousandths of a dollar.

    Raises:
        BadInput: one is no figure.
    """
    limit = int(fields.get("limit") or X.capabilities.text or 0)
    if not 1 <= limit <= 25_000:
        raise BadInput("X takes posts of 280 characters, and up to 25,000 from Premium accounts.").at("limit")
    found = {"text": limit}
    for name, default in (("post_cost", X.capabilities.post_cost), ("link_cost", X.capabilities.link_cost)):
        typed = fields.get(name, "").strip().lstrip("$").replace(",", ".")
        if typed and not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", typed):
            raise BadInput("Write a price in US dollars, like 0.015.").at(name)
        found[name] = round(float(typed) * 1000) if typed else default or 0
    return found
