"""What is being written, as values; and what the words for a time mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.post import Attachment, Content, Item, Mail, Markup, Plan, Poll, Post, Recipient, Role, Variant
from sendoff.domain.split import Reader
from sendoff.domain.when import When
from sendoff.ui.composer.state import (
    EVERYONE,
    Letter,
    Page,
    Writing,
    enclosed,
    listed,
    people,
    wrong_addresses,
)
from sendoff.ui.composer.timing import as_set, spelled, understand

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
BERLIN = "Europe/Berlin"
MAIL = Mail("Hi", "pre", Markup.MARKDOWN, to=(Recipient("ada@example.org", "Ada", {"city": "London"}),))


def post(content: Content, variants: tuple[Variant, ...] = (), plan: Plan = Plan()) -> Post:
    return Post(1, 1, content, 1, NOW, NOW, variants, plan)


def test_a_stored_post_comes_back_as_it_was() -> None:
    content = Content((Item("one"), Item("two", poll=Poll(("a", "b")))), MAIL)
    own = Variant(2, Content((Item("mine"),)), {"visibility": "public"})
    before = post(content, (Variant(1), own), Plan("tomorrow 9", BERLIN, "send"))
    writing = Writing.of(before, {1, 2})
    assert writing.stored() == (content, (Variant(1), own))
    assert writing.plan == before.plan
    assert writing.own[2].letter.is_blank


def test_accounts_that_are_gone_are_left_out() -> None:
    writing = Writing.of(post(Content((Item("x"),)), (Variant(1), Variant(9))), {1})
    assert writing.chosen == (1,)


def test_mail_fields_go_only_where_a_mail_account_gets_the_page() -> None:
    writing = Writing(Page((Item("x"),), Letter(subject="Hi", to="ada@example.org")), chosen=(1, 2))
    assert writing.sent({2})[0].mail is not None
    assert writing.sent(())[0].mail is None
    assert writing.stored()[0].mail is not None, "a draft keeps what was typed"
    apart = replace(writing, own={2: writing.everyone})
    content, variants = apart.sent({2})
    assert content.mail is None
    assert variants[1].content is not None
    assert variants[1].content.mail is not None


def test_own_pages_and_readers() -> None:
    writing = Writing(Page((Item("all"),)), {2: Page((Item("two"),))}, chosen=(1, 2, 3))
    assert writing.page(2).items[0].text == "two"
    assert writing.page(3).items[0].text == "all"
    assert writing.readers(EVERYONE) == (1, 3)
    assert writing.readers(2) == (2,)
    assert replace(writing, chosen=(1, 3)).readers(2) == ()
    assert replace(writing, own={}).readers(EVERYONE) == (1, 2, 3)


@pytest.mark.parametrize(
    ("writing", "blank"),
    [
        (Writing(), True),
        (Writing(chosen=(1,), words="tomorrow 9", late="send"), True),
        (Writing(Page((Item("  \n"),))), True),
        (Writing(Page((Item("x"),))), False),
        (Writing(Page(letter=Letter(subject="x"))), False),
        (Writing(Page(letter=Letter(separately=True, markup=Markup.HTML))), True),
        (Writing(own={3: Page((Item("x"),))}), False),
    ],
)
def test_blank(writing: Writing, blank: bool) -> None:
    assert writing.is_blank is blank


def test_splitting_keeps_files_and_the_items_around() -> None:
    file = Attachment("a" * 64, "x.png", "image/png", 3)
    page = Page((Item("first"), Item("One two three. Four five six.", (file,)), Item("last")))
    split = page.split(1, [Reader(Capabilities(checked="2026-11-23", text=16))])
    assert [item.text for item in split.items] == ["first", "One two three.", "Four five six.", "last"]
    assert split.items[1].media == (file,)
    assert split.without_item(0).items[0].text == "One two three."
    assert Page((Item("x"),)).without_item(0) == Page()


def test_files_by_their_role() -> None:
    picture = Attachment("a", "a.png", "image/png", 1)
    paper = Attachment("b", "b.pdf", "application/pdf", 1, role=Role.ATTACHMENT)
    item = Item("", (picture, paper))
    assert item.shown == (picture,)
    assert enclosed(item) == (paper,)


@pytest.mark.parametrize(
    "typed",
    [
        "ada@example.org, bob@example.org",
        "ada@example.org;bob@example.org",
        "ada@example.org\nbob@example.org\n",
        " ada@example.org ,, ; bob@example.org",
    ],
)
def test_people_between_all_kinds_of_separators(typed: str) -> None:
    assert [one.address for one in people(typed)] == ["ada@example.org", "bob@example.org"]


def test_people_are_written_so_that_they_can_be_read_again() -> None:
    some = (
        Recipient("ada@example.org", "Ada Lovelace"),
        Recipient("b@example.org", 'Doe, "Jo" \\ Jane; <x>'),
        Recipient("c@example.org"),
    )
    assert people(listed(some)) == some


def test_what_is_no_address_is_kept_and_named() -> None:
    mail = Letter(to="ada@example.org, not an address", cc='"open').mail()
    assert [one.address for one in mail.to] == ["ada@example.org", "not an address"]
    assert [sentence.partition(":")[0] for sentence in wrong_addresses(mail)] == [
        "“not an address” is not a mail address",
        '“"open” is not a mail address',
    ]
    assert Letter.of(mail).mail() == mail


def test_the_fields_of_people_stay_with_them() -> None:
    letter = Letter.of(MAIL)
    assert letter.mail() == MAIL
    more = Letter(to="Ada <ADA@example.org>, bob@example.org", known=letter.known).mail()
    assert more.to[0].fields == {"city": "London"}
    assert more.to[1].fields == {}


# --- time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["", "  ", "now", "Now"])
def test_no_time_is_now_and_says_so(words: str) -> None:
    timing = understand(words, BERLIN, NOW)
    assert timing.is_now
    assert timing.said == "As soon as you send it."


def test_a_time_is_read_back_in_full() -> None:
    timing = understand("tomorrow 9", BERLIN, NOW)
    assert timing.said == "Tue 24 Nov 2026, 09:00 Europe/Berlin, in 14 h"
    assert timing.brief(NOW) == "Tue 09:00"
    assert not timing.wrong


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("blah", "“blah” is not a time that Sendoff understands. Try "),
        ("tomorrow", "Tue 24 Nov 2026: at what time?"),
        ("1 nov 2025 9:00", "Sat 1 Nov 2025, 09:00 Europe/Berlin"),
        ("tomorrow 9 Europe/Nowhere", "There is no time zone “Europe/Nowhere”"),
    ],
)
def test_what_is_no_time_says_why(words: str, begins: str) -> None:
    timing = understand(words, BERLIN, NOW)
    assert timing.wrong
    assert timing.when is None
    assert timing.said.startswith(begins)


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("31 oct 2027 2:30", ["02:30 (UTC+02:00)", "02:30 (UTC+01:00)"]),
        ("28 mar 2027 2:30", ["01:30 (UTC+01:00)", "03:30 (UTC+02:00)"]),
    ],
)
def test_a_time_that_is_there_twice_or_not_at_all_is_offered(words: str, offers: list[str]) -> None:
    timing = understand(words, BERLIN, NOW)
    assert timing.wrong
    assert [said for _, said in timing.choices] == offers
    taken = [understand(one, "Asia/Tokyo", NOW).when for one, _ in timing.choices]
    assert all(taken)
    assert len({one.instant for one in taken if one}) == 2
    assert {one.zone for one in taken if one} == {BERLIN}


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (When(datetime(2026, 11, 24, 9), BERLIN), "24 Nov 2026 09:00"),
        (When(datetime(2026, 11, 24, 9, 0, 30), BERLIN), "24 Nov 2026 09:00:30"),
        (When(datetime(2026, 11, 24, 9), "Asia/Tokyo"), "24 Nov 2026 09:00 Asia/Tokyo"),
        (When(datetime(2027, 10, 31, 2, 30), BERLIN, 1), "2027-10-31T02:30+01:00"),
    ],
)
def test_a_time_is_spelled_so_that_it_means_the_same(when: When, words: str) -> None:
    assert spelled(when, BERLIN) == words
    again = understand(words, BERLIN, NOW).when
    assert again == when


def test_what_as_set_comes_to() -> None:
    assert as_set({"ask 2h"}) == "As set: up to 2 h late, then ask"
    assert as_set(["send", "send"]) == "As set: send whenever possible"
    assert as_set(["send", "ask 2h"]) == "As set for each account"
