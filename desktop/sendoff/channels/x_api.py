"""X's API as one account talks to it: requests that are signed, and what X's answers mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sendoff.channels.http import Answer, Http, Patience, reset_time
from sendoff.channels.reading import listed, table
from sendoff.channels.x_sign import Keys
from sendoff.domain.errors import NeedsLogin, Rejected, SendError, TryLater

CONSOLE = "console.x.com"
DUPLICATE = "duplicate content"
"""How X refuses a text that the account has posted already: 403 “… a Tweet with duplicate content.” """

SETTLING = timedelta(seconds=5)
"""When to try again what answers a post that X does not know yet."""

LIMITS = ("x-user-limit-24hour", "x-app-limit-24hour", "x-rate-limit")
"""The limits that an answer tells of, the longest first: the one that is used up says when it ends."""


@dataclass(frozen=True, slots=True)
class Api:
    """One account's line.

    Args:
        keys: the four keys, or None where a `bearer` token opens the door.
        ran_out: told that X no longer takes the token; what it raises is the end.
    """

    http: Http
    keys: Keys | None
    bearer: str = ""
    ran_out: Callable[[Answer], None] = lambda _answer: None

    def patient(self, patience: Patience) -> Api:
        """The same with other waits."""
        return replace(self, http=replace(self.http, patience=patience))

    def send(self, method: str, path: str, *, effect: bool, **request: Any) -> Answer:
        """Sends a request and reads the whole answer, whatever its status.

        Raises:
            TryLater, Rejected; InDoubt (effect).
        """
        signed = self.keys.authorization(method, self.http.base + path) if self.keys else f"Bearer {self.bearer}"
        return self.http.send(method, path, effect=effect, headers={"Authorization": signed}, **request)

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """Reads something.

        Raises:
            Rejected, NeedsLogin, TryLater.
        """
        return self._judged("GET", path + (f"?{urlencode(parameters)}" if parameters else ""))

    def post(self, path: str, **request: Any) -> Answer:
        """Asks for something that nobody sees.

        Raises:
            Rejected, NeedsLogin, TryLater.
        """
        return self._judged("POST", path, **request)

    def _judged(self, method: str, path: str, **request: Any) -> Answer:
        answer = self.send(method, path, effect=False, **request)
        self.judge(answer, effect=False)
        return answer

    def judge(self, answer: Answer, *, effect: bool) -> None:
        """Turns an answer into an end; returns for one that is good.

        Raises:
            Rejected, NeedsLogin, TryLater; InDoubt (effect).
        """
        if answer.status == 401 and not self.keys:
            self.ran_out(answer)
        if end := _end(answer):
            raise end
        self.http.judge(answer, effect=effect, words=said(answer))


def _end(answer: Answer) -> SendError | None:
    """The ends that X means in its own way."""
    words, kind, status = said(answer), problem(answer), answer.status
    about: dict[str, Any] = {"detail": answer.text[:500], "status": status}
    quoted = f": “{words}”." if words else "."
    if status == 401 and "timestamp" in words.lower():
        return TryLater(
            f"X does not believe the time of this computer{quoted}", advice="Set its clock, then it goes.", **about
        )
    if status == 402:
        return Rejected(
            f"The credits of your X developer account are used up{quoted}",
            advice=f"Buy some at {CONSOLE} under Billing, then send it again.", **about,
        )  # fmt: skip
    if kind == "usage-capped":
        return Rejected(
            f"The spending limit of your X developer account is reached{quoted}",
            advice=f"Raise it at {CONSOLE} under Billing, then send it again.", **about,
        )  # fmt: skip
    if status == 429 and "Retry-After" not in answer.headers:
        return TryLater(f"X asks to wait{quoted}", after=_pause(answer.headers), **about)
    return _forbidden(words, kind, quoted, about) if status == 403 else None


def _forbidden(words: str, kind: str, quoted: str, about: Mapping[str, Any]) -> SendError | None:
    low = words.lower()
    if kind in ("oauth1-permissions", "client-forbidden", "unsupported-authentication") or "permissions" in low:
        return NeedsLogin(
            f"X does not let this app post{quoted}",
            advice=f"At {CONSOLE}: your app → User authentication settings → App permissions: Read and write. Then "
            "make the access token and its secret anew, and sign in again.", **about,
        )  # fmt: skip
    if "suspended" in low or "temporarily locked" in low:
        return NeedsLogin(
            f"X has closed this account{quoted}", advice="Look at x.com what it says, then sign in again here.", **about
        )
    if DUPLICATE in low:
        return Rejected(
            f"X has these words from this account already{quoted} Nothing was posted.",
            advice="Change a word and it will go.", **about,
        )  # fmt: skip
    return None


def is_duplicate(answer: Answer) -> bool:
    return answer.status == 403 and DUPLICATE in said(answer).lower()


def is_too_early(answer: Answer) -> bool:
    """Whether X does not know yet what is answered: 403 with code 385 in its older form."""
    return answer.status == 403 and "deleted or not visible" in said(answer).lower()


def _pause(headers: Mapping[str, str]) -> timedelta | None:
    """The pause after which X takes requests again. Its headers say seconds since 1970."""
    told = {name.lower(): value for name, value in headers.items()}
    spent = [name for name in LIMITS if told.get(f"{name}-remaining", "").strip() == "0"]
    for name in (*spent, *reversed(LIMITS)):
        after = reset_time(told.get(f"{name}-reset", ""), datetime.now(UTC))
        if after is not None:
            return max(after, timedelta(seconds=1))
    return None


def said(answer: Answer) -> str:
    """X's words about a refusal, in its newer form (RFC 9457) or the older one."""
    if answer.status < 400:
        return ""
    found = table(answer.json())
    first = table(next(iter(listed(found.get("errors"))), None))
    words = (found.get("detail"), first.get("detail"), first.get("message"), found.get("title"), found.get("message"))
    named = next((one for one in words if isinstance(one, str) and one.strip()), "")
    return " ".join(named.split())[:300].rstrip(".")


def problem(answer: Answer) -> str:
    """The last part of a problem's type: hosts in it have changed, the names have not."""
    return problem_kind(table(answer.json())) if answer.status >= 400 else ""


def problem_kind(told: Mapping[str, Any]) -> str:
    """The last part of the type of one problem, or ""."""
    kind = told.get("type")
    return kind.rstrip("/").rpartition("/")[2] if isinstance(kind, str) else ""
