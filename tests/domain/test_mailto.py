"""mailto: links: the examples of RFC 6068, and what a page could try by one."""

from __future__ import annotations

import pytest

from sendoff.domain.errors import BadInput
from sendoff.domain.mailto import LONGEST, Mailto, is_mailto, parse, plain_text

EXAMPLES = {
    # RFC 6068 section 6.1 to 6.3, in its order.
    "mailto:chris@example.com": Mailto("chris@example.com"),
    "mailto:infobot@example.com?subject=current-issue": Mailto("infobot@example.com", subject="current-issue"),
    "mailto:infobot@example.com?body=send%20current-issue": Mailto("infobot@example.com", body="send current-issue"),
    "mailto:infobot@example.com?body=send%20current-issue%0D%0Asend%20index": Mailto(
        "infobot@example.com", body="send current-issue\nsend index"
    ),
    "mailto:list@example.org?In-Reply-To=%3C3469A91.D10AF4C@example.com%3E": Mailto("list@example.org"),
    "mailto:majordomo@example.com?body=subscribe%20bamboo-l": Mailto(
        "majordomo@example.com", body="subscribe bamboo-l"
    ),
    "mailto:joe@example.com?cc=bob@example.com&body=hello": Mailto("joe@example.com", "bob@example.com", body="hello"),
    "mailto:gorby%25kremvax@example.com": Mailto("gorby%kremvax@example.com"),
    "mailto:unlikely%3Faddress@example.com?blat=foop": Mailto("unlikely?address@example.com"),
    "mailto:Mike%26family@example.org": Mailto("Mike&family@example.org"),
    "mailto:%22not%40me%22@example.org": Mailto('"not@me"@example.org'),
    "mailto:%22oh%5C%5Cno%22@example.org": Mailto('"oh\\\\no"@example.org'),
    "mailto:user@example.org?subject=caf%C3%A9": Mailto("user@example.org", subject="café"),
    "mailto:user@example.org?subject=%3D%3Futf-8%3FQ%3Fcaf%3DC3%3DA9%3F%3D": Mailto(
        "user@example.org", subject="=?utf-8?Q?caf=C3=A9?="
    ),
    "mailto:user@example.org?subject=caf%C3%A9&body=caf%C3%A9": Mailto("user@example.org", subject="café", body="café"),
    "mailto:user@%E7%B4%8D%E8%B1%86.example.org?subject=Test&body=NATTO": Mailto(
        "user@納豆.example.org", subject="Test", body="NATTO"
    ),
    # Several people, in each of the ways that section 2 allows.
    "mailto:addr1@an.example,addr2@an.example": Mailto("addr1@an.example,addr2@an.example"),
    "mailto:?to=addr1@an.example,addr2@an.example": Mailto("addr1@an.example,addr2@an.example"),
    "mailto:addr1@an.example?to=addr2@an.example": Mailto("addr1@an.example, addr2@an.example"),
    "mailto:a@b.example?cc=c@d.example%2Ce@f.example&bcc=g@h.example&CC=i@j.example": Mailto(
        "a@b.example", "c@d.example,e@f.example, i@j.example", "g@h.example"
    ),
    "MAILTO:a@b.example?SUBJECT=1%2B1=2+no%20blank": Mailto("a@b.example", subject="1+1=2+no blank"),
    "mailto:": Mailto(),
}


@pytest.mark.parametrize(("link", "found"), EXAMPLES.items())
def test_a_link_fills_the_fields(link: str, found: Mailto) -> None:
    assert is_mailto(link)
    assert parse(link) == found


@pytest.mark.parametrize(
    "link",
    [
        "mailto:a@b.example%0D%0ABcc:everybody@b.example",
        "mailto:a@b.example?subject=Hello%0ABcc:%20everybody@b.example",
        "mailto:a@b.example?subject=Hello%0D",
        "mailto:a@b.example?cc=c@d.example%0d%0aX-Header:1",
        "mailto:a@b.example?to=%00c@d.example",
        "mailto:a@b.example?bcc=c@d.example%E2%80%A8e@f.example",
        "mailto:a@b.example?subject=one\ntwo",
        "mailto:a@b.example?%73ubject=one%0Atwo",
    ],
)
def test_line_breaks_in_a_field_are_refused(link: str) -> None:
    with pytest.raises(BadInput, match="Nothing was taken from it"):
        parse(link)


def test_what_a_page_must_not_decide_is_left_out() -> None:
    link = (
        "mailto:a@b.example?attach=/etc/passwd&attachment=file:///etc/passwd&from=boss@b.example&X-Mailer=x&subject=y"
    )
    assert parse(link) == Mailto("a@b.example", subject="y")


def test_a_text_keeps_its_lines_and_loses_what_cannot_be_seen() -> None:
    assert plain_text("one\r\ntwo\rthree\tfour\x00\x1b[31m") == "one\ntwo\nthree\tfour[31m"
    with pytest.raises(BadInput, match="100,000 characters"):
        plain_text("x" * (LONGEST + 1))
    with pytest.raises(BadInput, match="100,000 characters"):
        parse("mailto:a@b.example?body=" + "x" * LONGEST)
    with pytest.raises(BadInput, match="no mailto"):
        parse("https://example.org")
