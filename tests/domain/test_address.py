"""Addresses of endpoints: https, or http to this computer."""

from __future__ import annotations

import pytest

from sendoff.domain.address import web_address
from sendoff.domain.errors import BadInput


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("toot.example", "https://toot.example"),
        ("https://toot.example/", "https://toot.example"),
        ("https://toot.example:8443/api/", "https://toot.example:8443/api"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_good_ones(text: str, address: str) -> None:
    assert web_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "http://toot.example", "ftp://toot.example", "https://", "https://a b", "https://u:p@toot.example",
     "https://toot.example/?x=1", "https://toot.example:port", "http://127.0.0.1.evil.example"],
)  # fmt: skip
def test_bad_ones(text: str) -> None:
    with pytest.raises(BadInput):
        web_address(text)
