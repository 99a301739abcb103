"""SQL that is compiled once for many programs of one process, as it is once for one program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

Make = Callable[[Path], sa.Engine]


def sharing(make: Make, first: sa.Engine) -> Make:
    """`dialect.sqlite_engine` whose engines have the statements that `first`, or one of them, has compiled."""

    def engine(path: Path) -> sa.Engine:
        made = make(path)
        made.dialect, made._compiled_cache = first.dialect, first._compiled_cache
        return made

    return engine
