"""A profile whose clock the test sets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sendoff.bootstrap import Program
from tests.conftest import SetClock


@pytest.fixture
def program(open_profile: Callable[..., Program], clock: SetClock) -> Program:
    return open_profile(clock=clock)
