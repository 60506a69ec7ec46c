"""Which agreement of a family speaks: the one in force, else the newest that there was; and what it says of keeping."""

from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import NotFound
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement


def governing(tx: Tx, family: str) -> Agreement:
    """The agreement in force in a family; after its end the newest one that both signed still says what is owed.

    Raises NotFound where this workspace knows no agreement of the family.
    """
    signed = [one for one in agreements.listing(tx, family) if one.signed is not None]
    found = agreements.active_in_family(tx, family) or next(reversed(signed), None)
    if found is None:
        raise NotFound(
            f"no agreement of the family {family[:60]} is known here",
            code="agreement.missing",
            remedy="Sign the agreement first: fairframe rights sign agreement.json",
        )
    return found


def kept_until_ms(tx: Tx, delivery: Row) -> int:
    """When a delivery's retention ends: counted from its signature, which says the same time to both sides."""
    signed_ms = read_payload(read_envelope(delivery["envelope"].encode()).payload).issued_at_ms
    return signed_ms + governing(tx, delivery["family"]).terms.retention_ms


def held_until_ms(tx: Tx, delivery: Row) -> int:
    """Until when a delivery can give a right to its bytes, as both sides know it: its retention, or the last term that
    both signed in its family. What ends earlier, a feed tells."""
    signed = [one for one in agreements.listing(tx, delivery["family"]) if one.signed is not None]
    return min(kept_until_ms(tx, delivery), max(one.ends_ms for one in signed))
