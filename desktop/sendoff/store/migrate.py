"""Brings a database to this version: a copy first, then one transaction; a newer file is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from sendoff import killpoints
from sendoff.domain.errors import SetupMissing
from sendoff.store import backups, profile

HEAD = "0005"
"""The newest step in migrations/versions; a test compares."""

STEPS = Path(__file__).parent / "migrations"


class TooNew(SetupMissing):
    """A newer Sendoff has written to the database, so this one leaves it alone. `what` is that in a sentence."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what} {advice}")
        self.what = what


def bring_up_to_date(engine: sa.Engine, path: Path) -> None:
    """Creates or migrates the schema where it is needed; costs one query where it is not.

    Raises:
        TooNew: the file was written by a newer Sendoff.
        SetupMissing: an older one is sending from it right now.
    """
    with engine.connect() as connection:
        version = _version(connection)
    if version == HEAD:
        return
    if version is not None:
        _refuse_unknown(version, path)
        if profile.is_sender_running(path.parent):
            raise SetupMissing(
                "A Sendoff of the version before is still sending for this profile. "
                "Quit it (or restart its worker), then start again."
            )
        backups.make(path, f"{backups.BEFORE_UPDATE}-from-{version}", datetime.now(UTC))
        backups.thin(path.parent)
        killpoints.reach("migration.copied")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if _version(connection) != HEAD:  # another process may have been faster
            _upgrade(connection)
            killpoints.reach("migration.written")
    killpoints.reach("migration.done")


def _version(connection: sa.Connection) -> str | None:
    """The step that the file is at; None for a new file."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _refuse_unknown(version: str, path: Path) -> None:
    known = {step.name.split("_")[0] for step in (STEPS / "versions").glob("[0-9]*.py")}
    if version not in known:
        raise TooNew(
            f"{path} was written by a newer Sendoff (its step {version}, this one knows {HEAD}).",
            "Install the newer version again, or go back to the copy that was made before the update: sendoff backup "
            "--list, then sendoff restore FILE. Or open another profile with SENDOFF_HOME.",
        )


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(STEPS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
