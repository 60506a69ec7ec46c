"""Leases: the time-limited right to open a delivery, issued by the library and renewed with every feed."""

import sqlalchemy as sa

from fairframe.core.delivery_body import LeaseBody
from fairframe.core.errors import Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.tables import lease as lease_table
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement


def issue(tx: WriteTx, delivery: Row) -> bytes:
    """Sign a lease of `terms.lease_days` for a delivery, never beyond the end of the agreement that governs it.

    Raises Refused (lease.no_agreement) where no agreement of its family is in force.
    """
    agreement = agreements.active_in_family(tx, delivery["family"])
    if agreement is None:
        raise Refused(
            f"no agreement is in force for the delivery {delivery['name']}",
            code="lease.no_agreement",
            where=delivery["public_id"],
            remedy="Agree anew, then deliver again.",
        )
    return issue_under(tx, delivery, agreement)


def issue_under(tx: WriteTx, delivery: Row, agreement: Agreement) -> bytes:
    """Sign a lease for a delivery under an agreement that the caller knows to be in force."""
    ends_ms = min(tx.now_ms + agreement.terms.lease_ms, agreement.ends_ms)
    body = LeaseBody(delivery["public_id"], tx.now_ms, ends_ms)
    lease_id = new_id("lse")
    envelope = bundles.issue(tx, "lease", delivery["party"], body.to_json(), agreement.ref, id=lease_id)
    _keep(tx, "out", lease_id, body, envelope)
    tx.record("lease.issued", delivery["public_id"], {"lease": lease_id, **body.to_json()})
    return envelope


def take(tx: WriteTx, data: bytes) -> LeaseBody:
    """Accept a library's lease (lab side). The same lease again changes nothing.

    Raises what bundles.accept raises, and VerificationError (lease.stranger) for a delivery of another party.
    """
    accepted = bundles.accept(tx, data, "lease")
    body = LeaseBody.from_json(accepted.bundle.body)
    if not accepted.new:
        return body
    known = tx.row(delivery_table.select().where(delivery_table.c.public_id == body.delivery))
    if known is not None and known["party"] != accepted.bundle.sender:
        raise VerificationError(
            "the lease is for a delivery of another library", code="lease.stranger", where=accepted.bundle.id
        )
    _keep(tx, "in", accepted.bundle.id, body, data)
    tx.record("lease.taken", body.delivery, {"lease": accepted.bundle.id, **body.to_json()})
    return body


def newest(tx: Tx, delivery: str) -> Row | None:
    """The lease that counts for a delivery: the last one that was signed or taken, whatever it says."""
    where = lease_table.c.delivery == delivery
    return tx.row(sa.select(lease_table).where(where).order_by(lease_table.c.id.desc()).limit(1))


def _keep(tx: WriteTx, direction: str, lease_id: str, body: LeaseBody, envelope: bytes) -> None:
    tx.insert(
        lease_table,
        public_id=lease_id,
        direction=direction,
        delivery=body.delivery,
        starts_ms=body.starts_ms,
        ends_ms=body.ends_ms,
        envelope=envelope.decode(),
    )
