"""The workspace's one RFC 9162 Merkle tree. Every act is a leaf; complete subtrees are stored once.

An entry is canonical JSON {seq, at, kind, subject, body, commitments}; its leaf hash covers those bytes. Personal data
is committed to as SHA-256(salt || value) and can be erased by deleting its disclosure row.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fairframe.core import merkle
from fairframe.core.bundle import Head
from fairframe.core.canonical import canonical
from fairframe.core.errors import IntegrityFailure
from fairframe.core.merkle import GetNode
from fairframe.core.time import to_rfc3339
from fairframe.platform.tables import audit_entry, audit_node, disclosure

_LOCK = 0x66616972  # any constant: one audit tree per database


@dataclass(frozen=True)
class Entry:
    kind: str
    subject: str
    body: dict[str, Any]
    private: dict[str, str] = field(default_factory=dict[str, str])


def commitment(salt: str, value: str) -> str:
    """Hex SHA-256 over the hex-decoded 16-byte salt and the UTF-8 value."""
    return hashlib.sha256(bytes.fromhex(salt) + value.encode()).hexdigest()


def append(conn: sa.Connection, now_ms: int, entries: Sequence[Entry]) -> None:
    """Append entries under the tree's lock; the last statements of a transaction.

    READ COMMITTED with a transaction-level advisory lock on PostgreSQL; SQLite's BEGIN IMMEDIATE already is one.
    """
    if not entries:
        return
    lock(conn)
    start = tree_size(conn)
    # whoever began earlier may commit later: the entries' times never go back
    now_ms = max(now_ms, last_ms(conn))
    rows: list[dict[str, Any]] = []
    opened: list[dict[str, Any]] = []
    nodes: dict[tuple[int, int], bytes] = {}
    read = _reader(conn)

    def get(level: int, index: int) -> bytes:
        known = nodes.get((level, index))
        return known if known is not None else read(level, index)

    for seq, entry in enumerate(entries, start):
        secret = [(name, secrets.token_hex(16), value) for name, value in entry.private.items()]
        body = canonical(
            {
                "seq": seq,
                "at": to_rfc3339(now_ms),
                "kind": entry.kind,
                "subject": entry.subject,
                "body": entry.body,
                "commitments": {name: commitment(salt, value) for name, salt, value in secret},
            }
        )
        leaf = merkle.leaf_hash(body)
        rows.append(
            {
                "seq": seq,
                "recorded_at_ms": now_ms,
                "kind": entry.kind,
                "subject": entry.subject,
                "body": body.decode(),
                "leaf_hash": leaf.hex(),
            }
        )
        opened += [{"audit_seq": seq, "field": n, "salt": s, "value": v} for n, s, v in secret]
        for level, index, value in merkle.append(seq, leaf, get):
            nodes[(level, index)] = value
    conn.execute(audit_entry.insert(), rows)
    conn.execute(audit_node.insert(), [{"level": k[0], "idx": k[1], "hash": v.hex()} for k, v in nodes.items()])
    if opened:
        conn.execute(disclosure.insert(), opened)


def lock(conn: sa.Connection) -> None:
    """Hold the tree's lock until the transaction ends: what is recorded later is decided later."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def tree_size(conn: sa.Connection) -> int:
    return int(conn.execute(sa.select(sa.func.coalesce(sa.func.max(audit_entry.c.seq) + 1, 0))).scalar_one())


def last_ms(conn: sa.Connection) -> int:
    """The time of the last entry, which is the latest of all; 0 in an empty tree."""
    last = sa.select(audit_entry.c.recorded_at_ms).order_by(audit_entry.c.seq.desc()).limit(1)
    return int(conn.execute(last).scalar() or 0)


def head(conn: sa.Connection) -> Head:
    """Size and root of the tree as this transaction sees it (its own buffered entries not yet included)."""
    return head_at(conn, tree_size(conn))


def head_at(conn: sa.Connection, size: int) -> Head:
    """The head that the tree had at a size. Raises IntegrityFailure where the tree is smaller, or damaged."""
    (root,) = _at_once(conn, lambda get: [merkle.root(size, get)])
    return Head(size, root.hex())


def inclusion_proof(conn: sa.Connection, index: int, size: int) -> list[bytes]:
    """That an entry is in the tree of a size. Raises ValueError where that size does not hold the index."""
    return _at_once(conn, lambda get: merkle.inclusion_proof(index, size, get))


def consistency_proof(conn: sa.Connection, old: int, new: int) -> list[bytes]:
    """That the tree of the new size goes on from the old one. Raises ValueError unless 0 <= old <= new."""
    return _at_once(conn, lambda get: merkle.consistency_proof(old, new, get))


def _at_once(conn: sa.Connection, make: Callable[[GetNode], list[bytes]]) -> list[bytes]:
    """Run an algorithm of core.merkle over nodes that are read in one statement.

    Which nodes it asks for depends on sizes only: a first run over nothing tells them.
    """
    wanted: set[tuple[int, int]] = set()

    def note(level: int, index: int) -> bytes:
        wanted.add((level, index))
        return b""

    make(note)
    if not wanted:
        return make(note)
    # one place beside the other: SQLite reads the whole table for a list of pairs, but the index for each of these; as
    # plain text, since building it from expressions takes longer than reading the nodes
    places = " or ".join(f"(level = {level:d} and idx = {index:d})" for level, index in sorted(wanted))
    rows = conn.exec_driver_sql(f"select level, idx, hash from audit_node where {places}")  # noqa: S608 (integers only)
    nodes = {(row.level, row.idx): bytes.fromhex(row.hash) for row in rows}
    if len(nodes) != len(wanted):
        raise IntegrityFailure(
            f"{len(wanted) - len(nodes)} nodes of the audit tree are missing",
            code="audit.nodes",
            remedy="Run: fairframe verify audit",
        )
    return make(lambda level, index: nodes[(level, index)])


def _reader(conn: sa.Connection) -> Callable[[int, int], bytes]:
    statement = sa.select(audit_node.c.hash).where(
        audit_node.c.level == sa.bindparam("l"), audit_node.c.idx == sa.bindparam("i")
    )

    def get(level: int, index: int) -> bytes:
        return bytes.fromhex(conn.execute(statement, {"l": level, "i": index}).scalar_one())

    return get
