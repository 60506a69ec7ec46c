"""What events post, as pure rules: sums are zero, detours lead to the same balances, whole refunds leave nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import InputError
from fairframe.core.ids import new_id
from fairframe.core.money import Currency, Money
from fairframe.core.rational import Share
from fairframe.royalties import revenue_legs as post
from fairframe.royalties.deal_terms import BASES, DealTerms
from fairframe.royalties.ledger import CASH, MAX_MINOR, Leg
from fairframe.royalties.pools import Left, taken_micro
from fairframe.royalties.related import Room
from fairframe.royalties.revenue_legs import Amounts

EVENT, OTHER, THIRD = (new_id("rev") for _ in range(3))


def _terms(num: int, den: int, base: str) -> DealTerms:
    return DealTerms(Share(min(num, den), den), base)


terms = st.builds(_terms, st.integers(0, 50), st.integers(1, 50), st.sampled_from(BASES))
amounts = st.integers(1, MAX_MINOR).flatmap(lambda gross: st.tuples(st.just(gross), st.integers(0, gross)))


def of(deal: DealTerms, gross: int, tax: int) -> Amounts:
    return Amounts("USD", gross, tax, deal.pool_micro(gross, tax))


def balances(legs: Iterable[Leg], *, one_pool: bool = False) -> dict[str, int]:
    """By account; one_pool: all pools as one, as after their allocation to the same people."""
    sums = Counter[str]()
    for leg in legs:
        assert leg.amount_micro != 0
        sums["pool" if one_pool and leg.account.startswith("pool:") else leg.account] += leg.amount_micro
    return {account: amount for account, amount in sums.items() if amount}


def parts_of(total: int, cuts: Sequence[int]) -> list[int]:
    edges = [0, *sorted({cut % total for cut in cuts if cut % total}), total]
    return [after - before for before, after in pairwise(edges)]


@given(deal=terms, money=amounts, unpaid=st.integers(0, MAX_MINOR))
def test_every_transaction_sums_to_zero(deal: DealTerms, money: tuple[int, int], unpaid: int) -> None:
    a = of(deal, *money)
    for legs in (
        post.receipt(EVENT, a),
        post.invoice(EVENT, a, recognized=True),
        post.invoice(EVENT, a, recognized=False),
        post.payment(OTHER, EVENT, a, recognized=True),
        post.payment(OTHER, EVENT, a, recognized=False),
        post.taken(OTHER, a),
        post.taken(OTHER, a, invoice_id=EVENT, unpaid_minor=min(unpaid, a.gross_minor)),
        post.credit(EVENT, a),
    ):
        assert len(legs) >= 2
        assert sum(leg.amount_micro for leg in legs) == 0
        assert len({leg.account for leg in legs}) == len(legs)


@given(deal=terms, money=amounts)
def test_an_invoice_and_its_payment_end_where_a_direct_receipt_does(deal: DealTerms, money: tuple[int, int]) -> None:
    a = of(deal, *money)
    direct = balances(post.receipt(EVENT, a), one_pool=True)
    for recognized in (True, False):
        legs = post.invoice(EVENT, a, recognized=recognized) + post.payment(OTHER, EVENT, a, recognized=recognized)
        assert balances(legs, one_pool=True) == direct


@given(deal=terms, money=amounts, cuts=st.lists(st.integers(1, MAX_MINOR), max_size=4))
def test_refunds_of_all_parts_leave_nothing(deal: DealTerms, money: tuple[int, int], cuts: list[int]) -> None:
    """However it is cut, taxes sum to the tax, pools to the pool, and no account keeps anything."""
    gross, tax = money
    legs, left, pools = post.receipt(EVENT, of(deal, gross, tax)), Left(gross, tax), list[int]()
    for part in parts_of(gross, cuts):
        part_tax = left.tax_minor * part // left.gross_minor
        assert 0 <= part_tax <= part and part - part_tax <= left.gross_minor - left.tax_minor
        pools.append(taken_micro(deal, left, part, part_tax))
        legs += post.taken(OTHER, Amounts("USD", part, part_tax, pools[-1]))
        left = Left(left.gross_minor - part, left.tax_minor - part_tax)
    assert left == (0, 0)
    assert all(pool >= 0 for pool in pools) and sum(pools) == deal.pool_micro(gross, tax)
    assert balances(legs, one_pool=True) == {}


@given(deal=terms, money=amounts, paid=st.integers(0, MAX_MINOR))
def test_a_recognized_invoice_that_is_refunded_whole_gives_back_what_was_paid(
    deal: DealTerms, money: tuple[int, int], paid: int
) -> None:
    a, paid = of(deal, *money), paid % (money[0] + 1)
    legs = post.invoice(EVENT, a, recognized=True)
    if paid:
        legs += post.payment(OTHER, EVENT, Amounts("USD", paid, 0, 0), recognized=True)
    back = post.taken(THIRD, a, invoice_id=EVENT, unpaid_minor=a.gross_minor - paid)
    assert balances(legs + back, one_pool=True) == {}
    assert balances(back).get(CASH, 0) == -Amounts("USD", paid, 0, 0).gross_micro


@given(money=amounts, cuts=st.lists(st.integers(1, MAX_MINOR), max_size=3))
def test_an_invoice_that_is_lowered_and_paid_in_parts_is_settled(money: tuple[int, int], cuts: list[int]) -> None:
    deal = DealTerms(Share(1, 5))
    legs, left = post.invoice(EVENT, of(deal, *money), recognized=False), Left(*money)
    for number, part in enumerate(parts_of(money[0], cuts)):
        tax = left.tax_minor * part // left.gross_minor
        a = of(deal, part, tax)
        legs += post.credit(EVENT, a) if number % 2 else post.payment(OTHER, EVENT, a, recognized=False)
        left = Left(left.gross_minor - part, left.tax_minor - tax)
    held = balances(legs)
    assert left == (0, 0) and not [one for one in held if one.startswith(("receivable", "clearing"))]


@given(money=amounts, part=st.integers(1, MAX_MINOR), tax=st.integers(0, MAX_MINOR))
def test_a_tax_that_is_said_leaves_no_more_tax_than_money(money: tuple[int, int], part: int, tax: int) -> None:
    left, part = Left(*money), 1 + part % money[0]
    room, tax = Room(EVENT, left, left.gross_minor), tax % (part + 1)
    try:
        took = room.tax_for(Money(part, Currency("USD")), tax)
    except InputError:
        assert tax > left.tax_minor or part - tax > left.gross_minor - left.tax_minor
        return
    after = Left(left.gross_minor - part, left.tax_minor - took)
    assert took == tax and 0 <= after.tax_minor <= after.gross_minor
