"""What the doctor and the self-test found, as lines for a person or JSON for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sendoff.cli import render


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `data` is for programs."""

    name: str
    verdict: Verdict
    text: str
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def ok(cls, name: str, text: str, **data: Any) -> Finding:
        return cls(name, Verdict.OK, text, data)

    @classmethod
    def note(cls, name: str, text: str, **data: Any) -> Finding:
        return cls(name, Verdict.NOTE, text, data)

    @classmethod
    def wrong(cls, name: str, text: str, **data: Any) -> Finding:
        return cls(name, Verdict.WRONG, text, data)

    @property
    def line(self) -> str:
        return f"{self.verdict:<5}  {self.name:<9}  {render.one_line(self.text)}"


def is_well(findings: Sequence[Finding]) -> bool:
    return all(one.verdict is not Verdict.WRONG for one in findings)


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    checks = [{"name": one.name, "verdict": one.verdict, "text": one.text, "data": one.data} for one in findings]
    return {"ok": is_well(findings), "checks": checks}
