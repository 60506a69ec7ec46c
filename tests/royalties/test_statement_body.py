"""The body of a statement, version 2: that it is recomputed, and that a change of any field of it is found."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from fairframe.core import merkle_sum
from fairframe.core.apportion import hamilton, tie_key
from fairframe.core.canonical import canonical, parse
from fairframe.core.errors import IntegrityFailure
from fairframe.core.money import MICRO
from fairframe.royalties import allocate, corrections, ledger, payouts, revenue, statements
from fairframe.royalties.denominators import Denominators
from fairframe.royalties.statement_csv import to_csv
from fairframe.royalties.tables import allocation
from fairframe.verify.statement import check_body

DAY_MS = 86_400_000
SPANS = [(f"{who}-{n}", 0, 997 * (n + 1) + at * 101) for at, who in enumerate(("ann", "bob", "cyd")) for n in range(3)]

TOLD = {
    ("contributor", "name"),
    ("library", "name"),
    ("allocations", "transaction"),
    ("allocations", "booked_at"),
    ("allocations", "allocation"),
    ("allocations", "unit"),
    ("allocations", "agreement", "id"),
    ("allocations", "agreement", "version"),
    ("allocations", "agreement", "offer"),
    ("allocations", "agreement", "purpose"),
    ("allocations", "agreement", "licensee", "id"),
    ("allocations", "agreement", "licensee", "name"),
    ("allocations", "agreement", "recognized"),
    ("allocations", "revenue", "event"),
    ("allocations", "revenue", "effective_at"),
    ("allocations", "revenue", "kind"),
    ("allocations", "assets", "asset"),
    ("allocations", "assets", "filename"),
    ("allocations", "assets", "title"),
    ("payouts", "payout"),
    ("payouts", "reference"),
    ("payouts", "steps", "transaction"),
    ("payouts", "steps", "booked_at"),
    ("adjustments", "transaction"),
    ("adjustments", "booked_at"),
    ("adjustments", "memo"),
    ("period", "from"),
    ("period", "to"),
}
"""What a statement says that no other field of it depends on: names, ids, days. A signed agreement, the ledger or the
envelope's signature speaks for these."""


@pytest.fixture
def earned(world: Any, clock: Any) -> Any:
    """Two fees under a deal and its upgrade, a payout, and a fee that is taken back. Returns the world."""
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, SPANS)
        world.book(tx, deal, "100.01", "INV-1")
    allocate.allocate(world.ws)
    clock.advance(DAY_MS)
    with world.ws.write() as tx:
        payouts.pay(tx, world.contributors["ann"], "PAY-1")
    clock.advance(DAY_MS)
    with world.ws.write() as tx:
        upgrade = world.agree(tx, upgrade_of=deal, share="1/3", purpose="commercial")
        world.deliver(tx, upgrade, [("ann-9", 0, 12_345)])
        revenue.book(tx, upgrade, world.usd("777.77"), "INV-2", 77)
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        world.book(tx, deal, "3.33", "INV-1 again")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        corrections.correct(tx, deal, "INV-1 again", "Booked twice")
    return world


def draft(world: Any, name: str = "ann", **period: Any) -> dict[str, Any]:
    with world.ws.read() as tx:
        return statements.draft(tx, world.contributors[name], **period)


def wrong(world: Any, body: dict[str, Any], name: str = "ann") -> list[str]:
    found = check_body(body, world.contributors[name]["public_id"], world.ws.party_id)
    return [finding.text for finding in found if finding.ok is False]


def test_every_contributors_body_is_recomputed_and_their_parts_are_the_pool(earned: Any) -> None:
    bodies = {name: draft(earned, name) for name in ("ann", "bob", "cyd")}
    for name, body in bodies.items():
        assert wrong(earned, body, name) == []
        assert parse(canonical(body)) == body
    for at in (0, 1):
        ones = [body["allocations"][at] for body in bodies.values()]
        assert sum(int(one["own"]["amount_micro"]) for one in ones) == int(ones[0]["pool_micro"])
        assert sum(int(one["own"]["weight"]) for one in ones) == int(ones[0]["weight_total"])
        assert len({one["weights_root"] for one in ones}) == 1
    ann = bodies["ann"]
    assert ann["adjusted_micro"] == "-" + ann["allocations"][2]["own"]["amount_micro"] and len(ann["payouts"]) == 1
    with earned.ws.read() as tx:
        assert int(ann["closing_micro"]) == payouts.owed_micro(tx, earned.contributors["ann"], "USD")


def test_nobody_elses_weight_is_shown(earned: Any) -> None:
    """Beside the own weight there are sums of others only: of three, one sibling alone and one sum of two."""
    others = {str(one["own"]["weight"]) for who in ("bob", "cyd") for one in draft(earned, who)["allocations"]}
    names = {one["own"]["pseudonym"] for who in ("bob", "cyd") for one in draft(earned, who)["allocations"]}
    text = canonical(draft(earned)).decode()
    assert not any(name in text for name in names)
    shown = {step[1] for one in draft(earned)["allocations"] for step in one["own"]["proof"]}
    assert len(shown & others) <= 2, "a tree of three shows the one beside"
    told = {one["own"][key] for who in ("bob", "cyd") for one in draft(earned, who)["allocations"]
            for key in ("remainder", "tie_key")}  # fmt: skip
    lines = [one["cutoff"] for one in draft(earned)["allocations"] if one["cutoff"]]
    assert {one["tie_key"] is None for one in lines} == {True, False}, "one is cut between equal remainders"
    for one in lines:
        assert (one["tie_key"] or one["remainder"]) not in told


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))
    else:
        yield path


def changed(value: Any, path: tuple[Any, ...]) -> Any:
    """Another value of the same form, so that it is not the form alone that gives it away."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value is None:
        return {"set": "scs_" + "0" * 26, "file_sha256": "0" * 64} if path[-1] == "scores" else "1"
    if value.removeprefix("-").isdigit():
        return str(int(value) + 1)
    swap = {"left": "right", "right": "left", "1/5": "1/4", "1/3": "1/4", "USD": "JPY", "settled": "submitted"}
    swap |= {"delivered_ms": "usage", "net_receipts": "gross_receipts", "received": "invoiced"}
    if value in swap:
        return swap[value]
    last = value[-1:] or "0"
    return value[:-1] + ("0" if last != "0" else "1")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_change_of_any_field_is_found(earned: Any) -> None:
    body = draft(earned)
    missed: list[tuple[Any, ...]] = []
    count = 0
    for path in leaves(body):
        if tuple(step for step in path if isinstance(step, str)) in TOLD:
            continue
        again = deepcopy(body)
        inner: Any = again
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = changed(inner[path[-1]], path)
        count += 1
        if not wrong(earned, again):
            missed.append(path)
    # a proof of n steps fits several numbers of contributors, and the cut-off decides of one micro unit only;
    # of the first allocation no tax was taken: whether it is of net or gross receipts is the agreement's to say
    free = {*(("allocations", at, "agreement", "base") for at in (0, 2)), ("currency",)}
    free |= {("allocations", at, name) for at in range(3) for name in ("contributors", "extra_units")}
    free |= {("allocations", at, "cutoff", name) for at in range(3) for name in ("remainder", "tie_key")}
    missed = [path for path in missed if path not in free]
    assert [path for path in missed if path[-3::2] != ("assets", "pseudonym")] == [], "a clip's decides in a tie only"
    assert count >= 100


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_field_that_lacks_or_is_new_and_a_line_that_is_gone_are_found(earned: Any) -> None:
    body = draft(earned)
    for path in leaves(body):
        for depth in range(1, len(path) + 1):
            again = deepcopy(body)
            inner: Any = again
            for step in path[: depth - 1]:
                inner = inner[step]
            if isinstance(inner, dict):
                inner.pop(path[depth - 1])
                assert wrong(earned, again), f"{path[:depth]} was not missed"
                inner["surprise"] = "1"
                assert wrong(earned, again)
    for path in (("allocations",), ("payouts",), ("adjustments",), ("allocations", 0, "assets")):
        again = deepcopy(body)
        inner = again
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = inner[path[-1]][1:]
        assert wrong(earned, again), path


def test_a_doubled_denominator_is_found_by_the_proof(earned: Any, clock: Any) -> None:
    """weight_total doubled, and every amount made to fit it: only the proof tells."""
    body = deepcopy(draft(earned))
    del body["allocations"][2], body["adjustments"][0]
    body |= {
        "adjusted_micro": "0",
        "earned_micro": str(sum(int(one["own"]["amount_micro"]) for one in body["allocations"])),
    }
    before = after = 0
    for one in body["allocations"]:
        total, salt, own = 2 * int(one["weight_total"]), bytes.fromhex(one["salt"]), one["own"]
        floor, remainder = divmod(int(one["pool_micro"]) * int(own["weight"]), total)
        before, after = before + int(own["amount_micro"]), after + floor
        one |= {"weight_total": str(total), "cutoff": None, "extra_units": "0"}
        own |= {"floor_micro": str(floor), "remainder": str(remainder), "extra": False, "amount_micro": str(floor)}
        keys = [tie_key(salt, clip["pseudonym"]) for clip in one["assets"]]
        parts = hamilton(floor, [int(clip["weight"]) for clip in one["assets"]], keys)
        for clip, part in zip(one["assets"], parts, strict=True):
            clip["amount_micro"] = str(part)
    body["earned_micro"] = str(after)
    for name in ("closing_micro", "accrued_micro"):
        body[name] = str(int(body[name]) - before + after)
    assert [text.partition(": ")[2] for text in wrong(earned, body)] == [
        "the proof does not lead from the own weight to weights_root and weight_total"
    ] * 2


def test_a_lineage_of_weights_that_were_changed_is_refused(earned: Any) -> None:
    """The recorded root is that of the lines: lines that differ are not made into a statement."""
    with earned.ws.read() as tx:
        row = tx.row(allocation.select().order_by(allocation.c.id).limit(1))
        assert row is not None
        one = dict(row)
        one["detail"] = row["detail"] | {"weights_root": merkle_sum.SumTree([("psn_x", 1)]).root.hex()}
        with pytest.raises(IntegrityFailure, match="not those that it was made with"):
            Denominators().of(tx, one)


def test_denominators_are_built_once(earned: Any) -> None:
    shared = Denominators()
    with earned.ws.read() as tx:
        rows = tx.rows(allocation.select().order_by(allocation.c.id))
        assert [shared.of(tx, row) for row in rows] == [shared.of(tx, row) for row in rows]
        assert shared.of(tx, rows[0]) is shared.of(tx, rows[0])


def test_a_licensee_that_is_not_to_be_named_is_not(earned: Any) -> None:
    body = draft(earned)
    assert body["allocations"][0]["agreement"]["licensee"]["id"] == earned.lab
    with earned.ws.write() as tx:
        deal = earned.agree(tx, terms={"licensee_named": False})
        earned.deliver(tx, deal, SPANS)
        earned.book(tx, deal, "5.00", "INV-3")
    allocate.allocate(earned.ws)
    body = draft(earned)
    last = body["allocations"][-1]
    assert last["agreement"]["licensee"] is None and wrong(earned, body) == []
    assert earned.lab not in canonical(last).decode()
    assert [line for line in to_csv(body).splitlines() if last["agreement"]["id"] in line]


def test_bodies_join(earned: Any, clock: Any) -> None:
    middle = clock.now - DAY_MS + 1
    before, after = draft(earned, to_ms=middle), draft(earned, from_ms=middle)
    assert after["opening_micro"] == before["closing_micro"]
    assert before["payouts"] and not after["payouts"]
    assert draft(earned)["closing_micro"] == after["closing_micro"]
    assert wrong(earned, before) == wrong(earned, after) == []


def test_the_position_is_split_by_account(earned: Any) -> None:
    """A release moves what is accrued to payable and carry, and changes no sum."""
    ann, before = earned.contributors["ann"], draft(earned)
    accrued = int(before["accrued_micro"])
    whole, rest = divmod(accrued + int(before["carry_micro"]), MICRO)
    gained = rest - int(before["carry_micro"])
    with earned.ws.write() as tx:
        amounts = {ledger.accrued: accrued, ledger.payable: -whole * MICRO, ledger.carry: -gained}
        legs = [ledger.Leg(of(ann["public_id"]), "USD", amount) for of, amount in amounts.items() if amount]
        ledger.post(tx, "release", ann["public_id"], legs)
    after = draft(earned)
    assert wrong(earned, after) == []
    assert (after["accrued_micro"], after["payable_minor"], after["carry_micro"]) == ("0", str(whole), str(rest))
    same = ("opening_micro", "earned_micro", "adjusted_micro", "withheld_micro", "paid_micro", "closing_micro")
    assert [after[name] for name in same] == [before[name] for name in same]
