"""One claimed delivery on its way: made ready ahead, its intention written, published part by part, its end written."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sendoff import killpoints
from sendoff.domain import forms
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, Frozen, How, Parcel, Trace
from sendoff.domain.delivery import ENDS, Move, Outcome, Part, Receipt
from sendoff.domain.errors import (
    InDoubt,
    KeychainError,
    NotFound,
    Rejected,
    SecretGone,
    SendError,
    TryLater,
)  # fmt: skip
from sendoff.domain.redact import Redactor
from sendoff.domain.when import FREE, Clock, Late, Moment, When, describe, next_free, parse_late, span_text
from sendoff.engine import limiter
from sendoff.engine.clockwatch import Chronometer
from sendoff.engine.keys import Keys
from sendoff.engine.writer import Writer
from sendoff.store import deliveries, doubts, outgoing
from sendoff.store.db import Store, StoreTrouble
from sendoff.store.media import Media
from sendoff.store.outgoing import Begin, End, Job, Unclaim
from sendoff.store.secrets import Secrets

log = logging.getLogger(__name__)

KEPT = 4096
"""Characters of a request and of an answer that are kept with an attempt."""

IN_A_ROW = 3
"""After so many refused copies of a mail in a row the rest is not tried."""

NOW = timedelta(seconds=0.1)
"""How exact a parcel's `now` has to be."""

TELLING = 1.0
"""Seconds after which it is noted again how far an upload is. A small one is over before."""

HELD_UP = "This computer stood still when it was about to leave."

KEYCHAIN_PAUSE = timedelta(seconds=10)
"""How soon a delivery that waits for the keychain asks again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed delivery whose next part is made ready: only the intention and the wire are left."""

    job: Job
    part: Part
    channel: Channel
    parcel: Parcel
    newly_frozen: bool
    blob: str | None
    redactor: Redactor


class Dispatch:
    """The story of a try, told once for all channels. One claim sends one part; the next part is a claim of its own.

    Args:
        channels: by kind; a kind that is not there holds its deliveries.
        leaving: notes that a part leaves; what it raises keeps the part here.
        trouble: told what keeps everything from leaving (the keychain is locked), or "" when it is over.
        unreached: told of an account whose host could not be reached, where that can be asked.
        uploaded: what was put at the endpoint for a part before its time.
    """

    def __init__(
        self,
        *,
        store: Store,
        writer: Writer,
        secrets: Secrets,
        keys: Keys,
        media: Media,
        channels: Mapping[str, Channel],
        clock: Clock,
        chronometer: Chronometer,
        owner: str,
        leaving: Callable[[int], None],
        trouble: Callable[[str], None],
        unreached: Callable[[Account], None],
        uploaded: Callable[[Job, Part], Mapping[str, Any]],
        chance: random.Random | None = None,
    ) -> None:
        self._store = store
        self._writer = writer
        self._secrets = secrets
        self._media = media
        self._channels = channels
        self._clock = clock
        self._chronometer = chronometer
        self._owner = owner
        self._leaving = leaving
        self._trouble = trouble
        self._unreached = unreached
        self._uploaded = uploaded
        self._chance = chance or random.Random()
        self._keys = keys

    # --- ahead of time --------------------------------------------------------------------------------------------

    def is_quick(self, job: Job) -> bool:
        """Whether preparing needs no wire, no file and no keychain."""
        channel = self._channels.get(job.account.channel)
        if channel is None or channel.capabilities.prepares or channel.renews:
            return False
        return self._secrets.at_hand(job.account.secret_ref)

    def prepare(self, job: Job) -> Ready | None:
        """Does what can be done before the due time. None: the claim is ended, and the row says why."""
        channel = self._channels.get(job.account.channel)
        if channel is None:
            reason = f"There is no channel “{job.account.channel}” in this Sendoff."
            self._end_claim(job, Move.HOLD, reason, "Install it again, or move the post to another account.")
            return None
        part = next(one for one in job.parts if one.is_open)
        try:
            secret = self._keys.secret(job.account, channel)
            self._trouble("")
            return self._made_ready(job, part, channel, secret)
        except SecretGone as gone:
            self._end_claim(job, Move.HOLD, str(gone))
        except KeychainError as locked:
            self._trouble(str(locked))
            self._end_claim(job, Move.POSTPONE, str(locked), due_at=self._clock.now() + KEYCHAIN_PAUSE)
        except NotFound as missing:
            self._failed_before_wire(job, part, Rejected(str(missing)))
        except SendError as wrong:
            self._failed_before_wire(job, part, wrong)
        except StoreTrouble:
            raise  # it is claimed anew
        except Exception as fault:  # a mistake in the channel, and nothing has left: it is tried again, and says so
            log.exception("the channel %s failed to prepare", job.account.channel)
            what = f"Sendoff itself failed when it made this ready ({type(fault).__name__})."
            self._failed_before_wire(job, part, TryLater(what, detail=repr(fault)))
        return None

    def _made_ready(self, job: Job, part: Part, channel: Channel, secret: Mapping[str, str]) -> Ready:
        """Arms the part if it was not, so that every try is the same, and lets the channel prepare it."""
        parcel = self.parcel(job, part, channel, secret)
        blob, newly_frozen = part.blob, part.frozen is None
        if newly_frozen:
            frozen = channel.arm(parcel)
            blob = None if frozen.blob is None else self._media.keep(frozen.blob)
            if frozen != Frozen():
                parcel = replace(parcel, frozen=frozen.data, blob=frozen.blob)
        elif blob:
            parcel = replace(parcel, blob=self._media.read(blob))
        if channel.capabilities.prepares and self._is_stale(part, channel):
            parcel = replace(parcel, uploaded=self._uploaded(job, part))
            prepared = channel.prepare(parcel)
            if prepared:
                now = self._clock.now()
                self._writer.run(lambda connection: outgoing.save_prepared(connection, part.id, prepared, now))
                killpoints.reach("media.uploaded")
                parcel = replace(parcel, prepared=prepared)
        return Ready(
            job, part, channel, parcel, newly_frozen and bool(parcel.frozen or blob), blob, Redactor(secret.values())
        )

    def _is_stale(self, part: Part, channel: Channel) -> bool:
        life = timedelta(seconds=channel.capabilities.prepared_life)
        return part.prepared_at is None or self._clock.now() - part.prepared_at > life

    def parcel(self, job: Job, part: Part, channel: Channel, secret: Mapping[str, str]) -> Parcel:
        people = job.content.mail.to if job.content.mail else ()
        figures = channel.capabilities.learned(job.account.learned)
        content = forms.for_endpoint(job.content, figures, job.options)
        items = content.items
        return Parcel(
            account=job.account,
            capabilities=figures,
            secret=secret,
            content=content,
            item=items[min(part.plan.item, len(items) - 1)],
            recipients=people[part.plan.first : part.plan.first + part.plan.count],
            number=part.number,
            of=len(job.parts),
            key=part.key,
            options=job.options,
            frozen=part.frozen or {},
            prepared=part.prepared or {},
            previous=tuple(one.receipt for one in job.parts if one.receipt and one.number < part.number),
            planned_at=job.delivery.planned_at,
            now=max(self._clock.now(), job.delivery.due_at),
            first_try=self._told(job.first_try),
            last_try=self._told(job.last_try),
            file=self._media.file,
            trace=Trace(partial(self._note_leaving, part.id)),
            told=self._progress(job.delivery.id),
        )

    def _progress(self, delivery_id: int) -> Callable[[str, int, int], None]:
        """Notes with the delivery, now and then, how much of its files is out."""
        last = self._clock.monotonic()  # the wall clock may be set meanwhile

        def told(name: str, out: int, size: int) -> None:
            nonlocal last
            now = self._clock.monotonic()
            if now - last < TELLING or not size:
                return
            last = now
            words = f"{name}: {out / size:.0%} of {size / 1e6:,.1f} MB is up."
            self._writer.note(lambda connection: outgoing.tell(connection, delivery_id, self._owner, words))

        return told

    def _told(self, moment: Moment | None) -> datetime | None:
        return self._chronometer.on_this_clock(moment) if moment else None

    def _failed_before_wire(self, job: Job, part: Part, wrong: SendError) -> None:
        """A try that ended before anything could leave: no doubt is possible."""
        move, outcome = ENDS[type(wrong)]
        if isinstance(wrong, InDoubt):  # an upload without an answer shows nothing to anybody
            move, outcome = Move.POSTPONE, Outcome.LATER
        due_at, reason, refused = None, wrong.reason, ""
        if move is Move.POSTPONE:
            move, due_at, reason = self._later(job, wrong)
        elif move is Move.REFUSE:
            move, reason, refused = self._refused(job, part, reason, go_on=Move.RELEASE)
        clean = Redactor(self._secrets.known_values()).clean
        self._end_claim(
            job, move, clean(self._with_progress(job, reason)), clean(wrong.advice), due_at=due_at,
            tries=self._tries(job, wrong), part=part, outcome=outcome, summary=clean(wrong.reason),
            answer=clean(wrong.detail), refused=clean(refused), strike=_is_strike(wrong, move),
        )  # fmt: skip

    def _end_claim(
        self, job: Job, move: Move, reason: str, advice: str = "", *, due_at: datetime | None = None,
        tries: int | None = None, acknowledged: bool = False,
        part: Part | None = None, outcome: Outcome | None = None, summary: str = "", answer: str = "",
        refused: str = "", strike: bool = False, when: When | None = None,
    ) -> None:  # fmt: skip
        ended = Unclaim(
            delivery_id=job.delivery.id, account_id=job.account.id, version=job.delivery.version, owner=self._owner,
            move=move, at=self._chronometer.moment(self._clock.now()), summary=summary, reason=reason,
            advice=advice, due_at=due_at,
            tries=job.delivery.tries if tries is None else tries, acknowledged=acknowledged,
            part_id=part.id if part else None, number=job.attempts + 1, outcome=outcome, answer=answer[:KEPT],
            refused=refused, strike=strike, when=when,
        )  # fmt: skip
        self._writer.run(lambda connection: outgoing.unclaim(connection, ended))

    # --- at its time ----------------------------------------------------------------------------------------------

    def intention(self, ready: Ready) -> Begin | None:
        """What has to be on the disk before anything connects. None: it must not leave any more; its row says why."""
        job = ready.job
        if self._too_late(job):
            return None
        return Begin(
            job.delivery.id, job.delivery.version, self._owner, ready.part.id, job.attempts + 1,
            self._chronometer.moment(max(self._clock.now(), job.delivery.due_at)), job.written,
            ready.parcel.frozen if ready.newly_frozen else None, ready.blob,
        )  # fmt: skip

    def publish(self, ready: Ready) -> Callable[[], End]:
        """Sends the part, once. Its intention is on the disk.

        Returns what words how that ended, because wording takes longer than many a send and others wait to leave.
        """
        parcel, now = ready.parcel, self._clock.now()
        if abs(now - parcel.now) > NOW:
            parcel = replace(parcel, now=now)
        killpoints.reach("publish.before")
        if not self._may_leave(ready.job):  # this computer slept or stood still since the intention was written
            return partial(
                self._end, ready, parcel, Move.POSTPONE, Outcome.LATER, now, summary=HELD_UP, reason=HELD_UP, answer="",
                tries=ready.job.delivery.tries,
            )  # fmt: skip
        try:
            if not ready.channel.tells_leaving:
                parcel.trace.leaving()
            receipt = ready.channel.publish(parcel)
        except SendError as wrong:
            return partial(self._unsuccessful, ready, parcel, wrong, self._clock.now())
        except Exception as fault:
            # Our own mistake, and bytes may have left: in doubt, said as such, and never hidden.
            log.exception("the channel %s failed", ready.channel.kind)
            what = f"Sendoff itself failed while this was leaving ({type(fault).__name__})."
            doubt = InDoubt(what, detail=repr(fault))
            return partial(self._unsuccessful, ready, parcel, doubt, self._clock.now())
        killpoints.reach("answer.read")
        return partial(self._successful, ready, parcel, receipt, self._clock.now())

    def untold(self, ready: Ready, fault: Exception) -> End:
        """The end of a try whose own end can't be told: a mistake of the channel, and the part may be out."""
        job = ready.job
        what = f"Sendoff itself failed over how this ended ({type(fault).__name__}), so it may be out."
        return End(
            delivery_id=job.delivery.id, account_id=job.account.id, owner=self._owner, part_id=ready.part.id,
            move=Move.DOUBT, outcome=Outcome.DOUBT, at=self._clock.now(), summary=what, reason=what,
            advice="Please look for yourself.", ready_at=limiter.ready_after(self._clock.now(), job.account.spacing),
            tries=job.delivery.tries, strike=True,
        )  # fmt: skip

    def _note_leaving(self, part_id: int) -> None:
        try:
            self._leaving(part_id)
        except OSError as wrong:
            raise TryLater(f"It could not be noted that this leaves, so it did not: {wrong.strerror}.") from None

    def _may_leave(self, job: Job) -> bool:
        """Whether the lateness rule still allows it. What is half out goes on in any case."""
        delivery = job.delivery
        if delivery.late in ("", "send") or any(part.receipt for part in job.parts):
            return True
        return parse_late(delivery.late).allows(delivery.planned_at, self._clock.now())

    def _too_late(self, job: Job) -> bool:
        """Ends the claim if the lateness rule no longer allows it."""
        if self._may_leave(job):
            return False
        delivery, now = job.delivery, self._clock.now()
        rule = parse_late(delivery.late)
        late = span_text((now - delivery.planned_at).total_seconds())
        why = f" ({delivery.reason.rstrip('.')})" if delivery.reason else ""
        reason = f"It could only have left {late} late{why}. Its rule: {rule.words[0].lower()}{rule.words[1:]}."
        if rule.action is Late.NEXT:
            when = self._next_free(job, now)
            self._end_claim(job, Move.RESCHEDULE, f"{reason} It goes {describe(when, now)}.", when=when)
        else:
            self._end_claim(job, Move.MISS, reason, acknowledged=rule.action is Late.SKIP)
        return True

    def _next_free(self, job: Job, now: datetime) -> When:
        delivery = job.delivery
        with self._store.reading() as connection:
            taken = deliveries.planned_times(connection, delivery.account_id, now - FREE)
        return next_free(When(datetime.fromisoformat(delivery.wall), delivery.zone, delivery.fold), now, taken)

    def is_anothers(self, job: Job, part: Part, receipt: Receipt) -> bool:
        """Whether what the endpoint named is another post of the account, so that it says nothing of this one."""
        if not self._channels[job.account.channel].own_ids:
            return False
        with self._store.reading() as connection:
            return doubts.is_anothers(connection, job.account.id, part.id, receipt.remote_id)

    def _successful(self, ready: Ready, parcel: Parcel, receipt: Receipt, now: datetime) -> End:
        job = ready.job
        if self.is_anothers(job, ready.part, receipt):
            what = f"{ready.channel.title} answered with the id of another post ({receipt.remote_id})."
            return self._unsuccessful(ready, parcel, InDoubt(f"{what} It may have gone out."), now)
        spacing = job.account.spacing
        others = [one for one in job.parts if one.id != ready.part.id]
        move, reason = Move.FINISH, ""
        if any(one.is_open for one in others):
            move = Move.CONTINUE
        elif any(one.refused for one in others):
            out = replace(ready.part, receipt=receipt)
            move, reason = Move.REFUSE, deliveries.some_refused([*others, out])
        if move is not Move.CONTINUE:  # what belongs together is not drawn apart
            spacing = limiter.pace(spacing, now - job.delivery.due_at)
        ready_at = limiter.ready_after(now, spacing)
        some = f" ({len(receipt.refused)} of the recipients were refused)" if receipt.refused else ""
        return self._end(
            ready, parcel, move, Outcome.SENT, now, summary=f"Taken{some}", reason=reason,
            receipt=receipt.masked(ready.redactor), answer=receipt.answer,
            ready_at=ready_at, due_at=ready_at if move is Move.CONTINUE else None,
        )  # fmt: skip

    def _unsuccessful(self, ready: Ready, parcel: Parcel, wrong: SendError, now: datetime) -> End:
        """What follows from one of the four ends."""
        job = ready.job
        move, outcome = ENDS[type(wrong)]
        due_at = look_at = wish = None
        reason, refused = wrong.reason, ""
        ready_at = limiter.ready_after(now, job.account.spacing)
        if isinstance(wrong, TryLater):
            move, due_at, reason = self._later(job, wrong)
            wish = wrong.after
        elif isinstance(wrong, Rejected):
            move, reason, refused = self._refused(job, ready.part, reason, go_on=Move.CONTINUE)
            due_at = ready_at if move is Move.CONTINUE else None
        elif isinstance(wrong, InDoubt):
            settle = ready.channel.settle(job.account)
            if settle.how is not How.ASK and settle.looks:
                look_at = now + timedelta(seconds=settle.looks[0])
        return self._end(
            ready, parcel, move, outcome, now, summary=wrong.reason, answer=wrong.detail, status=wrong.status,
            reason=self._with_progress(job, reason), advice=wrong.advice, due_at=due_at, look_at=look_at,
            tries=self._tries(job, wrong), refused=ready.redactor.clean(refused),
            ready_at=limiter.ready_after(now, job.account.spacing, wish), strike=_is_strike(wrong, move),
        )  # fmt: skip

    def _end(
        self, ready: Ready, parcel: Parcel, move: Move, outcome: Outcome, now: datetime, *,
        summary: str, answer: str, reason: str = "", advice: str = "", status: int | None = None, **more: Any,
    ) -> End:  # fmt: skip
        clean, trace = ready.redactor.clean, parcel.trace
        return End(
            delivery_id=ready.job.delivery.id, account_id=ready.job.account.id, owner=self._owner,
            part_id=ready.part.id, move=move, outcome=outcome, at=now, summary=clean(summary),
            status=trace.status if status is None else status, request=clean(trace.request)[:KEPT],
            answer=clean(trace.answer or answer)[:KEPT], reason=clean(reason), advice=clean(advice),
            thaw=ready.channel.arms_anew and ready.newly_frozen and move is Move.POSTPONE and not trace.left, **more,
        )  # fmt: skip

    def _refused(self, job: Job, part: Part, reason: str, *, go_on: Move) -> tuple[Move, str, str]:
        """What a refusal means for the rest: the move, the delivery's reason, and what stays with the part.

        One bad address among many must not keep the others from their copies. A refusal of everybody is another
        matter: after a few in a row the rest is not tried, because it would only hurt the account's name.
        """
        if not part.plan.is_copy or len(job.parts) == 1:
            return Move.REFUSE, reason, ""
        after = [replace(one, refused=reason) if one.id == part.id else one for one in job.parts]
        last = [one.refused for one in after if one.number <= part.number][-IN_A_ROW:]
        if any(one.is_open for one in after) and not (len(last) == IN_A_ROW and all(last)):
            return go_on, "", reason
        return Move.REFUSE, deliveries.some_refused(after), reason

    def _with_progress(self, job: Job, reason: str) -> str:
        """Says what is out already, where a delivery has more than one part."""
        out, parts = sum(part.receipt is not None for part in job.parts), len(job.parts)
        if parts == 1 or not reason or job.parts[0].plan.is_copy:
            return reason
        if not out:
            return f"None of the {parts} parts is out: {reason}"
        done = f"Parts 1 to {out} of {parts} are out" if out > 1 else f"Part 1 of {parts} is out"
        return f"{done}; then: {reason}"

    def _tries(self, job: Job, wrong: SendError) -> int:
        """What the budget comes to: being offline spends nothing."""
        spent = isinstance(wrong, TryLater) and not wrong.offline
        return job.delivery.tries + int(spent)

    def _later(self, job: Job, wrong: SendError) -> tuple[Move, datetime | None, str]:
        """Another try, or the end of patience. A time that the endpoint itself named is waited for in any case."""
        wish = wrong.after if isinstance(wrong, TryLater) else None
        offline = isinstance(wrong, TryLater) and wrong.offline
        now, tries = self._clock.now(), self._tries(job, wrong)
        waits = self._channels[job.account.channel].can_reach
        if offline and waits:
            self._unreached(job.account)
        due_at = now + limiter.pause(job.delivery.tries, wish, offline, self._chance, waits_for_host=waits)
        if (now if wish else due_at) <= job.delivery.give_up_at and tries < limiter.MOST_TRIES:
            return Move.POSTPONE, due_at, wrong.reason
        tried = span_text((now - job.delivery.planned_at).total_seconds())
        return Move.REFUSE, None, f"Given up after {tried} of trying. Last: {wrong.reason}"


def _is_strike(wrong: SendError, move: Move) -> bool:
    """Whether the endpoint was pressed in vain. Being offline, a wish to wait, a lost key, one bad address are not."""
    if isinstance(wrong, TryLater):
        return not wrong.offline and wrong.after is None
    return isinstance(wrong, InDoubt) or move is Move.REFUSE
