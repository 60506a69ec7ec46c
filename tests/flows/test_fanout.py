"""A no reaches its copies by indexes: no statement of it reads a table that grows with the library to its end."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from fairframe.core.ids import new_id
from fairframe.dataset import attest, feeds, loader, revocation
from fairframe.dataset.papers import Papers
from fairframe.dataset.tables import delivery, feed_entry, item, obligation, received_item
from fairframe.flows import opt_out
from fairframe.flows.impact import impact, items_of
from fairframe.library import assets, contributors
from fairframe.library.tables import ownership
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)

ANA, BEN, CHEN = PEOPLE
GROW = ("item", "received_item", "feed_entry", "obligation", "obligation_event", "usage", "asset", "ownership",
        "audit_entry", "audit_node", "consent_event", "shot", "lease")  # fmt: skip
"""Tables that hold millions of rows, some of which an act looks for."""


def plans(ws: Workspace, act: Callable[[], Any]) -> list[tuple[str, str]]:
    """(statement, step) of SQLite's plans of everything that an act runs."""
    ran: dict[str, Any] = {}

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.lower().startswith(("select", "insert", "with")):
            ran.setdefault(statement, parameters[0] if many else parameters)

    event.listen(ws.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(ws.engine, "before_cursor_execute", note)
    found: list[tuple[str, str]] = []
    with ws.engine.connect() as conn:
        for statement, parameters in ran.items():
            rows = conn.exec_driver_sql(f"explain query plan {statement}", parameters).all()
            found += [(statement, str(row[3])) for row in rows]
    assert found
    return found


def scans(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Steps that read a large table to its end; the newest row by its key is read with a limit of one."""
    whole = [(text, step) for text, step in found if "LIMIT" not in text]
    scanned = [(text, step) for text, step in whole if step.startswith("SCAN ") and step.split()[1] in GROW]
    # all rows of a library have the same direction
    return scanned + [(text, step) for text, step in found if step.endswith("(direction=?)")]


def leave(loop: Loop, who: str) -> opt_out.OptedOut:  # noqa: F811
    with loop.library.write() as tx:
        return opt_out.opt_out(tx, contributors.find(tx, who))


def asked(loop: Loop, who: str) -> None:  # noqa: F811
    with loop.library.read() as tx:
        impact(tx, contributors.find(tx, who))


@pytest.mark.usefixtures("at_lab")
def test_an_opt_out_and_its_preview_scan_no_large_table(loop: Loop) -> None:  # noqa: F811
    if loop.library.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by the numbers of rows: see bench/fanout.py")
    with loop.library.write() as tx:
        row = assets.find(tx, "chen.mp4")
        for who in (CHEN, BEN):
            half = {"share_num": 1, "share_den": 2, "valid_from_ms": tx.now_ms}
            tx.insert(ownership, asset_id=row["id"], contributor_id=contributors.find(tx, who)["id"], **half)
    for act in (lambda: asked(loop, ANA), lambda: asked(loop, BEN), lambda: leave(loop, ANA), lambda: leave(loop, BEN)):
        found = plans(loop.library, act)
        assert scans(found) == []
        assert any("ix_item_of_contributor" in step for _, step in found)
        for _, step in found:
            if " item " in f"{step} " and "ix_item_of_contributor" in step:
                assert "COVERING" in step, "the rows themselves lie far apart"


@pytest.mark.usefixtures("at_lab")
def test_the_ids_that_the_database_makes_are_ids(loop: Loop) -> None:  # noqa: F811
    leave(loop, ANA)
    with loop.library.read() as tx:
        ids = [row["public_id"] for row in tx.rows(obligation.select())]
    assert len(set(ids)) == 4
    from fairframe.core.ids import check_id

    assert [check_id(one, "obl") for one in ids] == ids


@pytest.mark.usefixtures("at_lab")
def test_entries_are_numbered_on_in_each_family(loop: Loop) -> None:  # noqa: F811
    first = loop.agreement
    loop.agree()
    loop.build("again")
    loop.deliver("again", "second")
    leave(loop, ANA)
    done = leave(loop, BEN)
    assert [(one.items, one.first, one.last) for one in done.revoked] == [(2, 5, 6), (2, 5, 6)]
    with loop.library.read() as tx:
        rows = tx.rows(feed_entry.select().order_by(feed_entry.c.family, feed_entry.c.seq))
        places = {row["public_id"]: row["idx"] for row in tx.rows(item.select())}
    for family in {first, loop.agreement}:
        some = [row for row in rows if row["family"] == family]
        assert [row["seq"] for row in some] == [1, 2, 3, 4, 5, 6]
        order = [places[row["item"]] for row in some]
        assert order[:4] == sorted(order[:4]) and order[4:] == sorted(order[4:])


@pytest.mark.usefixtures("at_lab")
def test_a_lab_takes_a_long_feed_and_goes_on_with_the_rest(loop: Loop) -> None:  # noqa: F811
    """20,000 clips of a delivery of 25,000 are taken back: lists of the lab's own tables, a true feed."""
    count, gone = 25_000, 20_000
    names = [new_id("itm") for _ in range(count)]
    with loop.lab.read() as tx:
        row = dict(tx.rows(received_item.select().order_by(received_item.c.idx))[0])
        place = tx.rows(delivery.select())[0]
    del row["id"]
    with loop.lab.write() as tx:
        many = [{**row, "item": one, "idx": n, "bytes_hash": f"{n:064x}"} for n, one in enumerate(names, 100)]
        tx.insert_many(received_item, many)
    with loop.library.write() as tx:
        entry = {"direction": "out", "family": loop.agreement, "delivery": place["public_id"], "reason": "opt-out"}
        seen = [{**entry, "seq": n, "item": one, "effective_ms": n // 700} for n, one in enumerate(names[:gone], 1)]
        tx.insert_many(feed_entry, seen)
        papers = feeds.issue(tx, loop.agreement)
    assert papers.items.stat().st_size < 40 * gone
    assert taken(loop, papers).entries == gone
    with loop.lab.read() as tx:
        due = attest.due_of(tx, place)
        admitted = loader.admitted_of(tx, place)
    assert [one.item for one in due.settled] == names[:gone]
    assert admitted >= set(names[gone:]) and not admitted & set(names[:gone])
    assert len(admitted) == count - gone + 8
    if loop.lab.engine.dialect.name == "sqlite":

        def look() -> None:
            with loop.lab.read() as tx:
                attest.due_of(tx, place)
                loader.admitted_of(tx, place)

        assert scans(plans(loop.lab, look)) == []


def taken(loop: Loop, papers: Papers) -> feeds.Refreshed:  # noqa: F811
    with loop.lab.write() as tx:
        return feeds.refresh(tx, papers)


@pytest.mark.usefixtures("at_lab")
def test_the_items_of_a_contributor_are_a_query(loop: Loop) -> None:  # noqa: F811

    def ids(tx: Tx, who: str) -> list[str]:
        some = items_of(tx, contributors.find(tx, who)["id"]).subquery()
        return sorted(tx.execute(sa.select(some.c.public_id)).scalars())

    with loop.library.read() as tx:
        assert ids(tx, ANA) == sorted(loop.items_of(ANA))
        some = revocation.chosen_ids(tx, [1, 2, 2, 999]).subquery()
        assert sorted(tx.execute(sa.select(some.c.id)).scalars()) == [1, 2]
        assert tx.rows(sa.select(revocation.chosen_ids(tx, []).subquery())) == []
