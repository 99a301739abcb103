"""Split into thread: cut where a reader would; nothing is lost, too long or cut apart."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.post import Attachment, Item, Poll
from sendoff.domain.split import Reader, split_item
from sendoff.domain.text import COUNTERS, FAR, filled, graphemes, marks

FAMILY = "👨‍👩‍👧‍👦"
LINK = "https://example.com/a-rather-long-path?with=a#query"


def reader(most: int | None, counter: str = "graphemes", **figures: object) -> Reader:
    known = Capabilities(checked="2026-11-27", threads=True, text=most, counter=counter, url_length=23)
    return Reader(known.learned(figures))


def split(text: str, *readers: Reader, numbered: bool = False) -> list[str]:
    return [item.text for item in split_item(Item(text), readers, numbered=numbered)]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("fits as it stands", ["fits as it stands"]),
        ("  white space stays  ", ["  white space stays  "]),  # nobody asked for another text
        ("   one sentence here.   And another one.   ", ["one sentence here.", "And another one."]),
        ("“Quoted words are good.” Then more of it.", ["“Quoted words are good.”", "Then more of it."]),
        ("words without any sentence in between", ["words without any", "sentence in between"]),
        ("first line of it\nsecond line of it", ["first line of it", "second line of it"]),
        ("A. short start is not where it is cut", ["A. short start is not", "where it is cut"]),
        ("it was by Dr J. Doe who wrote it", ["it was by Dr J. Doe who", "wrote it"]),
        ("One. Two. Three.\n\nFour. Five. Six.", ["One. Two. Three.", "Four. Five. Six."]),
        ("One para.\n\nAnother. And yet another.", ["One para.\n\nAnother.", "And yet another."]),
        ("x" * 55, ["x" * 24, "x" * 24, "x" * 7]),
        (FAMILY * 25, [FAMILY * 24, FAMILY]),
    ],
)  # fmt: skip
def test_a_long_text_is_cut_where_a_reader_would(text: str, items: list[str]) -> None:
    assert split(text, reader(24)) == items


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("これは文です。これも文です。終わり。", ["これは文です。これも文です。", "終わり。"]),
        ("「文です。」「次の文です。」終わり", ["「文です。」「次の文です。」", "終わり"]),
        ("日本日本日本日本日本日本日本日本", ["日本日本日本日本日本日本日本", "日本"]),
    ],
)
def test_scripts_that_write_without_spaces_are_cut_behind_their_sentences(text: str, items: list[str]) -> None:
    assert split(text, reader(14)) == items


@pytest.mark.parametrize(
    ("text", "items"),
    [
        # The word before a link goes where it still fits; the link stays whole.
        ("read it at example.org/a/b/c today", ["read it at", "example.org/a/b/c today"]),
        ("ask ada.lovelace@example.org", ["ask", "ada.lovelace@example.org"]),
        ("ask @ada@social.example.org", ["ask", "@ada@social.example.org"]),
        (  # a tag for X, which needs no white space before it
            "今日はとても良い天気ですね、「#とても長い日本語のハッシュタグ」、ね",
            ["今日はとても良い天気です", "ね、「#とても長い日本語のハッシュタグ」、ね"],
        ),
        ("これを見て下さい https://a.example/日本語です", ["これを見て下さい", "https://a.example/日本語です"]),
        # Longer than an item by itself: whole, alone, and marked as too long.
        (f"See {LINK} for more", ["See", LINK, "for more"]),
    ],
)
def test_links_mentions_and_tags_stay_whole(text: str, items: list[str]) -> None:
    assert split(text, reader(24)) == items


def test_what_is_no_tag_inside_a_word_does_not_become_one() -> None:
    assert split("y" * 23 + "#tag and more", reader(23)) == ["y" * 22, "y#tag and more"]


def test_a_sign_of_many_marks_is_not_cut_apart() -> None:
    heavy = "a" + "\u0301" * 150
    items = split(heavy * 30, reader(10))
    assert all(item == heavy * (len(item) // len(heavy)) for item in items)
    assert "".join(items) == heavy * 30
    assert split(heavy + "b", reader(20, "codepoints")) == [heavy, "b"]


def test_each_item_fits_everybody_by_their_own_count() -> None:
    text = f"{LINK} is one thing. {FAMILY * 8} is another one, and there is a third: café."
    readers = [reader(60), reader(40, "mastodon"), reader(75, "codepoints"), reader(90, text_bytes=90)]
    items = split(text, *readers)
    assert "".join("".join(items).split()) == "".join(text.split())
    assert all(filled(item, one.figures) <= (one.figures.text or 0) for one in readers for item in items)


def test_files_and_poll_stay_with_the_first_which_may_have_less_room() -> None:
    picture = Attachment("a" * 64, "a.png", "image/png", 9)
    item = Item("one two three four five six", (picture,), Poll(("yes", "no")))
    items = split_item(item, [reader(20, caption=8)])
    assert [one.text for one in items] == ["one two", "three four five six"]
    assert (items[0].media, items[0].poll) == (item.media, item.poll)
    assert items[1] == Item("three four five six")
    assert split_item(Item(" ", (picture,)), [reader(20)]) == (Item(" ", (picture,)),)


def test_a_content_warning_takes_its_room_in_each_item() -> None:
    warned = Reader(reader(20).figures, {"spoiler_text": "whales"})
    assert split("one two three four five six", warned) == ["one two three", "four five six"]


def test_without_a_limit_nothing_is_cut() -> None:
    assert split("x" * 9999, reader(None)) == ["x" * 9999]
    assert split("x" * 9999) == ["x" * 9999]


def test_numbers_cost_characters_and_one_item_needs_none() -> None:
    assert split("twenty letters fit.", reader(20), numbered=True) == ["twenty letters fit."]
    assert split("One sentence. And another.", reader(20), numbered=True) == ["One sentence. 1/2", "And another. 2/2"]


def test_ten_items_need_room_for_two_digits() -> None:
    items = split("abc " * 20, reader(12), numbered=True)  # ten items, if 9/9 were the longest number
    assert max(map(len, items)) <= 12
    assert items[-1] == "abc 20/20"


@pytest.mark.parametrize("words", [9 * 2, 10 * 2, 99 * 3, 101 * 3])
def test_numbers_of_any_length_fit(words: int) -> None:
    items = split("abc " * words, reader(14), numbered=True)
    assert all(len(item) <= 14 for item in items)
    assert items[-1].endswith(f" {len(items)}/{len(items)}")
    assert sum(item.count("abc") for item in items) == words


PIECES = ("a", "b", ". ", " ", "\n\n", "。", "日", "本", FAMILY, "e\u0301", "\u0301", "🇪🇪", "\r\n", "@ada",
          "@a@b.example", "#tag", "x@y.example", "https://a.example/ü?q=1",
          "HTTP://LONG.example/" + "p" * 30, "www.a.example", "{{name|a b}}",
          "(", "”", "word", "\u200d", "\u00a0")  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
ROOMS = st.lists(st.tuples(st.sampled_from(sorted(COUNTERS)), st.integers(8, 60)), min_size=1, max_size=3)


@given(TEXTS, ROOMS, st.booleans())
@settings(derandomize=True, database=None, deadline=None, max_examples=80)
def test_nothing_is_lost_cut_apart_or_too_long(text: str, rooms: list[tuple[str, int]], numbered: bool) -> None:
    readers = [reader(most, counter) for counter, most in rooms]
    items = split(text, *readers, numbered=numbered)
    bare = [item.rpartition(" ")[0] for item in items] if numbered and len(items) > 1 else items
    if numbered and len(items) > 1:
        assert [item.rpartition(" ")[2] for item in items] == [f"{n}/{len(items)}" for n in range(1, len(items) + 1)]
    # Where the items stand in the text: nothing between them but white space.
    at, places = 0, []
    for item in bare:
        start = text.index(item, at)
        assert not text[at:start].strip()
        at = start + len(item)
        places.append((start, at))
    assert not text[at:].strip()
    # Cut between characters as a reader sees them, and outside of links, mentions, tags and fields.
    if len(items) > 1:
        assert {place for pair in places for place in pair} <= allowed(text)
    # Nobody gets too much, but for what can be cut nowhere.
    for item, alone in zip(items, bare, strict=True):
        if any(filled(item, one.figures) > (one.figures.text or 0) for one in readers):
            assert allowed(alone) <= {0, len(alone)}


def allowed(text: str) -> set[int]:
    """Between which characters a text may be cut."""
    bounds = {0, *itertools.accumulate(map(len, graphemes(text)))}
    return {place for place in bounds if not any(one.start < place < one.end for one in marks(text))}


@pytest.mark.parametrize(
    "text", ["x" * 20_000, "a@" * 5000, "a." * 5000, " " * 9000 + "x" * 900, "日" * 9000, "#" * 9000]
)
def test_no_text_takes_long(text: str) -> None:
    items = split(text, reader(500))
    assert all(len(item) <= 500 or "." in item or "@" in item for item in items)
    assert FAR * 500 <= 20_000  # longer than what is counted at once
