"""What Discord's answers mean: its numbers for errors as sentences that say what to do (docs: topics/opcodes)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sendoff.channels.discord_posts import is_message
from sendoff.channels.http import Answer, Http, retry_after
from sendoff.channels.reading import listed, table
from sendoff.domain.errors import InDoubt, NeedsLogin, Rejected, TryLater

LONGEST_WAIT = 86_400.0
"""Seconds. A longer wish is not believed: Discord's longest block is a day."""

_AGAIN = "Then sign in again; planned times are kept."
_LOST: Mapping[int, tuple[str, str]] = {
    10003: ("The channel is not there any more", f"Name another one in the account. {_AGAIN}"),
    10004: ("The server is not there any more, or the bot is not on it", f"Invite the bot again. {_AGAIN}"),
    10015: (
        "Discord has no such webhook any more: somebody deleted it",
        "Make a new one of the same name under Server settings → Integrations → Webhooks, and sign in again; planned "
        "times are kept.",
    ),
    50001: ("The bot can’t see the channel", f"Invite it again, or let its role view the channel. {_AGAIN}"),
    50027: ("Discord does not take the webhook’s address any more", f"Copy it once more. {_AGAIN}"),
}
"""The account can send nothing until a person does something."""

_REFUSED: Mapping[int, tuple[str, str]] = {
    20009: ("Discord takes it for something that may not be shown there", "Change the pictures, then send it again."),
    40005: ("The files are too big for this server", "Make them smaller or take some out, then send it again."),
    50006: ("Discord takes no empty message", "Write something that can be seen, then send it again."),
    50008: ("This kind of channel takes no messages", "Name a text channel in the account."),
    50013: (
        "The bot lacks a permission for this",
        "Give its role Send Messages, Attach Files and Embed Links in the channel’s settings, then send it again.",
    ),
    50035: ("Discord does not take it as it stands", "Change what it names, then send it again."),
    50083: ("The thread is archived", "Open it again in Discord, then send it again."),
    160005: ("The thread is locked", "Unlock it in Discord, then send it again."),
    200000: ("A rule of the server (AutoMod) stopped it", "Change the words, or the server’s rule."),
    200001: ("A rule of the server (AutoMod) stopped it", "Change the words, or the server’s rule."),
    220001: ("The webhook’s channel is a forum", "Give the post a title in its options, then send it again."),
    220003: ("The webhook’s channel is no forum", "Take the title out of the options, then send it again."),
    240000: ("Discord takes a link in it for harmful", "Take the link out, then send it again."),
}
"""The post can't go as it is; others can."""


def judged(http: Http, answer: Answer, nonce: str = "") -> Mapping[str, Any]:
    """The message that a POST made, or the end that its answer means.

    Raises:
        Rejected, NeedsLogin, TryLater, InDoubt.
    """
    ends(http, answer, effect=True)
    message = table(answer.json())
    if not is_message(message) or (message.get("nonce") or nonce) != nonce:
        raise InDoubt(
            "Discord answered with something else than the message. It may have gone out.",
            detail=http.masked(answer.text)[:500], status=answer.status,
        )  # fmt: skip
    return message


def ends(http: Http, answer: Answer, *, effect: bool) -> None:
    """Raises what an error means; returns for 2xx that came whole."""
    said, found = http.masked(words(answer)), table(answer.json())
    told = found.get("code")
    code = told if isinstance(told, int) else 0
    quoted = f": “{said}”." if said else "."
    about: dict[str, Any] = {"detail": http.masked(answer.text)[:500], "status": answer.status}
    if answer.status == 429:
        raise TryLater(f"Discord asks to wait{quoted}", after=pause(answer), **about)
    if 400 <= answer.status < 500 and answer.status != 408:
        for table_of, kind in ((_LOST, NeedsLogin), (_REFUSED, Rejected)):
            if code in table_of:
                why, advice = table_of[code]
                raise kind(f"{why}{quoted}", advice=advice, **about)
    http.judge(answer, effect=effect, words=said)


def pause(answer: Answer) -> timedelta | None:
    """How long Discord asks to wait: seconds with a fraction in the body, whole ones in Retry-After."""
    header, wish = retry_after(answer.headers), table(answer.json()).get("retry_after")
    if isinstance(wish, (int, float)) and not isinstance(wish, bool) and wish > 0:
        return max(timedelta(seconds=min(wish, LONGEST_WAIT)), header or timedelta())
    return header


def words(answer: Answer) -> str:
    """Discord's own words: the message, and what it says of the single fields."""
    found = table(answer.json())
    message = found.get("message")
    named = list(_named(found.get("errors"), ""))[:3]
    said = "; ".join([*([message] if isinstance(message, str) and message else []), *named])
    return " ".join(said.split())[:300]


def _named(errors: Any, place: str) -> Iterator[str]:
    """{"content": {"_errors": [{"message": "…"}]}} as "content: …"."""
    for name, below in table(errors).items():
        if name == "_errors":
            yield from (f"{place}: {table(one).get('message')}" for one in listed(below))
        else:
            yield from _named(below, f"{place}.{name}" if place else str(name))
