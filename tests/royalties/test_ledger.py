"""The ledger: what the database itself refuses, and what the refold finds."""

import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core.errors import IntegrityFailure, Refused
from fairframe.core.ids import new_id
from fairframe.platform.tables import audit_entry
from fairframe.platform.workspace import Workspace
from fairframe.royalties import ledger
from fairframe.royalties.ledger import Leg
from fairframe.royalties.trial import trial

DB_ERRORS = (sa.exc.IntegrityError, sa.exc.DatabaseError, sa.exc.InternalError)


def legs(amount: int = 5, currency: str = "USD") -> list[Leg]:
    return [Leg("cash", currency, amount), Leg("library", currency, -amount)]


def post(ws: Workspace, lines: list[Leg]) -> str:
    with ws.write() as tx:
        return ledger.post(tx, "test", new_id("agr"), lines, "a memo")


def raw(ws: Workspace, *statements: str, **values: Any) -> None:
    with ws.engine.connect() as conn, conn.begin():
        for statement in statements:
            conn.execute(sa.text(statement), values)


LEG = "insert into ledger_leg (txn, account, currency, amount_micro) values (:txn, 'cash', 'USD', :amount)"
HEADER = (
    "insert into ledger_txn (public_id, kind, subject, memo, effective_ms, recorded_at_ms) "
    "values (:txn, 'raw', '', '', 0, 0)"
)


def test_posting_balances_and_its_audit_leaf(library: Workspace) -> None:
    txn = post(library, legs(7))
    post(library, legs(-2))
    with library.read() as tx:
        assert [(one.account, one.amount_micro) for one in ledger.balances(tx)] == [("cash", 5), ("library", -5)]
        assert ledger.balance_of(tx, "cash", "USD") == 5
        assert ledger.balance_of(tx, "cash", "EUR") == 0
        leaf = tx.rows(audit_entry.select().where(audit_entry.c.kind == "ledger.posted"))[0]["body"]
        found = trial(tx)
    assert txn in leaf and ledger.legs_digest(legs(7)) in leaf
    assert found.ok and found.sums == {"USD": 0} and found.transactions == 2


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_leg set amount_micro = amount_micro + 1",
        "update ledger_txn set memo = 'other'",
        "delete from ledger_leg",
        "delete from ledger_txn",
    ],
)
def test_the_database_refuses_update_and_delete(library: Workspace, statement: str) -> None:
    post(library, legs())
    with pytest.raises(DB_ERRORS, match=r"append-only"):
        raw(library, statement)
    with library.read() as tx:
        assert trial(tx).ok


def test_the_database_refuses_truncate(library: Workspace) -> None:
    if library.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    post(library, legs())
    for table in ("ledger_leg", "ledger_txn", "ledger_leg, ledger_txn"):
        with pytest.raises(DB_ERRORS, match=r"append-only|foreign key"):
            raw(library, f"truncate {table}")


def test_the_database_refuses_replace(library: Workspace) -> None:
    txn = post(library, legs())
    if library.engine.dialect.name == "postgresql":
        update = HEADER + " on conflict (public_id) do update set memo = 'other'"
        with pytest.raises(DB_ERRORS, match=r"append-only|closed|balance"):
            raw(library, update, txn=txn)
        return
    replace = [
        "insert or replace into ledger_leg (id, txn, account, currency, amount_micro) "
        "select id, txn, account, currency, amount_micro + 1 from ledger_leg",
        "insert or replace into ledger_txn (public_id, kind, subject, memo, effective_ms, recorded_at_ms) "
        "select public_id, kind, subject, 'other', effective_ms, recorded_at_ms from ledger_txn",
    ]
    for statement in replace:
        with pytest.raises(DB_ERRORS, match=r"append-only|closed"):
            raw(library, statement)
    # on a connection that sets no pragma a replaced leg meets the triggers alone
    conn = sqlite3.connect(library.root / "fairframe.db")
    with pytest.raises(sqlite3.DatabaseError, match=r"append-only|closed"):
        conn.execute(replace[0])
    conn.close()


def test_the_database_refuses_a_late_leg(library: Workspace) -> None:
    txn = post(library, legs())
    with pytest.raises(DB_ERRORS, match="closed"):
        raw(library, LEG, txn=txn, amount=1)
    with pytest.raises(DB_ERRORS, match="closed"):
        raw(library, LEG, LEG, HEADER, LEG, txn=new_id("txn"), amount=0)


@pytest.mark.parametrize("amounts", [(), (0,), (5,), (5, -4), (2**62, 2**62)])
def test_the_database_refuses_empty_single_and_unbalanced(library: Workspace, amounts: tuple[int, ...]) -> None:
    txn = new_id("txn")
    with pytest.raises(DB_ERRORS):
        with library.engine.connect() as conn, conn.begin():
            for amount in amounts:
                conn.execute(sa.text(LEG), {"txn": txn, "amount": amount})
            conn.execute(sa.text(HEADER), {"txn": txn})
    with library.read() as tx:
        assert ledger.balances(tx) == []


def test_the_database_refuses_a_zero_sum_only_across_currencies(library: Workspace) -> None:
    txn = new_id("txn")
    euro = LEG.replace("'USD'", "'EUR'").replace(":amount", "-:amount")
    with pytest.raises(DB_ERRORS, match="balance"):
        raw(library, LEG, euro, HEADER, txn=txn, amount=5)


def test_the_database_refuses_legs_without_a_header(library: Workspace) -> None:
    with pytest.raises(DB_ERRORS):
        raw(library, LEG, txn=new_id("txn"), amount=5)
    with library.read() as tx:
        assert ledger.balances(tx) == []


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [Leg("cash", "USD", 1)],
        [Leg("cash", "USD", 1), Leg("library", "USD", -2)],
        [Leg("cash", "USD", 1), Leg("library", "EUR", -1)],
        [Leg("cash", "USD", 0), Leg("library", "USD", 0)],
        [Leg("cash", "USD", 2**63), Leg("library", "USD", -(2**63))],
        [Leg("Cash!", "USD", 1), Leg("library", "USD", -1)],
    ],
)
def test_post_refuses_bad_legs_before_the_database_does(library: Workspace, bad: list[Leg]) -> None:
    with pytest.raises(IntegrityFailure):
        post(library, bad)


def test_only_a_library_posts(lab: Workspace) -> None:
    with pytest.raises(Refused):
        post(lab, legs())


def test_balances_beyond_64_bits(library: Workspace) -> None:
    big = ledger.MAX_MICRO
    post(library, legs(big))
    post(library, legs(big))
    with library.read() as tx:
        assert ledger.balance_of(tx, "cash", "USD") == 2 * big
        assert ledger.balance_of(tx, "library", "USD") == -2 * big
        assert trial(tx).ok


def test_the_trial_finds_what_bypassed_the_program(library: Workspace) -> None:
    txn = post(library, legs())
    raw(library, LEG, LEG.replace(":amount", "-:amount"), HEADER, txn=new_id("txn"), amount=3)
    with library.read() as tx:
        assert [text for text in trial(tx).findings if "not in the audit tree" in text]
    if library.engine.dialect.name == "sqlite":
        raw(library, "drop trigger ledger_leg_no_update", "update ledger_leg set amount_micro = amount_micro * 2")
    else:
        raw(
            library,
            "alter table ledger_leg disable trigger all",
            "update ledger_leg set amount_micro = amount_micro * 2",
        )
    with library.read() as tx:
        findings = trial(tx).findings
    assert f"the legs of {txn} are not those that the audit tree recorded" in findings
