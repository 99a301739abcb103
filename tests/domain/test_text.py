"""How text is counted and marked: own cases, published vectors where they are at hand, and what always holds."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.text import count, filled, fitting, graphemes, marks

FAMILY = "👨‍👩‍👧‍👦"


def figures(counter: str, text: int | None = 500) -> Capabilities:
    return Capabilities(checked="2026-11-23", text=text, counter=counter, url_length=23)


MASTODON = figures("mastodon")


@pytest.mark.parametrize(
    ("text", "seen", "points", "octets"),
    [
        ("", 0, 0, 0),
        ("hello", 5, 5, 5),
        ("é", 1, 1, 2),
        ("e\u0301", 1, 2, 3),
        (FAMILY, 1, 7, 25),
        ("🇪🇪🇩🇪", 2, 4, 16),
        ("日本", 2, 2, 6),
        ("\r\n", 1, 2, 2),
        ("नमस्ते", 3, 6, 18),
    ],
)
def test_characters_as_seen_as_stored_and_as_sent(text: str, seen: int, points: int, octets: int) -> None:
    assert count(text, figures("graphemes")) == len(graphemes(text)) == seen
    assert count(text, figures("codepoints")) == points
    assert count(text, figures("bytes")) == octets


@pytest.mark.parametrize(
    ("text", "length"),
    [
        # links: 23, whatever their length
        ("https://a.bc", 23),
        ("HTTPS://EXAMPLE.COM/", 23),
        ("https://example.com:8080/" + "long/" * 100, 23),
        ("https://example.com/?a=b&c[]=d#e", 23),
        ("https://example.com/foo_(bar)", 23),
        ("https://example.com/a_(b_(c)_d)_e", 23),
        ("https://example.com/ä/ö", 23),
        ("https://example.com/日本/パス", 23),
        ("https://例え.テスト/パス", 23),
        ("https://xn--e1afmkfd.xn--p1ai/a", 23),
        ("https://1.2.3.4.nip.io/x", 23),
        ("https://sub_domain.example.com", 23),
        # what stands around a link counts
        ("https://example.com.", 24),
        ("https://example.com/a,b,c.", 24),
        ("<https://example.com>", 25),
        ("“https://example.com”", 25),
        ("(https://example.com/a_(b))", 25),
        ("https://a.co,https://b.co", 47),
        ("https://example.com/ https://example.org/", 47),
        ("https://example.comこれは", 26),
        # no links
        ("https://localhost/x", 19),
        ("https://example", 15),
        ("https://exa_mple.com", 20),
        ("Ahttps://example.com", 20),
        ("@https://example.com", 20),
        ("https://user@example.com/", 25),
        ("http://192.168.0.1/", 19),
        ("ftp://example.com", 17),
        ("www.example.com", 15),
        # mentions: without their server
        ("@bob@b.example", 4),
        ("@bob@b.example.", 5),
        ("@a.b@EXAMPLE.com: hi", 8),
        ("@bob@例え.jp", 4),
        ("(@bob@b.example)", 6),
        ("mail bob@b.example", 18),
        ("/@bob@b.example", 15),
        ("x=@bob@b.example", 16),
        ("@名前@例え.jp", 9),
        ("https://b.example/@bob@c.example", 23),
        (f"{FAMILY} @bob@b.example https://example.com {FAMILY}", 32),
    ],
)
def test_mastodon_counts_links_and_mentions_short(text: str, length: int) -> None:
    assert count(text, MASTODON) == length


def test_another_length_of_links_is_taken_over() -> None:
    assert count("https://example.com", Capabilities(checked="x", counter="mastodon", url_length=30)) == 30


def vectors() -> list[tuple[str, int]]:
    folder = os.environ.get("SENDOFF_SPECS")
    if not folder:
        return []
    found = json.loads((Path(folder) / "mastodon-compatible" / "mastodon-length-vectors.json").read_text())
    return [(case["text"], case["length"]) for case in found["cases"]]


def test_the_published_lengths() -> None:
    """Measured in Mastodon's own composer (Mastodon.py, tests/test_status_length.py)."""
    cases = vectors()
    if not cases:
        pytest.skip("SENDOFF_SPECS names no folder with vectors")
    wrong = [(text, count(text, MASTODON), length) for text, length in cases if count(text, MASTODON) != length]
    assert wrong == []
    assert len(cases) > 30


@pytest.mark.parametrize(
    "text", ["https://a.bc/" + "a!" * 3000 + "(((" * 500, "https://" + "a." * 5000 + "_", "@" + "a." * 5000, "#" * 9000]
)
def test_no_text_takes_long(text: str) -> None:
    """A text that is typed is counted at every key; patterns with a bad worst case would freeze the window."""
    assert count(text, MASTODON) <= len(text)
    marks(text)


# --- marks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("plain", []),
        ("see https://x.yz/#frag, ok", ["link https://x.yz/#frag"]),
        ("Hi @bob and @eve@e.example!", ["mention @bob", "mention @eve@e.example"]),
        ("bob@b.example is no mention", []),
        ("#one #2 #2two #ünïcode ＃日本 a#b", ["tag #one", "tag #2two", "tag #ünïcode", "tag ＃日本"]),
        ("Dear {{name|friend}} of {{ company }}", ["field {{name|friend}}", "field {{ company }}"]),
        ("https://x.yz/{{id}}", ["field {{id}}"]),  # what will be filled in comes first
        ("{{#x}} {}", []),
    ],
)
def test_marks(text: str, found: list[str]) -> None:
    assert [f"{one.mark} {text[one.start : one.end]}" for one in marks(text)] == found


@given(st.text(alphabet="ab @#./:{}|htps日👩‍\n", max_size=60))
@settings(derandomize=True, database=None, deadline=None)
def test_marks_stand_in_order_and_never_overlap(text: str) -> None:
    spans = marks(text)
    assert all(0 <= one.start < one.end <= len(text) for one in spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))


# --- what fits -----------------------------------------------------------------------------------------------------


TEXTS = st.text(alphabet="ab .!?。」\n@#https:/c👩‍👧e\u0301日", max_size=200)


@given(TEXTS, st.integers(0, 40), st.integers(0, 12))
@settings(derandomize=True, database=None, deadline=None)
def test_what_fits_ends_between_two_characters(text: str, most: int, spare: int) -> None:
    end = fitting(text, figures("codepoints", most), spare)
    assert text[:end] == "".join(graphemes(text)[: len(graphemes(text[:end]))])
    assert end <= max(most - spare, 0) or end == 0


def test_what_is_too_long_in_both_ways_is_told_by_its_characters() -> None:
    both = Capabilities(checked="2026-11-28", text=3, text_bytes=4)
    assert filled("ä" * 5, both) == 5
    assert filled("ä" * 3, both) == 4  # one letter more than its bytes leave room for
