"""Posts of a bot in a forum of Discord's: each is a thread of its own, with a title, tags and a first message.

There is no nonce for it (API v10, CreateForumThreadRequest), so that after a lost answer the forum is looked through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sendoff.channels import discord_posts as posts
from sendoff.channels.discord_answers import ends
from sendoff.channels.http import Answer, Http
from sendoff.channels.reading import listed, moment, table
from sendoff.domain.account import Account
from sendoff.domain.channel import How, Level, Parcel, Problem, Settle
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import CannotLook, InDoubt, TryLater
from sendoff.domain.post import Content

KINDS: Mapping[int, str] = {15: "forum", 16: "gallery"}
"""Kinds of channel whose posts are threads (docs: resources/channel, channel types)."""

TITLE, TAGS = 100, 5
"""Characters of a title and tags of a post, at most (API v10, CreateForumThreadRequest)."""

REQUIRE_TAG = 1 << 4
"""The flag of a forum that takes no post without a tag (docs: resources/channel, channel flags)."""

ABSENT = 120
"""Seconds after which a post that is not in the forum never came; by then the request itself was given up."""

PAGES = 5


def is_forum(account: Account) -> bool:
    return account.learned.get("forum") is True


def learned(channel: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be known of a forum: its tags by name, and whether a post needs one."""
    flags = channel.get("flags")
    tags = {str(table(one).get("name")): str(table(one).get("id")) for one in listed(channel.get("available_tags"))}
    return {"forum": True, "tags": tags, "needs_tag": bool(isinstance(flags, int) and flags & REQUIRE_TAG)}


def title(parcel: Parcel) -> str:
    """The post's title: its own, or the first line of the text."""
    return _title(parcel.options, parcel.item.text)


def _title(options: Mapping[str, str], text: str) -> str:
    own = options.get("thread_name", "").strip()
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return own or first[:TITLE].strip()


def body(parcel: Parcel) -> dict[str, Any]:
    """The body of POST /channels/{forum}/threads."""
    known = table(parcel.account.learned.get("tags"))
    tags = [known[one] for one in _tags(parcel.options) if one in known]
    return {"name": title(parcel), "message": posts.body(parcel), **({"applied_tags": tags} if tags else {})}


def _tags(options: Mapping[str, str]) -> list[str]:
    return [one.strip() for one in options.get("tags", "").split(",") if one.strip()]


def check(content: Content, options: Mapping[str, str], account: Account) -> Iterator[Problem]:
    """What stands against a post in a forum."""
    known, tags = table(account.learned.get("tags")), _tags(options)
    if not _title(options, content.items[0].text):
        yield Problem(Level.ERROR, "thread_name", "A post in a forum needs a title.", "Write one in its options.")
    if (over := len(options.get("thread_name", "").strip()) - TITLE) > 0:
        yield Problem(
            Level.ERROR, "thread_name", f"The title is {over} too long.", f"Discord takes {TITLE} characters."
        )
    there = ", ".join(known) or "none"
    for one in tags:
        if one not in known:
            yield Problem(Level.ERROR, "tags", f"The forum has no tag “{one}”.", f"It has: {there}.")
    if len(tags) > TAGS:
        yield Problem(Level.ERROR, "tags", f"{len(tags)} tags are too many.", f"Discord takes {TAGS}.")
    if not tags and account.learned.get("needs_tag"):
        yield Problem(Level.ERROR, "tags", "The forum takes no post without a tag.", f"Choose of: {there}.")


def judged(http: Http, answer: Answer, parcel: Parcel) -> Receipt:
    """The receipt for a new thread, or the end that its answer means.

    Raises:
        Rejected, NeedsLogin, TryLater, InDoubt.
    """
    ends(http, answer, effect=True)
    thread = table(answer.json())
    if not _is_thread(thread, parcel.account):
        raise InDoubt(
            "Discord answered with something else than the post. It may have gone out.",
            detail=http.masked(answer.text)[:500], status=answer.status,
        )  # fmt: skip
    return _receipt(thread, parcel.account)


def _is_thread(found: Mapping[str, Any], account: Account) -> bool:
    number = found.get("id")
    return isinstance(number, str) and number.isdecimal() and found.get("parent_id") == account.settings["channel"]


def _receipt(thread: Mapping[str, Any], account: Account, answer: str = "") -> Receipt:
    """The first message of such a thread has the thread's own number."""
    guild = account.learned.get("guild_id") or "@me"
    return Receipt(
        str(thread["id"]), url=f"https://discord.com/channels/{guild}/{thread['id']}", answer=answer,
        data={"channel_id": str(thread["id"]), "thread": True},
    )  # fmt: skip


# --- after a lost answer ------------------------------------------------------------------------------------------


def settle(account: Account) -> Settle:
    if account.learned.get("may_look") is False:
        return Settle(How.ASK, why="The bot may not read the forum’s history. Look into it whether the post is there.")
    return Settle(
        How.SEARCH, looks=(15, 60, ABSENT, 300), absent_after=ABSENT,
        why="In a forum Sendoff looks through the bot’s own posts, open and archived ones. What isn’t among them "
        f"{ABSENT // 60} minutes after a try never came.",
    )  # fmt: skip


def find(http: Http, parcel: Parcel) -> Receipt | None:
    """Looks for the part among the bot's threads that came after it was made ready.

    Raises:
        CannotLook: the forum can't be read, or something like it is there.
    """
    since = parcel.prepared.get("since")
    if not isinstance(since, str):
        raise CannotLook("It is not known where in the forum to begin looking. Look there yourself.")
    account, wanted = parcel.account, title(parcel)
    own = {
        str(one["id"]): one
        for one in _threads(http, parcel)
        if _is_thread(one, account) and one.get("owner_id") == account.learned.get("bot_id")
        and int(one["id"]) > int(since) and one["id"] not in parcel.known and one.get("name") == wanted
    }  # fmt: skip
    same = [one for one in own.values() if _says_the_same(http, one, parcel)]
    if len(same) == 1:
        return _receipt(same[0], account, "Found in the forum.")
    if own:
        places = ", ".join(_receipt(one, account).url for one in list(own.values())[:3])
        raise CannotLook(f"There is something like it, and Sendoff can’t tell whether that is this post: {places}")
    return None


def _threads(http: Http, parcel: Parcel) -> Iterator[dict[str, Any]]:
    """The forum's threads that may have been made since the first try: open ones, then archived ones, latest first."""
    account = parcel.account
    yield from _page(http, f"/guilds/{account.learned.get('guild_id')}/threads/active")[0]
    path, before = f"/channels/{account.settings['channel']}/threads/archived/public?limit=100", ""
    for _ in range(PAGES):
        page, goes_on = _page(http, path + (before and f"&before={quote(before, safe='')}"))
        yield from page
        ended = [str(table(one.get("thread_metadata")).get("archive_timestamp") or "") for one in page]
        if not goes_on or not ended or _is_before(moment(ended[-1]), parcel.first_try):
            return
        before = ended[-1]
    raise CannotLook(f"More than {PAGES * 100} posts of the forum were archived since. Look there yourself.")


def _is_before(archived: datetime | None, first_try: datetime | None) -> bool:
    """Archived before it could have been made: so are all that follow."""
    return archived is not None and first_try is not None and archived < first_try


def _page(http: Http, path: str) -> tuple[list[dict[str, Any]], bool]:
    answer = http.read(path, ok=range(300, 600))
    if answer.status == 403:
        raise CannotLook("The bot may not read the forum’s posts. Look there yourself.")
    ends(http, answer, effect=False)
    found = table(answer.json())
    if not isinstance(found.get("threads"), list):
        raise TryLater("Discord answered the look with something else than posts.")
    return [table(one) for one in found["threads"]], found.get("has_more") is True


def _says_the_same(http: Http, thread: Mapping[str, Any], parcel: Parcel) -> bool:
    """Whether a thread's first message has our words."""
    answer = http.read(f"/channels/{thread['id']}/messages/{thread['id']}", ok=range(300, 600))
    return answer.status == 200 and posts.says_the_same(table(answer.json()), parcel)
