"""The preferences and the zone."""

from __future__ import annotations

import pytest

from sendoff.bootstrap import Program
from sendoff.domain.errors import BadInput


def test_settings_and_the_zone(program: Program) -> None:
    program.commands.settings.set("zone", "Asia/Tokyo")
    assert program.commands.settings.zone() == "Asia/Tokyo"
    with pytest.raises(BadInput):
        program.commands.settings.set("zone", "Moon/Base")
