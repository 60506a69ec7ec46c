"""Agreements and who is who, on either side."""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.bundle import Head
from fairframe.flows.report_words import clean, minor
from fairframe.platform import audit, trust
from fairframe.platform.tables import audit_entry, party, peer_head
from fairframe.platform.tx import Tx
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement

SHOWN = 12


@dataclass(frozen=True)
class Deal:
    """An agreement and its state now. other: the name of the other party."""

    agreement: Agreement
    state: str
    other: str

    @property
    def title(self) -> str:
        return f"{clean(self.agreement.offer, 40).capitalize()} license"

    @property
    def fee(self) -> str:
        return minor(self.agreement.fee.minor, self.agreement.fee.currency.code)


@dataclass(frozen=True)
class Who:
    """A workspace: its party, its key's fingerprint, its audit head, and the heads of others that it holds."""

    name: str
    role: str
    party: str
    fingerprint: str
    head: Head
    kinds: tuple[tuple[str, int], ...]
    pinned: tuple[tuple[str, str, str], ...]
    held: tuple[tuple[str, int, str], ...]


def deals_of(tx: Tx) -> tuple[Deal, ...]:
    """The newest agreements, oldest first."""
    names = {row["public_id"]: clean(row["name"], 60) for row in tx.rows(party.select())}
    found: list[Deal] = []
    for one in agreements.listing(tx)[-SHOWN:]:
        other = one.lab if tx.ws.role == "library" else one.library
        found.append(Deal(one, one.state(tx.now_ms), names.get(other, other)))
    return tuple(found)


def who_of(tx: Tx) -> Who:
    """The party of this workspace. kinds: audit entries by the noun that they begin with, most frequent first."""
    rows = tx.rows(party.select().order_by(party.c.id))
    known, others = trust.documents(tx), [row for row in rows if not row["is_self"]]
    counted = tx.rows(sa.select(audit_entry.c.kind, sa.func.count().label("n")).group_by(audit_entry.c.kind))
    nouns: dict[str, int] = {}
    for row in counted:
        noun = clean(str(row["kind"]).split(".")[0], 40)
        nouns[noun] = nouns.get(noun, 0) + int(row["n"])
    names = {row["public_id"]: clean(row["name"], 60) for row in rows}
    newest = sa.select(sa.func.max(peer_head.c.id)).group_by(peer_head.c.party)
    held = tx.rows(peer_head.select().where(peer_head.c.id.in_(newest)))
    return Who(
        name=clean(tx.ws.name, 80),
        role=tx.ws.role,
        party=tx.ws.party_id,
        fingerprint=known[tx.ws.party_id].fingerprint,
        head=audit.head(tx.conn),
        kinds=tuple(sorted(nouns.items(), key=lambda pair: (-pair[1], pair[0]))),
        pinned=tuple((clean(r["name"], 60), r["role"], known[r["public_id"]].fingerprint) for r in others)[:SHOWN],
        held=tuple((names.get(str(r["party"]), str(r["party"])), int(r["tree_size"]), r["root"]) for r in held)[:SHOWN],
    )
