"""One tab: the fields of a mail where one is wanted, the text in one or more items, and their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from sendoff.domain.mail import from_markdown
from sendoff.domain.post import Attachment, Item, Markup, Poll
from sendoff.domain.text import FIELD
from sendoff.domain.words import counted
from sendoff.ui.composer.assess import Counted
from sendoff.ui.composer.cards import CardLine
from sendoff.ui.composer.editor import Editor
from sendoff.ui.composer.emoji import EmojiPopup
from sendoff.ui.composer.mailform import MailForm
from sendoff.ui.composer.media import Enclosures, MediaStrip, Refused
from sendoff.ui.composer.poll import PollForm
from sendoff.ui.composer.preview.pictures import Pictures
from sendoff.ui.composer.state import Page, enclosed
from sendoff.ui.context import Context
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.choice import SegmentedControl
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.surface import Divider

FORMATS = ((Markup.MARKDOWN, "Markdown"), (Markup.HTML, "HTML"), (Markup.PLAIN, "Plain"))


class PageView(QWidget):
    """`edited` comes with every change."""

    edited = Signal()

    def __init__(self, context: Context, pictures: Pictures) -> None:
        super().__init__()
        self._context, self._look, self._pictures = context, context.look, pictures
        self._mail = self._social = self._polls = False
        self._plain_wanted = False
        self.items: list[ItemView] = []
        self.form = MailForm(self._look)
        self.bar = MailBar(self._look)
        self.html = Editor(self._look, "HTML of the mail", face="mail", lines=8, hint="<p>Write HTML…</p>")
        self.own_plain = Button(
            self._look, "Write the plain text too", kind="link", size=SMALL, flush=True, run=self._want_plain
        )  # fmt: skip
        self._plain_label = Label(self._look, "Plain text, for readers without HTML", size="small", color="text2")
        self.enclosures = Enclosures(context)
        self.enclosures.setContentsMargins(0, 8, 0, 8)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.form)
        self._column.addWidget(self.bar)
        self._column.addWidget(self.html, 2)
        self._column.addWidget(self.own_plain)
        self._column.addWidget(self._plain_label)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self._column.addLayout(self._list, 1)
        self._column.addWidget(self.enclosures)
        self._connect()

    def _connect(self) -> None:
        for signal in (self.form.edited, self.html.edited, self.enclosures.changed):
            signal.connect(self.edited.emit)
        self.bar.formatted.connect(self._format)
        self.bar.wrapped.connect(self._wrap)
        self.bar.picture_wanted.connect(self._choose_inline)
        self.bar.fields_wanted.connect(self._fill_fields)
        self.html.files.connect(self.add_files)
        self.html.picture.connect(self.enclosures.add_picture)

    # --- what it holds --------------------------------------------------------------------------------------------

    def show_page(self, page: Page) -> None:
        self.blockSignals(True)
        self._plain_wanted = False
        self.form.show_letter(page.letter)
        self.bar.set_format(page.letter.markup)
        self.html.set_text(page.letter.html)
        self.enclosures.show_files(enclosed(page.items[0]))
        while len(self.items) > len(page.items):
            self._drop(self.items[-1])
        for number, item in enumerate(page.items):
            if number == len(self.items):
                self._add(number)
            self.items[number].show_item(item)
        self.blockSignals(False)
        self._arrange()

    def page(self) -> Page:
        items = [view.item() for view in self.items]
        items[0] = replace(items[0], media=(*items[0].media, *self.enclosures.files()))
        return Page(tuple(items), self.form.letter(self.bar.format, self.html.text()))

    def set_kind(self, *, mail: bool, social: bool, polls: bool) -> None:
        """Shows what these readers need: the fields of a mail, the tools of a post, or both; and whether they vote."""
        if (mail, social, polls) != (self._mail, self._social, self._polls):
            self._mail, self._social, self._polls = mail, social, polls
            self._arrange()

    def set_counts(self, counts: Sequence[Counted]) -> None:
        for view, one in zip(self.items, counts, strict=False):
            view.set_count(one if self._social or not self._mail else Counted(one.characters, None))

    @property
    def body(self) -> Editor:
        """Where the text is written: the HTML where that is the format, else the first item."""
        return self.html if self._is_html else self.items[0].editor

    @property
    def is_busy(self) -> bool:
        return self.enclosures.is_busy or any(view.media.is_busy for view in self.items)

    @property
    def _is_html(self) -> bool:
        return self._mail and self.bar.format is Markup.HTML

    def _arrange(self) -> None:
        alone = self._mail and not self._social
        hidden = self._is_html and alone and not self._plain_wanted and not any(one.has_content for one in self.items)
        self.form.setVisible(self._mail)
        self.bar.setVisible(self._mail)
        self.html.setVisible(self._is_html)
        self.own_plain.setVisible(hidden)
        self._plain_label.setVisible(self._is_html and not hidden)
        if self._social:
            self._plain_label.setText("Text of the posts, and for readers without HTML")
        self.enclosures.setVisible(self._mail or bool(self.enclosures.files()))
        for number, view in enumerate(self.items):
            view.setVisible(not hidden)
            view.arrange(number, len(self.items), mail=alone)
            view.offer_poll(self._polls)
            self._list.setStretch(number, 1 if len(self.items) == 1 else 0)
        self._column.setStretch(self._column.count() - 2, 0 if hidden else 1)

    def _want_plain(self) -> None:
        self._plain_wanted = True
        self._arrange()
        self.items[0].editor.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- items ----------------------------------------------------------------------------------------------------

    def add_item(self) -> None:
        """Adds an item to the thread, behind the last."""
        self._add(len(self.items))
        self._arrange()
        self.items[-1].editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edited.emit()

    def remove_item(self, view: ItemView) -> None:
        """Takes an item out of the thread, with Undo."""
        before, place = self.page(), self.items.index(view)
        self.show_page(before.without_item(place))
        self.items[max(place - 1, 0)].editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edited.emit()
        self._context.say("The item was taken out.", undo=lambda: self._put_back(before))

    def _put_back(self, page: Page) -> None:
        self.show_page(page)
        self.edited.emit()

    def _add(self, number: int) -> None:
        view = ItemView(self._context, self._pictures)
        view.edited.connect(self.edited.emit)
        view.more_wanted.connect(self.add_item)
        view.removed.connect(lambda: self.remove_item(view))
        view.dropped.connect(self.add_files)
        self.items.insert(number, view)
        self._list.insertWidget(number, view)

    def _drop(self, view: ItemView) -> None:
        self.items.remove(view)
        self._list.removeWidget(view)
        view.hide()
        view.deleteLater()

    # --- files ----------------------------------------------------------------------------------------------------

    def add_files(self, paths: list[str], refused: Refused | None = None) -> None:
        """Takes files that were dropped or pasted: to the item that has the keyboard, or onto the mail."""
        if self._mail and not self._social:
            self.enclosures.add_paths(paths, refused=refused)
            return
        view = next((one for one in self.items if one.has_keyboard), self.items[0])
        view.media.add_paths(paths, refused=refused)

    def add_picture(self, image: QImage) -> None:
        """Takes a picture that was dropped."""
        if self._mail and not self._social:
            self.enclosures.add_picture(image)
        else:
            self.items[0].media.add_picture(image)

    def forget_coming(self) -> None:
        """Gives up files that are still being copied."""
        for files in (self.enclosures, *(view.media for view in self.items)):
            files.forget_coming()

    def choose_files(self) -> None:
        """Asks for files where they belong."""
        if self._mail and not self._social:
            self.enclosures.choose()
        else:
            view = next((one for one in self.items if one.has_keyboard), self.items[0])
            view.media.choose()

    def _wrap(self, before: str, behind: str) -> None:
        self.body.insert(before, behind)

    def _choose_inline(self) -> None:
        self.enclosures.choose_inline(self._name_inline)

    def _name_inline(self, file: Attachment) -> None:
        """Puts a picture into the text of the mail, by its name."""
        self.body.insert(f'<img src="cid:{file.name}" alt="">' if self._is_html else f"![](<cid:{file.name}>)")

    # --- the mail's format ----------------------------------------------------------------------------------------

    def _format(self, markup: str) -> None:
        """Goes on in another format; what was written in the other stays."""
        text = self.items[0].editor.text()
        if markup == Markup.HTML and text.strip() and not self.html.text().strip():
            self.html.set_text(from_markdown(text))
        self._arrange()
        self.edited.emit()
        self.body.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fill_fields(self, menu: Menu) -> None:
        """The merge fields that people have values for."""
        names = {"name", "email"}
        for one in self.form.letter(Markup.PLAIN, "").known:
            names |= {name.lower() for name in one.fields}
        names |= {hit[1].lower() for hit in FIELD.finditer(self.body.text())}
        for name in sorted(names):
            menu.add(f"{{{{{name}}}}}", lambda name=name: self.body.insert(f"{{{{{name}}}}}"))  # type: ignore[misc]


class ItemView(QWidget):
    """One item: its text, its tools and its pictures."""

    edited = Signal()
    more_wanted = Signal()
    removed = Signal()
    dropped = Signal(list)

    def __init__(self, context: Context, pictures: Pictures) -> None:
        super().__init__()
        self._context, self._look = context, context.look
        self._item, self._polls = Item(), False
        look = self._look
        self.editor = Editor(look, "Text", hint="What shall it say?")
        self.media = MediaStrip(context, pictures)
        self.number = Label(look, "", size="small", weight=STRONG, color="text2")
        self.remove_button = IconButton(look, "trash-2", "Take this item out", run=self.removed.emit)
        self.count = Label(look, "", color="text2")
        self.picture = IconButton(look, "image", "Add a picture or video", run=self.media.choose)
        self.emoji = IconButton(look, "smile", "Put in an emoji", run=self._open_emoji)
        self.more = Button(look, "Add to thread", kind="quiet", icon="list-plus", size=SMALL, run=self.more_wanted.emit)
        self.card = CardLine(context, pictures)
        self.poll = PollForm(look)
        self.poll.removed.connect(self._without_poll)
        self.poll.edited.connect(self.edited.emit)
        self.poll_button = IconButton(look, "list-checks", "Add a poll", run=self._with_poll)
        self._head = self._make_head()
        self._tools = self._make_tools()
        self._line = Divider(look)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self._line, self._head):
            column.addWidget(part)
        column.addWidget(self.editor, 1)
        for part in (self.poll, self._tools, self.card, self.media):
            column.addWidget(part)
        self.editor.edited.connect(self.edited.emit)
        self.editor.files.connect(self.dropped.emit)
        self.editor.picture.connect(self.media.add_picture)
        self.media.changed.connect(self._cover_card)
        self.media.changed.connect(self.edited.emit)
        self.card.changed.connect(self.edited.emit)

    def _cover_card(self) -> None:
        self.card.cover(bool(self.media.files()))

    def _make_head(self) -> QWidget:
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 4, 0, 0)
        row.addWidget(self.number)
        row.addStretch(1)
        row.addWidget(self.remove_button)
        return head

    def _make_tools(self) -> QWidget:
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(0, 8, 0, 12)
        row.setSpacing(0)
        row.addWidget(self.picture)
        row.addWidget(self.emoji)
        row.addWidget(self.poll_button)
        row.addSpacing(8)
        self._upright = Divider(self._look, upright=True, soft=False)
        self._upright.setFixedHeight(16)
        row.addWidget(self._upright)
        row.addSpacing(8)
        row.addWidget(self.more)
        row.addStretch(1)
        row.addWidget(self.count)
        return tools

    def show_item(self, item: Item) -> None:
        self._item = item
        self.editor.set_text(item.text)
        self.media.show_files(item.shown)
        self.card.show_card(item.card)
        self._cover_card()
        self.poll.show_poll(item.poll)
        self._show_poll_button()

    def item(self) -> Item:
        poll = self.poll.poll() if self._item.poll else None
        return Item(self.editor.text(), self.media.files(), poll, self.card.card)

    def offer_poll(self, offered: bool) -> None:
        """Whether a reader takes polls."""
        self._polls = offered
        self._show_poll_button()

    def _show_poll_button(self) -> None:
        self.poll_button.setVisible(self._polls and self._item.poll is None)

    def set_count(self, counted_item: Counted) -> None:
        self.count.setText(counted(counted_item.characters, "character", "characters"))
        self.editor.mark_over(counted_item.fits)

    def arrange(self, number: int, of: int, *, mail: bool) -> None:
        """Shows what this place in the thread needs; `mail` is a mail and nothing else."""
        self.number.setText(f"{number + 1} of {of}")
        self._head.setVisible(of > 1)
        self._line.setVisible(number > 0)
        self._tools.setVisible(not mail or of > 1)
        self.more.setVisible(number == of - 1)
        self._upright.setVisible(number == of - 1)
        self.editor.set_face("mail" if mail else "post")
        self.editor.set_room(4 if of == 1 else 2, 18 if of == 1 else 10)
        across, along = QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        self.editor.setSizePolicy(across, across if of == 1 else along)
        self.editor.setPlaceholderText("Write the mail…" if mail else "What shall it say?" if number == 0 else "And…")
        self.editor.setAccessibleName("Text" if of == 1 else f"Text of item {number + 1}")
        self.remove_button.set_name(f"Take item {number + 1} out")

    @property
    def has_content(self) -> bool:
        return not self.item().is_empty

    @property
    def has_keyboard(self) -> bool:
        focused: QWidget | None = self.window().focusWidget()
        return focused is not None and self.isAncestorOf(focused)

    def _with_poll(self) -> None:
        self._item = replace(self._item, poll=Poll(()))
        self.poll.show_poll(self._item.poll)
        self._show_poll_button()
        self.poll.begin()
        self.edited.emit()

    def _without_poll(self) -> None:
        """Takes the poll out, with Undo."""
        before = self.item()
        self._take_poll(None)
        self._context.say("The poll was taken out.", undo=lambda: self._take_poll(before.poll))

    def _take_poll(self, poll: Poll | None) -> None:
        self._item = replace(self._item, poll=poll)
        self.poll.show_poll(poll)
        self._show_poll_button()
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edited.emit()

    def _open_emoji(self) -> None:
        EmojiPopup(self._look, self.editor.insert, self).open_at(self.emoji)


class MailBar(QWidget):
    """The format of a mail's text, and what puts marks into it."""

    formatted = Signal(str)
    wrapped = Signal(str, str)
    picture_wanted = Signal()
    fields_wanted = Signal(object)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 8, 0, 8)
        row.setSpacing(2)
        self.formats = SegmentedControl(look, "Format", [(one.value, words) for one, words in FORMATS], size=32)
        self.formats.chosen.connect(self._chosen)
        row.addWidget(self.formats)
        row.addSpacing(10)
        self._marks = [
            IconButton(look, icon, name, run=lambda name=name: self._wrap(name))  # type: ignore[misc]
            for icon, name in (("bold", "Bold"), ("italic", "Italic"), ("link", "Link"))
        ]
        self._marks.append(IconButton(look, "image", "Picture in the text", run=self.picture_wanted.emit))
        for button in self._marks:
            row.addWidget(button)
        row.addSpacing(6)
        self.menu = Menu(look, parent=self)
        self.menu.aboutToShow.connect(self._open_fields)
        row.addWidget(Button(look, "Field", kind="quiet", icon="code", size=SMALL, menu=self.menu))
        row.addStretch(1)

    @property
    def format(self) -> Markup:
        return Markup(self.formats.value())

    def set_format(self, markup: Markup) -> None:
        self.formats.set_value(markup.value)
        self._arrange()

    def _chosen(self, markup: str) -> None:
        self._arrange()
        self.formatted.emit(markup)

    def _arrange(self) -> None:
        for button in self._marks:
            button.setVisible(self.format is not Markup.PLAIN)

    def _wrap(self, name: str) -> None:
        html = self.format is Markup.HTML
        marks = {
            "Bold": ("<strong>", "</strong>") if html else ("**", "**"),
            "Italic": ("<em>", "</em>") if html else ("*", "*"),
            "Link": ('<a href="https://">', "</a>") if html else ("[", "](https://)"),
        }[name]
        self.wrapped.emit(*marks)

    def _open_fields(self) -> None:
        self.menu.clear()
        self.fields_wanted.emit(self.menu)
