"""A quote says what building, delivering and allocating then do, and leaves no trace."""

from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core.errors import FairframeError
from fairframe.core.money import MICRO, Money, parse_money
from fairframe.flows import quote as quotes
from fairframe.flows.quote import Quote
from fairframe.library import assets, collections, contributors
from fairframe.library.tables import contributor
from fairframe.platform.database import metadata
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, consent
from fairframe.rights.drafts import Ask
from fairframe.royalties import allocate, revenue
from fairframe.royalties.tables import allocation_line

from ..dataset.conftest import PEOPLE, Loop, films, loop  # noqa: F401  (fixtures)

ANA, BEN, CHEN = PEOPLE


def quote(loop: Loop, offer: str = "research", **asked: Any) -> Quote:  # noqa: F811
    return quotes.quote(loop.library, offer, loop.lab.party_id, Ask(**asked))


def everything(ws: Workspace) -> dict[str, list[Any]]:
    """All rows of all tables, and all objects."""
    with ws.read() as tx:
        rows = {t.name: [tuple(row) for row in tx.execute(t.select())] for t in metadata.sorted_tables}
    return rows | {"objects": sorted(str(p) for p in (ws.root / "objects").rglob("*"))}


def test_it_writes_nothing(loop: Loop) -> None:  # noqa: F811
    before = everything(loop.library)
    assert quote(loop).clips == 8
    assert everything(loop.library) == before


def test_a_quote_comes_true(loop: Loop) -> None:  # noqa: F811
    found = quote(loop, size="start-up")
    assert (found.draft.fee, found.pool_micro) == (Money(50_000, found.draft.fee.currency), 10_000 * MICRO)
    assert found.counts["ALLOW"] == found.assets == 4
    assert sum(one.amount_micro for one in found.pay) == found.pool_micro
    with loop.library.write() as tx:
        offer = agreements.offer(tx, "research", lab_party=loop.lab.party_id, ask=Ask(size="start-up"))
    with loop.lab.write() as tx:
        signed = agreements.countersign(tx, offer)
    with loop.library.write() as tx:
        deal = agreements.accept(tx, signed)
        loop.agreement = deal.public_id
    assert deal.fee == found.draft.fee and deal.terms == found.draft.terms
    built = loop.build()
    assert (built.items, built.duration_ms) == (found.clips, found.duration_ms)
    loop.deliver()
    with loop.library.write() as tx:
        revenue.book(tx, deal.public_id, deal.fee, "INV-1")
    assert len(allocate.allocate(loop.library)) == 1
    joined = sa.select(contributor.c.public_id, allocation_line.c.amount_micro).join(
        contributor, contributor.c.id == allocation_line.c.contributor_id
    )
    with loop.library.read() as tx:
        paid = {row["public_id"]: row["amount_micro"] for row in tx.rows(joined)}
    said = {one.contributor: one.amount_micro for one in found.pay}
    assert set(said) == set(paid) and len(said) == 3
    assert all(abs(said[who] - paid[who]) <= 1 for who in said), "but for the millionth that goes by a drawn tie"


def test_nobody_consented_to_commercial_use(loop: Loop) -> None:  # noqa: F811
    found = quote(loop, "commercial")
    assert (found.clips, found.pay) == (0, ())
    assert found.findings == {"no_consent": 4} and found.draft.fee == parse_money("60000.00", "USD")


def test_by_title(loop: Loop) -> None:  # noqa: F811
    with loop.library.write() as tx:
        for who, file in ((ANA, "ana-1.mp4"), (BEN, "ben.mp4")):
            owner = contributors.find(tx, who)
            consent.set(tx, contributor=owner, effect="allow", purpose="commercial")
            collections.put(tx, owner, assets.find(tx, file), [f"Titles of {who}"])
    found = quote(loop, "studio-private", quantity=2, collections=(f"Titles of {ANA}",))
    assert (found.assets, found.clips, found.findings["outside_collection"]) == (1, 2, 3)
    assert [one.name for one in found.pay] == [ANA]
    assert found.draft.fee == parse_money("300.00", "USD") and found.draft.terms.hour_cap == 2
    for asked, code in (
        ({"quantity": 2}, "input.bad_collections"),
        ({"collections": (f"Titles of {ANA}",)}, "input.bad_quantity"),
        ({"quantity": 2, "collections": (f"Titles of {ANA}", f"Titles of {BEN}")}, "input.bad_collections"),
        ({"quantity": 2, "collections": ("Another",)}, "collection.missing"),
        ({"quantity": 2, "collections": (f"Titles of {ANA}",), "size": "huge"}, "input.bad_size"),
    ):
        with pytest.raises(FairframeError) as caught:
            quote(loop, "studio-private", **asked)
        assert caught.value.code == code


def test_the_quantity_bounds_all_releases_together(loop: Loop) -> None:  # noqa: F811
    """Paid are two clips: the second release holds the same two and no other."""
    folder = loop.library.root / "offers"
    folder.mkdir()
    from fairframe.rights.offers import SHIPPED

    text = (SHIPPED / "research.toml").read_text()
    text = text.replace('name = "research"', 'name = "clips"').replace('price_per = "agreement"', 'price_per = "clip"')
    (folder / "clips.toml").write_text(text.replace("10000.00", "2.00"))
    found = quote(loop, "clips", quantity=2)
    assert (found.clips, found.draft.fee, found.dropped) == (2, parse_money("4.00", "USD"), {"over_cap": 6})
    with loop.library.write() as tx:
        offer = agreements.offer(tx, "clips", lab_party=loop.lab.party_id, ask=Ask(quantity=2))
    with loop.lab.write() as tx:
        signed = agreements.countersign(tx, offer)
    with loop.library.write() as tx:
        loop.agreement = agreements.accept(tx, signed).public_id
    first, second = loop.build("one"), loop.build("two")
    assert first.items == second.items == 2
    from fairframe.dataset.tables import item

    with loop.library.read() as tx:
        assert len({row["shot_id"] for row in tx.rows(item.select())}) == 2
