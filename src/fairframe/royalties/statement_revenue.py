"""The revenue that an allocation split, as a statement tells of it."""

from typing import Any

from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import events, pools


def revenue_of(tx: Tx, event: Row) -> dict[str, Any]:
    """As statement_body describes it. A refund says what was left, before it, of the event that it takes from."""
    return {
        "event": event["public_id"],
        "kind": event["kind"],
        "effective_at": to_rfc3339(event["effective_ms"]),
        "quantity": None if event["quantity"] is None else str(event["quantity"]),
        "of": _of(tx, event),
        "gross_minor": str(event["gross_minor"]),
        "tax_minor": str(event["tax_minor"]),
        "net_minor": str(event["net_minor"]),
    }


def _of(tx: Tx, event: Row) -> dict[str, str] | None:
    if event["of_id"] is None:
        return None
    other = events.of_row(tx, event["of_id"])
    left = (
        pools.left_of(tx, other, event) if event["kind"] in events.TAKEN else (other["gross_minor"], other["tax_minor"])
    )
    return {"event": other["public_id"], "left_gross_minor": str(left[0]), "left_tax_minor": str(left[1])}
