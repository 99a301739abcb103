"""What a post costs where the network charges for it, by the figures that its channel declares."""

from __future__ import annotations

from collections.abc import Callable

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Level, Problem
from sendoff.domain.post import Content, Item
from sendoff.domain.text import Mark, marks

CODE = "cost"
"""The code of the note that says it."""

LINKS: dict[str, Callable[[str], list[tuple[int, int]]]] = {}
"""Where the links of a text are, by the name of the counter. A channel whose network finds them in its own way adds it.
"""


def mills(item: Item, figures: Capabilities) -> int:
    """What one item costs, in thousandths of a US dollar."""
    if figures.post_cost is None:
        return 0
    sent = figures.post_cost if figures.link_cost is None or not has_link(item, figures) else figures.link_cost
    return sent + (figures.alt_cost or 0) * sum(bool(one.alt.strip()) for one in item.shown)


def has_link(item: Item, figures: Capabilities) -> bool:
    find = LINKS.get(figures.counter)
    return bool(find(item.text)) if find else any(one.mark is Mark.LINK for one in marks(item.text))


def note(content: Content, figures: Capabilities, title: str) -> Problem | None:
    """What sending it costs, as a sentence; None where the channel declares no price."""
    total = sum(mills(item, figures) for item in content.items)
    if not total:
        return None
    linked = sum(has_link(item, figures) for item in content.items) if figures.link_cost is not None else 0
    told = [f"{title} charges {dollars(figures.post_cost or 0)} a post"]
    if linked:
        told.append(f"{dollars(figures.link_cost or 0)} {'if it has' if len(content.items) == 1 else 'with'} a link")
    if figures.alt_cost and any(one.alt.strip() for item in content.items for one in item.shown):
        told.append(f"{dollars(figures.alt_cost)} for each alt text")
    since = f" (prices of {figures.costs_of})" if figures.costs_of else ""
    return Problem(Level.NOTE, CODE, f"It costs about {dollars(total)}.", f"{', '.join(told)}{since}.")


def reading(posts: int, figures: Capabilities) -> str:
    """What it costs to read so many own posts once; "" where that is free."""
    return dollars(figures.read_cost * posts) if figures.read_cost else ""


def dollars(amount: int) -> str:
    """Thousandths of a US dollar for a person: "$0.015", "$0.20"."""
    whole, part = divmod(amount, 1000)
    return f"${whole}.{part:03}".removesuffix("0")
