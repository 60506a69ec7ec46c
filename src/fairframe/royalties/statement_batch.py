"""Statements of everyone for one time. What an allocation says, and its tree of weights, is read once for all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import BadDocument, IntegrityFailure, Refused
from fairframe.library.tables import contributor
from fairframe.platform import runs
from fairframe.platform.runs import Progress
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.royalties import ledger
from fairframe.royalties.statement_lines import Shared
from fairframe.royalties.statements import Statement, statement
from fairframe.royalties.tables import ledger_leg, ledger_txn

KIND = "royalties.statements"
SHOWN = 20
"""Contributors that an error names; it counts all."""
CHUNK = 200
"""Statements that are signed in one transaction; other writers wait for it."""


@dataclass(frozen=True)
class Wanted:
    """A contributor's row, and a currency in which something was booked for them."""

    contributor: Row
    currency: str


def wanted(tx: Tx, to_ms: int, currency: str | None = None) -> list[Wanted]:
    """Whose statements there are up to a time, by contributor's id and currency."""
    head = ledger.accrued("")
    statement = (
        sa.select(ledger_leg.c.account, ledger_leg.c.currency)
        .join(ledger_txn, ledger_txn.c.public_id == ledger_leg.c.txn)
        .where(ledger_leg.c.account >= head, ledger_leg.c.account < head[:-1] + ";", ledger_txn.c.effective_ms < to_ms)
        .distinct()
    )
    if currency is not None:
        statement = statement.where(ledger_leg.c.currency == currency)
    pairs = sorted((row["account"].removeprefix(head), row["currency"]) for row in tx.rows(statement))
    people = _people(tx, [public_id for public_id, _ in pairs])
    return [Wanted(people[public_id], code) for public_id, code in pairs]


def batch(
    ws: Workspace, from_ms: int, to_ms: int, currency: str | None = None, show: Progress = runs.silent
) -> Iterator[list[Statement]]:
    """Sign the statements of [from_ms, to_ms) of everyone, some at a time; those that were signed are found again.

    One that is too large to sign, or that the ledger contradicts, holds up no other: those are told at the end, by
    Refused (statement.some). Raises what else statements.statement raises; those before stay signed.
    """
    with runs.running(ws, KIND, {"from_ms": from_ms, "to_ms": to_ms}, show) as run:
        with ws.read() as tx:
            todo = wanted(tx, to_ms, currency)
        shared, new, wrong = Shared(), 0, list[str]()
        for start in range(0, len(todo), CHUNK):
            some = todo[start : start + CHUNK]
            with ws.write() as tx:
                made = [found for one in some if (found := _signed(tx, one, from_ms, to_ms, shared, wrong)) is not None]
            new += sum(one.new for one in made)
            run.progress(start + len(some), len(todo), "")
            yield made
        run.result |= {"statements": len(todo) - len(wrong), "new": new}
        if wrong:
            raise Refused(
                f"{len(wrong)} of {len(todo)} statements could not be signed; the others are",
                code="statement.some",
                reasons=[*wrong[:SHOWN], *([f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else [])],
                remedy="One that is too large is signed of a shorter time: fairframe royalties statement --from --to",
            )


def _signed(tx: WriteTx, one: Wanted, from_ms: int, to_ms: int, shared: Shared, wrong: list[str]) -> Statement | None:
    try:
        return statement(tx, one.contributor, from_ms, to_ms, one.currency, shared)
    except (BadDocument, IntegrityFailure) as error:  # too large, or untrue; raised before anything of it is written
        wrong.append(f"{one.contributor['public_id']} ({one.currency}): {error.message}")
        return None


def _people(tx: Tx, ids: Sequence[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for start in range(0, len(ids), 500):
        chunk = contributor.c.public_id.in_(list(ids[start : start + 500]))
        found |= {row["public_id"]: row for row in tx.rows(contributor.select().where(chunk))}
    return found
