"""How X weighs text: own cases, and the published vectors where SENDOFF_SPECS names their folder."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sendoff.channels.x import X
from sendoff.channels.x_text import INVALID, LINK_WEIGHT, links, marks, weight, without_links
from sendoff.domain import limits
from sendoff.domain.post import Attachment, Content, Item
from sendoff.domain.split import Reader, split_item
from sendoff.domain.text import count, fitting

FIGURES = X.capabilities
FAMILY = "👨‍👩‍👧‍👦"


@lru_cache
def published(name: str) -> Any:
    path = Path(os.environ.get("SENDOFF_SPECS", "")) / name
    if not os.environ.get("SENDOFF_SPECS") or not path.exists():
        pytest.skip(f"SENDOFF_SPECS names no folder with {name}")
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("", 0),
        ("Hello, world! 👋", 16),
        ("Hi http://test.co", 26),
        ("Grüße, Привет, שלום, नमस्ते", 27),
        ("e\u0301", 1),  # NFC
        ("日本", 4),
        ("…€→", 6),
        ("“quoted” – dash", 15),
        ("❤️❤", 4),
        ("❤︎", 4),  # chosen to be no emoji
        ("© ©️", 4),
        ("1️⃣#⃣", 4),
        ("🇪🇪🏴󠁧󠁢󠁥󠁮󠁧󠁿🏳️‍🌈👩🏽‍🤝‍👨🏿🙋🏽", 10),
        (FAMILY * 140, 280),
        ("👨 👩", 5),
        ("\u200d", 1),
    ],
)
def test_what_a_text_takes(text: str, taken: int) -> None:
    assert weight(text) == taken
    assert count(text, FIGURES) == taken


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no link, not even a.b or me@home.com", []),
        ("example.com, www.example.co.uk and HTTPS://EXAMPLE.ORG.", ["example.com", "www.example.co.uk",
                                                                       "HTTPS://EXAMPLE.ORG"]),
        ("(https://a.co/x_(y)). “https://a.co/„“", ["https://a.co/x_(y)", "https://a.co/"]),
        ("http://a.co?x=1!, http://a.co:80/b! a.co?x", ["http://a.co?x=1", "http://a.co:80/b", "a.co"]),
        ("$a.co #b.co @c.co xd.co/ -e.co _f.co /g.co .h.co", ["xd.co/"]),
        ("a.co的b.co/c", ["a.co", "b.co/c"]),
        ("http://☃.net/ ☃.net http://日本.jp/日本", ["http://☃.net/", "http://日本.jp/"]),
        ("http://a_b.co http://a_b.c.co http://a-.co http://-a.co", ["http://a_b.c.co"]),
        ("a.invalid a.comm a.com+ a.com@ a.com-", []),
        ("xhttp://a.co 日http://a.co", ["http://a.co"]),
        ("élysée.fr élysée.fr", ["lysée.fr", "élysée.fr"]),  # what a text begins with stands before the name
        ("é.fr", ["é.fr"]),
        ("é-a.fr", ["é-a.fr"]),
        ("http://t.co/abc/more http://t.co/" + "a" * 41, ["http://t.co/abc"]),
        (f"http://{'a' * 64}.com {'a' * 64}.com http://{'a' * 63}.com", [f"http://{'a' * 63}.com"]),
        ("http://xn--a.com http://xn--mgbh0fb.xn--kgbechtv", ["http://xn--mgbh0fb.xn--kgbechtv"]),
        ("http://a.co/" + "b" * 4084 + " http://a.co/" + "b" * 4085, ["http://a.co/" + "b" * 4084]),
        ("http://example.com/Русские_слова?q=1~", ["http://example.com/Русские_слова?q=1"]),
    ],
)  # fmt: skip
def test_what_is_a_link(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in links(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@username1 の@usernameに @12345 (@user_name)", ["@username1", "@username", "@12345", "@user_name"]),
        ("@_@ (cc: @a) @aliceìnheiro f!@k f@@k f&@k me@home.com @test@example.com", ["@a"]),
        ("RT@a rt:@b xRT@c _rt@d", ["@a", "@b"]),
        ("@a/list-name @b/7list @c/", ["@a/list-name", "@b", "@c"]),
        ("@" + "a" * 25, ["@" + "a" * 20]),
        ("#tag #1tag #16 #_ #a_1 text#b &#c", ["#tag", "#1tag", "#a_1"]),
        ("(#a )#b 。#日本語、 日本#語 ✌🏿️#c", ["#a", "#b", "#日本語", "#c"]),
        (
            "＃ｈａｓｈ１ #il·lusió #עַל־יְדֵי #میخواهم #各〃 #〃",
            ["＃ｈａｓｈ１", "#il·lusió", "#עַל־יְדֵי", "#میخواهم", "#各〃"],
        ),
        ("#a#b #http://a.co #️⃣ #𠀡", ["#𠀡"]),
        ("$OK $TEST.T $a_ab, $TEST. $abcdefg $AB1 x$C $$D $株", ["$OK", "$TEST.T", "$a_ab", "$TEST"]),
        ("https://a.co/#tag @http://a.co #a.co a.co/@b", ["https://a.co/#tag", "#a", "a.co/@b"]),
        ("👨‍👩‍👧 @a https://a.co #b $C", ["@a", "https://a.co", "#b", "$C"]),
    ],
)
def test_what_is_marked(text: str, found: list[str]) -> None:
    """As twitter-text's own JavaScript (3.1.0) has it, which was run on these."""
    assert [text[one.start : one.end] for one in marks(text)] == found


@pytest.mark.parametrize(("section", "cases"), [("usernames", 4), ("lists", 5), ("hashtags", 7)])
def test_the_published_names_lists_and_tags(section: str, cases: int) -> None:
    """Each is one by itself, or it is none."""
    wrong = []
    published_ones = published("twitter-text-validate.yml")["tests"][section]
    for case in published_ones:
        text = case["text"]
        is_whole = [(one.start, one.end) for one in marks(text)] == [(0, len(text))]
        if (is_whole and (section == "lists") <= ("/" in text)) is not case["expected"]:
            wrong.append(case)
    assert wrong == []
    assert len(published_ones) == cases


ONLY_AS_A_WHOLE = {
    "Valid url: port and userinfo", "Valid url: ipv4", "Valid url: ipv6",
    "Valid url: sub delims and question marks",
}  # fmt: skip
"""Addresses by RFC 3986 that twitter-text takes when it is given nothing else, and does not find whole in a text."""


def test_the_published_addresses() -> None:
    """These are meant for a form that takes an address; in a text X finds fewer."""
    cases = published("twitter-text-validate.yml")["tests"]["urls"]
    whole = {case["description"] for case in cases if links(case["text"]) == [(0, len(case["text"]))]}
    assert {case["description"] for case in cases if case["expected"]} - whole == ONLY_AS_A_WHOLE
    assert whole <= {case["description"] for case in cases if case["expected"]}
    assert len(cases) == 24


SECTIONS = ("WeightedTweetsWithDiscountedEmojiCounterTest", "UnicodeDirectionalMarkerCounterTest")


@pytest.mark.parametrize("section", SECTIONS)
def test_the_published_weights(section: str) -> None:
    """Of configuration 3, which X uses today."""
    wrong = []
    cases = published("twitter-text-validate.yml")["tests"][section]
    for case in cases:
        text, wanted = case["text"], case["expected"]
        taken = weight(text)
        is_valid = 0 < taken <= 280 and not any(one in text for one in INVALID)
        seen = {"weightedLength": taken, "permillage": taken * 1000 // 280, "valid": is_valid}
        if any(wanted[name] != value for name, value in seen.items()):
            wrong.append((case["description"], wanted, seen))
    assert wrong == []
    assert len(cases) == {SECTIONS[0]: 22, SECTIONS[1]: 2}[section]


def test_the_published_weights_of_the_configuration_before() -> None:
    """There emoji were not joined; links and all other characters weigh the same."""
    cases = published("twitter-text-validate.yml")["tests"]["WeightedTweetsCounterTest"]
    wrong = []
    for case in cases:
        pieces = without_links(unicodedata.normalize("NFC", case["text"]))
        taken = LINK_WEIGHT * (len(pieces) - 1) + sum(weight(one) for piece in pieces for one in piece)
        if taken != case["expected"]["weightedLength"]:
            wrong.append((case["description"], case["expected"], taken))
    assert wrong == []
    assert len(cases) == 20


def test_the_published_addresses_without_a_scheme() -> None:
    for case in published("twitter-text-validate.yml")["tests"]["urls_without_protocol"]:
        assert links(case["text"]) == ([(0, len(case["text"]))] if case["expected"] else [])


def test_every_published_top_level_name_ends_a_link() -> None:
    tops = [str(one) for group in published("twitter-text-tld-lib.yml").values() for one in group]
    texts = [f"https://twitter.{one}" for one in tops]
    assert [text for text in texts if links(text) != [(0, len(text))]] == []
    assert len(tops) == 1574


@pytest.mark.parametrize(
    "text",
    [
        "https://a.bc/" + "a!" * 3000 + "(((" * 500,
        "a." * 5000 + "co",
        "日本." * 3000,
        "日" * 9000 + ".co",
        "a_" * 5000 + ".co",
        "-" * 9000 + ".co",
        "http://a.co/" + "(a" * 3000 + ")" * 3000,
        "http://a.co?" + "!" * 9000,
        "é" * 5000 + "日.co",
        "👩‍" * 3000,
    ],
)
@pytest.mark.timeout(5)
def test_no_text_takes_long(text: str) -> None:
    """A text that is typed is weighed at every key."""
    weight(text)


def test_a_long_text_is_cut_by_weight() -> None:
    items = split_item(Item("日本語の文です。" * 40), [Reader(FIGURES)])
    assert all(0 < weight(item.text) <= 280 for item in items)
    assert len(items) == 3
    assert fitting("日" * 141, FIGURES) == 140
    (problem,) = (one for one in limits.check(Content((Item("日" * 141),)), FIGURES, "X", {}) if one.code == "text")
    assert problem.title == "2 too many for X."


# --- what it costs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "title", "text"),
    [
        (("Hello",), "It costs about $0.015.", "X charges $0.015 a post (prices of 2026-04-20)."),
        (
            ("Look: a.co",),
            "It costs about $0.20.",
            "X charges $0.015 a post, $0.20 if it has a link (prices of 2026-04-20).",
        ),
        (
            ("One", "Two a.co"),
            "It costs about $0.215.",
            "X charges $0.015 a post, $0.20 with a link (prices of 2026-04-20).",
        ),
    ],
)
def test_the_price_is_said_before(texts: tuple[str, ...], title: str, text: str) -> None:
    content = Content(tuple(map(Item, texts)))
    (problem,) = limits.check(content, FIGURES, "X", {})
    assert (problem.code, problem.title, problem.text) == ("cost", title, text)


def test_alt_texts_cost_too() -> None:
    picture = Attachment("a" * 64, "a.png", "image/png", 67, alt="An elephant")
    content = Content((Item("Look", (picture, replace(picture, alt=" "), picture)),))
    (problem,) = (one for one in limits.check(content, FIGURES, "X", {}) if one.code == "cost")
    assert problem.title == "It costs about $0.025."
    assert problem.text == "X charges $0.015 a post, $0.005 for each alt text (prices of 2026-04-20)."
