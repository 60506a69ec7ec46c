"""Owners with shares: stated anew as a whole, all must permit, each can say no alone, and receipts go by shares."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.rights.test_recheck import Scene, scene  # noqa: F401  (fixture)

from fairframe.core.errors import Conflict, FairframeError, InputError, NotFound, Refused
from fairframe.core.money import parse_money
from fairframe.core.rational import Share
from fairframe.core.time import DAY_MS
from fairframe.dataset.tables import feed_entry
from fairframe.flows import opt_out
from fairframe.flows import owners as flow
from fairframe.library import assets, contributors, owners, owners_said
from fairframe.library.owners_said import Named
from fairframe.library.show import show
from fairframe.library.tables import ownership
from fairframe.platform import audit
from fairframe.rights import agreements, clearing, consent, facts
from fairframe.rights.moment import Moment
from fairframe.royalties import allocate, revenue
from fairframe.royalties.tables import allocation_asset

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)

ANA, BEN, CHEN = PEOPLE


def entries(loop: Loop) -> set[str]:  # noqa: F811
    """The items that stand in the library's feed."""
    with loop.library.read() as tx:
        return set(tx.execute(sa.select(feed_entry.c.item)).scalars())


def named(asset: str, *words: str) -> list[Named]:
    return [owners_said.from_words(asset, words)]


@pytest.mark.usefixtures("at_lab")
def test_the_preview_is_what_happens_and_all_must_permit(loop: Loop, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    clock.advance(DAY_MS)
    said = named("chen.mp4", f"{CHEN}=2/3", "Dee Silent=1/3")
    with pytest.raises(NotFound):
        flow.preview(loop.library, lambda tx: owners_said.resolve(tx, said))
    with loop.library.read() as tx:
        before = audit.head(tx.conn), len(tx.rows(ownership.select()))
    shown = flow.preview(loop.library, lambda tx: owners_said.resolve(tx, said, new=True))
    with loop.library.read() as tx:
        assert (audit.head(tx.conn), len(tx.rows(ownership.select()))) == before, "looking changes nothing"
        with pytest.raises(NotFound):
            contributors.find(tx, "Dee Silent")
    turn = shown.turns[0]
    assert (shown.assets, shown.changed) == (1, 1)
    assert (turn.before, turn.after) == (f"{CHEN} 1/1", f"{CHEN} 2/3, Dee Silent 1/3")
    assert [(c.before["ALLOW"], c.after["DENY"]) for c in shown.clearances] == [(1, 1)]
    assert [(one.name, one.items) for one in shown.takes_back] == [("squares", 2)]
    with loop.library.write() as tx:
        revoked = flow.change(tx, owners_said.resolve(tx, said, new=True))
        row, deal = assets.find(tx, "chen.mp4"), loop.agreement
    assert [one.items for one in revoked] == [2] and entries(loop) == set(loop.items_of(CHEN))

    with loop.library.read() as tx:
        agreement = agreements.find(tx, deal)
        found = clearing.explain(tx, agreement, row)
        dee = contributors.find(tx, "Dee Silent")
    assert found.codes == ("no_consent",) and dee["public_id"] in found.findings[0].text
    assert clearing.clear_agreement(loop.library, agreement).decisions[row["id"]] == ("DENY", ("no_consent",))
    with loop.library.write() as tx:
        consent.set(tx, contributor=dee, effect="allow", purpose="research")
    assert clearing.clear_agreement(loop.library, agreement).decisions[row["id"]] == ("ALLOW", ())
    with loop.library.write() as tx:
        opt_out.opt_out(tx, dee)
        assert clearing.explain(tx, agreement, row).codes == ("opted_out",)


def test_an_owner_can_say_no_alone(loop: Loop, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    clock.advance(1)
    with loop.library.write() as tx:
        flow.change(tx, owners_said.resolve(tx, named("chen.mp4", f"{CHEN}=2/3", f"{BEN}=1/3")))
    clock.advance(1)
    loop.to_lab()
    with loop.library.write() as tx:
        row = assets.find(tx, "chen.mp4")
        _, revoked = opt_out.deny(tx, loop.contributor(BEN), "research", asset=row)
    assert [one.items for one in revoked] == [2]
    assert entries(loop) == set(loop.items_of(CHEN)), "the co-owned clip and nothing else"


def test_receipts_go_by_the_shares_of_their_time(loop: Loop, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    clock.advance(DAY_MS)
    loop.to_lab()
    with loop.library.read() as tx:
        key = assets.find(tx, "chen.mp4")["id"]

    def receipt(name: str) -> dict[int, int]:
        with loop.library.write() as tx:
            revenue.book(tx, loop.agreement, parse_money("9000.00", "USD"), name)
        allocate.allocate(loop.library)
        with loop.library.read() as tx:
            newest = max(row["allocation_id"] for row in tx.rows(allocation_asset.select()))
            rows = tx.rows(allocation_asset.select().where(allocation_asset.c.allocation_id == newest))
        return {row["contributor_id"]: row["weight"] for row in rows if row["asset_id"] == key}

    chen, ben = loop.contributor(CHEN)["id"], loop.contributor(BEN)["id"]
    assert set(receipt("INV-1")) == {chen}
    clock.advance(DAY_MS)
    with loop.library.write() as tx:
        flow.change(tx, owners_said.resolve(tx, named("chen.mp4", f"{CHEN}=2/3", f"{BEN}=1/3")))
    clock.advance(DAY_MS)
    weights = receipt("INV-2")
    assert weights[chen] == 2 * weights[ben] > 0


def test_who_is_named_meanwhile_outlives_what_was_said_before_for_a_later_day(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    row, month = scene.assets[0], clock.now + 30 * DAY_MS
    clock.advance(1)
    with scene.ws.write() as tx:
        owners.state(tx, row, [(scene.ada, Share(1))], month)
    clock.advance(DAY_MS)
    cleared = scene.clear()
    with scene.ws.write() as tx:
        dee = contributors.ensure(tx, "Dee Silent")
        owners.state(tx, row, [(scene.ada, Share(1, 2)), (dee, Share(1, 2))])
        with pytest.raises(Conflict):
            owners.state(tx, row, [(scene.ada, Share(1))], month)
        for at in (clock.now, month, month + DAY_MS):
            assert str(owners.of_assets(tx, [row["id"]], at)[row["id"]]) == "Ada Quist 1/2, Dee Silent 1/2"
            assert len(facts.load(tx, [row["id"]], Moment(at))[row["id"]].owners) == 2
        before = owners.of_assets(tx, [row["id"]], month, clock.now - 1)[row["id"]]
        assert str(before) == "Ada Quist 1/1", "what was said before stays known"
    clock.advance(40 * DAY_MS)
    assert scene.lost(cleared) == {0: ("no_consent",)}
    with scene.ws.write() as tx:
        owners.state(tx, row, [(scene.ada, Share(1))])
    assert scene.lost(cleared) == {}


def test_history_stays(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    row, first = scene.assets[0], clock.now
    half = [(scene.ada, Share(1, 2)), (scene.bo, Share(1, 2))]
    with scene.ws.write() as tx, pytest.raises(Conflict):
        owners.state(tx, row, half)
    clock.advance(10 * DAY_MS)
    with scene.ws.write() as tx:
        owners.state(tx, row, half)
        owners.state(tx, row, [(scene.bo, Share(1))], first + DAY_MS)
    with scene.ws.read() as tx:
        assert len(owners.history(tx, row["id"])) == 3

        def at(at_ms: int, known_ms: int | None = None) -> str:
            return str(owners.of_assets(tx, [row["id"]], at_ms, known_ms)[row["id"]])

        assert at(clock.now) == "Ada Quist 1/2, Bo Lindahl 1/2", "one from an earlier day does not replace it"
        assert at(first + DAY_MS) == "Bo Lindahl 1/1" and at(first + DAY_MS, clock.now - 1) == "Ada Quist 1/1"
        assert show(tx, "0.mp4", at_ms=first).owners == [(scene.ada["public_id"], "1/1")]
        assert owners.of_assets(tx, [row["id"]], first - 1) == {}
        assert scene.lost(scene.clear()) == {}


def test_a_change_of_owners_reaches_a_publication_under_way(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    cleared = scene.clear()
    clock.advance(1)
    with scene.ws.write() as tx:
        flow.change(tx, owners_said.resolve(tx, named("0.mp4", "Ada Quist=1/2", "Dee Silent=1/2"), new=True))
    assert scene.lost(cleared) == {0: ("no_consent",)}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["Ada Quist=1/2"], "input.bad_owners"),
        (["Ada Quist=1", "Bo Lindahl=0"], "input.bad_owners"),
        (["Ada Quist=1/2", "Ada Quist=1/2"], "input.bad_owners"),
        (["Ada Quist=2/3", "Bo Lindahl=2/3"], "input.bad_owners"),
        (["Ada Quist=1/1000003", "Bo Lindahl=1000002/1000003"], "input.bad_owners"),
        (["Ada Quist=0.5", "Bo Lindahl=0.5"], "input.bad_share"),
        (["Ada Quist"], "input.bad_share"),
        (["=1"], "input.bad_share"),
        (["Nobody=1"], "contributor.missing"),
    ],
)
def test_what_cannot_be_all_the_owners(scene: Scene, words: list[str], code: str) -> None:  # noqa: F811
    with scene.ws.read() as tx, pytest.raises(FairframeError) as caught:
        owners_said.resolve(tx, named("0.mp4", *words))
    assert caught.value.code == code


def test_a_table_is_used_whole(scene: Scene, clock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    def table(*lines: str) -> Path:
        path = tmp_path / "owners.csv"
        path.write_text("\n".join(("asset,owner,share", *lines)), "utf-8")
        return path

    clock.advance(1)
    one = scene.assets[1]["public_id"]
    good = table("0.mp4,Ada Quist,2/3", f"{one},Bo Lindahl,1", "0.mp4,Bo Lindahl,1/3")
    with scene.ws.write() as tx:
        flow.change(tx, owners_said.resolve(tx, owners_said.from_table(good)))
    with scene.ws.read() as tx:
        held = owners.of_assets(tx, scene.ids)
        assert [str(held[key]) for key in scene.ids[:2]] == ["Ada Quist 2/3, Bo Lindahl 1/3", "Bo Lindahl 1/1"]
    for lines, wrong in (
        (["0.mp4,Ada Quist,half", "0.mp4,Bo Lindahl", "0.mp4,,1", "1.mp4,=cmd(),1,1"], [2, 3, 4, 5]),
        (["0.mp4,Ada Quist,1/2", "9.mp4,Ada Quist,1", "1.mp4,Nobody,1", f"{one},Ada Quist,1"], [2, 3, 4]),
        (["1.mp4,Ada Quist,1", f"{one},Ada Quist,1"], [3]),
    ):
        with scene.ws.read() as tx, pytest.raises(Refused) as caught:
            owners_said.resolve(tx, owners_said.from_table(table(*lines)))
        assert [reason.split(":")[0] for reason in caught.value.reasons] == [f"line {n}" for n in wrong]
    (tmp_path / "owners.csv").write_text("asset,owner,share,price\n")
    with pytest.raises(InputError):
        owners_said.from_table(tmp_path / "owners.csv")
