"""Exporting log proofs: a party shows what is in its audit tree to whoever holds one of its heads, or wants one.

The heads of another party come with each of its documents (Bundle.audit_head) and stay in `peer_head`.
"""

import sqlalchemy as sa

from fairframe.core.bundle import Bundle, Head
from fairframe.core.errors import InputError, IntegrityFailure, NotFound
from fairframe.core.finding import Finding
from fairframe.core.log_proof_body import TYPE, Act, LogProof
from fairframe.platform import audit, bundles
from fairframe.platform.tables import audit_entry, document, party, peer_head
from fairframe.platform.tx import Row, Tx, WriteTx

MOST_TOLD = 20


def acts(tx: Tx, about: str = "", last: int = 50) -> list[Row]:
    """The newest entries of the tree, newest first; `about`: only those on one subject (a public id)."""
    chosen = audit_entry.select().order_by(audit_entry.c.seq.desc()).limit(last)
    return list(tx.rows(chosen.where(audit_entry.c.subject == about) if about else chosen))


def head_of(tx: Tx, data: bytes) -> Head:
    """The head of our tree that a document of ours carries, as somebody else kept it.

    Raises VerificationError or BadDocument where it does not hold, InputError (proof.not_ours, proof.no_head).
    """
    bundle = bundles.check(tx, data)
    if bundle.sender != tx.ws.party_id:
        raise InputError(
            "another party signed it: it holds no head of this tree",
            code="proof.not_ours",
            where=bundle.id,
            remedy="Give a document that this workspace signed",
        )
    if bundle.audit_head is None:
        raise InputError("it holds no audit head", code="proof.no_head", where=bundle.id, remedy="Give another one")
    return bundle.audit_head


def make(
    tx: Tx, *, act: int | None = None, under: Head | int | None = None, since: Head | int | None = None
) -> LogProof:
    """A proof that entry `act` is in the tree under a head, and that this head goes on from an older one.

    under: a head or a size, None for the tree as it is now. since: an older head or size. Raises InputError
    (proof.nothing, proof.size), NotFound (proof.no_act), IntegrityFailure (proof.other_history) where a head that was
    given is not one of this tree: then nothing can be proved.
    """
    if act is None and since is None:
        raise InputError(
            "nothing to prove was named",
            code="proof.nothing",
            remedy="Name an entry (fairframe audit acts), an older head (--since), or both",
        )
    head = audit.head(tx.conn) if under is None else _own(tx, under)
    older = None if since is None else _own(tx, since)
    if older is not None and older.size > head.size:
        raise InputError(f"a tree of {head.size} entries cannot go on from one of {older.size}", code="proof.size")
    entry = None if act is None else _act(tx, act, head)
    return LogProof(
        head,
        entry,
        () if entry is None else tuple(audit.inclusion_proof(tx.conn, entry.seq, head.size)),
        older,
        () if older is None else tuple(audit.consistency_proof(tx.conn, older.size, head.size)),
    )


def issue(tx: WriteTx, proof: LogProof, recipient: str = "") -> bytes:
    """Sign a proof, for a party or (by default) for anyone. Returns the envelope.

    Raises IntegrityFailure where the stored tree no longer gives a proof that holds.
    """
    if (proof.act is not None and not proof.includes()) or (proof.older is not None and not proof.extends()):
        raise IntegrityFailure(
            "the audit tree gives a proof that does not hold",
            code="audit.nodes",
            remedy="Run: fairframe verify audit",
        )
    return bundles.issue(tx, TYPE, recipient, proof.to_json())


def known(tx: Tx) -> list[Row]:
    """The parties of whose trees heads are held here, also those that are no longer trusted."""
    of_them = sa.select(peer_head.c.party).distinct()
    return list(tx.rows(party.select().where(party.c.public_id.in_(of_them)).order_by(party.c.id)))


def held(tx: Tx, party_id: str) -> list[Row]:
    """The heads of a party's tree that came with its documents, and the ids of these, by size."""
    chosen = sa.select(peer_head.c.tree_size, peer_head.c.root, document.c.public_id, document.c.issued_at_ms)
    joined = chosen.join(document, document.c.id == peer_head.c.document_id).where(peer_head.c.party == party_id)
    return list(tx.rows(joined.order_by(peer_head.c.tree_size, peer_head.c.id)))


def compare(tx: Tx, bundle: Bundle, proof: LogProof) -> list[Finding]:
    """What a proof that holds in itself is worth beside the heads of its sender that are held here."""
    told = {one.size: one.root for one in (bundle.audit_head, proof.older, proof.head) if one is not None}
    if bundle.sender == tx.ws.party_id:
        size = audit.tree_size(tx.conn)
        heads = [(n, audit.head_at(tx.conn, n).root, "this workspace's tree") for n in told if n <= size]
    else:
        heads = [(row["tree_size"], row["root"], row["public_id"]) for row in held(tx, bundle.sender)]
    if not heads:
        return [Finding(None, "log.held", "no head of its sender is held here to compare it with")]
    same = [who for size, root, who in heads if told.get(size) == root]
    other = [(size, who) for size, root, who in heads if size in told and told[size] != root]
    found = [
        Finding(False, "log.split_view", f"{who} shows another history of {size} entries: keep both as evidence")
        for size, who in other[:MOST_TOLD]
    ]
    if same:
        return [*found, Finding(True, "log.held", f"{len(same)} heads that are held here are of this very history")]
    if not found:
        text = f"the newest head held here is of {heads[-1][0]} entries: ask for a proof that goes on from it"
        found = [Finding(None, "log.held", text)]
    return found


def check_peers(tx: Tx) -> list[Finding]:
    """Whether the heads that came from each other party can be of one tree that only grows.

    Two of one size with different roots show two histories. Documents of one series (same sender, recipient, type and
    agreement) are numbered under the tree's lock: a later number over a smaller tree shows that it was cut.
    """
    columns = (document.c.sender, document.c.recipient, document.c.type, document.c.agreement, document.c.seq)
    chosen = sa.select(*columns, document.c.public_id, peer_head.c.tree_size, peer_head.c.root)
    rows = tx.rows(chosen.join(document, document.c.id == peer_head.c.document_id).order_by(*columns))
    roots: dict[tuple[str, int], Row] = {}
    last: dict[tuple[str, ...], Row] = {}
    bad: list[str] = []
    for row in rows:
        first = roots.setdefault((row["sender"], row["tree_size"]), row)
        if first["root"] != row["root"]:
            bad.append(f"{first['public_id']} and {row['public_id']} of {row['sender']} show two histories of"
                       f" {row['tree_size']} entries: keep both as evidence")  # fmt: skip
        series = (row["sender"], row["recipient"], row["type"], row["agreement"])
        before = last.setdefault(series, row)
        if before["tree_size"] > row["tree_size"]:
            bad.append(f"{row['sender']} signed {before['public_id']} over {before['tree_size']} entries, and later"
                       f" {row['public_id']} over {row['tree_size']}: its tree was cut")  # fmt: skip
        last[series] = row
    if bad:
        return [Finding(False, "audit.peer_split", text) for text in bad[:MOST_TOLD]]
    return [Finding(True, "audit.peer_heads", f"{len(rows)} heads of other parties do not contradict each other")]


def _own(tx: Tx, wanted: Head | int) -> Head:
    """The head of our tree at a size; a given one has to be it."""
    size, now = wanted if isinstance(wanted, int) else wanted.size, audit.tree_size(tx.conn)
    if not 0 <= size <= now:
        raise InputError(
            f"this tree has {now} entries, not {size}", code="proof.size", remedy="See: fairframe audit heads"
        )
    head = audit.head_at(tx.conn, size)
    if isinstance(wanted, Head) and wanted != head:
        raise IntegrityFailure(
            f"the given head is of another history of {size} entries",
            code="proof.other_history",
            remedy="Run: fairframe verify audit --against DOCUMENT",
        )
    return head


def _act(tx: Tx, seq: int, head: Head) -> Act:
    row = tx.row(audit_entry.select().where(audit_entry.c.seq == seq)) if 0 <= seq < head.size else None
    if row is None:
        raise NotFound(
            f"there is no entry {seq} in the tree of {head.size} entries",
            code="proof.no_act",
            remedy="Entries count from 0. See: fairframe audit acts",
        )
    return Act.read(str(row["body"]))
