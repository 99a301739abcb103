"""Tables of people, as spreadsheets and newsletter tools write them, and as they break."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendoff.cli.recipients import from_csv
from sendoff.domain.errors import BadInput

GOOD = {
    "plain": b"email,name\nada@x.org,Ada\nbob@x.org,Bob\n",
    "no end of line": b"email,name\nada@x.org,Ada\nbob@x.org,Bob",
    "byte order mark": b"\xef\xbb\xbfemail,name\nada@x.org,Ada\nbob@x.org,Bob\n",
    "semicolons": b"email;name\r\nada@x.org;Ada\r\nbob@x.org;Bob\r\n",
    "tabs": b"email\tname\nada@x.org\tAda\nbob@x.org\tBob\n",
    "utf-16, as Excel's Unicode text": "email\tname\nada@x.org\tAda\nbob@x.org\tBob\n".encode("utf-16"),
    "other names, other order": b"Full Name, E-Mail \nAda,ada@x.org\nBob,bob@x.org\n",
    "empty lines": b"\n\nemail,name\n\nada@x.org,Ada\n,\nbob@x.org,Bob\n\n",
    "names in the address": b'address\nAda <ada@x.org>\n"Bob <bob@x.org>"\n',
    "quotes": b'email,name\n"ada@x.org","Ada"\n"bob@x.org","Bob"\n',
    "empty columns behind": b"email,name,,\nada@x.org,Ada,,\nbob@x.org,Bob,,\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_good_tables(tmp_path: Path, name: str) -> None:
    table = tmp_path / "people.csv"
    table.write_bytes(GOOD[name])
    assert [(one.address, one.name) for one in from_csv(table)] == [("ada@x.org", "Ada"), ("bob@x.org", "Bob")]


def test_other_columns_fill_fields(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_bytes('email;Straße/Nr;Ort\nada@x.org;"Am Platz; 1";Köln\nbob@x.org;Ring 2\n'.encode("cp1252"))
    assert [dict(one.fields) for one in from_csv(table)] == [
        {"straße_nr": "Am Platz; 1", "ort": "Köln"},
        {"straße_nr": "Ring 2"},
    ]


BAD = {
    "nothing": (b"", "There is nobody in"),
    "a head alone": (b"email,name\n", "There is nobody in"),
    "no head": (b"ada@x.org,Ada\n", "one of them is “email”"),
    "two columns of one name": (b"email,town,Town\na@x.org,b,c\n", "two columns “town”"),
    "no address": (b"email,name\nada@x.org,Ada\n,Bob\n", "line 3: there is no address"),
    "a bad address": (b"email,name\n\nada@x.org,Ada\nbob,Bob\n", "line 4: “bob” is not a mail address"),
    "a cell too many": (b"email,name\nada@x.org,Lovelace,Ada\n", "line 2: it has 3 columns"),
    "an open quote": (b'email,name\n"ada@x.org,Ada\n', "no table with separators"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a text"),
    "half utf-16": (b"\xff\xfee\0m", "not a text"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables_name_the_line(tmp_path: Path, name: str) -> None:
    table = tmp_path / "people.csv"
    table.write_bytes(BAD[name][0])
    with pytest.raises(BadInput) as wrong:
        from_csv(table)
    assert BAD[name][1] in str(wrong.value)
    assert "people.csv" in str(wrong.value)
