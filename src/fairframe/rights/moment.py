"""When a decision is made, and with which knowledge."""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.platform.tables import audit_entry
from fairframe.platform.tx import Tx
from fairframe.rights.consent import FOREVER_MS

RECENT = 10_000
"""How many of the last audit entries are looked at for a clock that runs ahead of ours."""


@dataclass(frozen=True)
class Moment:
    """What was true at `at_ms`, as far as it was recorded by `known_at_ms`."""

    at_ms: int
    known_at_ms: int = FOREVER_MS


def present(tx: Tx) -> Moment:
    """Now, with all that is recorded.

    Not merely this transaction's clock: it may have waited for a lock while an opt-out committed, or another machine's
    clock may run ahead. So it is the latest of the clock and the times of the last audit entries.
    """
    return Moment(max(tx.now_ms, int(tx.scalar(latest_statement()) or 0)))


def latest_statement() -> "sa.Select[tuple[int | None]]":
    newest = sa.select(sa.func.max(audit_entry.c.seq)).scalar_subquery()
    return sa.select(sa.func.max(audit_entry.c.recorded_at_ms)).where(audit_entry.c.seq > newest - RECENT)
