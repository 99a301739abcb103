"""Everything that stands against a post, at each account that it goes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sendoff.domain import forms, limits
from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import Channel, Level, Problem
from sendoff.domain.errors import BadInput
from sendoff.domain.post import Content, Variant

FINAL = ("empty", "no_recipient", "channel", "copies", limits.ALT_REQUIRED)
"""The codes of problems that cannot be overridden: no endpoint could make anything of it, or the person set it so."""


@dataclass(frozen=True, slots=True)
class AccountProblem:
    """A problem of a post at one account."""

    account: Account
    problem: Problem


class Problems(BadInput):
    """The post can't go out so. Carries what is wrong where."""

    def __init__(self, found: Sequence[AccountProblem]) -> None:
        super().__init__(
            " ".join(f"{one.account.name}: {one.problem.title} {one.problem.text}".strip() for one in found)
        )
        self.found = tuple(found)


def find(
    content: Content,
    variants: Iterable[Variant],
    known: Mapping[int, Account],
    channels: Mapping[str, Channel],
    preferences: Mapping[str, str],
) -> list[AccountProblem]:
    """Everything that stands against a post, for each account that it goes to; quick enough to be asked while typing.

    Args:
        known: the accounts that there are.
        preferences: what the person set, by name.
    """
    alt_required = preferences[limits.ALT_REQUIRED] == "yes"
    going = [(known[one.account_id], one) for one in variants if one.account_id in known]
    twins = _twins([(account, variant.content or content) for account, variant in going], channels)
    found = [
        AccountProblem(account, problem)
        for account, variant in going
        for problem in _check(variant.content or content, variant.options, account, channels, alt_required)
    ]
    return found + [AccountProblem(account, twins[account.name]) for account, _ in going if account.name in twins]


def refuse(every: Iterable[AccountProblem], *, override: bool) -> None:
    """Lets a post go on, or not.

    Args:
        override: it shall go although a known limit says no; the endpoint has the last word.

    Raises:
        Problems: it can't go out so.
    """
    found = [one for one in every if one.problem.level is Level.ERROR]
    hard = [one for one in found if one.problem.code in FINAL]
    if hard or (found and not override):
        raise Problems(found)


def _twins(going: Sequence[tuple[Account, Content]], channels: Mapping[str, Channel]) -> dict[str, Problem]:
    """By account name what stands against several accounts of one network that say the same."""
    found: dict[str, Problem] = {}
    for kind in {account.channel for account, _ in going}:
        channel = channels.get(kind)
        if channel is not None and channel.capabilities.own_words:
            same = {account.name: content for account, content in going if account.channel == kind}
            found |= limits.same_words(same, channel.title)
    return found


def _check(
    content: Content,
    options: Mapping[str, str],
    account: Account,
    channels: Mapping[str, Channel],
    alt_required: bool,
) -> list[Problem]:
    channel = channels.get(account.channel)
    if channel is None:
        return [Problem(Level.ERROR, "channel", f"There is no channel “{account.channel}”.", "Install it again.")]
    figures = channel.capabilities.learned(account.learned)
    found = limits.check(content, figures, channel.called(account), options, alt_required=alt_required) + list(
        channel.check(forms.for_endpoint(content, figures, options), options, account)
    )
    if account.state is AccountState.SIGN_IN:
        found.append(
            Problem(
                Level.NOTE,
                "sign_in",
                f"{account.name} wants you to sign in again.",
                "That one waits, the others go.",
                "sign_in",
            )
        )
    return found
