"""Bluesky's rich text, keys and counts: own cases, and the published vectors where SENDOFF_SPECS names their folder."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import bluesky_posts as posts
from sendoff.channels.bluesky import Bluesky
from sendoff.channels.bluesky_pds import identifier
from sendoff.channels.bluesky_text import facets, first_link, found, handles, marks
from sendoff.domain import limits
from sendoff.domain.errors import BadInput
from sendoff.domain.post import Content, Item
from sendoff.domain.split import Reader, split_item
from sendoff.domain.text import count, filled, fitting

FIGURES = Bluesky.capabilities
FAMILY = "👨‍👩‍👧‍👦"  # 1 grapheme, 25 bytes


def published(name: str) -> Any:
    path = Path(os.environ.get("SENDOFF_SPECS", "")) / name
    if not os.environ.get("SENDOFF_SPECS") or not path.exists():
        pytest.skip(f"SENDOFF_SPECS names no folder with {name}")
    return json.loads(path.read_text()) if name.endswith(".json") else path.read_text()


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


# --- rich text ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Grüße von @bob.test", [("mention", 12, 21, "bob.test")]),
        ("👋🏽 (https://a.example.com/x_(y)).", [("link", 10, 38, "https://a.example.com/x_(y))")]),
        ("(see a.co)", [("link", 5, 9, "https://a.co")]),
        ("httpbin.org/x", [("link", 0, 13, "https://httpbin.org/x")]),  # begins with http and is no address yet
        ("https://. https:///x", []),  # the server would refuse the whole post for these
        ("HTTP://A.CO", []),
        ("me@home.com @nobody @x.invalidtld", []),
        ("#a.co @a.co a.co", [("tag", 0, 5, "a.co"), ("mention", 6, 11, "a.co"), ("link", 12, 16, "https://a.co")]),
        ("#x(https://a.co)", [("link", 3, 15, "https://a.co")]),  # never one upon the other
        ("#日本語。 #" + "é" * 64, [("tag", 0, 10, "日本語"), ("tag", 14, 143, "é" * 64)]),
        ("#" + "é" * 65 + " #" + "e\u0301\u0302" * 60 + "é" * 64, []),  # 64 graphemes, 640 bytes
        ("$BTC, $BTC@a.test $BTC(x) $BTC#x ($BTC)", [("tag", 0, 4, "$BTC"), ("tag", 34, 38, "$BTC")]),
        ("#123 #١٢٣", [("tag", 5, 12, "١٢٣")]),  # digits are those of ASCII
        ("#" + FAMILY, [("tag", 0, 5, "👨")]),  # as Bluesky's own client has it: the joiner ends it
        ("", []),
    ],
)
def test_what_stands_where(text: str, wanted: list[tuple[str, int, int, str]]) -> None:
    assert [(one.kind, one.start, one.end, one.value) for one in found(text)] == wanted


def test_facets_stand_at_the_bytes_of_what_they_mean() -> None:
    text = f"{FAMILY} @bob.test und @nobody.test: https://example.com/ä, #größe $BTC"
    made = facets(text, {"bob.test": "did:plc:bob"})
    shown = [
        (text.encode()[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(), one["features"]) for one in made
    ]
    prefix = "app.bsky.richtext.facet#"
    assert shown == [
        ("@bob.test", [{"$type": f"{prefix}mention", "did": "did:plc:bob"}]),
        ("https://example.com/ä", [{"$type": f"{prefix}link", "uri": "https://example.com/ä"}]),
        ("#größe", [{"$type": f"{prefix}tag", "tag": "größe"}]),
        ("$BTC", [{"$type": f"{prefix}tag", "tag": "$BTC"}]),
    ]
    assert handles("@b.test @a.test @b.test") == ["b.test", "a.test"]
    assert first_link("none") == ""
    assert first_link("x a.co and b.co") == "https://a.co"


def test_a_preview_marks_the_same_by_characters() -> None:
    text = f"{FAMILY} @bob.test: a.co/ä, #größe $BTC me@home.com"
    seen = [(str(one.mark), text[one.start : one.end]) for one in marks(text)]
    assert seen == [("mention", "@bob.test"), ("link", "a.co/ä"), ("tag", "#größe"), ("tag", "$BTC")]


@pytest.mark.parametrize("group", ["links_and_mentions", "hashtags", "cashtags"])
def test_the_published_rich_text_vectors(group: str) -> None:
    wrong = []
    for case in published("atproto-richtext-vectors.json")[group]:
        wanted = [
            (one["type"], one["byteStart"], one["byteEnd"], one.get("uri") or one.get("handle") or one.get("tag"))
            for one in case["facets"]
        ]
        seen = [(one.kind, one.start, one.end, one.value) for one in found(case["text"])]
        if group != "links_and_mentions":
            seen = [one for one in seen if one[0] == "tag"]
        if seen != wanted:
            wrong.append((case["text"], wanted, seen))
    assert wrong == []


# --- counting -----------------------------------------------------------------------------------------------------


def test_there_are_two_limits() -> None:
    assert filled(FAMILY * 10, FIGURES) == count(FAMILY * 10, FIGURES) == 10
    assert filled("a" * 300, FIGURES) == 300
    assert filled("a" * 301, FIGURES) == 301
    assert filled(FAMILY * 120, FIGURES) == 120  # 3,000 bytes
    assert filled(FAMILY * 125, FIGURES) == 305  # five families too many
    assert filled(FAMILY * 125, FIGURES, 10) == 305
    assert fitting(FAMILY * 125, FIGURES) == 120 * len(FAMILY)
    assert fitting("a" * 299 + "\u0301" * 2000, FIGURES) == 298  # one grapheme of 4,001 bytes is no cut


def test_too_many_bytes_are_told_as_such() -> None:
    def said(text: str) -> list[tuple[str, str]]:
        return [(one.title, one.text) for one in limits.check(Content((Item(text),)), FIGURES, "Bluesky", {})]

    assert said(FAMILY * 120) == []
    assert said(FAMILY * 121) == [("1 too many for Bluesky.", "The limit there is 3,000 bytes, and this has 3,025.")]
    assert said("a" * 302) == [("2 too many for Bluesky.", "The limit there is 300 characters.")]


def test_a_thread_is_cut_by_both() -> None:
    items = [one.text for one in split_item(Item(" ".join([FAMILY * 30] * 10)), [Reader(FIGURES)])]
    assert "".join(items).replace(" ", "") == FAMILY * 300
    assert all(filled(one, FIGURES) <= 300 and len(one.encode()) <= 3000 for one in items)
    assert len(items) == 4  # 3 × 753 bytes fit an item, a fourth 750 does not


def test_the_published_counts() -> None:
    for case in published("atproto-own-vectors.json")["count"]:
        text = case["text"] if case["text"] is not None else case["unit"] * case["times"]
        assert count(text, FIGURES) == case["graphemes"], text
        assert len(text.encode()) == case["utf8_bytes"], text
        assert (filled(text, FIGURES) <= 300) is case["fits_bluesky_post"], text
        problems = limits.check(Content((Item(text),)), FIGURES, "Bluesky", {})
        assert (not problems) is (case["fits_bluesky_post"] and bool(text)), text


# --- keys ---------------------------------------------------------------------------------------------------------


def test_the_published_keys() -> None:
    for case in published("atproto-own-vectors.json")["tid"]:
        assert posts.tid(case["microseconds"], case["clock_id"]) == case["tid"]


def test_own_keys_are_keys_differ_and_sort_by_time() -> None:
    noon = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    made = {posts.own_key(noon, f"{number:032x}") for number in range(2000)}
    assert len(made) == 2000  # many posts in one instant
    assert max(made) < posts.own_key(noon + timedelta(seconds=1), "x")
    assert posts.own_key(noon, "k") == posts.own_key(noon, "k")
    assert all(len(one) == 13 and one[0] in "234567abcdefghij" and set(one) <= set(posts.ALPHABET) for one in made)
    assert posts.created_at(noon.replace(microsecond=7_999)) == "2026-11-26T12:00:00.007Z"


def test_published_keys_and_handles_are_told_from_others() -> None:
    """Own keys look like all valid ones; what is typed as a handle is taken or refused as the specification says."""
    pattern = f"[{posts.ALPHABET[:16]}][{posts.ALPHABET}]{{12}}"
    for line in lines(published("atproto-interop/syntax/tid_syntax_valid.txt")):
        assert re.fullmatch(pattern, line), line
    for line in lines(published("atproto-interop/syntax/handle_syntax_valid.txt")):
        assert identifier(line) == line.lower()
    for line in lines(published("atproto-interop/syntax/handle_syntax_invalid.txt")):
        if line.strip() == line and not line.startswith(("@", "did:")) and "@" not in line:
            with pytest.raises(BadInput):
                identifier(line)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://bsky.app/profile/bob.test/post/3kzzzzzzzzz2k", ("bob.test", "3kzzzzzzzzz2k")),
        (" https://bsky.app/profile/did:plc:abc/post/3kzzzzzzzzz2k/ ", ("did:plc:abc", "3kzzzzzzzzz2k")),
        ("https://bsky.app/profile/did%3Aplc%3Aabc/post/3kzzzzzzzzz2k?ref=x", ("did:plc:abc", "3kzzzzzzzzz2k")),
        ("at://did:plc:abc/app.bsky.feed.post/3kzzzzzzzzz2k", ("did:plc:abc", "3kzzzzzzzzz2k")),
        ("https://bsky.app/profile/bob.test", None),
        ("at://did:plc:abc/app.bsky.feed.like/3kzzzzzzzzz2k", None),
        ("bob", None),
        ("", None),
    ],
)
def test_the_addresses_of_posts(typed: str, meant: tuple[str, str] | None) -> None:
    assert posts.named_post(typed) == meant
