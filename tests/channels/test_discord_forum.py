"""A bot's posts in a forum of Discord's: opened under a title, found again by it, open or archived, taken back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.testing import HTTP_CASES, Case
from sendoff.domain.channel import How, Parcel, Trace
from sendoff.domain.errors import CannotLook, InDoubt, Rejected
from sendoff.domain.post import Content, Item, Poll, Role
from tests.channels.test_discord import Bench
from tests.fakes.discord import BOT, BOT_TOKEN, EVERYTHING, FORUM, GUILD, HISTORY, DiscordServer
from tests.fakes.letters import PNG, attachment

FEW = ("accept", "refuse", "unauthorized", "limit", "error_before", "hang_up_after", "hang_up_before", "captive",
       "no_id", "wrong_types", "redirect_307")  # fmt: skip


@pytest.fixture
def server() -> Iterator[DiscordServer]:
    with DiscordServer() as server:
        yield server


class ForumBench(Bench):
    def fields(self, server: DiscordServer) -> dict[str, str]:
        return {"bot_token": BOT_TOKEN, "channel": FORUM, "base_url": server.base}


@pytest.mark.parametrize("case", [case for case in HTTP_CASES if case.mode in FEW], ids=lambda case: case.mode)
def test_the_contract(server: DiscordServer, tmp_path: Path, case: Case) -> None:
    testing.run(ForumBench(tmp_path, server), server, case)


def test_a_forum_is_known_with_its_tags(server: DiscordServer, tmp_path: Path) -> None:
    server.endpoint.needs_tag = True
    learned = ForumBench(tmp_path, server).identity.learned
    assert learned["forum"] is True
    assert learned["tags"] == {"News": "71", "Ideas": "72"}
    assert learned["needs_tag"] is True
    assert "forum" not in Bench(tmp_path, server).identity.learned


def test_a_post_opens_a_thread_with_title_tags_and_files(server: DiscordServer, tmp_path: Path) -> None:
    picture = attachment(tmp_path, PNG, "a.png", "image/png")
    item = Item("Look at it", media=(replace(picture, alt="Ein Bild", role=Role.MEDIA),))
    receipt = ForumBench(tmp_path, server, item, thread_name="Of the harbour", tags="News, Ideas").post()
    (thread,) = server.endpoint.threads.values()
    assert (thread["name"], thread["applied_tags"]) == ("Of the harbour", ["71", "72"])
    (message,) = server.messages
    assert (message.content, [one.data for one in message.files]) == ("Look at it", [PNG])
    assert message.body["attachments"][0]["description"] == "Ein Bild"
    assert receipt.remote_id == thread["id"]
    assert receipt.url == f"https://discord.com/channels/{GUILD}/{thread['id']}"


def test_without_a_title_the_first_line_is_it(server: DiscordServer, tmp_path: Path) -> None:
    ForumBench(tmp_path, server, Item("\n  First line \nand more")).post()
    ForumBench(tmp_path, server, Item("x" * 150)).post(key="other")
    assert [one["name"] for one in server.endpoint.threads.values()] == ["First line", "x" * 100]
    assert server.messages[0].content == "First line \nand more"


def later(made: Parcel) -> Parcel:
    return replace(made, first_try=made.now, now=made.now + timedelta(seconds=30), trace=Trace())


@pytest.mark.parametrize("mode", ["hang_up_after", "hang_up_before", "error_after"])
@pytest.mark.parametrize("archived", [False, True])
def test_a_lost_answer_is_looked_for_by_title_and_words(
    server: DiscordServer, tmp_path: Path, mode: str, archived: bool
) -> None:
    ForumBench(tmp_path, server).post(key="before")  # the same, but before
    bench = ForumBench(tmp_path, server)
    made = bench.parcel()
    server.mode, server.times = mode, 1
    with pytest.raises(InDoubt):
        bench.channel.publish(made)
    if archived:
        server.endpoint.archived = {one: server.endpoint.now() + timedelta(hours=1) for one in server.endpoint.threads}
    found = bench.channel.find(later(made))
    if mode == "hang_up_before":
        assert found is None
    else:
        assert found is not None
        assert found.remote_id == server.messages[1].id


def test_two_of_a_kind_are_told_apart_by_nobody(server: DiscordServer, tmp_path: Path) -> None:
    bench = ForumBench(tmp_path, server)
    made = bench.parcel()
    for key in ("one", "two"):
        bench.channel.publish(replace(made, key=key))
    with pytest.raises(CannotLook, match="something like it"):
        bench.channel.find(later(made))
    known = frozenset({server.messages[0].id})
    found = bench.channel.find(replace(later(made), known=known))
    assert found is not None
    assert found.remote_id == server.messages[1].id


def test_the_same_title_over_other_words_is_no_answer(server: DiscordServer, tmp_path: Path) -> None:
    bench = ForumBench(tmp_path, server, Item("Mine"), thread_name="T")
    made = bench.parcel()
    bench.channel.publish(replace(made, item=Item("Yours")))
    with pytest.raises(CannotLook, match="something like it"):
        bench.channel.find(later(made))


def test_many_archived_posts_are_read_page_by_page(server: DiscordServer, tmp_path: Path) -> None:
    bench = ForumBench(tmp_path, server)
    made = bench.parcel()
    receipt = bench.channel.publish(made)
    endpoint = server.endpoint
    for number in range(150):
        other = {**endpoint.threads[receipt.remote_id], "id": f"9{number:018d}", "name": "another"}
        endpoint.threads[other["id"]] = other
        endpoint.archived[other["id"]] = endpoint.now() + timedelta(hours=2, seconds=number)
    endpoint.archived[receipt.remote_id] = endpoint.now() + timedelta(hours=1)
    found = bench.channel.find(later(made))
    assert found is not None
    assert found.remote_id == receipt.remote_id


def test_who_may_not_read_has_to_ask(server: DiscordServer, tmp_path: Path) -> None:
    bench = ForumBench(tmp_path, server)
    settle = bench.channel.settle(bench.account(server.url))
    assert (settle.how, settle.absent_after, settle.key_life) == (How.SEARCH, 120, None)
    made = bench.parcel()
    server.endpoint.allowed = EVERYTHING & ~HISTORY
    with pytest.raises(CannotLook, match="may not read"):
        bench.channel.find(later(made))
    blind = ForumBench(tmp_path, server)
    assert blind.channel.settle(blind.account(server.url)).how is How.ASK


def test_taking_back_closes_the_thread_or_at_least_empties_it(server: DiscordServer, tmp_path: Path) -> None:
    bench = ForumBench(tmp_path, server)
    first, second = bench.post(key="one"), bench.post(key="two")
    account = bench.account(server.url)
    bench.channel.delete(account, bench.secrets, first)
    assert (len(server.messages), len(server.endpoint.threads)) == (1, 2)
    server.endpoint.may_manage = True
    for _ in range(2):  # what is gone is no error
        bench.channel.delete(account, bench.secrets, second)
    assert (server.messages, list(server.endpoint.threads)) == ([], [first.remote_id])


def test_a_forum_that_wants_a_tag_says_so(server: DiscordServer, tmp_path: Path) -> None:
    server.endpoint.needs_tag = True
    with pytest.raises(Rejected, match="A tag is required"):
        ForumBench(tmp_path, server).post()


@pytest.mark.parametrize(
    ("item", "options", "needs_tag", "codes"),
    [
        (Item("x"), {}, False, []),
        (Item("x"), {"tags": "News"}, True, []),
        (Item("x"), {}, True, ["tags"]),
        (Item("x"), {"tags": "Cats"}, False, ["tags"]),
        (Item("x"), {"thread_name": "t" * 101}, False, ["thread_name"]),
        (Item(" \n"), {}, False, ["thread_name"]),
        (Item("Q?", poll=Poll(("a", "b"))), {}, False, []),
    ],
)
def test_what_stands_against_a_post_in_a_forum(
    server: DiscordServer, tmp_path: Path, item: Item, options: dict[str, str], needs_tag: bool, codes: list[str]
) -> None:
    server.endpoint.needs_tag = needs_tag
    bench = ForumBench(tmp_path, server)
    account = bench.account(server.url)
    assert [one.code for one in bench.channel.check(Content((item,)), options, account)] == codes
    assert account.learned["bot_id"] == BOT


def test_what_is_sent_is_what_discord_describes(server: DiscordServer, tmp_path: Path) -> None:
    path = Path(os.environ.get("SENDOFF_SPECS", "")) / "discord-openapi.json"
    if not os.environ.get("SENDOFF_SPECS") or not path.exists():
        pytest.skip("SENDOFF_SPECS names no folder with discord-openapi.json")
    schemas = json.loads(path.read_text())["components"]["schemas"]
    poll = Item("Q?", poll=Poll(("a", "b")))
    bench = ForumBench(tmp_path, server, poll, tags="News", silent="yes", mentions="users")
    bench.post()
    body = json.loads(next(one.body for one in server.requests if one.path.endswith("/threads")))
    whole, message = schemas["CreateForumThreadRequest"], schemas["BaseCreateMessageCreateRequest"]
    assert set(whole["required"]) <= set(body) <= set(whole["properties"])
    assert set(body["message"]) <= set(message["properties"])
