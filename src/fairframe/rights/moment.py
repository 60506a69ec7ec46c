"""When a decision is made, and with which knowledge."""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.platform.tables import audit_entry
from fairframe.platform.tx import Tx
from fairframe.rights.consent import FOREVER_MS


@dataclass(frozen=True)
class Moment:
    """What was true at `at_ms`, as far as it was recorded by `known_at_ms`."""

    at_ms: int
    known_at_ms: int = FOREVER_MS


def present(tx: Tx) -> Moment:
    """Now, with all that is recorded.

    Not merely this transaction's clock: it may have waited for a lock while an opt-out committed, or another machine's
    clock may run ahead. So it is the later of the clock and the last audit entry's time, which never goes back.
    """
    return Moment(max(tx.now_ms, int(tx.scalar(latest_statement()) or 0)))


def asked(tx: Tx, as_of_ms: int | None, known_at_ms: int | None) -> Moment | None:
    """The moment that a question names; None where it names none, which is the present.

    Known at a day and nothing else said: what was true on that day, as it was known then.
    """
    if as_of_ms is None and known_at_ms is None:
        return None
    at_ms = as_of_ms if as_of_ms is not None else known_at_ms
    assert at_ms is not None
    return Moment(at_ms, FOREVER_MS if known_at_ms is None else known_at_ms)


def latest_statement() -> "sa.Select[tuple[int]]":
    newest = sa.select(sa.func.max(audit_entry.c.seq)).scalar_subquery()
    return sa.select(audit_entry.c.recorded_at_ms).where(audit_entry.c.seq == newest)
