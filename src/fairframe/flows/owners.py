"""A change of an asset's owners, and what follows from it.

Every owner must permit, so a new owner without a yes takes the asset back from where it was delivered; receipts are
split by the new shares from when they hold. What was decided and allocated stays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fairframe.core.rational import Share
from fairframe.dataset import revocation
from fairframe.dataset.gate import close_behind
from fairframe.dataset.revocation import Revoked
from fairframe.dataset.sweep import denied
from fairframe.flows.items import cut_from
from fairframe.flows.opt_out import TakesBack, by_delivery
from fairframe.flows.undone import undone
from fairframe.library import owners
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, facts, moment, rulings
from fairframe.rights.rulings import Change

NOT_PERMITTED = "an owner has not permitted it"
SHOWN = 10
"""Assets that a preview shows one by one."""

Sets = Sequence[tuple[Row, Sequence[tuple[Row, Share]]]]


@dataclass(frozen=True)
class Turn:
    """Owners of an asset until now, and then, in words."""

    asset: str
    filename: str
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """What a change of owners would do. Nothing was written.

    turns: the first of the assets whose owners change, of `changed`. clearances: outcomes of these assets under each
    active agreement, when the change holds. takes_back: now.
    """

    assets: int
    changed: int
    turns: tuple[Turn, ...]
    clearances: tuple[Change, ...]
    takes_back: tuple[TakesBack, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "assets": self.assets,
            "changed": self.changed,
            "turns": [vars(one) for one in self.turns],
            "clearances": [vars(one) for one in self.clearances],
            "takes_back": [vars(one) for one in self.takes_back],
        }


def change(tx: WriteTx, sets: Sets, valid_from_ms: int | None = None) -> list[Revoked]:
    """State owners and take back what no longer clears. Raises what owners.state raises."""
    close_behind(tx)
    for row, parts in sets:
        owners.state(tx, row, parts, valid_from_ms)
    back = denied(tx, cut_from(tx, [row["id"] for row, _ in sets]))
    return revocation.revoke(tx, revocation.chosen_ids(tx, back), NOT_PERMITTED)


def preview(ws: Workspace, sets: Callable[[WriteTx], Sets], valid_from_ms: int | None = None) -> Preview:
    """What `change` would do with the sets. Raises what it and `sets` raise."""
    return undone(ws, lambda tx: _preview(tx, sets(tx), valid_from_ms))


def _preview(tx: WriteTx, sets: Sets, valid_from_ms: int | None) -> Preview:
    at_ms = max(moment.present(tx).at_ms, valid_from_ms or 0)
    rows = {row["id"]: row for row, _ in sets}
    held, views = _now(tx, rows, at_ms)
    revoked = change(tx, sets, valid_from_ms)
    then, later = _now(tx, rows, at_ms)
    turns = [
        Turn(row["public_id"], row["filename"], str(held.get(key, "")), str(then[key]))
        for key, row in rows.items()
        if key not in held or set(held[key].parts) != set(then[key].parts)
    ]
    active = [one for one in agreements.listing(tx) if one.active(at_ms)]
    return Preview(
        assets=len(rows),
        changed=len(turns),
        turns=tuple(turns[:SHOWN]),
        clearances=tuple(
            Change(one.public_id, one.offer, rulings.counts(views, one, at_ms), rulings.counts(later, one, at_ms))
            for one in active
        ),
        takes_back=tuple(by_delivery(tx, revoked)),
    )


def _now(tx: Tx, rows: dict[int, Row], at_ms: int) -> tuple[dict[int, owners.Owners], dict[int, facts.AssetView]]:
    return owners.of_assets(tx, rows, at_ms), facts.load(tx, rows, moment.Moment(at_ms))
