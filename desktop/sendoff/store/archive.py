"""The file that a profile is exported to: a zip of JSON lines with a version, media by their content, and a README."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Any

import msgspec

from sendoff.domain.account import AccountState
from sendoff.domain.delivery import Outcome, Receipt, State
from sendoff.domain.errors import BadInput, SetupMissing
from sendoff.domain.limits import size_text
from sendoff.domain.post import Content
from sendoff.store import backups
from sendoff.store.media import LARGEST

FORMAT = 1
"""The version of what is written here. A file with a greater one is refused."""

LONGEST_LINE = 64 << 20
"""Bytes of one row. No post is that long; a file that claims so was made to fill a memory."""

MOST_FILES, MOST_ROWS = 500_000, 5_000_000
"""Files in an export, and rows in one table of it. Nobody's profile has so many."""

Id = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, msgspec.Meta(min_length=1)]
Wall = Annotated[datetime, msgspec.Meta(tz=False)]


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    id: Id
    name: Name


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account without its secret, and without the name under which the keychain knows it."""

    id: Id
    workspace_id: Id
    channel: Name
    name: Name
    handle: str
    url: str
    settings: dict[str, str]
    learned: dict[str, Any]
    state: AccountState
    reason: str
    spacing: Annotated[float, msgspec.Meta(ge=0, le=86_400)]
    last_sent_at: Instant | None
    created_at: Instant
    removed_at: Instant | None


@dataclass(frozen=True, slots=True)
class PostRow:
    id: Id
    workspace_id: Id
    content: Content
    version: Id
    plan_words: str
    plan_zone: str
    plan_late: str
    is_draft: bool
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class VariantRow:
    post_id: Id
    account_id: Id
    content: Content | None
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    id: Id
    post_id: Id
    account_id: Id
    state: State
    planned_at: Instant
    wall: Wall
    zone: Name
    fold: Annotated[int, msgspec.Meta(ge=0, le=1)]
    due_at: Instant
    late: str
    give_up_at: Instant
    tries: Count
    version: Id
    reason: str
    advice: str
    began_at: Instant | None
    sent_at: Instant | None
    acknowledged: bool
    created_at: Instant


@dataclass(frozen=True, slots=True)
class PartRow:
    id: Id
    delivery_id: Id
    number: Id
    item: Count
    first: Count
    count: Count
    key: Name
    frozen: dict[str, Any] | None
    blob: Sha256 | None
    prepared: dict[str, Any] | None
    prepared_at: Instant | None
    remote_id: Name | None
    receipt: Receipt | None
    sent_at: Instant | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    id: Id
    part_id: Id
    delivery_id: Id
    number: Count
    owner: str
    began_at: Instant
    ended_at: Instant | None
    outcome: Outcome | None
    status: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | None
    summary: str
    request: str
    answer: str
    written: Count = 0  # the version of the post that it carried; the first exports did not have it


@dataclass(frozen=True, slots=True)
class EventRow:
    id: Id
    delivery_id: Id
    at: Instant
    kind: Name
    recipient: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReadingRow:
    part_id: Id
    at: Instant
    is_there: bool
    likes: Count | None
    reposts: Count | None
    replies: Count | None
    quotes: Count | None
    views: Count | None


@dataclass(frozen=True, slots=True)
class MediaRow:
    sha256: Sha256
    mime: str
    size: Count
    created_at: Instant


@dataclass(frozen=True, slots=True)
class SettingRow:
    name: Name
    value: str


ROWS: Mapping[str, type] = {
    "workspaces": WorkspaceRow,
    "accounts": AccountRow,
    "posts": PostRow,
    "variants": VariantRow,
    "deliveries": DeliveryRow,
    "parts": PartRow,
    "attempts": AttemptRow,
    "events": EventRow,
    "readings": ReadingRow,
    "media": MediaRow,
    "settings": SettingRow,
}
"""The shapes of the rows, by table, in an order in which every row points backwards only."""

CAME_LATER = frozenset({"readings"})
"""Tables that the first exports of this version of the format did not have."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the file says of itself. `missing` are media that were gone when it was written."""

    format: int
    program: str
    exported_at: Instant
    counts: dict[str, int]
    missing: tuple[Sha256, ...] = ()


_README = """\
This is an export of Sendoff: accounts, posts, their deliveries with receipts, preferences and media.

manifest.json     the version of this format, and how many rows there are
data/*.jsonl      one file for each table, one JSON object a line; times are UTC, beside them the wall time and zone
media/            the files of the posts, each named by the SHA-256 of its content

There are no passwords, keys or tokens in here: those are in the keychain of the computer it was written on.
What people wrote and to whom it went is in here, so keep it as private as the posts themselves.

To read it in:  sendoff import FILE
Accounts then ask for a sign-in, and everything that was still to come is held. Nothing is sent by importing.
"""


# --- written ------------------------------------------------------------------------------------------------------


class Writer(AbstractContextManager["Writer"]):
    """Writes an archive row by row; leaving its context ends the file."""

    def __init__(self, file: IO[bytes], now: datetime) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._stamp = now.timetuple()[:6]
        self._encode = msgspec.json.Encoder().encode

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def rows(self, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Writes one table and says how many rows it had."""
        written = 0
        with self._zip.open(self._info(f"data/{table}.jsonl"), "w", force_zip64=True) as file:
            for row in rows:
                file.write(self._encode(row) + b"\n")
                written += 1
        return written

    def file(self, sha256: str, source: Path) -> None:
        """Copies a media file in; most are compressed already."""
        info = self._info(f"media/{sha256}", zipfile.ZIP_STORED)
        with self._zip.open(info, "w", force_zip64=True) as target, source.open("rb") as file:
            while block := file.read(1 << 20):
                target.write(block)

    def finish(self, manifest: Manifest) -> None:
        """Writes what the file says of itself."""
        text = msgspec.json.format(self._encode(manifest), indent=2)
        self._zip.writestr(self._info("manifest.json"), text)
        self._zip.writestr(self._info("README.txt"), _README)

    def _info(self, name: str, compression: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._stamp)
        info.compress_type = compression
        info.external_attr = 0o600 << 16
        return info


@contextmanager
def written_whole(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A private file beside the target that takes its place at the end, or leaves nothing behind.

    Raises:
        BadInput: the target is there already (unless `replace`), or its folder is not.
        SetupMissing: the disk did not take it.
    """
    if target.exists() and not replace:
        raise BadInput(f"{target} is there already. Choose another name, or add --force to replace it.")
    beside = target.with_name(f".{target.name}.new")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, target)
        backups.sync(target.parent)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError, FileExistsError) as wrong:
        raise BadInput(f"{target} can’t be written: {wrong.strerror}. Choose another place.") from None
    except OSError as wrong:
        raise SetupMissing(
            f"{target} can’t be written: {wrong.strerror}. Make room, or choose another place."
        ) from None
    finally:
        if beside.parent.is_dir():
            beside.unlink(missing_ok=True)


# --- read ---------------------------------------------------------------------------------------------------------


class Reader:
    """Reads an archive, believing nothing of it. Every mistake in the file is a BadInput that says where.

    Args:
        name: what to call the file in those sentences.
        room: how many bytes there is room for.
    """

    def __init__(self, source: Path, name: Path, room: int) -> None:
        self._source = name
        self._room = room
        self._table: IO[bytes] | None = None
        with self._understood():
            self._zip = zipfile.ZipFile(source)
        try:
            self._check_size()
            self.manifest = self._manifest()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._table:
            self._table.close()
        self._zip.close()

    def _check_size(self) -> None:
        """Looks how much there is before anything is unpacked. No member gives more than it claims to have."""
        members = self._zip.infolist()
        size = sum(one.file_size for one in members)
        if len(members) > MOST_FILES:
            raise BadInput(f"{self._source} has {len(members)} files in it. That is no export.")
        if size > self._room:
            raise BadInput(
                f"{self._source} unpacks to {size_text(size)}, and there is room for {size_text(self._room)}. "
                "Make room if it is an export of yours. Nothing was imported."
            )

    def _manifest(self) -> Manifest:
        with self._understood():
            text = self._member("manifest.json", LONGEST_LINE)
            version = msgspec.json.decode(text, type=dict[str, Any]).get("format")
        if not isinstance(version, int) or version < 1:
            raise BadInput(f"{self._source} does not say which version of an export it is.")
        if version > FORMAT:
            raise SetupMissing(
                f"{self._source} was written by a newer Sendoff (format {version}, this one reads {FORMAT}). "
                "Update Sendoff, then import it. Nothing was changed."
            )
        with self._understood():
            return msgspec.json.decode(text, type=Manifest)

    def _member(self, name: str, largest: int) -> bytes:
        info = self._zip.getinfo(name)
        if info.file_size > largest:
            raise BadInput(f"{self._source} claims a {name} of {size_text(info.file_size)}. That is no export.")
        return self._zip.read(info)

    def rows(self, table: str) -> Iterator[Any]:
        """The rows of one table, each checked against its shape."""
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ROWS[table])
        if table in CAME_LATER and f"data/{table}.jsonl" not in self._zip.namelist():
            return
        with self._understood():
            self._table = self._zip.open(f"data/{table}.jsonl")
        with self._table as file:
            number = 0
            while line := self._line(file):
                number += 1
                if number > MOST_ROWS:
                    raise BadInput(f"{self._source} has more than {MOST_ROWS} {table} in it. That is no export.")
                with self._understood(f", {table} line {number}"):
                    row = decoder.decode(line)
                yield row

    def _line(self, file: IO[bytes]) -> bytes:
        with self._understood():
            line = file.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE:
            raise BadInput(f"{self._source} has a line of more than {size_text(LONGEST_LINE)}. That is no export.")
        return line

    def media(self) -> list[str]:
        """The names of the media files that are in it."""
        return [one.removeprefix("media/") for one in self._zip.namelist() if one.startswith("media/")]

    def file(self, sha256: str) -> bytes:
        """A media file, compared with its name."""
        with self._understood():
            data = self._member(f"media/{sha256}", LARGEST)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BadInput(f"{self._source} is damaged: {sha256} is not the file that it was. Nothing was imported.")
        return data

    @contextmanager
    def _understood(self, where: str = "") -> Iterator[None]:
        """Turns what can go wrong with a foreign file into one sentence."""
        try:
            yield
        except FileNotFoundError:
            raise BadInput(f"There is no file {self._source}.") from None
        except zipfile.BadZipFile:
            raise BadInput(f"{self._source} is not an export of Sendoff, or it is damaged.") from None
        except KeyError as missing:
            raise BadInput(f"{self._source} is not a whole export of Sendoff: {missing.args[0]}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
            raise BadInput(f"{self._source}{where} can’t be read: {wrong}. Nothing was imported.") from None
        except (OSError, EOFError, zlib.error, NotImplementedError, RuntimeError) as wrong:
            why = getattr(wrong, "strerror", None) or str(wrong)
            raise BadInput(f"{self._source} can’t be read: {why}. Nothing was imported.") from None
