"""The preview pane: what it shows of posts and mails, what it costs, and what it never does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Slot
from PySide6.QtGui import QColor, QDesktopServices, QImage, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sendoff.domain.post import Content, Item, Mail, Markup, Poll, Recipient
from sendoff.domain.safe_html import sanitised
from sendoff.ui.composer.preview import pictures
from sendoff.ui.composer.preview.mail import MailCard
from sendoff.ui.composer.preview.model import Cut
from sendoff.ui.composer.preview.pane import PreviewPane
from sendoff.ui.composer.preview.sealed import MailView, SealedDocument
from sendoff.ui.composer.preview.status import StatusCard, StatusItem
from sendoff.ui.composer.preview.words import PostText
from sendoff.ui.planner import card
from sendoff.ui.theme import Look
from tests.gui import preview_sample, sample
from tests.gui.desk import Desk, grab


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture
def pane(harbor: Desk) -> Iterator[PreviewPane]:
    made = PreviewPane(harbor.context)
    made.setFixedWidth(376)
    grab(made, 376, 640)
    yield made
    made.hide()
    made.deleteLater()


def first(pane: PreviewPane) -> StatusItem:
    card = pane.sections[0].card
    assert isinstance(card, StatusCard)
    return card.items[0]


def letter(pane: PreviewPane) -> MailCard:
    card = pane.sections[0].card
    assert isinstance(card, MailCard)
    return card


# --- the pane -----------------------------------------------------------------------------------------------------


def test_an_empty_pane_says_what_stands_there(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews([])
    assert pane.empty.isVisible()
    pane.show_previews(preview_sample.posts(harbor.program))
    assert not pane.empty.isVisible()
    pane.show_previews([])
    assert pane.empty.isVisible()
    assert not pane.sections


def test_each_account_has_its_title_and_says_when_or_by_how_much_it_is_too_long(
    harbor: Desk, pane: PreviewPane
) -> None:
    posts = preview_sample.posts(harbor.program)
    pane.show_previews(
        [*posts, replace(posts[0], account=preview_sample.account(harbor.program, sample.GRAM), when=None)]
    )
    harbor.settle()
    toot, sky, other = pane.sections
    assert (toot.title.name.text(), toot.title.said.text()) == ("Mastodon", "in 14 h")
    assert not toot.title.sign.isVisible()
    assert (sky.title.name.text(), sky.title.said.text()) == ("Bluesky", f"{posts[1].over} over")
    assert sky.title.sign.isVisible()
    assert other.title.said.text() == "No time yet"


def test_typing_touches_only_what_changed_and_keeps_the_place(harbor: Desk, pane: PreviewPane) -> None:
    posts = preview_sample.posts(harbor.program)
    pane.show_previews(posts)
    pane.setFixedHeight(300)
    harbor.settle()
    bar = pane._scroll.verticalScrollBar()
    assert bar.maximum() > 100
    bar.setValue(80)
    sections, item = list(pane.sections), first(pane)
    before = dict(first(pane).words._broken)
    longer = Content((replace(posts[1].content.items[0], text=preview_sample.WORDS + " Really."),))
    pane.show_previews([replace(posts[0]), replace(posts[1], content=longer)])
    harbor.settle()
    assert pane.sections == sections
    assert first(pane) is item
    assert sections[0]._shown is posts[0]  # an equal one was not even handed on
    assert before
    assert all(item.words._broken[width] is lines for width, lines in before.items())  # not broken into lines again
    assert bar.value() == 80


def test_accounts_come_go_and_change_places_without_being_made_again(harbor: Desk, pane: PreviewPane) -> None:
    toot, sky = preview_sample.posts(harbor.program)
    pane.show_previews([toot, sky])
    one, two = pane.sections
    pane.show_previews([sky, toot])
    assert pane.sections == [two, one]
    assert [pane._list.itemAt(place).widget() for place in range(2)] == [two, one]
    pane.show_previews([toot])
    assert pane.sections == [one]
    assert not two.isVisible()


def test_the_width_of_the_cards_does_not_change_when_the_scroll_bar_comes(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.posts(harbor.program)[:1])
    harbor.settle()
    wide = pane.sections[0].width()
    pane.setFixedHeight(200)
    harbor.settle()
    assert pane._scroll.verticalScrollBar().isVisible()
    assert pane.sections[0].width() == wide


# --- posts --------------------------------------------------------------------------------------------------------


def test_a_long_text_is_folded_and_opens_with_the_mouse_and_the_keyboard(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.posts(harbor.program))
    harbor.settle()
    words = first(pane).words
    assert words.shown.endswith(" more lines")
    assert words.height() == 5 * 20
    QTest.mouseClick(words, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    assert words.shown.endswith(" more lines")  # only the last words open it
    last = words._lines(words.width()).layout.lineAt(4)
    QTest.mouseClick(words, Qt.MouseButton.LeftButton, pos=QPoint(round(last.naturalTextWidth()) - 8, 90))
    harbor.settle()
    assert words.shown == preview_sample.WORDS + " Show less"
    assert words.height() > 5 * 20
    words.setFocus()
    QTest.keyClick(words, Qt.Key.Key_Return)
    assert words.shown.endswith(" more lines")


def test_a_text_over_the_limit_says_so_and_marks_what_is_too_much(harbor: Desk, pane: PreviewPane) -> None:
    over = preview_sample.posts(harbor.program)[1]
    pane.show_previews([over])
    harbor.settle()
    words = first(pane).words
    assert words.shown.endswith(f"over by {over.over}")
    words.toggle()
    ground = harbor.look.color("failed.tint")
    marked = [one for one in words._lines(words.width()).layout.formats() if one.format.background().color() == ground]
    assert sum(one.length for one in marked) == over.over


@pytest.mark.parametrize(
    "text",
    ["wort" * 200, "長い文章です。" * 60, "👩‍👩‍👧" * 120, "قهوة جديدة من إثيوبيا " * 30, "a\n" * 40, "x " * 5000],
)
def test_any_script_is_folded_into_five_lines(harbor: Desk, pane: PreviewPane, text: str) -> None:
    pane.show_previews([preview_sample.preview(harbor.program, sample.TOOT, Content((Item(text),)))])
    harbor.settle()
    words = first(pane).words
    assert words.folds
    assert words.height() == 5 * 20
    assert not pane.grab().isNull()


def test_no_link_mention_or_word_is_cut_where_the_words_are_folded(look: Look) -> None:
    said = "well-known (https://harborcoffee.example/autumn/guji?from=post) and/or @nordlicht@literatur.example says so"
    words = PostText(look, lines=2)
    for before in range(24):
        text = "bean " * before + f"{said} " * 3
        for over in (0, 40):
            words.show_text(text, Cut(len(text) - over, over))
            shown = words._lines(320).layout.text().split(" …")[0].split()
            assert [one.lstrip("(") for one in shown] == [one.lstrip("(") for one in text.split()[: len(shown)]]
            assert shown


def test_links_mentions_and_tags_are_marked_behind_emoji_too(harbor: Desk, pane: PreviewPane) -> None:
    text = "🐕🐕 #Guji by @nordlicht"
    pane.show_previews([preview_sample.preview(harbor.program, sample.TOOT, Content((Item(text),)))])
    harbor.settle()
    assert marked_in(first(pane), text) == ["#Guji", "@nordlicht"]


def marked_in(item: StatusItem, text: str) -> list[str]:
    units = text.encode("utf-16-le")
    found = item.words._lines(300).layout.formats()
    return [units[2 * one.start : 2 * (one.start + one.length)].decode("utf-16-le") for one in found]


@pytest.mark.parametrize(
    ("place", "marked"),
    [
        (sample.TOOT, ["@ada", "#Guji"]),
        (sample.SKY, ["$BEAN", "#Guji", "harborcoffee.com/guji"]),
        (sample.X, ["$BEAN", "@ada", "#tea", "#Guji", "harborcoffee.com/guji"]),
    ],
)
def test_each_network_marks_what_it_marks(harbor: Desk, pane: PreviewPane, place: int, marked: list[str]) -> None:
    text = "$BEAN 🐕 (by @ada,#tea) #Guji harborcoffee.com/guji"
    pane.show_previews([preview_sample.preview(harbor.program, sample.TOOT, Content((Item(text),)))])
    pane.show_previews([preview_sample.preview(harbor.program, place, Content((Item(text),)))])
    harbor.settle()
    assert marked_in(first(pane), text) == marked


def test_what_only_mastodon_shows(harbor: Desk, pane: PreviewPane) -> None:
    toot, sky = preview_sample.posts(harbor.program)
    pane.show_previews([toot, sky])
    head = first(pane).head
    assert (head.name.text(), head.handle.text()) == ("harborcoffee@toot", "@harborcoffee@toot.example")
    assert head.time.text() == "Tue 09:00"
    assert head.sight is not None
    assert head.sight.accessibleName() == "Who sees it: Everyone, but not in the feeds"
    other = pane.sections[1].card
    assert isinstance(other, StatusCard)
    assert other.items[0].head.sight is None


def test_a_content_warning_folds_the_post(harbor: Desk, pane: PreviewPane) -> None:
    options = {"spoiler_text": "Coffee"}
    toot = preview_sample.preview(harbor.program, sample.TOOT, Content((Item("Behind it"),)), options)
    pane.show_previews([toot])
    harbor.settle()
    item = first(pane)
    assert item.warning.text() == "Coffee"
    assert not item.words.isVisible()
    QTest.mouseClick(item.opener, Qt.MouseButton.LeftButton)
    assert item.words.isVisible()
    assert item.opener.words() == "Show less"
    pane.show_previews([replace(toot, options={})])
    assert item.words.isVisible()
    assert not item.opener.isVisible()


def test_a_thread_stands_below_each_other_and_can_grow_and_shrink(harbor: Desk, pane: PreviewPane) -> None:
    thread = preview_sample.thread(harbor.program)[0]
    pane.show_previews([thread])
    harbor.settle()
    card = pane.sections[0].card
    assert isinstance(card, StatusCard)
    one, two, three = card.items
    assert one.y() < two.y() < three.y()
    assert one.words.x() == 0
    assert one._below.x() > one.avatar.x() + one.avatar.width()  # beside the line that leads on
    assert three.poll.isVisible()
    pane.show_previews([replace(thread, content=Content(thread.content.items[:1]))])
    harbor.settle()
    assert card.items == [one]
    assert one._below.x() == 0  # a single post takes the width


def test_a_poll_changes_its_height_with_its_answers(harbor: Desk, pane: PreviewPane) -> None:
    toot = preview_sample.preview(harbor.program, sample.TOOT, Content((Item("?", poll=Poll(("a", "b"))),)))
    pane.show_previews([toot])
    harbor.settle()
    poll = first(pane).poll
    low = poll.height()
    pane.show_previews([replace(toot, content=Content((Item("?", poll=Poll(("a", "b", "", "d"), multiple=True)),)))])
    harbor.settle()
    assert poll.height() == low + 2 * poll.ROW
    assert poll.accessibleName() == "Poll: a, b, , d"


# --- pictures -----------------------------------------------------------------------------------------------------


def test_pictures_come_from_the_media_store(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.posts(harbor.program)[:1])
    harbor.settle()
    media = first(pane).media
    shot = media.grab().toImage()
    left = shot.pixelColor(10, shot.height() - 10)
    right = shot.pixelColor(shot.width() - 10, shot.height() - 10)
    assert (left.name(), right.name()) == ("#e5ddd2", "#bfd6e4")
    assert media.accessibleName() == "2 files: Dark coffee bag, boat.png"


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6])
def test_a_grid_fills_the_width(harbor: Desk, pane: PreviewPane, number: int) -> None:
    media = tuple(
        preview_sample.picture(harbor.program, f"{one}.png", f"#{one}0{one}0{one}0", (300, 200))
        for one in range(number)
    )
    pane.show_previews([preview_sample.preview(harbor.program, sample.TOOT, Content((Item("x", media),)))])
    harbor.settle()
    grid = first(pane).media
    cells = grid._cells(grid.width())
    assert len(cells) == min(number, 4)
    assert max(cell.right() for cell in cells) == grid.width() - 1
    assert max(cell.bottom() for cell in cells) == grid.height() - 1
    assert not any(a.intersects(b) for place, a in enumerate(cells) for b in cells[place + 1 :])


def test_a_file_that_is_gone_or_no_picture_is_a_tile(harbor: Desk, pane: PreviewPane) -> None:
    gone = preview_sample.picture(harbor.program, "gone.png", "#123456", (300, 200))
    harbor.program.media.discard(gone.sha256)
    broken = harbor.program.media.attach_bytes(b"nothing of the kind", "broken.png", "image/png")
    pane.show_previews([preview_sample.preview(harbor.program, sample.TOOT, Content((Item("x", (gone, broken)),)))])
    harbor.settle()
    shot = first(pane).media.grab().toImage()
    assert shot.pixelColor(20, 20) == harbor.look.color("hover")


def test_sensitive_pictures_are_covered(harbor: Desk, pane: PreviewPane) -> None:
    toot = preview_sample.posts(harbor.program)[0]
    pane.show_previews([replace(toot, options={"sensitive": "yes"})])
    harbor.settle()
    shot = first(pane).media.grab().toImage()
    assert shot.pixelColor(20, 20) == harbor.look.color("hover")


def test_only_so_many_pictures_are_kept(harbor: Desk) -> None:
    held = pictures.Pictures(harbor.context)
    for number in range(pictures.KEPT + 3):
        one = preview_sample.picture(harbor.program, "x.png", f"#0000{number:02x}", (8, 8))
        held.get(one.sha256)
    harbor.settle()
    assert len(held._kept) == pictures.KEPT


def test_a_drawing_is_not_drawn_because_it_may_name_local_files(tmp_path: Path) -> None:
    canary = tmp_path / "canary.png"
    QImage(8, 8, QImage.Format.Format_RGB32).save(str(canary))
    drawing = tmp_path / "drawing"
    drawing.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="8" height="8">'
        f'<image xlink:href="{canary}" width="8" height="8"/></svg>'
    )
    for read in (pictures.read, lambda path: card._thumbnail(str(path), 8)):
        assert read(drawing).isNull()
        assert not read(canary).isNull()


# --- mail ---------------------------------------------------------------------------------------------------------


def test_a_mail_as_the_inbox_shows_it(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.mails(harbor.program))
    harbor.settle()
    inbox = letter(pane).inbox
    assert inbox.who.text() == "news@mg.harborcoffee.example"
    assert inbox.subject.text() == "Winter at the pier: six coffees, one calendar"
    assert inbox.teaser.text() == "Signed until Friday, and why we say sorry 🙏"
    assert inbox.time.text() == "Tue 09:00"
    assert letter(pane).copy.words.text() == "Remote content is off"
    assert "1 picture on the web" in letter(pane).copy.toolTip()


def test_the_mail_is_one_persons_copy_and_another_can_be_chosen(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.mails(harbor.program))
    harbor.settle()
    card = letter(pane)
    assert card.copy.whose.words() == "as Annegret"
    assert "Dear Annegret Öztürk," in card.view.toPlainText()
    card.copy._menu.actions()[2].trigger()
    harbor.settle()
    assert card.copy.whose.words() == "as noname"
    assert "Dear reader," in card.view.toPlainText()
    assert "Signed until" not in card.view.toPlainText()  # the preheader is hidden in the mail


def test_one_mail_to_several_is_shown_for_all(harbor: Desk, pane: PreviewPane) -> None:
    mail = preview_sample.mails(harbor.program)[0]
    assert mail.content.mail is not None
    together = replace(mail.content, mail=replace(mail.content.mail, separately=False))
    pane.show_previews([replace(mail, content=together)])
    harbor.settle()
    assert letter(pane).copy.all.text() == "for all 3"
    assert letter(pane).copy.width() - letter(pane).copy.all.geometry().right() > 12
    assert not letter(pane).copy.whose.isVisible()
    assert "{{name|reader}}" in letter(pane).view.toPlainText()


def test_what_is_attached_is_listed_and_what_stands_inside_is_not(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.mails(harbor.program))
    harbor.settle()
    assert [tile.accessibleName() for tile in letter(pane).attached] == ["Attached: Price list 2026.pdf, 1.8 MB"]


def test_a_picture_inside_is_shown_and_narrowed_to_the_page(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.mails(harbor.program))
    harbor.settle()
    view = letter(pane).view
    shot = view.grab().toImage()
    colors = {shot.pixelColor(24, y).name() for y in range(shot.height())}
    assert "#dce3ea" in colors
    assert view.horizontalScrollBar().maximum() == 0


def test_the_plain_text_can_be_seen(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.mails(harbor.program))
    harbor.settle()
    assert pane.form.isVisible()
    QTest.mouseClick(pane.form._parts["plain"], Qt.MouseButton.LeftButton)
    harbor.settle()
    assert "order (https://harborcoffee.example/order)" in letter(pane).view.toPlainText()
    pane.show_previews(preview_sample.posts(harbor.program))
    assert not pane.form.isVisible()


def test_a_mail_of_plain_text_needs_no_choice(harbor: Desk, pane: PreviewPane) -> None:
    content = Content((Item("Hello <b>you</b>"),), Mail("Hi", to=(Recipient("ada@example.org"),)))
    pane.show_previews([preview_sample.preview(harbor.program, sample.NEWS, content)])
    harbor.settle()
    assert not pane.form.isVisible()
    assert letter(pane).view.toPlainText() == "Hello <b>you</b>"
    assert letter(pane).copy.words.text() == "Only text"


def test_while_typing_the_mail_follows(harbor: Desk, pane: PreviewPane) -> None:
    def written(words: str) -> Content:
        return Content((Item(words),), Mail("Hi", markup=Markup.MARKDOWN, to=(Recipient("ada@example.org"),)))

    for words in ("# O", "# On", "# One"):
        pane.show_previews([preview_sample.preview(harbor.program, sample.NEWS, written(words))])
    harbor.until(lambda: letter(pane).view.toPlainText().strip() == "One")


def test_the_mail_stays_on_white_in_the_dark(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.mails(harbor.program))
    try:
        harbor.look.choose("dark")
        harbor.settle()
        page = letter(pane)._page.grab().toImage()
        assert page.pixelColor(10, page.height() // 2) == QColor("#FFFFFF")
        assert letter(pane).view.palette().text().color() == QColor(harbor.look.tokens.light["text"])
    finally:
        harbor.look.choose("light")


# --- what it never does -------------------------------------------------------------------------------------------


class Listener:
    """A loopback server that writes down what is asked of it."""

    def __init__(self) -> None:
        heard = self.heard = []  # type: list[str]

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.append(self.path)
                self.send_response(404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A picture of this computer that no mail may show."""
    image = QImage(64, 64, QImage.Format.Format_RGB32)
    image.fill(QColor("#FF00FF"))
    image.save(str(tmp_path / "canary.png"))
    (tmp_path / "canary.css").write_text("p { color: #FF00FF; }")
    return tmp_path


HOSTILE = """
<html><head><link rel="stylesheet" href="{0}/a.css"><link rel="stylesheet" href="file://{1}/canary.css">
<style>@import url("{0}/b.css"); @import url("file://{1}/canary.css"); body {{ background-image: url({0}/c.png) }}
td {{ background-image: url(file://{1}/canary.png) }}</style></head>
<body background="{0}/d.png"><p>Hello</p><img src="{0}/e.png"><img src="{0}/f.png" width="40" height="40">
<img src="file://{1}/canary.png"><img src="{1}/canary.png"><img src="canary.png"><img src="//127.0.0.1/g.png">
<img src="data:image/png;base64,{2}"><img src="qrc:/qt-project.org/styles/commonstyle/images/file-16.png">
<img src=":/qt-project.org/styles/commonstyle/images/file-16.png"><img src="cid:nothing">
<table background="{0}/h.png"><tr><td style="background-image: url({0}/i.png)">x</td></tr></table>
<ul style="list-style-image: url({0}/j.png)"><li>x</li></ul><iframe src="{0}/k.html"></iframe>
<object data="{0}/l.png"></object><video src="{0}/m.mp4" poster="{0}/n.png"></video></body></html>
"""


def hostile(listener: Listener, canary: Path) -> str:
    import base64

    return HOSTILE.format(listener.url, canary, base64.b64encode((canary / "canary.png").read_bytes()).decode())


@pytest.mark.parametrize("clean", [sanitised, str], ids=["sanitised", "as it is"])
def test_nothing_is_fetched_and_nothing_is_read(
    harbor: Desk,
    look: Look,
    listener: Listener,
    canary: Path,
    clean: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(canary)
    view = MailView(look, lambda _name: None)
    grab(view, 360, 400)
    view.show_html(clean(hostile(listener, canary)))
    harbor.settle()
    shot = view.grab().toImage()
    assert "Hello" in view.toPlainText()
    pink = QColor("#FF00FF").rgb()
    assert not any(shot.pixel(x, y) == pink for x in range(shot.width()) for y in range(shot.height()))
    assert not listener.heard
    view.deleteLater()


def test_qt_itself_would_read_the_file(qapp: QApplication, canary: Path) -> None:
    """The reason for the sealed document; if Qt stops doing so, this tells."""
    url = QUrl.fromLocalFile(str(canary / "canary.png"))
    assert QTextDocument().resource(2, url) is not None
    sealed = SealedDocument(lambda _name: None, QColor("#FFFFFF"))
    for kind in (1, 2, 3, 100):
        answer = sealed.resource(kind, url)
        assert not isinstance(answer, QImage) or answer.pixelColor(0, 0) == QColor("#FFFFFF")
        assert (canary / "canary.png").read_bytes() != answer


class Opened(QObject):
    """Takes the place of the browser."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.urls.append(url.toString())


def test_a_link_opens_only_when_asked(harbor: Desk, pane: PreviewPane) -> None:
    pane.show_previews(preview_sample.mails(harbor.program))
    harbor.settle()
    view = letter(pane).view
    at = next(
        QPoint(x, y)
        for y in range(0, view.height(), 4)
        for x in range(0, view.width(), 4)
        if view.anchorAt(QPoint(x, y))
    )
    opened = Opened()
    QDesktopServices.setUrlHandler("https", opened, "open")
    try:
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert not opened.urls
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at)
        assert opened.urls == ["https://harborcoffee.example/order"]
    finally:
        QDesktopServices.unsetUrlHandler("https")
