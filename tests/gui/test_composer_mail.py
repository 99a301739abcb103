"""The composer's mails, options, times, and the page itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from sendoff.domain.delivery import State
from sendoff.domain.post import Content, Item, Mail, Markup, Plan, Recipient, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, deliveries
from sendoff.ui.composer.assess import Matter
from sendoff.ui.composer.screen import ComposerScreen
from sendoff.ui.window import LEAST
from tests.conftest import SetClock
from tests.gui import composing, sample
from tests.gui.composer_hands import (
    PRACTICE,
    SECOND,
    add_practice,
    click,
    compose,
    link,
    matters,
    rest,
    states,
    stored,
    type_text,
    write,
)
from tests.gui.desk import Desk


@pytest.fixture
def first_screen() -> str:
    return ""


# --- mail ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def post_office(bench: Desk) -> Desk:
    """The same with a mail account."""
    add_practice(bench, "Letters", takes="mail")
    return bench


def letter_to(desk: Desk, *, chosen: tuple[int, ...] = (SECOND,)) -> ComposerScreen:
    screen = compose(desk)
    for one in (PRACTICE, SECOND):
        screen.desk.accounts.choose(one, one in chosen)
    rest(desk)
    return screen


def test_a_mail_begins_with_whom_it_is_to_and_a_key_goes_to_its_text(post_office: Desk) -> None:
    screen = letter_to(post_office)
    form = screen.desk.current.form
    screen.desk.focus_text()
    assert form.to.hasFocus()
    QTest.keyClick(form.to, Qt.Key.Key_T, Qt.KeyboardModifier.AltModifier)
    assert screen.desk.current.body.hasFocus()


def test_a_mail_by_hand(post_office: Desk, tmp_path: Path) -> None:
    screen = letter_to(post_office)
    view = screen.desk.current
    form = view.form
    assert screen.header.title.text() == "New e-mail"
    assert (form.isVisible(), screen.desk.accounts.isVisible(), form.rows["cc"].isVisible()) == (True, False, False)
    form.to.setFocus()
    QTest.keyClicks(form.to, "Ada <ada@example.org>, bob@example.org")
    QTest.keyClick(form.to, Qt.Key.Key_Tab)
    click(form._links["cc"])
    assert form.cc.hasFocus()
    QTest.keyClicks(form.cc, "carl@example.org")
    QTest.keyClicks(form.subject, "News")
    QTest.keyClicks(screen.desk.current.body, "# Hello {{name|you}}")
    view.add_files([composing.write_file(tmp_path, "price list.pdf", b"%PDF-1.7")])
    post_office.until(lambda: not view.is_busy)
    screen.save()
    rest(post_office)
    post = stored(post_office)
    mail = post.content.mail
    assert mail is not None
    assert mail.to == (Recipient("ada@example.org", "Ada"), Recipient("bob@example.org"))
    assert (mail.cc[0].address, mail.subject, mail.markup) == ("carl@example.org", "News", Markup.MARKDOWN)
    assert [(one.name, one.role) for one in post.content.attachments] == [("price list.pdf", "attachment")]
    assert "Personal fields need a mail for each person." in matters(screen)
    click(link(screen, "Send separately"))
    rest(post_office)
    assert form.separately.isChecked()
    assert "Cc and Bcc would get every copy." in matters(screen)
    form.cc.set_text("")
    rest(post_office)
    assert not screen.assessment.red
    again = compose(post_office, post_id=post.id)
    assert again.desk.current.form.to.text() == "Ada <ada@example.org>, bob@example.org"


def test_attach_stands_beside_what_is_attached(post_office: Desk, tmp_path: Path) -> None:
    """Each file pushes it on, and what is taken out lets it come back."""
    view = letter_to(post_office).desk.current
    places, add = view.enclosures, view.enclosures.add_button
    for count in range(1, 3):
        view.add_files([composing.write_file(tmp_path, f"list {count}.pdf", b"%PDF-1.7")])
        post_office.until(lambda: not view.is_busy)
        rest(post_office)
        assert len(places.chips) == count
        assert not any(add.geometry().intersects(chip.geometry()) for chip in places.chips)
        assert places.rect().contains(add.geometry())
    click(places.chips[0].remove_button)
    rest(post_office)
    assert add.x() - places.chips[0].geometry().right() < 20


def test_a_wrong_address_is_named_and_never_sent(post_office: Desk) -> None:
    screen = letter_to(post_office)
    form = screen.desk.current.form
    form.to.insert("ada@example.org, nonsense, " + ", ".join(f"wrong{one}@" for one in range(5)))
    form.subject.setText("x")
    write(post_office, screen, "hello")
    assert matters(screen)[0] == "“nonsense” is not a mail address."
    assert "3 more are no mail addresses." in matters(screen)
    screen.departure.press()
    rest(post_office)
    row = screen.desk.problems.first_red()
    assert row is not None
    assert "Send anyway" not in [one.words() for one in row.links]
    click(link(screen, "Show it"))
    assert form.to.hasFocus()
    post = stored(post_office)
    assert post.content.mail is not None
    assert post.content.mail.to[1].address == "nonsense", "what was typed is kept all the same"


def test_many_addresses_pasted_at_once(post_office: Desk) -> None:
    screen = letter_to(post_office)
    form = screen.desk.current.form
    form.to.insert("\n".join(f"reader{one}@example.org" for one in range(1248)))
    screen.save()
    rest(post_office)
    post = stored(post_office)
    assert post.content.mail is not None
    assert len(post.content.mail.to) == 1248
    post_office.until(lambda: form._counts["to"].text() == "1,248 people")
    assert form.rows["separately"].isVisible()


def test_formats_of_a_mail(post_office: Desk) -> None:
    screen = letter_to(post_office)
    view = screen.desk.current
    type_text(screen, "Hello *there*")
    click(view.bar.formats._parts["html"])
    assert view.html.isVisible()
    assert view.html.text().strip() == "<p>Hello <em>there</em></p>"
    assert view.body is view.html
    view.html.selectAll()
    click(view.bar._marks[0])
    assert view.html.text().startswith("<strong><p>Hello")
    click(view.bar.formats._parts["plain"])
    assert view.body.text() == "Hello *there*"
    assert not view.html.isVisible()
    screen.save()
    rest(post_office)
    mail = stored(post_office).content.mail
    assert mail is not None
    assert mail.html.startswith("<strong>"), "what was written in another format stays"


def test_html_alone_asks_for_the_plain_text_only_when_wanted(post_office: Desk) -> None:
    screen = letter_to(post_office)
    view = screen.desk.current
    click(view.bar.formats._parts["html"])
    assert not view.items[0].isVisible()
    click(view.own_plain)
    assert view.items[0].editor.hasFocus()


def test_a_mail_and_a_post_together(post_office: Desk) -> None:
    screen = letter_to(post_office, chosen=(PRACTICE, SECOND))
    assert screen.desk.accounts.isVisible()
    form = screen.desk.current.form
    assert (form.isVisible(), form.rows["from"].isVisible()) == (True, False)
    form.to.insert("ada@example.org")
    form.subject.setText("Both")
    type_text(screen, "For all")
    screen.foot.take("tomorrow 9", "Europe/Berlin")
    screen.departure.press()
    rest(post_office)
    assert states(post_office, 1) == [State.SCHEDULED, State.SCHEDULED]
    post = stored(post_office, 1)
    assert post.content.mail is not None
    assert post.content.mail.subject == "Both"


def test_mail_fields_of_an_account_that_was_taken_out_do_not_go_along(post_office: Desk) -> None:
    screen = letter_to(post_office, chosen=(PRACTICE, SECOND))
    screen.desk.current.form.subject.setText("Only for the mail")
    write(post_office, screen, "text")
    screen.desk.accounts.choose(SECOND, False)
    write(post_office, screen, "!")
    assert stored(post_office).content.mail is not None, "the draft keeps it"
    screen.foot.take("tomorrow 9", "Europe/Berlin")
    screen.departure.press()
    rest(post_office)
    assert stored(post_office, 1).content.mail is None


def test_the_sender_of_a_mail_is_chosen_in_its_row(post_office: Desk) -> None:
    other = add_practice(post_office, "Other", takes="mail")
    screen = letter_to(post_office)
    form = screen.desk.current.form
    form.origin.menu.aboutToShow.emit()
    words = {one.text().split("   ")[0]: one for one in form.origin.menu.actions() if one.text()}
    words["Other"].trigger()
    rest(post_office)
    assert screen.desk.accounts.chosen() == (other,)
    assert screen.desk.is_mail_alone
    form.origin.menu.aboutToShow.emit()
    next(one for one in form.origin.menu.actions() if one.text() == "Also to Practice").trigger()
    rest(post_office)
    assert screen.desk.accounts.chosen() == (other, PRACTICE)


def test_fields_of_the_people_can_be_put_in(post_office: Desk) -> None:
    mail = Mail("Hi", markup=Markup.MARKDOWN, to=(Recipient("ada@example.org", "Ada", {"city": "London"}),))
    post_id, _ = post_office.program.commands.posts.save_draft(Content((Item("Dear "),), mail), [Variant(SECOND)])
    screen = compose(post_office, post_id=post_id)
    bar = screen.desk.current.bar
    bar.menu.aboutToShow.emit()
    assert [one.text() for one in bar.menu.actions()] == ["{{city}}", "{{email}}", "{{name}}"]
    bar.menu.actions()[0].trigger()
    write(post_office, screen, "!")
    found = stored(post_office, post_id)
    assert found.content.items[0].text == "Dear {{city}}!"
    assert found.content.mail is not None
    assert found.content.mail.to[0].fields == {"city": "London"}


# --- options ------------------------------------------------------------------------------------------------------


def test_options_of_a_network_are_kept_with_the_account(harbor: Desk) -> None:
    composing.open_post(harbor)
    screen = composing.screen(harbor)
    panel = screen.desk.options.panels[1]
    assert panel.fields == {}  # nothing is made that nobody asked for
    QTest.keyClick(panel.head, Qt.Key.Key_Return)
    assert panel.fields["visibility"].isVisible()
    panel.fields["visibility"].set_value("unlisted")  # type: ignore[attr-defined]
    panel.fields["visibility"].chosen.emit("unlisted")  # type: ignore[attr-defined]
    QTest.keyClicks(panel.fields["spoiler_text"], "Coffee")
    click(panel.fields["sensitive"])
    screen.save()
    rest(harbor)
    variant = stored(harbor, screen.saver.record.post_id).variant(1)
    assert variant is not None
    assert variant.options == {"visibility": "unlisted", "spoiler_text": "Coffee", "sensitive": "yes"}
    assert "Content warning: Coffee" in panel.head.accessibleName()
    toot = screen.desk.accounts.chip(1)
    assert toot is not None
    assert toot.left == 147 - len("Coffee"), "a content warning counts"


# --- time ---------------------------------------------------------------------------------------------------------


def test_a_time_that_is_not_understood_names_no_time_on_the_button(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "x")
    screen.foot.words.setText("whenever")
    assert screen.foot.button.words() == "Schedule"
    assert "not a time" in screen.foot.wrong.text()
    screen.desk.focus_text()
    screen.departure.press()
    rest(bench)
    assert screen.foot.words.hasFocus()
    assert states(bench, 1) == []


def test_an_hour_that_is_there_twice_is_asked(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "x")
    screen.foot.words.setText("31 oct 2027 2:30")
    assert "happens twice" in screen.foot.wrong.text()
    assert [one.words() for one in screen.foot.choices] == ["02:30 (UTC+02:00)", "02:30 (UTC+01:00)"]
    click(screen.foot.choices[1])
    assert not screen.foot.timing.wrong
    screen.departure.press()
    rest(bench)
    with bench.context.reading() as connection:
        (one,) = deliveries.of_post(connection, 1)
    assert (one.planned_at, one.zone, one.fold) == (datetime(2027, 10, 31, 1, 30, tzinfo=UTC), "Europe/Berlin", 1)
    assert compose(bench, post_id=1).foot.timing.when == When(datetime(2027, 10, 31, 2, 30), "Europe/Berlin", 1)


def test_a_time_is_picked_with_the_keyboard(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "x")
    picker = screen.foot.open_picker()
    month = picker.month
    assert month.accessibleName() == "Tuesday 24 November"
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageDown):
        QTest.keyClick(month, key)
    assert month.accessibleName() == "Friday 2 January" or month.day.month == 1 or month.day.day == 2
    picker.time.setText("half past")
    click(picker.take_button)
    assert picker.isVisible()
    assert "is not a time of day" in picker._wrong.text()
    QTest.keyClick(picker.month, Qt.Key.Key_Escape)
    assert not picker.isVisible()
    assert bench.window.current == "composer"  # and not gone back as well
    picker = screen.foot.open_picker()
    picker.month.go(date(2027, 1, 2))
    picker.time.setText("17:30")
    picker.zone.set_value("Asia/Tokyo")
    QTest.keyClick(picker.time, Qt.Key.Key_Return)
    assert screen.foot.said.text().startswith("Sat 2 Jan 2027, 17:30 Asia/Tokyo")
    assert screen.foot.zone == "Asia/Tokyo"
    screen.save()
    rest(bench)
    assert stored(bench).plan == Plan("2 Jan 2027 17:30", "Asia/Tokyo", "")


def test_words_move_on_with_the_clock(bench: Desk, clock: SetClock) -> None:
    screen = compose(bench)
    screen.foot.words.setText("19:00")
    assert screen.foot.button.words() == "Schedule for 19:00"
    clock.advance(3600)
    screen.foot.read_again()
    assert screen.foot.button.words() == "Schedule for Tue 19:00"


def test_the_button_says_the_time_of_now_while_it_is_seen(bench: Desk, clock: SetClock) -> None:
    """What is said in seconds is true to the second: it counts from the press."""
    screen = compose(bench)
    screen.foot.words.setText("in 40 s")
    said = screen.foot.button.words()
    clock.advance(3)
    bench.until(lambda: screen.foot.button.words() != said, seconds=2)
    assert screen.foot.said.text().endswith("in 40 s")
    bench.window.go("planner")
    assert not screen.foot._timer.isActive()


def test_in_a_small_window_the_foot_keeps_its_parts_apart(bench: Desk) -> None:
    screen = compose(bench)
    bench.window.setMinimumSize(LEAST)
    bench.window.resize(LEAST)
    foot = screen.foot
    for words in ("", "tomorrow 9", "24 Dec 2027 18:30"):
        foot.words.setText(words)
        bench.settle()
        parts = [one for one in (foot.words, foot.late, foot.badge, foot.button) if one.isVisible()]
        places = [(left := one.mapTo(foot, QPoint(0, 0)).x(), left + one.width()) for one in parts]
        assert all(end + 12 <= begin for (_, end), (begin, _) in pairwise(places)), (words, places)
        assert places[-1][1] <= foot.width() - 24


def test_the_rule_for_lateness_is_taken_along(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "x")
    assert screen.foot.late.value() == ""  # as set for the account
    screen.foot.late.set_value("skip 15m")
    screen.foot.late.chosen.emit("skip 15m")
    screen.foot.take("tomorrow 9", "Europe/Berlin")
    screen.departure.press()
    rest(bench)
    with bench.context.reading() as connection:
        assert deliveries.of_post(connection, 1)[0].late == "skip 15m"


def test_the_badge_says_what_is_true(bench: Desk) -> None:
    screen = compose(bench)
    assert screen.foot.badge.words == ("Needs this computer", "Until it has left")
    screen.foot.take("tomorrow 9", "Europe/Berlin")
    assert screen.foot.badge.words == ("Needs this computer", "Awake Tue 09:00")
    bench.window.pause(None)
    bench.settle()
    assert screen.foot.badge.words[0] == "Sending is paused"


def test_two_accounts_on_the_button_and_its_menu(bench: Desk) -> None:
    second = add_practice(bench, "Second")
    screen = compose(bench)
    for one in (PRACTICE, second):
        screen.desk.accounts.choose(one)
    write(bench, screen, "x")
    assert screen.foot.button.words() == "Send now to 2 accounts"
    screen.foot.take("tomorrow 9", "Europe/Berlin")
    screen.menu.aboutToShow.emit()
    assert [one.text() for one in screen.menu.actions()] == ["Send now", "Save as draft"]
    screen.menu.actions()[0].trigger()
    rest(bench)
    with bench.context.reading() as connection:
        assert {one.planned_at for one in deliveries.of_post(connection, 1)} == {bench.context.now()}
    assert bench.window.current == "activity"


def test_a_second_press_does_nothing_twice(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "x")
    screen.foot.take("tomorrow 9", "Europe/Berlin")
    screen.departure.press()
    screen.departure.press()
    rest(bench)
    assert states(bench, 1) == [State.SCHEDULED]


# --- the page itself ----------------------------------------------------------------------------------------------


def test_the_preview_hides_where_there_is_no_room(harbor: Desk) -> None:
    composing.open_post(harbor)
    screen = composing.screen(harbor)
    harbor.window.resize(1280, 800)
    rest(harbor)
    assert screen.pane.isVisible()
    assert screen.pane.width() == 376
    assert not screen.header.preview.isVisible()
    harbor.window.resize(960, 640)
    rest(harbor)
    assert not screen.pane.isVisible()
    click(screen.header.preview)
    rest(harbor)
    assert screen.pane.isVisible()
    assert screen.header.preview.words() == "Hide preview"


def test_the_keyboard_walks_through_the_page_in_order(bench: Desk) -> None:
    screen = compose(bench)
    chip = screen.desk.accounts.chip(PRACTICE)
    assert chip is not None
    chip.setFocus()
    order = []
    for _ in range(11):
        focused = QApplication.focusWidget()
        assert focused is not None
        order.append(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    editor, foot = screen.desk.current.body, screen.foot
    wanted = [chip, screen.desk.accounts.add_tile, editor, foot.words, foot.open_button, foot.late, foot.button]
    places = [order.index(one) for one in wanted]
    assert places == sorted(places)


def test_everything_that_can_be_reached_has_a_name(harbor: Desk) -> None:
    composing.open_mix(harbor)
    screen = composing.screen(harbor)
    nameless = [
        one
        for one in screen.findChildren(QWidget)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.isVisible()
        and not (one.accessibleName() or one.property("text"))
    ]
    assert not nameless


def test_foreign_names_are_plain_text(bench: Desk) -> None:
    bench.program.commands.accounts.rename(PRACTICE, "<b>bold</b>")
    rest(bench)
    screen = compose(bench)
    chip = screen.desk.accounts.chip(PRACTICE)
    assert chip is not None
    assert chip.toolTip().startswith("<span>&lt;b>") or "&lt;b" in chip.toolTip()


def test_matters_of_several_accounts_are_one(harbor: Desk) -> None:
    composing.open_post(harbor)
    screen = composing.screen(harbor)
    found: list[Matter] = [one for one in screen.assessment.matters if one.code == "no_alt"]
    assert len(found) == 1


def test_accounts_are_read_from_this_workspace(harbor: Desk) -> None:
    with harbor.context.reading() as connection:
        known = accounts.every(connection)
    screen = compose(harbor)
    assert set(screen.eyes.known) == {one.id for one in known}
    assert sample.NEWS + 1 in screen.eyes.mails
