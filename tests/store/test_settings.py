"""Settings have defaults, and take nothing that they could not mean."""

from __future__ import annotations

import pytest

from sendoff.domain.errors import BadInput
from sendoff.store import settings
from sendoff.store.db import Store


def test_defaults_stand_until_something_is_chosen(store: Store) -> None:
    with store.writing() as connection:
        assert settings.read(connection)["late"] == "ask 2h"
        settings.write(connection, "late", "skip 45m")
        settings.write(connection, "zone", "Asia/Tokyo")
        chosen = settings.read(connection)
    assert (chosen["late"], chosen["zone"], chosen["theme"]) == ("skip 45m", "Asia/Tokyo", "system")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("nonsense", "x", "no setting “nonsense”"),
        ("theme", "pink", "choose one of"),
        ("start_at_login", "maybe", "yes or no"),
        ("late", "sometimes", "not a rule"),
        ("zone", "Europe/Atlantis", "no time zone"),
    ],
)
def test_what_a_setting_cannot_mean_is_refused(store: Store, name: str, value: str, says: str) -> None:
    with pytest.raises(BadInput, match=says), store.writing() as connection:
        settings.write(connection, name, value)
