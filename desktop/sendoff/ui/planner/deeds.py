"""What a person does with chips, from whichever view: everything is said, and undone where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QWidget

from sendoff.domain.delivery import WAITING, Move, State, can, why_not
from sendoff.domain.errors import AmbiguousTime
from sendoff.domain.when import When, clock_text, resolve, span_text
from sendoff.domain.words import counted
from sendoff.store.timeline import Chip
from sendoff.ui.context import Context
from sendoff.ui.planner.days import day_words, entry
from sendoff.ui.planner.shift import ShiftSheet
from sendoff.ui.planner.words import time_words
from sendoff.ui.states import SIGN_IN_FIRST
from sendoff.ui.widgets.menu import Menu

BUSY = frozenset({State.SENDING, State.IN_DOUBT, State.HANDED_OVER})
"""While a delivery is in one of these, its post's text can't change."""

STEPS = (
    ("15 min later", timedelta(minutes=15), "Ctrl+Down"), ("1 hour later", timedelta(hours=1), ""),
    ("1 day later", timedelta(days=1), "Ctrl+Right"), ("1 week later", timedelta(days=7), ""),
    ("15 min earlier", timedelta(minutes=-15), "Ctrl+Up"), ("1 hour earlier", timedelta(hours=-1), ""),
    ("1 day earlier", timedelta(days=-1), "Ctrl+Left"), ("1 week earlier", timedelta(days=-7), ""),
)  # fmt: skip
"""What the menu offers to shift by, and the keys that do it."""


def is_editable(chip: Chip) -> bool:
    """Whether the composer can still change something about it."""
    return bool(chip.ids_that_can(Move.RESCHEDULE)) and not any(seat.state in BUSY for seat in chip.seats)


def ids_to_send(chip: Chip) -> tuple[int, ...]:
    """The deliveries that "Send now" or "Try again" is for; one that waits for a sign-in needs that first."""
    ids = chip.ids_that_can(Move.RETRY)
    return tuple(seat.delivery_id for seat in chip.seats if seat.delivery_id in ids and seat.state is not State.HELD)


def sign_in_account(chip: Chip) -> int | None:
    """The account that wants a sign-in before this can go."""
    return next((seat.account_id for seat in chip.seats if seat.state is State.HELD), None)


class Deeds:
    """Carries out, for the widget `owner`, what the person asks for. Refusals are said."""

    def __init__(self, context: Context, owner: QWidget) -> None:
        self._context, self._owner = context, owner

    # --- looking --------------------------------------------------------------------------------------------------

    def open(self, chip: Chip) -> None:
        """The composer for what can still change, else Activity."""
        if is_editable(chip):
            self._context.go("composer", post_id=chip.post_id)
        else:
            self.show_in_activity(chip)

    def show_in_activity(self, chip: Chip) -> None:
        seat = next(seat for seat in chip.seats if seat.state is chip.state)
        self._context.go("activity", delivery_id=seat.delivery_id)

    def sign_in(self, account_id: int) -> None:
        self._context.go("accounts", account_id=account_id)

    def write_at(self, wall: datetime) -> None:
        """A new post for a time of the grid (naive, in the person's zone)."""
        now, zone = self._context.now(), self._context.zone()

        def write(when: When) -> None:
            if when.instant < now:
                self._context.say("That time is past. Choose one that is still to come.", trouble=True)
            else:
                self._context.go("composer", at=when.local)

        self._resolved(wall, zone, write)

    # --- times ----------------------------------------------------------------------------------------------------

    def move(self, chip: Chip, wall: datetime) -> None:
        """Gives a chip another time (naive, in the person's zone). A post planned in another zone stays in that."""
        ids = chip.ids_that_can(Move.RESCHEDULE)
        if not ids:
            self._refuse(chip, Move.RESCHEDULE)
            return
        zone = self._context.zone()

        def move(when: When) -> None:
            own = when if chip.when.zone == zone else When.at(when.instant, chip.when.zone)
            commands = self._context.commands
            said = f"Moved to {day_words(wall.date())}, {clock_text(when.wall)}.{self._rest(chip, ids)}"
            undo = partial(commands.deliveries.move, ids, chip.when) if self._can_go_back([chip]) else None
            self._context.do(partial(commands.deliveries.move, ids, own), said=said, undo=undo, owner=self._owner)

        self._resolved(wall, zone, move)

    def refuse_move(self, chip: Chip) -> None:
        """Says why a chip stays where it is."""
        self._refuse(chip, Move.RESCHEDULE)

    def shift(self, chips: Sequence[Chip], by: timedelta) -> None:
        """Moves several together by so much on the clock."""
        movable = [chip for chip in chips if chip.ids_that_can(Move.RESCHEDULE)]
        if not movable:
            self._refuse(chips[0], Move.RESCHEDULE)
            return
        if len(chips) == 1:
            wall = entry(chips[0], self._context.zone()).wall
            self.move(chips[0], wall + by)
            return
        ids = [one for chip in movable for one in chip.ids_that_can(Move.RESCHEDULE)]
        commands = self._context.commands
        size = span_text(abs(by.total_seconds()))
        said = f"{counted(len(movable), 'post', 'posts')} moved {size} {'later' if by > timedelta() else 'earlier'}."
        said += self._stayed(len(chips) - len(movable))
        undo = partial(commands.deliveries.shift, ids, -by) if self._can_go_back(movable) else None
        self._context.do(partial(commands.deliveries.shift, ids, by), said=said, undo=undo, owner=self._owner)

    def ask_shift(self, chips: Sequence[Chip]) -> None:
        """Asks by how much."""
        sheet = ShiftSheet(self._context, chips, lambda by: self.shift(chips, by))
        self._context.window.show_overlay(sheet)

    def _resolved(self, wall: datetime, zone: str, then: Callable[[When], None]) -> None:
        """Calls `then` with the time that is meant; where the clock jumps, the person says which."""
        try:
            then(resolve(wall, zone))
        except AmbiguousTime as unclear:
            menu = Menu(self._context.look, parent=self._owner)
            menu.add(
                f"{clock_text(wall)} comes twice that day" if _twice(unclear) else f"There is no {clock_text(wall)}"
            )
            for choice in unclear.choices:
                words = f"{clock_text(choice.replace(tzinfo=None))} {choice.tzname()}"
                menu.add(words, partial(then, When.at(choice.astimezone(UTC), zone)), icon="clock")
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(QCursor.pos())

    # --- cancelling and sending -----------------------------------------------------------------------------------

    def cancel(self, chips: Sequence[Chip]) -> None:
        """Takes posts back. Undo puts them at their times again, as long as those are to come."""
        going = [chip for chip in chips if chip.ids_that_can(Move.CANCEL)]
        if not going:
            self._refuse(chips[0], Move.CANCEL)
            return
        ids = [one for chip in going for one in chip.ids_that_can(Move.CANCEL)]
        commands = self._context.commands
        if len(chips) == 1:
            whole = len(ids) == len(chips[0].seats)
            said = "Cancelled. Its text is in Drafts." if whole else f"Cancelled.{self._rest(chips[0], ids)}"
        else:
            said = f"{counted(len(going), 'post was', 'posts were')} cancelled."
            said += self._stayed(len(chips) - len(going))
        undo = (
            partial(commands.deliveries.restore, ids) if all(chip.at > self._context.now() for chip in going) else None
        )
        self._context.do(partial(commands.deliveries.cancel, ids), said=said, undo=undo, owner=self._owner)

    def send_now(self, chip: Chip) -> None:
        """Sends at once, after asking: what is out cannot be taken back."""
        ids = ids_to_send(chip)
        if not ids and sign_in_account(chip) is not None:
            self._context.say(SIGN_IN_FIRST, trouble=True)
            return
        if not ids:
            self._refuse(chip, Move.RETRY)
            return
        where = chip.seats[0].name if len(chip.seats) == 1 else counted(len(ids), "account", "accounts")
        planned = time_words(entry(chip, self._context.zone()))
        instead = f", instead of {planned}" if chip.at > self._context.now() else ""
        self._context.ask(
            "Send it now?",
            f"It goes to {where} at once{instead}. What is out can’t be taken back.",
            "Send now",
            lambda: self._send(chip, ids),
        )

    def _send(self, chip: Chip, ids: tuple[int, ...]) -> None:
        """What waits gets the time of now, so that the planner stays true; what failed keeps the time it had."""
        commands, zone = self._context.commands, chip.when.zone
        waiting = [seat.delivery_id for seat in chip.seats if seat.delivery_id in ids and seat.state in WAITING]
        others = [one for one in ids if one not in waiting]

        def send() -> list[State]:
            moved = commands.deliveries.move(waiting, When.at(self._context.now(), zone)) if waiting else []
            return moved + (commands.deliveries.retry(others) if others else [])

        def said(found: list[State]) -> None:
            self._context.say(SIGN_IN_FIRST if State.HELD in found else "On its way.")

        self._context.do(send, said, owner=self._owner)

    # --- the menu -------------------------------------------------------------------------------------------------

    def menu(self, chips: Sequence[Chip], parent: QWidget) -> Menu:
        """Everything that can be done with these, for one chip or several. It deletes itself when it closes."""
        menu = Menu(self._context.look, parent=parent)
        menu.aboutToHide.connect(menu.deleteLater)
        if len(chips) == 1:
            self._add_single(menu, chips[0])
        if any(chip.ids_that_can(Move.RESCHEDULE) for chip in chips):
            steps = Menu(self._context.look, "Shift", menu)
            self.add_steps(steps, chips)
            menu.addMenu(steps).setIcon(self._context.look.icon("calendar-clock"))
        if any(chip.ids_that_can(Move.CANCEL) for chip in chips):
            words = "Cancel the post" if len(chips) == 1 else f"Cancel {len(chips)} posts"
            menu.add(words, lambda: self.cancel(chips), icon="trash-2", keys="Del")
        return menu

    def _add_single(self, menu: Menu, chip: Chip) -> None:
        if is_editable(chip):
            menu.add("Edit", lambda: self.open(chip), icon="pencil", keys="Return")
        menu.add("Show in Activity", lambda: self.show_in_activity(chip), icon="activity")
        account_id = sign_in_account(chip)
        if account_id is not None:
            menu.add("Sign in again", lambda: self.sign_in(account_id), icon="key-round")
        if ids_to_send(chip):
            words = "Try again" if chip.state is State.FAILED else "Send now"
            menu.add(words, lambda: self.send_now(chip), icon="send")

    def add_steps(self, menu: Menu, chips: Sequence[Chip]) -> None:
        """By how much: the usual steps, and any other."""
        for words, by, keys in STEPS:
            if words == "15 min earlier":
                menu.addSeparator()
            menu.add(words, partial(self.shift, chips, by), keys=keys)
        menu.addSeparator()
        menu.add("By another time…", lambda: self.ask_shift(chips))

    # --- words ----------------------------------------------------------------------------------------------------

    def _refuse(self, chip: Chip, what: Move) -> None:
        self._context.say(why_not(chip.state, what), trouble=True)

    def _can_go_back(self, chips: Sequence[Chip]) -> bool:
        """Whether the old times can be had again: they are to come, and nothing had happened yet."""
        movable = [seat.state for chip in chips for seat in chip.seats if can(seat.state, Move.RESCHEDULE)]
        return all(chip.at > self._context.now() for chip in chips) and all(state in WAITING for state in movable)

    @staticmethod
    def _rest(chip: Chip, ids: Sequence[int]) -> str:
        left = len(chip.seats) - len(ids)
        return f" For {counted(left, 'account', 'accounts')} it stays as it is." if left else ""

    @staticmethod
    def _stayed(count: int) -> str:
        return f" {counted(count, 'stays as it is', 'stay as they are')}." if count else ""


def _twice(unclear: AmbiguousTime) -> bool:
    first, second = unclear.choices
    return first.replace(tzinfo=None, fold=0) == second.replace(tzinfo=None, fold=0)
