"""Colours, measures and fonts as they stand in resources/tokens.json. Nothing of Qt is needed to read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sendoff.resources import resource


@dataclass(frozen=True, slots=True)
class Theme:
    """One of the two palettes. Colours are named like in the tokens: "text2", "accent.fill", "failed.tint"."""

    name: str
    colors: Mapping[str, str]
    shadows: tuple[tuple[int, int, str], ...]  # offset down and blur in px, colour

    @property
    def dark(self) -> bool:
        return self.name == "dark"

    def __getitem__(self, name: str) -> str:
        return self.colors[name]


class Tokens(NamedTuple):
    """The tokens as they stand in resources/tokens.json."""

    light: Theme
    dark: Theme
    sizes: Mapping[str, tuple[int, int, float]]  # font px, line px, letter spacing px
    families: tuple[str, ...]
    mono: tuple[str, ...]
    marks: Mapping[str, str]


def read_tokens() -> Tokens:
    raw = json.loads(resource("tokens.json").read_text(encoding="utf-8"))
    fallback = tuple(raw["font"]["fallback"])
    return Tokens(
        light=_theme("light", raw["light"]),
        dark=_theme("dark", raw["dark"]),
        sizes={name: (one["px"], one["line"], one.get("tracking_px", 0.0)) for name, one in raw["type"].items()},
        families=(raw["font"]["family"], *fallback),
        mono=(*raw["font"]["mono"], *fallback),
        marks={name: color.removeprefix("role.") for name, color in raw["network_marks"].items()},
    )


def _theme(name: str, raw: Mapping[str, Any]) -> Theme:
    colors = {f"neutral.{step}": color for step, color in raw["neutral"].items()}
    colors |= {role: _color(color) for role, color in raw["role"].items()}
    colors |= {f"accent.{part}": color for part, color in raw["accent"].items()}
    for state, parts in raw["state"].items():
        colors |= {f"{state}.{part}": color for part, color in parts.items()}
    shadows = tuple((one["y"], one["blur"], _color(one)) for one in raw["shadow_floating_only"])
    return Theme(name, colors, shadows)


def _color(value: str | Mapping[str, Any]) -> str:
    """A colour as Qt reads it; one with an alpha as #AARRGGBB."""
    if isinstance(value, str):
        return value
    return f"#{round(value['alpha'] * 255):02X}{value['color'].removeprefix('#')}"
