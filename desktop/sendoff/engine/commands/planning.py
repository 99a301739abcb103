"""What a delivery is planned with: its parts, its lateness rule, and how long it is tried."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sendoff.domain.account import Account
from sendoff.domain.channel import Channel
from sendoff.domain.delivery import PartPlan, plan_parts
from sendoff.domain.post import Post
from sendoff.domain.when import parse_late


def parts(post: Post, account: Account, channels: Mapping[str, Channel]) -> tuple[PartPlan, ...]:
    """The requests that the post takes at this account."""
    figures = channels[account.channel].capabilities.learned(account.learned)
    return plan_parts(post.content_for(account.id), mail=figures.mail, batch=figures.batch)


def patience(chosen: Mapping[str, str]) -> timedelta:
    """How long what certainly did not leave is tried again, by the preferences."""
    return timedelta(hours=int(chosen["give_up"].removesuffix("h")))


def rule(late: str, account: Account, chosen: Mapping[str, str]) -> str:
    """The lateness rule of a delivery: the post's, else the account's, else the preference."""
    return str(parse_late(late or account.late or chosen["late"]))
