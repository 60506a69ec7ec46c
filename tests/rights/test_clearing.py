"""The SQL over a snapshot and the Python reference give the same decision about every asset, with all findings."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from threading import Lock

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rights.worlds import DAYS, World, make_terms, make_world

from fairframe.library.tables import asset
from fairframe.platform import migrate
from fairframe.platform.audit import head
from fairframe.platform.database import make_engine, sqlite_url
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing, facts, snapshot
from fairframe.rights.clearance import clear
from fairframe.rights.consent import FOREVER_MS
from fairframe.rights.moment import Moment
from fairframe.rights.offers import Terms


def compare(
    ws: Workspace, terms: Terms, purpose: str, when: Moment, folder: Path, until: int | None = None
) -> dict[str, int]:
    """Decide by SQL and by the reference; they must agree on every asset and every finding."""
    taken = snapshot.extract(ws, folder / "snapshot")
    out = folder / "out.parquet"
    cleared = clearing.decide(taken, terms, purpose, out, when.at_ms, when.known_at_ms, until_ms=until)
    with ws.read() as tx:
        views = facts.load(tx, tx.execute(sa.select(asset.c.id)).scalars(), when)
    reference = {
        key: clear(view, terms, purpose, when.at_ms, when.known_at_ms, until_ms=until)
        for key, view in sorted(views.items())
    }
    assert cleared.decisions == {key: (found.outcome, found.codes) for key, found in reference.items()}
    assert sum(cleared.counts.values()) == len(reference)
    outcomes = [found.outcome for found in reference.values()]
    assert cleared.counts == {name: outcomes.count(name) for name in ("ALLOW", "REVIEW", "DENY")}
    codes = [code for found in reference.values() for code in found.codes]
    assert cleared.findings == {code: codes.count(code) for code in cleared.findings}
    return cleared.counts


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[World], tuple[Workspace, Path]]:
    """A new SQLite workspace that holds a world: a copy of an empty database, which is quicker than migrating."""
    root = tmp_path_factory.mktemp("template")
    engine = make_engine(sqlite_url(root / "empty.db"))
    migrate.upgrade(engine)
    engine.dispose()
    from fairframe.platform.workspace import create_workspace

    model = create_workspace(root / "model", "library", "Model", lambda: DAYS[-1])
    model.close()

    def make(world: World) -> tuple[Workspace, Path]:
        folder = tmp_path_factory.mktemp("world")
        shutil.copy(root / "empty.db", folder / "fairframe.db")
        ws = replace(model, engine=make_engine(sqlite_url(folder / "fairframe.db")))
        with ws.write() as tx:
            world.put(tx)
        return ws, folder

    return make


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    at=st.sampled_from(DAYS),
    known=st.sampled_from([*DAYS, FOREVER_MS]),
    until=st.sampled_from([None, *DAYS]),
)
def test_sql_equals_the_reference(
    fresh: Callable[[World], tuple[Workspace, Path]], seed: int, at: int, known: int, until: int | None
) -> None:
    """A clearance costs the same for 5 assets as for 12: planning it is what takes long."""
    random = Random(seed)
    terms = make_terms(random)
    ws, folder = fresh(make_world(random, assets=12))
    try:
        purpose = random.choice([terms.purpose, terms.purpose, "commercial"])
        compare(ws, terms, purpose, Moment(at, known), folder, until)
    finally:
        ws.close()
        shutil.rmtree(folder)


def test_sql_equals_the_reference_on_both_databases(
    library: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clearing, "AT_ONCE", 250)
    random = Random(2)
    with library.write() as tx:
        make_world(random, contributors=25, assets=600).put(tx)
    seen: dict[str, int] = {}
    for n, (at, known) in enumerate([(DAYS[-1], FOREVER_MS), (DAYS[4], DAYS[-1]), (DAYS[-1], DAYS[4])]):
        terms = make_terms(random)
        counts = compare(library, terms, terms.purpose, Moment(at, known), tmp_path / str(n))
        seen = {name: seen.get(name, 0) + count for name, count in counts.items()}
    assert all(seen.values()), f"the worlds are too poor: {seen}"


def test_an_empty_library_clears_to_nothing(library: Workspace, tmp_path: Path) -> None:
    counts = compare(library, make_terms(Random(1)), "research", Moment(DAYS[-1]), tmp_path)
    assert counts == {"ALLOW": 0, "REVIEW": 0, "DENY": 0}


def test_a_snapshot_names_the_audit_head(library: Workspace, tmp_path: Path) -> None:
    with library.write() as tx:
        for n in range(5):
            tx.record("test", f"subject {n}", {})
    taken = snapshot.extract(library, tmp_path / "one")
    with library.read() as tx:
        now = head(tx.conn)
    assert (taken.audit_size, taken.audit_root) == (now.size, now.root)


def test_a_snapshot_is_of_one_moment(library: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers go on while the tables are read: the snapshot has none of it, in any table nor in the head."""
    import pyarrow.parquet as pq

    write, world = snapshot._write, make_world(Random(3), contributors=4, assets=8)

    def late(*arguments: object) -> None:
        write(*arguments)  # type: ignore[arg-type]
        with turn:
            if late_ones:
                return
            late_ones.append(1)
            with library.write() as tx:
                world.put(tx)
                tx.record("test", "meanwhile", {})

    late_ones: list[int] = []
    turn = Lock()
    with library.read() as tx:
        before = head(tx.conn)
    monkeypatch.setattr(snapshot, "_write", late)
    taken = snapshot.extract(library, tmp_path / "one")
    assert late_ones and (taken.audit_size, taken.audit_root) == (before.size, before.root)
    rows = {path.stem: pq.read_metadata(path).num_rows for path in taken.folder.glob("*.parquet")}
    assert set(rows) == set(snapshot.selections()) and not any(rows.values())
    monkeypatch.undo()
    again = snapshot.extract(library, tmp_path / "two")
    assert again.audit_size == before.size + 1
    assert pq.read_metadata(again.folder / "asset.parquet").num_rows == 8
