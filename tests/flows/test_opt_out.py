"""The preview of an opt-out is what the opt-out does, and asking changes nothing."""

from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core.bundle import AgreementRef
from fairframe.core.errors import Conflict
from fairframe.core.ids import new_id
from fairframe.core.money import parse_money
from fairframe.core.time import DAY_MS
from fairframe.core.usage_report_body import TYPE, ItemUse, UsageReport
from fairframe.dataset import attest, attested, feeds
from fairframe.dataset.tables import feed_entry, item, obligation
from fairframe.flows import opt_out
from fairframe.flows.impact import Impact, impact
from fairframe.library import assets, contributors
from fairframe.library.tables import ownership
from fairframe.platform import audit, bundles
from fairframe.platform.tx import Tx
from fairframe.rights import consent
from fairframe.rights.tables import consent_event
from fairframe.royalties import allocate, closing, ledger, periods, revenue, statements
from fairframe.royalties.trial import trial
from fairframe.royalties.trial_balance import trial_balance
from fairframe.training import reported

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)

ANA, BEN, CHEN = PEOPLE


def report(loop: Loop, frames: dict[str, int], weights: str = "a", name: str = "model") -> None:  # noqa: F811
    """The library takes a usage report about a checkpoint."""
    uses = tuple(ItemUse(item, count) for item, count in sorted(frames.items()))
    said = UsageReport(
        checkpoint=new_id("ckp"),
        name=name,
        weights_hash=weights * 64,
        lineage_digest="c" * 64,
        family=loop.agreement,
        delivery=loop.delivered.id,  # type: ignore[union-attr]
        method="measured",
        house_frames=100,
        items=uses,
    )
    with loop.lab.write() as tx:
        data = bundles.issue(tx, TYPE, loop.library.party_id, said.to_body(), AgreementRef(loop.agreement, 1))
    with loop.library.write() as tx:
        reported.keep(tx, loop.lab.party_id, loop.agreement, said, data)


def asked(loop: Loop, name: str) -> Impact:  # noqa: F811
    with loop.library.read() as tx:
        return impact(tx, contributors.find(tx, name))


def state(tx: Tx) -> Any:
    tables = (feed_entry, obligation, consent_event)
    return audit.head(tx.conn), [len(tx.rows(table.select())) for table in tables]


@pytest.mark.usefixtures("at_lab")
def test_an_opt_out_touches_no_closed_period(loop: Loop) -> None:  # noqa: F811
    """What was earned stays earned, to the signature; what was not allocated yet goes to the open period."""
    with loop.library.write() as tx:
        revenue.book(tx, loop.agreement, parse_money("10000.00", "USD"), "INV-1")
    allocate.allocate(loop.library)
    with loop.library.write() as tx:
        closed = closing.close(tx, tx.now_ms + 1)
        made = statements.statement(tx, contributors.find(tx, ANA))
    with loop.library.read() as tx:
        before = trial_balance(tx, 0, closed.to_ms), ledger.balances(tx)
    with loop.library.write() as tx:
        assert opt_out.opt_out(tx, contributors.find(tx, ANA), "no more").items == 4
    with loop.library.read() as tx:
        assert (trial_balance(tx, 0, closed.to_ms), ledger.balances(tx)) == before
        assert periods.listing(tx) == [closed] and trial(tx).ok
    with loop.library.write() as tx:
        again = statements.statement(tx, contributors.find(tx, ANA))
    assert not again.new and again.envelope == made.envelope


@pytest.mark.usefixtures("at_lab")
def test_the_preview_is_what_happens(loop: Loop) -> None:  # noqa: F811
    loop.build("more")
    loop.deliver("more", "second")
    theirs, others = loop.items_of(ANA), loop.items_of(BEN)
    report(loop, {theirs[0]: 30, theirs[1]: 12, others[0]: 7})
    with loop.library.write() as tx:
        revenue.book(tx, loop.agreement, parse_money("10000.00", "USD"), "INV-1")
    allocate.allocate(loop.library)
    with loop.library.read() as tx:
        before = state(tx)
    preview = asked(loop, ANA)
    with loop.library.read() as tx:
        assert state(tx) == before, "asking changes nothing"
    assert preview.opted_out_ms is None
    assert [(r.name, r.items) for r in preview.releases] == [("squares", 4), ("more", 4)]
    assert [(d.name, d.items, d.taken_back) for d in preview.deliveries] == [("squares", 4, 0), ("more", 4, 0)]
    assert {d.remedy for d in preview.deliveries} == {"stop_at_next_epoch"}
    assert [(c.before, c.after, c.of_all, c.method) for c in preview.checkpoints] == [(42, 0, 149, "measured")]
    assert preview.money[0].currency == "USD"
    assert 0 < preview.money[0].earned_micro < 2000_00 * 10**6
    with loop.library.write() as tx:
        done = opt_out.opt_out(tx, contributors.find(tx, ANA), "private words")
    assert [(r.delivery, r.items) for r in done.revoked] == [(d.delivery, d.items) for d in preview.deliveries]
    assert done.items == preview.items == 8
    assert sum(r.duration_ms for r in done.revoked) == preview.duration_ms
    with loop.library.read() as tx:
        due = [row["due_ms"] for row in tx.rows(obligation.select())]
        rows = [row for row in tx.rows(consent_event.select()) if row["effect"] == "deny"]
    assert due == [preview.deliveries[0].due_ms] * 8
    assert len(rows) == 1, "an opt-out is one row"
    after = asked(loop, ANA)
    assert after.opted_out_ms == loop.library.clock()
    assert after.items == 0
    assert [(d.items, d.taken_back) for d in after.deliveries] == [(0, 4), (0, 4)]
    assert after.money == preview.money, "earned payment stays earned"
    assert after.checkpoints == preview.checkpoints
    with pytest.raises(Conflict) as caught, loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    assert caught.value.code == "opt_out.already"


@pytest.mark.usefixtures("at_lab")
def test_checkpoints_published_after_the_opt_out_stand_apart(loop: Loop) -> None:  # noqa: F811
    theirs = loop.items_of(ANA)
    report(loop, {theirs[0]: 30}, "a", "early")
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    loop.library.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    report(loop, {theirs[0]: 5}, "b", "late")
    report(loop, {theirs[0]: 31}, "a", "early")  # a correction of the first
    assert [(c.name, c.before, c.after) for c in asked(loop, ANA).checkpoints] == [("early", 31, 0), ("late", 0, 5)]
    assert asked(loop, BEN).checkpoints == ()


def test_a_contributor_without_deliveries(loop: Loop) -> None:  # noqa: F811
    empty = asked(loop, CHEN)
    assert (empty.items, empty.releases, empty.deliveries, empty.checkpoints, empty.money) == (0, (), (), (), ())
    with loop.library.write() as tx:
        assert opt_out.opt_out(tx, contributors.find(tx, CHEN)).revoked == ()


def test_a_co_owners_no_takes_the_asset_back_too(loop: Loop) -> None:  # noqa: F811
    with loop.library.write() as tx:
        row, ben = assets.find(tx, "chen.mp4"), contributors.find(tx, BEN)
        for who in (contributors.find(tx, CHEN), ben):
            half = {"share_num": 1, "share_den": 2, "valid_from_ms": tx.now_ms + 1}
            tx.insert(ownership, asset_id=row["id"], contributor_id=who["id"], **half)
    loop.library.clock.advance(10)  # type: ignore[attr-defined]
    loop.lab.clock.advance(0)  # type: ignore[attr-defined]
    loop.to_lab()
    expected = set(loop.items_of(BEN)) | set(loop.items_of(CHEN))
    assert asked(loop, BEN).items == 4
    with loop.library.write() as tx:
        done = opt_out.opt_out(tx, contributors.find(tx, BEN))
    with loop.library.read() as tx:
        assert {row["item"] for row in tx.rows(feed_entry.select())} == expected and done.items == len(expected)


@pytest.mark.usefixtures("at_lab")
def test_a_narrower_no_takes_back_what_it_covers(loop: Loop) -> None:  # noqa: F811
    with loop.library.write() as tx:
        row, ana = assets.find(tx, "ana-1.mp4"), contributors.find(tx, ANA)
        event, revoked = opt_out.deny(tx, ana, "research", asset=row, reason="the boat is not mine")
        assert event.startswith("cns_")
        assert [one.items for one in revoked] == [2]
        back = tx.rows(sa.select(item.c.asset_id).join(feed_entry, feed_entry.c.item == item.c.public_id))
        assert {one["asset_id"] for one in back} == {row["id"]}
        _, none = opt_out.deny(tx, ana, "commercial")
        assert none == []
    with loop.library.write() as tx:
        data = feeds.issue(tx, loop.agreement)
    with loop.lab.write() as tx:
        assert feeds.refresh(tx, data).entries == 2
        attestation = attest.attest(tx, "squares")
    with loop.library.write() as tx:
        assert attested.accept(tx, attestation).items == 2


@pytest.mark.usefixtures("at_lab")
def test_who_comes_back_is_in_later_releases_only(loop: Loop) -> None:  # noqa: F811
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA))
    loop.library.clock.advance(DAY_MS)  # type: ignore[attr-defined]
    with loop.library.write() as tx:
        consent.set(tx, contributor=contributors.find(tx, ANA), effect="allow", purpose="*")
    assert asked(loop, ANA).opted_out_ms is None
    loop.build("again")
    assert len(loop.items_of(ANA)) == 8
    preview = asked(loop, ANA)
    assert [(d.name, d.items, d.taken_back) for d in preview.deliveries] == [("squares", 0, 4)]
