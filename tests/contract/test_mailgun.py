"""The contract, played on the loopback Mailgun; and what a look into its log says after every kind of doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.mailgun import Mailgun
from sendoff.channels.registry import Context
from sendoff.channels.testing import HTTP_CASES, Case
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt, SendError
from sendoff.domain.post import Attachment, Content, Item, Mail, Markup, Recipient, Role
from tests.fakes import mailgun
from tests.fakes.mailgun import LoopbackMailgun

CASES = HTTP_CASES
"""Nothing deviates: Mailgun's own ways (429 with a date in words, 401 in plain text, …) are tested beside this."""

DOUBTFUL = [case for case in HTTP_CASES if case.end is InDoubt]


class MailgunBench:
    """A mail with a file and an HTML part, to two people at once."""

    secrets: Mapping[str, str] = {"sending_key": mailgun.SENDING_KEY, "account_key": mailgun.ACCOUNT_KEY}
    options: Mapping[str, str] = {"tags": "contract"}

    def __init__(self, files: Path, **mail: object) -> None:
        self.channel: Channel = Mailgun(Context(testing.fast_transport(), files))
        self.files = files
        (files / "abc").write_bytes(b"\x89PNG")
        media = (Attachment("abc", "a picture.png", "image/png", 4, role=Role.ATTACHMENT),)
        to = (Recipient("ada@example.org", "Ada"), Recipient("bob@example.org"))
        written = {"subject": "Hello", "markup": Markup.MARKDOWN, "to": to, **mail}
        self.content = Content((Item("Dear *all*", media),), Mail(**written))  # type: ignore[arg-type]

    def account(self, url: str) -> Account:
        settings = {"region": "us", "domain": mailgun.DOMAIN, "from": f"Grace <g@{mailgun.DOMAIN}>", "base_url": url}
        return Account(1, 1, "mailgun", "m", f"g@{mailgun.DOMAIN}", settings=settings, learned={"reads_log": True})


@pytest.fixture
def loopback() -> Iterator[LoopbackMailgun]:
    with LoopbackMailgun() as service:
        yield service


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.mode)
def test_it_keeps_the_contract(loopback: LoopbackMailgun, tmp_path: Path, case: Case) -> None:
    testing.run(MailgunBench(tmp_path), loopback.us, case)


@pytest.mark.parametrize("mode", ["accept", "hang_up_after", "unauthorized", "error_after", "no_id"])
def test_it_keeps_it_with_a_finished_message_and_in_a_batch(
    loopback: LoopbackMailgun, tmp_path: Path, mode: str
) -> None:
    case = next(one for one in CASES if one.mode == mode)
    odd = MailgunBench(tmp_path, to=(Recipient("ada@example.org", "Lovelace, Adá"),))
    testing.run(odd, loopback.us, case)
    testing.run(MailgunBench(tmp_path, separately=True), loopback.us, case)
    kinds = [(call.mime is not None, call.variables is not None) for call in loopback.accepted]
    assert kinds == ([(True, False), (False, True)] if case.effects else [])


def test_a_refused_connection_is_certainly_not_sent(tmp_path: Path) -> None:
    assert "refused the connection" in testing.refused_connection(MailgunBench(tmp_path)).reason


@pytest.mark.parametrize("case", DOUBTFUL, ids=lambda case: case.mode)
def test_the_log_settles_every_doubt(loopback: LoopbackMailgun, tmp_path: Path, case: Case) -> None:
    bench = MailgunBench(tmp_path)
    made = testing.parcel(bench, loopback.url)
    loopback.us.mode = case.mode
    with pytest.raises(InDoubt):
        bench.channel.publish(made)
    found = bench.channel.find(replace(made, first_try=made.now))
    assert (found is not None) == (case.effects == 1)
    if found:
        assert found.remote_id == loopback.accepted[0].id == made.frozen["message_id"]
        assert "accepted" in found.answer


def test_the_same_mail_again_after_an_absence_has_the_same_id(loopback: LoopbackMailgun, tmp_path: Path) -> None:
    bench = MailgunBench(tmp_path)
    made = testing.parcel(bench, loopback.url)
    loopback.us.mode, loopback.us.times = "hang_up_before", 1
    ends: list[Receipt | SendError] = []
    for _ in range(2):
        try:
            ends.append(bench.channel.publish(made))
        except SendError as end:
            ends.append(end)
    assert isinstance(ends[0], InDoubt)
    assert isinstance(ends[1], Receipt)
    assert [call.id for call in loopback.accepted] == [made.frozen["message_id"]]
