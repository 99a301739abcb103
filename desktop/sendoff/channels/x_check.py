"""What X will not take, beyond the declared figures: said while the post is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sendoff.channels import x_posts as posts
from sendoff.channels import x_text
from sendoff.domain.channel import Level, Problem
from sendoff.domain.post import Content, Item

GIF_WIDTH, GIF_HEIGHT = 1280, 1080


def check(content: Content, options: Mapping[str, str]) -> Iterator[Problem]:
    """Everything that stands against a post there."""
    yield from _options(options)
    for number, item in enumerate(content.items):
        yield from _item(item, number)
    words = [" ".join(item.text.split()) for item in content.items if item.text.strip()]
    if len(set(words)) < len(words):
        yield Problem(
            Level.WARNING, "duplicate", "Two items say the same.", "X refuses words that it had a moment ago."
        )


def _options(options: Mapping[str, str]) -> Iterator[Problem]:
    for name, does in (("reply_to", "answers"), ("quote", "quotes")):
        if options.get(name, "").strip() and not posts.number(options[name]):
            yield Problem(
                Level.ERROR, name, f"What this {does} is no address of a post.",
                "It looks like https://x.com/…/status/…: “Copy link” there.",
            )  # fmt: skip
    if options.get("quote", "").strip():
        yield Problem(
            Level.WARNING, "quote", "X may refuse to quote.", "Since 2026 it takes quotes on its Enterprise plan alone."
        )
    if options.get("reply_to", "").strip():
        yield Problem(
            Level.WARNING, "reply_to", "X may refuse to answer.", "Since 2026 the post has to mention or quote you."
        )


def _item(item: Item, number: int) -> Iterator[Problem]:
    if any(character in item.text for character in x_text.INVALID):
        yield Problem(
            Level.ERROR, "character", "There is a character that X does not take.",
            "It can’t be seen; write the text anew.", "", number,
        )  # fmt: skip
    media = item.shown
    alone = [one for one in media if one.is_video or one.mime == "image/gif"]
    if alone and len(media) > 1:
        what = "video" if alone[0].is_video else "GIF"
        yield Problem(
            Level.ERROR, "media_mix", f"A {what} stands alone on X.", "It can’t be together with other media.",
            "customise", number,
        )  # fmt: skip
    if any((one.width or 0) > GIF_WIDTH or (one.height or 0) > GIF_HEIGHT for one in alone if one.is_image):
        yield Problem(
            Level.ERROR, "media_size", "The GIF is too large for X.", f"It takes {GIF_WIDTH} × {GIF_HEIGHT} at most.",
            "customise", number,
        )  # fmt: skip
    if item.poll and item.poll.multiple:
        yield Problem(
            Level.ERROR, "poll", "X has no polls with several answers.", "Each reader chooses one.", "customise", number
        )
    if item.poll and not item.text.strip():
        yield Problem(Level.ERROR, "poll", "A poll on X needs a question.", "Write it as the text.", "", number)
    if len(x_text.CASHTAG.findall(item.text)) > 1:
        yield Problem(
            Level.WARNING, "cashtag", "More than one cashtag.", "X takes one ($…) from apps like this.", "", number
        )
