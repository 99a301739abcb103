"""What the preview pane is told: one post as one account will get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel
from sendoff.domain.post import Content, Item, LinkCard
from sendoff.domain.text import filled, fitting, warning_size
from sendoff.domain.when import When


@dataclass(frozen=True, slots=True)
class Preview:
    """A post as one account gets it.

    Args:
        options: what only the channel knows (visibility, content warning), by the names its `Option`s declare.
        when: when it leaves; None while there is no time.
        over: characters over the limit, all in all; 0 if it fits.
    """

    account: Account
    channel: Channel
    content: Content
    options: Mapping[str, str]
    when: When | None
    over: int

    @property
    def figures(self) -> Capabilities:
        """The channel's limits with what the server told laid over them."""
        return self.channel.capabilities.learned(self.account.learned)

    def card(self, number: int) -> LinkCard | None:
        """The card below an item, as the network shows it."""
        return self.channel.card(self.content, number, self.options)

    @property
    def warning(self) -> str:
        """The content warning that stands in front, or ""."""
        return self.options.get("spoiler_text", "").strip()


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the limit falls in a text: the first `fits` code points fit, `over` characters are too many."""

    fits: int
    over: int


def cut(item: Item, preview: Preview) -> Cut:
    """Counts one item's text as its endpoint does; a content warning counts with each item."""
    text, figures = item.text, preview.figures.of(item, preview.options)
    if figures.text is None:
        return Cut(len(text), 0)
    spare = warning_size(figures, preview.options)
    over = max(filled(text, figures, spare) - figures.text, 0)
    return Cut(fitting(text, figures, spare) if over else len(text), over)
