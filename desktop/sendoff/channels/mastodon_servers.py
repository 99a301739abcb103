"""Servers that speak Mastodon's API: how each program differs, what each server takes, who signed in, what we may."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
        absent_after: seconds after which a post that is not in the own list never came. Longer where no key is kept,
            so that a slow first try has surely ended.
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
}  # fmt: skip
"""By the name that NodeInfo gives; others get the careful defaults. Read in the programs' own sources: Mastodon 4.3 to
4.6, GoToSocial 0.20 (2025-10), Pleroma (2021-01), Pixelfed (2024-03; its scopes: snarfed/bridgy#927), Friendica
(2024-10)."""

OTHERS = frozenset({"misskey", "sharkey", "firefish", "lemmy", "mbin", "peertube", "writefreely", "plume"})
"""Programs of the fediverse that speak something else."""

WANTED = ("read:statuses", "write:statuses", "write:media")
"""What Sendoff has to be allowed, beside seeing who signed in (docs.joinmastodon.org/api/oauth-scopes)."""


def dialect(name: Any) -> Dialect:
    return DIALECTS.get(name, Dialect()) if isinstance(name, str) else Dialect()


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
    if found is None or runs.name in OTHERS:
        what = f"It runs {runs.name.title()}" if runs.name else f"“{http.base}” answers otherwise"
        raise BadInput(f"{http.name} does not speak Mastodon's language. {what}, which Sendoff can't use this way.").at(
            "server"
        )
    if not runs.name:
        compatible = re.search(r"compatible; (\w+)", str(found.get("version", "")))
        runs = Software(compatible[1].lower() if compatible else "", str(found.get("version", "")))
    return found, runs


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
        "media": _number(statuses.get("max_media_attachments")),
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


def _number(*candidates: Any) -> int | None:
    return next((one for one in candidates if isinstance(one, int) and not isinstance(one, bool) and one > 0), None)


def domain(about: Mapping[str, Any], http: Http) -> str:
    """What stands behind the second @ of a handle there."""
    named = str(about.get("domain") or about.get("uri") or "")
    return (urlsplit(named).netloc if "://" in named else named) or http.name


def scopes(speaks: Dialect, known: Sequence[Any]) -> tuple[str, ...]:
    """What to ask for: no more than is used. `profile` came with Mastodon 4.3; Pixelfed has only broad ones."""
    if not speaks.granular:
        return ("read", "write")
    return ("profile" if "profile" in known else "read:accounts", *WANTED)


def registered(http: Http, redirects: Iterable[str], wanted: Iterable[str]) -> Client:
    """This program, made known to the server for one sign-in (POST /api/v1/apps; five in ten minutes are allowed).

    Raises:
        Rejected, TryLater: the server did not do it.
    """
    told = tuple(redirects)
    form = {"client_name": "Sendoff", "redirect_uris": "\n".join(told), "scopes": " ".join(wanted)}
    answer = http.read("/api/v1/apps", method="POST", json=form)
    found = table(answer.json())
    if not isinstance(found.get("client_id"), str):
        raise Rejected(f"{http.name} did not let Sendoff introduce itself.", advice="Paste an access token instead.")
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
