"""Random books, and the statements of every period: each, alone and with others, holds for whoever recomputes it."""

import itertools
import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from fairframe.core.errors import FairframeError
from fairframe.core.money import Money
from fairframe.core.rational import Share
from fairframe.platform.tx import WriteTx
from fairframe.royalties import (
    allocate,
    closing,
    corrections,
    payees,
    payout_steps,
    payout_terms,
    payouts,
    related,
    revenue,
    statements,
)
from fairframe.royalties.about import About
from fairframe.royalties.deal_terms import find_agreement
from fairframe.royalties.statements import Statement
from fairframe.verify.statement import check_body
from fairframe.verify.told import Told

from .conftest import DAY_MS

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

SEEDS = range(int(os.environ.get("FAIRFRAME_BOOKS", "2")))
STEPS, CHECKS = 60, 30
DOES = {"receipt": 4, "invoice": 2, "payment": 3, "refund": 8, "correct": 6, "allocate": 8, "pay": 3, "return": 1}
DOES["close"] = 2


class Books:
    """One library's books, to which things happen; what the rules refuse is left out."""

    def __init__(self, world: Any, clock: Any, seed: int) -> None:
        self.world, self.clock, self.rng = world, clock, random.Random(seed)
        self.numbers = itertools.count()
        self.references: list[tuple[str, str]] = []
        self.periods: list[tuple[int, int]] = []
        with world.ws.write() as tx:
            self.deals = [self._deal(tx) for _ in range(2)]
            payout_terms.set_rate(tx, "AT", Share.parse("1/10"))
            for name, country in (("ada", "AT"), ("bob", "DE"), ("cid", "DE")):
                payees.set_payee(tx, world.contributors[name], country=country)

    def _deal(self, tx: WriteTx) -> str:
        terms = {
            "base": self.rng.choice(["net_receipts", "gross_receipts"]),
            "recognized": self.rng.choice(["received", "invoiced"]),
        }
        deal: str = self.world.agree(tx, share=self.rng.choice(["1/5", "2/7"]), terms=terms)
        spans = [("ada-1", 0, 3000), ("ada-2", 0, self.rng.randint(1, 4000)), ("bob-1", 0, 5000), ("cid-1", 0, 7001)]
        self.world.deliver(tx, deal, spans)
        return deal

    def attempt(self, act: Callable[[WriteTx], Any]) -> Any:
        try:
            with self.world.ws.write() as tx:
                return act(tx)
        except FairframeError:
            return None

    def step(self) -> None:
        self.clock.advance(self.rng.choice([0, 1, 3_600_000, DAY_MS, 5 * DAY_MS]))
        (what,) = self.rng.choices(list(DOES), list(DOES.values()))
        deal = self.rng.choice(self.deals)
        if what in ("receipt", "invoice", "payment", "refund"):
            self._book(what, deal)
        elif what == "correct" and (mine := [ref for of, ref in self.references if of == deal]):
            wrong = self.rng.choice(mine[-4:])
            self.attempt(lambda tx: corrections.correct(tx, deal, wrong, "typed wrongly"))
        elif what == "allocate":
            allocate.allocate(self.world.ws)
        elif what == "pay":
            who, reference = self.world.contributors[self.rng.choice(["ada", "bob"])], f"P{next(self.numbers)}"
            self.attempt(lambda tx: payouts.pay(tx, who, reference))
        elif what == "return":
            self.attempt(self._give_back)
        elif what == "close":
            self.close(self.rng.choice([self.clock.now + 1, self.clock.now - self.rng.randint(0, 4 * DAY_MS)]))

    def _book(self, what: str, deal: str) -> None:
        rng, now = self.rng, self.clock.now
        effective_ms = rng.choice([None, None, now - rng.randint(0, 6 * DAY_MS), now + rng.randint(0, DAY_MS)])
        reference = f"X{next(self.numbers)}"
        amount: Money = self.world.usd(f"{rng.randint(1, 2000)}.{rng.randint(0, 99):02d}")
        tax = rng.choice([None, amount.minor // 6, 0, amount.minor // 2])
        mine = [ref for of, ref in self.references if of == deal]

        def act(tx: WriteTx) -> Any:
            if what in ("receipt", "invoice"):
                about = About("flat" if what == "receipt" else "invoice")
                return revenue.book(tx, deal, amount, reference, tax, effective_ms, about)
            if not mine:
                return None
            kind = "flat" if what == "payment" else rng.choice(["refund", "chargeback"])
            about = About(kind, of=rng.choice(mine))
            left = related.rest_of(tx, find_agreement(tx, deal), about)
            if not left.minor:
                return None
            part = left if rng.random() < 0.3 else Money(rng.randint(1, left.minor), left.currency)
            kept = rng.choice([None, None, 0, rng.randint(0, part.minor)])
            return revenue.book(tx, deal, part, reference, kept, effective_ms, about)

        if self.attempt(act):
            self.references.append((deal, reference))

    def _give_back(self, tx: WriteTx) -> None:
        settled = [row for row in payout_steps.listing(tx) if row["state"] == "settled"]
        if settled:
            payout_steps.give_back(tx, self.rng.choice(settled)["public_id"], "AC04")

    def close(self, to_ms: int) -> None:
        closed = self.attempt(lambda tx: closing.close(tx, to_ms, carry=True))
        if closed:
            self.periods.append((closed.from_ms, closed.to_ms))
            if self.rng.random() < 0.7:
                for name in ("ada", "bob"):
                    self.statement(name, closed.from_ms, closed.to_ms)

    def statement(self, name: str, from_ms: int, to_ms: int) -> Statement | None:
        who = self.world.contributors[name]
        found: Statement | None = self.attempt(lambda tx: statements.statement(tx, who, from_ms, to_ms, "USD"))
        return found


@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_librarys_statements_hold_alone_and_together(world: Any, clock: Any, seed: int) -> None:
    books = Books(world, clock, seed)
    for _ in range(STEPS):
        books.step()
    allocate.allocate(world.ws)
    clock.advance(2 * DAY_MS)
    books.close(clock.now + 1)
    spans = list(books.periods)
    if len(spans) > 2:  # and some that overlap
        spans += [(spans[0][0], spans[-1][1]), (spans[1][0], spans[2][1])]
    checked = 0
    for name in ("ada", "bob"):
        told = [one for span in spans if (one := books.statement(name, *span))]
        for _ in range(CHECKS if told else 0):
            main, *others = books.rng.sample(told, books.rng.randint(1, len(told)))
            bundle = main.bundle
            beside = [Told.of(one.body, one.bundle.issued_at_ms) for one in others]
            found = check_body(main.body, bundle.recipient, bundle.sender, None, beside, bundle.issued_at_ms)
            assert not [one.text for one in found if one.ok is False]
            checked += 1
    assert checked, "no statement was made: the random books say nothing"
