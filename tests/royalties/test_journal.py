"""The journal: beancount accepts it, and every format's balances are the ledger's."""

import csv
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from beancount import loader
from beancount.core.data import Open, Transaction

from fairframe.core.errors import InputError, IntegrityFailure
from fairframe.core.ids import new_id
from fairframe.core.money import Currency
from fairframe.royalties import accounts, allocate, closing, corrections, journal, journal_beancount, ledger, payouts
from fairframe.royalties import revenue as receipts
from fairframe.royalties.ledger import CASH, LIBRARY, Leg

from .conftest import DAY_MS

ODD = '=1+2 "quoted" \\ back\\\\slash 漢字'
NASTY = f"{ODD}\n2026-01-01 close Assets:Cash\n; \u202e\x1b[2J"
Sums = dict[tuple[str, str], Decimal]


@pytest.fixture
def booked(world: Any, clock: Any) -> Any:
    """Three currencies, odd names, a payout and a correction; every kind of account; two days of five are closed."""
    world.deals = {}
    with world.ws.write() as tx:
        for code, amount in (("USD", "100.01"), ("JPY", "1001"), ("BHD", "7.003")):
            deal = world.deals[code] = world.agree(tx, currency=code)
            world.deliver(tx, deal, [("ann-0", 0, 1_000), (f"{NASTY}-0", 0, 2_345)])
            receipts.book(tx, deal, world.money(amount, code), ODD)
    allocate.allocate(world.ws)
    clock.advance(DAY_MS)
    with world.ws.write() as tx:
        payouts.pay(tx, world.contributors["ann"], "PAY-1", "USD")
    clock.advance(DAY_MS)
    with world.ws.write() as tx:
        world.closed_ms = closing.close(tx, tx.now_ms).to_ms
        corrections.correct(tx, world.deals["JPY"], ODD, "a mistake")
    clock.advance(DAY_MS)
    ids = {"": "", "rev": new_id("rev"), "ctr": world.contributors[NASTY]["public_id"], "pay": new_id("pay")}
    with world.ws.write() as tx:
        for number, (kind, prefix) in enumerate(ledger.ACCOUNTS.items(), 1):
            account = f"{kind}:{ids[prefix]}" if prefix else kind
            if account != CASH:
                legs = [Leg(account, "USD", number), Leg(CASH, "USD", -number)]
                ledger.post(tx, "test", new_id("agr"), legs, NASTY)
    clock.advance(DAY_MS)
    return world


def export(world: Any, folder: Path, form: str, from_ms: int = 0, to_ms: int | None = None) -> journal.Written:
    with world.ws.read() as tx:
        return journal.export(tx, folder, form, from_ms, to_ms)


def held(world: Any, until_ms: int | None = None) -> Sums:
    with world.ws.read() as tx:
        found = ledger.balances(tx, until_ms=until_ms)
    scale = {code: Decimal(10) ** (Currency(code).exponent + 6) for code in ("USD", "JPY", "BHD")}
    return {(x.account, x.currency): x.amount_micro / scale[x.currency] for x in found if x.amount_micro}


def sums(rows: Any) -> Sums:
    found: Sums = {}
    for account, currency, amount in rows:
        found[account, currency] = found.get((account, currency), Decimal(0)) + amount
    return {key: amount for key, amount in found.items() if amount}


def bean_check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from beancount.scripts.check import main; main()", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def in_beancount(path: Path) -> tuple[Sums, list[Any]]:
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    postings = [posting for one in entries if isinstance(one, Transaction) for posting in one.postings]
    return sums((p.account, p.units.currency, p.units.number) for p in postings), entries


def renamed(balances: Sums) -> Sums:
    return {(journal_beancount.account_name(account), code): amount for (account, code), amount in balances.items()}


def test_bean_check_accepts_it_and_its_balances_are_ours(booked: Any, tmp_path: Path) -> None:
    done = export(booked, tmp_path, "beancount")
    checked = bean_check(done.path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    found, entries = in_beancount(done.path)
    assert found == renamed(held(booked))
    transactions = [one for one in entries if isinstance(one, Transaction)]
    assert len(transactions) == done.transactions == 3 + 3 + 4 + 1 + len(ledger.ACCOUNTS) - 1
    assert transactions[0].meta["txn"].startswith("txn_") and transactions[0].meta["booked_at"].endswith("Z")
    named = {one.meta["name"] for one in entries if isinstance(one, Open) and "name" in one.meta}
    assert {"ann", ODD, NASTY.replace("\n", "\ufffd").replace("\u202e\x1b", "\ufffd\ufffd")} <= named
    kinds = {one.account.split(":")[1].lower() for one in entries if isinstance(one, Open)}
    assert len(kinds) == len(ledger.ACCOUNTS)


def test_bean_check_finds_a_balance_that_is_off_by_one_unit(booked: Any, tmp_path: Path) -> None:
    path = export(booked, tmp_path, "beancount").path
    lines = path.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if " balance Assets:Cash " in line and "USD" in line)
    amount = lines[at].split()[3]
    lines[at] = lines[at].replace(amount, str(Decimal(amount) + Decimal("0.00000001")))
    path.write_text("".join(lines))
    assert bean_check(path).returncode != 0


@pytest.mark.parametrize("form", ["beancount", "csv", "parquet"])
def test_a_part_begins_with_the_balances_that_stood_then(booked: Any, tmp_path: Path, form: str) -> None:
    start, until, out = booked.closed_ms - DAY_MS, booked.closed_ms + 1, tmp_path / "out"
    done = export(booked, out, form, start, until)
    assert done.transactions == 4 + 1 and not done.closed, "the steps of a payout, and a correction"
    assert export(booked, out, form, start, booked.closed_ms).closed
    done = export(booked, out, form, start, until)
    wanted = held(booked, until)
    if form == "beancount":
        assert bean_check(done.path).returncode == 0
        assert in_beancount(done.path)[0] == renamed(wanted)
    else:
        assert sums(read(done.path)) == wanted
    assert [file.name for file in out.iterdir()] == [f"journal.{form}"]


def read(path: Path) -> list[tuple[str, str, Decimal]]:
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
    else:
        with path.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
    return [(row["account"], row["currency"], Decimal(row["amount"])) for row in rows]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_every_leg_is_a_line(booked: Any, tmp_path: Path, form: str) -> None:
    done = export(booked, tmp_path, form)
    rows = read(done.path)
    assert sums(rows) == held(booked)
    with booked.ws.read() as tx:
        assert len(rows) == sum(len(one.legs) for one in journal.entries(tx, 0, 2**62))


def test_the_csv_holds_no_formula(booked: Any, tmp_path: Path) -> None:
    with export(booked, tmp_path, "csv").path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    shown = {row["name"] for row in rows} | {row["memo"] for row in rows}
    assert f"'{NASTY}" in shown and not [text for text in shown if text[:1] in "=+-@" and text]


def test_the_parquet_file_keeps_times_and_texts(booked: Any, tmp_path: Path) -> None:
    table = pq.read_table(export(booked, tmp_path, "parquet").path)
    assert NASTY in table["name"].to_pylist() and NASTY in table["memo"].to_pylist()
    first = table.to_pylist()[0]
    assert (
        first["effective_at"] <= first["booked_at"] and str(table.schema.field("amount").type) == "decimal128(38, 10)"
    )


def test_an_empty_ledger_and_a_time_without_bookings(world: Any, tmp_path: Path) -> None:
    for form in journal.FORMATS:
        assert export(world, tmp_path, form).transactions == 0
    assert bean_check(tmp_path / "journal.beancount").returncode == 0
    with world.ws.write() as tx:
        legs = [Leg(CASH, "USD", 5), Leg(LIBRARY, "USD", -5)]
        ledger.post(tx, "test", new_id("agr"), legs)
        start = tx.now_ms
    done = export(world, tmp_path, "beancount", start + 1, start + 2)
    assert done.transactions == 0 and in_beancount(done.path)[0] == renamed(held(world))


def test_what_cannot_be_exported(booked: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ends before"):
        export(booked, tmp_path, "csv", 5, 5)
    with pytest.raises(InputError, match="none of"):
        export(booked, tmp_path, "../x")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        export(booked, tmp_path / "file", "csv")
    with pytest.raises(IntegrityFailure):
        journal_beancount.account_name("goodwill")


def test_every_account_has_its_words_and_its_name_in_beancount() -> None:
    assert set(accounts.WORDS) == set(journal_beancount.ACCOUNTS) == set(ledger.ACCOUNTS)
    assert len(set(journal_beancount.ACCOUNTS.values())) == len(ledger.ACCOUNTS)
