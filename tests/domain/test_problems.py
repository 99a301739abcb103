"""What stands against a post at each of its accounts, and what of it can be overridden."""

from __future__ import annotations

import pytest

from sendoff.domain import problems
from sendoff.domain.account import Account, AccountState
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel
from sendoff.domain.post import Content, Item, Mail, Recipient, Variant


class Board(Channel):
    kind = "board"
    title = "Board"
    capabilities = Capabilities(checked="2026-11-27", text=5, own_words=True)


class Post(Channel):
    kind = "post"
    title = "Post"
    capabilities = Capabilities(checked="2026-11-27", mail=True)


CHANNELS = {"board": Board(), "post": Post()}
ADA = Account(1, 1, "board", "Ada", "@ada")
BOB = Account(2, 1, "post", "Bob", "bob@example.org")
EVE = Account(3, 1, "board", "Eve", "@eve")
GONE = Account(4, 1, "pigeon", "Gus", "@gus")


def found(content: Content, *accounts: Account) -> list[problems.AccountProblem]:
    known = {one.id: one for one in accounts}
    return problems.find(content, [Variant(one) for one in known], known, CHANNELS, {"alt_required": "no"})


def codes(content: Content, *accounts: Account) -> list[tuple[str, str]]:
    return [(one.account.name, one.problem.code) for one in found(content, *accounts)]


def test_they_come_per_account() -> None:
    content = Content((Item("too long"),), Mail("Hi", to=(Recipient("a@example.org"),)))
    assert codes(content, ADA, BOB) == [("Ada", "text")]


def test_the_same_words_twice_stand_against_both() -> None:
    assert codes(Content((Item("hello"),)), ADA, EVE) == [("Ada", "same_words"), ("Eve", "same_words")]


def test_an_account_may_want_a_sign_in_or_have_lost_its_channel() -> None:
    waiting = Account(1, 1, "board", "Ada", "@ada", state=AccountState.SIGN_IN)
    assert codes(Content((Item("hello"),)), waiting, GONE) == [("Ada", "sign_in"), ("Gus", "channel")]


def test_what_a_known_limit_refuses_goes_with_an_override_and_what_nobody_could_take_does_not() -> None:
    long, none = found(Content((Item("too long"),)), ADA), found(Content((Item(""),)), ADA)
    with pytest.raises(problems.Problems, match="Ada: 3 too many for Board"):
        problems.refuse(long, override=False)
    problems.refuse(long, override=True)
    with pytest.raises(problems.Problems, match="nothing to post"):
        problems.refuse(none, override=True)
    problems.refuse(found(Content((Item("hello"),)), ADA, EVE), override=False)  # a warning stops nothing
