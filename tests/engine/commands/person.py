"""What the tests do over and over: an account, a draft, a time, and a look at what became of it."""

from __future__ import annotations

from sendoff.bootstrap import Program
from sendoff.domain.delivery import State
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When, parse_when
from sendoff.store import deliveries, posts

ZONE = "Europe/Berlin"


def at(program: Program, words: str) -> When:
    return parse_when(words, program.clock.now(), ZONE)


def account(program: Program, name: str = "ada", **fields: str) -> int:
    return program.commands.accounts.add("practice", name, {"handle": f"@{name}", **fields})


def draft(program: Program, *chosen: int, text: str = "hello") -> int:
    return program.commands.posts.save_draft(Content((Item(text),)), [Variant(one) for one in chosen])[0]


def states(program: Program, *ids: int) -> list[State]:
    with program.store.reading() as connection:
        return [deliveries.get(connection, one).state for one in ids]


def drafts(program: Program) -> list[int]:
    with program.store.reading() as connection:
        return [post.id for post in posts.drafts(connection)]
