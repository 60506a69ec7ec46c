"""What a revenue event is about: its kind, how much of what, the model, the event that it refers to."""

from dataclasses import dataclass

from fairframe.core.errors import InputError, NotFound
from fairframe.platform.tx import Row, Tx
from fairframe.royalties.events import FEES, GENERATIVE, INVOICE, TAKEN
from fairframe.training import reported

COUNTED = {"per_clip": "clips", "per_hour": "milliseconds", "output": "outputs", "export": "outputs"}
"""Kinds that are charged by quantity, and what is counted."""
MAX_QUANTITY = 2**53 - 1


@dataclass(frozen=True)
class About:
    """kind: one of events.FEES, GENERATIVE, TAKEN or INVOICE. model: the id of a checkpoint that a lab reported.

    quantity: clips, milliseconds or outputs, as COUNTED says. of: the reference of what a refund or chargeback takes
    from, or of the invoice that a receipt pays; "" for none.
    """

    kind: str = "flat"
    quantity: int | None = None
    model: str | None = None
    of: str = ""

    def check(self) -> None:
        """Raises InputError where kind, quantity, model and `of` do not fit together."""
        known = (*FEES, *GENERATIVE, *TAKEN, INVOICE)
        if self.kind not in known:
            raise InputError(
                f"{self.kind[:40]!r} is no kind of revenue", code="revenue.kind", remedy=f"Say {', '.join(known)}"
            )
        if (self.quantity is not None) != (self.kind in COUNTED):
            counted = COUNTED.get(self.kind)
            what = f"{self.kind} is charged by {counted}: say how many" if counted else f"{self.kind} has no quantity"
            raise InputError(what, code="revenue.quantity")
        if self.quantity is not None and not 0 < self.quantity <= MAX_QUANTITY:
            raise InputError("the quantity is not above zero, or too large", code="revenue.quantity")
        if self.kind in TAKEN and not self.of:
            raise InputError(
                f"a {self.kind} takes from an event",
                code="revenue.of",
                remedy="Say the reference of what it takes from",
            )
        if self.kind == INVOICE and self.of:
            raise InputError("an invoice refers to no other event", code="revenue.of")


FLAT = About()


def subject_of(tx: Tx, deal: Row, about: About) -> str:
    """The agreement's id, or the checkpoint's: the one of its first report. Raises NotFound, InputError.

    A model's revenue needs a commercial agreement with its lab, of the family that it was trained under.
    """
    if about.model is None:
        if about.kind in GENERATIVE:
            raise InputError(
                f"{about.kind} is revenue of a model", code="revenue.model", remedy="Name it: --model CHECKPOINT"
            )
        return str(deal["public_id"])
    if about.kind in FEES:
        raise InputError(
            f"{about.kind} is a fee for data, not revenue of a model",
            code="revenue.kind",
            remedy=f"Say {', '.join(GENERATIVE)}, or leave the model out",
        )
    found = reported.find(tx, about.model)
    if found is None:
        raise NotFound(
            f"no lab reported a checkpoint {about.model[:60]!r}",
            code="revenue.model",
            remedy="Take the lab's usage report first: fairframe royalties usage REPORT",
        )
    if (found["party"], found["family"]) != (deal["lab_party"], deal["family"]) or deal["purpose"] != "commercial":
        wrong = "is not commercial" if deal["purpose"] != "commercial" else "is not the one that it was trained under"
        raise InputError(
            f"the agreement {wrong}",
            code="revenue.model",
            where=found["public_id"],
            remedy="Name the agreement that covers commercial use of the model",
        )
    return str(found["public_id"])
