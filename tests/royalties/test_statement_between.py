"""What the parts of statements say of each other: a library that cheats on one number makes another one untrue."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from fairframe.core import merkle_sum
from fairframe.core.finding import Finding
from fairframe.core.party import Party
from fairframe.platform import bundles
from fairframe.platform.workspace import create_workspace
from fairframe.royalties import allocate, closing, payouts, revenue, statements
from fairframe.royalties.about import About
from fairframe.royalties.corrections import correct
from fairframe.verify.kind import Report
from fairframe.verify.main import main
from fairframe.verify.registry import verify
from fairframe.verify.statement import check_body
from fairframe.verify.told import Told
from fairframe.verify.trust import Trust

from .conftest import DAY_MS, World

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Body = dict[str, Any]
SPANS = [("ada-1", 0, 3000), ("bob-1", 0, 5000), ("cid-1", 0, 7001)]


@pytest.fixture
def deal(world: World) -> str:
    """A fee of 10,000, of which 1,000 are refunded."""
    with world.ws.write() as tx:
        made = world.agree(tx)
        world.deliver(tx, made, SPANS)
        world.book(tx, made, "10000.00", "R1")
    allocate.allocate(world.ws)
    refund(world, made, "1000.00", "RF1")
    return made


def refund(world: World, deal: str, amount: str, reference: str) -> None:
    with world.ws.write() as tx:
        revenue.book(tx, deal, world.usd(amount), reference, about=About("refund", of="R1"))
    allocate.allocate(world.ws)


def body(world: World, **period: Any) -> Body:
    with world.ws.read() as tx:
        found = statements.draft(tx, world.contributors["ada"], **period)
    return json.loads(json.dumps(found))


def findings(told: Body, *others: Body) -> list[Finding]:
    beside = [Told.of(one, None) for one in others]
    return check_body(told, told["contributor"]["id"], told["library"]["id"], None, beside)


def wrong(told: Body, *others: Body) -> str:
    return "\n".join(one.text for one in findings(told, *others) if one.ok is False)


def summed(told: Body) -> Body:
    """All sums made to fit, as a library would that cheats."""
    told["earned_micro"] = str(sum(int(one["own"]["amount_micro"]) for one in told["allocations"]))
    told["adjusted_micro"] = str(sum(int(one["amount_micro"]) for one in told["adjustments"]))
    paid = sum(int(step["paid_minor"]) for one in told["payouts"] for step in one["steps"]) * 10**6
    told["paid_micro"] = str(paid)
    amounts = {name: int(told[f"{name}_micro"]) for name in ("opening", "earned", "adjusted", "withheld", "carry")}
    closing_micro = amounts["opening"] + amounts["earned"] + amounts["adjusted"] - amounts["withheld"] - paid
    told["closing_micro"] = str(closing_micro)
    told["accrued_micro"] = str(closing_micro - int(told["payable_minor"]) * 10**6 - amounts["carry"])
    return told


def repooled(one: Body, pool: int) -> None:
    """An allocation of another pool, everything in it made to fit, and nothing rounded up."""
    own = one["own"]
    floor, rest = divmod(abs(pool) * int(own["weight"]), int(one["weight_total"]))
    one |= {"pool_micro": str(pool), "cutoff": None, "extra_units": "0"}
    amount = str(-floor if pool < 0 else floor)
    own |= {"floor_micro": str(floor), "remainder": str(rest), "extra": False, "amount_micro": amount}
    one["assets"][0]["amount_micro"] = amount


def twice(told: Body) -> None:
    told["allocations"].append(deepcopy(told["allocations"][1]))


def refund_twice_under_new_ids(told: Body) -> None:
    again = deepcopy(told["allocations"][1])
    again |= {"allocation": "alc_" + "0" * 26, "transaction": "txn_" + "0" * 26}
    told["allocations"].append(again)


def refund_beyond_the_event(told: Body) -> None:
    one = told["allocations"][1]
    one["revenue"] |= {"gross_minor": "10000000", "net_minor": "10000000"}
    one["revenue"]["of"]["left_gross_minor"] = "1000000000"
    repooled(one, -(10_000_000 * 10**6 // 5))


def refund_by_other_weights(told: Body) -> None:
    one = told["allocations"][1]
    own = one["own"]
    tree = merkle_sum.SumTree([(own["pseudonym"], 14_000), ("psn_" + "1" * 26, 1001)])
    own |= {"weight": "14000", "proof": merkle_sum.proof_json(tree.proof(own["pseudonym"]))}
    one |= {"weight_total": str(tree.total), "weights_root": tree.root.hex(), "contributors": 2}
    one["assets"][0]["weight"] = "14000"
    repooled(one, int(one["pool_micro"]))


def refund_by_anothers_weights(told: Body) -> None:
    told["allocations"][1]["weights_of"] = "alc_" + "0" * 26


def refund_on_another_clip(told: Body) -> None:
    told["allocations"][1]["assets"][0]["asset"] = "ast_" + "0" * 26


def adjustment(told: Body, **changes: Any) -> None:
    one, own = told["allocations"][0], told["allocations"][0]["own"]
    made = {"transaction": "txn_" + "0" * 26, "kind": "correction", "event": one["revenue"]["event"], "memo": ""}
    of = {"allocation": one["allocation"], "booked_at": one["booked_at"], "amount_micro": f"-{own['amount_micro']}"}
    told["adjustments"].append(made | of | changes)


def payout(told: Body) -> Body:
    booked = told["allocations"][0]["booked_at"]
    step = {"state": "reserved", "transaction": "txn_" + "0" * 26, "booked_at": booked, "paid_minor": "100"}
    found = {"payout": "pay_" + "0" * 26, "reference": "X", "gross_minor": "100", "withheld_minor": "0"}
    return found | {"steps": [step | {"withheld_minor": "0"}]}


def paid_twice(told: Body) -> None:
    told["payouts"] = [payout(told), payout(told)]


def two_payouts_by_one_posting(told: Body) -> None:
    told["payouts"] = [payout(told), payout(told) | {"payout": "pay_" + "1" * 26}]


def given_back_twice(told: Body) -> None:
    one, taken = payout(told), {"reserved": "100", "returned": "-100", "canceled": "-100"}
    steps = [one["steps"][0] | {"state": state, "paid_minor": minor} for state, minor in taken.items()]
    for at, step in enumerate(steps):
        step["transaction"] = f"txn_{at}" + "0" * 25
    told["payouts"] = [one | {"steps": steps}]


def fee_by_lineage(told: Body) -> None:
    model = {"checkpoint": "ckp_" + "0" * 26, "name": "m", "whole": "0", "runs": [], "not_paid": []}
    told["allocations"][0] |= {"model": model, "method": "lineage"}


def output_without_a_model(told: Body) -> None:
    told["allocations"][0]["revenue"] |= {"kind": "output", "quantity": "5"}


def opening(told: Body) -> None:
    told["opening_micro"] = "-500000000000"


def before_the_epoch(told: Body) -> None:
    told["period"]["from"] = "1969-12-31T23:59:59.999Z"
    opening(told)


def steps_back_in_time(told: Body) -> None:
    one = payout(told)
    later = {"state": "settled", "transaction": "txn_" + "1" * 26, "booked_at": told["period"]["from"]}
    told["payouts"] = [one | {"steps": [one["steps"][0], one["steps"][0] | later | {"paid_minor": "0"}]}]


def more_tax_than_gross(told: Body) -> None:
    told["allocations"][0]["revenue"]["tax_minor"] = "9" * 20


def net_beyond_what_was_left(told: Body) -> None:
    told["allocations"][1]["revenue"]["of"]["left_tax_minor"] = "950000"
    told["allocations"][1]["revenue"]["net_minor"] = "0"


def a_transaction_that_is_none(told: Body) -> None:
    told["allocations"][0]["transaction"] = "a correction"


def carry(told: Body) -> None:
    told["carry_micro"] = "40000000000"


def of_2099(told: Body) -> None:
    told["allocations"][0]["revenue"]["effective_at"] = "2099-01-01T00:00:00.000Z"


def no_time(told: Body) -> None:
    told["period"]["to"] = told["period"]["from"]


def another_pseudonym_of_a_clip(told: Body) -> None:
    told["allocations"][1]["assets"][0]["pseudonym"] = "psn_" + "0" * 26


def refund_of_a_refund(told: Body) -> None:
    source, again = told["allocations"][1], deepcopy(told["allocations"][1])
    again |= {"allocation": "alc_" + "2" * 26, "transaction": "txn_" + "2" * 26, "weights_of": source["allocation"]}
    left = {f"left_{name}_minor": source["revenue"][f"{name}_minor"] for name in ("gross", "tax")}
    again["revenue"] |= {"event": "rev_" + "2" * 26, "of": {"event": source["revenue"]["event"], **left}}
    told["allocations"].append(again)


def refund_of_nothing(told: Body) -> None:
    del told["allocations"][0]
    told["period"]["to"] = "2099-01-01T00:00:00.000Z"


def correction_of_nothing(told: Body) -> None:
    adjustment(told, event="rev_" + "3" * 26, allocation="alc_" + "3" * 26)


def another_share_under_the_same_agreement(told: Body) -> None:
    again = deepcopy(told["allocations"][0])
    again |= {"allocation": "alc_" + "4" * 26, "transaction": "txn_" + "4" * 26}
    again["revenue"]["event"] = "rev_" + "4" * 26
    again["agreement"]["share"] = "1/10"
    repooled(again, 1_000_000 * 10**6 // 10)
    told["allocations"].append(again)


def all_of_it_withheld(told: Body) -> None:
    one: Body = payout(told) | {"withheld_minor": "100"}
    one["steps"][0] |= {"paid_minor": "0", "withheld_minor": "100"}
    told |= {"payouts": [one], "withheld_micro": "100000000"}


def refund_of_the_tax_too(told: Body) -> None:
    """2,000 of the 10,000 were tax, so the pool was of 8,000: a refund without tax takes 10,000 of it back."""
    given, one = told["allocations"]
    given["revenue"] |= {"tax_minor": "200000", "net_minor": "800000"}
    repooled(given, 800_000 * 10**6 // 5)
    one["revenue"] |= {"gross_minor": "1000000", "net_minor": "1000000"}
    repooled(one, -(1_000_000 * 10**6 // 5))


CHEATS: list[tuple[Callable[[Body], None], str]] = [
    (twice, "stands twice"),
    (refund_twice_under_new_ids, "the event rev_"),
    (refund_beyond_the_event, "than it was"),
    (refund_by_other_weights, "weights root, weight, proof, clips is not that of"),
    (refund_by_anothers_weights, "but by the weights of another one's allocation"),
    (refund_on_another_clip, "its clips is not that of"),
    (lambda told: adjustment(told, kind="fee", event=None, allocation=None), "which 'fee' does not name"),
    (lambda told: adjustment(told, kind="fee"), "which 'fee' does not name"),
    (lambda told: adjustment(told, amount_micro="-1000000000"), "it is not the opposite of what"),
    (lambda told: adjustment(told, allocation="alc_" + "0" * 26), "do not belong together"),
    (lambda told: adjustment(told) or adjustment(told, transaction="txn_" + "1" * 26), "the correction of rev_"),
    (paid_twice, "the payout pay_"),
    (two_payouts_by_one_posting, "the transaction txn_"),
    (given_back_twice, "given back, more than once"),
    (fee_by_lineage, "revenue of the kind flat is not of a model"),
    (output_without_a_model, "revenue of the kind output is of a model"),
    (opening, "so the opening balance is zero"),
    (before_the_epoch, "so the opening balance is zero"),
    (steps_back_in_time, "is dated before the one that it follows"),
    (more_tax_than_gross, "Tax is more than gross receipts"),
    (net_beyond_what_was_left, "takes more than was left"),
    (a_transaction_that_is_none, "transaction"),
    (lambda told: adjustment(told, booked_at=told["period"]["from"]), "dated before what it takes back"),
    (carry, "is not below a minor unit"),
    (of_2099, "before its revenue came in"),
    (no_time, "ends before it begins"),
    (another_pseudonym_of_a_clip, "has another pseudonym under"),
    (refund_of_a_refund, "which only a correction takes back"),
    (refund_of_nothing, "which never brought anything"),
    (correction_of_nothing, "which never brought anything"),
    (adjustment, "which was taken back whole, and was not taken back before that"),
    (another_share_under_the_same_agreement, "says something else elsewhere"),
    (all_of_it_withheld, "or more, is withheld"),
    (refund_of_the_tax_too, "than it was"),
]


@pytest.mark.parametrize("at", range(len(CHEATS)))
def test_a_cheat_with_all_sums_made_to_fit_is_found(world: World, deal: str, at: int) -> None:
    told, (cheat, words) = body(world), CHEATS[at]
    assert wrong(told) == ""
    cheat(told)
    assert words in wrong(summed(told))


def test_what_is_taken_back_leaves_room_for_the_next_refund(world: World, deal: str) -> None:
    refund(world, deal, "2000.00", "RF2")
    with world.ws.write() as tx:
        correct(tx, deal, "RF2", "A mistake")
        correct(tx, deal, "RF1", "A mistake, too")
    refund(world, deal, "10000.00", "RF3")
    told = body(world)
    assert wrong(told) == "" and told["closing_micro"] == "0"
    said = [one.text for one in findings(told) if one.ok]
    assert sum("to the unit" in text for text in said) == 2
    assert sum("are those of alc_" in text for text in said) == 3
    last = told["allocations"][-1]["revenue"]
    last["of"]["left_gross_minor"] = "1000001"
    assert "than it was" in wrong(told)
    last["of"]["left_gross_minor"] = "1000000"
    del told["adjustments"][1]
    assert "none of which is taken back" in wrong(summed(told))


def test_a_refund_in_the_room_of_one_that_is_taken_back_in_a_later_period(world: World, clock: Any) -> None:
    """The mistake is found before its period is closed: the right refund is dated into it, the correction is not."""
    with world.ws.write() as tx:
        made = world.agree(tx)
        world.deliver(tx, made, SPANS)
        world.book(tx, made, "10000.00", "R1")
    refund(world, made, "6000.00", "RF1")
    then = clock.now
    end = then + 1
    clock.advance(5 * DAY_MS)
    with world.ws.write() as tx:
        correct(tx, made, "RF1", "It was 5,000")
        revenue.book(tx, made, world.usd("5000.00"), "RF2", effective_ms=then, about=About("refund", of="R1"))
    allocate.allocate(world.ws)
    ada = world.contributors["ada"]
    with world.ws.write() as tx:
        closing.close(tx, end)
        one = statements.statement(tx, ada, 0, end)
    clock.advance(DAY_MS)
    with world.ws.write() as tx:
        closing.close(tx, clock.now)
        two = statements.statement(tx, ada, end)
    told = [Told.of(it.body, it.bundle.issued_at_ms) for it in (one, two)]
    parties = one.bundle.recipient, one.bundle.sender
    alone = check_body(one.body, *parties, None, (), told[0].issued_ms)
    assert not [it.text for it in alone if it.ok is False]
    assert "that one of them was taken back stands in no statement here" in "".join(it.text for it in alone)
    both = check_body(two.body, *parties, None, told[:1], told[1].issued_ms)
    assert not [it.text for it in both if it.ok is False] and "stands in no" not in "".join(it.text for it in both)
    silent = summed(json.loads(json.dumps(two.body)) | {"adjustments": []})
    found = check_body(silent, *parties, None, told[:1], told[1].issued_ms)
    assert "none of which is taken back" in "".join(it.text for it in found if it.ok is False)


class Two:
    """The statements of two periods that join: a fee and a payout in the first, its refund in the second."""

    def __init__(self, world: World, clock: Any) -> None:
        self.world = world
        with world.ws.write() as tx:
            deal = world.agree(tx)
            world.deliver(tx, deal, SPANS)
            world.book(tx, deal, "10000.00", "R1")
        allocate.allocate(world.ws)
        with world.ws.write() as tx:
            payouts.pay(tx, world.contributors["ada"], "PAY-1")
        self.middle = clock.now + 1
        with world.ws.write() as tx:
            closing.close(tx, self.middle)
        clock.advance(1000)
        refund(world, deal, "1000.00", "RF1")
        with world.ws.write() as tx:
            closing.close(tx, tx.now_ms + 1)
        with world.ws.write() as tx:
            ada = world.contributors["ada"]
            self.one = statements.statement(tx, ada, 0, self.middle)
            self.two = statements.statement(tx, ada, self.middle)

    def check(self, path: Any, *others: bytes) -> Report:
        trust = Trust.of([Party.from_envelope((self.world.ws.root / "party.json").read_bytes())])
        return verify(path, trust, self.world.ws.clock(), statements=others)


@pytest.fixture
def two(world: World, clock: Any) -> Two:
    return Two(world, clock)


def text(report: Report, ok: bool | None) -> str:
    return "\n".join(one.text for one in report.findings if one.ok is ok)


def test_statements_that_join_are_seen_to(two: Two, tmp_path: Any) -> None:
    path = tmp_path / "two.json"
    path.write_bytes(two.two.envelope)
    alone, both = two.check(path), two.check(path, two.one.envelope)
    assert alone.holds and "compare them" in text(alone, None)
    assert both.holds and "compare them" not in text(both, None)
    assert "the opening balance is the closing one of the statement before" in text(both, True)
    assert "from which it takes" in text(both, True) and "holds by itself" in text(both, True)


def test_a_gap_is_unseen_and_another_balance_or_refund_fails(two: Two, tmp_path: Any) -> None:
    first, second = (json.loads(json.dumps(one.body)) for one in (two.one, two.two))
    assert wrong(second, first) == ""
    other = summed(deepcopy(second) | {"opening_micro": "5"})
    assert wrong(other) == "" and "the next opens with 5" in wrong(other, first)
    more = deepcopy(second)
    one = more["allocations"][0]
    one["revenue"] |= {"gross_minor": "2000000", "net_minor": "2000000"}
    one["revenue"]["of"]["left_gross_minor"] = "2000000"
    repooled(one, -(2_000_000 * 10**6 // 5))
    assert wrong(summed(more)) == "" and "than it was" in wrong(more, first)
    again = deepcopy(second)
    net = first["payouts"][0]["steps"][0]["paid_minor"]
    step = payout(second)["steps"][0] | {"state": "settled", "paid_minor": net, "booked_at": one["booked_at"]}
    again["payouts"] = [first["payouts"][0] | {"steps": [step]}]
    again = summed(again)
    assert wrong(again) == "" and "more than once" in wrong(again, first)
    late = deepcopy(second)
    late["period"]["from"] = "2099-01-01T00:00:00.000Z"
    late["period"]["to"] = "2099-01-02T00:00:00.000Z"
    late = summed(late | {"allocations": [], "payouts": []})
    assert "leave out" in "\n".join(one.text for one in findings(late, first) if one.ok is None)
    whole = body(two.world)
    assert wrong(whole, first, second) == ""
    whole["allocations"][0]["transaction"] = "txn_" + "0" * 26
    assert "says something else in another statement" in wrong(whole, first)


def test_statements_that_overlap_tell_the_same_of_their_time(two: Two) -> None:
    first, second = (json.loads(json.dumps(one.body)) for one in (two.one, two.two))
    whole = body(two.world)
    assert wrong(whole, first, second) == "" and wrong(first, first) == ""
    less = summed(deepcopy(first) | {"allocations": []})
    assert wrong(less) == "" and "is left out in another of that time" in wrong(less, first)
    assert "is left out in another of that time" in wrong(less, whole) and "left out" in wrong(whole, less)
    other = summed(deepcopy(second) | {"opening_micro": "5"})
    # one that stands between them in time does not hide that they do not join
    assert "the next opens with 5" in wrong(other, whole, first)
    inner = body(two.world, from_ms=two.middle - 1)
    moved = summed(deepcopy(inner) | {"opening_micro": "7"})
    assert wrong(inner, whole) == "" and "stands at" in wrong(moved, whole)


def test_one_of_time_that_is_not_over_or_of_another_library_fails(two: Two, clock: Any, tmp_path: Any) -> None:
    path, to = tmp_path / "late.json", two.one.bundle.recipient
    late = deepcopy(two.two.body)
    late["period"]["to"] = "9999-01-01T00:00:00.000Z"
    with two.world.ws.write() as tx:
        sealed = bundles.issue(tx, "statement", to, late)
    path.write_bytes(sealed)
    assert "more may be booked in it" in text(two.check(path), False)
    path.write_bytes(two.two.envelope)
    assert "statement 1: its period ends after it was issued" in text(two.check(path, sealed), False)
    other = create_workspace(tmp_path / "other", "library", "Other Stock", clock)
    with other.write() as tx:
        forged = bundles.issue(tx, "statement", to, two.one.body)
    trust = Trust.of([Party.from_envelope((ws.root / "party.json").read_bytes()) for ws in (two.world.ws, other)])
    report = verify(path, trust, clock(), statements=[forged])
    assert "statement 1 is of another library" in text(report, False)


def hostile() -> list[Any]:
    """Values of the wrong type, size or spelling."""
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    numbers = [None, True, -1, 2**70, 1.5, float("nan"), "-0", "9" * 40, "9" * 5000, "\u0663", "1e5", "0/1", "1/3"]
    return [*numbers, "", "x" * 10_000, "\ud800", "\x00", [], [[]], {}, {"a": 1}, deep, "0001-01-01T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z", "lineage", "refund", "invoice", "1/2 delivered_ms + 1/2 scores"]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [path, *(one for key, held in inner for one in places(held, (*path, key)))]


def test_no_value_in_a_body_makes_the_check_raise(world: World, deal: str) -> None:
    told = body(world)
    adjustment(told, transaction="txn_" + "1" * 26)
    back = told["allocations"][1]
    of = {"event": back["revenue"]["event"], "allocation": back["allocation"]}
    adjustment(told, transaction="txn_" + "2" * 26, amount_micro=back["own"]["amount_micro"].removeprefix("-"), **of)
    told["payouts"] = [payout(told)]
    assert wrong(summed(told)) == ""
    to, sender = told["contributor"]["id"], told["library"]["id"]
    for *path, last in filter(None, places(told)):
        for value in hostile():
            again = deepcopy(told)
            at = again
            for key in path:
                at = at[key]
            at[last] = value
            assert check_body(again, to, sender), (path, last, value)


def test_the_command_takes_other_statements(two: Two, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / name for name in ("one.json", "two.json", "lie.json", "other.json")]
    with two.world.ws.write() as tx:
        lie = deepcopy(two.one.body) | {"closing_micro": "1"}
        lying = bundles.issue(tx, "statement", two.one.bundle.recipient, lie)
        other = statements.statement(tx, two.world.contributors["bob"]).envelope
    for path, data in zip(files, (two.one.envelope, two.two.envelope, lying, other), strict=True):
        path.write_bytes(data)
    trust = ["--trust", str(two.world.ws.root / "party.json")]
    assert main([str(files[1]), *trust, "--statement", str(files[0])]) == 0
    assert "closing one of the statement before" in capsys.readouterr().out
    assert main([str(files[1]), *trust, "--statement", str(files[2])]) == 1
    assert "statement 1: closing_micro says 1" in capsys.readouterr().out
    assert main([str(files[1]), *trust, "--statement", str(files[3])]) == 1
    assert "the contributor is not the one whom the bundle names" in capsys.readouterr().out
    party = str(two.world.ws.root / "party.json")
    assert main([party, *trust, "--statement", str(files[0])]) == 2
    assert "--statement goes with a statement" in capsys.readouterr().err
