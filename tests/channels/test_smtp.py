"""SMTP and IMAP: what a person is told on connecting, what goes over the wire, and how doubt is settled."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import mime
from sendoff.channels.http import Transport
from sendoff.channels.mail_providers import PRESETS
from sendoff.channels.registry import Context
from sendoff.channels.smtp import Smtp
from sendoff.channels.smtp_wire import Patience
from sendoff.domain.account import Account
from sendoff.domain.channel import How, Identity, Kind, Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.post import Content, Item, Mail, Recipient
from tests.fakes.imap_server import ImapServer
from tests.fakes.letters import PNG, armed, attachment, letter
from tests.fakes.smtp_server import DROP, GARBAGE, HANG, SmtpServer, port_that_is_closed

QUICK = Patience(connect=5, greeting=5, command=5, data=5, block=5, body=20, end=5, goodbye=0.5)


def channel(patience: Patience = QUICK) -> Smtp:
    return Smtp(Context(Transport(), Path()), patience)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path) as server:
        yield server


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[ImapServer]:
    with ImapServer(tmp_path) as mailbox:
        yield mailbox


def parcel(
    server: SmtpServer, folder: Path, text: str = "Hello.\n", *, fields: dict[str, str] | None = None, **mail: Any
) -> Parcel:
    """An armed parcel of an account that was connected just now, as the engine has it."""
    complete = server.fields(**(fields or {}))
    secret = {"password": complete.pop("password")}
    return armed(channel(), letter(folder, text, settings=complete, secret=secret, **mail))


# --- connecting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_connecting_learns_who_and_how_much(tmp_path: Path, security: str) -> None:
    with SmtpServer(tmp_path, security=security, size=35_882_577, keywords=("SMTPUTF8", "LIMITS RCPTMAX=50")) as server:
        identity = channel().connect(server.fields(**{"from": "Grace Höpper <grace@faß.de>"}))
        assert (identity.handle, identity.name) == ("grace@faß.de", "Grace Höpper")
        assert identity.learned == {"message_bytes": 35_882_577, "recipients": 50}
        assert identity.settings["keywords"] == "SIZE SMTPUTF8"
        assert "without IMAP" in identity.note
        assert server.commands[-3:] == ["MAIL FROM:<grace@xn--fa-hia.de>", "RSET", "QUIT"]
        assert not server.taken


def test_a_server_without_a_fixed_limit_lifts_ours(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, size=0) as server:
        identity = channel().connect(server.fields())
    assert Smtp.capabilities.learned(identity.learned).message_bytes is None


def test_what_is_learned_is_known_to_the_capabilities(server: SmtpServer) -> None:
    identity = channel().connect(server.fields())
    assert Smtp.capabilities.learned(identity.learned).message_bytes == 10_000_000
    assert identity.learned.keys() == {"message_bytes"}


def test_the_sender_is_the_user_name_where_none_is_named(server: SmtpServer) -> None:
    identity = channel().connect(server.fields(**{"from": ""}))
    assert identity.handle == identity.settings["from"] == "grace@example.org"


def test_a_server_that_wants_no_sign_in_gets_none(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, users={}) as server:
        assert channel().connect(server.fields()).handle == "grace@example.org"
        assert not any(command.startswith("AUTH") for command in server.commands)


def test_a_password_in_any_script_works(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, users={"grace@example.org": "пароль ü"}) as server:
        assert channel().connect(server.fields()).handle == "grace@example.org"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"host": "smtp://example.org"}, "“smtp://example.org” is not the name of a server"),
        ({"host": "smtp.example.org:587"}, "the port has a field"),
        ({"host": "ex ample.org"}, "not the name of a server"),
        ({"host": ""}, "not the name of a server"),
        ({"imap_host": "https://x"}, "“https://x” is not the name of a server"),
        ({"port": "70000"}, "There is no port 70000"),
        ({"from": "nobody"}, "“From”: “nobody” is not a mail address"),
        ({"from": "", "username": ""}, "“From” is empty"),
        ({"password": ""}, "The password is missing"),
        ({"username": "", "from": "a@example.org"}, "The user name is missing"),
        ({"username": "a\0b"}, "null character"),
    ],
)
def test_fields_that_cannot_be_right_are_named(server: SmtpServer, fields: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        channel().connect(server.fields(**fields))
    assert not server.commands


def test_a_closed_port_is_named(server: SmtpServer) -> None:
    port = port_that_is_closed()
    with pytest.raises(TryLater, match=f"127.0.0.1 refused the connection at port {port}") as wrong:
        channel().connect(server.fields(port=str(port)))
    assert "Is the port right?" in wrong.value.advice


def test_a_name_that_is_not_there_is_named(server: SmtpServer) -> None:
    with pytest.raises(TryLater, match=r"The name mail\.invalid could not be found") as wrong:
        channel().connect(server.fields(host="mail.invalid"))
    assert "spelt right" in wrong.value.advice


def test_tls_at_a_port_that_wants_starttls_is_explained(server: SmtpServer) -> None:
    with pytest.raises(Rejected, match="does not begin with TLS") as wrong:
        channel().connect(server.fields(security="tls"))
    assert "Choose STARTTLS" in wrong.value.advice


def test_starttls_at_a_port_that_wants_tls_is_explained(tmp_path: Path) -> None:
    impatient = replace(QUICK, greeting=0.4)
    with SmtpServer(tmp_path, security="tls") as server:
        with pytest.raises(TryLater, match="did not answer in time before the server’s greeting") as wrong:
            channel(impatient).connect(server.fields(security="starttls"))
        assert "465 goes with TLS" in wrong.value.advice


@pytest.mark.parametrize(("ca_file", "words"), [("nowhere.pem", "No such file"), (__file__, "it holds no certificate")])
def test_a_ca_file_that_cannot_be_used_is_named(server: SmtpServer, ca_file: str, words: str) -> None:
    with pytest.raises(Rejected, match=f"CA file .* can’t be used: {words}"):
        channel().connect(server.fields(ca_file=ca_file))


def test_a_wrong_password_comes_with_the_servers_words_and_advice(server: SmtpServer) -> None:
    with pytest.raises(NeedsLogin) as wrong:
        channel().connect(server.fields(password="not it"))
    assert wrong.value.reason == (
        "127.0.0.1 does not accept the user name and password: “535 5.7.8 Error: authentication failed”."
    )
    assert "app password" in wrong.value.advice


@pytest.mark.parametrize(
    ("faults", "end", "words"),
    [
        (
            {"AUTH": "534-5.7.9 Application-specific password required.\n534 5.7.9 https://x"},
            NeedsLogin,
            "wants an app password",
        ),
        (
            {"MAIL": "553 5.7.1 Sender address rejected: not owned by user"},
            Rejected,
            "does not let this account send as",
        ),
        ({"MAIL": "501 5.1.7 Bad sender"}, Rejected, "refuses the sender’s address: “501 5.1.7 Bad sender”"),
        ({"GREETING": "554 No SMTP service here"}, Rejected, "takes no mail: “554 No SMTP service here”"),
        ({"EHLO": DROP}, TryLater, "hung up after our greeting"),
        ({"STARTTLS": "454 4.7.0 TLS not available"}, TryLater, "can’t encrypt the line just now: “454 4.7.0 TLS"),
    ],
)
def test_refusals_are_told_in_a_sentence(
    tmp_path: Path, faults: dict[str, str], end: type[SendError], words: str
) -> None:
    with SmtpServer(tmp_path, faults=faults) as server, pytest.raises(end, match=words):
        channel().connect(server.fields())


@pytest.mark.parametrize(
    ("users", "mechanisms", "words"),
    [
        ({}, "", "offers no sign-in at port"),
        ({"grace@example.org": "x"}, "XOAUTH2 OAUTHBEARER", "offers only XOAUTH2 OAUTHBEARER"),
    ],
)
def test_a_server_that_takes_no_password_is_explained(
    tmp_path: Path, users: dict[str, str], mechanisms: str, words: str
) -> None:
    with SmtpServer(tmp_path, users=users, mechanisms=mechanisms) as server, pytest.raises(Rejected, match=words):
        channel().connect(server.fields(username="grace@example.org", password="x"))


# --- the mailbox --------------------------------------------------------------------------------------------------


def test_connecting_finds_the_sent_mail(server: SmtpServer, mailbox: ImapServer) -> None:
    identity = channel().connect(server.fields(**mailbox.fields()))
    assert identity.note == "If an answer gets lost, Sendoff looks into “Sent”."


@pytest.mark.parametrize(
    ("folders", "marks", "named", "found"),
    [
        (["INBOX", "Gesendet"], "Gesendet", "", "Gesendet"),
        (["INBOX", "Sent", "Archive/Sent Items"], "", "", "Sent"),
        (["INBOX", "INBOX/Sent Items"], "", "", "INBOX/Sent Items"),
        (["INBOX", "Sent", "Mine"], "Sent", "Mine", "Mine"),
        (["INBOX", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"], "", "Отправленные", "Отправленные"),
        (["INBOX", "Envoy&AOk-s", "R&-D"], "Envoy&AOk-s", "", "Envoyés"),
        (["INBOX", "R&-D"], "", "R&D", "R&D"),
    ],
)  # fmt: skip
def test_the_folder_of_sent_mail_is_found(
    tmp_path: Path, server: SmtpServer, folders: list[str], marks: str, named: str, found: str
) -> None:
    with ImapServer(tmp_path, folders={name: [] for name in folders}, marks=marks) as mailbox:
        identity = channel().connect(server.fields(**mailbox.fields(imap_folder=named)))
    assert identity.note == f"If an answer gets lost, Sendoff looks into “{found}”."


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("", r"127.0.0.1 marks no folder .* There are: INBOX, Old\."),
        ("Sent", r"127.0.0.1 has no folder “Sent”\. It has: INBOX, Old\."),
    ],
)
def test_a_missing_folder_is_named(tmp_path: Path, server: SmtpServer, named: str, words: str) -> None:
    with (
        ImapServer(tmp_path, folders={"INBOX": [], "Old": []}) as mailbox,
        pytest.raises(Rejected, match=f"Sending would work, but .* {words}"),
    ):
        channel().connect(server.fields(**mailbox.fields(imap_folder=named)))


def test_a_mailbox_that_does_not_let_us_in_is_told_apart_from_sending(tmp_path: Path, server: SmtpServer) -> None:
    with (
        ImapServer(tmp_path, users={}) as mailbox,
        pytest.raises(Rejected, match=r"Sending would work.*\(IMAP\) does not accept .*Authentication failed") as wrong,
    ):
        channel().connect(server.fields(**mailbox.fields()))
    assert wrong.value.advice.endswith("Or leave the IMAP server empty.")


def test_a_closed_imap_port_is_named(server: SmtpServer) -> None:
    port = port_that_is_closed()
    with pytest.raises(Rejected, match=f"Sending would work.*refused the connection at port {port}"):
        channel().connect(server.fields(imap_host="127.0.0.1", imap_port=str(port)))


# --- what goes over the wire --------------------------------------------------------------------------------------


def test_everyone_is_in_the_envelope_and_bcc_in_no_header(server: SmtpServer, tmp_path: Path) -> None:
    made = parcel(
        server, tmp_path, to=(Recipient("ada@faß.de", "Ada"),), cc=(Recipient("bob@example.org"),),
        bcc=(Recipient("eve@example.org"), Recipient("ADA@FAß.de")),
    )  # fmt: skip
    receipt = channel().publish(made)
    (taken,) = server.taken
    assert taken.recipients == ["ada@xn--fa-hia.de", "bob@example.org", "eve@example.org"]
    assert b"eve" not in taken.data
    assert receipt.refused == ()
    assert f"SIZE={len(made.blob or b'')}" == taken.parameters


def test_a_mail_of_every_kind_arrives_byte_for_byte(server: SmtpServer, tmp_path: Path) -> None:
    made = parcel(server, tmp_path, ".\n..\n.dots\nGrüße\n", media=(attachment(tmp_path, PNG, "Übersicht.png"),))
    channel().publish(made)
    (taken,) = server.taken
    assert taken.data == made.blob
    body = taken.message.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == [".", "..", ".dots", "Grüße"]
    (attached,) = taken.message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("Übersicht.png", PNG)
    assert taken.data.isascii()


def test_every_try_is_the_same(server: SmtpServer, tmp_path: Path) -> None:
    made = parcel(server, tmp_path)
    channel().publish(made)
    channel().publish(made)
    first, second = server.taken
    assert first == second


def test_arming_uses_the_parts_own_key(server: SmtpServer, tmp_path: Path) -> None:
    made = parcel(server, tmp_path, fields={"from": "Grace <grace@bücher.example>"})
    assert made.frozen["message_id"] == f"<{made.key}@xn--bcher-kva.example>"
    assert made.frozen["message_id"].encode() in (made.blob or b"")


def test_the_trace_tells_the_talk_without_password_and_body(server: SmtpServer, tmp_path: Path) -> None:
    made = parcel(server, tmp_path, "the body of the mail")
    channel().publish(made)
    lines = made.trace.request.splitlines()
    assert lines[:5] == [
        "EHLO [127.0.0.1]", "STARTTLS", "EHLO [127.0.0.1]", "AUTH PLAIN ••••••••",
        f"MAIL FROM:<grace@example.org> SIZE={len(made.blob or b'')}",
    ]  # fmt: skip
    assert lines[5:7] == ["RCPT TO:<ada@example.org>", "DATA"]
    assert "Subject: A word" in lines
    assert "the body" not in made.trace.request
    assert base64.b64encode(b"correct horse").decode()[:12] not in made.trace.request
    assert "250 2.0.0 Ok: queued as 0001" in made.trace.answer
    assert made.trace.status == 250


@pytest.mark.parametrize("fault", [DROP, GARBAGE])
def test_without_an_answer_to_the_mail_there_is_no_status(tmp_path: Path, fault: str) -> None:
    with SmtpServer(tmp_path, faults={"TAKEN": fault}) as server:
        made = parcel(server, tmp_path)
        with pytest.raises(InDoubt):
            channel().publish(made)
    assert made.trace.status is None  # 354 was the answer to DATA


def test_the_trace_shows_the_head_of_the_mail_line_by_line(server: SmtpServer, tmp_path: Path) -> None:
    made = parcel(server, tmp_path)
    channel().publish(made)
    assert "\r" not in made.trace.request


def test_those_who_are_refused_are_told_and_the_others_get_it(tmp_path: Path) -> None:
    refuse = {"bob@example.org": "550 5.1.1 no such user", "eve@example.org": "452 4.5.3 too many recipients"}
    with SmtpServer(tmp_path, refuse=refuse) as server:
        people = tuple(Recipient(f"{name}@example.org") for name in ("ada", "bob", "eve"))
        receipt = channel().publish(parcel(server, tmp_path, to=people))
        assert receipt.refused == tuple(refuse.items())
        assert server.taken[0].recipients == ["ada@example.org"]


@pytest.mark.parametrize(
    ("replies", "end", "words"),
    [
        (
            ["550 5.1.1 no such user"],
            Rejected,
            r"127.0.0.1 knows no such mailbox \(p0@example.org\): “550 5.1.1 no such user”",
        ),
        (
            ["550 5.1.1 no", "550 5.2.2 full"],
            Rejected,
            "All 2 recipients were refused. 127.0.0.1 knows no such mailbox",
        ),
        (
            ["550 5.1.1 no", "450 4.2.0 busy"],
            TryLater,
            "All 2 recipients were refused. 127.0.0.1 can’t take it just now",
        ),
        (["450 4.2.0 busy", "530 5.7.0 sign in"], NeedsLogin, "wants a sign-in first"),
        (["554 5.7.1 Relay access denied"], Rejected, "does not carry mail to that address"),
        (["452 4.5.3 too many recipients"], TryLater, "can’t take it just now"),
    ],
)
def test_when_all_are_refused_nothing_is_sent(
    tmp_path: Path, replies: list[str], end: type[SendError], words: str
) -> None:
    people = tuple(Recipient(f"p{number}@example.org") for number in range(len(replies)))
    refuse = {one.address: reply for one, reply in zip(people, replies, strict=True)}
    with SmtpServer(tmp_path, refuse=refuse) as server:
        with pytest.raises(end, match=words):
            channel().publish(parcel(server, tmp_path, to=people))
        assert "DATA" not in server.commands
        assert not server.taken


def test_a_mail_that_is_too_big_is_not_even_begun(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, size=5000) as server:
        made = parcel(server, tmp_path, media=(attachment(tmp_path, bytes(9000), "big.bin"),))
        with pytest.raises(Rejected, match=r"too big for 127.0.0.1: encoded it has 13 kB, and 5 kB is the limit"):
            channel().publish(made)
        assert not any(command.startswith("MAIL") for command in server.commands)


def test_a_server_without_size_is_not_told_one(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, size=None, keywords=()) as server:
        channel().publish(parcel(server, tmp_path, "Grüße"))
        assert server.taken[0].parameters == ""


def test_letters_beyond_latin_before_the_at_need_smtputf8(tmp_path: Path) -> None:
    to = (Recipient("jürgen@faß.de", "Jürgen"),)
    with SmtpServer(tmp_path) as server:
        made = parcel(server, tmp_path, to=to)
        channel().publish(made)
        assert server.taken[0].parameters.endswith("BODY=8BITMIME SMTPUTF8")
        assert server.taken[0].recipients == ["jürgen@xn--fa-hia.de"]
        assert "jürgen@xn--fa-hia.de".encode() in server.taken[0].data
    with SmtpServer(tmp_path, keywords=("8BITMIME",)) as server:
        with pytest.raises(Rejected, match=r"can’t carry the address jürgen@xn--fa-hia\.de"):
            channel().publish(parcel(server, tmp_path, to=to))
        with pytest.raises(Rejected, match="can’t carry the reply address"):
            channel().publish(parcel(server, tmp_path, reply_to="jürgen@example.org"))
        assert not any(command.startswith("MAIL") for command in server.commands)


def test_what_the_server_cannot_carry_is_said_while_typing() -> None:
    content = Content((Item("x"),), Mail(to=(Recipient("jürgen@example.org"),)))
    known = Account(1, 1, "smtp", "m", "g@e.org", settings={"host": "mail.example.org", "keywords": "SIZE"})
    (problem,) = channel().check(content, {}, known)
    assert problem.title == "mail.example.org can’t reach jürgen@example.org."
    able = replace(known, settings={"host": "mail.example.org", "keywords": "SIZE SMTPUTF8"})
    assert list(channel().check(content, {}, able)) == []


def test_a_goodbye_that_hangs_changes_nothing(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, faults={"QUIT": HANG}) as server:
        assert isinstance(channel().publish(parcel(server, tmp_path)), Receipt)


# --- doubt --------------------------------------------------------------------------------------------------------


def test_the_way_out_of_doubt_depends_on_the_mailbox() -> None:
    account = Account(1, 1, "smtp", "m", "g@e.org", settings={"host": "x"})
    asked = channel().settle(account)
    assert (asked.how, asked.looks) == (How.ASK, ())
    assert "IMAP" in asked.why
    looked = channel().settle(replace(account, settings={"host": "x", "imap_host": "y"}))
    assert (looked.how, looked.looks, looked.absent_after) == (How.SEARCH, (60, 120, 300), 300)


def test_without_a_mailbox_it_cannot_look(server: SmtpServer, tmp_path: Path) -> None:
    with pytest.raises(CannotLook, match="can’t be asked"):
        channel().find(parcel(server, tmp_path))


def test_a_mail_in_the_sent_folder_did_leave(server: SmtpServer, mailbox: ImapServer, tmp_path: Path) -> None:
    made = parcel(server, tmp_path, fields=mailbox.fields())
    mailbox.folders["Sent"] = [made.blob or b""]
    found = channel().find(made)
    assert found == Receipt(made.frozen["message_id"], answer="Found in “Sent”.")


def test_a_mail_that_microsoft_renamed_is_found(server: SmtpServer, mailbox: ImapServer, tmp_path: Path) -> None:
    made = parcel(server, tmp_path, fields=mailbox.fields())
    old = made.frozen["message_id"]
    mailbox.folders["Sent"] = [f"Message-ID: <new@x>\r\nX-Microsoft-Original-Message-ID: {old}\r\n\r\n".encode()]
    assert channel().find(made) is not None


def test_absence_counts_where_the_server_is_known_to_file_ours(
    server: SmtpServer, mailbox: ImapServer, tmp_path: Path
) -> None:
    earlier = parcel(server, tmp_path, fields=mailbox.fields(), key="f" * 32)
    mailbox.folders["Sent"] = [b"Message-ID: <other@x>\r\n\r\nhi", earlier.blob or b""]
    assert channel().find(parcel(server, tmp_path, fields=mailbox.fields())) is None


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [b"Message-ID: <5fd924625f6ab16a19cc9807c7c506ae@x.org>\r\nX-Mailer: Other 1.0\r\n\r\nnot ours"],
        [f"Message-ID: <renamed.by@the.server>\r\nX-Mailer: {mime.MAILER}\r\n\r\nours".encode()],
    ],
)
def test_absence_proves_nothing_where_the_server_files_nothing_or_renames(
    server: SmtpServer, mailbox: ImapServer, tmp_path: Path, sent: list[bytes]
) -> None:
    mailbox.folders["Sent"] = sent
    with pytest.raises(CannotLook, match=r"nothing shows that 127.0.0.1 files what Sendoff sends"):
        channel().find(parcel(server, tmp_path, fields=mailbox.fields()))


def test_a_look_reads_only(server: SmtpServer, mailbox: ImapServer, tmp_path: Path) -> None:
    made = parcel(server, tmp_path, fields=mailbox.fields())
    mailbox.folders["Sent"] = [made.blob or b""]
    channel().find(made)
    assert {command.split()[0] for command in mailbox.commands} == {
        "CAPABILITY", "AUTHENTICATE", "LIST", "EXAMINE", "SEARCH", "LOGOUT",
    }  # fmt: skip


@pytest.mark.parametrize("command", ["AUTHENTICATE", "LIST", "EXAMINE", "SEARCH"])
def test_a_look_that_breaks_off_is_tried_again(server: SmtpServer, tmp_path: Path, command: str) -> None:
    with ImapServer(tmp_path, drops_at=command) as mailbox, pytest.raises(TryLater, match=r"127.0.0.1 broke off"):
        channel().find(parcel(server, tmp_path, fields=mailbox.fields()))


def test_a_mailbox_that_is_busy_is_no_wrong_password(server: SmtpServer, tmp_path: Path) -> None:
    denies = "[UNAVAILABLE] try later"
    with ImapServer(tmp_path, users={}, denies=denies) as mailbox, pytest.raises(TryLater, match="just now"):
        channel().find(parcel(server, tmp_path, fields=mailbox.fields()))


def test_a_mailbox_that_needs_a_new_password_says_so(server: SmtpServer, tmp_path: Path) -> None:
    with ImapServer(tmp_path, users={}) as mailbox, pytest.raises(NeedsLogin, match=r"\(IMAP\) does not accept"):
        channel().find(parcel(server, tmp_path, fields=mailbox.fields()))


def test_a_folder_that_went_away_cannot_be_looked_into(server: SmtpServer, tmp_path: Path) -> None:
    with ImapServer(tmp_path, folders={"INBOX": []}) as mailbox, pytest.raises(CannotLook, match="marks no folder"):
        channel().find(parcel(server, tmp_path, fields=mailbox.fields()))


def test_a_mailbox_that_cannot_prove_its_name_says_nothing_about_the_mail(
    server: SmtpServer, mailbox: ImapServer, tmp_path: Path
) -> None:
    with pytest.raises(CannotLook, match=r"can’t prove that it is 127.0.0.1"):
        channel().find(parcel(server, tmp_path, fields=mailbox.fields(ca_file="")))


@pytest.mark.parametrize(("plain", "password"), [(True, 'пароль "x\\'), (False, 'a "quoted\\ one')])
def test_a_mailbox_lets_in_by_either_way_of_signing_in(tmp_path: Path, plain: bool, password: str) -> None:
    users = {"grace@example.org": password}
    with SmtpServer(tmp_path, users=users) as server, ImapServer(tmp_path, users=users, plain=plain) as mailbox:
        made = parcel(server, tmp_path, fields=mailbox.fields())
        mailbox.folders["Sent"] = [made.blob or b""]
        assert channel().find(made) is not None


# --- what is declared ---------------------------------------------------------------------------------------------


def test_presets_fill_fields_that_exist() -> None:
    fields = {field.name: field for field in Smtp.fields}
    for preset in PRESETS:
        assert preset.values.keys() <= fields.keys(), preset.name
        assert preset.values["security"] in dict(fields["security"].choices)
        assert preset.help
        assert preset.from_address.keys() <= Smtp.from_address.keys() <= fields.keys()
    domains = [domain for preset in PRESETS for domain in preset.domains]
    assert len(domains) == len(set(domains))


def test_only_the_password_is_secret() -> None:
    assert [field.name for field in Smtp.fields if field.kind is Kind.SECRET] == ["password"]


def test_an_account_goes_through_the_commands(program: Any, server: SmtpServer) -> None:
    """As the window and the command line do it: fields checked, tested live, the password kept out of the database."""
    fields = server.fields()
    account_id = program.commands.accounts.add("smtp", "Work", fields)
    identity: Identity = program.commands.accounts.check(account_id)
    assert identity.handle == "grace@example.org"
    database = b"".join(path.read_bytes() for path in program.folder.glob("*") if path.is_file())
    assert fields["password"].encode() not in database
