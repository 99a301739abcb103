"""Takes secrets out of any text before it is stored, shown or logged."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "••••••••"
SHORTEST = 4
"""A secret shorter than this is not searched for: it would mask ordinary words."""

_AUTHORIZATION = re.compile(r"\b((?:Basic|Bearer|DPoP)\s+)(?=\S*\d)[A-Za-z0-9._~+/=-]{16,}")
_QUERY = re.compile(
    r"(?i)((?:^|[?&;\"'])(?:access_token|token|api_?key|key|secret|client_secret|password|pass|sig|signature|code)=)"
    r"[^&\s\"']+"
)
_USERINFO = re.compile(r"(?i)(\bhttps?://)[^/@\s:]+:[^/@\s]+@")
# Addresses that are keys themselves: Discord's webhooks, Telegram's bots; and a Telegram token on its own.
_PATHS = re.compile(r"(/webhooks/\d+/|\bbot\d+(?::|%3A))[\w-]{16,}")
_BOT_TOKEN = re.compile(r"\b\d{6,12}:[\w-]{35}(?![\w-])")
_KEY_SHAPES = re.compile(r"\b(?:key|pubkey)-[0-9a-f]{32}\b|\b[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}\b")


class Redactor:
    """Masks the given secrets in every form in which they travel, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= SHORTEST:
                forms |= _forms(secret)
        self._pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None

    def clean(self, text: str) -> str:
        if len(text) < SHORTEST:
            return text
        if self._pattern:
            text = self._pattern.sub(MASK, text)
        for sign, shape, shown in _SHAPES:
            if sign in text if isinstance(sign, str) else sign.search(text):
                text = shape.sub(shown, text)
        return text


_SHAPES: tuple[tuple[str | re.Pattern[str], re.Pattern[str], str], ...] = (
    ("Basic", _AUTHORIZATION, rf"\1{MASK}"),
    ("Bearer", _AUTHORIZATION, rf"\1{MASK}"),
    ("DPoP", _AUTHORIZATION, rf"\1{MASK}"),
    ("@", _USERINFO, rf"\1{MASK}@"),
    (re.compile(r"-[0-9a-f]{8}"), _KEY_SHAPES, MASK),
    ("/webhooks/", _PATHS, rf"\1{MASK}"),
    ("bot", _PATHS, rf"\1{MASK}"),
    (re.compile(r":[\w-]{35}"), _BOT_TOKEN, MASK),
    ("=", _QUERY, rf"\1{MASK}"),
)
"""What looks like a secret, each behind a sign of it that is quickly looked for."""


def _forms(secret: str) -> set[str]:
    """The secret as it is, in a URL, in JSON, and in base64 on its own or behind a user name."""
    raw = secret.encode()
    forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    # In base64 a value's form depends on where it starts in a group of three bytes; its inner bytes do not.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inner = encoded[-(-shift * 8 // 6) : len(encoded) - 1] if shift else encoded[:-1]
        if len(inner) >= 2 * SHORTEST:
            forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms
