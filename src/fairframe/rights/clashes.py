"""Whether an agreement may come into force beside those that are: exclusivity.py, asked of the tables."""

from collections.abc import Iterable

import sqlalchemy as sa

from fairframe.core.errors import Refused
from fairframe.library.tables import collection, collection_asset
from fairframe.platform import bundles
from fairframe.platform.tx import Tx
from fairframe.rights.agreement import Agreement
from fairframe.rights.exclusivity import Scope, clash


def refuse(tx: Tx, new: Scope, held: Iterable[Agreement]) -> None:
    """Refused (agreement.clash) where an agreement that is in force, or signed and yet to begin, stands against it."""
    found = against(tx, new, held)
    if found:
        raise Refused(
            f"it clashes with {len(found)} agreement{'s' if len(found) > 1 else ''} of other labs",
            code="agreement.clash",
            where=new.agreement,
            reasons=[line for lines in found.values() for line in lines],
            remedy="Wait until that ends, end it (fairframe rights end), or agree on another scope",
        )


def against(tx: Tx, new: Scope, held: Iterable[Agreement]) -> dict[str, list[str]]:
    """agreement id -> why `new` cannot be in force beside it."""
    now = bundles.trusted_now_ms(tx)

    def shared(ours: frozenset[str], theirs: frozenset[str]) -> bool:
        return _shared(tx, ours, theirs)

    standing = (one for one in held if one.public_id != new.agreement and one.state(now) in ("active", "pending"))
    checked = ((one.public_id, clash(new, one.scope(), shared)) for one in standing)
    return {agreement: lines for agreement, lines in checked if lines}


def _shared(tx: Tx, ours: frozenset[str], theirs: frozenset[str]) -> bool:
    def members(named: frozenset[str]) -> "sa.Select[tuple[int]]":
        joined = collection_asset.join(collection, collection.c.id == collection_asset.c.collection_id)
        some = sa.select(collection_asset.c.asset_id).select_from(joined)
        return some.where(collection.c.public_id.in_(sorted(named)))

    both = members(ours).where(collection_asset.c.asset_id.in_(members(theirs)))
    return tx.scalar(both.limit(1)) is not None
