"""Checks the audit tree against itself and against heads that others hold.

A database's owner can rewrite entries and recompute the tree; only a head that left this workspace (in a document
that it signed, kept by the other side) shows that. Heads inside the own database prove nothing against its owner.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from fairframe.core import merkle
from fairframe.core.bundle import Bundle, Head
from fairframe.core.canonical import parse
from fairframe.core.errors import FairframeError
from fairframe.core.finding import Finding
from fairframe.core.time import from_rfc3339
from fairframe.platform.audit_rows import STREAM
from fairframe.platform.tables import audit_entry, audit_node, disclosure, document
from fairframe.platform.tx import Row, Tx

Nodes = dict[tuple[int, int], str]
"""(level, index) -> hash of stored nodes."""


@dataclass
class _Tree:
    """Streams leaves and keeps only the complete subtrees of the right edge: O(log n) memory."""

    size: int = 0
    edge: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])

    def add(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        made = [(0, self.size, leaf)]
        level, value = 0, leaf
        while self.edge and self.edge[-1][0] == level:
            value = merkle.node_hash(self.edge.pop()[1], value)
            level += 1
            made.append((level, self.size >> level, value))
        self.edge.append((level, value))
        self.size += 1
        return made

    def root(self) -> str:
        if not self.edge:
            return merkle.EMPTY_ROOT.hex()
        value = self.edge[-1][1]
        for _, left in reversed(self.edge[:-1]):
            value = merkle.node_hash(left, value)
        return value.hex()


def check_audit(tx: Tx, held: Sequence[Bundle] = ()) -> list[Finding]:
    """Recompute every leaf and node; compare with `held`: bundles this workspace signed earlier, kept by others."""
    known: dict[int, list[tuple[str, Head]]] = {}
    for row in tx.rows(sa.select(document.c.envelope, document.c.public_id).where(document.c.direction == "out")):
        _note_head(known, row["public_id"], _head_of(row["envelope"]))
    for bundle in held:
        _note_head(known, bundle.id, bundle.audit_head)
    checks: list[Finding] = []
    tree = _Tree()
    bad_node = 0
    matched = _compare(known, tree, checks)
    last_ms = 0
    for row, nodes in _entries(tx):
        problem = _entry_problem(row, tree.size, last_ms)
        if problem:
            checks.append(Finding(False, "audit.entry", f"entry {tree.size}: {problem}"))
            break
        for level, index, value in tree.add(merkle.leaf_hash(row["body"].encode())):
            bad_node += nodes.get((level, index)) != value.hex()
        last_ms = int(row["recorded_at_ms"])
        matched += _compare(known, tree, checks)
    else:
        checks.append(
            Finding(True, "audit.entries", f"{tree.size} entries match their hashes, in order")
            if tree.size
            else Finding(False, "audit.empty", "the tree is empty: this workspace's first entry was its own party")
        )
        checks.append(
            Finding(
                bad_node == 0 and _node_count(tx) == 2 * tree.size - tree.size.bit_count(),
                "audit.nodes",
                "the stored tree is the tree of its entries" if not bad_node else f"{bad_node} stored nodes differ",
            )
        )
        for size in sorted(s for s in known if s > tree.size):
            checks.append(
                Finding(
                    False,
                    "audit.cut",
                    f"the tree has {tree.size} entries, but {known[size][0][0]} was signed at {size}",
                )
            )
    if matched:
        checks.append(Finding(True, "audit.heads", f"{matched} signed heads agree with the tree"))
    checks.append(_commitments(tx))
    return checks


def _note_head(known: dict[int, list[tuple[str, Head]]], who: str, head: Head | None) -> None:
    if head is not None:
        known.setdefault(head.size, []).append((who, head))


def _head_of(envelope: str) -> Head | None:
    from fairframe.core import bundle, dsse

    try:
        return bundle.read_payload(dsse.read_envelope(envelope.encode()).payload).audit_head
    except FairframeError:
        return None


def _compare(known: dict[int, list[tuple[str, Head]]], tree: _Tree, checks: list[Finding]) -> int:
    good = 0
    for who, head in known.get(tree.size, []):
        if head.root == tree.root():
            good += 1
        else:
            checks.append(
                Finding(False, "audit.rewritten", f"{who} was signed over another history of {head.size} entries")
            )
    return good


def _entries(tx: Tx) -> Iterator[tuple[Row, Nodes]]:
    """Every entry, with the nodes that its page of entries completed: memory is bounded by a page."""
    after, count = -1, 0
    while page := tx.rows(
        audit_entry.select().where(audit_entry.c.seq > after).order_by(audit_entry.c.seq).limit(STREAM)
    ):
        nodes = _nodes(tx, count + 1, count + len(page))
        yield from ((row, nodes) for row in page)
        after, count = int(page[-1]["seq"]), count + len(page)


def _entry_problem(row: Row, expected: int, last_ms: int) -> str:
    if row["seq"] != expected:
        return f"missing (the next one is {row['seq']})"
    if merkle.leaf_hash(row["body"].encode()).hex() != row["leaf_hash"]:
        return "its content does not match its hash"
    try:
        body = parse(row["body"])
        if not isinstance(body, dict) or body.get("seq") != expected:
            return "it stands in another's place"
        at_ms = from_rfc3339(str(body.get("at")))
    except FairframeError as error:
        return error.message
    if (body.get("kind"), body.get("subject"), at_ms) != (row["kind"], row["subject"], row["recorded_at_ms"]):
        return "its columns differ from its content"
    if at_ms < last_ms:
        return "it is older than the entry before it"
    return ""


def _nodes(tx: Tx, first: int, last: int) -> Nodes:
    """The stored nodes that were completed when the tree grew to the sizes from `first` to `last`."""
    found: Nodes = {}
    for level in range(last.bit_length()):
        # the node (level, idx) is complete at the size (idx + 1) * 2**level
        begin, end = -(-first >> level) - 1, (last >> level) - 1
        rows = tx.rows(audit_node.select().where(audit_node.c.level == level, audit_node.c.idx.between(begin, end)))
        found |= {(row["level"], row["idx"]): row["hash"] for row in rows}
    return found


def _node_count(tx: Tx) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(audit_node)))


def _commitments(tx: Tx) -> Finding:
    from fairframe.platform.audit import commitment

    bodies = sa.select(disclosure, audit_entry.c.body).join(audit_entry, audit_entry.c.seq == disclosure.c.audit_seq)
    count = wrong = 0
    for row in tx.execute(bodies.execution_options(yield_per=STREAM)).mappings():
        count += 1
        body = parse(row["body"])
        commitments = body.get("commitments") if isinstance(body, dict) else None
        expected = commitments.get(row["field"]) if isinstance(commitments, dict) else None
        wrong += expected != commitment(row["salt"], row["value"])
    text = f"{count} disclosed values open their commitments" if not wrong else f"{wrong} disclosed values differ"
    return Finding(wrong == 0, "audit.disclosures", text)
