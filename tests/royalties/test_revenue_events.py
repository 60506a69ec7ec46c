"""Invoices, payments, refunds, chargebacks, revenue of models: what they change, how far they go, what once means."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.core.errors import Conflict, FairframeError, InputError, NotFound, Refused
from fairframe.core.ids import new_id
from fairframe.core.money import MICRO
from fairframe.core.time import DAY_MS
from fairframe.royalties import allocate, corrections, events, ledger, pools, receipts, revenue
from fairframe.royalties.about import About
from fairframe.royalties.trial import trial
from fairframe.training.tables import checkpoint

INVOICE = About("invoice")


def held(world: Any) -> dict[str, int]:
    """What is on the accounts, pools of all events as one."""
    with world.ws.read() as tx:
        assert trial(tx).ok
        sums: dict[str, int] = {}
        for one in ledger.balances(tx):
            head = one.account.split(":")[0] if one.account.startswith(("pool", "receivable")) else one.account
            sums[head] = sums.get(head, 0) + one.amount_micro
    return {account: amount for account, amount in sums.items() if amount}


def refund(of: str) -> About:
    return About("refund", of=of)


def states(world: Any) -> dict[str, str]:
    with world.ws.read() as tx:
        return {one.reference: one.state for one in receipts.listing(tx)[0]}


@pytest.mark.parametrize("recognized", ["received", "invoiced"])
def test_an_invoice_counts_when_its_terms_say(world: Any, recognized: str) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, terms={"recognized": recognized})
        world.deliver(tx, deal, [("ann-1", 0, 1_000)])
        asked = revenue.book(tx, deal, world.usd("120.00"), "INV-1", 2_000, about=INVOICE)
    early = {"tax": -2_000, "library": -8_000, "pool": -2_000}
    owed = {"receivable": 12_000, **(early if recognized == "invoiced" else {"clearing": -12_000})}
    assert held(world) == {account: amount * MICRO for account, amount in owed.items()}
    assert asked.pool_micro == (2_000 * MICRO if recognized == "invoiced" else 0)
    assert len(allocate.allocate(world.ws)) == (1 if recognized == "invoiced" else 0), "only what counts is open"
    with world.ws.write() as tx:
        revenue.book(tx, deal, world.usd("90.00"), "BANK-1", about=About("milestone", of="INV-1"))
        last = revenue.book(tx, deal, world.usd("30.00"), "BANK-2", about=About(of="INV-1"))
        assert last.tax.minor == (0 if recognized == "invoiced" else 500)
        with pytest.raises(Refused) as caught:
            revenue.book(tx, deal, world.usd("0.01"), "BANK-3", about=About(of="INV-1"))
        assert caught.value.code == "revenue.left"
        again = revenue.book(tx, deal, world.usd("30.00"), "BANK-2", about=About(of="INV-1"))
        assert (again.new, again.id, again.pool_micro) == (False, last.id, last.pool_micro)
    assert len(allocate.allocate(world.ws)) == (0 if recognized == "invoiced" else 2)
    ann = ledger.accrued(world.contributors["ann"]["public_id"])
    paid = {"cash": 12_000, "tax": -2_000, "library": -8_000, ann: -2_000}
    assert held(world) == {account: amount * MICRO for account, amount in paid.items()}
    assert states(world)["INV-1"] == ("allocated" if recognized == "invoiced" else "received")


@pytest.mark.parametrize(("base", "pool"), [("net_receipts", 2_000), ("gross_receipts", 2_400)])
def test_the_share_is_of_the_base(world: Any, base: str, pool: int) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, terms={"base": base})
        booked = revenue.book(tx, deal, world.usd("120.00"), "INV-1", 2_000)
        back = revenue.book(tx, deal, world.usd("120.00"), "CR-1", about=refund("INV-1"))
        assert (booked.pool_micro, back.pool_micro) == (pool * MICRO, -pool * MICRO)
    assert held(world) == {}


def test_a_whole_refund_leaves_nothing_and_contributors_give_back_by_their_weights(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, share="1/3")
        world.deliver(tx, deal, [("ann-1", 0, 1_000), ("bob-1", 0, 3_000), ("eve-1", 0, 7)])
        revenue.book(tx, deal, world.usd("100.01"), "INV-1", 333)
        for number, amount in enumerate(("33.33", "0.01", "50.00")):
            revenue.book(tx, deal, world.usd(amount), f"CR-{number}", about=refund("INV-1"))
    assert len(allocate.allocate(world.ws)) == 4
    with world.ws.write() as tx:
        rest = revenue.book(tx, deal, world.usd("16.67"), "CB-1", about=About("chargeback", of="INV-1"))
        assert rest.pool_micro < 0
    assert len(allocate.allocate(world.ws)) == 1
    left = held(world)
    assert all(account.startswith("contributor:") for account in left)
    assert sum(left.values()) == 0 and max(map(abs, left.values()), default=0) <= 4, "a unit each by rounding"
    assert states(world)["INV-1"] == "refunded" and states(world)["CB-1"] == "allocated"


def test_one_whole_refund_takes_back_to_the_unit(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, share="1/3")
        world.deliver(tx, deal, [("ann-1", 0, 1_000), ("bob-1", 0, 3_000), ("eve-1", 0, 7)])
        revenue.book(tx, deal, world.usd("100.01"), "INV-1", 333)
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        revenue.book(tx, deal, world.usd("100.01"), "CR-1", about=refund("INV-1"))
        with pytest.raises(Refused):
            revenue.book(tx, deal, world.usd("0.01"), "CR-2", about=refund("INV-1"))
        assert not revenue.book(tx, deal, world.usd("100.01"), "CR-1", about=refund("INV-1")).new
        with pytest.raises(Conflict):
            revenue.book(tx, deal, world.usd("100.00"), "CR-1", about=refund("INV-1"))
    assert len(allocate.allocate(world.ws)) == 1
    assert held(world) == {}


def test_a_recognized_invoice_is_lowered_before_money_goes_back(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, terms={"recognized": "invoiced"})
        revenue.book(tx, deal, world.usd("100.00"), "INV-1", about=INVOICE)
        revenue.book(tx, deal, world.usd("60.00"), "BANK-1", about=About(of="INV-1"))
        with pytest.raises(InputError, match="take it from the invoice"):
            revenue.book(tx, deal, world.usd("1.00"), "CR-0", about=refund("BANK-1"))
        with pytest.raises(Refused):
            revenue.book(tx, deal, world.usd("60.01"), "CB-0", about=About("chargeback", of="INV-1"))
        revenue.book(tx, deal, world.usd("50.00"), "CR-1", about=refund("INV-1"))
    left = held(world)
    assert (left["cash"], left["library"], left["pool"]) == (5_000 * MICRO, -4_000 * MICRO, -1_000 * MICRO)
    assert "receivable" not in left
    with world.ws.write() as tx:
        with pytest.raises(Refused) as caught:
            corrections.correct(tx, deal, "BANK-1", "it never came")
        assert caught.value.code == "revenue.rests"
        revenue.book(tx, deal, world.usd("50.00"), "CB-1", about=About("chargeback", of="INV-1"))
    assert held(world) == {}


def test_an_invoice_that_waits_is_lowered_without_a_pool(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        revenue.book(tx, deal, world.usd("100.00"), "INV-1", 1_000, about=INVOICE)
        assert revenue.book(tx, deal, world.usd("40.00"), "CR-1", about=refund("INV-1")).pool_micro == 0
        with pytest.raises(InputError):
            revenue.book(tx, deal, world.usd("1.00"), "CB-1", about=About("chargeback", of="INV-1"))
        paid = revenue.book(tx, deal, world.usd("60.00"), "BANK-1", about=About(of="INV-1"))
        assert paid.tax.minor == 600
        revenue.book(tx, deal, world.usd("60.00"), "CR-2", about=refund("BANK-1"))
    assert held(world) == {}


def test_what_rests_on_an_event_is_taken_back_first(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-1", 0, 1_000)])
        revenue.book(tx, deal, world.usd("100.00"), "INV-1", about=INVOICE)
        revenue.book(tx, deal, world.usd("100.00"), "BANK-1", about=About(of="INV-1"))
        for number in (1, 2):
            revenue.book(tx, deal, world.usd("30.00"), f"CR-{number}", about=refund("BANK-1"))
    allocate.allocate(world.ws)
    for reference in ("INV-1", "BANK-1", "CR-1"):
        with world.ws.write() as tx, pytest.raises(Refused):
            corrections.correct(tx, deal, reference, "a mistake")
    for reference in ("CR-2", "CR-1", "BANK-1", "INV-1"):
        with world.ws.write() as tx:
            assert corrections.correct(tx, deal, reference, "a mistake").new
            assert not corrections.correct(tx, deal, reference, "a mistake").new
            with pytest.raises((Refused, InputError)):
                revenue.book(tx, deal, world.usd("1.00"), "CR-9", about=refund(reference))
    assert held(world) == {}
    assert set(states(world).values()) == {"taken back"}


def test_a_refund_that_was_taken_back_leaves_room_again(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, share="1/7")
        first = revenue.book(tx, deal, world.usd("0.10"), "INV-1")
        revenue.book(tx, deal, world.usd("0.10"), "CR-1", about=refund("INV-1"))
        corrections.correct(tx, deal, "CR-1", "the wrong customer")
        back = revenue.book(tx, deal, world.usd("0.10"), "CR-2", about=refund("INV-1"))
        assert back.pool_micro == -first.pool_micro
        rows = {one["reference"]: one for one in tx.rows(events.select())}
        assert pools.left_of(tx, rows["INV-1"]) == (0, 0)
        for reference in ("CR-1", "CR-2"):
            assert pools.left_of(tx, rows["INV-1"], rows[reference]) == (10, 0), "as it was before each"
    assert held(world) == {}


def test_what_does_not_fit_is_named(world: Any) -> None:
    with world.ws.write() as tx:
        deal, other = world.agree(tx), world.agree(tx)
        world.book(tx, deal, "100.00")
        revenue.book(tx, deal, world.usd("5.00"), "CR-1", about=refund("INV-1"))
    early = 3 * DAY_MS
    cases: list[tuple[type[FairframeError], str, dict[str, Any]]] = [
        (InputError, "revenue.kind", {"about": About("gift")}),
        (InputError, "revenue.quantity", {"about": About("per_clip")}),
        (InputError, "revenue.quantity", {"about": About("flat", quantity=3)}),
        (InputError, "revenue.quantity", {"about": About("per_clip", quantity=0)}),
        (InputError, "revenue.of", {"about": About("refund")}),
        (InputError, "revenue.of", {"about": About("invoice", of="INV-1")}),
        (InputError, "revenue.of", {"about": About("flat", of="INV-1")}),
        (InputError, "revenue.of", {"about": refund("CR-1")}),
        (NotFound, "revenue.missing", {"about": refund("INV-7")}),
        (InputError, "revenue.model", {"about": About("subscription")}),
        (NotFound, "revenue.model", {"about": About("subscription", model=new_id("ckp"))}),
        (InputError, "revenue.kind", {"about": About("flat", model=new_id("ckp"))}),
        (Refused, "revenue.left", {"gross": world.usd("95.01"), "about": refund("INV-1")}),
        (InputError, "revenue.tax", {"tax_minor": 1, "about": refund("INV-1")}),
        (InputError, "revenue.currency", {"gross": world.money("1.00", "EUR"), "about": refund("INV-1")}),
        (NotFound, "revenue.missing", {"agreement_id": other, "about": refund("INV-1")}),
    ]
    for error, code, changed in cases:
        said: dict[str, Any] = {"agreement_id": deal, "gross": world.usd("1.00"), "reference": "X-1", **changed}
        with world.ws.write() as tx, pytest.raises(error) as caught:
            revenue.book(tx, **said)
        assert caught.value.code == code, changed
    with world.ws.write() as tx, pytest.raises(InputError) as caught:
        revenue.book(tx, deal, world.usd("1.00"), "X-1", None, tx.now_ms - early, refund("INV-1"))
    assert caught.value.code == "revenue.time"
    assert held(world)["cash"] == 9_500 * MICRO


def test_quantities_are_kept_and_part_of_the_content(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        about = About("per_hour", quantity=45_000_000)
        assert revenue.book(tx, deal, world.usd("900.00"), "INV-1", about=about).new
        assert not revenue.book(tx, deal, world.usd("900.00"), "INV-1", about=about).new
        for changed in (About("per_hour", quantity=45_000_001), About("per_clip", quantity=45_000_000), About()):
            with pytest.raises(Conflict):
                revenue.book(tx, deal, world.usd("900.00"), "INV-1", about=changed)
        assert [one.quantity for one in receipts.listing(tx, deal)[0]] == [45_000_000]


@pytest.fixture
def model(world: Any) -> Any:
    with world.ws.write() as tx:
        world.deal = world.agree(tx, purpose="commercial")
        world.research = world.agree(tx)
        ids = [new_id("ckp") for _ in range(3)]
        for public_id, weights, family in zip(ids, "aab", (world.deal, world.deal, world.research), strict=True):
            tx.insert(
                checkpoint, public_id=public_id, direction="reported", party=world.lab, name="harbor",
                weights_hash=weights * 64, lineage="", family=family, agreement=family, delivery="", folder=None,
                frames_seen=1,
            )  # fmt: skip
    world.models = ids
    return world


def test_revenue_of_a_model_is_about_it_and_under_its_commercial_agreement(model: Any) -> None:
    first, later, other = model.models
    about = About("output", quantity=2_510, model=first)
    with model.ws.write() as tx:
        model.book(tx, model.deal, "10.00", "M-1")
        done = revenue.book(tx, model.deal, model.usd("75.30"), "M-1", about=about)
        assert done.new and (done.subject, done.agreement) == (first, model.deal)
        corrected = About("output", quantity=2_510, model=later)
        again = revenue.book(tx, model.deal, model.usd("75.30"), "M-1", about=corrected)
        assert (again.new, again.id) == (False, done.id), "a corrected report is of the same model"
        for deal, named in ((model.deal, other), (model.research, other)):
            with pytest.raises(InputError):
                revenue.book(tx, deal, model.usd("1.00"), "M-2", about=About("subscription", model=named))
        with pytest.raises(InputError) as caught:
            revenue.book(tx, model.deal, model.usd("1.00"), "CR-1", about=refund("M-1"))
        assert caught.value.code == "revenue.ambiguous"
        back = revenue.book(tx, model.deal, model.usd("75.30"), "CR-1", about=About("refund", model=first, of="M-1"))
        assert (back.subject, back.pool_micro) == (first, -done.pool_micro)
        corrections.correct(tx, model.deal, "CR-1", "a mistake", first)
        listed = {one.reference: one.model for one in receipts.listing(tx, model.deal)[0] if one.model}
    assert listed == {"M-1": first, "CR-1": first}


def test_earlier_rows_are_flat_fees_under_their_subject(world: Any) -> None:
    """Rows from before the columns have none of them, and are found, refunded and taken back like any other."""
    from fairframe.royalties.ledger import Leg
    from fairframe.royalties.tables import revenue_event

    with world.ws.write() as tx:
        deal, event, pool = world.agree(tx), new_id("rev"), 2_000 * MICRO
        tx.insert(
            revenue_event, public_id=event, subject_kind="agreement", subject=deal, reference="OLD-1", currency="USD",
            gross_minor=10_000, tax_minor=0, net_minor=10_000, effective_ms=tx.now_ms,
        )  # fmt: skip
        legs = [Leg("cash", "USD", 5 * pool), Leg("library", "USD", -4 * pool), Leg(ledger.pool(event), "USD", -pool)]
        ledger.post(tx, "revenue", event, legs)
        known = revenue.book(tx, deal, world.usd("100.00"), "OLD-1")
        assert (known.new, known.id, known.kind, known.pool_micro) == (False, event, "flat", pool)
        revenue.book(tx, deal, world.usd("100.00"), "CR-1", about=refund("OLD-1"))
    assert held(world) == {}
    with world.ws.write() as tx:
        corrections.correct(tx, deal, "CR-1", "a mistake")
        corrections.correct(tx, deal, "OLD-1", "a mistake")
    assert held(world) == {}


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["receipt", "invoice", "payment", "refund", "chargeback", "correct", "allocate"]),
        st.integers(0, 3), st.integers(0, 3), st.integers(1, 500), st.integers(0, 100),
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=ACTS,
    recognized=st.sampled_from(["received", "invoiced"]),
    base=st.sampled_from(["net_receipts", "gross_receipts"]),
)
def test_whatever_is_booked_in_whatever_order_the_books_hold(world: Any, acts: Any, recognized: str, base: str) -> None:
    """Zero sums; no account of an invoice below zero; nothing taken beyond its gross; everything can be taken back."""
    with world.ws.write() as tx:
        deal = world.agree(tx, share="2/7", terms={"recognized": recognized, "base": base})
        world.deliver(tx, deal, [("ann-1", 0, 1_000), ("bob-1", 0, 301)])
    for number, (act, target, to, minor, tax) in enumerate(acts):
        if act == "allocate":
            allocate.allocate(world.ws)
            continue
        about = {
            "receipt": About(), "invoice": INVOICE, "payment": About(of=f"R-{to}"), "refund": refund(f"R-{to}"),
            "chargeback": About("chargeback", of=f"R-{to}"),
        }  # fmt: skip
        try:
            with world.ws.write() as tx:
                if act == "correct":
                    corrections.correct(tx, deal, f"R-{target}", "a mistake")
                else:
                    reference = f"R-{target}" if act in ("receipt", "invoice") else f"T-{number}"
                    said = min(tax, minor) if act in ("receipt", "invoice") else None
                    revenue.book(tx, deal, world.money(f"{minor // 100}.{minor % 100:02}", "USD"), reference, said,
                                 about=about[act])  # fmt: skip
        except (Conflict, NotFound, Refused, InputError):
            continue
    with world.ws.read() as tx:
        assert trial(tx).ok
        assert all(one.amount_micro >= 0 for one in ledger.balances(tx) if one.account.startswith("receivable"))
        for one in receipts.listing(tx, deal)[0]:
            assert 0 <= one.refunded_minor <= max(one.gross_minor, 0) and one.open_minor >= 0
    with world.ws.write() as tx:
        for one in receipts.listing(tx, deal)[0]:
            corrections.correct(tx, deal, one.reference, "all of it")
        assert {one.state for one in receipts.listing(tx, deal)[0]} <= {"taken back"}
        left = [one for one in ledger.balances(tx) if one.amount_micro]
        assert not left, "what is taken back, the newest first, leaves nothing"
