"""Payouts on real databases: batches through their states, payees and their erasure, policies, withholding, files."""

import csv
import io
import threading
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from fairframe.core.errors import Conflict, InputError, IntegrityFailure, NotFound, Refused
from fairframe.core.money import MICRO
from fairframe.core.rational import Share
from fairframe.core.time import DAY_MS
from fairframe.platform.tables import audit_entry, disclosure
from fairframe.royalties import allocate, batches, corrections, ledger, payees, payout_files, payout_steps, payout_terms
from fairframe.royalties import payouts as by_hand
from fairframe.royalties.balance import balance
from fairframe.royalties.batches import Plan
from fairframe.royalties.earnings import earnings
from fairframe.royalties.payout_steps import Stepped
from fairframe.royalties.statements import draft
from fairframe.royalties.tables import payee_detail
from fairframe.royalties.trial import trial

OURS = "DE89370400440532013000"
IBANS = {"ann": "GB29NWBK60161331926819", "bob": "FR1420041010050500013M02606", "eve": "NO9386011117947"}
NAMES = ("ann", "bob", "cyd")


@pytest.fixture
def owed(world: Any) -> Any:
    """1,000.00 EUR to the contributors of three clips: ann 400.00, bob 350.00, cyd 250.00; a policy; ann and bob can
    be paid, with three tenths withheld in bob's country."""
    with world.ws.write() as tx:
        world.deal = world.agree(tx, currency="EUR")
        world.deliver(tx, world.deal, [("ann-0", 0, 4_000), ("bob-0", 0, 3_500), ("cyd-0", 0, 2_500)])
        earn(world, tx, "5000.00", "INV-1")
        rule = {"threshold_minor": 5_000, "hold_days": 0, "tax_form": True, "iban": OURS, "bic": "COBADEFF"}
        payout_terms.set_policy(tx, "EUR", **rule)
        payout_terms.set_rate(tx, "FR", Share(3, 10))
        payee(world, tx, "ann", country="GB")
        payee(world, tx, "bob", country="FR")
    allocate.allocate(world.ws)
    return world


def earn(world: Any, tx: Any, amount: str, reference: str) -> None:
    from fairframe.royalties import revenue

    revenue.book(tx, world.deal, world.money(amount, "EUR"), reference)


def payee(world: Any, tx: Any, name: str, **more: Any) -> None:
    given = {"holder": f"{name.title()} Smith-\u0141\u00f3d\u017a", "iban": IBANS[name], "tax_form": "W-8BEN"} | more
    payees.set_payee(tx, world.contributors[name], **given)


def prepared(world: Any, reference: str = "2026-Q2") -> Any:
    with world.ws.write() as tx:
        return batches.prepare(tx, batches.plan(tx, reference, "EUR"))


def left_out(planned: Plan) -> dict[str, str]:
    return {line.contributor["name"]: line.judged.reason for line in planned.left_out}


def paid(planned: Plan) -> dict[str, tuple[int, int]]:
    return {
        line.contributor["name"]: (line.parts.gross_minor, line.parts.withheld_minor)
        for line in planned.paid
        if line.parts is not None
    }


def plan(world: Any, reference: str = "2026-Q2") -> Plan:
    with world.ws.read() as tx:
        return batches.plan(tx, reference, "EUR")


def held(world: Any) -> dict[str, int]:
    """account -> minor units by the ledger's sign, without those that are empty; names for ids."""
    names = {row["public_id"]: name for name, row in world.contributors.items()}
    with world.ws.read() as tx:
        assert trial(tx).ok
        found = [one for one in ledger.balances(tx) if one.amount_micro and one.currency == "EUR"]
    sums: dict[str, int] = {}
    for one in found:
        head, _, public_id = one.account.partition(":")
        name = f"{head}:{names[public_id]}" if public_id in names else head
        sums[name] = sums.get(name, 0) + one.amount_micro // MICRO
    return {name: amount for name, amount in sums.items() if name != "library"}


def payout_of(world: Any, name: str) -> str:
    with world.ws.read() as tx:
        return [row["public_id"] for row in by_hand.payouts_of(tx, world.contributors[name]["id"])][-1]


def act(world: Any, step: Any, *arguments: Any) -> Stepped:
    with world.ws.write() as tx:
        return step(tx, *arguments)


def test_a_batch_goes_through_its_states_and_each_is_a_posting(owed: Any) -> None:
    planned = plan(owed)
    assert paid(planned) == {"ann": (40_000, 0), "bob": (35_000, 10_500)}
    assert left_out(planned) == {"cyd": "no_tax_form"}
    batch = prepared(owed)
    waiting = {"contributor:cyd": -25_000, "withholding": -10_500, "cash": 500_000}
    assert held(owed) == waiting | {"reserve": -64_500}
    assert act(owed, payout_steps.submit, batch).state == "submitted"
    assert held(owed) == waiting | {"transit": -64_500}
    assert act(owed, payout_steps.settle, batch, [payout_of(owed, "ann")]).new
    assert held(owed) == waiting | {"transit": -24_500, "cash": 460_000}
    assert [one.contributor for one in act(owed, payout_steps.settle, batch).payouts] == [
        owed.contributors["bob"]["public_id"]
    ]
    assert held(owed) == waiting | {"cash": 435_500}
    with owed.ws.read() as tx:
        found = {one.contributor: one for one in earnings(tx)}
        bob = found[owed.contributors["bob"]["public_id"]]
        assert (bob.earned_micro, bob.sent_minor, bob.paid_minor, bob.withheld_minor) == (
            35_000 * MICRO,
            0,
            24_500,
            10_500,
        )
        shown = {line.account.partition(":")[0]: line.amount_micro for line in balance(tx).accounts}
    assert shown["withholding"] == 10_500 * MICRO and "transit" not in shown and "reserve" not in shown


@pytest.mark.parametrize("settled", [False, True])
def test_a_returned_payout_is_payable_again_gross(owed: Any, settled: bool, clock: Any) -> None:
    batch = prepared(owed)
    act(owed, payout_steps.submit, batch)
    if settled:
        act(owed, payout_steps.settle, batch)
    before = held(owed)
    bob = payout_of(owed, "bob")
    done = act(owed, payout_steps.give_back, bob, "AC04")
    assert done.new and not act(owed, payout_steps.give_back, bob, "AC04").new
    now = held(owed)
    assert now["payable:bob"] == -35_000 and "withholding" not in now
    assert before["cash"] + (24_500 if settled else 0) == now["cash"]
    with owed.ws.read() as tx:
        body = draft(tx, owed.contributors["bob"])
    assert body["closing_micro"] == str(35_000 * MICRO) and body["payouts"]
    clock.advance(DAY_MS)
    assert paid(plan(owed, "2026-Q3")) == {"bob": (35_000, 10_500)}
    assert act(owed, payout_steps.settle, batch).new is not settled
    with pytest.raises(NotFound):
        act(owed, payout_steps.give_back, "pay_" + "0" * 26, "AC04")


def test_only_what_was_not_sent_is_canceled(owed: Any) -> None:
    batch, ann = prepared(owed), payout_of(owed, "ann")
    assert act(owed, payout_steps.cancel, batch, [ann]).new and not act(owed, payout_steps.cancel, batch, [ann]).new
    act(owed, payout_steps.submit, batch)
    with pytest.raises(Refused) as caught:
        act(owed, payout_steps.cancel, batch, [payout_of(owed, "bob")])
    assert caught.value.code == "payout.state" and "settle, return" in caught.value.remedy
    with pytest.raises(Refused):
        act(owed, payout_steps.settle, batch, [ann])
    with pytest.raises(Refused):
        act(owed, payout_steps.give_back, ann, "AC04")
    assert held(owed)["payable:ann"] == -40_000
    with pytest.raises(NotFound):
        act(owed, payout_steps.settle, batch, ["pay_x"])


def test_the_same_reference_is_one_batch(owed: Any, clock: Any) -> None:
    batch, before = prepared(owed), held(owed)
    clock.advance(DAY_MS)
    assert prepared(owed)["public_id"] == batch["public_id"] and held(owed) == before
    with owed.ws.read() as tx:
        for other in ({"execution_ms": clock.now + DAY_MS}, {"by_hand": True}, {"currency": "USD"}):
            asked = {"reference": "2026-Q2", "currency": "EUR"} | other
            with pytest.raises(Conflict) as caught:
                batches.plan(tx, **asked)
            assert caught.value.code == "payout.conflict"
        with pytest.raises(Conflict):
            by_hand.plan(tx, owed.contributors["cyd"], "2026-Q2", "EUR")
        with pytest.raises(InputError):
            batches.plan(tx, "old", "EUR", clock.now - 2 * DAY_MS)
    for step in (payout_steps.submit, payout_steps.settle):
        assert act(owed, step, batch).new and not act(owed, step, batch).new
    assert not act(owed, payout_steps.submit, batch).new, "a batch that was settled was submitted"


def test_what_changed_since_it_was_shown_is_not_prepared(owed: Any) -> None:
    shown = plan(owed)
    with owed.ws.write() as tx:
        payee(owed, tx, "ann", iban=IBANS["eve"])
    with owed.ws.write() as tx, pytest.raises(Conflict) as caught:
        batches.prepare(tx, shown)
    assert caught.value.code == "payout.changed"
    with owed.ws.write() as tx:
        batches.prepare(tx, batches.plan(tx, "2026-Q2", "EUR"))


def test_nothing_is_sent_to_whom_the_rules_leave_out_by_then(owed: Any) -> None:
    batch = prepared(owed)
    with owed.ws.write() as tx:
        payees.set_payee(tx, owed.contributors["ann"], blocked=True)
        corrections.correct(tx, owed.deal, "INV-1", "another customer's money")
    with pytest.raises(Refused) as caught:
        act(owed, payout_steps.submit, batch)
    assert caught.value.code == "payout.stale" and len(caught.value.reasons) == 2
    assert "is blocked and owes something" in " ".join(caught.value.reasons)
    assert act(owed, payout_steps.cancel, batch).new
    shown = plan(owed, "next")
    assert not shown.lines or not paid(shown), "what was payable fills what is owed"


def test_hold_threshold_and_debts(owed: Any, clock: Any) -> None:
    with owed.ws.write() as tx:
        payout_terms.set_policy(tx, "EUR", threshold_minor=38_000, hold_days=14, tax_form=False)
        payees.set_payee(tx, owed.contributors["cyd"], holder="Cyd", account="123-456 7")
    shown = plan(owed)
    assert left_out(shown) == dict.fromkeys(NAMES, "held")
    assert {line.judged.until_ms for line in shown.left_out} == {clock.now + 14 * DAY_MS}
    with owed.ws.write() as tx, pytest.raises(Refused) as caught:
        by_hand.pay(tx, owed.contributors["ann"], "P-1")
    assert caught.value.code == "payout.held" and "until 2026-06-11" in str(caught.value)
    clock.advance(14 * DAY_MS)
    assert left_out(plan(owed)) == {"bob": "below_threshold", "cyd": "below_threshold"}
    act(owed, payout_steps.submit, prepared(owed))
    assert held(owed)["payable:bob"] == -35_000 and "contributor:cyd" not in held(owed), "released, and not paid"
    with owed.ws.write() as tx:
        corrections.correct(tx, owed.deal, "INV-1", "another customer's money")
    assert left_out(plan(owed, "next")) == {"ann": "negative"}
    with owed.ws.write() as tx:
        earn(owed, tx, "5100.00", "INV-2")
    allocate.allocate(owed.ws)
    clock.advance(20 * DAY_MS)
    with owed.ws.write() as tx:
        done = by_hand.pay(tx, owed.contributors["ann"], "P-2")
    assert (done.amount.minor, done.carry_micro) == (800, 0), "408.00 fill the 400.00 first"


def test_carry_adds_up(owed: Any, clock: Any) -> None:
    """Entitlements with fractions of a cent: never more is payable than was earned."""
    for number in range(3):
        with owed.ws.write() as tx:
            earn(owed, tx, "0.07", f"TINY-{number}")
        allocate.allocate(owed.ws)
        clock.advance(DAY_MS)
        with owed.ws.write() as tx:
            payout_terms.set_policy(tx, "EUR", threshold_minor=0, hold_days=0, tax_form=True, iban=OURS)
            batches.prepare(tx, batches.plan(tx, f"B-{number}", "EUR")) if number != 1 else None
        with owed.ws.read() as tx:
            assert trial(tx).ok
            bob = owed.contributors["bob"]
            parts = [payout_steps.parts_of(row) for row in by_hand.payouts_of(tx, bob["id"])]
            (earned,) = earnings(tx, bob)
            left = by_hand.owed_micro(tx, bob, "EUR")
            assert earned.earned_micro == left + sum(one.gross_minor for one in parts) * MICRO
            assert earned.earned_micro == 35_000 * MICRO + (number + 1) * 490_000
    assert 0 <= -ledger_balance(owed, ledger.carry(bob["public_id"])) < MICRO


def ledger_balance(world: Any, account: str) -> int:
    with world.ws.read() as tx:
        return ledger.balance_of(tx, account, "EUR")


def test_a_payee_is_dated_masked_checked_and_erasable(owed: Any, clock: Any) -> None:
    ann = owed.contributors["ann"]
    with owed.ws.write() as tx:
        payee(owed, tx, "ann", iban=IBANS["eve"], valid_from_ms=clock.now + DAY_MS)
        payees.set_payee(tx, ann, tax_form="W-9", tax_form_until_ms=clock.now + 5)
    with owed.ws.read() as tx:
        now, then = payees.current(tx, ann), payees.current(tx, ann, clock.now + DAY_MS)
    assert now.detail is not None and then.detail is not None
    assert (now.detail.account, now.tax_form, then.detail.account) == (IBANS["ann"], "W-9", IBANS["eve"])
    assert now.asked(clock.now).tax_form and not now.asked(clock.now + 5).tax_form
    shown = str(now.masked())
    assert "GB***819" in shown and "Smith" not in shown and IBANS["ann"][4:12] not in shown
    assert "60161331" not in repr(now.masked())
    with owed.ws.read() as tx:
        tree = " ".join(tx.execute(sa.select(audit_entry.c.body)).scalars())
        opened = " ".join(tx.execute(sa.select(disclosure.c.value)).scalars())
    for secret in (*IBANS.values(), "Smith"):
        assert secret not in tree and secret not in opened
    assert act(owed, payees.erase, ann) == 2, "a word about something else copies no account"
    with owed.ws.read() as tx:
        gone = payees.current(tx, ann)
        assert gone.detail is None and gone.masked()["account"] == "erased"
        assert len(tx.rows(payee_detail.select())) == 1, "bob's stays"
    assert left_out(plan(owed))["ann"] == "no_account"


def test_an_account_that_was_changed_in_the_database_is_found(owed: Any) -> None:
    with owed.ws.engine.begin() as conn:
        conn.execute(sa.text("update payee_detail set account = :iban"), {"iban": IBANS["eve"]})
    with owed.ws.read() as tx, pytest.raises(IntegrityFailure) as caught:
        payees.current(tx, owed.contributors["ann"])
    assert caught.value.code == "payee.changed"
    with pytest.raises(IntegrityFailure):
        plan(owed)


def test_bank_details_are_kept_while_a_payout_needs_them(owed: Any) -> None:
    batch = prepared(owed)
    with pytest.raises(Refused) as caught:
        act(owed, payees.erase, owed.contributors["bob"])
    assert caught.value.code == "payee.open" and caught.value.where == payout_of(owed, "bob")
    act(owed, payout_steps.submit, batch)
    act(owed, payout_steps.settle, batch)
    assert act(owed, payees.erase, owed.contributors["bob"]) == 1
    with owed.ws.read() as tx, pytest.raises(Refused) as caught:
        payout_files.files(tx, batch)
    assert caught.value.code == "payee.erased"


@pytest.mark.parametrize(
    "given",
    [
        {"holder": "Ann"},
        {"iban": OURS},
        {"holder": "Ann", "iban": OURS, "account": "12345"},
        {"holder": "Ann", "iban": OURS[:-1] + "1"},
        {"holder": "Ann\n=1", "account": "\u202e12345"},
        {"holder": " ", "account": "12345"},
        {"holder": "A" * 141, "account": "12345"},
        {"holder": "Ann", "account": "=cmd|'/c calc'!A0"},
        {"holder": "Ann", "iban": OURS, "bic": "nonsense"},
        {"country": "XX"},
        {"tax_form": "=1+1"},
        {"tax_form_until_ms": 5},
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_no_payee(world: Any, given: dict[str, Any]) -> None:
    with world.ws.write() as tx:
        ann = world.person(tx, "ann")
    with world.ws.write() as tx, pytest.raises(InputError):
        payees.set_payee(tx, ann, **given)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_terms_are_dated_and_bounded(world: Any, clock: Any) -> None:
    with world.ws.write() as tx:
        payout_terms.set_rate(tx, "us", Share(3, 10))
        payout_terms.set_rate(tx, "US", Share(0), clock.now + DAY_MS)
        payout_terms.set_policy(tx, "JPY", threshold_minor=1, hold_days=2, tax_form=False)
        assert payout_terms.rates(tx)["US"].share == Share(3, 10)
        assert payout_terms.rates(tx, clock.now + DAY_MS)["US"].share == Share(0)
        assert payout_terms.terms(tx, "JPY").policy.hold_days == 2 and payout_terms.terms(tx, "JPY", 5).id is None
        for share in (Share(1), Share(5, 5)):
            with pytest.raises(InputError):
                payout_terms.set_rate(tx, "US", share)
        with pytest.raises(InputError):
            payout_terms.set_rate(tx, "ZZ", Share(0))
        for wrong in ({"threshold_minor": -1}, {"hold_days": 4_000}, {"iban": "DE00"}):
            with pytest.raises(InputError):
                payout_terms.set_policy(tx, "JPY", **({"threshold_minor": 1, "hold_days": 1, "tax_form": True} | wrong))
        with pytest.raises(Refused) as caught:
            batches.plan(tx, "B", "USD")
    assert caught.value.code == "payout.no_policy"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_who_prepare_at_once_make_one_batch(owed: Any) -> None:
    shown, made, wrong = plan(owed), list[str](), list[Exception]()

    def go() -> None:
        try:
            with owed.ws.write() as tx:
                made.append(batches.prepare(tx, shown)["public_id"])
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=go) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not wrong and len(set(made)) == 1 and len(made) == 4
    assert held(owed)["reserve"] == -64_500


NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_files_for_the_bank(owed: Any, clock: Any) -> None:
    import xmlschema
    from sepaxml import validation

    with owed.ws.write() as tx:
        holder = "+1 Cyd & \u0645\u0631\u064a\u0645"
        payees.set_payee(tx, owed.contributors["cyd"], holder=holder, account="US-12345", tax_form="W-9", country="US")
    batch = prepared(owed)
    with owed.ws.read() as tx:
        made = payout_files.files(tx, batch)
    act(owed, payout_steps.submit, batch)
    clock.advance(5 * DAY_MS)
    act(owed, payout_steps.settle, batch)
    with owed.ws.read() as tx:
        assert payout_files.files(tx, batch) == made, "written again they are the same bytes"
        assert payout_files.files(tx, batch, csv_only=True).pain is None
    assert made.pain is not None and made.left == 1 and "1 of 3" in made.why_not
    folder = validation.__file__.rpartition("/")[0]
    schema = xmlschema.XMLSchema(f"{folder}/schemas/pain.001.001.09.xsd")
    schema.validate(made.pain.decode())
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(made.pain.replace(b"TRF", b"TXX").decode())
    root = ElementTree.fromstring(made.pain)
    told = {name: [node.text for node in root.iterfind(f".//p:{name}", NS)] for name in ("NbOfTxs", "CtrlSum", "IBAN")}
    assert told["NbOfTxs"] == ["2", "2"] and told["CtrlSum"] == ["645.00"] * 2
    assert told["IBAN"][0] == OURS and set(told["IBAN"][1:]) == {IBANS["ann"], IBANS["bob"]}
    assert {node.text for node in root.iterfind(".//p:Cdtr/p:Nm", NS)} == {"Ann Smith-Lodz", "Bob Smith-Lodz"}
    ids = [str(node.text) for node in root.iterfind(".//p:EndToEndId", NS)]
    assert set(ids) == {payout_of(owed, name).replace("_", "-") for name in ("ann", "bob")}
    assert root.findtext(".//p:MsgId", "", NS) == batch["public_id"].replace("_", "-")
    assert root.findtext(".//p:CreDtTm", "", NS) == "2026-05-28T20:26:40.000Z"
    rows = sorted(csv.DictReader(io.StringIO(made.csv.decode())), key=lambda row: row["holder"].lstrip("'+1 "))
    assert [(row["amount"], row["gross"], row["withheld"]) for row in rows] == [
        ("400.00", "400.00", "0.00"), ("245.00", "350.00", "105.00"), ("250.00", "250.00", "0.00"),
    ]  # fmt: skip
    assert rows[2]["holder"].startswith("'+1 Cyd") and rows[2]["in_file"] == "csv"
    assert rows[0]["in_file"] == "pain.001.001.09" and rows[0]["execution_date"] == "2026-05-28"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_sepa_cannot_do_is_in_the_csv_and_said(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-0", 0, 1_000)])
        world.book(tx, deal, "100.00")
        payout_terms.set_policy(tx, "USD", threshold_minor=1, hold_days=0, tax_form=False)
        payee(world, tx, "ann")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        batch = batches.prepare(tx, batches.plan(tx, "B", "USD"))
        made = payout_files.files(tx, batch)
        hand = by_hand.pay
    assert made.pain is None and "SEPA carries euros" in made.why_not and b"20.00" in made.csv
    with world.ws.write() as tx:
        world.book(tx, deal, "100.00", "INV-2")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        done = hand(tx, world.contributors["ann"], "P-1")
        assert done.net.minor == 2_000
        with pytest.raises(Refused):
            payout_files.files(tx, batches.find(tx, "P-1"))
        with pytest.raises(NotFound):
            batches.find(tx, "nowhere\x00")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sepa_without_an_account_of_ours_is_refused_before_anything_is_sent(owed: Any) -> None:
    with owed.ws.write() as tx:
        payout_terms.set_policy(tx, "EUR", threshold_minor=1, hold_days=0, tax_form=True)
    batch = prepared(owed)
    with owed.ws.read() as tx, pytest.raises(Refused) as caught:
        payout_files.files(tx, batch)
    assert caught.value.code == "payout.no_account" and "--csv-only" in caught.value.remedy


def test_sepa_text() -> None:
    assert payout_files.sepa_text("  //Zo\u00eb & S\u00f8n_1 \u674e", 70) == "Zoe Son 1 Li"
    assert payout_files.sepa_text("@@@", 70) == "NOTPROVIDED" and len(payout_files.sepa_text("x" * 200, 140)) == 140


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_payout_from_before_there_were_batches_can_be_returned(owed: Any) -> None:
    """It has no batch and no states: it was settled at once, out of what was accrued."""
    from fairframe.royalties.ledger import CASH, Leg
    from fairframe.royalties.tables import payout

    ann = owed.contributors["ann"]
    public_id = "pay_" + "0" * 26
    with owed.ws.write() as tx:
        values = {"contributor_id": ann["id"], "currency": "EUR", "amount_minor": 300, "reference": "OLD-1"}
        tx.insert(payout, public_id=public_id, **values)
        legs = [Leg(ledger.accrued(ann["public_id"]), "EUR", 300 * MICRO), Leg(CASH, "EUR", -300 * MICRO)]
        ledger.post(tx, "payout", public_id, legs)
    with owed.ws.read() as tx:
        again = by_hand.plan(tx, ann, "OLD-1")
        assert (again.new, again.amount.minor) == (False, 300)
        assert [one["payout"] for one in draft(tx, ann)["payouts"]] == [public_id]
        with pytest.raises(Conflict):
            by_hand.plan(tx, owed.contributors["bob"], "OLD-1")
    assert act(owed, payout_steps.give_back, public_id, "AC04").new
    assert held(owed)["payable:ann"] == -300 and held(owed)["cash"] == 500_000
    with owed.ws.read() as tx:
        assert draft(tx, ann)["closing_micro"] == str(40_000 * MICRO)
        assert replace(again, new=True).net.minor == 300
