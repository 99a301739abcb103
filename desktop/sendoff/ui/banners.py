"""What stands in the way of the sending, told whole above every page: a box for each thing, with what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from sendoff.domain.account import Account, rest_words
from sendoff.domain.signin import Ending, step
from sendoff.domain.when import moment
from sendoff.domain.words import counted
from sendoff.ui.widgets.notice import Notice

if TYPE_CHECKING:
    from sendoff.ui.context import Context
    from sendoff.ui.standing import Standing

Link = tuple[str, Callable[[], object]]


class Banners(QWidget):
    """Hidden while there is nothing to say. Each thing has a key, under which it is said anew or taken away."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.notices: dict[str, Notice] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(20, 12, 16, 0)
        self._column.setSpacing(8)
        self.hide()

    def say(self, key: str, words: str, links: Sequence[Link] = (), *, state: str = "doubt") -> None:
        """Says a thing, in the colours of a state; "" takes it away. A link that stays keeps the keyboard."""
        notice = self.notices.get(key)
        if not words:
            if notice is not None:
                self._drop(key)
            return
        if notice is None:
            notice = self.notices[key] = Notice(self._context.look)
            self._column.addWidget(notice)
            notice.say(words, links, state=state)
        elif [one.words() for one in notice.links] != [said for said, _ in links]:
            notice.say(words, links, state=state)
        elif notice.words != words:
            notice.reword(words)
        self.show()

    def _drop(self, key: str) -> None:
        notice = self.notices.pop(key)
        self._column.removeWidget(notice)
        notice.hide()
        notice.deleteLater()
        self.setVisible(bool(self.notices))

    def words(self, key: str) -> str:
        """What is said of a thing now, or ""."""
        return self.notices[key].words if key in self.notices else ""

    # --- what stands in the way -----------------------------------------------------------------------------------

    def show_standing(self, standing: Standing) -> None:
        """Says what troubles the sender, and who rests."""
        unlock: Sequence[Link] = [("Unlock…", self._context.window.unlock)] if standing.locked else []
        self.say("trouble", standing.trouble, unlock)
        over: Sequence[Link] = [("Look at what it would send…", self._context.window.look_over)]
        self.say("paused", standing.paused_why, over)
        self.say("warning", standing.warning)
        self.say("rest", rests(standing), self._ways_on(standing.resting))
        self.say("ends", ends(standing), self._sign_ins(standing))

    def _ways_on(self, resting: Sequence[Account]) -> list[Link]:
        if len(resting) != 1:
            return [("Show the accounts", partial(self._context.go, "accounts"))]
        account = resting[0]
        return [
            ("Ask now", partial(self._wake, account)),
            ("Show the account", partial(self._context.go, "accounts", account_id=account.id)),
        ]

    def _sign_ins(self, standing: Standing) -> list[Link]:
        told = _worth_saying(standing)
        if len(told) != 1:
            return [("Show the accounts", partial(self._context.go, "accounts"))]
        return [("Sign in again", partial(self._context.go, "add_account", account_id=told[0].account.id))]

    def _wake(self, account: Account) -> None:
        commands = self._context.commands
        said = f"{account.name} is asked now whether it works again."
        self._context.do(lambda: commands.accounts.wake(account.id), said=said)


def ends(standing: Standing) -> str:
    """Which sign-ins end and what is planned for later, in sentences; "" if none does."""
    return " ".join(one.words(standing.now, standing.zone) for one in _worth_saying(standing))


def _worth_saying(standing: Standing) -> list[Ending]:
    """Above every page stands what puts posts at risk, and in the last days what might."""
    return [one for one in standing.endings if one.at_risk or step(one.expires_at, standing.now) in (0, 1, 3)]


def rests(standing: Standing) -> str:
    """Who rests until when and why, in a sentence or two; "" if nobody does."""
    resting = standing.resting
    if not resting:
        return ""
    if len(resting) == 1:
        rest = rest_words(resting[0], standing.now, standing.zone)
        return f"{resting[0].name}: {rest[:1].lower()}{rest[1:]} {_WAITS}"
    until = [
        f"{one.name} until {moment(one.rest_until, standing.zone, standing.now).removeprefix('Today ')}"
        for one in resting
        if one.rest_until
    ]
    return f"{counted(len(resting), 'account rests', 'accounts rest')} after refusals: {', '.join(until)}. {_WAITS}"


_WAITS = "What is due there waits; then Sendoff asks whether it works again."
