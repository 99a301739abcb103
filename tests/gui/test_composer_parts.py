"""The parts of the composer: accounts, own texts, problems, threads, files."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sendoff.domain.post import Item
from sendoff.store import accounts, changes, deliveries, settings
from sendoff.ui.accounts.add import AddAccountScreen
from sendoff.ui.accounts.page import SignInPage
from sendoff.ui.accounts.welcome import Welcome
from tests.gui import composing, sample
from tests.gui.composer_hands import (
    CTRL,
    PRACTICE,
    add_practice,
    click,
    compose,
    drafts,
    link,
    matters,
    planned,
    rest,
    stored,
    type_text,
    write,
)
from tests.gui.desk import Desk

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def first_screen() -> str:
    return ""


# --- accounts -----------------------------------------------------------------------------------------------------


def test_without_an_account_the_button_leads_to_one_and_back_to_what_is_written(desk: Desk) -> None:
    screen = compose(desk)
    assert screen.desk.accounts.connect_button.isVisible()
    assert screen.foot.button.words() == "Connect an account"
    assert screen.foot.badge.isHidden()
    screen.foot.take("tomorrow 9", "")
    assert screen.foot.button.words() == "Connect an account"
    screen.departure.fill_menu()
    assert [one.text() for one in screen.menu.actions()] == ["Save as draft"]
    type_text(screen, "nowhere yet")
    QTest.keyClick(screen.desk.current.body, Qt.Key.Key_Return, CTRL)
    desk.settle()
    assert desk.window.current == "add_account"
    assert stored(desk).content.items[0].text == "nowhere yet"
    adding = desk.window.screen_named("add_account")
    assert isinstance(adding, AddAccountScreen)
    assert adding.header._back.words() == "Your post"  # type: ignore[union-attr]
    adding.go_back()
    rest(desk)
    assert (desk.window.current, screen.desk.current.body.text()) == ("composer", "nowhere yet")
    screen.foot.button.click()
    adding._choose("practice", "")
    page = adding.page
    assert isinstance(page, SignInPage)
    page.connect_it()
    desk.until(lambda: isinstance(adding.page, Welcome))
    assert isinstance(adding.page, Welcome)
    assert adding.page.write.words() == "Go on with your post"
    adding.page.write.click()
    rest(desk)
    assert (desk.window.current, screen.desk.current.body.text()) == ("composer", "nowhere yet")
    assert screen.desk.accounts.chosen() == (PRACTICE,)
    assert screen.foot.button.words().startswith("Schedule for")
    assert screen.foot.badge.isVisible()
    assert len(drafts(desk)) == 1


def test_accounts_that_would_look_alike_are_told_apart(harbor: Desk) -> None:
    screen = compose(harbor)
    alike = {
        ("mastodon", "Ada at toot", "@ada@toot.example"): "@ada@toot.example",
        ("mastodon", "Ada at sea", "@ada@sea.example"): "@ada@sea.example",
        ("mastodon", "Bob", "@bob@sea.example"): "@bob",
        ("bluesky", "Ada in the sky", "@ada"): "@ada",
        ("discord", "Pier", "@harborbot"): "Pier",
        ("discord", "Talk", "@harborbot"): "Talk",
    }
    with harbor.program.store.writing(changes.ACCOUNTS) as connection:
        ids = {
            accounts.insert(
                connection, workspace_id=1, channel=kind, name=name, handle=handle, url="", settings={}, learned={},
                secret_ref=None, spacing=0, now=harbor.context.now(),
            ): label
            for (kind, name, handle), label in alike.items()
        }  # fmt: skip
    rest(harbor)
    for one in ids:
        screen.desk.accounts.choose(one)
    chips = screen.desk.accounts
    assert {one: chip.label for one in ids if (chip := chips.chip(one))} == ids
    last = next(iter(ids))
    harbor.program.commands.accounts.remove(last)
    rest(harbor)
    assert chips.chip(last + 1).label == "@ada"  # type: ignore[union-attr]


def test_what_would_be_at_one_place_twice_is_said_and_mended(bench: Desk) -> None:
    again = add_practice(bench, "Again", handle="@You@practice".lower())
    screen = compose(bench, account_id=PRACTICE)
    type_text(screen, "once is enough")
    rest(bench)
    assert matters(screen) == []
    screen.desk.accounts.choose(again)
    rest(bench)
    assert matters(screen) == ["Practice and Again are one account at Practice."]
    click(link(screen, "Take one out"))
    rest(bench)
    assert (screen.desk.accounts.chosen(), matters(screen)) == ((PRACTICE,), [])


def test_people_who_would_get_a_mail_from_two_accounts_are_named(bench: Desk) -> None:
    one, other = (add_practice(bench, name, takes="mail") for name in ("Shop", "Cellar"))
    screen = compose(bench, account_id=one)
    screen.desk.current.form.to.setPlainText("Ada <ada@example.org>, bob@example.org")
    screen.desk.current.form.subject.setText("Beans")
    type_text(screen, "Six new ones.")
    screen.desk.accounts.choose(other)
    rest(bench)
    assert "Shop and Cellar each write to 2 people." in matters(screen)
    screen.desk.customise(other)
    screen.desk.current.form.to.setPlainText("Ada@example.org")
    rest(bench)
    assert "Shop and Cellar each write to ada@example.org." in matters(screen)
    click(link(screen, "Take one out"))
    rest(bench)
    assert not [one for one in matters(screen) if "each write" in one]


def test_the_accounts_of_the_last_planned_post_are_chosen(bench: Desk) -> None:
    second, third = add_practice(bench, "Second"), add_practice(bench, "Third")
    screen = compose(bench)
    assert screen.desk.accounts.chosen() in ((), (PRACTICE,))
    planned(bench, "last", (second, third))
    rest(bench)
    screen.begin()
    assert screen.desk.accounts.chosen() == (second, third)


def test_chips_toggle_and_count(harbor: Desk) -> None:
    composing.open_post(harbor)
    screen = composing.screen(harbor)
    toot, sky = screen.desk.accounts.chip(1), screen.desk.accounts.chip(2)
    assert toot is not None
    assert sky is not None
    assert (sky.is_over, toot.is_over) == (True, False)
    assert sky.words() == "−81"
    assert "81 characters too many" in sky.accessibleName()
    click(sky)
    rest(harbor)
    assert screen.desk.accounts.chosen() == (1, 3)
    assert "81 too many for Bluesky." not in matters(screen)
    assert "does not go there" in sky.accessibleName()
    QTest.keyClick(sky, Qt.Key.Key_Space)
    rest(harbor)
    assert "81 too many for Bluesky." in matters(screen)


def test_the_menu_adds_accounts(harbor: Desk) -> None:
    screen = compose(harbor)
    screen.desk.accounts.menu.aboutToShow.emit()
    actions = {one.text().split("   ")[0]: one for one in screen.desk.accounts.menu.actions()}
    assert "Harbor News" not in actions, "it is chosen: it was last used"
    actions["#announcements"].trigger()
    rest(harbor)
    assert screen.desk.accounts.chosen() == (6, 5)
    actions["Connect another account…"].trigger()
    assert harbor.window.current == "add_account"


def test_an_account_removed_meanwhile_goes_from_the_page(bench: Desk) -> None:
    second = add_practice(bench, "Second")
    screen = compose(bench)
    screen.desk.accounts.choose(second)
    bench.program.commands.accounts.remove(second)
    bench.settle()
    assert second not in screen.desk.accounts.chosen()
    assert screen.desk.accounts.chip(second) is None


# --- own texts ----------------------------------------------------------------------------------------------------


def test_customise_write_and_take_back(bench: Desk) -> None:
    second = add_practice(bench, "Second")
    screen = compose(bench)
    for one in (PRACTICE, second):
        screen.desk.accounts.choose(one)
    type_text(screen, "all")
    screen.desk.tabs.menu.aboutToShow.emit()
    assert [one.text() for one in screen.desk.tabs.menu.actions()] == ["Practice", "Second"]
    screen.desk.tabs.menu.actions()[1].trigger()
    type_text(screen, " but me")
    screen.save()
    rest(bench)
    post = stored(bench)
    assert post.content.items[0].text == "all"
    assert post.content_for(second).items[0].text == "all but me"
    click(screen.desk.tabs.undo)
    rest(bench)
    assert screen.writing.own == {}
    QTest.keySequence(bench.window, "Ctrl+Z") if bench.window.focusWidget() is None else bench.window._undo()
    rest(bench)
    assert screen.writing.own[second].items[0].text == "all but me"
    assert screen.desk.tab == second
    again = compose(bench, post_id=post.id)
    assert again.writing.own[second].items[0].text == "all but me"


def test_undo_in_one_tab_leaves_the_other(bench: Desk) -> None:
    second = add_practice(bench, "Second")
    screen = compose(bench)
    screen.desk.accounts.choose(second)
    screen.desk.accounts.choose(PRACTICE)
    type_text(screen, "everyone")
    screen.desk.customise(second)
    type_text(screen, " own")
    screen.desk.show_tab(0)
    QTest.keySequence(screen.desk.current.body, "Ctrl+Z")
    assert screen.writing.everyone.items[0].text != "everyone"
    assert screen.writing.own[second].items[0].text == "everyone own"


# --- problems -----------------------------------------------------------------------------------------------------


def test_the_button_goes_to_the_first_red_row_and_offers_a_way(harbor: Desk) -> None:
    composing.open_post(harbor)
    screen = composing.screen(harbor)
    assert matters(screen)[0] == "81 too many for Bluesky."
    screen.departure.press()
    rest(harbor)
    row = screen.desk.problems.first_red()
    assert row is not None
    assert "harborcoffee.example can’t get it so." in row.text.text()
    assert row.links[0].hasFocus()
    assert [one.words() for one in row.links] == [
        "Customise", "Split into thread", "Split with numbers", "Send without it", "Send anyway",
    ]  # fmt: skip
    click(link(screen, "Send anyway"))
    rest(harbor)
    assert screen.desk.problems.first_red() is None
    assert harbor.window.current == "composer"
    screen.departure.press()
    rest(harbor)
    assert harbor.window.said == "Scheduled for Tue 09:00"


def test_sending_without_the_one_that_cannot(harbor: Desk) -> None:
    composing.open_post(harbor)
    screen = composing.screen(harbor)
    post_id = screen.saver.record.post_id
    screen.departure.press()
    rest(harbor)
    click(link(screen, "Send without it"))
    rest(harbor)
    assert post_id is not None
    with harbor.context.reading() as connection:
        assert [one.account_id for one in deliveries.of_post(connection, post_id)] == [1, 3]


def test_an_empty_page_is_calm_until_it_is_pressed(bench: Desk) -> None:
    screen = compose(bench)
    assert matters(screen) == []
    screen.departure.press()
    rest(bench)
    assert matters(screen) == ["There is nothing to post yet."]
    row = screen.desk.problems.rows[0]
    assert "Send anyway" not in [one.words() for one in row.links]


def test_split_into_thread_and_undo(bench: Desk) -> None:
    screen = compose(bench)
    text = "A sentence of some length. " * 30
    screen.desk.put_text(text)
    rest(bench)
    click(link(screen, "Split into thread"))
    rest(bench)
    assert bench.window.said == "Split into 2 items."
    assert len(screen.desk.current.items) == 2
    assert not screen.assessment.red
    bench.window._undo()
    rest(bench)
    assert screen.writing.everyone.items[0].text == text


def test_split_with_numbers(bench: Desk) -> None:
    screen = compose(bench)
    screen.desk.put_text("A sentence of some length. " * 30)
    rest(bench)
    click(link(screen, "Split with numbers"))
    rest(bench)
    texts = [item.text for item in screen.writing.everyone.items]
    assert [text.rpartition(" ")[2] for text in texts] == ["1/2", "2/2"]
    assert not screen.assessment.red


def test_split_by_its_key_takes_all_that_is_too_long(bench: Desk) -> None:
    screen = compose(bench)
    QTest.keyClick(screen.desk.current.body, Qt.Key.Key_T, CTRL | SHIFT)
    assert bench.window.said == "Everything fits where it goes. There is nothing to split."
    screen.desk.put_text("A sentence of some length. " * 30)
    screen.desk.add_item()
    screen.desk.current.items[1].editor.insert("And one more of them here. " * 40)
    rest(bench)
    QTest.keyClick(screen.desk.current.body, Qt.Key.Key_T, CTRL | SHIFT)
    rest(bench)
    assert bench.window.said == "Split into 5 items."
    assert not screen.assessment.red


def test_who_has_no_threads_keeps_the_whole_text(harbor: Desk) -> None:
    """Bluesky takes 300 characters; Discord 2,000, and knows no threads."""
    screen = compose(harbor)
    sky, talk = sample.SKY + 1, sample.TALK + 1
    for one in screen.eyes.known:
        screen.desk.accounts.choose(one, one in (sky, talk))
    text = "A sentence of some length. " * 20
    screen.desk.put_text(text)
    rest(harbor)
    click(link(screen, "Split into thread"))
    rest(harbor)
    assert screen.writing.everyone.items == (Item(text),)
    assert len(screen.writing.own[sky].items) == 2
    assert not screen.assessment.red


def test_customise_from_a_problem(harbor: Desk) -> None:
    composing.open_post(harbor)
    screen = composing.screen(harbor)
    click(link(screen, "Customise"))
    rest(harbor)
    assert screen.desk.tab == 2


def test_sign_in_from_a_problem(harbor: Desk) -> None:
    composing.open_post(harbor)
    click(link(composing.screen(harbor), "Sign in"))
    assert harbor.window.current == "add_account"


def test_add_alt_text_from_a_problem(harbor: Desk) -> None:
    composing.open_post(harbor)
    screen = composing.screen(harbor)
    click(link(screen, "Add it"))
    card = screen.desk.current.items[0].media.cards[1]
    assert card.alt.hasFocus()
    QTest.keyClicks(card.alt, "A boat at the pier")
    screen.save()
    rest(harbor)
    assert "Picture 2 has no alt text." not in matters(screen)
    post_id = screen.saver.record.post_id
    assert stored(harbor, post_id).content.items[0].media[1].alt == "A boat at the pier"


def test_a_picture_that_was_described_once_comes_with_its_words(bench: Desk, tmp_path: Path) -> None:
    path = composing.write_file(tmp_path, "pier.png", composing.png("#BFD7E6"))
    screen = compose(bench)
    media = screen.desk.current.items[0].media
    media.add_paths([path])
    bench.until(lambda: not media.is_busy)
    QTest.keyClicks(media.cards[0].alt, "A boat at the pier")
    screen.save()
    rest(bench)
    screen.begin()
    rest(bench)
    assert not media.files()
    media.add_paths([path])
    bench.until(lambda: not media.is_busy)
    assert media.cards[0].alt.toPlainText() == media.files()[0].alt == "A boat at the pier"
    assert bench.window.said == "pier.png has its alt text from last time."
    bench.window._undo()
    assert media.cards[0].alt.toPlainText() == media.files()[0].alt == ""


def test_without_alt_text_nothing_leaves_where_that_is_wanted(bench: Desk, tmp_path: Path) -> None:
    with bench.program.store.writing() as connection:
        settings.write(connection, "alt_required", "yes")
    screen = compose(bench)
    media = screen.desk.current.items[0].media
    media.add_paths([composing.write_file(tmp_path, "pier.png", composing.png("#BFD7E6"))])
    bench.until(lambda: not media.is_busy)
    rest(bench)
    screen.departure.press()
    rest(bench)
    (row,) = screen.desk.problems.rows
    assert (row.matter.title, row.is_red) == ("Picture 1 has no alt text.", True)
    assert [one.words() for one in row.links] == ["Add it"]  # the only account can't be left out
    click(row.links[0])
    QTest.keyClicks(media.cards[0].alt, "A boat")
    rest(bench)
    assert not screen.assessment.red


def test_a_preference_that_changes_while_somebody_writes_counts_at_once(bench: Desk, tmp_path: Path) -> None:
    screen = compose(bench)
    media = screen.desk.current.items[0].media
    media.add_paths([composing.write_file(tmp_path, "pier.png", composing.png("#BFD7E6"))])
    bench.until(lambda: not media.is_busy)
    rest(bench)
    assert not screen.assessment.red
    bench.program.commands.settings.set("alt_required", "yes")
    rest(bench)
    assert [one.code for one in screen.assessment.red] == ["alt_required"]


def test_the_same_words_from_two_accounts_of_x_are_warned_about_and_stop_nobody(bench: Desk) -> None:
    with bench.program.store.writing(changes.ACCOUNTS) as connection:
        ids = [
            accounts.insert(
                connection, workspace_id=1, channel="x", name=name, handle=name, url="", settings={}, learned={},
                secret_ref=None, spacing=0, now=bench.context.now(),
            )
            for name in ("Harbor", "Pier")
        ]  # fmt: skip
    rest(bench)
    screen = compose(bench, account_id=ids[0])
    type_text(screen, "Open from nine.")
    rest(bench)
    title = "X forbids the same words from several accounts."
    assert title not in matters(screen)
    screen.desk.accounts.choose(ids[1], True)
    rest(bench)
    (row,) = [one for one in screen.desk.problems.rows if one.matter.title == title]
    assert not row.is_red
    assert (row.matter.accounts, row.matter.text.partition(" say ")[0]) == (tuple(ids), "Harbor and Pier")
    assert not screen.assessment.red


def test_captions_say_their_language_and_want_no_alt_text(bench: Desk, tmp_path: Path) -> None:
    screen = compose(bench)
    media = screen.desk.current.items[0].media
    words = b"WEBVTT\n\n00:00.000 --> 00:02.000\nEin Elefant.\n"
    media.add_paths([composing.write_file(tmp_path, name, words) for name in ("trip.de.vtt", "trip.vtt")])
    bench.until(lambda: not media.is_busy)
    rest(bench)
    assert [card._label.text() for card in media.cards] == ["Captions (de)", "Captions"]
    assert not any(card.alt.isVisible() or card.is_missing for card in media.cards)


def test_a_picture_is_made_to_fit_for_who_does_not_take_it(harbor: Desk) -> None:
    screen = compose(harbor)
    toot, sky = sample.TOOT + 1, sample.SKY + 1
    for one in screen.eyes.known:
        screen.desk.accounts.choose(one, one in (toot, sky))
    screen.desk.put_text("words")
    grain = Image.frombytes("L", (300, 300), random.Random(7).randbytes(90_000)).resize((900, 900))
    buffer = io.BytesIO()
    Image.merge("RGB", (grain, grain.rotate(90), grain)).save(buffer, "PNG", compress_level=0)
    picture = harbor.program.media.attach_bytes(buffer.getvalue(), "pier.png", "image/png", alt="The pier")
    screen.desk.current.items[0].media.show_files([picture])
    screen.changed()
    rest(harbor)
    assert matters(screen)[0] == "Picture 1 is too big for Bluesky."
    click(link(screen, "Make it fit"))
    harbor.until(lambda: harbor.window.said.startswith("It fits now"))
    screen.desk.put_text(" and more")
    rest(harbor)
    assert "Picture 1 is smaller on Bluesky." in matters(screen)
    assert not screen.assessment.red
    (kept,) = screen.writing.everyone.items[0].media
    assert (kept.sha256, kept.size, kept.alt, len(kept.copies)) == (picture.sha256, picture.size, "The pier", 1)
    assert kept.copies[0].size <= 2_000_000
    harbor.window._undo()
    rest(harbor)
    assert matters(screen)[0] == "Picture 1 is too big for Bluesky."
    assert screen.writing.everyone.items[0].text == "words and more"


# --- threads and marks --------------------------------------------------------------------------------------------


def test_a_thread_by_hand(bench: Desk) -> None:
    screen = compose(bench)
    type_text(screen, "one")
    QTest.keyClick(screen.desk.current.body, Qt.Key.Key_Return, CTRL | Qt.KeyboardModifier.ShiftModifier)
    view = screen.desk.current.items[1]
    assert view.editor.hasFocus()
    QTest.keyClicks(view.editor, "two")
    screen.save()
    rest(bench)
    assert [item.text for item in stored(bench).content.items] == ["one", "two"]
    assert view.count.text() == "3 characters"
    click(view.remove_button)
    rest(bench)
    assert [item.text for item in screen.writing.everyone.items] == ["one"]
    bench.window._undo()
    assert [item.text for item in screen.writing.everyone.items] == ["one", "two"]


def test_what_is_over_the_limit_is_marked_by_characters_not_units(bench: Desk) -> None:
    screen = compose(bench)
    text = "🐕" * 499 + "ab" + "cd"
    screen.desk.put_text(text)
    rest(bench)
    editor = screen.desk.current.body
    (selection,) = editor.extraSelections()
    assert selection.cursor.selectedText() == "bcd"  # type: ignore[attr-defined]
    assert screen.desk.current.items[0].count.text() == "503 characters"
    for _ in range(3):
        QTest.keyClick(editor, Qt.Key.Key_Backspace)
    rest(bench)
    assert not editor.extraSelections()


def test_links_mentions_and_tags_are_marked_behind_wide_characters(bench: Desk) -> None:
    screen = compose(bench)
    screen.desk.put_text("🐕 #guji @ada@example.org https://example.org/x")
    block = screen.desk.current.body.document().firstBlock()
    text = block.text().encode("utf-16-le")
    marked = [
        text[2 * one.start : 2 * (one.start + one.length)].decode("utf-16-le") for one in block.layout().formats()
    ]
    assert marked == ["#guji", "@ada@example.org", "https://example.org/x"]


def test_spaces_that_do_not_break_and_odd_characters_stay(bench: Desk) -> None:
    screen = compose(bench)
    screen.desk.put_text("a\u00a0b \u202fc\u2009d e\u0301 \U0001f468\u200d\U0001f469\u200d\U0001f467")
    screen.save()
    rest(bench)
    assert (
        stored(bench).content.items[0].text
        == "a\u00a0b \u202fc\u2009d e\u0301 \U0001f468\u200d\U0001f469\u200d\U0001f467"
    )


def test_a_very_long_text_is_kept_and_counted(bench: Desk) -> None:
    screen = compose(bench)
    text = "\n".join("New beans: #Guji from https://example.org/guji, carried up the pier." for _ in range(1500))
    screen.desk.put_text(text)
    bench.until(lambda: screen.desk.current.items[0].count.text() == f"{len(text):,} characters")
    QTest.keyClick(screen.desk.current.body, Qt.Key.Key_Exclam)
    screen.save()
    rest(bench)
    assert stored(bench).content.items[0].text == text + "!"


# --- files --------------------------------------------------------------------------------------------------------


def mime_of(*paths: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(one) for one in paths])
    return data


def test_files_dropped_pasted_described_moved_and_taken_out(bench: Desk, tmp_path: Path) -> None:
    screen = compose(bench)
    view = screen.desk.current.items[0]
    one = composing.write_file(tmp_path, "one.png", composing.png("#E6DCCF"))
    two = composing.write_file(tmp_path, "two.png", composing.png("#BFD7E6"))
    view.editor.insertFromMimeData(mime_of(one, two))
    bench.until(lambda: len(view.media.cards) == 2 and not view.media.is_busy)
    data = QMimeData()
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    data.setImageData(image)
    view.editor.insertFromMimeData(data)
    bench.until(lambda: len(view.media.cards) == 3 and not view.media.is_busy)
    assert [file.name for file in view.media.files()] == ["one.png", "two.png", "picture.png"]
    QTest.keyClicks(view.media.cards[0].alt, "First")
    view.media.cards[0].alt.setFocus()
    QTest.keyClick(view.media.cards[0].alt, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert [file.name for file in view.media.files()] == ["two.png", "one.png", "picture.png"]
    assert view.media.cards[1].alt.hasFocus()
    assert view.media.files()[1].alt == "First"
    click(view.media.cards[0].remove_button)
    assert [file.name for file in view.media.files()] == ["one.png", "picture.png"]
    bench.window._undo()
    screen.save()
    rest(bench)
    assert [file.name for file in stored(bench).content.items[0].media] == ["two.png", "one.png", "picture.png"]


def test_a_picture_is_moved_by_dragging(bench: Desk, tmp_path: Path) -> None:
    screen = compose(bench)
    media = screen.desk.current.items[0].media
    media.add_paths([composing.write_file(tmp_path, name, composing.png("#999")) for name in ("a.png", "b.png")])
    bench.until(lambda: len(media.cards) == 2 and not media.is_busy)
    first, second = media.cards
    QTest.mousePress(first, Qt.MouseButton.LeftButton, pos=QPoint(20, 40))
    QTest.mouseMove(first, QPoint(40, 40))
    QTest.mouseMove(first, second.geometry().center() - first.geometry().topLeft())
    QTest.mouseRelease(first, Qt.MouseButton.LeftButton)
    rest(bench)
    assert [file.name for file in media.files()] == ["b.png", "a.png"]
    assert media.cards == [second, first]


def test_a_file_that_cannot_be_read_is_said(bench: Desk, tmp_path: Path) -> None:
    screen = compose(bench)
    media = screen.desk.current.items[0].media
    media.add_paths([str(tmp_path / "missing.png")])
    bench.until(lambda: not media.is_busy)
    assert "missing.png can’t be attached" in bench.window.said
    assert not media.files()
    (tmp_path / "empty.png").write_bytes(b"")
    media.add_paths([str(tmp_path / "empty.png")])
    bench.until(lambda: not media.is_busy)
    assert bench.window.said == "empty.png is empty."


def test_a_kind_that_the_network_does_not_take_is_a_problem(bench: Desk, tmp_path: Path) -> None:
    screen = compose(bench)
    media = screen.desk.current.items[0].media
    media.add_paths([composing.write_file(tmp_path, "a.pdf", b"%PDF-1.7")])
    bench.until(lambda: not media.is_busy)
    rest(bench)
    assert "Practice does not take application/pdf." in matters(screen)


def test_a_file_that_is_not_what_its_name_says_is_a_problem_until_another_one_is_there(
    bench: Desk, tmp_path: Path
) -> None:
    screen = compose(bench)
    write(bench, screen, "Look at this")
    media = screen.desk.current.items[0].media
    broken = {
        "x.png": b"Dear diary, this is no picture.",
        "cut.png": composing.png("#BFD7E6")[:-40],
        "x.mp4": b"<html>Not found</html>",
    }
    media.add_paths([composing.write_file(tmp_path, name, data) for name, data in broken.items()])
    bench.until(lambda: not media.is_busy)
    rest(bench)
    red = [one for one in screen.desk.problems.rows if one.is_red]
    assert [(one.matter.title, one.matter.text) for one in red] == [
        ("x.png is no picture that can be read.", "Choose another file."),
        ("cut.png is no picture that can be read.", "Choose another file."),
        ("x.mp4 is no video that can be read.", "Choose another file."),
    ]
    assert screen.desk.current.items[0].editor.toPlainText() == "Look at this"
    for _ in broken:
        media.remove(0)
    media.add_paths([composing.write_file(tmp_path, "whole.png", composing.png("#BFD7E6"))])
    bench.until(lambda: not media.is_busy)
    rest(bench)
    assert screen.desk.problems.first_red() is None


def test_a_file_that_comes_too_late_is_not_put_into_another_post(bench: Desk, tmp_path: Path) -> None:
    screen = compose(bench)
    write(bench, screen, "first")
    media = screen.desk.current.items[0].media
    media.add_paths([composing.write_file(tmp_path, "late.png", composing.png("#999"))])
    assert media.is_busy
    bench.window.compose()
    bench.settle()
    assert bench.window.said == "late.png was not there yet when the post was closed. Add it again."
    assert screen.writing.is_blank


# --- if late ------------------------------------------------------------------------------------------------------


def test_as_set_is_the_first_choice_and_writes_no_rule_into_the_post(bench: Desk) -> None:
    screen = compose(bench)
    rest(bench)
    late = screen.foot.late
    assert (late.value(), late.currentText()) == ("", "As set: up to 2 h late, then ask")
    assert screen.writing.late == ""
    assert "Up to 2 h late, then at the next free time" in [late.itemText(one) for one in range(late.count())]
    commands = bench.program.commands
    commands.accounts.set_late(1, "skip 15m")
    rest(bench)
    assert late.currentText() == "As set: up to 15 min late, then skip it"
    commands.settings.set("late", "send")
    commands.accounts.set_late(1, "")
    rest(bench)
    assert late.currentText() == "As set: send whenever possible"
    late.set_value("next 2h")
    assert screen.writing.late == "next 2h"


def test_of_many_accounts_a_matter_names_the_first_and_counts_the_rest(bench: Desk) -> None:
    others = [add_practice(bench, name, handle="@you@practice") for name in ("Two", "Three", "Four", "Five")]
    screen = compose(bench, account_id=PRACTICE)
    type_text(screen, "once is enough")
    for one in others[:3]:
        screen.desk.accounts.choose(one)
    rest(bench)
    assert matters(screen) == ["Practice, Two, Three and Four are one account at Practice."]
    screen.desk.accounts.choose(others[3])
    rest(bench)
    assert matters(screen) == ["Practice, Two, Three and 2 more are one account at Practice."]


def test_each_paragraph_begins_at_the_side_it_is_read_from(bench: Desk) -> None:
    screen = compose(bench)
    editor = screen.desk.current.body
    editor.set_text("Good morning\nصباح الخير\nBonjour")
    QApplication.processEvents()
    document = editor.document()
    lines = [document.findBlockByNumber(number).layout().lineAt(0) for number in range(3)]
    sides = [line.naturalTextRect().left() > line.width() / 2 for line in lines]
    assert sides == [False, True, False]
    editor.set_text("\nمساء الخير\n")
    QApplication.processEvents()
    cursor = editor.textCursor()
    cursor.setPosition(1)
    editor.setTextCursor(cursor)
    assert editor.cursorRect().left() > editor.width() / 2
