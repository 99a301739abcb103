"""What can be said against a post before Bluesky sees it, beyond the declared figures. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from sendoff.channels import bluesky_posts as posts
from sendoff.channels import bluesky_text as rich
from sendoff.domain.account import Account
from sendoff.domain.channel import Level, Problem
from sendoff.domain.post import Content, Item

OLD_IMAGE_BYTES = 1_000_000
"""What a picture could have before 2026 (lexicon app.bsky.embed.images); servers that were not updated still say so."""


def check(content: Content, options: Mapping[str, str], account: Account) -> Iterator[Problem]:
    """Everything that Bluesky will mind."""
    yield from _against_options(content, options)
    for number, item in enumerate(content.items):
        yield from _against_media(item, number, len(content.items), account)


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def _against_options(content: Content, options: Mapping[str, str]) -> Iterator[Problem]:
    codes = posts.languages(options)
    for code in codes:
        if not _LANGUAGE.fullmatch(code):
            yield Problem(
                Level.ERROR, "language", f"“{code}” is no language code.", "Bluesky takes codes like en, de or pt-BR."
            )
    if len(codes) > posts.LANGUAGES:
        yield Problem(Level.ERROR, "language", f"{len(codes)} languages are too many.", "Bluesky takes three.")
    if options.get("labels", "") not in ("", *posts.LABELS):
        yield Problem(
            Level.ERROR, "labels", f"Bluesky has no content warning “{options['labels']}”.",
            f"It has: {', '.join(posts.LABELS)}.",
        )  # fmt: skip
    for name, does in (("reply_to", "answers"), ("quote", "quotes")):
        if options.get(name, "").strip() and posts.named_post(options[name]) is None:
            yield Problem(
                Level.ERROR, name, f"What this {does} is no address of a post.",
                "It looks like https://bsky.app/profile/…/post/…: “Copy link to post” in the app.",
            )  # fmt: skip
    if options.get("card_title", "").strip() or options.get("card_text", "").strip():
        yield from _against_card(content, options)


def _against_card(content: Content, options: Mapping[str, str]) -> Iterator[Problem]:
    linked = [item for item in content.items if rich.first_link(item.text)]
    if not linked:
        yield Problem(Level.WARNING, "card", "There is no link to make a card of.", "It goes without one.")
    elif not options.get("card_title", "").strip():
        yield Problem(
            Level.WARNING, "card", "The link’s card has no title of yours.", "The words are left out without one."
        )
    elif linked[0].shown:
        yield Problem(
            Level.WARNING, "card", "The link’s card stays away.", "Bluesky shows pictures or a card, never both."
        )


def _against_media(item: Item, number: int, of: int, account: Account) -> Iterator[Problem]:
    shown = item.shown
    where = f"Item {number + 1}: " if of > 1 else ""
    if len(shown) - len(posts.captions(item)) > 1 and any(one.is_video for one in shown):
        yield Problem(
            Level.ERROR, "media_mix", f"{where}A video stands alone.",
            "On Bluesky it can’t be together with other media in one post.", "customise", number,
        )  # fmt: skip
    yield from _against_captions(item, where, number)
    if any(one.mime == "image/gif" for one in shown):
        yield Problem(
            Level.WARNING, "gif", "A GIF stands still on Bluesky.", "Only its first picture is shown.", "", number
        )
    base = account.settings.get("base_url", "")
    if base and any(one.is_image and one.size > OLD_IMAGE_BYTES for one in shown):
        yield Problem(
            Level.WARNING, "media_size", "A picture has more than 1 MB.",
            f"{urlsplit(base).netloc} may refuse it, if it was not updated since 2025.", "", number,
        )  # fmt: skip


def _against_captions(item: Item, where: str, number: int) -> Iterator[Problem]:
    """Captions belong to a video, one file for each language (lexicon app.bsky.embed.video)."""
    words = posts.captions(item)
    if words and posts.video(item) is None:
        yield Problem(
            Level.ERROR, "captions", f"{where}{words[0].name} has no video.", "Captions go with a video on Bluesky.",
            "customise", number,
        )  # fmt: skip
    known = [one.language.lower() for one in words]
    for one in words:
        if not one.language:
            example = f"{one.name.removesuffix('.vtt')}.en.vtt"
            yield Problem(
                Level.ERROR, "captions", f"{where}{one.name} does not say its language.",
                f"Call the file {example}, by the code of the language, and add it again.", "", number,
            )  # fmt: skip
    if twice := next((one for one in words if one.language and known.count(one.language.lower()) > 1), None):
        yield Problem(
            Level.ERROR, "captions", f"{where}There are two captions in “{twice.language}”.", "Take one out.", "",
            number,
        )  # fmt: skip
