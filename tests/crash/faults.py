"""Faults of servers and networks, once and always, for every way out of doubt: by table, played and judged."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels.fault_server import FaultServer, Reply, Request
from tests.crash.cells import Cell, Played, Room, judge, rows, texts
from tests.crash.children import Child, Nursery
from tests.crash.endpoints import Ledger, LedgerServer
from tests.crash.kinds import KINDS
from tests.fakes import authority

GIVES_UP = 2.5
"""Seconds after which what certainly failed is given up where a fault is there always; in life it is a day."""

LIFE = 1.0
"""Seconds for which keys are remembered there."""

LONGEST_WISH = 86_400 + 30
"""Seconds that an endpoint can make us wait, with what is added so that many do not come back at once."""

ROOM_FOR = 220_000
"""Kilobytes that a process may come to, whatever it is answered; about a third more than it takes in good days."""

Allowed = set[tuple[str, int]]
SENT: Allowed = {("sent", 1)}
FAILED: Allowed = {("failed", 0)}
HELD: Allowed = {("held", 0)}
WAITS: Allowed = {("scheduled", 0)}
DOUBT_0: Allowed = {("in_doubt", 0)}
DOUBT_1: Allowed = {("in_doubt", 1)}

ASKABLE = ("key", "ownid", "recent")
BLIND = ("blind",)


@dataclass(frozen=True)
class Row:
    """What is to come of a fault: for those that can find out (key, own id, recent) and for the blind one, where it
    happens once and where it is there always. `deaf`: always, and to a look too; None: the same as always."""

    once: Allowed
    blind_once: Allowed
    always: Allowed
    blind_always: Allowed
    deaf: Allowed | None = None


def _no(end: Allowed) -> Row:
    return Row(end, end, end, end)


NOTHING_HAPPENED = Row(SENT, DOUBT_0, FAILED, DOUBT_0, DOUBT_0)
"""Bytes left, no answer that can be believed came back, and the server did nothing: surely absent, so it goes again."""

IT_HAPPENED = Row(SENT, DOUBT_1, SENT, DOUBT_1, DOUBT_1)
"""The same, and the server had done it: found."""

HTTP: dict[str, Row] = {
    # refused: an answer that says no; nothing happens by itself
    **dict.fromkeys(("refuse", "forbid", "missing", "too_large"), _no(FAILED)),
    **dict.fromkeys(("redirect_301", "redirect_302", "redirect_303", "redirect_307", "redirect_308", "redirect_loop"),
                    _no(FAILED)),
    "conflict":              _no(FAILED),   # "ownid" looks it up instead: see EXCEPT
    "unauthorized":          _no(HELD),
    # later: certainly not sent, and the server says when; then sent, or failed where it says so again too late
    **dict.fromkeys(("limit", "limit_date", "limit_absurd", "unavailable"), _no(WAITS)),
    "limit_past":            Row(SENT, SENT, FAILED, FAILED),
    # unclear, and nothing had happened
    **dict.fromkeys(("error_before", "unavailable_bare", "bad_gateway", "gateway_timeout", "hang_up_before", "reset",
                     "captive"), NOTHING_HAPPENED),
    # unclear, and it had
    **dict.fromkeys(("error_after", "bad_gateway_after", "gateway_timeout_after", "hang_up_after", "cut_answer", "slow",
                     "drip", "endless", "huge", "bomb", "nothing", "garbage", "no_id", "wrong_types", "a_list",
                     "no_http", "many_headers"), IT_HAPPENED),
    # no fault at all
    "old_date":              _no(SENT),
}  # fmt: skip

EXCEPT: dict[tuple[str, str, str], Allowed] = {
    ("ownid", "conflict", "once"): SENT,  # “there is such a record”, and there is none: looked up, sent again
    ("ownid", "conflict", "always"): FAILED,  # the same until patience ends
    ("ownid", "conflict", "deaf"): DOUBT_0,
}

WISHES = {"limit": 7, "unavailable": 9, "limit_date": LONGEST_WISH - 30, "limit_absurd": LONGEST_WISH - 30}
"""Seconds that have to pass at least before the next try."""

HEAVY = ("endless", "huge", "bomb")


@dataclass(frozen=True)
class Fault:
    """A cell: `kind` meets `mode`, "once", "always", or "deaf": always, and looks are broken too."""

    kind: str
    mode: str
    how: str

    def __str__(self) -> str:
        return f"{self.kind}, {self.mode}, {self.how}"

    @property
    def allowed(self) -> Allowed:
        row = HTTP[self.mode]
        known = EXCEPT.get((self.kind, self.mode, self.how))
        if known is not None:
            return known
        if self.kind in BLIND:
            return row.blind_once if self.how == "once" else row.blind_always
        return {"once": row.once, "always": row.always, "deaf": row.deaf or row.always}[self.how]


def http_cells() -> Iterator[Fault]:
    for mode, row in HTTP.items():
        for kind in (*ASKABLE, *BLIND):
            yield Fault(kind, mode, "once")
            yield Fault(kind, mode, "always")
            if mode == "a_list" and kind != "ownid":
                continue  # an empty list is how a server says that nothing is there, and is believed
            if row.deaf and kind not in BLIND:
                yield Fault(kind, mode, "deaf")


def until(what: Callable[[], object], seconds: float = 15) -> bool:
    """Waits for something; whether it came."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)
    return True


# --- played -------------------------------------------------------------------------------------------------------


class FaultyLedger(LedgerServer):
    """The ledger's server; with `deaf` looks are broken as well from the first effect on."""

    deaf = False

    def mode_for(self, request: Request) -> str:
        if self.deaf and self.came and not self.endpoint.is_effect(request):
            return self.always
        return super().mode_for(request)


@dataclass
class Scene:
    """A profile with one post that is due, and processes that send it."""

    room: Room
    home: Path
    children: list[Child] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    nursery: Nursery | None = None  # another one than the room's

    def worker(self, *words: str, codes: tuple[int, ...] = (0, 1), **env: str) -> Child:
        """A worker, waited for."""
        child = self.start(*words, **env)
        code = child.wait()
        if code not in codes:
            self.wrong.append(f"{child} ended with {code}, not with one of {codes}")
        return child

    def until_tried(self) -> Child:
        """A worker that ends once one try is over, however long it would have waited for the next one."""
        child = self.start("--for", "20")
        until(lambda: self.sql("SELECT 1 FROM attempts WHERE ended_at IS NOT NULL") or child.code is not None)
        child.signal(signal.SIGTERM)
        child.wait()
        return child

    def start(self, *words: str, **env: str) -> Child:
        child = (self.nursery or self.room.nursery).start(self.home, "worker", *(words or ("--until-idle",)), **env)
        self.children.append(child)
        return child

    def sql(self, statement: str, *values: Any) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.home / "sendoff.db", timeout=10)) as database, database:
            return database.execute(statement, values).fetchall()

    def gives_up_in(self, seconds: float) -> None:
        self.sql("UPDATE deliveries SET give_up_at = ?", int((time.time() + seconds) * 1_000_000))

    def make_due(self) -> None:
        """As if the time for which the endpoint asked had passed."""
        self.sql("UPDATE deliveries SET due_at = ? WHERE state = 'scheduled'", int(time.time() * 1_000_000))
        self.sql("UPDATE accounts SET ready_at = NULL")

    def expect(self, what: object, words: str) -> None:
        if not what:
            self.wrong.append(words)

    def judge(self, kind: str, effects: Any, allowed: Allowed) -> None:
        judge(Played(Cell(kind), rows(self.home), effects, self.children, self.wrong), allowed)


@contextlib.contextmanager
def scene(room: Room, home: Path) -> Iterator[Scene]:
    made = Scene(room, home)
    try:
        yield made
    finally:
        room.nursery.end_all()
    shutil.rmtree(home)


def play(room: Room, fault: Fault) -> None:
    life = LIFE if fault.how != "once" and fault.kind == "key" else 3600.0
    home = room.home(fault.kind, 1, "send", life, 0)  # made with a server of its own
    broken: dict[str, Any] = {"breaks": {1: fault.mode}} if fault.how == "once" else {"always": fault.mode}
    server = FaultyLedger(Ledger(key_life=life), room.port, **broken)
    server.deaf = fault.how == "deaf"
    with contextlib.closing(server), FaultServer(Stranger()) as stranger, scene(room, home) as played:
        server.elsewhere = stranger.url
        waits = fault.allowed is WAITS
        if fault.how != "once" and not waits:
            played.gives_up_in(GIVES_UP)
        child = played.until_tried() if waits else played.worker()
        if waits:
            _judge_waiting(played, WISHES[fault.mode])
            played.make_due()
            if fault.how != "once":
                played.gives_up_in(-1)
            child = played.worker()
        effects = server.endpoint.count()
        played.expect(not stranger.requests and not server.strangers, f"a stranger got {stranger.requests}")
        if fault.mode in HEAVY:
            played.expect(child.peak < ROOM_FOR, f"it took {child.peak} kB of memory")
        end = (SENT if fault.how == "once" else FAILED) if waits else fault.allowed
        played.judge(fault.kind, effects, end)


class Stranger:
    """Where redirects point to: whatever comes here should not have."""

    def __init__(self) -> None:
        self.effects: list[Any] = []

    def is_effect(self, request: Request) -> bool:
        return False

    def handle(self, request: Request) -> Reply:
        return Reply(200, b'{"id": "stranger-1"}')


def _judge_waiting(played: Scene, wish: float) -> None:
    """It is not sent, it waits for as long as the endpoint asked and no longer than a day, and says why."""
    ((state, reason, wait),) = played.sql(
        "SELECT d.state, d.reason, (d.due_at - a.ended_at) / 1e6 FROM deliveries d "
        "JOIN attempts a ON a.delivery_id = d.id WHERE a.number = 1"
    )
    played.expect(state == "scheduled", f"it asked to wait, and the delivery is {state}")
    played.expect(reason, "it waits, and no sentence says why")
    played.expect(wish <= wait <= max(wish * 1.1, 8) + 30 and wait <= LONGEST_WISH, f"it waits {wait} s, not {wish}")


@pytest.mark.parametrize("fault", list(http_cells()), ids=str)
def test_http(room: Room, fault: Fault, record_property: Callable[[str, object], None]) -> None:
    record_property("sort", "http")
    play(room, fault)


# --- a key that no longer works: everything of the account waits for the sign-in -------------------------------------


@pytest.mark.parametrize("kind", [*ASKABLE, *BLIND])
def test_401_holds_all_of_the_account_until_it_is_signed_in_again(
    room: Room, kind: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("sort", "http")
    home = room.empty_home()
    for text in ("part 1", "part 2"):
        room.post(home, kind, [text])
    room.post(home, kind, ["part 3"], at="+30d")
    server = LedgerServer(Ledger(), room.port, breaks={1: "unauthorized"})
    with contextlib.closing(server), scene(room, home) as played:
        played.worker(codes=(1,))
        states = [row.state for row in rows(home)]
        played.expect(states == ["held"] * 3, f"after the 401 they are {states}")
        played.expect(not server.endpoint.effects, "something took effect without a key")
        room.nursery.run(home, "accounts", "sign-in", kind)
        played.worker(codes=(0,))
        found = rows(home)
        played.expect([one.state for one in found] == ["sent", "sent", "scheduled"], "signed in, they did not go on")
        played.expect(server.endpoint.count() == {"part 1": 1, "part 2": 1}, f"the ledger: {server.endpoint.count()}")
        assert not played.wrong, "\n".join([*played.wrong, *map(str, found)])


# --- lines that do not come about -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [one.kind for one in KINDS])
@pytest.mark.parametrize("how", ["once", "always"])
def test_refused_connection(room: Room, kind: str, how: str, record_property: Callable[[str, object], None]) -> None:
    """Refused for a while: sent. Refused always: tried again, calmly, until patience ends; then failed."""
    record_property("sort", "line")
    home, server = room.home(kind, 1, "send", 3600, 0), room.server()
    server.go_away()
    with scene(room, home) as played:
        if how == "always":
            played.gives_up_in(GIVES_UP)
            played.worker(codes=(1,))
            played.judge(kind, server.endpoint.count(), FAILED)
            return
        child = played.start()
        time.sleep(0.8)
        server.come_back()
        with contextlib.closing(server):
            played.expect(child.wait() == 0, "it did not end well")
            played.judge(kind, server.endpoint.count(), SENT)


@pytest.mark.parametrize("kind", [one.kind for one in KINDS])
@pytest.mark.parametrize("how", ["once", "always"])
def test_connecting_takes_for_ever(
    room: Room, kind: str, how: str, record_property: Callable[[str, object], None]
) -> None:
    """A host that answers nothing is being offline: no try is spent, nothing is given up, and it goes in the end."""
    record_property("sort", "line")
    home, server = room.home(kind, 1, "send", 3600, 0), room.server()
    server.go_away()
    with scene(room, home) as played:
        with _full_backlog(room.port):
            child = played.start(*(["--for", "4"] if how == "always" else []))
            if how == "always":
                child.wait()
            else:
                time.sleep(2.5)
        if how == "always":
            _judge_offline(played)
        else:
            server.come_back()
            with contextlib.closing(server):
                played.expect(child.wait() == 0, "it did not end well")
                played.judge(kind, server.endpoint.count(), SENT)
                return
        assert not played.wrong, played.wrong


def _judge_offline(played: Scene) -> None:
    """Nothing was spent, and it still waits."""
    ((state, tries),) = played.sql("SELECT state, tries FROM deliveries")
    played.expect((state, tries) == ("scheduled", 0), f"offline, it is {state} after {tries} tries")


@contextlib.contextmanager
def _full_backlog(port: int) -> Iterator[None]:
    """A host that takes no connection and refuses none: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        time.sleep(0.05)
        yield


# --- names and certificates -----------------------------------------------------------------------------------------


def _old_tls() -> ssl.SSLContext:
    """A server from long ago, which speaks TLS 1.0 and nothing newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.authority().issue_cert("127.0.0.1").configure_cert(context)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.deprecated_call():
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


CERTIFICATES: dict[str, tuple[Callable[[], ssl.SSLContext | None], bool, Allowed, str]] = {
    # what the server shows; whether its authority is known; what comes of it; words for the person
    "good":          (authority.server_context, True, SENT, ""),
    "expired":       (lambda: authority.server_context(expired=True), True, FAILED, "certificate has expired"),
    "wrong host":    (lambda: authority.server_context("elsewhere.example"), True, FAILED, "can’t prove that it is"),
    "unknown CA":    (authority.server_context, False, FAILED, "can’t prove that it is"),
    "TLS 1.0 only":  (_old_tls, True, FAILED, "no TLS that is safe enough"),
    "no TLS at all": (lambda: None, True, FAILED, "does not begin with TLS"),
}  # fmt: skip


@pytest.mark.parametrize("kind", [*ASKABLE, *BLIND])
@pytest.mark.parametrize("what", CERTIFICATES)
def test_certificate(room: Room, kind: str, what: str, record_property: Callable[[str, object], None]) -> None:
    """A server that cannot prove its name hears nothing, and is not pressed again and again."""
    record_property("sort", "line")
    context, known, allowed, words = CERTIFICATES[what]
    home = _secure_home(room, kind, f"https://127.0.0.1:{room.port}", known)
    server = LedgerServer(Ledger(), room.port, secure=context())
    with contextlib.closing(server), scene(room, home) as played:
        played.worker()
        (row,) = rows(home)
        played.expect(words in row.reason, f"the person reads: {row.reason}")
        played.expect(len(row.attempts) <= 1, "it was tried again and again")
        played.expect(bool(server.requests) == (allowed is SENT), f"it heard {server.requests}")
        played.judge(kind, server.endpoint.count(), allowed)


@pytest.mark.parametrize("kind", [*ASKABLE, *BLIND])
def test_sent_on_from_https_to_http(room: Room, kind: str, record_property: Callable[[str, object], None]) -> None:
    record_property("sort", "line")
    home = _secure_home(room, kind, f"https://127.0.0.1:{room.port}", True)
    server = LedgerServer(Ledger(), room.port, always="redirect_307", secure=authority.server_context())
    with contextlib.closing(server), FaultServer(Stranger()) as stranger, scene(room, home) as played:
        server.elsewhere = stranger.url
        played.worker()
        played.expect(not stranger.requests, f"a stranger got {stranger.requests}")
        played.judge(kind, server.endpoint.count(), FAILED)


@pytest.mark.parametrize("kind", [*ASKABLE, *BLIND])
def test_a_name_that_nobody_knows(room: Room, kind: str, record_property: Callable[[str, object], None]) -> None:
    record_property("sort", "line")
    home = _secure_home(room, kind, "https://no-such-host.invalid", True)
    with scene(room, home) as played:
        played.worker("--for", "2", codes=(0, 1))
        _judge_offline(played)
        assert not played.wrong, played.wrong


def _secure_home(room: Room, kind: str, url: str, known: bool) -> Path:
    home = room.empty_home()
    ca_file = authority.ca_file(room.folder)
    room.nursery.run(home, "accounts", "add", kind, "--name", "secure", "--field", f"server={url}",
                     *(["--field", f"ca_file={ca_file}"] if known else []))  # fmt: skip
    room.nursery.run(home, "post", "--to", "secure", "--text", texts(1)[0])
    return home


# --- several at once, while the line goes and comes ------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*ASKABLE, *BLIND])
def test_a_line_that_flaps(room: Room, kind: str, record_property: Callable[[str, object], None]) -> None:
    """Ten posts while the host comes and goes: each takes effect once, or is in doubt where nobody can be asked."""
    record_property("sort", "line")
    home, server, over = room.empty_home(), room.server(), threading.Event()
    room.post(home, kind, ["part 1"])
    for number in range(2, 11):
        room.post(home, kind, [f"part {number}"])

    def flap() -> None:
        while not over.wait(0.15):
            server.go_away()
            over.wait(0.3)
            server.come_back()

    with scene(room, home) as played:
        flapping = threading.Thread(target=flap)
        flapping.start()
        try:
            played.worker()
        finally:
            over.set()
            flapping.join()
            server.close()
        effects = server.endpoint.count()
        found = rows(home)
        for row in found:
            want = SENT if kind != "blind" else SENT | DOUBT_0 | DOUBT_1
            played.expect((row.state, effects[row.texts[0]]) in want, f"{row}, {effects}")
        assert not played.wrong, "\n".join(played.wrong)
