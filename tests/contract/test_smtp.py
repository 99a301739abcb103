"""The contract for SMTP: at every command and on both sides of the final dot, the end is true and the ledger agrees."""

from __future__ import annotations

import logging
import time
import traceback
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.smtp import Smtp
from sendoff.channels.smtp_wire import Patience
from sendoff.domain.channel import Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.redact import Redactor
from tests.fakes.letters import armed, attachment, letter
from tests.fakes.smtp_server import DRIP, DROP, ENDLESS, GARBAGE, HANG, RESET, SmtpServer, port_that_is_closed

USER = "grace@example.org"
CANARY = "CANARY-pässwörd-7c1f0e"
SHORT = Patience(connect=0.5, greeting=0.5, command=0.5, data=0.5, block=0.5, body=5.0, end=0.5, goodbye=0.3)
LONG = SHORT.__class__(*[10.0] * 7, 2.0)


@dataclass(frozen=True)
class Case:
    """What has to come of one fault: the kind of end, what stands in the ledger, and how long to wait at least."""

    step: str
    fault: str
    end: type[SendError] | type[Receipt]
    effects: int = 0
    waits: timedelta | None = None

    def __str__(self) -> str:
        return f"{self.step}-{self.fault[:24].strip()}"


BEFORE = ("GREETING", "EHLO", "STARTTLS", "HANDSHAKE", "AUTH", "MAIL", "RCPT", "DATA")
CASES = (
    *(Case(step, fault, TryLater) for step in BEFORE for fault in (DROP, RESET, HANG)),
    *(Case(step, GARBAGE, TryLater) for step in BEFORE if step != "HANDSHAKE"),
    *(Case(step, ENDLESS, TryLater) for step in ("GREETING", "EHLO", "MAIL", "DATA")),
    *(Case(step, DRIP, TryLater) for step in ("GREETING", "AUTH", "RCPT")),
    *(Case(step, "421 4.3.2 closing down", TryLater) for step in BEFORE if step != "HANDSHAKE"),
    *(Case(step, "451 4.3.0 not now", TryLater) for step in BEFORE if step != "HANDSHAKE"),
    Case("BODY", DROP, TryLater),
    Case("BODY", RESET, TryLater),
    Case("BODY", HANG, TryLater),
    # --- said before anything was taken
    Case("GREETING", "554 5.3.2 no service here", Rejected),
    Case("EHLO", "550 5.7.1 who are you", Rejected),
    Case("STARTTLS", "501 5.5.4 no", Rejected),
    Case("AUTH", "535 5.7.8 wrong", NeedsLogin),
    Case("AUTH", "534-5.7.9 Application-specific\n534 5.7.9 password required", NeedsLogin),
    Case("AUTH", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", NeedsLogin),
    Case("AUTH", "550 5.7.30 Basic authentication is not supported for Client Submission.", NeedsLogin),
    Case("AUTH", "554 go away", NeedsLogin),
    Case("AUTH", "500 5.5.1 unknown command", Rejected),
    Case("AUTH", "454 4.7.0 Temporary authentication failure", TryLater),
    Case("AUTH", "432 4.7.12 A password transition is needed", TryLater),
    Case("MAIL", "530 5.7.0 Authentication required", NeedsLogin),
    Case("MAIL", "550 5.7.1 not your address", Rejected),
    Case("MAIL", "552 5.3.4 too big", Rejected),
    Case("MAIL", "421 4.7.0 Try again later", TryLater, waits=timedelta(minutes=10)),
    Case("MAIL", "550 5.4.5 Daily user sending limit exceeded", TryLater, waits=timedelta(hours=24)),
    Case("RCPT", "550 5.1.1 no such user", Rejected),
    Case("RCPT", "450 4.2.1 too quickly", TryLater),
    Case("RCPT", "530 5.7.0 sign in", NeedsLogin),
    Case("RCPT", "550 5.4.5 Daily sending quota exceeded", TryLater, waits=timedelta(hours=24)),
    Case("DATA", "554 5.5.1 no valid recipients", Rejected),
    Case("DATA", "250 2.0.0 what?", TryLater),
    # --- after the final dot
    Case("DOT", "550 5.7.1 spam", Rejected),
    Case("DOT", "552 5.3.4 too big after all", Rejected),
    Case("DOT", "451 4.7.1 later", TryLater, waits=timedelta(minutes=10)),
    Case("DOT", "550 5.4.5 Daily sending quota exceeded", TryLater, waits=timedelta(hours=24)),
    *(Case("DOT", fault, InDoubt) for fault in (DROP, RESET, HANG, GARBAGE, ENDLESS, DRIP, "354 go on")),
    *(Case("TAKEN", fault, InDoubt, 1) for fault in (DROP, RESET, HANG, GARBAGE, ENDLESS, DRIP, "354 go on")),
    *(Case("QUIT", fault, Receipt, 1) for fault in (DROP, RESET, HANG, GARBAGE, "421 4.4.2 bye", "500 no")),
)


def channel(patience: Patience = LONG) -> Smtp:
    return Smtp(Context(Transport(), Path()), patience)


def ready(server: SmtpServer, folder: Path, *, heavy: bool = False, **more: str) -> Parcel:
    """An armed parcel for an account at the server."""
    fields = server.fields(**more)
    secret = {"password": fields.pop("password")}
    media = (attachment(folder, bytes(6_000_000), "big.bin", "application/x-big"),) if heavy else ()
    return armed(channel(), letter(folder, "Dear {{name}}", media=media, settings=fields, secret=secret))


def attempt(smtp: Smtp, made: Parcel, caplog: pytest.LogCaptureFixture) -> SendError | Receipt:
    """One try; no text that comes of it may hold the password in any form."""
    with caplog.at_level(logging.DEBUG):
        try:
            end: SendError | Receipt = smtp.publish(made)
            shown = repr(end)
        except SendError as wrong:
            end = wrong
            shown = "".join(traceback.format_exception(wrong)) + wrong.reason + wrong.advice + wrong.detail
    shown += made.trace.request + made.trace.answer + caplog.text
    shown += repr(replace(made, blob=made.blob[:100_000]))  # behind that there is only the attachment
    assert Redactor([CANARY]).clean(shown) == shown
    return end


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_fault_has_its_true_end(tmp_path: Path, caplog: pytest.LogCaptureFixture, case: Case) -> None:
    slow = case.fault in (HANG, DRIP) or case.step == "BODY"
    with SmtpServer(tmp_path, users={USER: CANARY}, size=50_000_000, faults={case.step: case.fault}) as server:
        told: list[bool] = []
        made = ready(server, tmp_path, heavy=case.step == "BODY")
        made = replace(made, trace=Trace(lambda: told.append(True)))
        began = time.monotonic()
        end = attempt(channel(SHORT if slow else LONG), made, caplog)
        assert time.monotonic() - began < 8, "it waited beyond its patience"
        assert isinstance(end, case.end), f"{case}: {end!r} {getattr(end, 'detail', '')}"
        assert len(server.taken) == case.effects
        assert bool(told) == (case.step in ("DOT", "TAKEN", "QUIT")), "only the final dot can have an effect"
        if case.waits:
            assert isinstance(end, TryLater)
            assert end.after is not None
            assert end.after >= case.waits
        # Once the fault is over, the same parcel goes out unchanged. (In doubt nobody repeats it by himself.)
        if isinstance(end, TryLater):
            server.faults.clear()
            assert isinstance(attempt(channel(), replace(made), caplog), Receipt)
            assert [one.data for one in server.taken] == [made.blob]


def test_a_server_that_closes_between_two_recipients_is_quoted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SmtpServer(tmp_path, users={USER: CANARY}, faults={"RCPT": "421 4.3.2 closing down"}) as server:
        made = ready(server, tmp_path)
        two = replace(made, frozen={**made.frozen, "recipients": ["a@example.org", "b@example.org"]})
        end = attempt(channel(), two, caplog)
        assert isinstance(end, TryLater)
        assert "421 4.3.2 closing down" in end.reason


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN XOAUTH2"])
def test_a_mail_arrives_as_it_was_armed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, security: str, mechanisms: str
) -> None:
    with SmtpServer(tmp_path, security=security, users={USER: CANARY}, mechanisms=mechanisms) as server:
        made = ready(server, tmp_path)
        end = attempt(channel(), made, caplog)
        assert isinstance(end, Receipt)
        (taken,) = server.wait(1)
        assert taken.data == made.blob
        assert (taken.sender, taken.recipients, taken.username) == (USER, ["ada@example.org"], USER)
        assert end.remote_id == taken.message["Message-ID"] == made.frozen["message_id"]
        assert "queued as 0001" in end.answer
        assert made.trace.status == 250


def test_the_password_that_a_server_echoes_is_masked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with SmtpServer(
        tmp_path, users={USER: CANARY}, faults={"AUTH": f"535 5.7.8 no such pair {USER} {CANARY}"}
    ) as server:
        end = attempt(channel(), ready(server, tmp_path), caplog)
        assert isinstance(end, NeedsLogin)
        assert USER in end.reason


def test_a_refused_connection_is_certainly_not_sent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with SmtpServer(tmp_path, users={USER: CANARY}) as server:
        made = ready(server, tmp_path, port=str(port_that_is_closed()))
        end = attempt(channel(), made, caplog)
    assert isinstance(end, TryLater)
    assert not end.offline
    assert "refused the connection" in end.reason


def test_a_name_that_is_not_found_spends_no_try(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with SmtpServer(tmp_path, users={USER: CANARY}) as server:
        end = attempt(channel(), ready(server, tmp_path, host="no.such.host.invalid"), caplog)
    assert isinstance(end, TryLater)
    assert end.offline


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(
    ("server", "trusted", "words", "advice", "field"),
    [
        ({"names": ("mail.elsewhere.example",)}, True, "IP address mismatch", "Is the server’s name right?", "host"),
        ({"expired": True}, True, "certificate has expired", "has to renew the certificate", "host"),
        (
            {},
            False,
            "unable to get local issuer",
            "choose its CA file in the account’s form, under Adv",
            "ca_file",
        ),
    ],
)
def test_nothing_is_said_to_a_server_that_cannot_prove_its_name(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    security: str,
    server: dict[str, object],
    trusted: bool,
    words: str,
    advice: str,
    field: str,
) -> None:
    with SmtpServer(tmp_path, security=security, users={USER: CANARY}, **server) as fake:  # type: ignore[arg-type]
        made = ready(fake, tmp_path, **({} if trusted else {"ca_file": ""}))
        end = attempt(channel(), made, caplog)
        assert isinstance(end, Rejected)
        assert f"can’t prove that it is 127.0.0.1: {words}" in end.reason
        assert advice in end.advice
        assert end.field == field
        assert not any(command.startswith(("AUTH", "MAIL")) for command in fake.commands)


def test_without_starttls_nothing_goes_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with SmtpServer(tmp_path, users={USER: CANARY}, offers_starttls=False) as server:
        end = attempt(channel(), ready(server, tmp_path), caplog)
        assert isinstance(end, Rejected)
        assert "offers no STARTTLS" in end.reason
        assert [command.split()[0] for command in server.commands] in (["EHLO"], ["EHLO", "QUIT"])


def test_what_is_slipped_in_before_the_encryption_is_not_believed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SmtpServer(tmp_path, users={USER: CANARY}, faults={"STARTTLS": "220 go\n235 you are signed in"}) as server:
        end = attempt(channel(SHORT), ready(server, tmp_path), caplog)
        assert isinstance(end, TryLater)
        assert not any(command.startswith("AUTH") for command in server.commands)


def test_the_last_words_of_a_server_that_has_enough_are_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    faults = {"BODY": "552 5.3.4 that is too much"}
    with SmtpServer(tmp_path, users={USER: CANARY}, size=None, faults=faults) as server:
        end = attempt(channel(SHORT), ready(server, tmp_path, heavy=True), caplog)
        assert isinstance(end, Rejected)
        assert "that is too much" in end.reason
        assert not server.taken
