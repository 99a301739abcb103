"""Finished mails, read back with the email package and compared."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import mime
from sendoff.domain.channel import Parcel
from sendoff.domain.errors import Rejected
from sendoff.domain.post import Content, Item, Mail, Markup, Recipient, Role
from tests.fakes.letters import NOW, PNG, attachment, letter

ID = "<0123456789abcdef@example.org>"


def built(parcel: Parcel, **more: Any) -> bytes:
    return mime.build(parcel, message_id=ID, date=NOW, **more)


def read(data: bytes) -> EmailMessage:
    """Parses it, and checks what every mail has to keep to."""
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    head = data.split(b"\r\n\r\n", 1)[0]
    assert head.isascii()
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects, part.defects
    return message


def names(message: EmailMessage, header: str) -> list[tuple[str, str]]:
    """The names and addresses of a header. The newer parser keeps the space between two encoded words of a name,
    which RFC 2047 section 6.2 says to drop; the older one does as it should."""
    raw = "".join(str(value) for name, value in message.raw_items() if name == header)
    pairs = getaddresses([raw.replace("\r\n", "")])
    return [(str(make_header(decode_header(name))), address) for name, address in pairs]


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def test_a_plain_mail_has_what_rfc_5322_asks_for(tmp_path: Path) -> None:
    message = read(built(letter(tmp_path, "Hello,\nAda.")))
    assert message["Message-ID"] == ID
    assert message["Date"] == "Mon, 23 Nov 2026 17:52:00 +0000"
    assert message["MIME-Version"] == "1.0"
    assert message["Subject"] == "A word"
    assert names(message, "From") == [("", "grace@example.org")]
    assert names(message, "To") == [("Ada", "ada@example.org")]
    assert message.get_content_type() == "text/plain"
    assert text_of(message, "plain") == "Hello,\nAda.\n"
    for absent in ("Cc", "Bcc", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post"):
        assert absent not in message


@pytest.mark.parametrize(
    "words",
    [
        "Grüße aus Köln",
        "Привет, мир",
        "こんにちは世界",
        "مرحبا بالعالم",
        '👩‍👩‍👧‍👦 family, "quoted" <and> more',
        "=?utf-8?Q?not=20ours?=",
        "Lovelace, Ada (the first)",
        'say "hi" \\ there',
        "x" * 300,
        "words and words " * 30,
        "well-known words-with-hyphens " * 12,
        "ä" * 300,
        "  spaces   inside\t",
        "",
    ],
)
def test_subject_and_names_come_back_in_any_script(tmp_path: Path, words: str) -> None:
    expected = " ".join(words.split())
    data = built(letter(tmp_path, subject=words, to=(Recipient("ada@example.org", words), Recipient("b@example.org"))))
    message = read(data)
    assert message["Subject"] == expected
    assert names(message, "To") == [(expected, "ada@example.org"), ("", "b@example.org")]
    for line in data.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        assert len(line) <= 78 or b"=?" not in line or b"@" in line, line
        assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?B\?\S*", line))


@pytest.mark.parametrize(
    "evil", ["\r\nBcc: eve@example.org", "\nX-Evil: 1", "\r", "\0", "\x1b[31m", "\x85X: 1", "\u2028"]
)
def test_no_field_can_begin_a_header(tmp_path: Path, evil: str) -> None:
    person = Recipient("ada@example.org", f"Ada{evil}", {"word": f"v{evil}"})
    picture = attachment(tmp_path, PNG, f"a{evil}.png", alt=f"alt{evil}")
    made = letter(
        tmp_path, "{{word}}", subject=f"s{evil} {{{{word}}}}", to=(person,), media=(picture,), separately=True,
        settings={"from": "Grace <grace@example.org>"},
    )  # fmt: skip
    message = read(built(made))
    assert "X-Evil" not in message
    assert "Bcc" not in message
    assert set(message.keys()) == {
        "Date", "From", "To", "Subject", "Message-ID", "X-Mailer", "MIME-Version", "Content-Type",
    }  # fmt: skip
    attached = next(iter(message.iter_attachments()))
    assert set(attached.keys()) == {
        "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-Description",
    }  # fmt: skip
    assert attached.get_content() == PNG


@pytest.mark.parametrize(
    "address",
    ["ada@example.org\r\nBcc: eve@example.org", "a b@example.org", "ada", "@example.org", "ada@", "a@b@c.org",
     "<ada@example.org>", "ada@exam ple.org", "ada,eve@example.org", "ada@\u2024.org", "ada@example.org>"],
)  # fmt: skip
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(Rejected, match="is not a mail address"):
        built(letter(tmp_path, to=(Recipient(address),)))
    with pytest.raises(Rejected, match="is not a mail address"):
        mime.envelope(letter(tmp_path, bcc=(Recipient(address),)))


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("ada@faß.de", "ada@xn--fa-hia.de"),  # the older standard would make it fass.de, somebody else's
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@例え.jp", "ada@xn--r8jz45g.jp"),
        ("Ada@Example.ORG", "Ada@Example.ORG"),
        ("ada@a_b.example", "ada@a_b.example"),
        ("jürgen@example.org", "jürgen@example.org"),
        ("ju\u0308rgen@example.org", "jürgen@example.org"),
    ],
)
def test_domains_in_any_script_become_ascii(address: str, wire: str) -> None:
    assert mime.wire_address(address) == wire


def test_the_envelope_names_everyone_once_and_the_head_hides_bcc(tmp_path: Path) -> None:
    made = letter(
        tmp_path,
        to=(Recipient("ada@example.org"), Recipient("b@faß.de", "B")),
        cc=(Recipient("c@example.org"), Recipient("ADA@example.org")),
        bcc=(Recipient("d@bücher.example"), Recipient("b@faß.de")),
        settings={"from": "Grace Höpper <grace@bücher.example>"},
    )
    assert mime.envelope(made) == (
        "grace@xn--bcher-kva.example",
        ["ada@example.org", "b@xn--fa-hia.de", "c@example.org", "d@xn--bcher-kva.example"],
    )
    data = built(made)
    message = read(data)
    assert names(message, "To") == [("", "ada@example.org"), ("B", "b@xn--fa-hia.de")]
    assert names(message, "Cc") == [("", "c@example.org"), ("", "ADA@example.org")]
    assert names(message, "From") == [("Grace Höpper", "grace@xn--bcher-kva.example")]
    assert b"d@" not in data
    assert b"bcc" not in data.lower()


def test_a_copy_of_a_separate_mail_shows_its_one_person(tmp_path: Path) -> None:
    ada, bob = Recipient("ada@example.org", "Ada", {"city": "Köln"}), Recipient("bob@example.org", "Bob")
    made = letter(
        tmp_path, "Dear {{name}} of {{city|nowhere}}", subject="For {{name}}", to=(ada,), separately=True,
        bcc=(Recipient("eve@example.org"),), cc=(bob,),
    )  # fmt: skip
    data = built(made)
    message = read(data)
    assert message["Subject"] == "For Ada"
    assert text_of(message, "plain") == "Dear Ada of Köln\n"
    assert names(message, "To") == [("Ada", "ada@example.org")]
    assert b"bob" not in data
    assert mime.envelope(made)[1] == ["ada@example.org"]


def test_a_copy_for_two_is_a_mistake_of_ours(tmp_path: Path) -> None:
    two = (Recipient("a@example.org"), Recipient("b@example.org"))
    with pytest.raises(ValueError, match="for one person"):
        built(letter(tmp_path, to=two, separately=True))


def test_nobody_to_send_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="Nobody"):
        mime.envelope(letter(tmp_path, to=()))


def test_only_in_bcc_leaves_a_head_that_names_nobody(tmp_path: Path) -> None:
    message = read(built(letter(tmp_path, to=(), bcc=(Recipient("eve@example.org"),))))
    assert message["To"] == "undisclosed-recipients:;"


def test_markdown_comes_as_text_and_as_html(tmp_path: Path) -> None:
    made = letter(tmp_path, "# Grüße\n\n*now*", markup=Markup.MARKDOWN, preheader="See")
    message = read(built(made))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert text_of(message, "plain") == "# Grüße\n\n*now*\n"
    assert "<h1>Grüße</h1>" in text_of(message, "html")
    assert "See" in text_of(message, "html")


def test_an_html_mail_without_text_gets_one_made_of_it(tmp_path: Path) -> None:
    message = read(built(letter(tmp_path, "", markup=Markup.HTML, html="<p>Dear <b>you</b></p>")))
    assert text_of(message, "plain") == "Dear you\n"


NAMES = [
    "logo.png",
    "mein Bild.png",
    "Übersicht & Co.png",
    "写真.png",
    'a"b.png',
    "👩‍👩‍👧‍👦" * 12 + ".png",
    "x" * 190 + ".png",
]


@pytest.mark.parametrize("name", NAMES)
def test_pictures_stand_inside_and_files_beside_under_any_name(tmp_path: Path, name: str) -> None:
    inside = attachment(tmp_path, PNG, name, role=Role.INLINE)
    beside = attachment(tmp_path, b"%PDF-1.7 \x00\xff", name.replace(".png", ".pdf"), "application/pdf")
    picture = attachment(tmp_path, PNG + b"2", name, role=Role.MEDIA, alt="Ein Bild")
    written = {"'": f"<img src='cid:{name}'>", '"': f'<img src="cid:{name}">'}["'" if '"' in name else '"']
    made = letter(tmp_path, "", markup=Markup.HTML, html=f"<p>{written}</p>", media=(inside, beside, picture))
    message = read(built(made))
    assert message.get_content_type() == "multipart/mixed"
    alternative, *attached = message.iter_parts()
    related = list(alternative.iter_parts())[1]
    page, shown = related.iter_parts()
    assert related.get_content_type() == "multipart/related"
    assert shown.get_content() == PNG
    assert shown.get_content_disposition() == "inline"
    assert shown["Content-ID"][1:-1] in page.get_content()
    assert name not in page.get_content()
    assert [(one.get_filename(), one.get_content()) for one in attached] == [
        (beside.name, b"%PDF-1.7 \x00\xff"), (name, PNG + b"2"),
    ]  # fmt: skip
    assert attached[1]["Content-Description"] == "Ein Bild"
    assert all(one.get_content_disposition() == "attachment" for one in attached)


def test_a_picture_in_markdown_is_found_under_its_encoded_name(tmp_path: Path) -> None:
    inside = attachment(tmp_path, PNG, "写真.png", role=Role.INLINE)
    made = letter(tmp_path, "![a photo](cid:写真.png)", markup=Markup.MARKDOWN, media=(inside,))
    message = read(built(made))
    related = list(message.iter_parts())[1]
    page, shown = related.iter_parts()
    assert f'src="cid:{shown["Content-ID"][1:-1]}"' in page.get_content()


@pytest.mark.parametrize(("short_name", "name"), [("a.p", "a.png"), ("logo", "logo big.png")])
def test_one_name_is_not_taken_for_another_that_begins_the_same(tmp_path: Path, short_name: str, name: str) -> None:
    short = attachment(tmp_path, PNG, short_name, role=Role.INLINE)
    long = attachment(tmp_path, PNG + b"long", name, role=Role.INLINE)
    made = letter(tmp_path, "", markup=Markup.HTML, html=f'<img src="cid:{name}">', media=(short, long))
    mixed = read(built(made))
    related = list(next(iter(mixed.iter_parts())).iter_parts())[1]
    assert [part.get_content() for part in related.iter_attachments()] == [PNG + b"long"]
    assert [part.get_content() for part in mixed.iter_attachments()] == [PNG]


def test_an_inline_picture_that_nothing_shows_is_attached(tmp_path: Path) -> None:
    inside = attachment(tmp_path, PNG, "logo.png", role=Role.INLINE)
    message = read(built(letter(tmp_path, media=(inside,))))
    assert [one.get_filename() for one in message.iter_attachments()] == ["logo.png"]


def test_a_mail_as_a_file_stays_a_file(tmp_path: Path) -> None:
    old = attachment(tmp_path, b"Subject: old\n\nhi", "old.eml", "message/rfc822")
    message = read(built(letter(tmp_path, media=(old,))))
    attached = next(iter(message.iter_attachments()))
    assert attached.get_content_type() == "application/octet-stream"
    assert attached.get_content() == b"Subject: old\n\nhi"


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    files = (
        attachment(tmp_path, PNG, "a.png", role=Role.INLINE),
        attachment(tmp_path, b"text", "b.txt", "text/plain"),
    )
    made = letter(tmp_path, "", markup=Markup.HTML, html='<img src="cid:a.png">', media=files)
    assert built(made) == built(made)
    other = mime.build(made, message_id="<other@example.org>", date=NOW)
    assert other != built(made)


@pytest.mark.parametrize("seven_bit", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "short\n",
        "Grüße\n.\n..dots\nFrom me\n",
        "Привет " * 400,
        "x" * 5000,
        "tail   \nend",
        "a\r\nb\rc\n",
        "nul\0 and \x07bell\n",
        "",
        "\n\n\n",
    ],
)
def test_text_comes_back_whatever_it_is(tmp_path: Path, text: str, seven_bit: bool) -> None:
    data = built(letter(tmp_path, text), seven_bit=seven_bit)
    expected = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n") + "\n"
    assert text_of(read(data), "plain") == expected
    assert data.isascii() or not seven_bit


def test_eight_bit_is_used_only_where_it_may_be(tmp_path: Path) -> None:
    assert b"Content-Transfer-Encoding: 8bit" in built(letter(tmp_path, "Grüße"))
    assert b"8bit" not in built(letter(tmp_path, "Grüße"), seven_bit=True)
    assert b"8bit" not in built(letter(tmp_path, "ü" * 999))


def headers(parcel: Parcel, *wanted: str) -> Iterator[str | None]:
    message = read(built(parcel))
    return (message[one] for one in wanted)


def test_unsubscribing_by_one_click_only_on_the_web(tmp_path: Path) -> None:
    person = (Recipient("ada@example.org", fields={"token": "a/b c"}),)
    one_click = letter(tmp_path, to=person, unsubscribe="https://bücher.example/u/{{token}}?x=1", separately=True)
    assert list(headers(one_click, "List-Unsubscribe", "List-Unsubscribe-Post")) == [
        "<https://xn--bcher-kva.example/u/a%2Fb%20c?x=1>", "List-Unsubscribe=One-Click",
    ]  # fmt: skip
    by_mail = letter(tmp_path, unsubscribe="mailto:u@example.org?subject=out")
    assert list(headers(by_mail, "List-Unsubscribe", "List-Unsubscribe-Post")) == [
        "<mailto:u@example.org?subject=out>", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/u", "https://e.org/> <x", "javascript:1", "u@example.org",
        "https://e.org/" + "a" * 900, "https://e.org/" + "ü" * 200,
    ],
)  # fmt: skip
def test_other_unsubscribe_addresses_are_refused(tmp_path: Path, address: str) -> None:
    made = letter(tmp_path, unsubscribe=address)
    with pytest.raises(Rejected, match="unsubscribe address"):
        built(made)
    assert [one.code for one in mime.check(made.content)] == ["unsubscribe"]


def test_answers_go_where_the_person_wants_them(tmp_path: Path) -> None:
    made = letter(tmp_path, reply_to="Büro <buero@faß.de>, b@example.org")
    message = read(built(made))
    assert names(message, "Reply-To") == [("Büro", "buero@xn--fa-hia.de"), ("", "b@example.org")]
    wrong = letter(tmp_path, reply_to="nobody")
    with pytest.raises(Rejected, match="reply address"):
        built(wrong)
    assert [one.code for one in mime.check(wrong.content)] == ["reply_to"]


def test_an_unusable_sender_is_named(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="own address"):
        built(letter(tmp_path, settings={"from": "nobody"}))


def test_a_missing_picture_is_said_while_typing() -> None:
    content = Content((Item(""),), Mail(markup=Markup.HTML, html='<img src="cid:logo.png">'))
    problems = list(mime.check(content))
    assert [one.code for one in problems] == ["cid"]
    assert "“logo.png”" in problems[0].title


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    gone = attachment(tmp_path, PNG, "gone.png")
    (tmp_path / gone.sha256).unlink()
    with pytest.raises(Rejected, match=r"gone\.png can’t be read"):
        built(letter(tmp_path, media=(gone,)))


def test_smtputf8_is_needed_for_local_parts_only() -> None:
    assert not mime.needs_smtputf8(["ada@xn--fa-hia.de"])
    assert mime.needs_smtputf8(["ada@example.org", "jürgen@example.org"])
