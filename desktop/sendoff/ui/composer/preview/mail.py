"""A mail as an inbox lists it and as it opens: for one of its people, remote content off."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.channels import mime
from sendoff.domain import mail as mails
from sendoff.domain.errors import SendError
from sendoff.domain.post import Attachment, Mail, Markup, Recipient
from sendoff.domain.safe_html import sanitised
from sendoff.domain.when import short
from sendoff.domain.words import counted
from sendoff.ui.composer.preview.media import FileTile
from sendoff.ui.composer.preview.model import Preview
from sendoff.ui.composer.preview.pictures import Pictures
from sendoff.ui.composer.preview.sealed import MARGIN, MailView
from sendoff.ui.context import Context
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.state import Icon, Tile
from sendoff.ui.widgets.surface import Card
from sendoff.ui.widgets.tip import set_tip

PAUSE = 120
"""While somebody types, the mail is rendered anew at most this often, in ms."""

OFFERED = 12
"""So many people can be chosen to see their copies."""


_REMOTE = re.compile(r'<img\b[^>]*\bsrc="https?:')


class MailCard(QWidget):
    """The line in the inbox, whose copy it is, the mail, and what is attached."""

    def __init__(self, context: Context, pictures: Pictures) -> None:
        super().__init__()
        self._context, self._look, self._pictures = context, context.look, pictures
        self._preview: Preview | None = None
        self._plain = False
        self._chosen = ""  # the address of the person whose copy is shown; "": the first one's
        self._inside: dict[str, Attachment] = {}
        self.inbox = _Inbox(self._look)
        self.copy = _Copy(self._look)
        self.copy.chosen.connect(self._choose)
        self.view = MailView(self._look, self._picture)
        self.attached: list[FileTile] = []
        self._files = QVBoxLayout()
        self._files.setSpacing(6)
        self._page = _Page(self._look, self.view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for part in (self.inbox, self.copy, self._page):
            column.addWidget(part)
        column.addLayout(self._files)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE)
        self._soon.timeout.connect(self._render)
        pictures.came.connect(self._came)

    def show_preview(self, preview: Preview) -> None:
        """Shows a mail: the first at once, what follows when there is time."""
        first, self._preview = self._preview is None, preview
        if first:
            self._render()
        elif not self._soon.isActive():
            self._soon.start()

    def show_plain(self, plain: bool) -> None:
        """Shows the plain alternative, for readers without HTML, or the HTML."""
        if plain != self._plain:
            self._plain = plain
            self._render()

    @property
    def has_html(self) -> bool:
        mail = self._preview.content.mail if self._preview else None
        return mail is not None and mail.markup is not Markup.PLAIN

    # --- rendering ------------------------------------------------------------------------------------------------

    def _render(self) -> None:
        preview = self._preview
        if preview is None:
            return
        self._soon.stop()
        mail = preview.content.mail or Mail()
        person = self._person(mail)
        rendered = mails.render(preview.content, person)
        media = preview.content.items[0].media
        source, self._inside = _placed(rendered.html, media)
        html = sanitised(source)
        if html and not self._plain:
            self.view.show_html(html)
        else:
            self.view.show_plain(rendered.text)
        self._page.set_empty(not (rendered.text.strip() or rendered.html.strip()))
        self.inbox.show_mail(preview, rendered, _teaser(mail, rendered, person), self._context)
        self.copy.show_copy(mail, person, remote=len(_REMOTE.findall(html)), html=bool(html))
        inside = {one.sha256 for one in self._inside.values()}
        self._show_attached([one for one in media if one.sha256 not in inside])

    def _person(self, mail: Mail) -> Recipient | None:
        """Whose copy it is; None where one mail goes to several."""
        if not mail.to or (not mail.separately and len((*mail.to, *mail.cc, *mail.bcc)) > 1):
            return None
        return next((one for one in mail.to[:OFFERED] if one.address == self._chosen), mail.to[0])

    def _choose(self, address: str) -> None:
        self._chosen = address
        self._render()

    def _picture(self, name: str) -> QImage | None:
        attachment = self._inside.get(name)
        return self._pictures.get(attachment.sha256) if attachment else None

    def _came(self, sha256: str) -> None:
        if any(one.sha256 == sha256 for one in self._inside.values()):
            self.view.show_again()

    def _show_attached(self, files: Sequence[Attachment]) -> None:
        while len(self.attached) > len(files):
            gone = self.attached.pop()
            self._files.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self.attached) < len(files):
            self.attached.append(FileTile(self._look))
            self._files.addWidget(self.attached[-1])
        for tile, attachment in zip(self.attached, files, strict=True):
            tile.show_file(attachment)


def _placed(source: str, media: Sequence[Attachment]) -> tuple[str, dict[str, Attachment]]:
    """The HTML with its own files named by their content, and those files: all that stand in it as cid:NAME."""
    files = {one.name: one for one in reversed(media)}
    forms = mime.name_forms(files)
    inside: dict[str, Attachment] = {}
    if not forms:
        return source, inside

    def place(hit: re.Match[str]) -> str:
        attachment = files[forms[hit[1]]]
        inside[attachment.sha256] = attachment
        return f"cid:{attachment.sha256}"

    return mime.mention(forms).sub(place, source), inside


def _teaser(mail: Mail, rendered: mails.Rendered, person: Recipient | None) -> str:
    """What an inbox shows behind the subject: the preheader, else the first words."""
    written = mails.fill(mail.preheader, mails.fields_of(person) if person else None)
    words = written if written.strip() else rendered.text[:400]
    return " ".join(words.split())


class _Inbox(Card):
    """The mail as a line of the inbox."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, padding=12)
        self.avatar = Tile(look, size=36)
        self.who = Label(look, "", weight=STRONG, elide=True)
        self.time = Label(look, "", color="text2", size="small", figures=True)
        self.subject = Label(look, "", weight=MEDIUM, elide=True)
        self.teaser = Label(look, "", color="text2", elide=True)
        self.body.setSpacing(0)
        row, words, top = QHBoxLayout(), QVBoxLayout(), QHBoxLayout()
        row.setSpacing(12)
        words.setSpacing(0)
        top.setSpacing(8)
        top.addWidget(self.who, 1)
        top.addWidget(self.time)
        words.addLayout(top)
        words.addWidget(self.subject)
        words.addWidget(self.teaser)
        row.addWidget(self.avatar)
        row.addLayout(words, 1)
        self.body.addLayout(row)

    def show_mail(self, preview: Preview, rendered: mails.Rendered, teaser: str, context: Context) -> None:
        name = _sender(preview)
        self.avatar.set_letter(name)
        self.who.setText(name)
        self.time.setText(short(preview.when, context.now()) if preview.when else "now")
        self.subject.setText(rendered.subject or "No subject")
        self.subject.set_color("text" if rendered.subject else "text3")
        self.teaser.setText(teaser)
        self.teaser.setVisible(bool(teaser))
        self.setAccessibleName(f"In the inbox: {name}, {rendered.subject}, {teaser}")


def _sender(preview: Preview) -> str:
    try:
        sender = mime.sender(preview.account)
    except SendError:
        return preview.account.name
    return sender.name or sender.address


class _Copy(Card):
    """Says what is not loaded, and whose copy is shown; another one's can be chosen."""

    chosen = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__(look, fill="surface", padding=0)
        self._look = look
        self._people: tuple[Recipient, ...] = ()
        self._menu = Menu(look, parent=self)
        self.icon = Icon(look, "shield-check")
        self.words = Label(look, "", color="text2", elide=True)
        self.whose = Button(look, "", kind="quiet", size=SMALL, menu=self._menu)
        self.all = Label(look, "", color="text2")
        row = QHBoxLayout()
        row.setContentsMargins(12, 1, 4, 1)
        row.setSpacing(8)
        row.addWidget(self.icon)
        row.addWidget(self.words, 1)
        row.addWidget(self.whose)
        row.addWidget(self.all)
        self._row = row
        self.body.addLayout(row)
        self.setFixedHeight(32)

    def show_copy(self, mail: Mail, person: Recipient | None, *, remote: int, html: bool) -> None:
        self.words.setText("Remote content is off" if html else "Only text")
        named = counted(remote, "picture", "pictures")
        set_tip(self, f"The mail names {named} on the web. Many readers don’t load them either." if remote else "")
        everyone = len((*mail.to, *mail.cc, *mail.bcc))
        several = person is not None and len(mail.to) > 1
        self.whose.setVisible(several)
        self._row.setContentsMargins(12, 1, 4 if several else 12, 1)  # the button has an edge of its own
        self.all.setVisible(not several and everyone > 0)
        self.all.setText(f"as {_first_name(person)}" if person else f"for all {everyone}")
        if person is not None:
            self.whose.setText(f"as {_first_name(person)}")
        if mail.to[:OFFERED] != self._people:
            self._people = mail.to[:OFFERED]
            self._fill(len(mail.to) - OFFERED)

    def _fill(self, more: int) -> None:
        self._menu.clear()
        for one in self._people:
            self._menu.add(one.name or one.address, partial(self.chosen.emit, one.address), icon="user")
        if more > 0:
            self._menu.add(f"and {more:,} more")


def _first_name(person: Recipient) -> str:
    """What fits a narrow row."""
    name = person.name.split()[0] if person.name.strip() else person.address.partition("@")[0]
    return name if len(name) <= 16 else name[:15] + "…"


class _Page(QWidget):
    """The white sheet that the mail stands on, in both themes."""

    def __init__(self, look: Look, view: MailView) -> None:
        super().__init__()
        self._look = look
        self._is_empty = False
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(view)

    def set_empty(self, empty: bool) -> None:
        self._is_empty = empty
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        light = self._look.tokens.light
        paint.box(painter, self.rect(), 6, QColor(light["raised"]), self._look.color("line"))
        if self._is_empty:
            place = self.rect().adjusted(MARGIN, 0, -MARGIN, 0)
            paint.text(painter, place, "What you write stands here.", self._look.font(), QColor(light["text3"]))
        painter.end()
