"""A request's address, headers and body from a template: each value escaped as the place it stands in demands."""

from __future__ import annotations

import base64
import difflib
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput
from sendoff.domain.post import Attachment, Item
from sendoff.domain.text import FIELD, LINK, TAG

FIELDS: Mapping[str, str] = {
    "text": "what the post says",
    "escaped": "the same with & < > as entities",
    "html": "the same as HTML",
    "title": "its title",
    "link": "its link: the one that was named, else the first in the text",
    "tags": "the hashtags in the text",
    "alt": "the description of its first picture",
    "media": "its pictures and videos (multipart or raw)",
    "file_base64": "the first picture or video in base64",
    "file_name": "a name for it, without meaning",
    "file_type": "its MIME type",
    "id": "an id of Sendoff’s own, the same in every try",
    "number": "which item of a thread it is, from 1",
    "of": "how many items there are",
    "previous_id": "the id of the item before it",
    "previous_url": "where the item before it is",
    "time": "the planned time, ISO 8601 in UTC",
    "unix": "the same in seconds since 1970",
    "account": "the account’s name in Sendoff",
    "secret": "the key of the account",
}
"""Every field that a template may name, with what it is."""

FILES = frozenset({"media", "file_base64", "file_name", "file_type", "alt"})
"""Fields that need a picture or video."""

Value = str | int | list[str]


class Missing(BadInput):
    """A field that the post has no value for, and the template no other."""


@dataclass(frozen=True, slots=True)
class Values:
    """What the fields of a template stand for, for one part. `known` lacks those that the post has no value for."""

    known: Mapping[str, Value]
    media: tuple[Attachment, ...] = ()
    file: Callable[[Attachment], Path] | None = None
    secret: str = field(default="", repr=False)

    def get(self, name: str, fallback: str | None) -> Value | None:
        """The value; the fallback, or None where that is empty and the value is missing.

        Raises:
            Missing: there is neither.
        """
        if name == "secret":
            return self.secret
        found = self._encoded() if name == "file_base64" and self.media else self.known.get(name)
        if found is None and fallback is None:
            raise Missing(_wanting(name))
        return (fallback or None) if found is None else found

    def words(self, name: str, fallback: str | None) -> str:
        """The value as text; a list with commas between."""
        found = self.get(name, fallback)
        return ",".join(found) if isinstance(found, list) else "" if found is None else str(found)

    def path(self, one: Attachment) -> Path:
        if self.file is None:
            raise Missing(_wanting("media"))
        return self.file(one)

    def _encoded(self) -> str:
        return base64.b64encode(self.path(self.media[0]).read_bytes()).decode()


def values(
    item: Item,
    options: Mapping[str, str],
    *,
    key: str,
    number: int,
    of: int,
    planned_at: datetime,
    account: str,
    previous: Receipt | None = None,
    secret: str = "",
    file: Callable[[Attachment], Path] | None = None,
) -> Values:
    """The values for one item of a post."""
    media = item.shown
    links = LINK.findall(item.text)
    known: dict[str, Value | None] = {
        "text": item.text,
        "escaped": html.escape(item.text, quote=False),
        "html": html.escape(item.text, quote=False).replace("\n", "<br>"),
        "title": options.get("title", "").strip() or None,
        "link": options.get("link", "").strip() or (links[0] if links else None),
        "tags": [tag.lstrip("#＃") for tag in TAG.findall(item.text)],
        "alt": (media[0].alt or None) if media else None,
        "file_name": file_name(media[0]) if media else None,
        "file_type": media[0].mime if media else None,
        "id": key,
        "number": number,
        "of": of,
        "previous_id": previous.remote_id if previous else None,
        "previous_url": (previous.url or None) if previous else None,
        "time": f"{planned_at:%Y-%m-%dT%H:%M:%SZ}",
        "unix": int(planned_at.timestamp()),
        "account": account,
    }
    there = {name: value for name, value in known.items() if value is not None}
    return Values(there, media, file, secret)


def of_parcel(parcel: Parcel, secret: str) -> Values:
    """The values for a part. The planned time is the one that was frozen with it: every try says the same."""
    frozen = parcel.frozen.get("planned_at")
    planned_at = datetime.fromisoformat(frozen) if isinstance(frozen, str) else parcel.planned_at
    return values(
        parcel.item, parcel.options, key=parcel.key, number=parcel.number, of=parcel.of, planned_at=planned_at,
        account=parcel.account.name, previous=parcel.previous[-1] if parcel.previous else None, secret=secret,
        file=parcel.file,
    )  # fmt: skip


def file_name(one: Attachment) -> str:
    """A name that says the kind alone; what the person called the file is nobody's business."""
    suffix = re.search(r"\.[A-Za-z0-9]{1,5}$", one.name)
    return f"file{suffix[0] if suffix else ''}"


def _wanting(name: str) -> str:
    if name in FILES:
        return f"It needs a picture or video, because the request has {{{{{name}}}}}."
    if name in ("previous_id", "previous_url"):
        return f"The request has {{{{{name}}}}}, and nothing comes before it. Write {{{{{name}|}}}} there."
    what = FIELDS[name].split(":")[0]
    return f"It needs {what}, because the request has {{{{{name}}}}}."


# --- reading a template -------------------------------------------------------------------------------------------


def names(text: str) -> list[str]:
    """The fields that a template names, in order."""
    return [hit[1] for hit in FIELD.finditer(text)]


def check(text: str, *, loose: bool = False, without: Sequence[str] = ("media",)) -> str:
    """The template, if every field in it is known and every brace has its partner.

    Args:
        loose: braces that close nothing are part of the text.
        without: fields that have no place here.

    Raises:
        BadInput: it has a field that there is not; the message says which is meant.
    """
    for name in names(text):
        if name not in FIELDS:
            close = difflib.get_close_matches(name, FIELDS, 1, 0.5)
            meant = f"Did you mean {{{{{close[0]}}}}}?" if close else f"There are: {', '.join(FIELDS)}."
            raise BadInput(f"There is no field {{{{{name}}}}}. {meant}")
        if name in without:
            raise BadInput(f"{{{{{name}}}}} has no place here: it is {FIELDS[name]}.")
    rest = FIELD.sub("", text)
    if "{{" in rest or ("}}" in rest and not loose):
        at = rest.find("{{") if "{{" in rest else rest.find("}}")
        raise BadInput(f"“{rest[at : at + 20]}” is no field. A field is written like {{{{text}}}}.")
    return text


def fill(template: str, given: Values, escape: Callable[[str], str] = str) -> str:
    """The template with each field's value, escaped, in its place.

    Raises:
        Missing: the post has no value for one.
    """
    return FIELD.sub(lambda hit: escape(given.words(hit[1], hit[2])), template)


def in_address(value: str) -> str:
    """For one segment of a path or one value of a query (RFC 3986): nothing in it can end either.

    Raises:
        Missing: it would be a step up in the path, or no segment at all.
    """
    if value in (".", ".."):
        raise Missing(f"“{value}” can’t stand in the address.")
    return quote(value, safe="")


def in_header(value: str) -> str:
    """For a header (RFC 9110 section 5.5).

    Raises:
        Missing: it holds a line break or another sign that can't stand there.
    """
    if not (value.isascii() and value.isprintable()):
        raise Missing(f"“{' '.join(value.split())[:30]}” can’t stand in a header: only plain ASCII on one line can.")
    return value.strip()


# --- bodies -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body; files in it are read from the disk while it is sent."""

    content_type: str
    pieces: tuple[bytes | Path, ...] = ()

    def __len__(self) -> int:
        return sum(len(one) if isinstance(one, bytes) else one.stat().st_size for one in self.pieces)

    def __iter__(self) -> Iterator[bytes]:
        for one in self.pieces:
            if isinstance(one, bytes):
                yield one
                continue
            with one.open("rb") as file:
                while block := file.read(16_384):
                    yield block

    def whole(self) -> bytes:
        return b"".join(self)

    @property
    def has_files(self) -> bool:
        return any(isinstance(one, Path) for one in self.pieces)


class Template:
    """The body of a request, before there is a post.

    Args:
        kind: none, json, form, multipart, xml or raw.
        content_type: of a raw body; "" plain text, or the file's own.

    Raises:
        BadInput: it can't be read as that kind.
    """

    def __init__(self, kind: str, text: str, content_type: str = "") -> None:
        self.kind, self.text, self._content_type = kind, text, content_type
        self.json: Any = None
        self.pairs: list[tuple[str, str]] = []
        if kind == "json":
            self.json = _parsed(text)
            for one in _strings(self.json):
                check(one)
        elif kind in ("form", "multipart"):
            self.pairs = [_pair(line) for line in text.splitlines() if line.strip()]
            for name, value in self.pairs:
                _no_field(name)
                is_file = kind == "multipart" and _is_media(value)
                check(value, without=() if is_file else ("media",))
        elif kind != "none":
            check(text, loose=True, without=() if kind == "raw" and _is_media(text) else ("media",))
        if kind not in ("none", "raw") and not text.strip():
            raise BadInput("The body is empty. Write one with the post’s fields in it, like {{text}}.")

    @property
    def named(self) -> list[str]:
        """The fields in it."""
        return [] if self.kind == "none" else names(self.text)

    @property
    def media(self) -> int:
        """How many pictures or videos a request takes along."""
        if "media" in self.named and self.kind == "multipart":
            return 10
        return int(bool(FILES.intersection(self.named)))

    def body(self, given: Values) -> Body | None:
        """The body for a part; None where there is none.

        Raises:
            Missing: the post has no value for a field.
        """
        if self.kind == "none":
            return None
        if self.kind == "json":
            made = json.dumps(_filled(self.json, given), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            return Body("application/json", (made.encode(),))
        if self.kind == "form":
            pairs = [(name, fill(value, given)) for name, value in self.pairs if not left_out(value, given)]
            return Body("application/x-www-form-urlencoded", (urlencode(pairs).encode(),))
        if self.kind == "multipart":
            return self._multipart(given)
        if self.kind == "xml":
            return Body("application/xml", (fill(self.text, given, _in_xml).encode(),))
        if _is_media(self.text):
            if not given.media:
                raise Missing(_wanting("media"))
            return Body(self._content_type or given.media[0].mime, (given.path(given.media[0]),))
        return Body(self._content_type or "text/plain; charset=utf-8", (fill(self.text, given).encode(),))

    def _multipart(self, given: Values) -> Body:
        """multipart/form-data (RFC 7578). Its boundary follows from the part's id, so that every try is the same."""
        boundary = hashlib.sha256(f"boundary {given.known['id']}".encode()).hexdigest()[:32]
        pieces: list[bytes | Path] = []
        for name, value in self.pairs:
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
            if _is_media(value):
                if not given.media and given.get("media", _fallback(value)) is None:
                    continue
                for one in given.media:
                    start = f'{head}; filename="{file_name(one)}"\r\nContent-Type: {one.mime}\r\n\r\n'
                    pieces += [start.encode(), given.path(one), b"\r\n"]
            elif not left_out(value, given):
                pieces.append(f"{head}\r\n\r\n{fill(value, given)}\r\n".encode())
        return Body(f"multipart/form-data; boundary={boundary}", (*pieces, f"--{boundary}--\r\n".encode()))


def _parsed(text: str) -> Any:
    def refuse(word: str) -> None:
        raise BadInput(f"The body is no JSON: {word} has no place in it.")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as wrong:
        raise BadInput(
            f"The body is no JSON: line {wrong.lineno}, column {wrong.colno}: {wrong.msg}. "
            'Fields stand inside quotes: {"text": "{{text}}"}.'
        ) from None
    except RecursionError:
        raise BadInput("The body is no JSON: it is nested too deeply.") from None


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for one in node:
            yield from _strings(one)
    elif isinstance(node, dict):
        for name, one in node.items():
            _no_field(name)
            yield from _strings(one)


def _no_field(name: str) -> None:
    if "{{" in name:
        raise BadInput(f"“{name}”: a field can’t stand in a name, only in a value.")


def _filled(node: Any, given: Values) -> Any:
    """The structure with its strings filled in. A string that is one field alone becomes that field's own type, and
    goes out of its object or list where the value is missing and the field may be: {{title|}}."""
    if isinstance(node, str):
        alone = FIELD.fullmatch(node)
        return given.get(alone[1], alone[2]) if alone else fill(node, given)
    if isinstance(node, list):
        return [_filled(one, given) for one in node if not left_out(one, given)]
    if isinstance(node, dict):
        return {name: _filled(one, given) for name, one in node.items() if not left_out(one, given)}
    return node


def left_out(node: Any, given: Values) -> bool:
    """Whether this is one field alone that may be missing, and is."""
    alone = FIELD.fullmatch(node) if isinstance(node, str) else None
    return alone is not None and alone[2] == "" and given.get(alone[1], "") is None


def _pair(line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals or not name.strip():
        raise BadInput(
            f"“{line.strip()[:40]}” is no line of a form. Write each as name=value, like status={{{{text}}}}."
        )
    return name.strip(), value.strip()


def _is_media(value: str) -> bool:
    alone = FIELD.fullmatch(value.strip())
    return alone is not None and alone[1] == "media"


def _fallback(value: str) -> str | None:
    alone = FIELD.fullmatch(value.strip())
    return alone[2] if alone else None


def _quoted(name: str) -> str:
    """A name as the HTML standard escapes it in a form's part."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _in_xml(value: str) -> str:
    """For text and attributes (XML 1.0 sections 2.2 and 2.4); what XML can't hold at all goes out."""
    return html.escape(_NOT_XML.sub("", value), quote=True)


# --- places in an answer ------------------------------------------------------------------------------------------

POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")


def checked_place(place: str) -> str:
    """Where something is in an answer: a JSON pointer (RFC 6901), or "header:Location".

    Raises:
        BadInput: it is neither.
    """
    if place.lower().startswith("header:") and re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", place[7:].strip()):
        return place
    if not POINTER.fullmatch(place):
        raise BadInput(f"“{place}” is no place in an answer. Write it like /data/id, or like header:Location.")
    return place


NOTHING = object()


def at(document: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) leads to; NOTHING where there is nothing."""
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and re.fullmatch("0|[1-9][0-9]{0,8}", step) and int(step) < len(document):
            document = document[int(step)]
        else:
            return NOTHING
    return document


def as_words(found: Any) -> str:
    """A value of an answer as it is compared and kept: text and numbers, true and false; "" for all else."""
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, (str, int, float)) else ""
