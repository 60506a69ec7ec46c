"""What hangs on a pinned party, told before it is unpinned. Changes nothing."""

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.dataset.tables import delivery, obligation, obligation_event
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements

STANDING = ("offered", "pending", "active")


@dataclass(frozen=True)
class Depends:
    """agreements: (id, state) of those that stand. deliveries: made to it or received. open: deletions still due.

    documents: what it signed and was taken; all of it stays.
    """

    party: str
    name: str
    role: str
    agreements: tuple[tuple[str, str], ...]
    deliveries: int
    open: int
    documents: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def words(self) -> list[str]:
        """What unpinning the party does and leaves, a line each."""
        lines = [f"{public_id} is {state} and stays so" for public_id, state in self.agreements]
        if self.role == "lab":
            if self.agreements:
                lines.append("to end an agreement: fairframe rights end AGREEMENT")
            lines.append("its usage reports and attestations are refused; no offer, delivery or grant is signed for it")
            lines.append(f"{self.deliveries} deliveries were made to it; feeds of what is taken back still go to it")
        else:
            lines.append("its offers, deliveries, leases and feeds are refused")
            lines.append(f"{self.deliveries} deliveries of it close when their lease ends or their feed is too old")
        if self.open:
            lines.append(f"{self.open} clips are to be deleted, which stays due")
        lines.append(f"{self.documents} documents that it signed stay as evidence")
        return lines


def depends_on(tx: Tx, party: Row) -> Depends:
    """Everything here that the party is a side of."""
    public_id = party["public_id"]
    deals = [one for one in agreements.listing(tx) if public_id in (one.library, one.lab)]
    done = sa.select(obligation_event.c.obligation_id).where(obligation_event.c.kind == "attested")
    due = (obligation.c.party == public_id) & obligation.c.id.not_in(done)
    return Depends(
        party=public_id,
        name=party["name"],
        role=party["role"],
        agreements=tuple((one.public_id, state) for one in deals if (state := one.state(tx.now_ms)) in STANDING),
        deliveries=_count(tx, delivery, delivery.c.party == public_id),
        open=_count(tx, obligation, due),
        documents=_count(tx, document, (document.c.sender == public_id) & (document.c.direction == "in")),
    )


def _count(tx: Tx, table: sa.Table, where: sa.ColumnElement[bool]) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(where)))
