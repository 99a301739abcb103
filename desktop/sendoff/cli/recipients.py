"""People for a mail: single addresses, and tables as spreadsheets and newsletter tools write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from sendoff.cli import session
from sendoff.domain.errors import BadInput
from sendoff.domain.mail import parse_recipient
from sendoff.domain.post import Recipient

ADDRESS = ("email", "e-mail", "address", "mail", "e-mail-adresse")
NAME = ("name", "full name", "fullname")


def parse(words: Iterable[str]) -> tuple[Recipient, ...]:
    """Addresses, each with or without a name.

    Raises:
        BadInput: one is no address; the message says which.
    """
    return tuple(parse_recipient(word) for word in words)


def from_csv(path: Path) -> tuple[Recipient, ...]:
    """The people of a table. Its first row names the columns: one for addresses, one for names, others for fields.

    A byte order mark, semicolons or tabs, and Windows' old encoding are taken as they come. Columns are in small
    letters, with “_” for what a {{field}} can't have.

    Raises:
        BadInput: there is no such table, no column of addresses, or a bad row; the message names its line.
    """
    data, name = session.read_bytes(path), session.named(path)
    text = _decoded(name, data)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    people: list[Recipient] = []
    columns: list[str] = []
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if columns:
                people.append(_person(row, columns, f"{name}, line {reader.line_num}"))
            else:
                columns = _columns(row, name)
    except csv.Error as wrong:
        raise BadInput(f"{name}, line {reader.line_num}: this is no table with separators ({wrong}).") from None
    if not people:
        raise BadInput(f"There is nobody in {name}. Its first line names the columns, the others are people.")
    return tuple(people)


def _decoded(name: str, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadInput(f"{name} is not a text. Save the table as CSV, in UTF-8.")


def _delimiter(text: str) -> str:
    """What stands between the columns of the first line that is not empty."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=head.count)


def _columns(row: list[str], name: str) -> list[str]:
    columns = [cell.strip().lower() for cell in row]
    if not any(column in ADDRESS for column in columns):
        raise BadInput(f"{name}: the first line has to name the columns, and one of them is “email”.")
    named = [column for column in columns if column]
    if twice := next((column for column in named if named.count(column) > 1), None):
        raise BadInput(f"{name}: there are two columns “{twice}”.")
    return columns


def _person(row: list[str], columns: list[str], where: str) -> Recipient:
    if any(cell.strip() for cell in row[len(columns) :]):
        raise BadInput(f"{where}: it has {len(row)} columns, and the first line names {len(columns)}.")
    values = {column: cell.strip() for column, cell in zip(columns, row, strict=False) if column}
    address = next(values[column] for column in values if column in ADDRESS)
    if not address:
        raise BadInput(f"{where}: there is no address.")
    try:
        found = parse_recipient(address)
    except BadInput as wrong:
        raise BadInput(f"{where}: {wrong}") from None
    name = next((values[column] for column in values if column in NAME), "") or found.name
    fields = {_field_name(column): cell for column, cell in values.items() if column not in (*ADDRESS, *NAME)}
    return Recipient(found.address, " ".join(name.split()), fields)


def _field_name(column: str) -> str:
    return "".join(character if character.isalnum() or character in "_.-" else "_" for character in column)
