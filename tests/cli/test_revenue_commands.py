"""Money in, invoices, refunds and files of them at the command line: shown, asked, booked once, listed with states."""

import unicodedata
from pathlib import Path

import pytest

from fairframe.core.time import now_ms, to_rfc3339
from fairframe.royalties import ledger, revenue_file
from fairframe.royalties.trial import trial

from ..conftest import MACHINE_MS, SettableClock
from ..dataset.conftest import Loop, films, loop  # noqa: F401  (fixtures)
from .conftest import Fairframe

HEADER = "agreement,kind,reference,date,amount,currency,tax,quantity,model,of\n"


@pytest.fixture
def database() -> str:
    """The commands open the workspaces by their folders, so on SQLite."""
    return "sqlite"


@pytest.fixture
def clock() -> SettableClock:
    """Beside these workspaces the commands open their own, at the time of the machine."""
    return SettableClock(MACHINE_MS)


def today() -> str:
    return to_rfc3339(now_ms())[:10]


def cash(loop: Loop) -> int:  # noqa: F811
    with loop.library.read() as tx:
        assert trial(tx).ok
        return ledger.balance_of(tx, "cash", "USD")


def test_an_invoice_its_payment_and_its_refund(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    deal = loop.agree()
    said = ("-w", loop.library.root, "royalties")
    asked = (*said, "invoice", deal, "--amount", "119.00", "--tax", "19.00", "--ref", "INV-1")
    assert "input.confirm" in fairframe(*asked).err and cash(loop) == 0
    assert "contributors' pool 0.00000000 USD" in fairframe(*asked, "--yes").out
    assert "known" in fairframe(*asked).out
    (open_,) = fairframe(*said, "receipts", "--state", "invoiced", "--json").data
    assert (open_["kind"], open_["reference"], open_["open_minor"]) == ("invoice", "INV-1", 11_900)
    paid = (*said, "revenue", deal, "--ref", "BANK-1", "--pays", "INV-1", "--kind", "per_hour", "--quantity", "12.5")
    assert "contributors' pool 20.00000000 USD" in fairframe(*paid, "--yes").out, "all of it, and its tax"
    assert "known" in fairframe(*paid[:-1], "12.50", "--amount", "119.00").out
    back = (*said, "refund", deal, "--of", "BANK-1", "--ref", "CR-1", "--amount", "11.90")
    shown = fairframe(*back)
    assert "2.00000000 USD back from contributors" in shown.out and "input.confirm" in shown.err
    assert fairframe(*back, "--yes").code == 0
    too_much = fairframe(*back[:-1], "107.11", "--ref", "CR-2", "--yes")
    assert too_much.code == 1 and "revenue.left" in too_much.err and "107.10 USD" in too_much.err
    rest = (*said, "refund", deal, "--of", "BANK-1", "--ref", "CB-1", "--chargeback")
    assert "chargeback, 107.10 USD" in fairframe(*rest, "--yes").out
    assert "known" in fairframe(*rest).out, "without an amount it is the one that was booked"
    assert cash(loop) == 0
    table = fairframe(*said, "receipts", deal).out
    assert "12:30:00.000 h" in table and "-11.90 USD" in table
    listed = {one["reference"]: one["state"] for one in fairframe(*said, "receipts", "--json").data}
    assert listed == {"INV-1": "received", "BANK-1": "refunded", "CR-1": "received", "CB-1": "received"}
    wrong = fairframe(*said, "correct", deal, "--ref", "INV-1", "--reason", "a slip", "--yes")
    assert wrong.code == 1 and "revenue.rests" in wrong.err


@pytest.mark.parametrize("amount", ["1e3", "-5", "10.001", "1,000.00", "NaN", "", "١٠"])
def test_money_is_an_exact_decimal(loop: Loop, fairframe: Fairframe, amount: str) -> None:  # noqa: F811
    deal = loop.agree()
    order = ("-w", loop.library.root, "royalties", "revenue", deal, "--ref", "1", "--yes")
    result = fairframe(*order, f"--amount={amount}")
    assert result.code == 1 and "input.bad_money" in result.err


def test_a_file_is_shown_then_booked_whole(loop: Loop, fairframe: Fairframe, tmp_path: Path) -> None:  # noqa: F811
    deal, file = loop.agree(), tmp_path / "march.csv"
    said = ("-w", loop.library.root, "royalties", "import", file)
    file.write_text(
        HEADER
        + f"{deal},flat,INV-1,{today()},100.00,USD,,,,\n"
        + f"{deal},invoice,INV-2,{today()},50.00,usd,5.00,,,\n"
        + f"{deal},per_clip,BANK-2,{today()},50.00,USD,,2000,,INV-2\n"
        + f"{deal},refund,CR-1,{today()},30.00,USD,,,,INV-1\n"
    )
    dry = fairframe(*said, "--dry-run", "--json")
    assert [one["pool_micro"] for one in dry.data] == ["2000000000", "0", "900000000", "-600000000"]
    assert [one["event"] for one in dry.data] == [None] * 4 and cash(loop) == 0
    unasked = fairframe(*said)
    assert "input.confirm" in unasked.err and "BANK-2" in unasked.out and cash(loop) == 0
    assert "4 booked, 0 known" in fairframe(*said, "--yes").out
    assert cash(loop) == 12_000 * 1_000_000
    again = fairframe(*said)
    assert again.code == 0 and "0 booked, 4 known" in again.out, "the same file asks nothing and books nothing"
    file.write_text(file.read_text() + f"{deal},renewal,INV-3,{today()},1.00,USD,,,,\n")
    assert "1 booked, 4 known" in fairframe(*said, "--yes").out
    assert cash(loop) == 12_100 * 1_000_000


def test_references_alike_by_unicode_are_one_and_by_case_are_noted(
    loop: Loop,  # noqa: F811
    fairframe: Fairframe,
    tmp_path: Path,
) -> None:
    deal, file = loop.agree(), tmp_path / "march.csv"
    said = ("-w", loop.library.root, "royalties")
    composed, decomposed = (unicodedata.normalize(form, "Reçu-1") for form in ("NFC", "NFD"))
    line = f"{deal},flat,{{}},{today()},100.00,USD,,,,\n"
    file.write_text(HEADER + line.format(decomposed))
    assert "1 booked, 0 known" in fairframe(*said, "import", file, "--yes").out
    file.write_text(HEADER + line.format(composed))
    assert "0 booked, 1 known" in fairframe(*said, "import", file, "--yes").out
    file.write_text(HEADER + line.format(composed.upper()))
    assert f"differs from {composed!r} only by case" in fairframe(*said, "import", file).err
    one = fairframe(*said, "revenue", deal, "--ref", composed.upper(), "--amount", "100.00")
    assert f"differs from {composed!r} only by case" in one.err and "input.confirm" in one.err
    assert cash(loop) == 10_000 * 1_000_000


def test_a_file_with_a_wrong_line_books_nothing(loop: Loop, fairframe: Fairframe, tmp_path: Path) -> None:  # noqa: F811
    deal, file = loop.agree(), tmp_path / "march.csv"
    good = f"{deal},flat,INV-1,{today()},100.00,USD,,,,\n"
    said = ("-w", loop.library.root, "royalties", "import", file, "--yes")
    lines = {
        f"{deal},flat,INV-2,{today()},1e3,USD,,,,": "is not an amount",
        f"{deal},flat,INV-2,{today()},1.00,XXQ,,,,": "XXQ",
        f"{deal},flat,INV-2,someday,1.00,USD,,,,": "someday",
        f"{deal},gift,INV-2,{today()},1.00,USD,,,,": "no kind of revenue",
        f"{deal},per_clip,INV-2,{today()},1.00,USD,,1.5,,": "no quantity",
        f"{deal},flat,,{today()},1.00,USD,,,,": "reference is blank",
        f'{deal},flat,"INV\n2",{today()},1.00,USD,,,,': "line break",
        f"{deal},flat,INV-2,{today()},1.00,USD,,,,,more": "11 cells",
        f'{deal},flat,"=HYPERLINK(""x"")\x1b[2J",{today()},1.00,USD,,,,': "control character",
    }
    for line, why in lines.items():
        file.write_text(HEADER + good + line + "\n")
        found = fairframe(*said)
        assert found.code == 1 and "import.bad_lines" in found.err, line
        assert "line 3" in found.err and why in found.err and "\x1b[2J" not in found.err, (line, found.err)
    judged = {
        f"agr_{'0' * 26},flat,INV-2,{today()},1.00,USD,,,,": "no agreement",
        f"{deal},flat,INV-2,{today()},1.00,EUR,,,,": "in USD",
        f"{deal},flat,INV-1,{today()},100.01,USD,,,,": "other content",
        f"{deal},flat,INV-1,{today()},100.00,USD,,,,": "the same as line 2",
        f"{deal},refund,CR-1,{today()},100.01,USD,,,,INV-1": "more than is left",
        f"{deal},refund,CR-1,{today()},1.00,USD,,,,INV-9": "nothing is booked",
        f"{deal},flat,INV-2,2999-01-01,1.00,USD,,,,": "future",
    }
    file.write_text(HEADER + good + "".join(f"{line}\n" for line in judged))
    found = fairframe(*said)
    for number, why in enumerate(judged.values(), 3):
        assert any(f"line {number}:" in one and why in one for one in found.err.splitlines()), (why, found.err)
    assert "7 of 8 lines cannot be booked, so none was" in found.err
    assert fairframe("-w", loop.library.root, "royalties", "receipts", "--json").data == []
    for text, code in (("", "input.bad_csv"), (HEADER, "input.bad_csv"), (f"x{HEADER}{good}", "input.bad_csv"),
                       (HEADER.replace("tax", "iban") + good, "input.bad_csv")):  # fmt: skip
        file.write_text(text)
        assert code in fairframe(*said).err
    file.write_bytes(b"\xff\xfe\x00")
    assert "input.bad_csv" in fairframe(*said).err
    assert "input.bad_csv" in fairframe(*said[:-2], tmp_path / "nowhere.csv").err


def test_what_changed_since_the_preview_is_not_booked(loop: Loop, tmp_path: Path) -> None:  # noqa: F811
    from fairframe.core.errors import Conflict
    from fairframe.core.money import parse_money
    from fairframe.royalties import revenue

    deal, file = loop.agree(), tmp_path / "march.csv"
    file.write_text(HEADER + f"{deal},flat,INV-1,{today()},1.00,USD,,,,\n{deal},flat,INV-2,{today()},2.00,USD,,,,\n")
    entries = revenue_file.read(file)
    seen = revenue_file.preview(loop.library, entries)
    with loop.library.write() as tx:
        revenue.book(tx, deal, parse_money("2.00", "USD"), "INV-2", None, entries[1].effective_ms)
    with loop.library.write() as tx, pytest.raises(Conflict) as caught:
        revenue_file.book_all(tx, entries, confirmed=seen)
    assert caught.value.code == "import.changed"


def test_the_template_is_read_as_it_is_printed(loop: Loop, fairframe: Fairframe, tmp_path: Path) -> None:  # noqa: F811
    printed = fairframe("royalties", "import", "--template")
    file = tmp_path / "template.csv"
    file.write_text(printed.out)
    entries = revenue_file.read(file)
    assert len(entries) == len(printed.out.splitlines()) - 1
    assert {one.about.kind for one in entries} >= {"flat", "per_clip", "per_hour", "invoice", "refund", "output"}
    result = fairframe("-w", loop.library.root, "royalties", "import", file)
    assert result.code == 1 and "no agreement" in result.err, "its agreement is nobody's"
