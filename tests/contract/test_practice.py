"""The practice channel: each scripted answer comes to the end that it plays."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from sendoff.channels import testing
from sendoff.channels.http import Transport
from sendoff.channels.practice import Practice
from sendoff.channels.registry import Context
from sendoff.domain.account import Account
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.post import Content, Item


class PracticeBench:
    secrets: ClassVar[dict[str, str]] = {}
    content = Content((Item("hello"),))
    options: ClassVar[dict[str, str]] = {}

    def __init__(self, folder: Path, answers: str = "") -> None:
        self.channel = Practice(Context(Transport(), folder))
        self.files = folder
        self.answers = answers

    def account(self, url: str) -> Account:
        return Account(1, 1, "practice", "p", "@p", settings={"handle": "@p", "answers": self.answers})


def parcel(bench: PracticeBench, key: str = "k") -> Parcel:
    return testing.parcel(bench, "", key=key)


@pytest.mark.parametrize(
    ("answer", "end", "shown"),
    [
        ("accept", Receipt, 1),
        ("slow:0.01", Receipt, 1),
        ("refuse", Rejected, 0),
        ("login", NeedsLogin, 0),
        ("later:7", TryLater, 0),
        ("offline", TryLater, 0),
        ("drop", InDoubt, 1),
        ("lost", InDoubt, 0),
    ],
)
def test_answers_come_as_scripted(tmp_path: Path, answer: str, end: type, shown: int) -> None:
    bench = PracticeBench(tmp_path, answer)
    try:
        came: object = bench.channel.publish(parcel(bench))
    except SendError as wrong:
        came = wrong
    assert isinstance(came, end)
    assert len(bench.channel.received("@p")) == shown


def test_the_script_goes_on_over_tries_and_ends_with_accept(tmp_path: Path) -> None:
    bench = PracticeBench(tmp_path, "refuse, later")
    with pytest.raises(Rejected):
        bench.channel.publish(parcel(bench, "a"))
    with pytest.raises(TryLater):
        bench.channel.publish(parcel(bench, "b"))
    assert bench.channel.publish(parcel(bench, "b")).remote_id == "practice-1"


def test_the_same_key_has_one_effect(tmp_path: Path) -> None:
    bench = PracticeBench(tmp_path, "drop")
    with pytest.raises(InDoubt):
        bench.channel.publish(parcel(bench, "k"))
    assert bench.channel.publish(parcel(bench, "k")).remote_id == "practice-1"
    assert len(bench.channel.received()) == 1


def test_it_can_be_asked(tmp_path: Path) -> None:
    bench = PracticeBench(tmp_path, "drop lost")
    for key in ("there", "not there"):
        with pytest.raises(InDoubt):
            bench.channel.publish(parcel(bench, key))
    assert bench.channel.find(parcel(bench, "there")) is not None
    assert bench.channel.find(parcel(bench, "not there")) is None


def test_an_unknown_answer_is_named_when_connecting(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no answer “dance”"):
        PracticeBench(tmp_path).channel.connect({"handle": "@p", "answers": "accept dance"})
