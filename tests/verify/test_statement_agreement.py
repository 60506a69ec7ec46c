"""A statement against the countersigned agreements that its pools stem from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fairframe.core import dsse
from fairframe.core.bundle import Bundle, read_payload, seal
from fairframe.core.money import parse_money
from fairframe.core.party import Party
from fairframe.core.rational import Share
from fairframe.dataset.receive import Received
from fairframe.library import contributors
from fairframe.royalties import allocate, closing, revenue, statements
from fairframe.verify.agreements import Terms, read_agreements
from fairframe.verify.kind import Report
from fairframe.verify.main import main
from fairframe.verify.registry import verify
from fairframe.verify.statement import check_body
from fairframe.verify.trust import Trust

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)


class Paid:
    """A statement over one research fee, on disk, with the agreement that both parties signed."""

    def __init__(self, loop: Loop) -> None:  # noqa: F811
        self.loop = loop
        with loop.library.write() as tx:
            revenue.book(tx, loop.agreement, parse_money("10000.00", "USD"), "INV-1")
        allocate.allocate(loop.library)
        with loop.library.write() as tx:
            closing.close(tx, tx.now_ms + 1)
            self.made = statements.statement(tx, contributors.find(tx, PEOPLE[0]))
        self.path = loop.tmp / "statement.json"
        self.path.write_bytes(self.made.envelope)
        self.agreement_path = loop.tmp / "delivery" / "agreement.json"
        self.agreement = self.agreement_path.read_bytes()

    def trust(self) -> Trust:
        sides = (self.loop.library, self.loop.lab)
        return Trust.of([Party.from_envelope((ws.root / "party.json").read_bytes()) for ws in sides])

    def check(self, *agreements: bytes, path: Path | None = None) -> Report:
        return verify(path or self.path, self.trust(), self.loop.library.clock(), agreements)

    def body(self) -> Bundle:
        return read_payload(dsse.read_envelope(self.agreement).payload)

    def resign(self, by_lab: bool = True, **changes: Any) -> bytes:
        """The agreement with other content, signed again by the library, and by the lab if asked."""
        body = self.body()
        keys = [ws.keys.signing_key()[1] for ws in (self.loop.library, self.loop.lab)]
        sealed = seal(replace(body, body={**body.body, **changes}), keys[0])
        return dsse.add_signature(sealed, keys[1]) if by_lab else sealed

    def terms(self) -> Terms:
        held, _ = read_agreements([self.agreement], self.trust(), self.loop.library.clock())
        return held[self.loop.agreement]


@pytest.fixture
def paid(loop: Loop, at_lab: Received) -> Paid:  # noqa: F811
    return Paid(loop)


def told(report: Report, ok: bool | None) -> str:
    return "\n".join(f"{one.code} {one.text}" for one in report.findings if one.ok is ok)


def test_the_signed_agreement_turns_what_was_unseen_into_what_holds(paid: Paid) -> None:
    without, with_it = paid.check(), paid.check(paid.agreement)
    assert without.holds and "is the library's word" in told(without, None)
    assert with_it.holds, told(with_it, False)
    assert "is the library's word" not in told(with_it, None)
    assert "which both parties signed, says the same: 1/5 of net receipts split by delivered_ms" in told(with_it, True)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"share": Share(1, 4)}, "its share is 1/5, but signed is 1/4"),
        ({"split_basis": "usage"}, "its split basis is delivered_ms, but signed is usage"),
        ({"currency": "EUR"}, "its currency is USD, but signed is EUR"),
        ({"licensee": "pty_" + "1" * 26}, "its licensee is pty_"),
        ({"library": "pty_" + "1" * 26}, "its library is pty_"),
        ({"version": 2}, "its version is 1, but signed is 2"),
        ({"purpose": "commercial"}, "its purpose is research, but signed is commercial"),
        ({"base": "gross_receipts"}, "its base is net_receipts, but signed is gross_receipts"),
        ({"recognized": "invoiced"}, "its recognized is received, but signed is invoiced"),
        ({"licensee": ""}, "but signed is not named"),
        ({"offer": "other"}, "its offer is research, but signed is other"),
    ],
)
def test_what_the_statement_says_otherwise_is_named(paid: Paid, changed: dict[str, Any], words: str) -> None:
    signed = {paid.loop.agreement: replace(paid.terms(), **changed)}
    found = check_body(paid.made.body, paid.made.bundle.recipient, paid.made.bundle.sender, signed)
    assert [words in one.text for one in found if one.ok is False] == [True]


def test_an_agreement_that_does_not_hold_proves_nothing(paid: Paid) -> None:
    altered = {**paid.body().body["terms"], "share": "1/4"}
    both = paid.check(paid.resign(terms=altered))
    assert "its share is 1/5, but signed is 1/4" in told(both, False)
    unsigned = paid.check(paid.resign(by_lab=False))
    assert not unsigned.holds and "not signed by North Lab" in told(unsigned, False)
    assert "is the library's word" in told(unsigned, None)
    two = paid.check(paid.agreement, paid.resign(terms=altered))
    assert "with other terms" in told(two, False)
    stranger = paid.check(paid.resign(lab="pty_" + "1" * 26))
    assert "its parties are not sender and recipient" in told(stranger, False)
    other = paid.check(paid.path.read_bytes())
    assert "it holds a statement, not an agreement" in told(other, False)
    assert not paid.check(b"{}").holds


def test_the_command_takes_the_agreement(paid: Paid, capsys: pytest.CaptureFixture[str]) -> None:
    trust = [word for ws in (paid.loop.library, paid.loop.lab) for word in ("--trust", str(ws.root / "party.json"))]
    lines = [str(paid.path), *trust, "--agreement", str(paid.agreement_path)]
    # the test's clock stands still at a past date, which is no day ahead
    assert main(lines) == 0, capsys.readouterr().out
    assert "which both parties signed" in capsys.readouterr().out
    assert main([str(paid.agreement_path), *trust, "--agreement", str(paid.agreement_path)]) == 2
    assert "--agreement goes with a statement" in capsys.readouterr().err
