"""A library's grant: a later agreement of the family extends to a checkpoint that was trained before it.

It is a bundle of type "grant" to the lab, issued under the later agreement. Its body names the checkpoint, its
weights, the agreement and the family; whether it may be given is decided at the library (flows/upgrade.py).
"""

from dataclasses import dataclass

from fairframe.core.errors import NotFound, Refused, VerificationError
from fairframe.core.grant_body import GrantBody
from fairframe.platform import bundles
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements
from fairframe.training import registry
from fairframe.training.happened import happen

TYPE = "grant"


@dataclass(frozen=True)
class Granted:
    """A checkpoint to which an agreement now extends. document: the grant's id. new: False where it was taken."""

    checkpoint: str
    name: str
    agreement: str
    document: str
    new: bool


def take(tx: WriteTx, data: bytes) -> Granted:
    """Lab: accept a grant. The same bytes again change nothing. Several are taken in the order of their numbers.

    Raises what bundles.accept raises, BadDocument, NotFound (checkpoint or agreement unknown here),
    VerificationError (grant.mismatch: other weights, another library, family or agreement), Refused (grant.inactive).
    """
    accepted = bundles.accept(tx, data, TYPE)
    bundle, body = accepted.bundle, GrantBody.from_json(accepted.bundle.body)
    agreement = agreements.find(tx, body.agreement)
    row = registry.find(tx, body.checkpoint)
    if row["public_id"] != body.checkpoint:
        raise NotFound(f"no checkpoint {body.checkpoint} is here", code="model.missing")
    wrong = [
        text
        for holds, text in (
            (bundle.sender == agreement.library, "it comes from another party than the agreement's library"),
            (bundle.agreement == agreement.ref, "it is issued under another agreement than it names"),
            (body.family == agreement.family == row["family"], "the families of agreement and checkpoint differ"),
            (body.weights_hash == row["weights_hash"], "it is for other weights"),
        )
        if not holds
    ]
    if wrong:
        raise VerificationError(f"the grant does not fit: {'; '.join(wrong)}", code="grant.mismatch", where=bundle.id)
    if accepted.new:
        if not agreement.active(bundles.trusted_now_ms(tx)):
            raise Refused(f"the agreement {agreement.public_id} is not in force", code="grant.inactive")
        happen(tx, row, "granted", agreement=agreement.public_id, document=bundle.id)
    return Granted(row["public_id"], row["name"], agreement.public_id, bundle.id, accepted.new)


def envelope_of(tx: Tx, document_id: str) -> str:
    """The signed text of a grant that was taken. Raises NotFound."""
    row: Row | None = tx.row(document.select().where(document.c.public_id == document_id, document.c.type == TYPE))
    if row is None:
        raise NotFound(f"the grant {document_id} is not here", code="grant.missing")
    return str(row["envelope"])
