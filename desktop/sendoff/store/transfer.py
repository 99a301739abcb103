"""Export of a profile without its secrets, import that sends nothing, and copies of the database."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import sqlalchemy as sa

import sendoff
from sendoff.domain.account import AccountState
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.delivery import Outcome, State
from sendoff.domain.errors import BadInput, Damaged, SetupMissing
from sendoff.domain.post import Content
from sendoff.domain.when import parse_late, zone_info
from sendoff.store import accounts as account_rows
from sendoff.store import archive, backups, changes, codec, health, tables
from sendoff.store import posts as post_rows
from sendoff.store import settings as setting_rows
from sendoff.store.archive import ROWS, AccountRow, AttemptRow, DeliveryRow, Manifest, PartRow, PostRow, VariantRow
from sendoff.store.db import FILE, Connection, Store, StoreTrouble
from sendoff.store.media import Media

JSON = frozenset({"settings", "learned", "content", "options", "frozen", "prepared", "receipt"})
"""The columns that hold JSON; in an export they are part of the row's own."""

POINTERS = {
    "workspace_id": "workspaces",
    "account_id": "accounts",
    "post_id": "posts",
    "delivery_id": "deliveries",
    "part_id": "parts",
}
TOGETHER = 500
"""Rows that are inserted by one statement."""

HELD = (
    "It came with an import, and this computer has not signed in to the account yet. Sign in, and it goes at its time."
)
LEFT = "It was leaving when it was exported, so it may have gone out from the other Sendoff. Look, then settle it."
SIGN_IN = "Imported. Keys are not part of an export: sign in again."


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds. `missing` counts files of posts that were no longer in the profile's folder."""

    accounts: int
    posts: int
    deliveries: int
    files: int
    missing: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What came in. `held` of the deliveries wait for a sign-in, `doubtful` for a word from the person.

    `renamed` are accounts whose names were taken, with the names that they have now.
    """

    accounts: int
    posts: int
    deliveries: int
    files: int
    held: int
    doubtful: int
    renamed: tuple[tuple[str, str], ...] = ()


# --- out ----------------------------------------------------------------------------------------------------------


def export_to(store: Store, media: Media, target: Path, now: datetime, *, force: bool = False) -> Exported:
    """Writes everything but secrets into one file, as it is at one instant, also while Sendoff is sending.

    Raises:
        BadInput: the file is there already (unless `force`), or can't be written there.
        SetupMissing: the disk is full.
    """
    return _export(store, media, target, now, force=force, with_files=True)


def _export(store: Store, media: Media, target: Path, now: datetime, *, force: bool, with_files: bool) -> Exported:
    with (
        archive.written_whole(target, replace=force) as beside,
        beside.open("wb") as file,
        archive.Writer(file, now) as writer,
    ):
        with store.reading() as connection:
            counts = {table: writer.rows(table, _dumped(connection, table)) for table in ROWS}
            wanted = _wanted_media(connection)
        there = wanted & media.names()
        for sha256 in sorted(there) if with_files else ():
            writer.file(sha256, media.path(sha256))
        missing = tuple(sorted(wanted - there))
        writer.finish(Manifest(archive.FORMAT, sendoff.__version__, now, counts, missing))
    return Exported(counts["accounts"], counts["posts"], counts["deliveries"], len(there), len(missing))


def _dumped(connection: Connection, name: str) -> Iterator[dict[str, Any]]:
    table = tables.metadata.tables[name]
    names = [one.name for one in fields(ROWS[name])]
    wanted = sa.select(*(table.c[column] for column in names)).order_by(*table.primary_key.columns)
    if name == "settings":
        shown = [setting.name for setting in setting_rows.SETTINGS if setting.kind != "hidden"]
        wanted = wanted.where(table.c.name.in_(shown))
    for row in connection.execute(wanted).yield_per(1000):
        yield {column: _plain(column, value) for column, value in zip(names, row, strict=True)}


def _plain(column: str, value: Any) -> Any:
    return msgspec.Raw(value.encode()) if column in JSON and value is not None else value


def _wanted_media(connection: Connection) -> set[str]:
    """The files of the posts, and the frozen bytes of what is still to leave."""
    return {
        *connection.execute(sa.select(tables.media.c.sha256)).scalars(),
        *connection.execute(sa.select(tables.parts.c.blob).where(tables.parts.c.blob.is_not(None))).scalars(),
    }


# --- in -----------------------------------------------------------------------------------------------------------


def import_from(store: Store, media: Media, source: Path, now: datetime) -> Imported:
    """Adds an export, or a copy that `backup` made, to this profile: all of it or nothing. Nothing is sent by it.

    Accounts want a sign-in, what was still to leave is held, and what was leaving is in doubt.

    Raises:
        BadInput: the file is none, is damaged or contradicts itself, or was imported before.
        SetupMissing: a newer Sendoff wrote it.
    """
    if _is_database(source):
        return _import_backup(store, media, source, now)
    return _import(store, media, source, source, now)


def _import(store: Store, media: Media, source: Path, name: Path, now: datetime) -> Imported:
    reader = archive.Reader(source, name, shutil.disk_usage(store.folder).free)
    kept: set[str] = set()
    try:
        here = media.names()
        for sha256 in reader.media():
            if sha256 not in here:
                kept.add(media.keep(reader.file(sha256)))
        with store.writing(*changes.TOPICS) as connection:
            arrived = _Arrival(connection, name, now, here | kept | set(reader.manifest.missing)).run(reader)
    except BaseException as wrong:
        for sha256 in kept:
            media.discard(sha256)
        if isinstance(wrong, sa.exc.IntegrityError):
            raise BadInput(f"{name} contradicts itself ({wrong.orig}). Nothing was imported.") from None
        raise
    finally:
        reader.close()
    return replace(arrived, files=len(kept))


def _is_database(source: Path) -> bool:
    try:
        with source.open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def _import_backup(store: Store, media: Media, source: Path, now: datetime) -> Imported:
    """A copy of a database is brought up to date on the side and goes through the same door as an export.

    A copy has no media beside it; those of this profile are the ones that its posts name.
    """
    with TemporaryDirectory(prefix="import-", dir=store.folder) as beside:
        folder, again = Path(beside), Path(beside) / "export.zip"
        try:
            copy = _opened_copy(source, folder)
            try:
                _export(copy, media, again, now, force=False, with_files=False)
            finally:
                copy.close()
        except Damaged:
            raise BadInput(f"{source} is damaged. Take an older copy. Nothing was imported.") from None
        return _import(store, media, again, source, now)


def _opened_copy(source: Path, folder: Path) -> Store:
    found = health.look(source)
    if found.faults:
        raise Damaged(found.faults[0])
    if found.version is None:
        raise BadInput(f"{source} is a database, but not one of Sendoff’s.")
    health.copy(source, folder / FILE)
    try:
        return Store(folder)
    except StoreTrouble:
        raise
    except SetupMissing:
        newer = f"{source} was made by a newer Sendoff (its step {found.version})."
        raise SetupMissing(f"{newer} Update Sendoff first.") from None


@dataclass(slots=True)
class _Arrival:
    """One import under way: rows come in by table, get ids of this profile, and point to each other as before."""

    connection: Connection
    source: Path
    now: datetime
    files: set[str]
    ids: dict[str, dict[int, int]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)  # of accounts, taken, in small letters
    times: set[datetime] = field(default_factory=set)  # at which posts of this profile were made
    renamed: list[tuple[str, str]] = field(default_factory=list)
    held: dict[int, bool] = field(default_factory=dict)  # by new id, whether a part of it is still to leave
    doubtful: int = 0

    def run(self, reader: archive.Reader) -> Imported:
        self.names = {one.name.lower() for one in account_rows.every(self.connection)}
        self.times = set(self.connection.execute(sa.select(tables.posts.c.created_at)).scalars())
        self._workspaces(reader.rows("workspaces"))
        self._insert("accounts", map(self._account, reader.rows("accounts")))
        self._insert("posts", map(self._post, reader.rows("posts")))
        self._insert("variants", map(self._variant, reader.rows("variants")))
        self._insert("deliveries", map(self._delivery, reader.rows("deliveries")))
        self._insert("parts", map(self._part, reader.rows("parts")))
        self._insert("attempts", map(self._attempt, reader.rows("attempts")))
        self._insert("events", map(_written, reader.rows("events")))
        self._insert("readings", map(_written, reader.rows("readings")))
        self._media(reader.rows("media"))
        self._settings(reader.rows("settings"))
        if not all(self.held.values()):
            raise self._wrong("a delivery that is to leave has no part that could")
        return Imported(
            accounts=len(self.ids["accounts"]), posts=len(self.ids["posts"]), deliveries=len(self.ids["deliveries"]),
            files=0, held=len(self.held), doubtful=self.doubtful, renamed=tuple(self.renamed),
        )  # fmt: skip

    def _wrong(self, what: str) -> BadInput:
        return BadInput(f"{self.source} contradicts itself: {what}. Nothing was imported.")

    # --- ids ------------------------------------------------------------------------------------------------------

    def _insert(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Inserts rows in groups and remembers which new id stands for which old one."""
        group: list[dict[str, Any]] = []
        self.ids.setdefault(name, {})
        for row in rows:
            group.append(self._pointed(row))
            if len(group) == TOGETHER:
                self._insert_group(name, group)
                group = []
        if group:
            self._insert_group(name, group)

    def _insert_group(self, name: str, group: list[dict[str, Any]]) -> None:
        table = tables.metadata.tables[name]
        old = [row.pop("id", None) for row in group]
        if old[0] is None:
            self.connection.execute(sa.insert(table), group)
            return
        inserted = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
        new = self.connection.execute(inserted, group).scalars().all()
        known = self.ids[name]
        known.update(zip(old, new, strict=True))
        arrived = dict(zip(new, group, strict=True))
        if name == "deliveries":
            self.held.update({new_id: False for new_id, row in arrived.items() if row["state"] == "held"})
        if name == "posts":
            post_rows.index(self.connection, {new_id: codec.content(row["content"]) for new_id, row in arrived.items()})

    def _pointed(self, row: dict[str, Any]) -> dict[str, Any]:
        for column, target in POINTERS.items():
            if column in row:
                row[column] = self._new_id(target, row[column])
        return row

    def _new_id(self, table: str, old: int) -> int:
        try:
            return self.ids[table][old]
        except KeyError:
            raise self._wrong(f"a row points to number {old} of {table}, which is not there") from None

    # --- table by table -------------------------------------------------------------------------------------------

    def _workspaces(self, rows: Iterable[archive.WorkspaceRow]) -> None:
        """A workspace of the same name is the same workspace."""
        here = {one.name.lower(): one.id for one in account_rows.workspace_list(self.connection)}
        known = self.ids.setdefault("workspaces", {})
        for row in rows:
            known[row.id] = here.get(row.name.lower()) or account_rows.insert_workspace(self.connection, row.name)
            here[row.name.lower()] = known[row.id]

    def _account(self, row: AccountRow) -> dict[str, Any]:
        self._check_figures(row.learned)
        name = row.name if row.removed_at else self._free_name(row.name)
        signed_out = {"state": AccountState.SIGN_IN, "reason": SIGN_IN}
        return _written(row) | signed_out | {"name": name}

    def _check_figures(self, learned: dict[str, Any]) -> None:
        """What a server once told is laid over the declared figures, so it has to be of their kinds."""
        try:
            msgspec.convert({"checked": "", **learned}, Capabilities)
        except msgspec.ValidationError as wrong:
            raise self._wrong(f"what an account has learned is not possible ({wrong})") from None

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name.lower() in self.names:
            name = f"{wanted} (imported)" if number == 1 else f"{wanted} (imported {number})"
            number += 1
        self.names.add(name.lower())
        if name != wanted:
            self.renamed.append((wanted, name))
        return name

    def _post(self, row: PostRow) -> dict[str, Any]:
        self._check_content(row.content)
        if row.created_at in self.times:
            self._refuse_known(row)
        return _written(row) | {"excerpt": row.content.excerpt()}

    def _refuse_known(self, row: PostRow) -> None:
        """The same text, made in the same microsecond, is the same post."""
        posts = tables.posts
        same = self.connection.execute(sa.select(posts.c.content).where(posts.c.created_at == row.created_at)).scalars()
        if any(codec.content(text) == row.content for text in same):
            words = row.content.excerpt(40)
            raise BadInput(f"{self.source} is in this profile already (“{words}” is). Nothing was imported.")

    def _check_content(self, content: Content | None) -> None:
        if content is None:
            return
        if not content.items:
            raise self._wrong("a post has no items")
        for attachment in content.files:
            if attachment.sha256 not in self.files:
                raise self._wrong(f"the file “{attachment.name}” of a post is not in it")

    def _variant(self, row: VariantRow) -> dict[str, Any]:
        self._check_content(row.content)
        return _written(row)

    def _delivery(self, row: DeliveryRow) -> dict[str, Any]:
        try:
            zone_info(row.zone)
            parse_late(row.late or "send")
        except BadInput as wrong:
            raise self._wrong(str(wrong).rstrip(".")) from None
        if row.state is State.SENT and row.sent_at is None:
            raise self._wrong("a delivery was sent at no time")
        return _written(row) | {"wall": row.wall.isoformat(), **self._standing(row)}

    def _standing(self, row: DeliveryRow) -> dict[str, Any]:
        """Where a delivery stands here. The other Sendoff may go on sending it, so this one must not by itself."""
        if row.state in (State.SCHEDULED, State.CLAIMED, State.HELD):
            # Its time is past already, so "whenever possible" would mean: the moment somebody signs in.
            late = {"late": "ask 0s"} if row.planned_at <= self.now else {}
            return {"state": State.HELD, "reason": HELD, "advice": "", "tries": 0, **late}
        if row.state in (State.SENDING, State.HANDED_OVER):
            self.doubtful += 1
            return {"state": State.IN_DOUBT, "reason": LEFT, "advice": ""}
        self.doubtful += row.state is State.IN_DOUBT
        return {}

    def _part(self, row: PartRow) -> dict[str, Any]:
        if (row.remote_id is None) != (row.receipt is None) or (row.remote_id is None) != (row.sent_at is None):
            raise self._wrong("a part is out without a receipt")
        if row.blob and row.blob not in self.files:
            raise self._wrong("the bytes of a part that is to leave are not in it")
        new_id = self._new_id("deliveries", row.delivery_id)
        if new_id in self.held:
            self.held[new_id] |= row.receipt is None
        return _written(row)

    def _attempt(self, row: AttemptRow) -> dict[str, Any]:
        """A try that was under way came to no end that is known here."""
        if row.outcome is None:
            return _written(row) | {"ended_at": self.now, "outcome": Outcome.DOUBT, "summary": LEFT}
        return _written(row)

    def _media(self, rows: Iterable[archive.MediaRow]) -> None:
        here = set(self.connection.execute(sa.select(tables.media.c.sha256)).scalars())
        self._insert("media", (_written(row) for row in rows if row.sha256 not in here))

    def _settings(self, rows: Iterable[archive.SettingRow]) -> None:
        """Preferences come along where the person has not chosen here."""
        here = set(self.connection.execute(sa.select(tables.settings.c.name)).scalars())
        hidden = {setting.name for setting in setting_rows.SETTINGS if setting.kind == "hidden"}
        for row in rows:
            if row.name in hidden:
                raise self._wrong(f"“{row.name}” is not a preference")
            if row.name not in here:
                setting_rows.write(self.connection, row.name, row.value)


def _written(row: Any) -> dict[str, Any]:
    """A row as the table takes it."""
    values = {one.name: getattr(row, one.name) for one in fields(row)}
    return {
        column: codec.encode(value) if column in JSON and value is not None else value
        for column, value in values.items()
    }


# --- copies -------------------------------------------------------------------------------------------------------


def backup(store: Store, now: datetime, target: Path | None = None, *, force: bool = False) -> Path:
    """Copies the database while it is in use, to PROFILE/backups/sendoff-YYYYMMDD-HHMMSS.db or a file of choice.

    It holds no secrets. `import_from` reads it in again, so that nothing goes out twice; store/restore.py goes back to
    it.

    Raises:
        BadInput: the file is there already (unless `force`), or can't be written there.
        SetupMissing: the disk is full. Damaged: the database is.
    """
    if target is None:
        return backups.make(store.path, backups.BY_HAND, now)
    with archive.written_whole(target, replace=force) as beside, backups.explained(target):
        store.backup(beside)
        backups.check(beside)
    return target
