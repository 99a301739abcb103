"""A store with an account, and posts that are quickly made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sendoff.domain.delivery import PartPlan
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, deliveries, posts
from sendoff.store.db import Connection, Store
from sendoff.store.profile import open_folder

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(open_folder(tmp_path / "profile"))
    yield store
    store.close()


def add_account(connection: Connection, name: str = "ada") -> int:
    return accounts.insert(
        connection, workspace_id=1, channel="practice", name=name, handle=f"@{name}", url="", settings={},
        learned={}, secret_ref=None, spacing=0, now=NOW,
    )  # fmt: skip


Planner = Callable[..., int]


@pytest.fixture
def plan(store: Store) -> Planner:
    """plan(account, due in seconds, text) → a delivery's id."""

    def make(account_id: int, seconds: float = 0, text: str = "hello", parts: int = 1, late: str = "send") -> int:
        at = NOW + timedelta(seconds=seconds)
        with store.writing() as connection:
            post_id = posts.insert(connection, 1, Content((Item(text),)), [Variant(account_id)], Plan(), NOW)
            return deliveries.insert(
                connection, post_id=post_id, account_id=account_id, when=When.at(at, "Europe/Berlin"), late=late,
                give_up_at=at + timedelta(days=1), plans=[PartPlan(number) for number in range(parts)], now=NOW,
            )  # fmt: skip

    return make


@pytest.fixture
def account(store: Store) -> int:
    with store.writing() as connection:
        return add_account(connection)
