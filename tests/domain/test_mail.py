"""What a mail says to one person."""

from __future__ import annotations

import pytest

from sendoff.domain.errors import BadInput
from sendoff.domain.mail import parse_recipient, parse_recipients, placeholders, plain_from_html, render
from sendoff.domain.post import Content, Item, Mail, Markup, Recipient
from sendoff.domain.safe_html import sanitised

ADA = Recipient("ada@example.org", "Ada <3", {"City": "Köln"})


def content(text: str, **fields: object) -> Content:
    return Content((Item(text),), Mail(**fields))  # type: ignore[arg-type]


def test_fields_are_filled_for_one_person() -> None:
    made = render(content("Dear {{name}} in {{ city }}, {{title|friend}}", subject="For {{name}}"), ADA)
    assert (made.subject, made.text, made.html) == ("For Ada <3", "Dear Ada <3 in Köln, friend", "")


def test_without_a_person_the_fields_stay() -> None:
    assert render(content("Dear {{name|you}}")).text == "Dear {{name|you}}"


def test_markdown_becomes_html_and_stays_readable_as_text() -> None:
    made = render(content("# Hi {{name}}\n\n*now*", markup=Markup.MARKDOWN, preheader="See {{name}}"), ADA)
    assert "<h1>Hi Ada &lt;3</h1>" in made.html
    assert "<em>now</em>" in made.html
    assert "display:none" in made.html
    assert made.text == "# Hi Ada <3\n\n*now*"


def test_html_in_markdown_is_shown_not_obeyed() -> None:
    made = render(content("<script>alert(1)</script>", markup=Markup.MARKDOWN))
    assert "<script>" not in made.html


def test_values_are_escaped_in_html_and_the_text_is_made_from_it() -> None:
    made = render(
        content("", markup=Markup.HTML, html="<p>Dear {{name}},</p><p>read <a href='https://e.org/x'>this</a></p>"), ADA
    )
    assert "Dear Ada &lt;3," in made.html
    assert made.text == "Dear Ada <3,\n\nread this (https://e.org/x)"


def test_a_whole_page_is_kept_and_gets_the_preheader_into_its_body() -> None:
    page = "<html><body class='x'>Hi</body></html>"
    made = render(content("", markup=Markup.HTML, html=page, preheader="Psst"))
    assert made.html.startswith("<html><body class='x'><div style=\"display:none")
    assert made.text == "Hi"


def test_a_subject_is_one_line() -> None:
    assert render(content("x", subject="Hi\r\nBcc: evil@example.org")).subject == "Hi Bcc: evil@example.org"


def test_plain_text_of_a_page() -> None:
    page = "<title>no</title><style>p{}</style><h1>Hi</h1><ul><li>one<li>two</ul><img alt='a pier'><p>a<br>b</p>"
    assert plain_from_html(page) == "Hi\n\n- one\n- two\n[a pier]\n\na\nb"


def test_the_fields_that_a_mail_names() -> None:
    assert placeholders(content("{{a}} {{a|x}} {{b|y}}", subject="{{C}}")) == {"a": False, "b": True, "c": False}


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("ada@example.org", "ada@example.org", ""),
        ("Ada Lovelace <ada@example.org>", "ada@example.org", "Ada Lovelace"),
        ('"Lovelace, Ada" <ada@example.org>', "ada@example.org", "Lovelace, Ada"),
        ("Зоя <z@bücher.example>", "z@bücher.example", "Зоя"),
        ('Zoë "Q" Müller <z@x.org>', "z@x.org", 'Zoë "Q" Müller'),
        ('O"Neil <o@x.org>', "o@x.org", 'O"Neil'),
        (" <ada@lab.test> ", "ada@lab.test", ""),
        ("josé@example.org", "josé@example.org", ""),
    ],
)
def test_addresses(text: str, address: str, name: str) -> None:
    assert parse_recipient(text) == Recipient(address, name)


@pytest.mark.parametrize("text", ["", "ada", "ada@", "@x.org", "a b@x.org", "ada@example", "ada@x.org\r\nBcc: b@x.org"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_recipient(text)


def test_several_addresses() -> None:
    found = parse_recipients('a@x.org, "Doe, J" <b@x.org>; c@x.org\nd@x.org, Tim "T" May <e@x.org>, O"Neil <f@x.org>,')
    assert [one.address for one in found] == [f"{letter}@x.org" for letter in "abcdef"]


@pytest.mark.parametrize(
    ("source", "gone"),
    [
        ("<script>alert(1)</script>", "alert"),
        ("<p onclick='alert(1)'>x</p>", "alert"),
        ("<a href='javascript:alert(1)'>x</a>", "javascript"),
        ("<img src='file:///etc/passwd'>", "passwd"),
        ("<img src='data:image/png;base64,iVBORw0KGgo='>", "data:"),
        ("<img src='//tracker.example/x.png'>", "tracker"),
        ("<img src='picture.png'>", "picture.png"),
        ("<img srcset='https://tracker.example/x.png 2x'>", "tracker"),
        ("<iframe src='https://tracker.example'>inside</iframe>", "inside"),
        ("<link rel=stylesheet href='https://tracker.example/x.css'>", "tracker"),
        ("<p style='color: red; background: url(https://tracker.example/x.png)'>x</p>", "tracker"),
        ("<p style='background: u\\72l(https://tracker.example/x.png)'>x</p>", "url"),
        ("<style>@import 'https://tracker.example/x.css'; p { color: red }</style>", "tracker"),
        ("<style>p { background: url('https://tracker.example/x.png') }</style>", "tracker"),
        ("<style><img src='https://tracker.example/x.png'></style>", "<img"),
        ("<form action='https://tracker.example'><input name=q></form>", "form"),
        ("<p style='position: fixed; color: red'>x</p>", "fixed"),
        ("<title>Never shown</title>", "Never"),
        ("<meta http-equiv=refresh content='0; url=https://tracker.example'>", "tracker"),
    ],
)
def test_nothing_in_a_shown_mail_acts(source: str, gone: str) -> None:
    assert gone not in sanitised(f"<html><body><h1>Hello</h1>{source}</body></html>")
    assert "<h1>Hello</h1>" in sanitised(f"<html><body><h1>Hello</h1>{source}</body></html>")


def test_how_a_shown_mail_looks_is_kept() -> None:
    kept = sanitised(
        "<style>h1 { color: #123456 }</style><body bgcolor=red style='font-family: Georgia'><h1 class=top>Hi</h1>"
        "<img src='cid:pier.png' width=600 alt=Pier><img src='https://example.org/x.png'>"
        "<table cellpadding=4><tr><td colspan=2 style='padding: 4px; Color: blue'>x</td></tr></table></body>"
    )
    for part in (
        "h1 { color: #123456 }", 'bgcolor="red"', "font-family: Georgia", '<h1 class="top">', 'src="cid:pier.png"',
        'width="600"', 'src="https://example.org/x.png"', 'cellpadding="4"', 'colspan="2"', "padding: 4px; Color: blue",
    ):  # fmt: skip
        assert part in kept


@pytest.mark.parametrize(
    "source",
    [
        "<div style='display:none'>hidden</div>",
        "<div style='color: red; DISPLAY : None'><div>hidden</div><br>hidden</div>",
        "<span style='display:none' title='a > b'><b>hidden</b></span>",
        "<table style='display:none'><tr><td>hidden",
    ],
)
def test_what_a_mail_hides_is_not_shown(source: str) -> None:
    assert sanitised(f"<p>before</p>{source}") in ("<p>before</p>", "<p>before</p><p>after</p>")
    assert sanitised(f"<p>before</p>{source}</table></div><p>after</p>").endswith("<p>after</p>")
    assert "hidden" not in sanitised(f"<p>before</p>{source}</table></div><p>after</p>")


def test_a_preheader_is_not_part_of_what_is_shown() -> None:
    made = render(content("# Hi", markup=Markup.MARKDOWN, preheader="Look inside"), ADA)
    assert "Look inside" in made.html
    assert "Look inside" not in sanitised(made.html)
