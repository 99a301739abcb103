"""Who is measured: Sendoff's engine, and stock APScheduler with its two stores. Each runs in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import requests

from sendoff.bootstrap import Program, open_program
from sendoff.channels.http import Http, Transport
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Parcel
from sendoff.domain.delivery import PartPlan, Receipt
from sendoff.domain.post import Content, Item, Plan
from sendoff.domain.when import When
from sendoff.engine.engine import Engine
from sendoff.store import accounts, deliveries, posts
from tests.bench.referee import body

BODY = body()


class Ping(Channel):
    """Posts to the referee, with all that Sendoff's HTTP does; the path names the delivery."""

    kind = "ping"
    title = "Ping"
    capabilities = Capabilities(checked="2026-11-23", text=500)

    def __init__(self, url: str) -> None:
        self._url = url
        self._transport = Transport()

    def publish(self, parcel: Parcel) -> Receipt:
        http = Http(self._transport, self._url, self.title, trace=parcel.trace)
        answer = http.write(f"/{parcel.item.text}", data=BODY, headers={"Content-Type": "application/json"})
        return Receipt(answer.json()["id"])


class Entry(Channel):
    """Sends nothing; notes when it was called."""

    kind = "entry"
    title = "Entry"
    capabilities = Capabilities(checked="2026-11-23", text=500)

    def __init__(self) -> None:
        self.entered: list[float] = []

    def publish(self, parcel: Parcel) -> Receipt:
        self.entered.append(time.time())
        return Receipt("ok")


def fill(program: Program, kind: str, due: list[datetime], n_accounts: int) -> None:
    """A queue of one short post for each instant, spread over accounts."""
    now = datetime.now(UTC)
    with program.store.writing() as connection:
        names = [
            accounts.insert(
                connection, workspace_id=1, channel=kind, name=f"{kind} {number}", handle="", url="", settings={},
                learned={}, secret_ref=None, spacing=0, now=now,
            )
            for number in range(n_accounts)
        ]  # fmt: skip
        for number, at in enumerate(due):
            post_id = posts.insert(connection, 1, Content((Item(str(number)),)), [], Plan(), now)
            deliveries.insert(
                connection, post_id=post_id, account_id=names[number % n_accounts], when=When.at(at, "UTC"),
                late="send", give_up_at=at + timedelta(days=1), plans=[PartPlan()], now=now,
            )  # fmt: skip


def engine_of(program: Program, channel: Channel, workers: int | None = None) -> Engine:
    more = {"workers": workers} if workers else {}
    return Engine(
        store=program.store, secrets=program.secrets, files=program.media, channels={channel.kind: channel},
        clock=program.clock, bell=program.bell, get_ready=Transport.get_ready, **more,
    )  # fmt: skip


def sendoff(url: str, due: list[float], folder: str) -> None:
    """Runs Sendoff's engine over a queue until everything is recorded."""
    program = open_program(Path(folder))
    fill(program, "ping", [datetime.fromtimestamp(at, UTC) for at in due], 16)
    engine = engine_of(program, Ping(url))
    engine.start()
    wait_until(lambda: time.time() > due[-1] and not engine.has_work(), due[-1] + 30)
    engine.stop()
    program.close()


def apscheduler(url: str, due: list[float], folder: str, store: str) -> None:
    """Stock APScheduler with date jobs; grace switched off, because its default drops what is a second late."""
    scheduler = _scheduler(folder, store, workers=16)
    scheduler.start()
    for number, at in enumerate(due):
        scheduler.add_job(post, "date", run_date=datetime.fromtimestamp(at, UTC), args=[f"{url}/{number}"])
    time.sleep(max(0.0, due[-1] - time.time()) + 3)
    scheduler.shutdown()


def _scheduler(folder: str, store: str, workers: int) -> Any:
    import logging

    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    stores = {}
    if store == "sqlalchemy":
        import sqlalchemy as sa
        from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore

        database = sa.create_engine(f"sqlite:///{folder}/jobs.db")
        sa.event.listen(
            database, "connect", lambda raw, _: raw.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
        )
        stores["default"] = SQLAlchemyJobStore(engine=database)
    return BackgroundScheduler(
        timezone=UTC, jobstores=stores, executors={"default": ThreadPoolExecutor(workers)},
        job_defaults={"misfire_grace_time": None, "coalesce": True},
    )  # fmt: skip


_session: dict[str, requests.Session] = {}


def post(url: str) -> None:
    """One delivery, as simply as requests does it."""
    import threading

    name = threading.current_thread().name
    session = _session.get(name) or _session.setdefault(name, _new_session())
    session.post(url, data=BODY, headers={"Content-Type": "application/json"}, timeout=30)


def _new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


_entered: list[float] = []


def enter() -> None:
    """A job that does nothing but note when it ran."""
    _entered.append(time.time())


def burst(engine: str, at: float, n: int, folder: str) -> list[float]:
    """How late each of n deliveries due in one instant got to its sender, in seconds."""
    if engine == "sendoff":
        return burst_sendoff(at, n, folder)
    scheduler = _scheduler(folder, engine, workers=10)
    scheduler.start()
    for _ in range(n):
        scheduler.add_job(enter, "date", run_date=datetime.fromtimestamp(at, UTC))
    insist_on_time(at)
    wait_until(lambda: len(_entered) == n, at + 60)
    scheduler.shutdown()
    return [entered - at for entered in _entered]


def burst_sendoff(at: float, n: int, folder: str) -> list[float]:
    program = open_program(Path(folder))
    fill(program, "entry", [datetime.fromtimestamp(at, UTC)] * n, n)
    channel = Entry()
    engine = engine_of(program, channel)
    engine.start()
    insist_on_time(at)
    wait_until(lambda: len(channel.entered) == n and not engine.has_work(), at + 60)
    engine.stop()
    program.close()
    return [entered - at for entered in channel.entered]


def throughput(url: str, n: int, folder: str) -> dict[str, float]:
    """Deliveries a second: bare requests on four threads before and after, between them Sendoff with durable states."""
    before = _bare(url, n)
    program = open_program(Path(folder))
    at = datetime.now(UTC) + timedelta(seconds=4 + n / 300)
    fill(program, "ping", [at] * n, 64)
    engine = engine_of(program, Ping(url), workers=4)
    engine.start()
    insist_on_time(at.timestamp())
    wait_until(lambda: datetime.now(UTC) > at and not engine.has_work(), at.timestamp() + 120)
    took = time.time() - at.timestamp()
    engine.stop()
    program.close()
    bare = (before + _bare(url, n)) / 2
    return {"bare_per_s": round(bare), "sendoff_per_s": round(n / took), "ratio": round(n / took / bare, 2)}


def _bare(url: str, n: int) -> float:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(post, [f"{url}/warm"] * 8))
        began = time.perf_counter()
        list(pool.map(post, [f"{url}/{number}" for number in range(n)]))
        return n / (time.perf_counter() - began)


class NotMeasured(RuntimeError):
    """Why there is no figure. A SystemExit would end the pool's process, and its answer would be waited for forever."""


def insist_on_time(at: float) -> None:
    """Nothing is measured where filling the queue took so long that its time has come."""
    if time.time() > at - 1:
        raise NotMeasured("the machine is too busy to be measured")


def wait_until(true: Callable[[], bool], end: float) -> None:
    while not true():
        if time.time() > end:
            raise NotMeasured("the bench ran out of time")
        time.sleep(0.005)


CONTENDERS: dict[str, Callable[..., None]] = {
    "sendoff": sendoff,
    "apscheduler memory": partial(apscheduler, store="memory"),
    "apscheduler sqlalchemy": partial(apscheduler, store="sqlalchemy"),
}
