"""Begins a post or a mail with what a start of Sendoff brought along; the person looks it over and sends it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sendoff.domain.mailto import Mailto
from sendoff.domain.post import Item, Markup
from sendoff.ui.composer.state import Letter, Page
from sendoff.ui.start import Start

if TYPE_CHECKING:
    from sendoff.ui.composer.screen import ComposerScreen

NO_MAIL_ACCOUNT = "This is a mail, and there is no e-mail account yet to send it from. What it holds is kept here."


class Receiving(QObject):
    """Puts it into a new post; what was written before is kept as a draft."""

    def __init__(self, screen: ComposerScreen) -> None:
        super().__init__(screen)
        self._screen = screen
        self._wrong: list[str] = []

    def take(self, start: Start) -> None:
        """Shows it; what cannot be used is named above it."""
        screen, self._wrong = self._screen, list(start.wrong)
        screen.begin()
        if start.mail is not None:
            self._begin_mail(start.mail, start.text)
        elif start.text:
            screen.desk.put_text(start.text)
        self._say()
        if start.files:
            screen.desk.current.add_files(list(start.files), self._refused)

    def _begin_mail(self, mail: Mailto, text: str) -> None:
        """A plain text (RFC 6068 section 2), from the mail account that was used last, else from the first one."""
        screen = self._screen
        chosen = screen.writing.chosen
        senders = [one for one in (*chosen, *screen.eyes.known) if screen.eyes.is_mail(one)][:1]
        letter = Letter(mail.subject, markup=Markup.PLAIN, to=mail.to, cc=mail.cc, bcc=mail.bcc)
        page = Page((Item("\n\n".join(filter(None, (mail.body, text)))),), letter)
        screen.show_again(replace(screen.writing, everyone=page, chosen=tuple(senders)))
        if not senders:
            self._wrong.append(NO_MAIL_ACCOUNT)

    def _refused(self, sentence: str) -> None:
        self._wrong.append(sentence)
        self._say()

    def _say(self) -> None:
        desk = self._screen.desk
        links = [("Add an account", desk.add_account_wanted.emit)] if NO_MAIL_ACCOUNT in self._wrong else []
        desk.notice.say("\n".join(self._wrong), links, state="doubt")
        desk.know(self._screen.eyes)  # makes room for it
