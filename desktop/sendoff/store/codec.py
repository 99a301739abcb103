"""The JSON in the database, and the frozen dataclasses that it stands for."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from sendoff.domain.delivery import Receipt
from sendoff.domain.post import Content

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_content = msgspec.json.Decoder(Content)
_receipt = msgspec.json.Decoder(Receipt)
_mapping = msgspec.json.Decoder(dict[str, Any])
_numbers = msgspec.json.Decoder(list[int])


def encode(value: Any) -> str:
    return _encoder.encode(value).decode()


@lru_cache(maxsize=256)
def content(text: str) -> Content:
    return _content.decode(text)


def receipt(text: str) -> Receipt:
    return _receipt.decode(text)


def mapping(text: str) -> dict[str, Any]:
    return {} if text == "{}" else _mapping.decode(text)


def numbers(text: str) -> list[int]:
    return _numbers.decode(text)
