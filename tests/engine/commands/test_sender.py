"""What is said to the sender as a whole."""

from __future__ import annotations

from sendoff.bootstrap import Program
from sendoff.domain.absence import Cause
from sendoff.store import absences
from tests.conftest import SetClock
from tests.engine.commands.person import account, at, draft


def test_what_the_person_has_seen_is_not_told_again(program: Program, clock: SetClock) -> None:
    program.commands.posts.schedule(draft(program, account(program)), at(program, "in 10 min"))
    began = clock.now()
    clock.advance(3600)
    with program.store.writing() as connection:
        assert absences.note(connection, Cause.OFF, began, clock.now())
    with program.store.reading() as connection:
        assert absences.welcome(connection) is not None
    program.commands.sender.welcomed()
    with program.store.reading() as connection:
        assert absences.welcome(connection) is None
