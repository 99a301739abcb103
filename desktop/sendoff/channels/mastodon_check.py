"""What can be said against a post before a server of Mastodon's kind sees it, beyond the declared figures. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sendoff.channels.mastodon_quotes import named
from sendoff.channels.mastodon_servers import Dialect, dialect
from sendoff.domain.account import Account
from sendoff.domain.channel import Level, Problem
from sendoff.domain.post import Content, Item
from sendoff.domain.text import MENTION, graphemes

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def check(content: Content, options: Mapping[str, str], account: Account, where: str) -> Iterator[Problem]:
    """Everything; `where` is what to call the network."""
    speaks = dialect(account.learned.get("software", "mastodon"))
    yield from _against_options(options, speaks, where)
    yield from _against_quote(content.items[0], options, account, speaks)
    for number, item in enumerate(content.items):
        yield from _against_item(item, number, len(content.items), options, speaks)


def _against_quote(item: Item, options: Mapping[str, str], account: Account, speaks: Dialect) -> Iterator[Problem]:
    """An account that signed in before Sendoff knew of quotes has not learned whether there are any: then it is asked
    when the post is made ready."""
    has = account.learned.get("quotes", speaks.quote)
    if options.get("quotes") and not (has and speaks.quote_policy):
        yield Problem(
            Level.WARNING, "quotes", "Nobody can be kept from quoting it there.", "This server has no such setting."
        )
    typed = options.get("quote", "").strip()
    if not typed:
        return
    if not has:
        yield Problem(Level.ERROR, "quote", "This server has no quotes.", "Take the address under “Quotes” out.")
    if named(typed) is None:
        yield Problem(
            Level.ERROR, "quote", "What this quotes is no address of a post.",
            "It looks like https://mastodon.social/@name/123…: “Copy link to post” there.",
        )  # fmt: skip
    if speaks.quote_alone and (item.shown or item.poll):
        yield Problem(
            Level.ERROR, "quote", "A quote can’t have pictures or a poll.", "Take them out, or write the link instead."
        )


def _against_options(options: Mapping[str, str], speaks: Dialect, where: str) -> Iterator[Problem]:
    language, visibility = options.get("language", "").strip(), options.get("visibility", "")
    if language and not LANGUAGE.fullmatch(language):
        yield Problem(
            Level.ERROR, "language", f"“{language}” is no language code.", f"{where} takes codes like en, de or pt-BR."
        )
    if visibility and visibility not in speaks.visibilities:
        known = ", ".join(speaks.visibilities)
        yield Problem(
            Level.ERROR, "visibility", f"This server has no posts that are “{visibility}”.", f"It has: {known}."
        )
    warning = len(options.get("spoiler_text", ""))
    if speaks.spoiler and warning > speaks.spoiler:
        yield Problem(
            Level.ERROR, "spoiler", f"The content warning is {warning - speaks.spoiler} too long.",
            f"This server takes {speaks.spoiler} characters.",
        )  # fmt: skip


def _against_item(item: Item, number: int, of: int, options: Mapping[str, str], speaks: Dialect) -> Iterator[Problem]:
    where = f"Item {number + 1}: " if of > 1 else ""
    media = item.shown
    if len(media) > 1 and any(not one.is_image for one in media):
        yield Problem(
            Level.ERROR, "media_mix", f"{where}A video or sound stands alone.",
            "It can’t be together with other media in one post.", "customise", number,
        )  # fmt: skip
    if speaks.needs_media and not media and number == 0:
        yield Problem(
            Level.ERROR, "needs_media", "This server takes no post without a picture.", "Add one.", "customise", number
        )
    if options.get("visibility") == "direct" and not MENTION.search(item.text):
        yield Problem(
            Level.WARNING, "nobody", f"{where}Nobody is mentioned.",
            "It goes to the people it mentions, so only you would see it.", "", number,
        )  # fmt: skip
    if speaks.reacts and number > 0 and len(graphemes("".join(item.text.split()))) == 1 and not item.text.isalnum():
        yield Problem(
            Level.ERROR, "reaction", f"{where}One sign alone becomes a reaction.",
            "This server makes no post of it when it answers another one. Write a word beside it.", "", number,
        )  # fmt: skip
