"""Each way of tampering with the tree is found and named."""

import pytest
import sqlalchemy as sa

from fairframe.core.canonical import canonical, parse
from fairframe.core.finding import Finding
from fairframe.core.merkle import leaf_hash
from fairframe.core.time import to_rfc3339
from fairframe.platform import audit, bundles
from fairframe.platform.audit_check import check_audit
from fairframe.platform.tables import audit_entry
from fairframe.platform.workspace import Workspace


@pytest.fixture
def history(library: Workspace, lab: Workspace) -> Workspace:
    for i in range(9):
        with library.write() as tx:
            tx.record("test.act", f"thing_{i}", {"i": i}, private={"who": f"person {i}"})
    return library


def unguarded(ws: Workspace, *statements: str) -> None:
    """What the owner of the database can do: switch the triggers off and write."""
    with ws.engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("set session_replication_role = replica"))
        else:
            for (name,) in conn.execute(sa.text("select name from sqlite_master where type = 'trigger'")).all():
                conn.execute(sa.text(f"drop trigger {name}"))
            conn.execute(sa.text("pragma defer_foreign_keys = on"))
        for statement in statements:
            conn.exec_driver_sql(statement)


def checks(ws: Workspace, *held: bytes) -> list[Finding]:
    with ws.read() as tx:
        return check_audit(tx, [bundles.check(tx, data) for data in held])


def failed(ws: Workspace, *held: bytes) -> set[str]:
    return {c.code for c in checks(ws, *held) if not c.ok}


def test_an_honest_tree_holds(history: Workspace, lab: Workspace) -> None:
    with history.write() as tx:
        document = bundles.issue(tx, "feed", lab.party_id, {})
    assert failed(history, document) == set()
    assert "audit.heads" in {c.code for c in checks(history, document)}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("update audit_entry set body = replace(body, 'test.act', 'test.act2') where seq = 7", "audit.entry"),
        ("delete from disclosure; delete from audit_entry where seq = 5", "audit.entry"),
        ("update audit_entry set kind = 'other' where seq = 4", "audit.entry"),
        ("update audit_entry set recorded_at_ms = recorded_at_ms + 31536000000 where seq = 4", "audit.entry"),
        ("update audit_node set hash = '00' where level = 1 and idx = 0", "audit.nodes"),
        ("update disclosure set value = 'x' where audit_seq = 5", "audit.disclosures"),
    ],
)
def test_edits_and_deletions_are_found(history: Workspace, statement: str, code: str) -> None:
    unguarded(history, *statement.split("; "))
    assert code in failed(history)


@pytest.mark.parametrize("page", [1, 3, 8])
def test_the_tree_is_read_in_pages(history: Workspace, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr("fairframe.platform.audit_check.STREAM", page)
    assert failed(history) == set()
    unguarded(history, "update audit_node set hash = '00' where level = 2 and idx = 1")
    assert failed(history) == {"audit.nodes"}
    unguarded(history, "delete from audit_node where level = 2 and idx = 0")
    assert [c.text for c in checks(history) if not c.ok] == ["2 stored nodes differ"]


def test_a_reordered_pair_is_found(history: Workspace) -> None:
    unguarded(
        history,
        "delete from disclosure",
        "update audit_entry set seq = 1000 where seq = 4",
        "update audit_entry set seq = 4 where seq = 5",
        "update audit_entry set seq = 5 where seq = 1000",
    )
    assert "audit.entry" in failed(history)


def test_an_inserted_entry_is_found(history: Workspace) -> None:
    """At the end, with all that an entry needs but its place in the tree; then between two others."""
    with history.read() as tx:
        last = tx.rows(audit_entry.select().order_by(audit_entry.c.seq.desc()).limit(1))[0]
    body = parse(last["body"])
    assert isinstance(body, dict)
    seq = last["seq"] + 1
    added = canonical({**body, "seq": seq})
    with history.engine.begin() as conn:
        values = {**last, "seq": seq, "body": added.decode(), "leaf_hash": leaf_hash(added).hex()}
        conn.execute(audit_entry.insert().values(**values))
    assert failed(history) >= {"audit.nodes"}
    unguarded(history, "delete from disclosure", f"update audit_entry set seq = {seq} + 1 where seq = {seq - 1}")
    unguarded(history, f"update audit_entry set seq = {seq - 1} where seq = {seq}")
    assert "audit.entry" in failed(history)


def test_time_that_goes_back_is_found(history: Workspace) -> None:
    """Also where the entry itself says so: rules take the last entry's time for the latest."""
    with history.read() as tx:
        row = tx.rows(audit_entry.select().where(audit_entry.c.seq == 4))[0]
    body = parse(row["body"])
    assert isinstance(body, dict)
    forged = canonical({**body, "at": to_rfc3339(row["recorded_at_ms"] - 1)})
    unguarded(history, "delete from audit_node")
    with history.engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("set session_replication_role = replica"))
        values = {
            "body": forged.decode(),
            "leaf_hash": leaf_hash(forged).hex(),
            "recorded_at_ms": row["recorded_at_ms"] - 1,
        }
        conn.execute(audit_entry.update().where(audit_entry.c.seq == 4).values(**values))
    rebuild(history)
    assert [c.text for c in checks(history) if c.code == "audit.entry"] == [
        "entry 4: it is older than the entry before it"
    ]


def test_a_cut_tail_is_found_by_an_older_head(history: Workspace, lab: Workspace) -> None:
    with history.write() as tx:
        document = bundles.issue(tx, "feed", lab.party_id, {})
    with history.read() as tx:
        size = audit.tree_size(tx.conn)
    keep = size - 4
    unguarded(
        history,
        "delete from document",
        f"delete from disclosure where audit_seq >= {keep}",
        f"delete from audit_entry where seq >= {keep}",
        "delete from audit_node",
    )
    rebuild(history)
    assert failed(history) == set()
    assert "audit.cut" in failed(history, document)


def test_a_rewritten_history_is_found_by_an_older_head(history: Workspace, lab: Workspace) -> None:
    with history.write() as tx:
        document = bundles.issue(tx, "feed", lab.party_id, {})
    with history.read() as tx:
        body = parse(tx.scalar(sa.text("select body from audit_entry where seq = 4")))
    assert isinstance(body, dict)
    forged = canonical({**body, "body": {"i": 99}})
    unguarded(history, "delete from document", "delete from audit_node")
    with history.engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("set session_replication_role = replica"))
        conn.execute(
            sa.text("update audit_entry set body = :b, leaf_hash = :h where seq = 4"),
            {"b": forged.decode(), "h": leaf_hash(forged).hex()},
        )
    rebuild(history)
    assert failed(history) == set()
    assert failed(history, document) == {"audit.rewritten"}


def rebuild(ws: Workspace) -> None:
    """Recompute every node, as a forger would."""
    from fairframe.platform.audit_check import _Tree

    tree = _Tree()
    with ws.engine.begin() as conn:
        for (body,) in conn.execute(sa.text("select body from audit_entry order by seq")).all():
            for level, idx, value in tree.add(leaf_hash(body.encode())):
                conn.execute(
                    sa.text("insert into audit_node (level, idx, hash) values (:l, :i, :h)"),
                    {"l": level, "i": idx, "h": value.hex()},
                )
