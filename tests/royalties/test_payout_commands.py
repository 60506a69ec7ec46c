"""royalties payee, policy, withholding, payout and pay as commands: previews, masks, and being run again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fairframe.cli import payouts as commands
from fairframe.cli.main import main
from fairframe.core.errors import InputError
from fairframe.royalties import allocate, batches, ledger, payout_steps, revenue
from fairframe.royalties.trial import trial

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
OURS, ANN, BOB = "DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606"


class Command:
    def __init__(self, world: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        self.world, self.monkeypatch, self.capsys = world, monkeypatch, capsys

    def __call__(self, *words: object) -> tuple[int, str, str]:
        """(exit code, standard output, standard error) of fairframe royalties."""
        self.capsys.readouterr()
        told = [str(word) for word in words]
        self.monkeypatch.setattr(sys, "argv", ["fairframe", "-w", str(self.world.ws.root), "royalties", *told])
        with pytest.raises(SystemExit) as stop:
            main()
        shown = self.capsys.readouterr()
        return int(stop.value.code or 0), shown.out, shown.err

    def good(self, *words: object) -> str:
        code, out, err = self(*words)
        assert code == 0, err
        return out


@pytest.fixture
def run(world: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Command:
    monkeypatch.setenv("COLUMNS", "250")
    command = Command(world, monkeypatch, capsys)
    with world.ws.write() as tx:
        world.deal = world.agree(tx, currency="EUR")
        world.deliver(tx, world.deal, [("ann-0", 0, 4_000), ("bob-0", 0, 3_500), ("cyd-0", 0, 2_500)])
        revenue.book(tx, world.deal, world.money("5000.00", "EUR"), "INV-1")
    allocate.allocate(world.ws)
    command.good("policy", "EUR", "--threshold", "50.00", "--pay-from", OURS, "--bic", "COBADEFF")
    command.good("withholding", "FR", "--rate", "3/10")
    for name, iban, country in (("ann", ANN, "GB"), ("bob", BOB, "FR")):
        given = ("--holder", f"{name.title()} Smith", "--iban", iban, "--country", country, "--tax-form", "W-8BEN")
        command.good("payee", "set", name, *given)
    return command


def balances(world: Any) -> dict[str, int]:
    with world.ws.read() as tx:
        assert trial(tx).ok
        return {one.account: one.amount_micro for one in ledger.balances(tx)}


def test_a_quarter(run: Command, tmp_path: Path) -> None:
    shown = run.good("payout", "prepare", "--ref", "Q2", "--currency", "EUR", "--yes")
    assert "2 are paid, 1 left out: 1 no tax form" in shown and "105.00 EUR" in shown and "FR***606" in shown
    assert "known" in run.good("payout", "prepare", "--ref", "Q2", "--currency", "EUR")
    out = tmp_path / "bank"
    assert "2 payouts submitted" in run.good("payout", "submit", "Q2", "-o", out, "--yes")
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}, "they hold account numbers"
    assert len(files) == 2 and all(ANN.encode() in data and BOB.encode() in data for data in files.values())
    for path in out.iterdir():
        path.unlink()
    assert "known" in run.good("payout", "submit", "Q2", "-o", out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == files
    listed = json.loads(run.good("payout", "show", "Q2", "--json"))["payouts"]
    bob = next(one["payout"] for one in listed if one["name"] == "bob")
    assert "2 payouts settled" in run.good("payout", "settle", "Q2", "--yes")
    assert "1 payout returned" in run.good("payout", "return", bob.replace("_", "-"), "--reason", "AC04", "--yes")
    assert "known" in run.good("payout", "return", bob, "--reason", "AC04")
    states = {one["name"]: one["state"] for one in json.loads(run.good("payout", "list", "--json"))}
    assert states == {"ann": "settled", "bob": "returned"}
    assert "returned (AC04)" in run.good("payout", "list", "--contributor", "bob")
    assert json.loads(run.good("payout", "list", "--state", "reserved", "--json")) == []
    held = balances(run.world)
    assert held[ledger.payable(run.world.contributors["bob"]["public_id"])] == -35_000 * 10**6


def test_no_output_shows_an_account(run: Command) -> None:
    run.good("payout", "prepare", "--ref", "Q2", "--currency", "EUR", "--yes")
    for words in (
        ("payee", "show", "ann"), ("payee", "set", "ann", "--unblock"), ("policy",), ("payout", "show", "Q2"),
        ("payout", "list"), ("payout", "prepare", "--ref", "Q3", "--currency", "EUR", "--dry-run"),
    ):  # fmt: skip
        for as_json in ((), ("--json",)):
            shown = run.good(*words, *as_json)
            for secret in (ANN, BOB, OURS, "Smith", ANN[4:12]):
                assert secret not in shown, words
            assert not as_json or json.loads(shown)
    assert "A*** S***" in run.good("payee", "show", "ann") and "GB***819" in run.good("payee", "show", "ann")


def test_a_preview_changes_nothing_and_a_confirmation_is_needed(run: Command, tmp_path: Path) -> None:
    before = balances(run.world)
    shown = json.loads(run.good("payout", "prepare", "--ref", "Q2", "--currency", "EUR", "--dry-run", "--json"))
    assert [one["name"] for one in shown["left_out"]] == ["cyd"] and len(shown["paid"]) == 2
    assert run("payout", "prepare", "--ref", "Q2", "--currency", "EUR")[0] == 1
    assert balances(run.world) == before
    run.good("payout", "prepare", "--ref", "Q2", "--currency", "EUR", "--yes")
    code, _, err = run("payout", "submit", "Q2", "-o", tmp_path / "bank")
    assert code == 1 and "input.confirm" in err and not list((tmp_path / "bank").iterdir())
    for words in (("payout", "cancel", "Q2"), ("payee", "erase", "cyd")):
        assert run(*words)[0] == 1
    assert "2 payouts canceled" in run.good("payout", "cancel", "Q2", "--yes")
    assert "1 rows of bank details" in run.good("payee", "erase", "ann", "--yes")
    assert "erased" in run.good("payee", "show", "ann")


def test_a_command_that_was_cut_off_is_run_again(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between noting that a batch is sent and writing its files: nothing is lost, and nothing is paid twice."""
    run.good("payout", "prepare", "--ref", "Q2", "--currency", "EUR", "--yes")

    def full(path: Path, data: bytes, mode: int) -> None:
        raise InputError(f"{path} cannot be written: the disk is full", code="input.unwritable")

    with monkeypatch.context() as patched:
        patched.setattr(commands, "write_output", full)
        assert run("payout", "submit", "Q2", "-o", tmp_path / "bank", "--yes")[0] == 1
    assert {one["state"] for one in json.loads(run.good("payout", "list", "--json"))} == {"submitted"}
    assert run("payout", "cancel", "Q2", "--yes")[0] == 1, "for all that is known the bank has it"
    run.good("payout", "submit", "Q2", "-o", tmp_path / "bank")
    assert len(list((tmp_path / "bank").iterdir())) == 2


def test_errors_are_one_line_with_a_code(run: Command, tmp_path: Path) -> None:
    for words, code in (
        (("payout", "show", "nowhere"), "payout.missing"),
        (("payout", "prepare", "--ref", "Q2", "--currency", "USD", "--yes"), "payout.no_policy"),
        (("payout", "prepare", "--ref", "Q2", "--currency", "EURO", "--yes"), "input.bad_currency"),
        (("payout", "return", "pay_x", "--reason", "AC04", "--yes"), "payout.missing"),
        (("payee", "set", "ann", "--iban", "DE00"), "payee.account"),
        (("payee", "set", "nobody", "--block"), "contributor.missing"),
        (("policy", "EUR", "--threshold", "-5"), "input.bad_money"),
        (("policy", "EUR", "--hold-days", "5"), "payout.policy"),
        (("withholding", "FR", "--from", "2026-01-01"), "payout.rate"),
        (("withholding", "US", "--rate", "1"), "payout.rate"),
        (("pay", "cyd", "--ref", "P", "--yes"), "payout.no_tax_form"),
    ):
        found, _, err = run(*words)
        assert (found, code in err) == (1, True), (words, err)
    assert run("payout", "list", "--state", "paid")[0] == 2


def test_pay_withholds_too(run: Command) -> None:
    assert "350.00 EUR, 105.00 EUR of it withheld, carried 0.00000000 EUR" in run.good(
        "pay", "bob", "--ref", "P", "--yes"
    )
    assert balances(run.world)["cash"] == (500_000 - 24_500) * 10**6
    run.good("payee", "set", "ann", "--block")
    code, _, err = run("pay", "ann", "--ref", "P-2", "--yes")
    assert code == 1 and "payout.blocked" in err


def test_what_is_canceled_while_a_person_is_asked_is_not_in_the_banks_file(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.good("payout", "prepare", "--ref", "Q2", "--currency", "EUR", "--yes")
    listed = json.loads(run.good("payout", "show", "Q2", "--json"))["payouts"]
    ann = next(one["payout"] for one in listed if one["name"] == "ann")

    def beside(question: str, yes: bool) -> None:
        """Another person cancels one while this one reads the question."""
        with run.world.ws.write() as tx:
            payout_steps.cancel(tx, batches.find(tx, "Q2"), [ann])

    out = tmp_path / "bank"
    with monkeypatch.context() as patched:
        patched.setattr(commands, "confirm", beside)
        code, _, err = run("payout", "submit", "Q2", "-o", out)
    assert code == 1 and "payout.changed" in err and not list(out.iterdir())
    assert {one["name"]: one["state"] for one in json.loads(run.good("payout", "list", "--json"))} == {
        "ann": "canceled",
        "bob": "reserved",
    }
    run.good("payout", "submit", "Q2", "-o", out, "--yes")
    assert all(BOB.encode() in path.read_bytes() for path in out.iterdir())
    assert not any(ANN.encode() in path.read_bytes() for path in out.iterdir())


def test_two_processes_one_asks_and_one_cancels(run: Command, tmp_path: Path) -> None:
    """The first waits at its question, which it asks of a terminal, and then writes nothing that the other canceled."""
    run.good("payout", "prepare", "--ref", "Q2", "--currency", "EUR", "--yes")
    listed = json.loads(run.good("payout", "show", "Q2", "--json"))["payouts"]
    ann = next(one["payout"] for one in listed if one["name"] == "ann")
    ours, theirs = os.openpty()
    program = [
        sys.executable,
        "-c",
        "from fairframe.cli.main import main; main()",
        "-w",
        str(run.world.ws.root),
        "royalties",
        "payout",
    ]
    out, shown = tmp_path / "bank", b""
    with subprocess.Popen(
        [*program, "submit", "Q2", "-o", str(out)], stdin=theirs, stdout=theirs, stderr=theirs
    ) as one:
        while b"[y/N]" not in shown:
            shown += os.read(ours, 4096)
        assert subprocess.run([*program, "cancel", "Q2", ann, "--yes"], check=True, timeout=60).returncode == 0
        os.write(ours, b"y\n")
        assert one.wait(60) == 1
    assert b"payout.changed" in os.read(ours, 65_536) and not list(out.iterdir())
    states = {one["name"]: one["state"] for one in json.loads(run.good("payout", "list", "--json"))}
    assert states == {"ann": "canceled", "bob": "reserved"}


def test_a_reference_that_came_back_says_so_and_one_that_differs_by_case_is_noted(run: Command) -> None:
    paid = run.good("pay", "bob", "--ref", "P", "--yes").partition(":")[0]
    assert "known: settled" in run.good("pay", "bob", "--ref", "P")
    run.good("payout", "return", paid, "--reason", "AC04", "--yes")
    code, out, err = run("pay", "bob", "--ref", "P")
    assert code == 0 and "known: returned" in out and "under another --ref" in err
    code, _, err = run("pay", "bob", "--ref", "p", "--yes")
    assert code == 0 and "'p' differs from the batch 'P' only by case" in err


def test_words_that_are_not_utf8_are_no_traceback(run: Command) -> None:
    for words in (("payout", "show", "\udcff"), ("receipts", "\udcff"), ("statement", "ann", "--currency", "\udcff")):
        code, _, err = run(*words)
        assert code == 1 and "not UTF-8" in err
