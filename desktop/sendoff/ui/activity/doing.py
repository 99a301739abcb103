"""Does what a person wants with deliveries, and says so; with Undo wherever there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from sendoff.domain.account import Account
from sendoff.domain.delivery import State
from sendoff.domain.errors import SendError, SendoffError
from sendoff.domain.numbers import Reading, total
from sendoff.domain.outside import what_cancelling_did
from sendoff.domain.words import counted
from sendoff.store import accounts
from sendoff.store.timeline import Row
from sendoff.ui.activity.deeds import Act, Deed, deeds_of
from sendoff.ui.activity.received import show_received
from sendoff.ui.activity.settling import SettleSheet
from sendoff.ui.context import Context
from sendoff.ui.links import open_web
from sendoff.ui.states import SIGN_IN_FIRST


class Doing:
    """Carries out deeds.

    Args:
        owner: the screen; nothing is said to it once it is gone.
    """

    def __init__(self, context: Context, owner: QObject) -> None:
        self._context, self._owner = context, owner
        self._known: Mapping[int, Account] = {}
        self._verbs: Mapping[Act, Callable[[Sequence[Row]], object]] = {
            Act.LOOK: self._look,
            Act.VISIT: lambda rows: self._open(self._known[rows[0].delivery.account_id].url),
            Act.THERE: lambda rows: self._settle(rows[0], True),
            Act.ABSENT: lambda rows: self._settle(rows[0], False),
            Act.EDIT: lambda rows: context.go("composer", post_id=rows[0].delivery.post_id),
            Act.RETRY: self._retry,
            Act.DISMISS: lambda rows: self.dismiss([row.delivery.id for row in rows]),
            Act.SIGN_IN: lambda rows: context.go("add_account", account_id=rows[0].delivery.account_id),
            Act.CANCEL: self._cancel,
            Act.OPEN_LINK: lambda rows: self._open(rows[0].url),
            Act.COPY_LINK: lambda rows: self.copy("\n".join(row.url for row in rows), "The link is copied."),
            Act.NUMBERS: self._read_numbers,
            Act.DELETE: self._delete,
            Act.RECEIVED: lambda rows: show_received(context, rows[0].handle),
        }

    def read(self) -> None:
        """Learns the accounts as they are now."""
        with self._context.reading() as connection:
            self._known = {one.id: one for one in accounts.every(connection)}

    @property
    def known(self) -> Mapping[int, Account]:
        """The accounts by their ids."""
        return self._known

    def deeds(self, row: Row) -> tuple[Deed, ...]:
        """What can be done with a delivery."""
        account = self._known.get(row.delivery.account_id)
        return deeds_of(row, account, self._context.program.channels.get(row.channel))

    def able(self, rows: Sequence[Row], act: Act, *, pressing: bool = False) -> list[Row]:
        """Those with which this can be done; with `pressing` only where it stands on a button."""
        return [
            row for row in rows if any(one.act is act and (one.pressing or not pressing) for one in self.deeds(row))
        ]

    def do(self, act: Act, rows: Sequence[Row]) -> None:
        """Does one thing with these deliveries."""
        if rows:
            self._verbs[act](rows)

    # --- one by one -----------------------------------------------------------------------------------------------

    def _look(self, rows: Sequence[Row]) -> None:
        commands, delivery_id = self._context.commands, rows[0].delivery.id
        self._run(lambda: commands.deliveries.look_again(delivery_id), "Sendoff looks for it now.")

    def _settle(self, row: Row, there: bool) -> None:
        SettleSheet.show_for(self._context, row.delivery.id, there)

    def _retry(self, rows: Sequence[Row]) -> None:
        commands, ids = self._context.commands, [row.delivery.id for row in rows]
        words = (
            "It goes again now." if len(ids) == 1 else f"{counted(len(ids), 'delivery', 'deliveries')} go again now."
        )
        context = self._context

        def said(found: Sequence[State]) -> None:
            context.say(SIGN_IN_FIRST if State.HELD in found else words)

        context.do(lambda: commands.deliveries.retry(ids), said, owner=self._owner)

    def dismiss(self, ids: Sequence[int]) -> None:
        """Takes deliveries off what needs the person; what became of them stays in the list."""
        commands = self._context.commands
        words = "Dismissed. It stays in the list below." if len(ids) == 1 else f"{len(ids):,} were dismissed."
        self._run(
            lambda: commands.deliveries.acknowledge(ids),
            words,
            undo=lambda: commands.deliveries.acknowledge(ids, False),
        )

    def _cancel(self, rows: Sequence[Row]) -> None:
        commands, ids, now = self._context.commands, [row.delivery.id for row in rows], self._context.now()
        words = f"Cancelled. {what_cancelling_did(row.outside for row in rows)}"
        if all(row.delivery.planned_at > now for row in rows):
            self._run(lambda: commands.deliveries.cancel(ids), words, undo=lambda: commands.deliveries.restore(ids))
            return
        self._context.ask(
            "Cancel this post?" if len(ids) == 1 else f"Cancel {len(ids)} deliveries?",
            "Its time is past, so it can’t be put back. What is out already stays out. "
            "The post itself stays, and you can plan a copy.",
            "Cancel it",
            lambda: self._run(lambda: commands.deliveries.cancel(ids), words),
            danger=True,
        )

    def _read_numbers(self, rows: Sequence[Row]) -> None:
        commands = self._context.commands
        for row in rows:
            delivery_id = row.delivery.id
            self._context.do(
                lambda delivery_id=delivery_id: commands.sent.read_numbers(delivery_id),  # type: ignore[misc]
                self._say_numbers, slow=True, owner=self._owner,
            )  # fmt: skip

    def _say_numbers(self, found: Mapping[int, Reading]) -> None:
        numbers = total(found)
        self._context.say(f"{numbers.words}." if numbers else "It is not there any more.")

    def _delete(self, rows: Sequence[Row]) -> None:
        """Asks first: what is deleted there can't be put back, and takes along what others did with it."""
        titles = {row.channel: self._context.program.channels[row.channel].title for row in rows}
        where = " and ".join(titles.values())
        parts = sum(row.out for row in rows)
        what = (
            f"“{rows[0].excerpt}” goes" if parts == 1 else f"All {parts} parts of it go, the last one first: each goes"
        )
        self._context.ask(
            f"Delete it from {where}?",
            f"{what} away there for everybody, with its likes and answers, and can’t be put back. "
            "Sendoff keeps the text, and that it was sent.",
            f"Delete from {where}",  # noqa: S608  # no SQL, but a button
            lambda: self._delete_each(rows),
            danger=True,
        )

    def _delete_each(self, rows: Sequence[Row]) -> None:
        commands = self._context.commands
        for row in rows:
            title, delivery_id = self._context.program.channels[row.channel].title, row.delivery.id
            self._context.say(f"{title} is asked to delete it…")
            self._context.do(
                lambda delivery_id=delivery_id: commands.sent.delete(delivery_id),  # type: ignore[misc]
                said=f"It is deleted from {title}.", failed=self._not_deleted, slow=True, owner=self._owner,
            )  # fmt: skip

    def _not_deleted(self, error: SendoffError) -> None:
        advice = error.advice if isinstance(error, SendError) else ""
        self._context.say(f"It may still be there: {error} {advice}".rstrip(), trouble=True)

    def _open(self, url: str) -> None:
        if not open_web(url):
            self._context.say("This computer has no browser that could open it. Copy the link instead.", trouble=True)

    def copy(self, text: str, said: str) -> None:
        """Puts text on the clipboard."""
        QGuiApplication.clipboard().setText(text)
        self._context.say(said)

    def _run(self, work: Callable[[], object], said: str, undo: Callable[[], object] | None = None) -> None:
        self._context.do(work, said=said, undo=undo, owner=self._owner)
