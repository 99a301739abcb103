"""Two judges of the Mailgun channel and of the loopback Mailgun that it is tested on.

Prism reads the official OpenAPI file and stands between the two: it names every request that breaks the file. The
official `mailgun` package and django-anymail are clients that others wrote: what they are content with is plausible.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import testing
from sendoff.channels.http import Transport
from sendoff.channels.mailgun import Mailgun
from sendoff.channels.registry import Context
from sendoff.domain.account import Account
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt, Rejected
from sendoff.domain.post import Attachment, Content, Item, Mail, Markup, Recipient
from tests.fakes.letters import PNG, attachment
from tests.fakes.mailgun import ACCOUNT_KEY, DOMAIN, SENDING_KEY, LoopbackMailgun
from tests.peers.referee import judging

pytestmark = pytest.mark.peer

KEYS = {"sending_key": SENDING_KEY, "account_key": ACCOUNT_KEY}
ADA, BOB = Recipient("ada@example.org", "Ada", {"city": "London"}), Recipient("bob@example.org", "Böb (Bobby)")

KNOWN = (
    # The file calls 401 JSON and leaves it out at the logs; the service answers it in plain text.
    "Unable to match the returned status code",
)
"""What the referee says of answers though the file is wrong there."""


@dataclass(frozen=True, slots=True)
class Referee:
    """Prism as a proxy in front of the loopback Mailgun."""

    url: str
    mailgun: LoopbackMailgun
    violations: Callable[[str], list[str]]


@pytest.fixture(scope="module")
def referee(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Referee]:
    folder = tmp_path_factory.mktemp("prism")
    with LoopbackMailgun() as mailgun, judging("mailgun-openapi.yaml", mailgun.url, folder, KNOWN) as prism:
        yield Referee(prism.url, mailgun, prism.violations)


@pytest.fixture
def channel(tmp_path: Path) -> Mailgun:
    return Mailgun(Context(Transport(), tmp_path))


def parcel(
    channel: Mailgun,
    referee: Referee,
    folder: Path,
    text: str = "Hello *{{name|you}}*.",
    *,
    to: tuple[Recipient, ...] = (ADA,),
    media: tuple[Attachment, ...] = (),
    options: Mapping[str, str] | None = None,
    sender: str = f"Grace <grace@{DOMAIN}>",
    **mail: Any,
) -> Parcel:
    settings = {"region": "us", "domain": DOMAIN, "from": sender, "base_url": referee.url}
    content = Content((Item(text, media),), Mail(to=to, **{"subject": "A word", "markup": Markup.MARKDOWN, **mail}))
    now = datetime.now(UTC)
    made = Parcel(
        account=Account(1, 1, "mailgun", "m", f"grace@{DOMAIN}", settings=settings, learned={"reads_log": True}),
        capabilities=channel.capabilities, secret=KEYS, content=content, item=content.items[0], recipients=to,
        key=os.urandom(16).hex(), options=options or {}, planned_at=now, now=now, first_try=now,
        file=lambda one: folder / one.sha256,
    )  # fmt: skip
    return testing.ready(channel, made)


EVERY_OPTION = {
    "tags": "spring,sale", "tracking": "htmlonly", "tracking_opens": "no", "tracking_clicks": "htmlonly",
    "test_mode": "yes", "require_tls": "yes", "deliver_within": "1h30m", "ip_pool": "0123456789abcdef01234567",
}  # fmt: skip


def kinds_of_mail(folder: Path) -> dict[str, dict[str, Any]]:
    """Mails of every kind that the channel sends."""
    logo = attachment(folder, PNG, "logo.png")
    paper = attachment(folder, b"%PDF-1.4\x00\xff", "Übersicht 日本.pdf", "application/pdf")
    source = '<p>Hello {{name|you}}</p><img src="cid:logo.png">'
    many = tuple(Recipient(f"p{number}@example.org", f"P {number}") for number in range(990))
    return {
        "plain": {"markup": Markup.PLAIN},
        "html": {"markup": Markup.HTML, "html": source, "media": (logo, paper), "text": ""},
        "everyone": {
            "to": (ADA, Recipient("ed@example.org")), "cc": (Recipient("cy@example.org"),),
            "bcc": (Recipient("di@example.org"),), "reply_to": "desk@example.org",
            "unsubscribe": "https://example.org/out",
        },
        "options": {"options": EVERY_OPTION},
        "batch": {"to": (ADA, BOB), "separately": True, "unsubscribe": "https://example.org/?{{email}}"},
        "large batch": {"to": many, "separately": True},
        "finished": {"options": {"mime": "mime", **EVERY_OPTION}, "media": (logo, paper)},
        "finished by need": {"to": (BOB,), "sender": f'"Büro, Süd" <g@{DOMAIN}>'},
    }  # fmt: skip


KINDS = ("plain", "html", "everyone", "options", "batch", "large batch", "finished", "finished by need")


@pytest.mark.parametrize("kind", KINDS)
def test_no_request_breaks_the_official_file(channel: Mailgun, referee: Referee, tmp_path: Path, kind: str) -> None:
    wanted = kinds_of_mail(tmp_path)[kind]
    before = len(referee.mailgun.accepted)
    made = parcel(channel, referee, tmp_path, **wanted)
    receipt = channel.publish(made)
    assert receipt.remote_id == made.frozen["message_id"]
    call = referee.mailgun.accepted[before]
    assert (call.mime is not None) == kind.startswith("finished")
    assert {"Übersicht 日本.pdf"} >= {file.name for file in call.copies()[0].attachments} - {"logo.png"}
    assert referee.violations("request") == []
    assert referee.violations("response") == []


def test_signing_in_and_looking_break_nothing_either(channel: Mailgun, referee: Referee, tmp_path: Path) -> None:
    fields = {"region": "us", "domain": DOMAIN, "from": f"g@{DOMAIN}", "base_url": referee.url, **KEYS}
    assert channel.connect(fields).learned["reads_log"] is True
    assert channel.connect({**fields, "account_key": ""}).learned["reads_log"] is False
    made = parcel(channel, referee, tmp_path)
    referee.mailgun.us.mode, referee.mailgun.us.times = "hang_up_after", 1
    with pytest.raises(InDoubt):  # the referee turns the silence into an error of its own
        channel.publish(made)
    assert isinstance(channel.find(made), Receipt)
    assert channel.find(replace(made, frozen={"message_id": f"<never@{DOMAIN}>"})) is None  # asks the logs, too
    assert referee.violations("request") == []
    assert referee.violations("response") == []


def test_the_referee_sees_what_is_wrong(channel: Mailgun, referee: Referee, tmp_path: Path) -> None:
    """Last: the breach stays in its log."""
    with pytest.raises(Rejected):
        channel.publish(parcel(channel, referee, tmp_path, options={"tracking": "banana"}))
    assert any("o:tracking" in one for one in referee.violations("request"))


# --- clients that others wrote ------------------------------------------------------------------------------------


@pytest.fixture
def loopback() -> Iterator[LoopbackMailgun]:
    with LoopbackMailgun() as mailgun:
        yield mailgun


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_official_package_is_content(loopback: LoopbackMailgun) -> None:
    client_module = pytest.importorskip("mailgun.client")
    with client_module.Client(auth=("api", ACCOUNT_KEY), api_url=loopback.url) as client:
        assert client.ping()
        data = {
            "from": f"Grace <grace@{DOMAIN}>", "to": ["ada@example.org", "bob@example.org"],
            "subject": "Hi %recipient.first%", "text": "t", "o:tag": ["a", "b"], "o:testmode": "yes",
            "recipient-variables": json.dumps({"ada@example.org": {"first": "Ada"}, "bob@example.org": {"first": "B"}}),
        }  # fmt: skip
        files = [("attachment", ("Übersicht.pdf", b"%PDF")), ("inline", ("logo.png", PNG))]
        answer = client.messages.create(domain=DOMAIN, data=data, files=files)
        assert (answer.status_code, answer.json()["message"]) == (200, "Queued. Thank you.")
        (call,) = loopback.accepted
        assert [copy.subject for copy in call.copies()] == ["Hi Ada", "Hi B"]
        assert call.copies()[0].attachments[0].name == "Übersicht.pdf"
        wanted = {"message-id": answer.json()["id"].strip("<>"), "begin": "1", "ascending": "yes"}
        events = client.events.get(domain=DOMAIN, filters=wanted).json()["items"]
        assert sorted(one["event"] for one in events) == ["accepted", "accepted", "delivered", "delivered"]
        logged = client.analytics_logs.create(
            data={
                "start": "Thu, 01 Jan 2026 00:00:00 +0000", "events": ["delivered"],
                "filter": {
                    "AND": [{"attribute": "domain", "comparator": "=", "values": [{"label": "", "value": DOMAIN}]}]
                },
                "pagination": {"sort": "timestamp:asc", "limit": 10},
            }
        )  # fmt: skip
        assert [one["recipient"] for one in logged.json()["items"]] == ["ada@example.org", "bob@example.org"]
        opinion = client.addressvalidate.get(filters={"address": "zoe@gmial.com"}).json()
        assert opinion["did_you_mean"] == "zoe@gmail.com"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_official_package_sends_a_finished_message(loopback: LoopbackMailgun) -> None:
    client_module = pytest.importorskip("mailgun.client")
    raw = f"From: g@{DOMAIN}\r\nTo: a@example.org\r\nMessage-ID: <own@{DOMAIN}>\r\nSubject: Hi\r\n\r\nwords".encode()
    with client_module.Client(auth=("api", SENDING_KEY), api_url=loopback.url) as client:
        answer = client.mimemessage.create(
            domain=DOMAIN, data={"to": "a@example.org"}, files={"message": ("message.mime", raw)}
        )
    assert answer.json()["id"] == f"<own@{DOMAIN}>"
    assert loopback.accepted[0].copies()[0].text.strip() == "words"


@pytest.fixture
def anymail(loopback: LoopbackMailgun) -> Any:
    """django-anymail with the loopback Mailgun behind it; Django is set up once for the process."""
    pytest.importorskip("anymail")
    from django.conf import settings
    from django.core.mail import get_connection

    if not settings.configured:
        settings.configure(DEFAULT_CHARSET="utf-8", USE_TZ=True)
    return get_connection(
        "anymail.backends.mailgun.EmailBackend",
        api_key=ACCOUNT_KEY,
        sender_domain=DOMAIN,
        api_url=f"{loopback.url}/v3",
    )


def test_anymail_sends_files_pictures_and_options(anymail: Any, loopback: LoopbackMailgun) -> None:
    from anymail.message import AnymailMessage

    letter = AnymailMessage(
        "Grüße", "text", f"Grace <grace@{DOMAIN}>", ['"Ada, L." <ada@example.org>'], cc=["cy@example.org"],
        reply_to=["desk@example.org"], headers={"X-Own": "yes"}, connection=anymail,
    )  # fmt: skip
    content_id = letter.attach_inline_image(PNG, "logo.png")
    letter.attach_alternative(f'<img src="cid:{content_id}">', "text/html")
    letter.attach("Übersicht.pdf", b"%PDF", "application/pdf")
    letter.tags, letter.track_clicks, letter.track_opens = ["a", "b"], True, False
    letter.metadata, letter.send_at = {"order": 7}, datetime.now(UTC) + timedelta(hours=2)
    assert letter.send() == 1
    (call,) = loopback.accepted
    assert letter.anymail_status.message_id == call.id
    assert call.tags == ["a", "b"]
    assert call.form.one("o:tracking-clicks") == "yes"
    copy = call.copies()[0]
    assert copy.attachments[0].name == "Übersicht.pdf"
    assert copy.inline[content_id].data == PNG
    assert copy.headers["X-Own"] == "yes"


def test_anymail_sends_a_batch(anymail: Any, loopback: LoopbackMailgun) -> None:
    from anymail.message import AnymailMessage

    letter = AnymailMessage(
        "Hi %recipient.name%", "t", f"g@{DOMAIN}", ["ada@example.org", "bob@example.org"], connection=anymail
    )
    letter.merge_data = {"ada@example.org": {"name": "Ada"}}
    letter.merge_global_data = {"name": "you"}
    letter.send()
    assert [copy.subject for copy in loopback.accepted[0].copies()] == ["Hi Ada", "Hi you"]


def test_anymail_understands_the_refusals(anymail: Any, loopback: LoopbackMailgun) -> None:
    from anymail.exceptions import AnymailRequestsAPIError
    from anymail.message import AnymailMessage

    def refused(**changes: Any) -> str:
        letter = AnymailMessage("s", "t", f"g@{DOMAIN}", ["ada@example.org"], connection=anymail)
        for name, value in changes.items():
            setattr(letter, name, value)
        with pytest.raises(AnymailRequestsAPIError) as end:
            letter.send()
        return str(end.value)

    assert "Unknown sender domain" in refused(esp_extra={"sender_domain": "mg.nowhere.org"})
    assert "not an RFC-2822 compliant date" in refused(send_at="2026-11-25T09:00:00Z")
    assert "limited to 16 kB" in refused(metadata={"much": "x" * 17_000})
    loopback.service.throttles = ["try again after 120 seconds"]
    assert "429" in refused()
    anymail.api_url = f"{loopback.url}/v3/v3/"
    assert "Invalid Mailgun API endpoint" in refused()
    assert loopback.accepted == []
