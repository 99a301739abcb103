"""A sign-in that ends soon: above every page, on its card, by one notification a step, and while one plans."""

from __future__ import annotations

import pytest

from sendoff.domain.signin import Ending
from sendoff.store.signins import endings
from sendoff.ui.accounts.facts import Action
from sendoff.ui.accounts.screen import AccountsScreen
from sendoff.ui.composer.screen import ComposerScreen
from sendoff.ui.notify import Notifier
from sendoff.ui.standing import take
from tests.gui import sample
from tests.gui.desk import Desk
from tests.gui.numbers_states import let_end

SKY = 1 + sample.SKY


@pytest.fixture
def first_screen() -> str:
    return ""


def test_it_stands_above_every_page_with_the_posts_at_risk(harbor: Desk) -> None:
    banners = harbor.window.banners
    assert banners.words("ends") == ""
    let_end(harbor, 1.5)
    harbor.until(lambda: banners.words("ends"))
    assert banners.words("ends") == (
        "The sign-in of harborcoffee.example ends Wed 06:52, in 1 day 12 h. 2 posts are planned for later: “We finally "
        "fixed the espresso machine.…” and “Cupping starts in an hour”. Sign in again before, and they go."
    )
    banners.notices["ends"].links[0].click()
    assert harbor.window.current == "add_account"


def test_what_puts_nothing_at_risk_is_said_in_the_last_days(harbor: Desk) -> None:
    let_end(harbor, 6.9)
    assert harbor.window.banners.words("ends") == ""
    assert [one.at_risk for one in _endings(harbor)] == [0]
    let_end(harbor, -0.1)
    harbor.until(lambda: harbor.window.banners.words("ends"))
    assert "ended today 16:28" in harbor.window.banners.words("ends")


def _endings(desk: Desk) -> list[Ending]:
    with desk.context.reading() as connection:
        return endings(connection, sample.NOW)


def test_its_card_says_when_and_offers_the_sign_in(harbor: Desk) -> None:
    let_end(harbor, 4)
    harbor.window.go("accounts")
    screen = harbor.window.screen_named("accounts")
    assert isinstance(screen, AccountsScreen)
    card = screen.cards[SKY]
    assert card.health.text() == "Sign-in ends Fri 18:52"
    assert card.facts.action is Action.SIGN_IN
    assert card.facts.lines[0] == (
        "Cause", "1 post is planned for later: “Cupping starts in an hour”. Sign in again before, and it goes.",
    )  # fmt: skip


def test_each_step_is_notified_once(harbor: Desk) -> None:
    heard: list[tuple[str, str]] = []
    notifier = Notifier(harbor.context, lambda title, words: heard.append((title, words)))
    notifier.follow(take(harbor.context))
    for days, warned in ((6, 7), (5, 7), (2.9, 3), (2.8, 3), (0.5, 1)):
        let_end(harbor, days, warned)
        for _ in range(2):
            notifier.follow(take(harbor.context))
    assert [title for title, _ in heard] == ["Sign in again: harborcoffee.example"] * 3
    assert "“Cupping starts in an hour”" in heard[1][1]
    notifier.deleteLater()


@pytest.mark.parametrize(("when", "said"), [("27 nov 9:00", True), ("24 nov 9:00", False)])
def test_it_is_said_while_one_plans_for_later(harbor: Desk, when: str, said: bool) -> None:
    let_end(harbor, 3)
    harbor.window.go("composer")
    screen = harbor.window.screen_named("composer")
    assert isinstance(screen, ComposerScreen)
    screen.desk.accounts.choose(SKY, True)
    screen.foot.take(when, "")
    harbor.settle()
    harbor.until(lambda: screen.foot.timing.when)
    codes: list[set[str]] = []
    screen.look_with(lambda found: codes.append({one.code for one in found.matters}))
    harbor.until(lambda: codes)
    assert ("signed_out_by_then" in codes[0]) is said
