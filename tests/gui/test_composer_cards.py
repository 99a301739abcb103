"""Cards of links in the composer: fetched while writing, shown, left out, sent along."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sendoff.domain.post import LinkCard
from sendoff.store import settings
from sendoff.ui.composer.cards import CardLine
from sendoff.ui.composer.screen import ComposerScreen
from tests.fakes.site import Site, opened
from tests.gui import composing, sample
from tests.gui.composer_hands import click, compose, rest, stored
from tests.gui.desk import Desk

PAGE = (
    "<head><title>Guji</title><meta name=description content='New beans'><meta property=og:image content=/p.png></head>"
)


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture
def site() -> Iterator[Site]:
    with opened() as server:
        server.page("/p.png", composing.png("#E6DCCF"), Content_Type="image/png")
        server.page("/guji", PAGE)
        yield server


def write(desk: Desk, *accounts: int) -> tuple[ComposerScreen, CardLine]:
    screen = compose(desk)
    for one in screen.eyes.known:
        screen.desk.accounts.choose(one, one in accounts)
    return screen, screen.desk.current.items[0].card


def look(desk: Desk, screen: ComposerScreen) -> None:
    """The pause in typing is over."""
    screen.link_cards.look()
    desk.until(lambda: not any(item.card._coming for _, view in screen.desk.views() for item in view.items))
    screen.save()  # now, and not while the window is being closed
    rest(desk)


SKY, TOOT, NEWS = sample.SKY + 1, sample.TOOT + 1, sample.NEWS + 1


def test_a_link_gets_its_card_in_the_text_the_preview_and_the_draft(harbor: Desk, site: Site) -> None:
    screen, line = write(harbor, SKY)
    screen.desk.put_text(f"Read {site.url}/guji")
    assert screen.link_cards.soon.isActive()  # it waits for a pause
    assert site.asked == []
    look(harbor, screen)
    assert site.asked == ["/guji", "/p.png"]
    assert line.isVisible()
    assert (line.title.text(), line.text.text()) == ("Guji", "127.0.0.1 · New beans")
    card = line.card
    assert card is not None
    assert card.image is not None
    assert harbor.program.media.read(card.image.sha256).startswith(b"\xff\xd8")
    screen.save()
    rest(harbor)
    assert stored(harbor, screen.saver.record.post_id).content.items[0].card == card
    screen._show_previews()
    shown = screen.pane.sections[0].card.items[0].card  # type: ignore[union-attr]
    assert shown.isVisibleTo(screen)
    assert shown.accessibleName() == "Card: Guji, 127.0.0.1"
    # and the files of the draft are kept
    assert card.image.sha256 in harbor.program.media.names()


def test_a_card_is_left_out_and_comes_back(harbor: Desk, site: Site) -> None:
    screen, line = write(harbor, SKY)
    screen.desk.put_text(f"{site.url}/guji")
    look(harbor, screen)
    line.remove_button.setFocus()
    QTest.keyClick(line.remove_button, Qt.Key.Key_Space)
    rest(harbor)
    card = screen.writing.everyone.items[0].card
    assert card is not None
    assert card.removed
    assert line.text.text() == "The card of 127.0.0.1 is left out."
    screen._show_previews()
    assert not screen.pane.sections[0].card.items[0].card.isVisibleTo(screen)  # type: ignore[union-attr]
    screen.desk.put_text(" more")
    look(harbor, screen)
    assert len(site.asked) == 2  # nobody looks again at what is not wanted
    click(line.again)
    assert line.title.text() == "Guji"
    click(line.remove_button)
    harbor.window._undo()
    assert not line.card.removed  # type: ignore[union-attr]


def test_another_link_gets_another_card_and_none_gets_none(harbor: Desk, site: Site) -> None:
    screen, line = write(harbor, SKY)
    body = screen.desk.current.body
    body.set_text(f"{site.url}/gone")
    look(harbor, screen)
    assert line.text.text() == "127.0.0.1 answered 404, so there is no card."
    assert line.card is None
    site.page("/gone", PAGE)
    click(line.again)
    look(harbor, screen)
    assert line.title.text() == "Guji"
    body.set_text("no link")
    look(harbor, screen)
    assert (line.card, line.isVisible()) == (None, False)


def test_pictures_stand_in_place_of_a_card(harbor: Desk, site: Site) -> None:
    screen, line = write(harbor, SKY)
    media = screen.desk.current.items[0].media
    media.show_files([composing.picture(harbor, "pier.png", "#BFD7E6", "ellipse", "The pier")])
    media.changed.emit()
    screen.desk.put_text(f"{site.url}/guji")
    look(harbor, screen)
    assert site.asked == []
    assert not line.isVisible()
    media.remove(0)
    look(harbor, screen)
    assert line.title.text() == "Guji"


def test_only_where_somebody_shows_cards(harbor: Desk, site: Site) -> None:
    screen, line = write(harbor, NEWS)
    screen.desk.put_text(f"{site.url}/guji")
    look(harbor, screen)
    assert (site.asked, line.isVisible()) == ([], False)
    screen.desk.accounts.choose(SKY)
    look(harbor, screen)
    assert line.isVisible()


def test_who_does_not_want_it_is_not_helped(harbor: Desk, site: Site) -> None:
    with harbor.program.store.writing() as connection:
        settings.write(connection, "link_cards", "no")
    screen, line = write(harbor, SKY)
    screen.desk.put_text(f"{site.url}/guji")
    look(harbor, screen)
    assert (site.asked, line.isVisible()) == ([], False)


def test_opening_a_post_asks_nobody(harbor: Desk, site: Site) -> None:
    composing.open_card(harbor)
    screen = composing.screen(harbor)
    assert not screen.link_cards.soon.isActive()
    line = screen.desk.current.items[0].card
    assert line.isVisible()
    assert isinstance(line.card, LinkCard)
    look(harbor, screen)
    assert line.card.title == composing.CARD_TITLE  # it is that link's card already
    own = write(harbor, TOOT)[1]
    assert own.card is None
