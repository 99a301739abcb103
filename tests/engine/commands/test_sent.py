"""What is out: when it can be taken back."""

from __future__ import annotations

import pytest

from sendoff.bootstrap import Program
from sendoff.domain.errors import Refused
from tests.engine.commands.person import account, at, draft


def test_what_is_not_out_or_not_known_can_not_be_deleted(program: Program) -> None:
    """What can be is tried with real channels, in tests/cli/test_canaries.py."""
    (one,) = program.commands.posts.schedule(draft(program, account(program)), at(program, "tomorrow 9"))
    with pytest.raises(Refused, match="Cancel it instead"):
        program.commands.sent.delete(one)
    for state, words in (("in_doubt", "Settle that first"), ("handed_over", "on its way")):
        with program.store.writing() as connection:
            connection.exec_driver_sql(f"UPDATE deliveries SET state = '{state}' WHERE id = {one}")
        with pytest.raises(Refused, match=words):
            program.commands.sent.delete(one)
    with program.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'in_doubt' WHERE id = {one}")
    program.commands.deliveries.settle(one, sent=True)
    program.channels["practice"].can_delete = False
    with pytest.raises(Refused, match="takes nothing back"):
        program.commands.sent.delete(one)
    program.channels["practice"].can_delete = True
    with pytest.raises(Refused, match="does not know its number"):
        program.commands.sent.delete(one)
