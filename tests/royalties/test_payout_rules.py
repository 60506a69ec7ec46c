"""The pure rules of payouts: which step from which state, what each moves, who is paid and who is left out."""

from collections import Counter
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import Refused
from fairframe.core.ids import encode_id
from fairframe.core.money import MICRO
from fairframe.core.rational import Share
from fairframe.royalties import ledger
from fairframe.royalties.ledger import CASH, LIBRARY, WITHHOLDING, Leg
from fairframe.royalties.payout_rules import (
    Asked,
    Policy,
    Standing,
    judge,
    release_legs,
    released,
    to_release,
    withheld,
)
from fairframe.royalties.payout_states import DONE, LIVE, STEPS, Parts, State, Step, after, joined, move

CTR = encode_id("ctr", bytes(16))
MICROS = st.integers(-5 * MICRO, 5 * MICRO)


def test_every_pair_of_state_and_step_is_decided() -> None:
    for state, step in product(get_args(State), get_args(Step)):
        if (state, step) in STEPS:
            assert after("pay_x", state, step) == DONE[step][0]
        else:
            with pytest.raises(Refused) as caught:
                after("pay_x", state, step)
            assert caught.value.code == "payout.state"
    assert set(LIVE) == {state for state, _ in STEPS}, "what has a next step is live, and nothing else"


class Books:
    """A ledger of one contributor in a dictionary: what it would be if each posting were right."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.payouts: dict[str, tuple[Parts, State]] = {}
        self.entitled = 0

    def post(self, legs: list[Leg]) -> None:
        assert sum(leg.amount_micro for leg in legs) == 0
        for leg in legs:
            self.sums[leg.account] += leg.amount_micro

    def credit(self, account: str) -> int:
        return -self.sums[account]

    @property
    def standing(self) -> Standing:
        accounts = (ledger.accrued(CTR), ledger.payable(CTR), ledger.carry(CTR))
        return Standing(*(self.credit(account) for account in accounts))

    def earn(self, micro: int) -> None:
        """Below zero: what was earned is taken back."""
        self.entitled += micro
        self.post([Leg(ledger.accrued(CTR), "EUR", -micro), Leg(LIBRARY, "EUR", micro)])

    def batch(self, rate: Share, policy: Policy) -> None:
        standing = self.standing
        judged = judge(standing, Asked(account=True), policy)
        self.post(release_legs(CTR, "EUR", judged.release_micro, standing.carry_micro))
        if judged.gross_minor:
            kept = withheld(judged.gross_minor, rate)
            parts = Parts(encode_id("pay", len(self.payouts).to_bytes(16, "big")), CTR, "EUR", judged.gross_minor, kept)
            self.post(move(parts, None, "reserved"))
            self.payouts[parts.payout] = (parts, "reserved")

    def step(self, which: int, step: Step) -> None:
        if not self.payouts:
            return
        name = sorted(self.payouts)[which % len(self.payouts)]
        parts, state = self.payouts[name]
        if (state, step) in STEPS:
            now = STEPS[state, step]
            self.post(move(parts, state, now))
            self.payouts[name] = (parts, now)

    def check(self) -> None:
        live = [(parts, state) for parts, state in self.payouts.values() if state in LIVE]
        paid = sum(parts.net_minor for parts, state in live if state == "settled") * MICRO
        sent = sum(parts.net_minor for parts, state in live if state != "settled") * MICRO
        kept = sum(parts.withheld_minor for parts, _ in live) * MICRO
        standing = self.standing
        assert paid + sent + kept + standing.payable_micro + standing.carry_micro + standing.accrued_micro == (
            self.entitled
        )
        assert self.credit(CASH) == paid and self.credit(WITHHOLDING) == kept
        moving = sum(amount for name, amount in self.sums.items() if name.split(":")[0] in ("reserve", "transit"))
        assert -moving == sent
        assert standing.payable_micro >= 0 and standing.payable_micro % MICRO == 0
        assert 0 <= standing.carry_micro < MICRO


ACTS = st.one_of(
    st.tuples(st.just("earn"), st.integers(-3 * MICRO, 9 * MICRO)),
    st.tuples(st.just("batch"), st.integers(0, 3)),
    st.tuples(st.sampled_from(get_args(Step)), st.integers(0, 9)),
)


@given(st.lists(ACTS, max_size=40), st.sampled_from([Share(0), Share(3, 10), Share(1, 3)]))
def test_paid_payable_carried_and_withheld_are_what_was_accrued_less_what_was_reversed(
    acts: list[tuple[str, int]], rate: Share
) -> None:
    books = Books()
    for name, number in acts:
        if name == "earn":
            books.earn(number)
        elif name == "batch":
            books.batch(rate, Policy(threshold_minor=number))
        else:
            books.step(number, name)  # type: ignore[arg-type]
        books.check()
    while any(state in LIVE for _, state in books.payouts.values()):
        for which in range(len(books.payouts)):
            books.step(which, "cancel")
            books.step(which, "return")
            books.step(which, "submit")
    books.check()
    assert books.standing.total_micro == books.entitled, "what comes back is gross: nothing stays withheld"


@given(MICROS, st.integers(0, MICRO - 1))
def test_a_release_keeps_payable_whole_and_carry_below_a_unit(moved: int, carry: int) -> None:
    whole, rest = released(moved, carry)
    assert whole % MICRO == 0 and whole + rest == moved and 0 <= carry + rest < MICRO
    assert sum(leg.amount_micro for leg in release_legs(CTR, "EUR", moved, carry)) == 0


@given(MICROS, st.integers(0, 5), st.integers(0, MICRO - 1), st.integers(0, 5 * MICRO), st.booleans())
def test_a_debt_is_filled_first_and_what_is_held_stays(
    accrued: int, payable: int, carry: int, held: int, open: bool
) -> None:
    standing = Standing(accrued, payable * MICRO, carry, held)
    moved = to_release(standing, open=open)
    if accrued < 0:
        assert moved == -min(-accrued, payable * MICRO + carry)
    else:
        assert 0 <= moved <= max(0, accrued - held) * open
    assert payable * MICRO + released(moved, carry)[0] >= 0


OWED = Standing(40 * MICRO, 10 * MICRO, 5)
HELD = Standing(40 * MICRO, 0, 0, held_micro=40 * MICRO, next_ms=77)
FORM = Policy(threshold_minor=20, hold_days=3, tax_form=True)
READY = Asked(tax_form=True, account=True)


@pytest.mark.parametrize(
    ("standing", "payee", "policy", "reason", "gross"),
    [
        (OWED, READY, FORM, "", 50),
        (OWED, Asked(tax_form=True, account=True, blocked=True), FORM, "blocked", 0),
        (OWED, Asked(account=True), FORM, "no_tax_form", 0),
        (OWED, Asked(account=True), Policy(threshold_minor=20), "", 50),
        (OWED, Asked(tax_form=True), FORM, "no_account", 0),
        (OWED, READY, Policy(threshold_minor=50), "", 50),
        (OWED, READY, Policy(threshold_minor=51), "below_threshold", 0),
        (HELD, READY, FORM, "held", 0),
        (Standing(40 * MICRO, 20 * MICRO, 0, held_micro=40 * MICRO), READY, FORM, "", 20),
        (Standing(-60 * MICRO, 50 * MICRO), READY, FORM, "negative", 0),
        (Standing(-20 * MICRO, 50 * MICRO), READY, FORM, "", 30),
        (Standing(MICRO - 1), READY, Policy(threshold_minor=0), "below_threshold", 0),
    ],
)
def test_who_is_paid_and_who_is_left_out(
    standing: Standing, payee: Asked, policy: Policy, reason: str, gross: int
) -> None:
    judged = judge(standing, payee, policy)
    assert (judged.reason, judged.gross_minor) == (reason, gross)
    assert judged.until_ms == (77 if reason == "held" else None)
    if reason in ("blocked", "no_tax_form"):
        assert judged.release_micro == 0


def test_by_hand_no_threshold_and_no_account_are_asked_for() -> None:
    assert judge(OWED, Asked(tax_form=True), Policy(threshold_minor=51, tax_form=True), by_hand=True).gross_minor == 50
    assert judge(OWED, Asked(), FORM, by_hand=True).reason == "no_tax_form"
    assert judge(HELD, READY, FORM, by_hand=True).reason == "held"


def test_many_payouts_are_one_leg_on_each_shared_account() -> None:
    parts = [Parts(encode_id("pay", bytes([n] * 16)), CTR, "EUR", 10, 3) for n in (1, 2)]
    legs = joined([leg for one in parts for leg in move(one, "submitted", "settled")])
    assert Counter(leg.account.split(":")[0] for leg in legs) == {CASH: 1, "transit": 2}
    assert sum(leg.amount_micro for leg in legs) == 0
