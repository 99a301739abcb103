"""No secret survives the masking, in whatever form it travels."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff.domain.redact import MASK, Redactor

SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=8, max_size=40
)


@given(secret=SECRETS, before=st.text(max_size=8), after=st.text(max_size=8))
def test_a_secret_is_masked_in_every_form(secret: str, before: str, after: str) -> None:
    clean = Redactor([secret]).clean
    for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
        assert form not in clean(f"{before}{form}{after}")


@given(
    secret=st.text(st.characters(codec="ascii", min_codepoint=33), min_size=9, max_size=40),
    user=st.text("abc", max_size=4),
)
def test_a_secret_in_basic_authentication_cannot_be_read_back(secret: str, user: str) -> None:
    encoded = base64.b64encode(f"{user}:{secret}".encode()).decode()
    shown = Redactor([secret]).clean(f"x {encoded} y")
    assert encoded not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdefghijklmnop1234", f"Authorization: Bearer {MASK}"),
        ("GET /x?access_token=abc&y=1", f"GET /x?access_token={MASK}&y=1"),
        ("https://user:pass@example.org/x", f"https://{MASK}@example.org/x"),
        (
            "POST https://discord.com/api/webhooks/12/abcdefghijklmnop-Q_?wait=true",
            f"POST https://discord.com/api/webhooks/12/{MASK}?wait=true",
        ),
        ("GET /bot123456:abcdefghijklmnopq/getMe", f"GET /bot123456:{MASK}/getMe"),
        (f"use 123456789:{'x' * 35}!", f"use {MASK}!"),
        ("the bot is at 12:30, see /webhooks/ and robot123:ok", "the bot is at 12:30, see /webhooks/ and robot123:ok"),
        ("key-0123456789abcdef0123456789abcdef", MASK),
        ("status code=403, Basic functionality of keys", "status code=403, Basic functionality of keys"),
        ("", ""),
    ],
)
def test_what_looks_like_a_secret_is_masked_too(text: str, shown: str) -> None:
    assert Redactor().clean(text) == shown


def test_a_very_short_secret_does_not_mask_words() -> None:
    assert Redactor(["in"]).clean("within") == "within"


def test_a_text_that_is_nothing_but_the_shortest_secret_is_masked() -> None:
    assert Redactor(["a7$x"]).clean("a7$x") == MASK
    assert Redactor(["a7$"]).clean("a7$") == "a7$"  # so short that words would be torn apart
