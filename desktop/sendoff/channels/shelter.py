"""Channels of other packages: where one fails while nothing is at stake, the program goes on and says whose it is.

A failure while something leaves is another matter: dispatch.py turns it into doubt.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar

from sendoff.domain.channel import Channel, How, Level, Problem, Settle
from sendoff.domain.errors import BadInput
from sendoff.domain.post import LinkCard
from sendoff.domain.text import Span

log = logging.getLogger(__name__)

T = TypeVar("T")


def shelter(channel: Channel, package: str) -> None:
    """Guards the verbs of a channel that are asked without a send: while somebody writes, for a screen or a list.

    Args:
        package: what to call it in sentences: "the package sendoff-noticeboard 1.0".
    """
    guard = _Guard(channel.kind, package)
    said = f"{package[:1].upper()}{package[1:]} failed"

    def unchecked(wrong: str) -> tuple[Problem, ...]:
        title = f"{said} when it looked at this for {channel.title}."
        text = f"Only Sendoff’s own checks count now. Is there a newer one? ({wrong})"
        return (Problem(Level.WARNING, "channel_failed", title, text),)

    def refused(wrong: str) -> NoReturn:
        raise BadInput(f"{said} over this ({wrong}). Is there a newer one?")

    asked: dict[str, tuple[Callable[[Any], Any], Callable[[str], Any]]] = {
        "check": (_each(Problem), unchecked),
        "lacks": (_each(str), lambda wrong: (f"{said} when it was asked what this server lacks ({wrong}).",)),
        "linked": (_one(str), lambda _: ""),
        "marked": (_each(Span), lambda _: ()),
        "card": (_one(LinkCard | None), lambda _: None),
        "needs_browser": (_one(bool), lambda _: False),
        "may_read": (_one(bool), lambda _: False),
        "settle": (_one(Settle), lambda wrong: Settle(How.ASK, why=f"{said} when it was asked for a way ({wrong}).")),
    }
    for name, (whole, instead) in asked.items():
        setattr(channel, name, guard.around(getattr(channel, name), whole, instead))
    for name, whole in (("imported", tuple), ("rehearse", _one(str))):
        setattr(channel, name, guard.around(getattr(channel, name), whole, refused, meant=(BadInput,)))


class _Guard:
    """Calls somebody else's verbs; the log gets each kind of failure once, because people type fast."""

    def __init__(self, kind: str, package: str) -> None:
        self._kind, self._package = kind, package
        self._told: set[tuple[str, type]] = set()

    def around(
        self, verb: Callable[..., object], whole: Callable[[Any], T], instead: Callable[[str], T],
        meant: tuple[type[Exception], ...] = (),
    ) -> Callable[..., T]:  # fmt: skip
        """The same verb that never fails.

        Args:
            whole: reads what it returned to the end, and raises TypeError for what is no such thing.
            instead: what to answer where it failed, from the name of the failure.
            meant: what it may raise.
        """

        def asked(*given: Any) -> T:
            try:
                return whole(verb(*given))
            except meant:
                raise
            except Exception as wrong:  # noqa: BLE001  # somebody else's code, and this is no send
                self._tell(verb.__name__, wrong)
                return instead(type(wrong).__name__)

        return asked

    def _tell(self, verb: str, wrong: Exception) -> None:
        if (verb, type(wrong)) not in self._told:
            self._told.add((verb, type(wrong)))
            where = "".join(traceback.format_tb(wrong.__traceback__))  # without its words, which may be the person's
            what = type(wrong).__name__
            log.error("%s failed in %s of the channel %s: %s\n%s", self._package, verb, self._kind, what, where)


def _one(kind: Any) -> Callable[[Any], Any]:
    def whole(found: Any) -> Any:
        if not isinstance(found, kind):
            raise TypeError(f"It answered with a {type(found).__name__}.")
        return found

    return whole


def _each(kind: type[T]) -> Callable[[Iterable[Any]], tuple[T, ...]]:
    one = _one(kind)
    return lambda found: tuple(one(each) for each in found)
