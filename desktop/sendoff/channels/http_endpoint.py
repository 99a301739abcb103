"""Any HTTP endpoint that a person has: the request is a template, and what the answer means is said in the form."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sendoff.channels import http_endpoint_oauth as oauth
from sendoff.channels import http_endpoint_setup as setups
from sendoff.channels import http_endpoint_template as template
from sendoff.channels import openapi_import, tls
from sendoff.channels.http import Answer, Http
from sendoff.channels.http_endpoint_form import FIELDS, OPTIONS, PRESETS
from sendoff.channels.http_endpoint_setup import Look, Request, Setup
from sendoff.channels.http_endpoint_template import NOTHING, Values, as_words, at
from sendoff.channels.reading import ends_at
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import (
    BrowserSignIn,
    Channel,
    Frozen,
    How,
    Identity,
    Level,
    Parcel,
    Preset,
    Problem,
    Settle,
    Trace,
)
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, NotFound, Rejected, SendError, TryLater
from sendoff.domain.post import Content
from sendoff.domain.redact import MASK, Redactor
from sendoff.domain.when import span_text

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

EXISTS = frozenset({409, 412})
"""Statuses that mean, as the answer to a repeat: it is there already, or is being made (RFC 9110 section 15.5)."""

LOOKS = (30, 60, 120, 300)
"""Seconds after a lost answer at which it is looked for, or repeated."""

ABSENT_AFTER = 300
"""Seconds after which an endpoint that does not know a part's own id never got it."""

SAFE_FOR = 7 * 86_400
"""Seconds for which a request that may be made twice is made again: longer than anybody waits for an answer."""


class HttpEndpoint(Channel):
    """One part is one request. Everything about it is in the account's settings."""

    kind = "endpoint"
    title = "HTTP endpoint"
    needs = "Any API, by a form · 3 min"
    mark = "endpoint"
    group = "other"
    steps = (
        "Choose a service that is known here, import its OpenAPI document, or write the request by hand.",
        "Put the post into the request with fields like {{text}}, {{title}}, {{link}} or {{id}}. Each value is escaped "
        "as its place demands. {{title|}} leaves out what a post lacks.",
        "Say where the answer tells its id. Without that, any answer with a good status counts as taken.",
        "“Try it” shows the request as it would leave, and sends it if you say so.",
    )
    capabilities = Capabilities(
        checked="2026-11-27",
        sources=(
            "RFC 9110",
            "RFC 6749",
            "RFC 7636",
            "github.com/standard-webhooks",
            "draft-ietf-httpapi-idempotency-key-header",
        ),
        threads=True,
        counter="codepoints",
        media=10,
    )
    fields = FIELDS
    options = OPTIONS
    presets = PRESETS
    preset_words = ("Service", "Another one, by hand")
    imports = "OpenAPI document"
    can_reach = True
    renews = True
    tells_leaving = True
    can_rehearse = True

    def __init__(self, context: Context) -> None:
        self._transport = context.transport
        self._refused: dict[int, str] = {}  # by account the token that was refused before its end

    # --- signing in -----------------------------------------------------------------------------------------------

    def needs_browser(self, fields: Mapping[str, str]) -> bool:
        return fields.get("auth") == "code"

    def browser(self, fields: Mapping[str, str]) -> BrowserSignIn:
        setup = setups.read(fields, fields)
        with _masked(_redactor(setup)):
            return oauth.sign_in(self._transport, setup, fields)

    def connect(self, fields: Mapping[str, str]) -> Identity:
        """Reads the form, gets a token where one is needed, and asks the address for checking if there is one."""
        setup, now = setups.read(fields, fields), datetime.now(UTC)
        token: dict[str, str] = {}
        with _masked(Redactor([*_hidden(setup), *oauth.granted(fields).values()])):
            if setup.auth == "client_credentials":
                token = oauth.client_token(self._transport, setup, now)
            if setup.auth == "code":
                token = oauth.granted(fields)
                if not token:
                    raise BadInput("Sign in with the browser: this address is asked for a token there.").at("auth")
            note = self._asked(setup, token, now)
        if not setup.id_at and not setup.success_at and not setup.success_is:
            note = (
                f"{note} Any answer with a good status counts as taken, because nothing says where its id is.".strip()
            )
        address = {"secret": setup.base + setup.path} if setup.auth == "address" else {}
        brought = {"oauth": "", **token} if setup.auth == "code" else token
        return Identity(
            handle=setup.host, name=setup.host, learned=_figures(setup, fields), settings={"host": setup.base},
            secrets={**address, **brought}, note=note,
            expires=ends_at(setup.secret) if setup.auth == "bearer" else None,
        )  # fmt: skip

    def _asked(self, setup: Setup, token: Mapping[str, str], now: datetime) -> str:
        """Asks the address for checking; a sentence for the person where nothing was asked."""
        if setup.auth == "code" and not oauth.is_fresh(token, now):
            return "Its token has run out; it is renewed when the next post leaves."  # and stored before it is used
        if setup.check_path:
            http = self._http(setup, Trace())
            request = setup.read_request(setup.check_path, _nothing(setup), token.get("access_token", ""))
            http.read(request.path, headers=request.headers)
            return ""
        tls.reach_web(setup.base)
        return "Nothing was asked there. “Try it” shows whether the request and the key are right."

    def renew(self, account: Account, secret: Mapping[str, str], now: datetime) -> Mapping[str, str]:
        auth = account.settings.get("auth")
        if auth not in ("client_credentials", "code"):
            return {}
        if oauth.is_fresh(secret, now) and self._refused.get(account.id) != secret.get("access_token"):
            return {}
        try:
            setup = setups.read(account.settings, secret)
        except BadInput as wrong:
            raise NeedsLogin(f"The request of {account.name} is not right: {wrong}") from None
        with _masked(Redactor([*_hidden(setup), *secret.values()])):
            if auth == "code":
                return oauth.renewed(self._transport, setup, secret, now)
            return oauth.client_token(self._transport, setup, now)

    def _http(self, setup: Setup, trace: Trace) -> Http:
        return Http(self._transport, setup.base, setup.host, ca_file=setup.ca_file, trace=trace)

    def reach(self, account: Account) -> None:
        tls.reach_web(account.settings["host"])

    # --- before it is sent ----------------------------------------------------------------------------------------

    def imported(self, document: bytes) -> Sequence[Preset]:
        return openapi_import.operations(document)

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        try:
            setup = setups.read(account.settings, None)
        except BadInput as wrong:
            yield Problem(Level.ERROR, "request", f"The request of {account.name} is not right.", str(wrong))
            return
        of = len(content.items)
        for number, item in enumerate(content.items, 1):
            given = template.values(
                item, options, key="0" * 32, number=number, of=of, planned_at=datetime.now(UTC), account=account.name,
                previous=Receipt("0", "https://example.org") if number > 1 else None,
                file=lambda _attachment: Path(os.devnull),
            )  # fmt: skip
            where = f"Item {number}: " if of > 1 else ""
            try:
                setup.filled(given)
            except BadInput as wrong:
                yield Problem(Level.ERROR, "template", f"{where}{wrong}", "", "customise", number - 1)
        if not setup.named & {"text", "html", "escaped"} and any(item.text.strip() for item in content.items):
            yield Problem(Level.NOTE, "unused", "Your words stay here.", "The request has no {{text}} in it.")

    def arm(self, parcel: Parcel) -> Frozen:
        """The planned time, because it may change between two tries, and the request may not."""
        return Frozen({"planned_at": parcel.planned_at.astimezone(UTC).isoformat()})

    def rehearse(self, parcel: Parcel) -> str:
        setup = setups.read(parcel.account.settings, parcel.secret)
        token = parcel.secret.get("access_token") or MASK
        request = setup.request(template.of_parcel(parcel, setup.secret), parcel.now, token)
        shown = self._http(setup, Trace()).rehearse(
            request.method, request.path, headers=request.headers, data=_data(request)
        )
        if request.body and request.body.has_files:
            shown = shown.replace("(streamed)", _sketch(request.body))
        return _redactor(setup, parcel).clean(shown)

    # --- sending --------------------------------------------------------------------------------------------------

    def publish(self, parcel: Parcel) -> Receipt:
        try:
            setup = setups.read(parcel.account.settings, parcel.secret)
            given = template.of_parcel(parcel, setup.secret)
            request = setup.request(given, parcel.now, parcel.secret.get("access_token", ""))
            data = _data(request)
        except (BadInput, NotFound) as wrong:
            raise Rejected(str(wrong), advice="Change the post, or the account’s request.") from None
        except OSError as wrong:
            raise Rejected(f"A picture or video can’t be read: {wrong.strerror}.", advice="Put it in again.") from None
        http = self._http(setup, parcel.trace)
        if request.body and request.body.has_files:
            http.told = parcel.telling(*parcel.item.shown)
        redactor = _redactor(setup, parcel)
        with _masked(redactor, parcel.trace):
            answer = http.send(request.method, request.path, effect=True, headers=request.headers, data=data)
            self._believe(setup, parcel, http, answer)
            return _receipt(setup, http, parcel, answer)

    def _believe(self, setup: Setup, parcel: Parcel, http: Http, answer: Answer) -> None:
        """A token from the browser that is refused before its end gets one chance to be renewed: how long it lives may
        not have been told, or may have changed.

        Raises:
            TryLater: it shall be renewed; nothing happened.
        """
        account, token = parcel.account.id, parcel.secret.get("access_token", "")
        if answer.status != 401 or setup.auth != "code":
            self._refused.pop(account, None)
        elif account not in self._refused and parcel.secret.get("refresh_token"):
            self._refused[account] = token
            raise TryLater(f"The token for {http.name} ran out; Sendoff gets a new one.", after=timedelta(seconds=1))
        else:
            self._refused.pop(account, None)

    # --- after a lost answer --------------------------------------------------------------------------------------

    def settle(self, account: Account) -> Settle:
        chosen, host = account.settings.get("doubt", "ask"), account.handle or "the endpoint"
        if chosen == "key":
            life = 60 * int(account.settings.get("key_life") or 1440)
            return Settle(
                How.REPEAT, looks=LOOKS, key_life=life,
                why=f"{host} knows a request again by its id for {span_text(life)}, so Sendoff sends it once more.",
            )  # fmt: skip
        if chosen == "same":
            why = f"The same request twice has one effect at {host}, so Sendoff sends it once more."
            return Settle(How.REPEAT, looks=LOOKS, key_life=SAFE_FOR, why=why)
        if chosen == "look":
            return Settle(
                How.SEARCH, looks=LOOKS, absent_after=ABSENT_AFTER,
                why=f"Sendoff asks {host} for it. What it doesn’t know {ABSENT_AFTER // 60} minutes after a try never "
                "came.",
            )  # fmt: skip
        return Settle(How.ASK, why=f"Nothing says how {host} could be asked what became of a request. Look there.")

    def find(self, parcel: Parcel) -> Receipt | None:
        """Asks for the part by its own id, or looks through a list.

        Raises:
            CannotLook: the answer does not tell; a list without it proves nothing, because it may not show everything.
        """
        try:
            setup = setups.read(parcel.account.settings, parcel.secret)
            if setup.look is None:
                raise CannotLook(f"Nothing says how {setup.host} could be asked what became of it. Look there.")
            given = template.of_parcel(parcel, setup.secret)
            request = setup.read_request(setup.look.path, given, parcel.secret.get("access_token", ""))
        except BadInput as wrong:
            raise CannotLook(f"It can’t be looked for: {wrong}") from None
        with _masked(_redactor(setup, parcel), parcel.trace):
            http = self._http(setup, parcel.trace)
            answer = http.read(request.path, headers=request.headers, ok=(404, 410))
            return None if answer.status in (404, 410) else _found(setup, setup.look, given, parcel, answer)


# --- one request --------------------------------------------------------------------------------------------------


def _data(request: Request) -> Any:
    """The body as the transport takes it: bytes, which leave together with the head, or a stream with files in it."""
    body = request.body
    if body is None or not body.has_files:
        return body and body.whole()
    len(body)  # a file that is gone is noticed before anything leaves
    return body


def _sketch(body: template.Body) -> str:
    """A body with files in it, for the person: what is text, and how big the files are."""
    pieces = [
        one.decode("utf-8", "replace") if isinstance(one, bytes) else f"(a file of {one.stat().st_size:,} bytes)"
        for one in body.pieces
    ]
    return "".join(pieces)[:3000]


def _nothing(setup: Setup) -> Values:
    """The values of no post at all, for what is asked on connecting."""
    return Values({"id": "0" * 32}, secret=setup.secret)


def _figures(setup: Setup, fields: Mapping[str, str]) -> dict[str, Any]:
    """The limits that follow from the form."""
    limit = fields.get("text_limit", "").strip()
    return {
        "media": setup.template.media,
        "text": int(limit) if limit else None,
        "counter": "bytes" if fields.get("text_unit") == "bytes" else "codepoints",
    }


def _receipt(setup: Setup, http: Http, parcel: Parcel, answer: Answer) -> Receipt:
    """The receipt, or the end that an answer means by what the form says of it."""
    document = answer.json()
    said = as_words(_place(setup.error_at, answer, document)) if setup.error_at else ""
    if not setup.counts(answer.status):
        if answer.status in EXISTS and parcel.first_try is not None and setup.names_part:
            raise InDoubt(
                f"{http.name} refused the repeat ({answer.status}). An earlier try may be there.", **_about(answer)
            )
        http.judge(answer, effect=True, words=said)
        raise _unclear(http, f"answered with status {answer.status}, which is not among those that count", answer)
    if not answer.whole:
        raise _unclear(http, "began to answer and stopped", answer)
    _check_success(setup, http, answer, document, said)
    remote_id = _remote_id(setup, http, parcel, answer, document)
    return Receipt(remote_id, url=_web_url(setup, answer, document))


def _check_success(setup: Setup, http: Http, answer: Answer, document: Any, said: str) -> None:
    """What the form demands of an answer beside its status.

    Raises:
        Rejected: the place is there, and something else stands in it. InDoubt: it is not there.
    """
    if setup.success_at:
        found = _place(setup.success_at, answer, document)
        if found is NOTHING:
            raise _unclear(http, f"answered without {setup.success_at}", answer)
        if setup.success_is and as_words(found) != setup.success_is:
            words = said or as_words(found)
            raise Rejected(f"{http.name} refused it: “{words[:300]}”.", **_about(answer))
    elif setup.success_is and answer.text.strip() != setup.success_is:
        raise _unclear(http, f"answered with something else than “{setup.success_is}”", answer)
    elif not setup.success_is and not setup.id_at and _is_page(answer):
        raise _unclear(http, "answered with a web page", answer)


def _remote_id(setup: Setup, http: Http, parcel: Parcel, answer: Answer, document: Any) -> str:
    if not setup.id_at:
        return parcel.key
    found = _place(setup.id_at, answer, document)
    if isinstance(found, bool) or not isinstance(found, (str, int)) or found == "":
        raise _unclear(http, f"answered without an id at {setup.id_at}", answer)
    if str(found) in {one.remote_id for one in parcel.previous}:
        raise _unclear(http, "answered with the id of an earlier item", answer)
    return str(found)


def _web_url(setup: Setup, answer: Answer, document: Any) -> str:
    """Where a person can see it; a path counts from the endpoint's own host."""
    found = _place(setup.url_at, answer, document) if setup.url_at else ""
    if not isinstance(found, str):
        return ""
    if re.match("/[^/]", found):
        found = setup.base + found
    return found if re.fullmatch(r"https?://[^\s<>\"]{1,2000}", found) else ""


def _place(place: str, answer: Answer, document: Any) -> Any:
    if place.lower().startswith("header:"):
        return answer.headers.get(place[7:].strip(), NOTHING)
    return NOTHING if document is None else at(document, place)


def _is_page(answer: Answer) -> bool:
    """Whether an answer is for people: a hotel's sign-in page, not the endpoint."""
    kind = answer.headers.get("Content-Type", "")
    return kind.startswith("text/html") or answer.text[:200].lstrip().lower().startswith(("<!doctype html", "<html"))


def _unclear(http: Http, what: str, answer: Answer) -> InDoubt:
    return InDoubt(f"{http.name} {what}. It may have gone out.", **_about(answer))


def _about(answer: Answer) -> dict[str, Any]:
    return {"detail": answer.text[:500], "status": answer.status}


def _found(setup: Setup, look: Look, given: Values, parcel: Parcel, answer: Answer) -> Receipt | None:
    inside = _place(look.inside, answer, answer.json())
    wanted = template.fill(look.value, given)
    if isinstance(inside, list):
        if not look.by:
            raise CannotLook(f"{setup.host} answered with a list, and nothing says how to know the post in it.")
        same = [one for one in inside if as_words(at(one, look.by)) == wanted]
        same = [one for one in same if as_words(at(one, look.id_at)) not in parcel.known]
        if not same:
            raise CannotLook(f"It is not in the list of {setup.host}, which may not show everything. Look there.")
        if len(same) > 1:
            raise CannotLook(f"{setup.host} lists it {len(same)} times. Look there which one is this post.")
        inside = same[0]
    elif not isinstance(inside, dict):
        raise CannotLook(f"{setup.host} answered the look with something else than a post.")
    elif look.by and as_words(at(inside, look.by)) != wanted:
        raise CannotLook(f"{setup.host} shows something else there. Look yourself whether it is this post.")
    url = _web_url(replace(setup, url_at="" if setup.url_at.startswith("header") else setup.url_at), answer, inside)
    return Receipt(as_words(at(inside, look.id_at)) or parcel.key, url=url, answer="Found by a look.")


# --- secrets ------------------------------------------------------------------------------------------------------


def _hidden(setup: Setup) -> list[str]:
    found = [setup.secret]
    if setup.auth == "address":
        found += [setup.path, *(one for one in re.split("[/?&=]", setup.path) if len(one) >= 8)]
    return found


def _redactor(setup: Setup, parcel: Parcel | None = None) -> Redactor:
    return Redactor([*_hidden(setup), *(parcel.secret.values() if parcel else ())])


@contextmanager
def _masked(redactor: Redactor, trace: Trace | None = None) -> Iterator[None]:
    """Whatever an end says, and what went over the wire, names no secret: a server may repeat the address."""
    try:
        yield
    except SendError as wrong:
        wrong.reason, wrong.detail = redactor.clean(wrong.reason), redactor.clean(wrong.detail)
        wrong.args = (wrong.reason,)
        raise
    finally:
        if trace is not None:
            trace.request, trace.answer = redactor.clean(trace.request), redactor.clean(trace.answer)
