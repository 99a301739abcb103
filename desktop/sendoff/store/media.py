"""Files that go along with posts: copied once, named by their content, so that what was chosen is what is sent."""

from __future__ import annotations

import codecs
import hashlib
import mimetypes
import os
import re
import stat
from collections.abc import Iterable, Set
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.errors import BadInput, NotFound
from sendoff.domain.post import CAPTIONS, Attachment, Copy, Post, Role
from sendoff.store import backups, codec, pictures, smaller
from sendoff.store.readable import is_readable
from sendoff.store.secrets import replace_file
from sendoff.store.tables import media, parts, posts, variants

LARGEST = 1 << 30
"""Bytes. Larger files are no attachment of any service that Sendoff knows."""

LOOKED_THROUGH = 20
"""How many posts with the same picture are looked through for its alt text."""

KEPT_UNUSED = timedelta(days=backups.DAYS, weeks=backups.WEEKS)
"""How long a file stays that no post names: as long as a daily copy of the database that may still name it."""


class Media:
    """The folder of files, by sha256, in two letters' subfolders; everything 0600."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "media"

    def path(self, sha256: str) -> Path:
        """Where the bytes are.

        Raises:
            NotFound: they are gone from this profile.
        """
        found = self._place(sha256)
        if not found.exists():
            raise NotFound("A file of this post is missing from Sendoff’s folder. Attach it again.")
        return found

    def file(self, attachment: Attachment) -> Path:
        return self.path(attachment.sha256)

    def keep(self, data: bytes) -> str:
        """Stores bytes, durably, and returns their name."""
        sha256 = hashlib.sha256(data).hexdigest()
        place = self._place(sha256)
        if place.exists():
            place.touch()  # it is wanted again: see `sweep`
        else:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(place, data)
        return sha256

    def read(self, sha256: str) -> bytes:
        return self.path(sha256).read_bytes()

    def discard(self, sha256: str) -> None:
        self._place(sha256).unlink(missing_ok=True)

    def sweep(self, wanted: Set[str], now: datetime) -> set[str]:
        """Deletes the files that have not been wanted for KEPT_UNUSED, and returns their names.

        A file's time says when it was wanted last: what is wanted now gets it anew.
        """
        gone, oldest = set(), (now - KEPT_UNUSED).timestamp()
        for file in self._folder.glob("??/*"):
            with suppress(FileNotFoundError):
                if file.name in wanted:
                    os.utime(file, (now.timestamp(), now.timestamp()))
                elif file.stat().st_mtime < oldest:
                    file.unlink()
                    gone.add(file.name)
        return gone

    def names(self) -> set[str]:
        return {file.name for file in self._folder.glob("??/*")} if self._folder.exists() else set()

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def attach(
        self, source: Path, *, role: Role = Role.MEDIA, alt: str = "", strip_location: bool = True
    ) -> Attachment:
        """Copies a file of the person's and describes it. Later changes to their file change nothing here.

        Raises:
            BadInput: it cannot be read, is no file, is empty or too large.
        """
        data = _read_once(source)
        mime = mimetypes.guess_type(source.name)[0] or "application/octet-stream"
        return self.attach_bytes(data, source.name, mime, role=role, alt=alt, strip_location=strip_location)

    def attach_bytes(
        self, data: bytes, name: str, mime: str, *, role: Role = Role.MEDIA, alt: str = "", strip_location: bool = True
    ) -> Attachment:
        """The same for bytes that come from the clipboard or a drop."""
        if data.removeprefix(codecs.BOM_UTF8)[:6] == b"WEBVTT":  # W3C, WebVTT, section 4.1
            mime = CAPTIONS
        elif mime == CAPTIONS:
            mime = "text/plain"
        picture = pictures.look(data)
        if picture:
            mime = picture.mime
            if strip_location:
                data = pictures.without_location(data, mime)
        return Attachment(
            sha256=self.keep(data),
            name=_clean_name(name),
            mime=mime,
            size=len(data),
            alt=alt,
            role=role,
            width=picture.width if picture else None,
            height=picture.height if picture else None,
            unreadable=role is not Role.ATTACHMENT and not is_readable(data, mime),
        )

    def fit(self, attachment: Attachment, figures: Capabilities) -> Attachment:
        """The same with one more copy, which fits an endpoint with these figures. The original stays as it is.

        Raises:
            NotFound: it is gone from this profile. BadInput: nothing that fits can be made of it.
        """
        made = smaller.made_to_fit(self.read(attachment.sha256), attachment.mime, figures)
        copy = Copy(self.keep(made.data), made.mime, len(made.data), made.width, made.height)
        return replace(attachment, copies=(*attachment.copies, copy))


def _read_once(source: Path) -> bytes:
    """Opens a file once and reads what was opened: nobody can swap it in between."""
    try:
        descriptor = os.open(
            source.resolve(strict=True), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        )
    except OSError as wrong:
        raise BadInput(f"{source} can’t be attached: {wrong.strerror}.") from None
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
        os.close(descriptor)
        why = "it is larger than a gigabyte. Share it as a link" if stat.S_ISREG(about.st_mode) else "it is not a file"
        raise BadInput(f"{source} can’t be attached: {why}.")
    try:
        with os.fdopen(descriptor, "rb") as file:
            data = file.read()
    except OSError as wrong:  # a drive or a share that went away
        raise BadInput(f"{source} can’t be attached: {wrong.strerror}.") from None
    if not data:
        raise BadInput(f"{source.name} is empty.")
    return data


def _clean_name(name: str) -> str:
    """A file name without folders and control characters; any script stays."""
    kept = "".join(character for character in name.replace("\\", "/").rsplit("/", 1)[-1] if character.isprintable())
    return kept.strip(" .")[:200] or "file"


def record(connection: sa.Connection, attachments: tuple[Attachment, ...], now: datetime) -> None:
    """Notes which files the posts of this profile use."""
    named = {one.sha256: one for one in attachments}
    known = set(connection.execute(sa.select(media.c.sha256).where(media.c.sha256.in_(named))).scalars())
    rows = [
        {"sha256": one.sha256, "mime": one.mime, "size": one.size, "created_at": now}
        for one in named.values()
        if one.sha256 not in known
    ]
    if rows:
        connection.execute(sa.insert(media), rows)


def used(connection: sa.Connection, unsaved: Iterable[Post]) -> set[str]:
    """The files that posts name, also in changes that are not saved yet, and the frozen bytes of parts."""
    found = set(connection.execute(sa.select(parts.c.blob).where(parts.c.blob.is_not(None))).scalars())
    for column in (posts.c.content, variants.c.content):
        for text in connection.execute(sa.select(column).where(column.contains("sha256"))).scalars():
            found.update(_SHA256.findall(text))
    for post in unsaved:
        contents = (post.content, *(variant.content for variant in post.variants if variant.content))
        found.update(one.sha256 for content in contents for one in content.files)
    return found


def described(connection: sa.Connection, sha256: str) -> str:
    """The alt text that the latest post with this picture gave it, or ""."""
    if connection.execute(sa.select(media.c.sha256).where(media.c.sha256 == sha256)).first() is None:
        return ""  # no post ever had it, so none has to be looked through
    own = sa.select(variants.c.content, posts.c.updated_at).join(posts, posts.c.id == variants.c.post_id)
    everyone = sa.select(posts.c.content, posts.c.updated_at)
    named = sa.union_all(
        *(
            one.where(column.contains(sha256))
            for one, column in ((everyone, posts.c.content), (own, variants.c.content))
        )
    ).subquery()
    rows = connection.execute(sa.select(named.c.content).order_by(named.c.updated_at.desc()).limit(LOOKED_THROUGH))
    found = (one for text in rows.scalars() for one in codec.content(text).attachments)
    return next((one.alt for one in found if one.sha256 == sha256 and one.alt.strip()), "")


def forget(connection: sa.Connection, names: Iterable[str]) -> None:
    """Takes files that are gone off the list."""
    connection.execute(sa.delete(media).where(media.c.sha256.in_(list(names))))


_SHA256 = re.compile(r'"([0-9a-f]{64})"')
