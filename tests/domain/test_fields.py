"""What becomes of what was typed into a sign-in form."""

from __future__ import annotations

import pytest

from sendoff.domain.channel import Channel, Field, Identity, Kind
from sendoff.domain.errors import BadInput
from sendoff.domain.fields import complete, divide, kept, lay_over


class Board(Channel):
    kind = "board"
    title = "Board"
    fields = (
        Field("server", "Server", Kind.ADDRESS, default="https://board.example.org"),
        Field("port", "Port", Kind.NUMBER, required=False),
        Field("key", "Key", Kind.SECRET),
    )


BOARD = Board()
TYPED = {"key": " with spaces "}
WHOLE = {"server": "https://board.example.org", "port": "", "key": " with spaces "}


def test_what_is_left_out_has_its_default_and_a_secret_is_taken_as_it_is() -> None:
    assert complete(BOARD, TYPED) == WHOLE


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({}, "key", "“Key” .key. is missing"),
        ({**TYPED, "port": "x"}, "port", "is a number, not “x”"),
        ({**TYPED, "server": "ftp://x"}, "server", "https"),
        ({**TYPED, "colour": "red"}, "", "has no field “colour”. It has: server, port, key"),
    ],
)
def test_what_cannot_be_right_names_its_field(typed: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        complete(BOARD, typed)
    assert refused.value.field == field


def test_an_empty_secret_counts_as_left_out_and_another_field_is_emptied() -> None:
    had = {"server": "https://mine.example.org", "port": "8080", "key": "old", "of an older version": "x"}
    left = {"server": "https://mine.example.org", "port": "", "key": "old"}
    assert lay_over(BOARD, {"key": "", "port": ""}, had) == left


def test_secrets_go_elsewhere_than_the_rest() -> None:
    plain, secret = divide(BOARD, WHOLE)
    assert (plain, secret) == ({"server": "https://board.example.org", "port": ""}, {"key": " with spaces "})
    assert divide(BOARD, {**WHOLE, "key": ""})[1] == {}


def test_what_the_endpoint_told_lies_over_what_was_typed_on_both_sides() -> None:
    told = Identity("ada", settings={"port": "8443", "room": "7"}, secrets={"key": "renewed", "refresh": "r"})
    plain, secret = kept(BOARD, WHOLE, told)
    assert plain == {"server": "https://board.example.org", "port": "8443", "room": "7"}
    assert secret == {"key": "renewed", "refresh": "r"}
