"""What Mailgun's answers mean: its words wherever it put them, and the end of a try that follows from them."""

from __future__ import annotations

import email.utils
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sendoff.channels.http import Answer, Http, reset_time, retry_after
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import Dropped, InDoubt, NeedsLogin, Rejected, TryLater

APPEARS = timedelta(minutes=10)
"""For how long “Domain not found” may be a domain that has not reached all of Mailgun's machines yet."""

MAGNIFICENT = "Mailgun Magnificent API"
"""What a path that leads nowhere answers, with status 200 (django-anymail, backends/mailgun.py; 2026-07-30)."""

_AGAIN = re.compile(r"try again after (?:(?P<seconds>\d+(?:\.\d+)?) seconds?|(?P<date>.*\d{4} [\d:]+ \S+))", re.I)

_NOT_ALLOWED = (
    (
        "sandbox",
        "A sandbox domain reaches only the addresses that you authorised in Mailgun: five at most, and each has to "
        "click the mail that Mailgun sends it.",
    ),
    ("free account", "Authorise the recipient in Mailgun, or change to a paid plan."),
    ("unverified", "Set the DNS records that Mailgun shows for the domain, let it check them, and send again."),
    ("activate", "Mailgun wants the account activated: follow the mail it sent you, or add a telephone number there."),
    ("large batches", "Mailgun holds new accounts back. Send to fewer people at a time, or ask its support."),
    ("disabled", "Mailgun has stopped this domain or account. Its control panel says why; its support can lift it."),
)
_REFUSED = (
    (
        "not a valid address",
        "Mailgun refuses the whole mail for one address that it does not take; nobody got it. Correct From, To, Cc "
        "and Bcc.",
    ),
    ("limited to 16", "Shorten the tags, the reply address and the address for unsubscribing."),
    ("too many recipients", "Send it separately: then Sendoff makes batches of 1,000."),
    ("size", "Take attachments out, or put them where people can download them."),
)
_SUPPRESSED = {
    "suppress-bounce": "Mailgun sends it nothing: it bounced before.",
    "suppress-complaint": "Mailgun sends it nothing: it complained about spam before.",
    "suppress-unsubscribe": "Mailgun sends it nothing: it unsubscribed before.",
}


def words(answer: Answer) -> str:
    """What Mailgun said, on one line: a JSON value under one of several names, plain text, or a page's title."""
    found = answer.json()
    if isinstance(found, dict):
        for name in ("message", "Message", "Reason", "Description", "error", "detail"):
            if isinstance(found.get(name), str) and found[name]:
                return _short(found[name] + _field(found))
        return ""
    if isinstance(found, str):
        return _short(found)
    if re.match(r"\s*<", answer.text):
        title = re.search(r"<title[^>]*>(.*?)</title>", answer.text, re.I | re.S)
        return _short(html.unescape(title[1])) if title else ""
    return _short(answer.text)


def _field(found: Mapping[str, Any]) -> str:
    """Some endpoints name the field at fault beside the reason."""
    return f" ({found['Field']}: {found.get('Value', '')})" if isinstance(found.get("Field"), str) else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 500 else line[:499] + "…"


def quoted(said: str) -> str:
    """What Mailgun said, as the end of a sentence."""
    return f": “{said}”{'' if said[-1] in '.!?' else '.'}" if said else "."


def receipt(answer: Answer, message_id: str, note: str = "") -> Receipt:
    """The receipt in an answer with a status of success; `note` goes behind Mailgun's own words.

    Raises:
        Rejected: the request met no sending address at all.
        InDoubt: it is not the answer that a taken mail gets.
    """
    kept: dict[str, Any] = {"detail": answer.text[:500], "status": answer.status}
    if MAGNIFICENT in answer.text[:200]:
        raise Rejected(
            "The address does not lead to Mailgun’s sending. Nothing was sent.",
            advice="Check the sending domain and the address in the account.", **kept,
        )  # fmt: skip
    found = answer.json()
    found = found if isinstance(found, dict) else {}
    given, said = found.get("id"), found.get("message")
    is_queued = answer.status == 200 and isinstance(said, str) and said.startswith("Queued")
    if not (is_queued and isinstance(given, str) and given):
        came = quoted(words(answer))
        raise InDoubt(f"Mailgun answered something else than that it took the mail{came} It may have gone out.", **kept)
    if given.strip("<>") != message_id.strip("<>"):
        raise InDoubt(f"Mailgun took a mail under another id than this one’s ({given}). It may have gone out.", **kept)
    return Receipt(given, answer=f"{said}{note}")


def judge(
    http: Http, answer: Answer, *, domain: str, now: datetime, effect: bool, first_try: datetime | None = None
) -> None:
    """Raises the end that an answer means; returns for a whole 2xx.

    Args:
        domain: the sending domain, for the sentences.
        now, first_try: this try and the first one of the same part, aware.
        effect: whether the request may have sent something.
    """
    said, status = words(answer), answer.status
    kept: dict[str, Any] = {"detail": answer.text[:500], "status": status}
    if status == 429 or (status in (400, 403) and "limit exceeded" in said):
        raise TryLater(f"Mailgun asks to wait{quoted(said)}", after=pause(answer, now), **kept)
    if status in (400, 403) and "not allowed to send" in said:
        raise Rejected(f"Mailgun does not send this{quoted(said)}", advice=_advice(_NOT_ALLOWED, said), **kept)
    if status == 400:
        raise Rejected(f"Mailgun refused it{quoted(said)}", advice=_advice(_REFUSED, said), **kept)
    if status == 401:
        raise NeedsLogin(
            f"Mailgun does not accept the key for {domain}{quoted(said)}",
            advice="The key was withdrawn, or the domain is not in this region or account. Sign in again; the planned "
            "times are kept.", **kept,
        )  # fmt: skip
    if status == 404 and "domain not found" in said.lower():
        _unknown_domain(said, domain, now - (first_try or now), kept)
    if status == 413:
        raise Rejected(f"The mail is too big for Mailgun{quoted(said)}", advice=_advice(_REFUSED, "size"), **kept)
    http.judge(answer, effect=effect, words=said)


def _advice(table: Iterable[tuple[str, str]], said: str) -> str:
    return next((advice for fragment, advice in table if fragment in said.lower()), "")


def _unknown_domain(said: str, domain: str, tried: timedelta, kept: Mapping[str, Any]) -> None:
    """A domain may be unknown for a moment at one of Mailgun's machines; after a while it is the wrong one."""
    if tried < APPEARS:
        raise TryLater(
            f"Mailgun does not know {domain} at the moment{quoted(said)}", after=timedelta(minutes=1), **kept
        )
    raise Rejected(
        f"Mailgun does not know {domain}{quoted(said)}",
        advice="Check the domain and its region in the account.",
        **kept,
    )


def pause(answer: Answer, now: datetime) -> timedelta | None:
    """How long Mailgun asks to wait: a header, its words (seconds, or a date), or when its counter starts again."""
    now = _its_clock(answer) or now
    if (asked := retry_after(answer.headers, now)) is not None:
        return asked
    found = answer.json()
    seconds = found.get("retry-seconds") if isinstance(found, dict) else None
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        return timedelta(seconds=min(max(seconds, 0), 10**8))
    if hit := _AGAIN.search(words(answer)):
        return timedelta(seconds=min(float(hit["seconds"]), 1e8)) if hit["seconds"] else _until(hit["date"], now)
    # Recorded in milliseconds, read as seconds by the official Go package; reset_time tells them apart by their size.
    resets = [reset_time(answer.headers.get(name, ""), now) for name in ("X-RateLimit-Reset", "X-Recipient-Reset")]
    return max((one for one in resets if one is not None), default=None)


def _its_clock(answer: Answer) -> datetime | None:
    """Its own time, by which its dates are meant."""
    try:
        at = email.utils.parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _until(date: str, now: datetime) -> timedelta | None:
    try:
        at = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return None
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, timedelta())


# --- events -------------------------------------------------------------------------------------------------------


def header_of(event: Mapping[str, Any], name: str) -> str:
    """A header of the mail that an event is about, or ""."""
    message = event.get("message")
    headers = message.get("headers") if isinstance(message, dict) else None
    value = headers.get(name) if isinstance(headers, dict) else None
    return value if isinstance(value, str) else ""


def verdict(events: Sequence[Mapping[str, Any]], message_id: str) -> Receipt:
    """What the events of one mail prove: everything but a refusal after intake means that it was taken.

    Raises:
        Dropped: it was answered with "Queued" and refused after that; nobody got it.
    """
    kinds = sorted({str(event.get("event")) for event in events})
    if kinds == ["rejected"]:
        reject = events[0].get("reject")
        reason = reject.get("reason") if isinstance(reject, dict) else ""
        raise Dropped(
            f"Mailgun took it and then refused it{quoted(str(reason or ''))}",
            advice=_advice(_NOT_ALLOWED, str(reason or "")),
        )
    return Receipt(
        message_id, answer=f"Found in Mailgun’s log: {', '.join(kinds)}.", refused=tuple(_suppressed(events))
    )


def _suppressed(events: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], None]:
    """Who is on one of Mailgun's lists of addresses that it sends nothing to; each once."""
    return {
        (str(event.get("recipient", "")), _SUPPRESSED[reason]): None
        for event in events
        if event.get("event") == "failed" and (reason := str(event.get("reason"))) in _SUPPRESSED
    }
