"""Everything that happens to the books, in any order, with crashes between: they always hold.

A model in plain Python remembers what was acknowledged; after each step the ledger must sum to zero, refold to its
balances, and give each contributor what the model says: paid + payable + carried + withheld = accrued - reversed.
"""

import os
from collections import defaultdict
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fairframe.core.errors import Conflict, Refused
from fairframe.core.money import MICRO, Currency, Money
from fairframe.core.rational import Share
from fairframe.core.time import DAY_MS
from fairframe.flows import opt_out
from fairframe.platform import identity
from fairframe.platform.workspace import open_workspace
from fairframe.rights import agreements
from fairframe.royalties import (
    allocate,
    batches,
    closing,
    corrections,
    ledger,
    payees,
    payout_steps,
    payout_terms,
    periods,
    remittances,
    revenue,
)
from fairframe.royalties.about import About
from fairframe.royalties.ledger import Leg
from fairframe.royalties.tables import allocation, allocation_line, ledger_leg, ledger_txn, revenue_event
from fairframe.royalties.trial import trial

from .conftest import World

EXAMPLES = int(os.environ.get("FAIRFRAME_MACHINE_EXAMPLES", "6"))
STEPS = int(os.environ.get("FAIRFRAME_MACHINE_STEPS", "25"))
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking, which would open hundreds of databases: what was found is told as it is."""
USD = Currency("USD")
PEOPLE = ("Ana", "Ben", "Chen")


class Crash(Exception):
    """The process ends here, as far as the database can tell: the transaction is rolled back."""


class Books(RuleBasedStateMachine):
    """`world`, `clock` and `reopen` are the test's."""

    world: World
    clock: Any

    def reopen(self) -> Any:
        """The workspace as the next process opens it."""
        raise NotImplementedError

    def sign(self) -> str:
        """An agreement that both parties signed."""
        raise NotImplementedError

    @initialize()
    def set_up(self) -> None:
        self.events: dict[str, tuple[int, int]] = {}  # reference -> gross, tax; acknowledged and not taken back
        self.refunded: dict[str, int] = defaultdict(int)
        self.gone: set[str] = set()
        self.remitted: dict[str, int] = defaultdict(int)
        self.count = 0
        self.closed: dict[str, str] = {}  # period -> its digest
        world = self.world
        self.deal = self.sign()
        with world.ws.write() as tx:
            world.own(tx, "Ben-2", 0, Ben=(2, 3), Chen=(1, 3))
            world.deliver(tx, self.deal, [("Ana-1", 0, 7_000), ("Ben-2", 0, 3_001), ("Chen-3", 5, 13)])
            payout_terms.set_policy(tx, "USD", threshold_minor=1, hold_days=0, tax_form=False)
            payout_terms.set_rate(tx, "AT", Share.parse("1/10"))
            payees.set_payee(
                tx, world.person(tx, "Ana"), holder="Ana Rivera", iban="AT611904300234573201", country="AT"
            )

    # what a desk does

    @rule(minor=st.integers(1, 10**7), tax=st.integers(0, 20))
    def receive(self, minor: int, tax: int) -> None:
        self.count += 1
        reference, taxed = f"R-{self.count}", minor * tax // 100
        with self.world.ws.write() as tx:
            assert revenue.book(tx, self.deal, Money(minor, USD), reference, taxed).new
        self.events[reference] = (minor, taxed)

    @rule(pick=st.randoms(use_true_random=False))
    def receive_again(self, pick: Any) -> None:
        reference = self._one(pick)
        if reference is None:
            return
        minor, taxed = self.events[reference]
        with self.world.ws.write() as tx:
            assert not revenue.book(tx, self.deal, Money(minor, USD), reference, taxed).new
        with pytest.raises(Conflict), self.world.ws.write() as tx:
            revenue.book(tx, self.deal, Money(minor + 1, USD), reference, taxed)

    @rule(pick=st.randoms(use_true_random=False), part=st.integers(1, 4))
    def refund(self, pick: Any, part: int) -> None:
        reference = self._one(pick)
        if reference is None:
            return
        left = self.events[reference][0] - self.refunded[reference]
        minor = max(1, left * part // 4)
        self.count += 1
        about = About("refund", of=reference)
        if left == 0:
            with pytest.raises(Refused), self.world.ws.write() as tx:
                revenue.book(tx, self.deal, Money(1, USD), f"B-{self.count}", about=about)
            return
        with self.world.ws.write() as tx:
            revenue.book(tx, self.deal, Money(minor, USD), f"B-{self.count}", about=about)
        self.refunded[reference] += minor

    @rule(pick=st.randoms(use_true_random=False))
    def take_back(self, pick: Any) -> None:
        reference = self._one(pick)
        if reference is None:
            return
        with self.world.ws.write() as tx:
            if self.refunded[reference]:
                with pytest.raises(Refused):
                    corrections.correct(tx, self.deal, reference, "booked twice")
                return
            corrections.correct(tx, self.deal, reference, "booked twice")
        del self.events[reference]
        self.gone.add(reference)

    @rule()
    def split_pools(self) -> None:
        allocate.allocate(self.world.ws)

    @rule(who=st.sampled_from(PEOPLE))
    def leave(self, who: str) -> None:
        before = self._position()
        with self.world.ws.write() as tx:
            person = self.world.person(tx, who)
            try:
                opt_out.opt_out(tx, person)
            except Conflict:
                return
        assert self._position() == before, "an opt-out takes no money"

    @rule()
    def close(self) -> None:
        try:
            with self.world.ws.write() as tx:
                made = closing.close(tx, tx.now_ms, carry=True)
        except Refused:
            return
        self.closed[made.id] = made.digest

    @rule()
    def prepare(self) -> None:
        self.count += 1
        with self.world.ws.read() as tx:
            planned = batches.plan(tx, f"P-{self.count}", "USD")
        for _ in range(2):
            try:
                with self.world.ws.write() as tx:
                    batches.prepare(tx, planned)
            except Refused:
                return

    @rule(step=st.sampled_from(["submit", "settle", "cancel", "return"]), pick=st.randoms(use_true_random=False))
    def move_a_payout(self, step: str, pick: Any) -> None:
        with self.world.ws.read() as tx:
            rows = payout_steps.listing(tx)
        if not rows:
            return
        row = pick.choice(rows)
        try:
            with self.world.ws.write() as tx:
                batch = batches.find(tx, row["batch"])
                if step == "submit":
                    payout_steps.submit(tx, batch)
                elif step == "return":
                    payout_steps.give_back(tx, row["public_id"], "AC04")
                else:
                    move = payout_steps.settle if step == "settle" else payout_steps.cancel
                    move(tx, batch, [row["public_id"]])
        except Refused:
            return

    @rule(account=st.sampled_from(sorted(remittances.WORDS)), part=st.integers(1, 5), back=st.integers(0, 3))
    def remit(self, account: str, part: int, back: int) -> None:
        """A part of what an account holds leaves, and never more than that; again, it is the same."""
        self.count += 1
        name, day = f"T-{self.count}", max(0, self.clock.now - back * DAY_MS)
        with self.world.ws.read() as tx:
            held = min(-ledger.balance_of(tx, account, "USD"), ledger.balance_of(tx, "cash", "USD")) // MICRO
        amount = Money(max(1, held * part // 4), USD)
        try:
            with self.world.ws.write() as tx:
                done = remittances.remit(tx, account, amount, name, day)
        except Refused:
            assert amount.minor > held or back
            return
        assert done.new and amount.minor <= held
        self.remitted[account] += amount.minor
        with self.world.ws.write() as tx:
            assert not remittances.remit(tx, account, amount, name, day).new

    @rule(minor=st.integers(1, 10**6))
    def post_nonsense(self, minor: int) -> None:
        """The database itself refuses what does not balance, and what lies in a closed period."""
        with self.world.ws.read() as tx:
            closed = periods.closed_until(tx)
        legs = [Leg("cash", "USD", minor), Leg("library", "USD", -minor)]
        if closed:
            with pytest.raises(sa.exc.DBAPIError), self.world.ws.write() as tx:
                txn = ledger.post(tx, "test", self.deal, legs)
                tx.execute(ledger_txn.update().where(ledger_txn.c.public_id == txn).values(effective_ms=closed - 1))

    @rule(minor=st.integers(1, 10**6), how=st.sampled_from(["receive", "allocate", "prepare"]))
    def crash(self, minor: int, how: str) -> None:
        """A transaction that does all its work and never commits leaves nothing, and the next process opens it."""
        before = self._rows()
        with self.world.ws.read() as tx:
            waiting = [one["public_id"] for one in allocate.open_events(tx)]
            planned = batches.plan(tx, "P-crash", "USD")
        try:
            with self.world.ws.write() as tx:
                if how == "receive":
                    revenue.book(tx, self.deal, Money(minor, USD), "R-crash")
                elif how == "allocate" and waiting:
                    allocate.allocate_event(tx, waiting[0])
                elif how == "prepare" and planned.paid:
                    batches.prepare(tx, planned)
                raise Crash
        except Crash:
            pass
        self.world.ws = self.reopen()
        assert self._rows() == before

    @rule(days=st.integers(0, 40))
    def time_passes(self, days: int) -> None:
        self.clock.advance(days * DAY_MS + 1)

    # what always holds

    @invariant()
    def the_books_hold(self) -> None:
        with self.world.ws.read() as tx:
            found = trial(tx)
        assert found.ok, found.findings
        assert not any(found.sums.values())

    @invariant()
    def what_was_acknowledged_is_there_once(self) -> None:
        with self.world.ws.read() as tx:
            held = tx.rows(sa.select(revenue_event.c.reference, revenue_event.c.gross_minor))
        plain = [(row["reference"], row["gross_minor"]) for row in held if row["reference"].startswith("R-")]
        assert len(plain) == len({name for name, _ in plain})
        assert {name for name, _ in plain} == set(self.events) | self.gone
        assert all(self.events[name][0] == gross for name, gross in plain if name in self.events)

    @invariant()
    def what_was_remitted_left_once(self) -> None:
        left = sa.select(ledger_leg.c.account, sa.func.sum(ledger_leg.c.amount_micro).label("micro"))
        left = left.join(ledger_txn, ledger_txn.c.public_id == ledger_leg.c.txn).group_by(ledger_leg.c.account)
        with self.world.ws.read() as tx:
            found = {
                row["account"]: int(row["micro"]) for row in tx.rows(left.where(ledger_txn.c.kind == "remittance"))
            }
        wanted = {account: minor * MICRO for account, minor in self.remitted.items()}
        assert found == (wanted | {"cash": -sum(wanted.values())} if wanted else {})

    @invariant()
    def each_contributor_has_what_is_theirs(self) -> None:
        """paid + payable + carried + withheld (and on its way) = accrued - reversed."""
        with self.world.ws.read() as tx:
            lines = (
                sa.select(allocation_line.c.contributor_id, allocation_line.c.amount_micro)
                .join(allocation, allocation.c.id == allocation_line.c.allocation_id)
                .join(revenue_event, revenue_event.c.id == allocation.c.revenue_event_id)
                .where(revenue_event.c.reference.not_in(self.gone or {""}))
            )
            accrued: dict[int, int] = defaultdict(int)
            for row in tx.rows(lines):
                accrued[row["contributor_id"]] += int(row["amount_micro"])
            out: dict[int, int] = defaultdict(int)
            for row in payout_steps.listing(tx):
                if row["state"] not in ("returned", "canceled"):
                    out[row["contributor_id"]] += row["amount_minor"] * MICRO
            for name in PEOPLE:
                person = self.world.contributors[name]
                accounts = (ledger.accrued, ledger.payable, ledger.carry)
                held = -sum(ledger.balance_of(tx, one(person["public_id"]), "USD") for one in accounts)
                assert held + out[person["id"]] == accrued[person["id"]], name
                assert 0 <= -ledger.balance_of(tx, ledger.carry(person["public_id"]), "USD") < MICRO
                assert -ledger.balance_of(tx, ledger.payable(person["public_id"]), "USD") % MICRO == 0

    @invariant()
    def a_closed_period_stays_as_it_was(self) -> None:
        with self.world.ws.read() as tx:
            listed = periods.listing(tx)
            assert {one.id: one.digest for one in listed} == self.closed
            if listed:
                found = closing.trial_balance(tx, listed[-1].from_ms, listed[-1].to_ms)
                assert closing.described(found).digest == listed[-1].digest

    def _one(self, pick: Any) -> str | None:
        return pick.choice(sorted(self.events)) if self.events else None

    def _position(self) -> list[Any]:
        with self.world.ws.read() as tx:
            return ledger.balances(tx)

    def _rows(self) -> tuple[int, ...]:
        tables = (ledger_txn, ledger_leg, revenue_event, allocation, allocation_line)
        with self.world.ws.read() as tx:
            return tuple(tx.scalar(sa.select(sa.func.count()).select_from(one)) for one in tables)


def test_the_books_hold_whatever_happens(make_workspace: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place, made = make_workspace.tmp_path, count()

    class Here(Books):
        def __init__(self) -> None:
            super().__init__()
            self.clock = clock
            make_workspace.tmp_path = place / str(next(made))
            make_workspace.tmp_path.mkdir()
            self.world = World(make_workspace("library", "Harbor Stock"))
            self.lab = make_workspace("lab", "North Lab")
            self.world.lab = self.lab.party_id

        def sign(self) -> str:
            library = self.world.ws
            for one, other in ((self.lab, library), (library, self.lab)):
                with one.write() as tx:
                    identity.pin(tx, (other.root / "party.json").read_bytes())
            with library.write() as tx:
                offered = agreements.offer(tx, "research", lab_party=self.lab.party_id, fee=Money(10_000, USD))
            with self.lab.write() as tx:
                signed = agreements.countersign(tx, offered)
            with library.write() as tx:
                return agreements.accept(tx, signed).public_id

        def reopen(self) -> Any:
            old = self.world.ws
            old.close()
            if old.engine.dialect.name == "postgresql":
                url = old.engine.url.render_as_string(hide_password=False)
                monkeypatch.setenv("FAIRFRAME_DATABASE_URL", url)
            opened = open_workspace(old.root, clock)
            monkeypatch.delenv("FAIRFRAME_DATABASE_URL", raising=False)
            return opened

        def teardown(self) -> None:
            self.world.ws.close()
            self.lab.close()

    run_state_machine_as_test(Here, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, phases=PHASES))
