"""Servers that speak Mastodon's API: how each program differs, what each server takes, who signed in, what we may."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from sendoff.channels.fediverse import Software, software
from sendoff.channels.http import Answer, Http
from sendoff.channels.oauth import Client
from sendoff.channels.reading import listed, table
from sendoff.domain.errors import BadInput, NeedsLogin, Rejected, TryLater


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a program that speaks Mastodon's API differs, as far as a post is concerned.

    Args:
        counter: how it counts text (domain/text.py).
        keeps_key: seconds for which a repeat under the same Idempotency-Key has no second effect; 0 where the header is
            ignored, so that every repeat is another post.
        absent_after: seconds after which a post that is not in the own list never came. Longer where no key is kept,
            so that a slow first try has surely ended.
        schedules: the version since which it keeps posts with `scheduled_at` until then, () for all; None where it
            takes the field and publishes at once.
        granular: it knows scopes like write:statuses.
        redirects: one app may have several redirect addresses.
        lists_direct: the own list holds posts for mentioned people only, too.
        refuses_key: seconds for which a key that was seen once is refused.
        media: how many files a post takes where the server does not tell; None: as many as at Mastodon.
        needs_media: no post without a picture, unless it answers one.
        polls: it has polls.
        quote: the parameter that names the post which is quoted; "" where it has no quotes.
        quote_since: the version of Mastodon's API (api_versions.mastodon) that a server has to tell for quotes.
        quote_alone: a quote has neither pictures nor a poll.
        quote_policy: the author says who may quote it.
        reacts: an answer of nothing but one emoji becomes a reaction to what it answers.
        takes_empty: a post of pictures alone may have the empty text; others want none then.
        spoiler: the longest content warning, where it has a limit of its own.
        since: the oldest version whose answers tell what became of a post.
        visibilities: what its posts can be.
        body: what to add to a post, so that it comes out as it was written.
    """

    counter: str = "codepoints"
    keeps_key: int = 0
    absent_after: int = 300
    schedules: tuple[int, ...] | None = None
    granular: bool = True
    redirects: bool = False
    lists_direct: bool = False
    refuses_key: int = 0
    media: int | None = None
    needs_media: bool = False
    polls: bool = True
    quote: str = ""
    quote_since: int = 0
    quote_alone: bool = False
    quote_policy: bool = False
    reacts: bool = False
    takes_empty: bool = True
    spoiler: int | None = None
    since: tuple[int, ...] = ()
    visibilities: tuple[str, ...] = ("public", "unlisted", "private", "direct")
    body: Mapping[str, Any] = field(default_factory=dict)

    def keeps_planned(self, version: str) -> bool:
        """Whether a server of this program and version keeps posts until their time."""
        return self.schedules is not None and _numbers(version) >= self.schedules


_HOUR = 3600
_MASTODON = Dialect(
    counter="mastodon", keeps_key=_HOUR, absent_after=120, schedules=(2, 7), redirects=True, lists_direct=True,
    quote="quoted_status_id", quote_since=7, quote_alone=True, quote_policy=True,
)  # fmt: skip
_PLEROMA = Dialect(
    counter="graphemes", keeps_key=6 * _HOUR, absent_after=120, schedules=(), redirects=True, media=1000,
    body={"content_type": "text/plain"},
)  # fmt: skip

DIALECTS: Mapping[str, Dialect] = {
    "mastodon": _MASTODON,
    "hometown": _MASTODON,
    "fedibird": _MASTODON,
    "kmyblue": _MASTODON,
    "gotosocial": Dialect(schedules=(0, 20), redirects=True, body={"content_type": "text/plain"}),
    "pleroma": _PLEROMA,
    "akkoma": replace(_PLEROMA, quote="quote_id"),
    "pixelfed": Dialect(
        keeps_key=_HOUR, absent_after=120, granular=False, refuses_key=_HOUR, needs_media=True, polls=False,
        spoiler=140,
        visibilities=("public", "unlisted", "private"),
    ),
    "friendica": Dialect(schedules=(), polls=False, quote="quote_id", body={"friendica": {"title": ""}}),
    "takahe": Dialect(),
    "hollo": Dialect(
        keeps_key=_HOUR, absent_after=120, quote="quoted_status_id", quote_policy=True, takes_empty=False,
    ),
    "iceshrimp.net": Dialect(
        keeps_key=24 * _HOUR, absent_after=120, refuses_key=24 * _HOUR, schedules=(), quote="quoted_status_id",
    ),
    "sharkey": Dialect(quote="quote_id", reacts=True, since=(2025, 5)),
}  # fmt: skip
"""By the name that NodeInfo gives; others get the careful defaults. Read in the programs' own sources: Mastodon 4.3 to
4.6, GoToSocial 0.20 (2025-10), Pleroma (2021-01), Akkoma's API description (06589d9c), Pixelfed (2024-03; its scopes:
snarfed/bridgy#927), Friendica (2024-10), Takahē (2024-08), Hollo (03101d09), Iceshrimp.NET (01c2ad3f; a try that it
refused burns its key), Sharkey (6b85db94; older ones answer every error with 401). Read on 2026-11-27."""

NAMES: Mapping[str, str] = {
    "gotosocial": "GoToSocial", "iceshrimp.net": "Iceshrimp.NET", "kmyblue": "kmyblue", "takahe": "Takahē",
}  # fmt: skip
"""Programs that write themselves otherwise than with a capital."""

_NAME = re.compile(r"[a-z0-9-]{1,30}")  # NodeInfo 2.1, schema of software.name

OTHERS = frozenset({"misskey", "firefish", "lemmy", "mbin", "peertube", "writefreely", "plume"})
"""Programs of the fediverse that speak something else, or so little of it that nothing can be relied on."""

WANTED = ("read:statuses", "write:statuses", "write:media")
"""What Sendoff has to be allowed, beside seeing who signed in (docs.joinmastodon.org/api/oauth-scopes)."""


def dialect(name: Any) -> Dialect:
    return DIALECTS.get(name, Dialect()) if isinstance(name, str) else Dialect()


def named(name: Any) -> str:
    """A program as people write it, by the name that NodeInfo gives; "" where that is none."""
    if not isinstance(name, str) or (name not in DIALECTS and not _NAME.fullmatch(name)):
        return ""
    return NAMES.get(name) or name.capitalize()


def instance(http: Http) -> tuple[dict[str, Any], Software]:
    """What the server says of itself (Mastodon 4.0 and later in version 2, all in version 1), and what it runs.

    Raises:
        BadInput: there is no such server, or it speaks something else. TryLater, Rejected: it can't be asked now.
    """
    try:
        found = _about(http, "/api/v2/instance") or _about(http, "/api/v1/instance")
    except TryLater as wrong:
        if wrong.detail.startswith("gaierror"):
            raise BadInput(
                f"There is no server {http.name} to be found. Check how it is written, and whether this computer is "
                "online."
            ).at("server") from None
        raise
    runs = software(http)
    if found is None or runs.name in OTHERS or _numbers(runs.version) < dialect(runs.name).since:
        what = (
            f"It runs {runs.name.title()} {runs.version}".rstrip() if runs.name else f"“{http.base}” answers otherwise"
        )
        raise BadInput(f"{http.name} does not speak Mastodon’s language. {what}, which Sendoff can’t use this way.").at(
            "server"
        )
    if not runs.name:
        compatible = re.search(r"compatible; (\w+)", str(found.get("version", "")))
        runs = Software(compatible[1].lower() if compatible else "", str(found.get("version", "")))
    return found, runs


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with: 0.20.1+git → (0, 20, 1); () where it begins with none."""
    begin = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(one) for one in begin[0].split(".")) if begin else ()


def _about(http: Http, path: str) -> dict[str, Any] | None:
    answer = http.read(path, ok=range(300, 500))
    if answer.status == 429:
        http.judge(answer, effect=False)
    elsewhere = urlsplit(answer.headers.get("Location", "")).netloc if 300 <= answer.status < 400 else ""
    if elsewhere and elsewhere != http.name:
        raise BadInput(f"{http.name} sends us on to {elsewhere}. If that is your server, write “{elsewhere}”.").at(
            "server"
        )
    found = table(answer.json()) if answer.status == 200 else {}
    return found if "version" in found and ("domain" in found or "uri" in found) else None


def figures(about: Mapping[str, Any], runs: Software) -> dict[str, Any]:
    """The limits of this server by the names of `Capabilities`; what it does not tell is left out.

    Version 2 and Mastodon's version 1 have a `configuration`; the Pleroma family has figures at the top level.
    """
    speaks = dialect(runs.name)
    configuration = table(about.get("configuration"))
    statuses, polls = table(configuration.get("statuses")), table(configuration.get("polls"))
    media, old_polls = table(configuration.get("media_attachments")), table(about.get("poll_limits"))
    types = [one for one in listed(media.get("supported_mime_types")) if isinstance(one, str)]
    found = {
        "text": _number(statuses.get("max_characters"), about.get("max_toot_chars")),
        "media": _number(statuses.get("max_media_attachments"), about.get("max_media_attachments"), speaks.media),
        "alt": _number(media.get("description_limit"), about.get("description_limit")),
        "media_types": types or None,
        "image_bytes": _number(media.get("image_size_limit"), about.get("upload_limit")),
        "image_pixels": _number(media.get("image_matrix_limit")),
        "video_bytes": _number(media.get("video_size_limit"), about.get("upload_limit")),
        "poll_options": _number(polls.get("max_options"), old_polls.get("max_options")) if speaks.polls else 0,
        "poll_option": _number(polls.get("max_characters_per_option"), old_polls.get("max_option_chars")),
        "poll_min": _number(polls.get("min_expiration"), old_polls.get("min_expiration")),
        "poll_max": _number(polls.get("max_expiration"), old_polls.get("max_expiration")),
    }
    known = {name: value for name, value in found.items() if value is not None}
    reserved = _number(statuses.get("characters_reserved_per_url")) or 23
    return {**known, "counter": speaks.counter, "url_length": reserved if speaks.counter == "mastodon" else None}


def quotes(about: Mapping[str, Any], runs: Software) -> str:
    """The parameter that names a quoted post at this server; "" where it has no quotes."""
    speaks, told = dialect(runs.name), table(about.get("api_versions")).get("mastodon")
    version = told if isinstance(told, int) else 0
    return speaks.quote if version >= speaks.quote_since else ""


def lacks(runs: Software, has_quotes: bool) -> Iterator[str]:
    """What a server has not, or does otherwise than Mastodon, as far as a person may mind."""
    speaks = dialect(runs.name)
    if runs.name not in DIALECTS:
        yield f"Sendoff does not know {runs.name or 'this program'} and goes the careful way."
    if not speaks.keeps_key:
        late = speaks.absent_after // 60
        yield f"It takes a repeat for another post: what got lost is believed lost after {late} min."
    if speaks.refuses_key:
        yield "It refuses a repeat instead of answering it."
    if not speaks.keeps_planned(runs.version):
        yield "It keeps no posts until their time: this computer has to be awake."
    if speaks.counter != "mastodon":
        yield "Links and mentions count in full."
    if speaks.needs_media:
        yield "No post without a picture."
    if not speaks.polls:
        yield "No polls."
    if not has_quotes:
        yield "No quotes."
    if not speaks.granular:
        yield "Its keys may read and write everything."


def _number(*candidates: Any) -> int | None:
    return next((one for one in candidates if isinstance(one, int) and not isinstance(one, bool) and one > 0), None)


def domain(about: Mapping[str, Any], http: Http) -> str:
    """What stands behind the second @ of a handle there."""
    named = str(about.get("domain") or about.get("uri") or "")
    return (urlsplit(named).netloc if "://" in named else named) or http.name


def scopes(speaks: Dialect, known: Sequence[Any], has_quotes: bool) -> tuple[str, ...]:
    """What to ask for: no more than is used, and to quote means to look for a post. `profile` came with Mastodon 4.3;
    Pixelfed has only broad ones."""
    if not speaks.granular:
        return ("read", "write")
    search = ("read:search",) if has_quotes else ()
    return ("profile" if "profile" in known else "read:accounts", *WANTED, *search)


def registered(http: Http, redirects: Iterable[str], wanted: Iterable[str]) -> Client:
    """This program, made known to the server for one sign-in (POST /api/v1/apps; five in ten minutes are allowed).

    Raises:
        Rejected, TryLater: the server did not do it.
    """
    told = tuple(redirects)
    form = {"client_name": "Sendoff", "redirect_uris": "\n".join(told), "scopes": " ".join(wanted)}
    answer = http.read("/api/v1/apps", method="POST", json=form, ok=(400, 401, 403, 404, 405, 422))
    found = table(answer.json())
    if answer.status >= 400 or not isinstance(found.get("client_id"), str):
        said = f": “{words(answer)}”." if words(answer) else "."
        raise Rejected(
            f"{http.name} did not let Sendoff introduce itself{said}", advice="Paste an access token instead.",
            detail=answer.text[:500], status=answer.status,
        )  # fmt: skip
    return Client(found["client_id"], str(found.get("client_secret") or ""), told)


def person(http: Http) -> dict[str, Any]:
    """Who the token belongs to.

    Raises:
        NeedsLogin: the server does not take the token, or the token may not say whose it is.
    """
    answer = http.read("/api/v1/accounts/verify_credentials", ok=(401, 403))
    if answer.status == 401:
        raise NeedsLogin(
            f"{http.name} does not accept this access token.",
            advice="Copy it once more, or sign in with the browser.", status=401,
        )  # fmt: skip
    if answer.status == 403:
        raise NeedsLogin(
            f"{http.name} does not let this token in: “{words(answer) or 'forbidden'}”.",
            advice=f"It needs the scopes profile, {', '.join(WANTED)}.", status=403,
        )  # fmt: skip
    found = table(answer.json())
    if not isinstance(found.get("id"), str) or not isinstance(found.get("username"), str):
        raise Rejected(f"{http.name} did not say whose token this is.", detail=answer.text[:500])
    return found


def lacking(http: Http) -> tuple[str, ...]:
    """What the token's app may not do of what Sendoff needs. Servers before Mastodon 4.3 do not tell: then ()."""
    answer = http.read("/api/v1/apps/verify_credentials", ok=range(300, 600))
    granted = [one for one in listed(table(answer.json()).get("scopes")) if isinstance(one, str)]
    if answer.status != 200 or not granted:
        return ()
    return tuple(scope for scope in WANTED if scope not in granted and scope.partition(":")[0] not in granted)


def words(answer: Answer) -> str:
    """What the server said about its refusal."""
    found = table(answer.json())
    said = found.get("error_description") or found.get("error")
    return " ".join(said.split())[:300] if isinstance(said, str) else ""


def url(found: Mapping[str, Any], name: str) -> str:
    """An address in a server's answer, or "" if there is none that may be opened."""
    value = found.get(name)
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else ""
