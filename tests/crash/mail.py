"""Mail through the real worker: at each command and on both sides of the dot the state is true, says the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt, NeedsLogin, Rejected, TryLater
from tests.contract.test_smtp import CASES, Case
from tests.crash.cells import Room, rows
from tests.crash.faults import DOUBT_0, DOUBT_1, FAILED, GIVES_UP, HELD, SENT, WAITS, Allowed, Scene, scene
from tests.fakes.smtp_server import SmtpServer, Taken

TEXT = "part 1"
TWO_MINUTES = timedelta(minutes=2)

# What the channel's contract says of a fault, and what is to come of it: where it happens once, and always.
ENDS: dict[type, tuple[Allowed, Allowed]] = {
    TryLater:   (SENT, FAILED),
    Rejected:   (FAILED, FAILED),
    NeedsLogin: (HELD, HELD),
    Receipt:    (SENT, SENT),
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """A case of the contract, "once" or "always"."""

    case: Case
    how: str

    def __str__(self) -> str:
        return f"{self.case}, {self.how}"

    @property
    def wish(self) -> timedelta | None:
        """How long the channel wants to wait at least: too many connections are two minutes, if it says no more."""
        if self.case.end is TryLater and self.case.fault.startswith(("421", "432")):
            return self.case.waits or TWO_MINUTES
        return self.case.waits

    @property
    def allowed(self) -> Allowed:
        if self.case.end is InDoubt:
            return DOUBT_1 if self.case.effects else DOUBT_0
        if self.wish:
            return WAITS
        once, always = ENDS[self.case.end]
        return once if self.how == "once" else always


def cells() -> Iterator[Fault]:
    for case in CASES:
        yield Fault(case, "once")
        yield Fault(case, "always")


@pytest.fixture(scope="session")
def letters(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Profiles with a mail that is due, by its sort: "light", "heavy" (some megabytes), "two" (people, one mail)."""
    made: dict[str, Path] = {}

    def make(sort: str) -> Path:
        if sort not in made:
            made[sort] = _profile(room, tmp_path_factory.mktemp("mail"), sort)
        return room._copy(made[sort])

    return make


def _profile(room: Room, folder: Path, sort: str, **env: str) -> Path:
    home = room._new_home()
    with SmtpServer(folder, port=room.port, size=50_000_000) as server:
        fields = {name: value for name, value in server.fields().items() if name != "password"}
        room.nursery.run(
            home, "accounts", "add", "smtp", "--name", "mail", "--secret-env", "password=CRASH_PASSWORD",
            *(word for name, value in fields.items() for word in ("--field", f"{name}={value}")),
            CRASH_PASSWORD=next(iter(server.users.values())), **env,
        )  # fmt: skip
    heavy = folder / "big.bin"
    heavy.write_bytes(bytes(6_000_000))
    words = ["post", "--to", "mail", "--subject", "A word", "--text", TEXT, "--recipient", "ada@example.org"]
    words += ["--attach", str(heavy)] if sort == "heavy" else []
    words += ["--recipient", "bob@example.org", "--together"] if sort == "two" else []
    room.nursery.run(home, *words)
    Scene(room, home).sql("UPDATE accounts SET spacing = 0")  # three seconds between two tries, in life
    return home


def effects(server: SmtpServer) -> Counter[str]:
    return Counter(TEXT for _ in server.taken)


def same(taken: list[Taken]) -> bool:
    """Whether all that was ever taken is one and the same mail."""
    return len({(one.message["Message-ID"], one.data) for one in taken}) <= 1


@pytest.mark.parametrize("fault", list(cells()), ids=str)
def test_smtp(
    room: Room, letters: Callable[[str], Path], tmp_path: Path, fault: Fault,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    record_property("sort", "smtp")
    home = letters("heavy" if fault.case.step == "BODY" else "light")
    # The host is asked whether it is there before the try, and the greeting is all that this meets.
    times = None if fault.how == "always" else 2 if fault.case.step == "GREETING" else 1
    faults = {fault.case.step: fault.case.fault}
    with (
        SmtpServer(tmp_path, port=room.port, size=50_000_000, faults=faults, times=times) as server,
        scene(room, home) as played,
    ):  # fmt: skip
        if fault.how == "always" and fault.allowed is not WAITS:
            played.gives_up_in(GIVES_UP)
        if fault.allowed is WAITS:
            played.until_tried()
        else:
            played.worker()
        _judge(played, server, fault)


def _judge(played: Scene, server: SmtpServer, fault: Fault) -> None:
    end = fault.allowed
    if end is WAITS:
        ((state, wait),) = played.sql(
            "SELECT d.state, (d.due_at - a.ended_at) / 1e6 FROM deliveries d JOIN attempts a ON a.delivery_id = d.id"
        )
        assert fault.wish
        played.expect(state == "scheduled", f"it was told to wait, and is {state}")
        played.expect(wait >= fault.wish.total_seconds(), f"it waits {wait} s")
        played.make_due()
        if fault.how == "always":
            played.gives_up_in(-1)
        played.worker()
        end = SENT if fault.how == "once" else FAILED
    played.expect(same(server.taken), "the tries were different mails")
    played.judge("smtp", effects(server), end)


# --- what is no single step ------------------------------------------------------------------------------------------

SERVERS: dict[str, tuple[dict[str, Any], Allowed, str]] = {
    "STARTTLS stripped":    ({"offers_starttls": False}, FAILED, "offers no STARTTLS"),
    "certificate expired":  ({"expired": True}, FAILED, "certificate has expired"),
    "another's certificate": ({"names": ("mail.elsewhere.example",)}, FAILED, "can’t prove that it is"),
    "a banner of 100 kB":   ({"banner": "220 " + "x" * 100_000}, FAILED, ""),
    "a banner of 2,000 lines": ({"banner": "220-hello\r\n" * 2000 + "220 now"}, SENT, ""),
    "250 comes late":       ({"late": 0.6}, SENT, ""),
    "250 comes too late":   ({"late": 2.0}, DOUBT_1, ""),
}  # fmt: skip


@pytest.mark.parametrize("what", SERVERS)
def test_smtp_servers(
    room: Room, letters: Callable[[str], Path], tmp_path: Path, what: str,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    record_property("sort", "smtp")
    features, allowed, words = SERVERS[what]
    home = letters("light")
    with SmtpServer(tmp_path, port=room.port, **features) as server, scene(room, home) as played:
        played.gives_up_in(GIVES_UP)
        played.worker()
        played.expect(words in rows(home)[0].reason, f"the person reads: {rows(home)[0].reason}")
        played.expect(
            allowed is not FAILED or not any(one.startswith(("AUTH", "MAIL")) for one in server.commands),
            "the password was offered",
        )
        played.judge("smtp", effects(server), allowed)


@pytest.mark.parametrize(
    ("answer", "allowed", "taken"),
    [("550 5.1.1 no such user", SENT, ["ada@example.org"]), ("450 4.2.1 not now", SENT, None)],
    ids=["refused", "not now"],
)
def test_smtp_that_refuses_one_of_two(
    room: Room, letters: Callable[[str], Path], tmp_path: Path, answer: str, allowed: Allowed,
    taken: list[str] | None, record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    """One mail to two people: whoever is refused stands in the receipt, and the other one gets it once."""
    record_property("sort", "smtp")
    home = letters("two")
    refuse = {"bob@example.org": answer}
    with SmtpServer(tmp_path, port=room.port, refuse=refuse) as server, scene(room, home) as played:
        played.gives_up_in(GIVES_UP)
        played.worker()
        known = played.sql("SELECT receipt FROM parts")[0][0] or ""
        played.expect(taken is None or [one.recipients for one in server.taken] == [taken], "not who it should be")
        played.expect("bob@example.org" in known, f"nobody says that bob was refused: {known}")
        played.judge("smtp", effects(server), allowed)
