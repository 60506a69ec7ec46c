"""What an opt-out would do, asked before: the act's own computation, which changes nothing."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.errors import Refused
from fairframe.core.money import MICRO, parse_money
from fairframe.dataset.tables import item, obligation
from fairframe.flows import opt_out
from fairframe.flows.impact import items_of
from fairframe.library import contributors
from fairframe.platform import audit
from fairframe.platform.database import metadata
from fairframe.platform.workspace import Workspace
from fairframe.royalties import allocate, parts, revenue
from fairframe.royalties.methods.delivered_ms import UNIT, reference
from fairframe.royalties.methods.values import Delivered, Facts
from fairframe.royalties.parts import Part, part_of
from fairframe.royalties.revenue import find_agreement

from ..cli.conftest import Fairframe, fairframe  # noqa: F401  (fixture)
from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)
from .test_deletion import offered, under
from .test_opt_out import asked, report

ANA, BEN, _ = PEOPLE


def everything(ws: Workspace) -> Any:
    """The audit tree's head and every row of every table."""
    with ws.read() as tx:
        return audit.head(tx.conn), {
            name: sorted(str(dict(row)) for row in tx.rows(table.select())) for name, table in metadata.tables.items()
        }


@pytest.mark.usefixtures("at_lab")
def test_it_tells_drafts_pools_and_money_and_changes_nothing(loop: Loop) -> None:  # noqa: F811
    loop.build("draft")
    mine, others = loop.items_of(ANA), loop.items_of(BEN)
    report(loop, {mine[0]: 30, others[0]: 10})
    with loop.library.write() as tx:
        revenue.book(tx, loop.agreement, parse_money("10000.00", "USD"), "INV-1")
    allocate.allocate(loop.library)
    with loop.library.write() as tx:
        revenue.book(tx, loop.agreement, parse_money("500.00", "USD"), "INV-2")
    before = everything(loop.library)
    found = asked(loop, ANA)
    assert everything(loop.library) == before
    assert [(one.name, one.delivered) for one in found.releases] == [("squares", True), ("draft", False)]
    (pool,) = found.pools
    assert (pool.agreement, pool.state, pool.release) == (loop.agreement, "active", "squares")
    assert (pool.next_ms, pool.next_of_ms) == (found.releases[0].duration_ms, 2 * found.releases[0].duration_ms)
    share = {"frames used in training": (30, 40), "ms delivered": (1, 2)}[pool.unit]
    assert pool.weight * share[1] == pool.of_all * share[0]
    (money,) = found.money
    assert money.pending_micro == money.earned_micro > 0 == money.paid_minor
    allocate.allocate(loop.library)
    later = asked(loop, ANA)
    gained = later.money[0].earned_micro - money.earned_micro
    assert abs(gained - pool.waiting_micro) <= 1 and gained > 0, "the estimate is what the allocation then gives"
    assert later.pools[0].waiting_micro == 0
    assert gained < 500 * 100 * MICRO


@pytest.mark.usefixtures("at_lab")
def test_the_estimate_keeps_its_word_after_the_no(loop: Loop) -> None:  # noqa: F811
    """What was delivered keeps its part: a receipt after the opt-out still pays by it."""
    report(loop, {loop.items_of(ANA)[0]: 30, loop.items_of(BEN)[0]: 10})
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
        revenue.book(tx, loop.agreement, parse_money("10000.00", "USD"), "INV-1")
    waiting = asked(loop, ANA).pools[0].waiting_micro
    allocate.allocate(loop.library)
    assert abs(asked(loop, ANA).money[0].earned_micro - waiting) <= 1


def test_a_draft_from_before_the_no_is_refused_after_it(loop: Loop) -> None:  # noqa: F811
    loop.agree()
    loop.build("draft")
    assert [(one.name, one.delivered) for one in asked(loop, ANA).releases] == [("draft", False)]
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    with pytest.raises(Refused) as error:
        loop.deliver("draft")
    assert error.value.code == "delivery.changed" and len(error.value.reasons) == 2
    loop.build("anew")
    assert not set(loop.items_of(ANA)) & {one["item"] for one in lines(loop, "anew")}
    loop.deliver("anew", "clean")
    with loop.library.read() as tx:
        assert tx.rows(obligation.select()) == []


def lines(loop: Loop, name: str) -> list[dict[str, str]]:  # noqa: F811
    from fairframe.dataset.tables import dataset_release, item

    with loop.library.read() as tx:
        joined = item.join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        rows = tx.rows(item.select().select_from(joined).where(dataset_release.c.name == name))
        return [{"item": row["public_id"]} for row in rows]


def dump(root: Path) -> str:
    with sqlite3.connect(f"file:{root / 'fairframe.db'}?mode=ro", uri=True) as db:
        return "\n".join(db.iterdump())


@pytest.mark.usefixtures("at_lab")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_commands_show_one_computation(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    root = loop.library.root
    before = dump(root)
    what_if = fairframe("-w", root, "rights", "what-if", "opt-out", ANA, "--json")
    assert what_if.code == 0, what_if.err
    for order in (("rights", "opt-out", ANA, "--dry-run"), ("dataset", "impact", ANA)):
        same = fairframe("-w", root, *order, "--json").data
        assert same | {"deliveries": 0} == what_if.data | {"deliveries": 0}, "due is counted from the look"
    assert "nothing was changed" in what_if.err and what_if.data["items"] == 4
    narrow = ("-w", root, "rights", "what-if", "consent", ANA, "--deny", "research", "--asset", "ana-1.mp4")
    assert [(one["name"], one["items"]) for one in fairframe(*narrow, "--json").data] == [("squares", 2)]
    shown = fairframe("-w", root, "rights", "what-if", "opt-out", ANA).out
    assert "to be deleted by" in shown and "their part of its pools" in shown
    assert fairframe("-w", root, "rights", "what-if", "opt-out", "Nobody").code == 1
    assert dump(root) == before
    done = fairframe("-w", root, "rights", "opt-out", ANA, "--yes", "--json").data
    assert sum(one["items"] for one in done["revoked"]) == what_if.data["items"]


@pytest.mark.usefixtures("at_lab")
def test_a_pools_sum_counts_a_span_once_and_is_sampled_when_it_is_large(
    loop: Loop,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop.build("again")
    loop.deliver("again", "second")

    def part() -> Part:
        with loop.library.read() as tx:
            return part_of(tx, find_agreement(tx, loop.agreement), items_of(tx, loop.contributor(ANA)["id"]))

    with loop.library.read() as tx:
        rows = tx.rows(item.select().order_by(item.c.dataset_release_id, item.c.idx))
    spans = [Delivered(r["public_id"], r["asset_id"], r["start"], r["end"], r["duration_ms"]) for r in rows]
    true = sum(reference(Facts(spans)).values())
    assert len(rows) == 16 and sum(row["duration_ms"] for row in rows) == 2 * true
    whole = part()
    assert (whole.unit, whole.of_all, whole.sampled) == (UNIT, true, False)
    assert (whole.release, whole.next_of_ms) == ("again", true), "of the newest release alone"
    monkeypatch.setattr(parts, "SAMPLE", 8)
    sampled = part()
    assert sampled.sampled and (sampled.weight, sampled.next_ms) == (whole.weight, whole.next_ms), (
        "the own part is exact"
    )
    assert sampled.of_all == max(whole.weight, 2 * sum(row["duration_ms"] for row in rows[:8:2]))


def test_frames_used_weigh_where_the_agreement_splits_by_them(loop: Loop) -> None:  # noqa: F811
    under(loop, offered(loop, "research", "deal", split_basis='"usage"'))
    report(loop, {loop.items_of(ANA)[0]: 30, loop.items_of(BEN)[0]: 10})
    (pool,) = asked(loop, ANA).pools
    assert (pool.unit, pool.weight, pool.of_all, pool.sampled) == ("frames used in training", 30, 40, False)
