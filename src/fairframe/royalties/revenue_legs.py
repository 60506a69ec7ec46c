"""What each kind of revenue event posts: pure rules from amounts to balanced legs, in micro units.

The sign is the ledger's. Accounts whose amounts cancel out are left out.

    receipt                 cash +gross                      tax -tax, library -(net - pool), pool:EVENT -pool
    invoice, recognized     receivable:EVENT +gross          tax -tax, library -(net - pool), pool:EVENT -pool
    invoice, not recognized receivable:EVENT +gross          clearing -gross
    payment of the former   cash +gross                      receivable:INVOICE -gross
    payment of the latter   cash, clearing +gross            receivable:INVOICE -gross, tax, library, pool:EVENT
    refund, chargeback      pool:EVENT, library, tax back    cash -gross (or receivable:INVOICE where it was not paid)
    credit, not recognized  clearing +gross                  receivable:INVOICE -gross
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fairframe.core.money import MICRO
from fairframe.royalties import ledger
from fairframe.royalties.ledger import CASH, CLEARING, LIBRARY, TAX, Leg


@dataclass(frozen=True)
class Amounts:
    """gross_minor with tax_minor in it, both zero or above; pool_micro of it is the contributors'."""

    currency: str
    gross_minor: int
    tax_minor: int
    pool_micro: int

    @property
    def gross_micro(self) -> int:
        return self.gross_minor * MICRO


def receipt(event: str, a: Amounts) -> list[Leg]:
    """Money received that no invoice announced."""
    return _legs(a, {CASH: a.gross_micro}, _earned(event, a))


def invoice(event: str, a: Amounts, *, recognized: bool) -> list[Leg]:
    """Money asked for. recognized: it is earned by that already."""
    owed = {ledger.receivable(event): a.gross_micro}
    return _legs(a, owed, _earned(event, a) if recognized else {CLEARING: -a.gross_micro})


def payment(event: str, invoice_id: str, a: Amounts, *, recognized: bool) -> list[Leg]:
    """Money received for an invoice. recognized: the invoice was earned when it was written."""
    paid = {CASH: a.gross_micro, ledger.receivable(invoice_id): -a.gross_micro}
    return _legs(a, paid) if recognized else _legs(a, paid, {CLEARING: a.gross_micro}, _earned(event, a))


def taken(event: str, a: Amounts, *, invoice_id: str = "", unpaid_minor: int = 0) -> list[Leg]:
    """What was earned goes back: in cash, but for unpaid_minor of it, by which a recognized invoice is lowered."""
    back = {account: -amount for account, amount in _earned(event, a).items()}
    lowered = {ledger.receivable(invoice_id): -unpaid_minor * MICRO} if unpaid_minor else {}
    return _legs(a, {CASH: -(a.gross_minor - unpaid_minor) * MICRO}, lowered, back)


def credit(invoice_id: str, a: Amounts) -> list[Leg]:
    """An invoice that was not recognized is lowered before it is paid."""
    return _legs(a, {ledger.receivable(invoice_id): -a.gross_micro, CLEARING: a.gross_micro})


def _earned(event: str, a: Amounts) -> dict[str, int]:
    net_micro = (a.gross_minor - a.tax_minor) * MICRO
    return {TAX: -a.tax_minor * MICRO, LIBRARY: a.pool_micro - net_micro, ledger.pool(event): -a.pool_micro}


def _legs(a: Amounts, *parts: Mapping[str, int]) -> list[Leg]:
    sums: dict[str, int] = {}
    for part in parts:
        for account, amount in part.items():
            sums[account] = sums.get(account, 0) + amount
    return [Leg(account, a.currency, amount) for account, amount in sums.items() if amount]
