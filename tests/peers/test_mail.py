"""SMTP against a real mail server: Postfix takes it, Dovecot shows what arrived."""

from __future__ import annotations

import email
import email.policy
import imaplib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.smtp import Smtp
from sendoff.channels.smtp_wire import Patience
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import Receipt, State
from sendoff.domain.errors import CannotLook, InDoubt, NeedsLogin, Rejected, TryLater
from sendoff.domain.post import Content, Item, Mail, Markup, Recipient, Role, Variant
from sendoff.domain.when import When
from sendoff.store import deliveries
from tests.fakes.letters import PNG, armed, attachment, letter

pytestmark = pytest.mark.peer

LAUNCHER = Path(__file__).with_name("mail.sh")
ADA = Recipient("ada@mail.test", "Ada Lovelace")
SENT = '"Gesendete &ANw-bersicht"'


@dataclass(frozen=True)
class Peer:
    """The running server."""

    folder: Path
    submission: int
    smtps: int
    imaps: int

    def fields(self, security: str = "starttls", **more: str) -> dict[str, str]:
        own = {
            "host": "localhost", "port": str(self.submission if security == "starttls" else self.smtps),
            "security": security, "username": "grace@mail.test", "password": "grace-password",
            "from": "Grace Höpper <grace@mail.test>", "ca_file": str(self.folder / "ca.pem"),
            "imap_host": "localhost", "imap_port": str(self.imaps),
        }  # fmt: skip
        return own | more

    def mailbox(self, name: str = "ada") -> imaplib.IMAP4_SSL:
        """Signed in; use it in a `with`."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        connection = imaplib.IMAP4_SSL("localhost", self.imaps, ssl_context=context)
        connection.login(f"{name}@mail.test", f"{name}-password")
        return connection

    def arrived(self, criterion: str, name: str = "ada", seconds: float = 20) -> EmailMessage:
        """Waits for a mail and reads it over IMAP."""
        until = time.monotonic() + seconds
        with self.mailbox(name) as connection:
            while time.monotonic() < until:
                connection.select("INBOX")
                if numbers := connection.search(None, criterion)[1][0].split():
                    assert len(numbers) == 1, f"{len(numbers)} mails with {criterion}"
                    raw: Any = connection.fetch(numbers[0].decode(), "(RFC822)")[1][0]
                    message = email.message_from_bytes(raw[1], policy=email.policy.default)
                    assert isinstance(message, EmailMessage)
                    return message
                time.sleep(0.1)
        raise AssertionError(f"no mail with {criterion} after {seconds} s")

    def file_as_sent(self, mail: bytes) -> None:
        """Does what some providers do: keeps a copy in the folder of sent mail."""
        with self.mailbox("grace") as connection:
            connection.append(SENT, r"(\Seen)", imaplib.Time2Internaldate(time.time()), mail)

    def forget_sent(self) -> None:
        with self.mailbox("grace") as connection:
            connection.select(SENT)
            for number in connection.search(None, "ALL")[1][0].split():
                connection.store(number.decode(), "+FLAGS", r"(\Deleted)")
            connection.expunge()


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    folder = Path(tempfile.mkdtemp(prefix="sendoff-mail-", dir="/tmp"))
    folder.chmod(0o755)  # Postfix and Dovecot enter it under users of their own
    ports = _free_ports(3)
    try:
        started = subprocess.run(
            [LAUNCHER, "start", folder, *map(str, ports)], capture_output=True, text=True, timeout=60, check=False
        )
        if started.returncode == 3:
            pytest.skip(started.stderr.strip())
        assert started.returncode == 0, started.stdout + started.stderr
        yield Peer(folder, *ports)
    finally:
        subprocess.run([LAUNCHER, "stop", folder], timeout=30, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_filed(peer: Peer) -> None:
    peer.forget_sent()


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def channel(**patience: float) -> Smtp:
    return Smtp(Context(Transport(), Path()), replace(Patience(), **patience))


def parcel(
    peer: Peer, folder: Path, text: str = "Hello.\n", *, fields: dict[str, str] | None = None, **mail: Any
) -> Parcel:
    complete = fields or peer.fields()
    secret = {"password": complete["password"]}
    mail.setdefault("to", (ADA,))
    mail.setdefault("subject", f"A mail {uuid.uuid4().hex}")
    made = letter(folder, text, settings=complete, secret=secret, key=uuid.uuid4().hex, **mail)
    return armed(channel(), made)


def by_id(made: Parcel) -> str:
    return f'HEADER Message-ID "{made.frozen["message_id"]}"'


# --- connecting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_connecting(peer: Peer, security: str) -> None:
    identity = channel().connect(peer.fields(security))
    assert (identity.handle, identity.name) == ("grace@mail.test", "Grace Höpper")
    assert identity.learned["message_bytes"] == 2_097_152
    assert "SMTPUTF8" in identity.settings["keywords"]
    assert "“Gesendete Übersicht”" in identity.note


def test_a_wrong_password(peer: Peer) -> None:
    with pytest.raises(NeedsLogin, match=r"does not accept the user name and password: “535 5\.7\.8"):
        channel().connect(peer.fields(password="wrong"))


def test_a_sender_that_belongs_to_somebody_else_shows_on_connecting(peer: Peer) -> None:
    with pytest.raises(Rejected, match=r"does not let this account send as that sender.*not owned by user"):
        channel().connect(peer.fields(**{"from": "ada@mail.test"}))


def test_an_authority_that_nobody_knows(peer: Peer) -> None:
    with pytest.raises(Rejected, match="can’t prove that it is localhost"):
        channel().connect(peer.fields(ca_file=""))


@pytest.mark.parametrize(("security", "words"), [("tls", "does not begin with TLS"), ("starttls", "did not answer")])
def test_the_wrong_encryption_for_the_port(peer: Peer, security: str, words: str) -> None:
    port = peer.submission if security == "tls" else peer.smtps
    with pytest.raises((Rejected, TryLater), match=words):
        channel(greeting=2).connect(peer.fields(security, port=str(port)))


# --- sending ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_what_was_written_is_what_arrives(peer: Peer, tmp_path: Path, security: str) -> None:
    files = (
        attachment(tmp_path, PNG, "logo grün.png", role=Role.INLINE),
        attachment(tmp_path, bytes(range(256)) * 300, "Übersicht – 2026.pdf", "application/pdf"),
        attachment(tmp_path, "a,b\r\nä,ö\n".encode(), "表.csv", "text/csv"),
    )
    html = '<p>Grüße, {{name}}!</p><img src="cid:logo grün.png" alt="Logo">'
    subject = f"Grüße aus Köln – 你好 {uuid.uuid4().hex}"
    made = parcel(
        peer, tmp_path, ".\n.. two dots\nGrüße, {{name}}!", fields=peer.fields(security), media=files,
        markup=Markup.HTML, html=html, subject=subject, unsubscribe="https://example.org/u/1",
        bcc=(Recipient("grace@mail.test"),),
    )  # fmt: skip
    receipt = channel().publish(made)
    assert receipt.remote_id == made.frozen["message_id"]
    assert "queued as" in receipt.answer
    for name in ("ada", "grace"):
        message = peer.arrived(by_id(made), name)
        _is_what_was_written(message, subject)


def _is_what_was_written(message: EmailMessage, subject: str) -> None:
    assert message["Subject"] == subject
    assert message["From"].addresses[0].display_name == "Grace Höpper"
    assert [(one.display_name, one.addr_spec) for one in message["To"].addresses] == [("Ada Lovelace", "ada@mail.test")]
    assert message["Bcc"] is None
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert plain.get_content().splitlines() == [".", ".. two dots", "Grüße, Ada Lovelace!"]
    assert "<p>Grüße, Ada Lovelace!</p>" in page.get_content()
    found = {part.get_filename(): part for part in message.walk() if part.get_filename()}
    assert found["logo grün.png"].get_content() == PNG
    assert f'src="cid:{found["logo grün.png"]["Content-ID"][1:-1]}"' in page.get_content()
    assert found["Übersicht – 2026.pdf"].get_content() == bytes(range(256)) * 300
    assert found["表.csv"].get_payload(decode=True) == "a,b\r\nä,ö\n".encode()


def test_a_recipient_who_is_refused(peer: Peer, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"knows no such mailbox \(gone@mail.test\): “550 5\.1\.1 .*nobody here"):
        channel().publish(parcel(peer, tmp_path, to=(Recipient("gone@mail.test"),)))


def test_a_recipient_who_is_refused_for_now(peer: Peer, tmp_path: Path) -> None:
    with pytest.raises(TryLater, match="come back later"):
        channel().publish(parcel(peer, tmp_path, to=(Recipient("busy@mail.test"),)))


def test_some_are_refused_and_the_others_get_it(peer: Peer, tmp_path: Path) -> None:
    people = (ADA, Recipient("gone@mail.test"), Recipient("busy@mail.test"))
    made = parcel(peer, tmp_path, to=people)
    receipt = channel().publish(made)
    assert [address for address, _ in receipt.refused] == ["gone@mail.test", "busy@mail.test"]
    assert "nobody here by that name" in receipt.refused[0][1]
    assert peer.arrived(by_id(made))["Message-ID"] == receipt.remote_id


def test_too_big(peer: Peer, tmp_path: Path) -> None:
    made = parcel(peer, tmp_path, media=(attachment(tmp_path, bytes(1_600_000), "big.bin"),))
    with pytest.raises(Rejected, match=r"too big for localhost: encoded it has 2\.2 MB, and 2\.1 MB is the limit"):
        channel().publish(made)


def test_just_small_enough(peer: Peer, tmp_path: Path) -> None:
    made = parcel(peer, tmp_path, media=(attachment(tmp_path, bytes(1_500_000), "big.bin"),))
    channel().publish(made)
    (attached,) = peer.arrived(by_id(made)).iter_attachments()
    assert len(attached.get_content()) == 1_500_000


def test_an_address_that_does_not_exist_bounces_into_the_senders_mailbox(peer: Peer, tmp_path: Path) -> None:
    made = parcel(peer, tmp_path, to=(Recipient("nobody@elsewhere.example"),))
    channel().publish(made)
    bounce = peer.arrived('FROM "MAILER-DAEMON"', "grace")
    assert made.frozen["message_id"] in bounce.as_string()
    assert bounce.get_content_type() == "multipart/report"
    report = next(part for part in bounce.walk() if part.get_content_type() == "message/delivery-status")
    assert "Status: 5.1.2" in str(report)


# --- doubt --------------------------------------------------------------------------------------------------------


class Relay:
    """A wire between Sendoff and the server that can be cut: after so many bytes of ours, no answer comes back."""

    def __init__(self, port: int, cut_after: int) -> None:
        self._target = port
        self._cut_after = cut_after
        self._sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut.set()
        self._listener.close()

    def _serve(self) -> None:
        ours, _ = self._listener.accept()
        with ours, socket.create_connection(("127.0.0.1", self._target)) as theirs:
            back = threading.Thread(target=self._pass, args=(theirs, ours, lambda _: self._sent < self._cut_after))
            back.start()
            self._pass(ours, theirs, self._count)
            self.cut.wait(30)
            for side in (ours, theirs):
                _shut(side)
            back.join(5)

    def _count(self, size: int) -> bool:
        self._sent += size
        return True

    def _pass(self, source: socket.socket, target: socket.socket, keeps: Callable[[int], bool]) -> None:
        try:
            while piece := source.recv(65_536):
                if keeps(len(piece)):
                    target.sendall(piece)
        except OSError:
            pass


def _shut(side: socket.socket) -> None:
    try:
        side.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def test_a_lost_answer_is_settled_by_the_folder_of_sent_mail(peer: Peer, tmp_path: Path) -> None:
    media = (attachment(tmp_path, os.urandom(200_000), "noise.bin"),)
    made = parcel(peer, tmp_path, media=media)
    with Relay(peer.submission, cut_after=200_000) as relay:
        cut = replace(made, account=replace(made.account, settings={**made.account.settings, "port": str(relay.port)}))
        with pytest.raises(InDoubt, match="It may have gone out"):
            channel(end=2).publish(cut)
    peer.arrived(by_id(made))  # it did
    with pytest.raises(CannotLook, match="nothing shows that localhost files"):
        channel().find(made)
    peer.file_as_sent(made.blob or b"")
    assert channel().find(made) == Receipt(made.frozen["message_id"], answer="Found in “Gesendete Übersicht”.")


def test_absence_is_believed_only_where_ours_are_filed(peer: Peer, tmp_path: Path) -> None:
    made = parcel(peer, tmp_path)
    with pytest.raises(CannotLook):
        channel().find(made)
    peer.file_as_sent(parcel(peer, tmp_path).blob or b"")
    assert channel().find(made) is None


# --- the whole way ------------------------------------------------------------------------------------------------


def test_a_scheduled_mail_goes_through_the_engine(peer: Peer, open_profile: Any, tmp_path: Path) -> None:
    """From the sign-in form to the mailbox, with the real clock: two people, a copy each."""
    program = open_profile()
    account_id = program.commands.accounts.add("smtp", "Work", peer.fields())
    program.commands.accounts.set_spacing(account_id, 0.1)
    source = tmp_path / "Bericht.txt"
    source.write_bytes(b"Zahlen")
    attached = program.media.attach(source, role=Role.ATTACHMENT)
    subject = f"Für {{{{name}}}} {uuid.uuid4().hex}"
    people = (ADA, Recipient("grace@mail.test", "Grace"))
    mail = Mail(subject=subject, markup=Markup.MARKDOWN, to=people, separately=True)
    content = Content((Item("# Hallo {{name}}", (attached,)),), mail)
    post_id, _ = program.commands.posts.save_draft(content, (Variant(account_id),))
    instant = program.clock.now() + timedelta(seconds=0.5)
    (delivery_id,) = program.commands.posts.schedule(post_id, When.at(instant, "UTC"))
    engine = program.engine()
    engine.start()
    try:
        _until_sent(program, delivery_id)
    finally:
        engine.stop()
    for name, person in (("ada", "Ada Lovelace"), ("grace", "Grace")):
        message = peer.arrived(f'SUBJECT "{subject.split()[-1]}"', name)
        assert message["Subject"] == subject.replace("{{name}}", person)
        assert [one.addr_spec for one in message["To"].addresses] == [f"{name}@mail.test"]
        (file,) = message.iter_attachments()
        assert file.get_filename() == "Bericht.txt"
        assert file.get_payload(decode=True) == b"Zahlen"


def _until_sent(program: Any, delivery_id: int, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while True:
        with program.store.reading() as connection:
            delivery = deliveries.get(connection, delivery_id)
        if delivery.state is State.SENT:
            return
        assert delivery.state in (State.SCHEDULED, State.CLAIMED, State.SENDING), delivery
        assert time.monotonic() < until, delivery
        time.sleep(0.05)
