"""The ledger: what the database itself refuses, and what the refold finds."""

import sqlite3
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core.errors import IntegrityFailure, Refused
from fairframe.core.ids import new_id
from fairframe.platform.tables import audit_entry
from fairframe.platform.workspace import Workspace
from fairframe.royalties import ledger, periods
from fairframe.royalties.ledger import Leg
from fairframe.royalties.tables import ledger_txn
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
PERIOD = (
    "insert into period (public_id, from_ms, to_ms, digest, envelope, recorded_at_ms) "
    "values (:period, :start, :end, '', '', 0)"
)


def close(ws: Workspace, start: int, end: int) -> None:
    """The row alone: what the database does by itself."""
    raw(ws, PERIOD, period=new_id("prd"), start=start, end=end)


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
    post(library, legs())
    close(library, 0, 1)
    sqlite = library.engine.dialect.name == "sqlite"  # its truncate is a delete of everything
    for table in ("ledger_leg", "ledger_txn", "period"):
        with pytest.raises(DB_ERRORS, match=r"append-only|foreign key"):
            raw(library, f"delete from {table}" if sqlite else f"truncate {table}")
    if not sqlite:
        with pytest.raises(DB_ERRORS, match="append-only"):
            raw(library, "truncate ledger_leg, ledger_txn")
        with pytest.raises(DB_ERRORS, match="append-only"):
            raw(library, "truncate ledger_txn cascade")


def test_the_database_refuses_replace(library: Workspace) -> None:
    txn = post(library, legs())
    if library.engine.dialect.name == "postgresql":
        update = HEADER + " on conflict (public_id) do update set memo = 'other'"
        with pytest.raises(DB_ERRORS, match=r"append-only|closed|balance"):
            raw(library, update, txn=txn)
        leg = (
            "insert into ledger_leg (id, txn, account, currency, amount_micro) "
            "select id, txn, account, currency, amount_micro from ledger_leg "
            "on conflict (id) do update set amount_micro = ledger_leg.amount_micro + 1"
        )
        with pytest.raises(DB_ERRORS, match=r"append-only|closed"):
            raw(library, leg)
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
        [Leg("cash:", "USD", 1), Leg("library", "USD", -1)],
        [Leg("Cash!", "USD", 1), Leg("library", "USD", -1)],
    ],
)
def test_post_refuses_bad_legs_before_the_database_does(library: Workspace, bad: list[Leg]) -> None:
    with pytest.raises(IntegrityFailure):
        post(library, bad)


@pytest.mark.parametrize("account", ["goodwill", "cash:ctr_" + "0" * 26, "pool", "pool:ctr_" + "0" * 26])
def test_post_refuses_an_account_that_is_none(library: Workspace, account: str) -> None:
    with pytest.raises(IntegrityFailure, match="malformed"):
        post(library, [Leg(account, "USD", 1), Leg("library", "USD", -1)])


@pytest.mark.parametrize("prefix", ["", "rev", "ctr", "pay"])
def test_every_account_has_its_constructor(prefix: str) -> None:
    alone = (ledger.CASH, ledger.CLEARING, ledger.LIBRARY, ledger.TAX, ledger.WITHHOLDING)
    makers = {
        "": [lambda _, name=name: name for name in alone],
        "rev": [ledger.receivable, ledger.pool],
        "ctr": [ledger.accrued, ledger.payable, ledger.carry],
        "pay": [ledger.reserve, ledger.transit],
    }
    made = [make("x").partition(":")[0] for make in makers[prefix]]
    assert sorted(made) == sorted(name for name, wanted in ledger.ACCOUNTS.items() if wanted == prefix)


def dated(ws: Workspace, effective_ms: int | None) -> int:
    """The accounting date that a posting gets which asks for one."""
    with ws.write() as tx:
        txn = ledger.post(tx, "test", new_id("agr"), legs(), effective_ms=effective_ms)
        return int(tx.scalar(sa.select(ledger_txn.c.effective_ms).where(ledger_txn.c.public_id == txn)))


def test_what_is_dated_into_a_closed_period_is_moved_behind_it(library: Workspace, clock: Any) -> None:
    assert dated(library, 5_000) == 5_000
    close(library, 0, 10_000)
    with library.read() as tx:
        assert periods.closed_until(tx) == 10_000
        assert ledger.balance_of(tx, "cash", "USD") == 5
    assert [dated(library, at) for at in (5_000, 9_999, 10_000, 10_001)] == [10_000, 10_000, 10_000, 10_001]
    close(library, 10_000, clock.now + 500)
    assert dated(library, None) == clock.now + 500
    with library.read() as tx:
        assert [one.amount_micro for one in ledger.balances(tx, "cash", 10_000)] == [5]
        assert "does not add up as it was closed" in trial(tx).findings[0], "rows that closing did not write"


def test_the_database_refuses_a_transaction_in_a_closed_period(library: Workspace) -> None:
    against = LEG.replace(":amount", "-:amount")
    at = HEADER.replace("'', 0, 0", "'', :at, 0")
    raw(library, LEG, against, at, txn=new_id("txn"), amount=3, at=999)
    close(library, 0, 1_000)
    for date in (-1, 0, 999):
        with pytest.raises(DB_ERRORS, match="period is closed"):
            raw(library, LEG, against, at, txn=new_id("txn"), amount=3, at=date)
    raw(library, LEG, against, at, txn=new_id("txn"), amount=3, at=1_000)
    with library.read() as tx:
        assert sorted(tx.execute(sa.select(ledger_txn.c.effective_ms)).scalars()) == [999, 1_000]


@pytest.mark.parametrize(("start", "end"), [(0, 2_000), (999, 2_000), (1_001, 2_000), (1_000, 1_000), (1_000, 999)])
def test_the_database_refuses_a_period_that_does_not_join(library: Workspace, start: int, end: int) -> None:
    with pytest.raises(DB_ERRORS, match="begins where"):
        close(library, 1, 1_000)
    close(library, 0, 1_000)
    with pytest.raises(DB_ERRORS, match=r"append-only|ck_period_order|order|begins where"):
        close(library, start, end)
    close(library, 1_000, 2_000)


@pytest.mark.parametrize(
    "statement", ["update period set to_ms = to_ms + 1", "delete from period", "update period set digest = 'x'"]
)
def test_the_database_refuses_to_change_a_closed_period(library: Workspace, statement: str) -> None:
    close(library, 0, 1_000)
    with pytest.raises(DB_ERRORS, match="append-only"):
        raw(library, statement)
    replace = PERIOD.replace("insert", "insert or replace", 1)
    if library.engine.dialect.name == "postgresql":
        replace = PERIOD + " on conflict (to_ms) do update set digest = 'x'"
    with pytest.raises(DB_ERRORS, match="append-only"):
        raw(library, replace, period=new_id("prd"), start=0, end=1_000)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("first", ["leg", "period"])
def test_what_another_connection_has_not_committed_yet_is_waited_for(library: Workspace, first: str) -> None:
    """Else a leg, or a closing, that commits meanwhile would be seen by no trigger."""
    txn, errors = new_id("txn"), list[str]()

    def book() -> None:
        try:
            raw(library, LEG, LEG.replace(":amount", "-:amount"), HEADER, txn=txn, amount=5)
        except DB_ERRORS as error:
            errors.append(str(error))

    other = threading.Thread(target=book)
    with library.engine.connect() as conn, conn.begin():
        values = {"txn": txn, "amount": 1} if first == "leg" else {"period": new_id("prd"), "start": 0, "end": 10}
        conn.execute(sa.text(LEG if first == "leg" else PERIOD), values)
        other.start()
        other.join(0.5)
        assert other.is_alive()
        if first == "leg":
            conn.execute(sa.text(LEG), {"txn": txn, "amount": -1})
            conn.execute(sa.text(HEADER), {"txn": txn})
    other.join(30)
    assert len(errors) == 1 and "closed" in errors[0]
    with library.read() as tx:
        assert [one.amount_micro for one in ledger.balances(tx)] == ([0] if first == "leg" else [])


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
