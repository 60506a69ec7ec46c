"""What an agreement's caps leave: of each release, or of all its releases together (the term `caps`).

Under `caps = "agreement"` a shot counts once, in however many releases it stands; what was published counts for good,
also after it was taken back: it was delivered, or could have been.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from fairframe.core.errors import Refused
from fairframe.curation.selection import Cap, SelectedShot
from fairframe.curation.tables import shot
from fairframe.dataset.tables import dataset_release, item
from fairframe.platform.tx import Tx
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement


def left(tx: Tx, agreement: Agreement) -> Cap:
    """What a new release may hold."""
    terms = agreement.terms
    if terms.caps == "release" or (terms.cap_ms is None and terms.clip_cap is None):
        return Cap(terms.cap_ms, terms.clip_cap)
    held = _held(tx, agreement)
    return Cap(
        None if terms.cap_ms is None else max(0, terms.cap_ms - sum(held.values())),
        None if terms.clip_cap is None else max(0, terms.clip_cap - len(held)),
        frozenset(held),
    )


def check(tx: Tx, agreement: Agreement, shots: Sequence[SelectedShot]) -> None:
    """Refused (release.over_cap) where the shots no longer fit, as another release was published meanwhile."""
    cap = left(tx, agreement)
    new = [one for one in shots if one.shot_id not in cap.held]
    length_ms = sum(one.end_ms - one.start_ms for one in new)
    if (cap.ms is not None and length_ms > cap.ms) or (cap.clips is not None and len(new) > cap.clips):
        raise Refused(
            "another release took what the agreement's caps left",
            code="release.over_cap",
            where=agreement.public_id,
            remedy="Build it again",
        )


def _held(tx: Tx, agreement: Agreement) -> dict[int, int]:
    """shot id -> milliseconds, of all releases under the agreement and the versions that it amends."""
    joined = item.join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
    joined = joined.join(shot, shot.c.id == item.c.shot_id)
    statement = sa.select(shot.c.id, shot.c.start_ms, shot.c.end_ms).select_from(joined).distinct()
    ids = [one.id for one in agreements.versions(tx, agreement)]
    rows = tx.rows(statement.where(dataset_release.c.agreement_id.in_(ids)))
    return {row["id"]: row["end_ms"] - row["start_ms"] for row in rows}
