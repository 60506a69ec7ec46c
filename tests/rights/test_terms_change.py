"""A new version of the terms: what it changes is told before, whom it binds after, and nothing before its day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.rights.test_recheck import add_asset
from tests.rights.test_terms_and_holds import toml

from fairframe.core.time import DAY_MS
from fairframe.library import contributors
from fairframe.library.tables import asset
from fairframe.platform import audit
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing, consent, offers, snapshot, terms, terms_preview, terms_told
from fairframe.rights.terms_preview import CONSENT, Flips


def day(ms: int, days: int) -> str:
    return (datetime.fromtimestamp(ms / 1000, UTC) + timedelta(days=days)).date().isoformat()


def permitted(ws: Workspace, lab: Workspace) -> dict[str, set[str]]:
    """purpose -> files that all owners permit, decided now."""
    found: dict[str, set[str]] = {}
    with TemporaryDirectory() as folder, ws.read() as tx:
        taken = snapshot.extract(ws, Path(folder) / "snapshot")
        for purpose in ("evaluate", "research", "commercial"):
            path = Path(folder) / f"{purpose}.parquet"
            decided = clearing.decide(taken, offers.load("research").terms, purpose, path).decisions
            ids = [key for key, (_, codes) in decided.items() if not set(codes) & set(CONSENT)]
            found[purpose] = {row["filename"] for row in tx.rows(asset.select()) if row["id"] in ids}
    return found


def test_the_preview_is_what_the_day_brings(library: Workspace, lab: Workspace, clock) -> None:  # type: ignore[no-untyped-def]
    first = toml(day(clock.now, -60), day(clock.now, -10))
    second = toml(day(clock.now, 0), day(clock.now, 40), version=2).replace(
        b'["research"]', b'["commercial", "evaluate"]'
    )
    with library.write() as tx:
        people = [contributors.ensure(tx, name) for name in ("Told", "Objects", "Not Told", "Said Yes", "Late")]
        for one in people:
            add_asset(tx, one, f"{one['name']}.mp4")
        consent.set(tx, contributor=people[3], effect="allow", purpose="*")
        row = terms.add(tx, first)
        for one in people:
            terms.accept(tx, one, row, int(row["notice_ms"]), int(row["effective_ms"]))
    values = terms.values_of(terms.parse(second))
    hearers = [people[place]["id"] for place in (0, 1, 3)]
    with library.read() as tx:
        before = audit.head(tx.conn)
    told = [f"{name}.mp4" for name in ("Told", "Objects", "Not Told", "Said Yes", "Late")]
    assert permitted(library, lab)["research"] == set(told)
    shown = terms_preview.flips(library, values, hearers, values.notice_ms)
    assert shown == [Flips("evaluate", 1, 3, 2, 0), Flips("research", 5, 3, 0, 2), Flips("commercial", 1, 3, 2, 0)]
    assert [one.gains + one.loses for one in terms_preview.flips(library, values, [], 0)] == [0, 0, 0]
    with library.read() as tx:
        assert audit.head(tx.conn) == before, "asking changes nothing"
    clock.advance(DAY_MS)
    with library.write() as tx:
        row = terms.add(tx, second)
        for key in hearers:
            who = next(one for one in people if one["id"] == key)
            terms.accept(tx, who, row, values.notice_ms, values.effective_ms)
    assert permitted(library, lab)["research"] == set(told), "nothing turns before its day"
    clock.advance(15 * DAY_MS)
    with library.write() as tx:
        consent.set(tx, contributor=people[1], effect="deny", purpose="commercial")
        terms.accept(tx, people[4], row, tx.now_ms, values.effective_ms)
    clock.advance(30 * DAY_MS)
    found = permitted(library, lab)
    assert found["research"] == {"Not Told.mp4", "Said Yes.mp4"}
    assert found["commercial"] == {"Told.mp4", "Said Yes.mp4"}, "an objection in time stands, a late notice binds to no"
    assert found["evaluate"] == {"Told.mp4", "Objects.mp4", "Said Yes.mp4"}
    with library.read() as tx:
        known = terms_told.told(tx, terms.find(tx, "contributors", 2))
        assert (known.told, known.late, known.objected, known.not_told) == (4, 1, 1, 1)
        assert [name for _, name in known.untold] == ["Not Told"]
        notices = {one.name: one for one in known.notices}
        assert not notices["Late"].in_time and notices["Told"].in_time
        assert notices["Objects"].objected_ms == clock.now - 30 * DAY_MS and notices["Told"].objected_ms is None
        assert notices["Told"].holds_from_ms == values.effective_ms
        assert len(terms_told.told(tx, terms.find(tx, "contributors", 2), limit=2).notices) == 2


def test_a_no_after_the_window_is_no_objection(library: Workspace, clock) -> None:  # type: ignore[no-untyped-def]
    with library.write() as tx:
        who = contributors.ensure(tx, "Told")
        row = terms.add(tx, toml(day(clock.now, -60), day(clock.now, -10)))
        terms.accept(tx, who, row, int(row["notice_ms"]), int(row["effective_ms"]))
        consent.set(tx, contributor=who, effect="deny", purpose="research")
        assert terms_told.told(tx, row).objected == 0


@pytest.mark.parametrize("version", [1, 2])
def test_the_file_as_the_table_holds_it(library: Workspace, version: int) -> None:
    data = toml(version=version)
    with library.write() as tx:
        row = terms.add(tx, data)
    assert {name: row[name] for name in vars(terms.values_of(terms.parse(data)))} == {
        **vars(terms.values_of(terms.parse(data))),
        "names": ["research"],
    }
