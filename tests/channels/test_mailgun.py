"""Mailgun: what it is sent, what its answers mean, how an account is proven, and how doubt is settled."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.bootstrap import Program
from sendoff.channels import mailgun_answers, testing
from sendoff.channels.fault_server import FaultServer, Reply
from sendoff.channels.http import Answer, Transport
from sendoff.channels.mailgun import Mailgun
from sendoff.channels.registry import Context
from sendoff.domain.account import Account
from sendoff.domain.channel import How, Level, Parcel, Problem
from sendoff.domain.delivery import Receipt, plan_parts
from sendoff.domain.errors import (
    BadInput,
    CannotLook,
    Dropped,
    InDoubt,
    NeedsLogin,
    Rejected,
    SendError,
    SendoffError,
    TryLater,
)
from sendoff.domain.post import Attachment, Content, Item, Mail, Markup, Recipient, Role
from sendoff.store import accounts
from tests.fakes import mailgun
from tests.fakes.letters import PNG, attachment
from tests.fakes.mailgun import DOMAIN, EU_DOMAIN, SANDBOX, LoopbackMailgun

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
ADA, BOB = Recipient("ada@example.org", "Ada", {"city": "London"}), Recipient("bob@example.org", "Bob & Co")
KEYS = {"sending_key": mailgun.SENDING_KEY, "account_key": mailgun.ACCOUNT_KEY}


@pytest.fixture
def loopback() -> Iterator[LoopbackMailgun]:
    with LoopbackMailgun() as service:
        yield service


@pytest.fixture
def channel(loopback: LoopbackMailgun, tmp_path: Path) -> Mailgun:
    return Mailgun(Context(testing.fast_transport(), tmp_path), hosts={"us": loopback.url})


@pytest.fixture
def both(loopback: LoopbackMailgun, tmp_path: Path) -> Mailgun:
    """The channel with both regions behind it."""
    return Mailgun(Context(testing.fast_transport(), tmp_path), hosts=loopback.hosts)


@pytest.fixture
def offline(tmp_path: Path) -> Mailgun:
    """The channel as it is, for what it says without asking anybody."""
    return Mailgun(Context(testing.fast_transport(), tmp_path))


def account(**settings: str) -> Account:
    chosen = {"region": "us", "domain": DOMAIN, "from": f"Grace <grace@{DOMAIN}>", "base_url": "", **settings}
    return Account(1, 1, "mailgun", "m", f"grace@{DOMAIN}", settings=chosen, learned={"reads_log": True})


def parcel(
    channel: Mailgun,
    folder: Path,
    text: str = "Hello.",
    *,
    to: tuple[Recipient, ...] = (ADA,),
    media: tuple[Attachment, ...] = (),
    options: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    secret: Mapping[str, str] = KEYS,
    now: datetime | None = None,
    **mail: Any,
) -> Parcel:
    """A parcel as the engine makes it, armed. What is not named here goes to `Mail`."""
    content = Content((Item(text, media),), Mail(to=to, **{"subject": "A word", **mail}))
    now = now or datetime.now(UTC)
    made = Parcel(
        account=account(**(settings or {})), capabilities=channel.capabilities, secret=secret, content=content,
        item=content.items[0], recipients=to, key="0123456789abcdef" * 2, options=options or {}, planned_at=now,
        now=now, first_try=now, last_try=now, file=lambda one: folder / one.sha256,
    )  # fmt: skip
    return testing.ready(channel, made)


def ended(channel: Mailgun, made: Parcel) -> Receipt | SendError:
    try:
        return channel.publish(made)
    except SendError as end:
        return end


# --- what is sent -------------------------------------------------------------------------------------------------


def test_a_plain_mail_is_one_call_with_an_id_of_its_own(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    made = parcel(
        channel, tmp_path, to=(ADA, BOB), cc=(Recipient("cy@example.org"),), bcc=(Recipient("di@example.org"),),
        reply_to="Desk Ünit <desk@example.org>", unsubscribe="https://example.org/out",
    )  # fmt: skip
    receipt = channel.publish(made)
    (call,) = loopback.accepted
    assert receipt.remote_id == call.id == made.frozen["message_id"]
    assert receipt.answer == "Queued. Thank you."
    assert call.recipients == tuple(
        (f"{name}@example.org", role) for name, role in (("ada", "to"), ("bob", "to"), ("cy", "cc"), ("di", "bcc"))
    )
    assert call.form.all("to") == ["Ada <ada@example.org>", "Bob & Co <bob@example.org>"]
    assert call.variables is None
    assert call.form.one("html") is None
    assert call.form.one("h:Reply-To") == "=?utf-8?B?RGVzayDDnG5pdA==?= <desk@example.org>"
    assert call.form.one("h:List-Unsubscribe") == "<https://example.org/out>"
    assert call.form.one("h:List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert loopback.us.requests[0].headers["Content-Type"].startswith("multipart/form-data")


def test_options_become_the_fields_that_mailgun_knows(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    chosen = {
        "tags": " spring, sale ,spring,", "tracking": "htmlonly", "tracking_opens": "no", "tracking_clicks": "",
        "test_mode": "yes", "require_tls": "no", "deliver_within": "1h30m", "visibility": "public",
    }  # fmt: skip
    receipt = channel.publish(parcel(channel, tmp_path, options=chosen))
    assert loopback.accepted[0].form.with_prefix("o:") == [
        ("o:tag", "spring"), ("o:tag", "sale"), ("o:tracking", "htmlonly"), ("o:tracking-opens", "no"),
        ("o:deliver-within", "1h30m"), ("o:testmode", "yes"),
    ]  # fmt: skip
    assert receipt.answer == "Queued. Thank you. Test mode: nobody gets it."
    event = loopback.service.events[-1]["event"]
    assert event["flags"]["is-test-mode"]
    assert event["delivery-status"]["code"] == 650


def test_left_alone_nothing_overrides_the_domain(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    channel.publish(parcel(channel, tmp_path, options={option.name: option.default for option in channel.options}))
    assert loopback.accepted[0].form.with_prefix("o:") == []


def test_one_person_gets_the_fields_filled(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    channel.publish(parcel(channel, tmp_path, "Hello {{name}} in {{city|your city}}", subject="For {{name}}"))
    (copy,) = loopback.accepted[0].copies()
    assert (copy.subject, copy.text) == ("For Ada", "Hello Ada in London")
    assert loopback.accepted[0].variables is None


def test_a_batch_gives_each_an_own_copy_with_own_values(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    made = parcel(
        channel, tmp_path, "Hi **{{name}}**, [go](https://e.org/?u={{email}}) to {{ city | “home” }}. {{city|abroad}}",
        to=(ADA, BOB), markup=Markup.MARKDOWN, subject="{{name}}: {{city|home}}", separately=True,
        preheader="{{name}} & you", unsubscribe="https://e.org/out?{{email}}",
    )  # fmt: skip
    channel.publish(made)
    (call,) = loopback.accepted
    ada, bob = call.copies()
    assert (ada.to, bob.to) == ("Ada <ada@example.org>", "Bob & Co <bob@example.org>")
    assert (ada.subject, bob.subject) == ("Ada: London", "Bob & Co: home")
    assert "Hi <strong>Ada</strong>" in ada.html
    assert "Hi <strong>Bob &amp; Co</strong>" in bob.html
    assert "Bob &amp; Co & you" in bob.html
    assert 'href="https://e.org/?u=bob@example.org"' in bob.html
    assert "to  “home” . abroad" in bob.text.replace("{{", "")
    assert "Bob & Co" in bob.text
    assert bob.headers["List-Unsubscribe"] == "<https://e.org/out?bob%40example.org>"
    assert "{{" not in ada.html + ada.text + ada.subject
    assert "%recipient" not in ada.html + bob.html + bob.text + bob.subject


def test_words_that_look_like_mailguns_own_stay_beside_ours(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    """A field that we make never takes the name of one that the person typed."""
    channel.publish(parcel(channel, tmp_path, "{{name}} %recipient.name% 100% sure", to=(ADA, BOB), separately=True))
    assert loopback.accepted[0].copies()[0].text == "Ada %recipient.name% 100% sure"


def test_mailguns_own_link_for_unsubscribing_survives_markdown(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    channel.publish(parcel(channel, tmp_path, "[out](%unsubscribe_url%)", markup=Markup.MARKDOWN))
    assert f'href="https://email.{DOMAIN}/u/ada@example.org"' in loopback.accepted[0].copies()[0].html


def test_2500_people_are_three_calls(loopback: LoopbackMailgun, tmp_path: Path) -> None:
    channel = Mailgun(Context(Transport(), tmp_path), hosts={"us": loopback.url})  # a busy machine takes seconds
    people = tuple(Recipient(f"p{number}@example.org", f"P {number}") for number in range(2500))
    content = Content((Item("Hi {{name}}"),), Mail(subject="s", to=people, separately=True))
    plans = plan_parts(content, mail=True, batch=channel.capabilities.batch)
    for plan in plans:
        own = people[plan.first : plan.first + plan.count]
        channel.publish(parcel(channel, tmp_path, "Hi {{name}}", to=own, separately=True))
    calls = loopback.accepted
    assert [len(call.recipients) for call in calls] == [1000, 1000, 500]
    assert all(call.variables is not None and len(call.variables) == len(call.recipients) for call in calls)
    copies = [copy for call in calls for copy in call.copies()]
    assert [(copy.address, copy.text) for copy in copies] == [(one.address, f"Hi {one.name}") for one in people]
    assert len({call.id for call in calls}) == 3


def test_a_batch_shows_nobody_to_others(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    channel.publish(parcel(channel, tmp_path, to=(ADA, BOB), separately=True, cc=(Recipient("cy@example.org"),)))
    assert [copy.to for copy in loopback.accepted[0].copies()] == [
        "Ada <ada@example.org>",
        "Bob & Co <bob@example.org>",
    ]


@pytest.mark.parametrize("name", ["Übersicht.pdf", "日本語 資料.pdf", "a;b=c.txt", "100%.txt", "Приложение №1.docx"])
def test_file_names_in_any_script_arrive(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path, name: str
) -> None:
    one = attachment(tmp_path, b"\x00\r\n--data\xff", name, "application/octet-stream")
    channel.publish(parcel(channel, tmp_path, media=(one,)))
    (call,) = loopback.accepted
    assert call.mime is None
    assert [(file.name, file.data) for file in call.copies()[0].attachments] == [(name, b"\x00\r\n--data\xff")]


def test_pictures_in_the_html_are_found_by_their_content_id(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    shown = attachment(tmp_path, PNG, "mein logo.com", role=Role.INLINE)
    plain = attachment(tmp_path, PNG + b"2", "logo.png", role=Role.INLINE)
    beside = attachment(tmp_path, PNG + b"3", "beside.png")
    source = '<img src="cid:mein%20logo.com"><img src="cid:logo.png"><img src="cid:logo.png">'
    channel.publish(parcel(channel, tmp_path, "", markup=Markup.HTML, html=source, media=(shown, plain, beside)))
    (copy,) = loopback.accepted[0].copies()
    assert set(copy.inline) == {"img1.png", "logo.png"}
    assert copy.inline["img1.png"].data == PNG
    assert copy.html.count("cid:img1.png") == 1
    assert copy.html.count("cid:logo.png") == 2
    assert [file.name for file in copy.attachments] == ["beside.png"]


@pytest.mark.parametrize(
    ("to", "settings", "name"),
    [
        ((Recipient("ada@example.org", "Lovelace, Adá"),), {}, ""),
        ((ADA,), {"from": f'"Büro (Süd)" <g@{DOMAIN}>'}, ""),
        ((ADA,), {}, 'a "quoted" name.txt'),
        ((ADA,), {}, "back\\slash.txt"),
    ],
)
def test_names_that_mailgun_gets_wrong_go_as_a_finished_message(
    channel: Mailgun,
    loopback: LoopbackMailgun,
    tmp_path: Path,
    to: tuple[Recipient, ...],
    settings: dict[str, str],
    name: str,
) -> None:
    media = (attachment(tmp_path, b"x", name, "text/plain"),) if name else ()
    bcc = (Recipient("secret@example.org"),)
    made = parcel(channel, tmp_path, to=to, settings=settings, media=media, bcc=bcc, options={"tags": "t"})
    channel.publish(made)
    (call,) = loopback.accepted
    assert call.mime is not None
    assert call.id == made.frozen["message_id"]
    assert call.tags == ["t"]
    assert call.addresses == ["ada@example.org", "secret@example.org"]
    copy = call.copies()[0]
    assert '"\\"' not in copy.sender + copy.to
    assert "secret" not in call.mime.as_string()
    assert [file.name for file in copy.attachments] == ([name] if name else [])


def test_in_a_batch_a_name_that_suffers_stays_out(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    people = (Recipient("ada@example.org", "Lovelace, Adá"), BOB)
    channel.publish(parcel(channel, tmp_path, to=people, separately=True, options={"mime": "mime"}))
    assert loopback.accepted[0].mime is None
    assert loopback.accepted[0].form.all("to") == ["ada@example.org", "Bob & Co <bob@example.org>"]


def test_a_finished_message_is_the_same_in_every_try(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    made = parcel(channel, tmp_path, options={"mime": "mime"})
    for _ in range(2):
        channel.publish(made)
    first, second = (call.form.files[0].data for call in loopback.accepted)
    assert first == second == made.blob
    message = email.message_from_bytes(first, policy=email.policy.default)
    assert message["Message-ID"] == made.frozen["message_id"]


def test_addresses_outside_ascii_go_with_an_ascii_domain(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    people = (Recipient("zoë@münchen.example", "Zoë"), BOB)
    channel.publish(parcel(channel, tmp_path, "Hi {{name}}", to=people, separately=True))
    (call,) = loopback.accepted
    assert call.form.all("to")[0] == "Zoë <zoë@xn--mnchen-3ya.example>"
    assert call.copies()[0].text == "Hi Zoë"


def test_a_file_that_is_gone_is_found_before_anything_leaves(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    one = attachment(tmp_path, b"x", "x.txt", "text/plain")
    made = parcel(channel, tmp_path, media=(one,))
    (tmp_path / one.sha256).unlink()
    with pytest.raises(Rejected, match=r"x\.txt can’t be read"):
        channel.publish(made)
    assert loopback.us.requests == []


def test_the_endpoint_has_the_last_word_on_size(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    one = attachment(tmp_path, bytes(19_000_000), "big.bin", "application/octet-stream")
    patient = Mailgun(Context(Transport(), tmp_path), hosts={"us": loopback.url})
    end = ended(patient, parcel(patient, tmp_path, media=(one,)))
    assert isinstance(end, Rejected)
    assert "Message size limit" in end.reason
    assert "attachments" in end.advice


# --- what answers mean --------------------------------------------------------------------------------------------


def said(status: int, body: Any, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, raw, {"Content-Type": "application/json", **named})


NOT_ALLOWED = "Domain x is not allowed to send: "
SANDBOXED = f"{NOT_ALLOWED}Sandbox subdomains are for test purposes only."
ANSWERS = [
    (said(400, {"message": "to parameter is not a valid address. please check documentation"}), Rejected, "whole mail"),
    (said(400, {"message": "Send options (...) are limited to 16 kB total"}), Rejected, "Shorten the tags"),
    (said(400, {"message": "Too many recipients, max is 1000"}), Rejected, "batches of 1,000"),
    (said(400, {"Reason": "yes, no", "Field": "o:dkim", "Value": "x"}), Rejected, "yes, no (o:dkim: x)"),
    (said(400, b"plain words"), Rejected, "“plain words”"),
    (said(400, {"message": SANDBOXED}), Rejected, "you authorised"),
    (said(403, {"message": SANDBOXED}), Rejected, "you authorised"),
    (said(403, {"message": f"{NOT_ALLOWED}Free accounts are for test purposes only."}), Rejected, "paid plan"),
    (said(403, {"message": f"{NOT_ALLOWED}The domain is unverified and requires DNS"}), Rejected, "DNS records"),
    (said(403, {"message": f"{NOT_ALLOWED}Please activate your Mailgun account."}), Rejected, "activated"),
    (said(403, {"message": "Domain x is not allowed to send large batches yet"}), Rejected, "new accounts"),
    (said(403, {"message": "Insufficient role"}), Rejected, "Insufficient role"),
    (said(402, {"message": "Request Failed"}), Rejected, "Request Failed"),
    (said(409, {"Description": "already there"}), Rejected, "already there"),
    (said(413, b"request size exceeds 52.4MiB limit"), Rejected, "too big"),
    (said(404, b"<html><title>404 Not Found</title></html>"), Rejected, "404 Not Found"),
    (said(404, b""), Rejected, "(404)"),
    (said(200, b"Mailgun Magnificent API"), Rejected, "Check the sending domain"),
    (said(401, b"Forbidden", WWW_Authenticate='Basic realm="MG API"'), NeedsLogin, f"{DOMAIN}: “Forbidden”"),
    (said(401, {"message": "Invalid private key"}), NeedsLogin, "region"),
    (said(404, {"message": f"Domain not found: {DOMAIN}"}), TryLater, "at the moment"),
    (said(429, {"message": "slow down"}), TryLater, "slow down"),
    (said(403, {"message": f"{NOT_ALLOWED}request limit exceeded, try again after 9 seconds"}), TryLater, "limit exc"),
    (said(503, b"", Retry_After="5"), TryLater, "wait"),
    (said(500, {"message": "Internal Server Error"}), InDoubt, "Internal Server Error"),
    (said(502, b"<html><title>Bad Gateway</title></html>"), InDoubt, "Bad Gateway"),
    (said(200, {"id": "<x@y>", "message": "Thank you."}), InDoubt, "something else"),
    (said(200, {"id": "<x@y>", "message": "Queued. Thank you."}), InDoubt, "another id"),
    (said(200, {"message": "Queued. Thank you."}), InDoubt, "something else"),
    (said(202, {"message": "Accepted"}), InDoubt, "something else"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "end", "words"), ANSWERS, ids=lambda value: getattr(value, "body", b"")[:50].decode()
)
def test_every_answer_has_its_end_and_a_sentence(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path, reply: Reply, end: type[SendError], words: str
) -> None:
    loopback.service.answers["messages"] = [reply]
    came = ended(channel, parcel(channel, tmp_path))
    assert type(came) is end
    assert words in f"{came.reason} {came.advice}"
    assert came.status == reply.status
    assert loopback.accepted == []


DATE = "Mon, 23 Nov 2026 18:02:00 UTC"
WAITS = [
    ({"message": "request limit exceeded, try again after 120 seconds"}, {}, 120),
    ({"message": f"{NOT_ALLOWED}recipient limit exceeded, try again after {DATE}"}, {}, 600),
    ({"message": f"{NOT_ALLOWED}bytes limit exceeded, try again after {DATE}"}, {"Date": "Mon, 23 Nov 2026 18:00:00 GMT"}, 120),  # noqa: E501
    ({"message": "bytes limit exceeded, try again after next Tuesday"}, {}, None),
    ({"retry-seconds": 60}, {}, 60),
    ({"retry-seconds": True}, {}, None),
    ({"message": "no"}, {"Retry-After": "7"}, 7),
    ({"message": "no"}, {"X-RateLimit-Reset": str(int(NOW.timestamp() * 1000) + 8000)}, 8),
    ({"message": "no"}, {"X-RateLimit-Reset": str(int(NOW.timestamp()) + 8)}, 8),
    ({"message": "no"}, {"X-RateLimit-Reset": "x", "X-Recipient-Reset": str(int(NOW.timestamp()) + 9)}, 9),
    ({"message": "no"}, {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "headers", "seconds"), WAITS)
def test_it_waits_as_long_as_mailgun_asks(body: dict[str, Any], headers: dict[str, str], seconds: int | None) -> None:
    """A date is meant by the server's own clock, which stands in its Date header."""
    wait = mailgun_answers.pause(Answer(429, headers, json.dumps(body).encode()), NOW)
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


def test_a_domain_that_stays_unknown_is_the_wrong_one(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    made = parcel(channel, tmp_path, settings={"domain": EU_DOMAIN}, secret={"sending_key": mailgun.ACCOUNT_KEY})
    assert isinstance(ended(channel, made), TryLater)
    end = ended(channel, replace(made, now=made.now + timedelta(minutes=11)))
    assert isinstance(end, Rejected)
    assert "region" in end.advice


@pytest.mark.parametrize("text", ["request limit exceeded, try again after 120 seconds", f"try again after {DATE}"])
def test_the_loopback_mailgun_throttles_before_it_accepts(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path, text: str
) -> None:
    loopback.service.throttles = [f"Domain {DOMAIN} is not allowed to send: {text}"]
    end = ended(channel, parcel(channel, tmp_path))
    assert isinstance(end, TryLater)
    assert end.after is not None
    assert loopback.accepted == []
    assert isinstance(ended(channel, parcel(channel, tmp_path)), Receipt)


# --- signing in ---------------------------------------------------------------------------------------------------


def typed(**fields: str) -> dict[str, str]:
    return {"region": "us", "domain": DOMAIN, "from": f"Grace <grace@{DOMAIN}>", **KEYS, "base_url": "", **fields}


def test_both_keys_are_proven_and_nothing_is_sent(both: Mailgun, loopback: LoopbackMailgun) -> None:
    identity = both.connect(typed(sending_key=f" {mailgun.SENDING_KEY}\n", domain=f" {DOMAIN.upper()}. "))
    assert (identity.handle, identity.name) == (f"grace@{DOMAIN}", "Grace")
    assert identity.learned == {"reads_log": True, "sandbox": False}
    assert identity.settings["domain"] == DOMAIN
    assert identity.secrets == KEYS
    assert identity.note == ""
    assert loopback.accepted == []


def test_with_a_sending_key_alone_it_says_what_it_cannot_know(both: Mailgun, loopback: LoopbackMailgun) -> None:
    identity = both.connect(typed(account_key=""))
    assert identity.learned["reads_log"] is False
    assert "has to ask you" in identity.note
    assert "verified could not be read" in identity.note
    assert loopback.accepted == []


def test_an_account_key_in_place_of_the_sending_key_does_both(both: Mailgun) -> None:
    identity = both.connect(typed(sending_key=mailgun.ACCOUNT_KEY, account_key=""))
    assert identity.learned["reads_log"] is True


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"domain": EU_DOMAIN, "sending_key": mailgun.ACCOUNT_KEY}, BadInput, "lives in Mailgun’s EU region, not in"),
        ({"region": "eu", "account_key": ""}, BadInput, "lives in Mailgun’s US region, not in EU. Choose US."),
        ({"region": "eu"}, BadInput, "Choose US"),
        ({"domain": "mg.nowhere.org"}, Rejected, f"US region. It has: {DOMAIN}, {SANDBOX}"),
        ({"sending_key": "wrong"}, NeedsLogin, "does not accept the sending key for mg.example.org in the US region"),
        ({"sending_key": "wrong", "account_key": ""}, NeedsLogin, "“Forbidden”"),
        ({"account_key": mailgun.SENDING_KEY}, NeedsLogin, "account key"),
        ({"sending_key": mailgun.PUBLIC_KEY}, BadInput, "public key"),
        ({"sending_key": "schlüssel"}, BadInput, "character that no key has"),
        ({"domain": "https://mg.example.org"}, BadInput, "is not a domain"),
        ({"domain": "example"}, BadInput, "is not a domain"),
        ({"from": "nobody"}, BadInput, "not a mail address"),
        ({"from": f"zoë@{DOMAIN}"}, BadInput, "plain ASCII"),
        ({"region": "moon"}, BadInput, "no region"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    both: Mailgun, loopback: LoopbackMailgun, fields: dict[str, str], error: type[SendoffError], words: str
) -> None:
    with pytest.raises(error) as end:
        both.connect(typed(**fields))
    assert words in str(end.value)
    assert not any(key in str(end.value) for key in KEYS.values())
    assert loopback.accepted == []


def test_the_wrong_region_may_call_a_right_key_wrong(both: Mailgun, loopback: LoopbackMailgun) -> None:
    loopback.service.answers[EU_DOMAIN] = [said(401, {"message": "Invalid private key"})]
    with pytest.raises(BadInput, match="Choose EU"):
        both.connect(typed(domain=EU_DOMAIN))


def test_a_domain_that_cannot_send_is_refused_when_connecting(both: Mailgun, loopback: LoopbackMailgun) -> None:
    domain = loopback.service.domain(DOMAIN)
    domain.state = "unverified"
    with pytest.raises(Rejected, match=r"Missing: TXT for mg\.example\.org, TXT for mx\._domainkey\.mg\.example\.org"):
        both.connect(typed())
    domain.state, domain.is_disabled = "active", True
    with pytest.raises(Rejected, match=r"has disabled mg\.example\.org: “too many bounces”"):
        both.connect(typed())


def test_a_sandbox_is_named_as_one(both: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    keys = {"sending_key": mailgun.ACCOUNT_KEY, "account_key": ""}
    identity = both.connect(typed(domain=SANDBOX, **keys, **{"from": f"g@{SANDBOX}"}))
    assert identity.learned["sandbox"] is True
    assert "five at most" in identity.note
    settings = {"domain": SANDBOX, "from": f"g@{SANDBOX}"}
    made = parcel(both, tmp_path, to=(BOB,), settings=settings, secret=keys)
    end = ended(both, made)
    assert isinstance(end, Rejected)
    assert "authorised" in end.advice


def test_another_sender_domain_is_mentioned(both: Mailgun) -> None:
    assert "DMARC" in both.connect(typed(**{"from": "grace@other.example"})).note
    assert "DMARC" not in both.connect(typed(**{"from": "grace@example.org"})).note


def test_an_address_of_ones_own_replaces_the_region(both: Mailgun, loopback: LoopbackMailgun) -> None:
    identity = both.connect(
        typed(region="us", domain=EU_DOMAIN, base_url=f"{loopback.eu.url}/v3/", sending_key=mailgun.ACCOUNT_KEY)
    )
    assert identity.settings["base_url"] == loopback.eu.url
    with pytest.raises(NeedsLogin) as end:
        both.connect(typed(base_url=loopback.url, sending_key="wrong"))
    assert "region" not in str(end.value)


def test_an_address_that_is_not_mailguns_is_told(offline: Mailgun) -> None:
    class Hotel:
        effects: list[Any] = []  # noqa: RUF012

        def is_effect(self, request: Any) -> bool:
            return False

        def handle(self, request: Any) -> Reply:
            return Reply(200, b"<html><title>Welcome</title></html>", {"Content-Type": "text/html"})

    with FaultServer(Hotel()) as hotel, pytest.raises(Rejected, match="no sending address"):
        offline.connect(typed(base_url=hotel.url))


def test_an_account_is_stored_without_its_keys(
    program: Program, loopback: LoopbackMailgun, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ident = program.commands.accounts.add("mailgun", "", {**typed(), "base_url": loopback.url})
    with program.store.reading() as connection:
        stored = accounts.get(connection, ident)
    assert stored.name == "Grace"
    assert stored.learned["reads_log"] is True
    assert program.channels["mailgun"].settle(stored).how is How.SEARCH
    assert program.commands.accounts.check(ident).handle == stored.handle
    everything = repr(stored) + caplog.text
    assert not any(key in everything for key in KEYS.values())


# --- looking ------------------------------------------------------------------------------------------------------


def test_only_a_key_that_reads_settles_doubt(offline: Mailgun) -> None:
    reading = offline.settle(account())
    assert (reading.how, reading.looks, reading.absent_after) == (How.SEARCH, (5, 15, 60, 300, 900, 2100), 2100)
    asking = offline.settle(replace(account(), learned={}))
    assert asking.how is How.ASK
    assert "account key" in asking.why


def lost(channel: Mailgun, loopback: LoopbackMailgun, made: Parcel, mode: str = "hang_up_after") -> Parcel:
    loopback.us.mode, loopback.us.times = mode, 1
    assert isinstance(ended(channel, made), InDoubt)
    return made


def test_events_come_late(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    moment = [1e9]
    loopback.service.now = lambda: moment[0]
    loopback.service.events_after = 30
    made = lost(channel, loopback, parcel(channel, tmp_path, now=datetime.fromtimestamp(1e9, UTC)))
    assert channel.find(made) is None
    moment[0] += 31
    assert isinstance(channel.find(made), Receipt)


def test_the_id_is_asked_for_without_brackets(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    channel.publish(parcel(channel, tmp_path))
    made = lost(channel, loopback, parcel(channel, tmp_path), "hang_up_before")
    assert channel.find(made) is None
    asked = [request.path for request in loopback.us.requests if "/events?" in request.path]
    assert all("%3C" not in path for path in asked)


def test_foreign_events_are_not_taken_for_ours(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    """A filter that is not understood brings everything; only the very id counts, and an absence is not proven."""
    channel.publish(parcel(channel, tmp_path))
    foreign = [one["event"] for one in loopback.service.events]
    made = lost(channel, loopback, parcel(channel, tmp_path), "hang_up_before")
    loopback.service.answers["events"] = [said(200, {"items": foreign, "paging": {}})]
    with pytest.raises(CannotLook, match="other mails"):
        channel.find(made)


def test_a_lost_batch_of_1000_is_found(loopback: LoopbackMailgun, tmp_path: Path) -> None:
    """Every event of a batch lists all its recipients, so that a page of events is large."""
    people = tuple(Recipient(f"person-number-{number}@department.example.org") for number in range(1000))
    patient = Mailgun(Context(Transport(), tmp_path), hosts={"us": loopback.url})
    made = lost(patient, loopback, parcel(patient, tmp_path, to=people, separately=True))
    assert isinstance(patient.find(made), Receipt)


def test_a_refusal_after_intake_is_a_refusal(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    loopback.service.rejects = "Sandbox subdomains are for test purposes only."
    made = lost(channel, loopback, parcel(channel, tmp_path))
    with pytest.raises(Dropped, match="took it and then refused it") as end:
        channel.find(made)
    assert "authorised" in end.value.advice


def test_who_is_suppressed_is_named(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    loopback.service.suppressed = {"bob@example.org": "complaint"}
    made = lost(channel, loopback, parcel(channel, tmp_path, to=(ADA, BOB)))
    found = channel.find(made)
    assert found is not None
    assert found.refused == (("bob@example.org", "Mailgun sends it nothing: it complained about spam before."),)
    assert found.answer == "Found in Mailgun’s log: accepted, delivered, failed."


def test_the_newer_log_is_asked_where_the_older_one_is_closed(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    made = lost(channel, loopback, parcel(channel, tmp_path))
    loopback.service.answers["events"] = [said(410, {"message": "gone"})]
    assert isinstance(channel.find(made), Receipt)


def test_a_key_that_may_only_get_is_enough(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    secret = {"sending_key": mailgun.SENDING_KEY, "account_key": mailgun.ANALYST_KEY}
    made = lost(channel, loopback, parcel(channel, tmp_path, secret=secret))
    assert isinstance(channel.find(made), Receipt)
    made = lost(channel, loopback, parcel(channel, tmp_path, secret=secret), "hang_up_before")
    assert channel.find(made) is None


def test_a_key_of_another_account_proves_no_absence(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    """Its own log is open to it and knows nothing; that says nothing about this domain."""
    made = lost(channel, loopback, parcel(channel, tmp_path), "hang_up_before")
    loopback.service.answers["events"] = [said(404, {"message": f"Domain not found: {DOMAIN}"})]
    with pytest.raises(CannotLook, match="can’t read Mailgun’s log"):
        channel.find(made)


def test_a_sending_key_cannot_look(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    made = lost(channel, loopback, parcel(channel, tmp_path, secret={"sending_key": mailgun.SENDING_KEY}))
    with pytest.raises(CannotLook, match="can’t read Mailgun’s log"):
        channel.find(made)


@pytest.mark.parametrize(
    "reply",
    [
        said(500, b""),
        said(429, {"message": "limit exceeded, try again after 9 seconds"}),
        said(403, {"message": "limit exceeded, try again after 9 seconds"}),
        said(200, b"<html></html>"),
        said(302, b"", Location="http://hotel.example/"),
    ],
    ids=["500", "429", "403", "html", "302"],
)
def test_a_look_that_did_not_work_is_no_absence(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path, reply: Reply
) -> None:
    made = lost(channel, loopback, parcel(channel, tmp_path), "hang_up_before")
    loopback.service.answers["events"] = [reply]
    with pytest.raises(TryLater):
        channel.find(made)
    loopback.service.answers["logs"] = [reply]
    with pytest.raises(TryLater):
        channel.find(made)


def test_a_refused_look_is_no_refusal_of_the_mail(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    made = lost(channel, loopback, parcel(channel, tmp_path))
    loopback.service.answers["events"] = [said(400, {"message": "bad filter"})]
    with pytest.raises(CannotLook, match="bad filter"):
        channel.find(made)


def test_an_old_absence_proves_nothing(channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path) -> None:
    made = lost(channel, loopback, parcel(channel, tmp_path), "hang_up_before")
    later = replace(made, last_try=made.now - timedelta(days=3))
    with pytest.raises(CannotLook, match="no longer tells"):
        channel.find(later)


def test_a_mail_under_another_id_stops_a_second_one(
    channel: Mailgun, loopback: LoopbackMailgun, tmp_path: Path
) -> None:
    loopback.service.own_ids = False
    made = parcel(channel, tmp_path, "Hi {{name}}", to=(ADA, BOB), subject="For {{name}}", separately=True)
    end = ended(channel, made)
    assert isinstance(end, InDoubt)
    assert "another id" in end.reason
    loopback.service.events[0]["event"]["message"]["headers"]["subject"] = "For Ada"
    with pytest.raises(CannotLook, match="under an id that is not this one’s"):
        channel.find(made)


# --- before sending -----------------------------------------------------------------------------------------------


def codes(found: list[Problem], level: Level) -> set[str]:
    return {one.code for one in found if one.level is level}


CHECKS: list[tuple[dict[str, Any], dict[str, str], Level, str]] = [
    ({}, {"tags": "grüße"}, Level.ERROR, "tag"),
    ({}, {"tags": "x" * 129}, Level.ERROR, "tag"),
    ({}, {"tags": ",".join(f"t{n}" for n in range(11))}, Level.ERROR, "tags"),
    ({}, {"tags": "a,b,c,d"}, Level.NOTE, "tags"),
    ({}, {"tracking": "banana"}, Level.ERROR, "option"),
    ({}, {"test_mode": "true"}, Level.ERROR, "option"),
    ({}, {"deliver_within": "soon"}, Level.ERROR, "option"),
    ({}, {"test_mode": "yes"}, Level.NOTE, "test_mode"),
    ({}, {"tags": ",".join(f"{n:0100}" for n in range(170))}, Level.ERROR, "options_size"),
    ({"subject": "%recipient.name%"}, {}, Level.WARNING, "token"),
    ({"html": "%recipient_email%", "markup": Markup.HTML}, {}, Level.WARNING, "token"),
    ({"html": "%unsubscribe_url%", "markup": Markup.HTML}, {}, Level.NOTE, "token"),
    ({"to": (Recipient("a@example.org", "", {"x": "%recipient%"}),)}, {}, Level.WARNING, "token"),
    ({"to": (Recipient("zoë@example.org"),)}, {}, Level.WARNING, "eai"),
    ({"to": (ADA, BOB, Recipient("ADA@example.org")), "separately": True}, {}, Level.WARNING, "once"),
    ({"reply_to": "nobody"}, {}, Level.ERROR, "reply_to"),
]


@pytest.mark.parametrize(("mail", "options", "level", "code"), CHECKS)
def test_what_mailgun_would_not_take_is_said_while_typing(
    offline: Mailgun, mail: dict[str, Any], options: dict[str, str], level: Level, code: str
) -> None:
    content = Content((Item("100% of %it% is fine"),), Mail(**{"subject": "s", "to": (ADA,), **mail}))
    assert code in codes(list(offline.check(content, options, account())), level)


def test_a_good_mail_has_no_problems(offline: Mailgun, tmp_path: Path) -> None:
    one = attachment(tmp_path, b"x", 'a "b".txt', "text/plain")
    mail = Mail(subject="100 %", to=(ADA, BOB), unsubscribe="https://e.org/{{email}}")
    assert list(offline.check(Content((Item("50% off", (one,)),), mail), {"tags": "a,b"}, account())) == []


def test_what_a_batch_gets_wrong_is_said(offline: Mailgun, tmp_path: Path) -> None:
    one = attachment(tmp_path, b"x", 'a "b".txt', "text/plain")
    content = Content((Item("x", (one,)),), Mail(subject="s", to=(ADA, BOB), separately=True))
    found = list(offline.check(content, {}, account(**{"from": f'"Büro, Süd" <g@{DOMAIN}>'})))
    assert {"from_name", "file_name"} == codes(found, Level.WARNING)


def test_a_sandbox_and_a_sender_outside_ascii_are_said(offline: Mailgun) -> None:
    content = Content((Item("x"),), Mail(subject="s", to=(ADA,)))
    sandbox = replace(account(), learned={"sandbox": True})
    assert codes(list(offline.check(content, {}, sandbox)), Level.WARNING) == {"sandbox"}
    assert codes(list(offline.check(content, {}, account(**{"from": f"zoë@{DOMAIN}"}))), Level.ERROR) == {"from"}


def test_the_check_is_quick_with_ten_thousand_people(offline: Mailgun) -> None:
    people = tuple(Recipient(f"p{number}@example.org", f"P {number}", {"a": "50%"}) for number in range(10_000))
    content = Content((Item("Hi {{name}}"),), Mail(subject="s", to=people, separately=True))
    began = time.process_time()
    assert list(offline.check(content, {}, account())) == []
    assert time.process_time() - began < 0.5
