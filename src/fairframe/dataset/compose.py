"""From cut shots to items: pseudonyms instead of people and assets, in an order that tells nothing."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from fairframe.core.ids import new_id
from fairframe.core.item_line import Item, Split
from fairframe.curation.selection import SelectedShot
from fairframe.dataset.cutting import Cut
from fairframe.library.tables import asset, contributor
from fairframe.platform.tx import Row, Tx
from fairframe.rights.agreement import Agreement
from fairframe.rights.pseudonyms import pseudonym

BATCH = 500


def assets_of(tx: Tx, ids: Collection[int]) -> dict[int, Row]:
    """Asset rows with their contributor's public id and name, by asset id."""
    wanted = sorted(ids)
    found: dict[int, Row] = {}
    for start in range(0, len(wanted), BATCH):
        statement = (
            sa.select(asset, contributor.c.public_id.label("contributor"), contributor.c.name.label("contributor_name"))
            .join(contributor, contributor.c.id == asset.c.contributor_id)
            .where(asset.c.id.in_(wanted[start : start + BATCH]))
        )
        found |= {int(row["id"]): row for row in tx.rows(statement)}
    return found


def compose(
    tx: Tx,
    agreement: Agreement,
    kept: Sequence[tuple[SelectedShot, Cut]],
    assets: dict[int, Row],
    allowed: Mapping[int, tuple[str, ...]],
) -> list[tuple[Item, SelectedShot]]:
    """The items of a release in their final order: by asset pseudonym, then by first frame.

    `allowed`: asset id -> codes of its clearance's findings.
    """
    secret, family = tx.ws.keys.library_secret(), agreement.family

    def made(shot: SelectedShot, cut: Cut) -> Item:
        source = assets[shot.asset_id]
        split: Split = "heldout" if shot.split == "heldout" else "train"
        return Item(
            id=new_id("itm"),
            asset=pseudonym(secret, family, source["public_id"]),
            contributor=pseudonym(secret, family, source["contributor"]),
            start=shot.start,
            end=shot.end,
            frames=cut.frames,
            fps=cut.fps,
            duration_ms=cut.duration_ms,
            content_hash=source["content_hash"],
            bytes_hash=cut.bytes_hash,
            size_bytes=cut.size_bytes,
            caption=without_name(shot.caption, source["contributor_name"]),
            split=split,
            group=pseudonym(secret, family, shot.group),
            findings=allowed[shot.asset_id],
        )

    items = [(made(shot, cut), shot) for shot, cut in kept]
    return sorted(items, key=lambda pair: (pair[0].asset, pair[0].start))


def without_name(caption: str, name: str) -> str:
    """A caption in which the contributor's full name, if the contributor wrote it there, is left out."""
    low, wanted = caption.casefold(), " ".join(name.split()).casefold()
    # casefold may change lengths ("ß"); then positions do not match and the whole caption goes
    if not wanted or wanted not in low:
        return caption
    if len(low) != len(caption):
        return ""
    while (at := low.find(wanted)) >= 0:
        caption = caption[:at] + caption[at + len(wanted) :]
        low = caption.casefold()
    return " ".join(caption.split())
