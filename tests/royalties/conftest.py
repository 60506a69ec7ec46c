"""Rows for royalties tests: contributors, assets, agreements, releases and deliveries, straight into the tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from fairframe.core.ids import new_id
from fairframe.core.money import Money, parse_money
from fairframe.curation.tables import shot
from fairframe.dataset.tables import dataset_release, delivery, item
from fairframe.library.tables import asset, contributor, ownership
from fairframe.platform.tx import Row, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights.pseudonyms import pseudonym
from fairframe.rights.tables import agreement
from fairframe.royalties import revenue

DAY_MS = 86_400_000


@dataclass
class World:
    """A library with contributors. Names stand for rows; `asset` is named "<contributor>-<n>"."""

    ws: Workspace
    lab: str = "pty_" + "0" * 26
    contributors: dict[str, Row] = field(default_factory=dict[str, Row])
    assets: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def person(self, tx: WriteTx, name: str) -> Row:
        if name not in self.contributors:
            public_id = new_id("ctr")
            tx.insert(contributor, public_id=public_id, name=name)
            row = tx.row(contributor.select().where(contributor.c.public_id == public_id))
            assert row is not None
            self.contributors[name] = row
        return self.contributors[name]

    def clip(self, tx: WriteTx, name: str, title: str = "") -> dict[str, Any]:
        if name not in self.assets:
            owner = self.person(tx, name.rpartition("-")[0])
            values = {
                "public_id": new_id("ast"),
                "contributor_id": owner["id"],
                "filename": f"{name}.mp4",
                "kind": "video",
                "quantity": 10_000,
                "unit": "ms",
                "title": title or f"Title of {name}",
                "description": "",
                "keywords": [],
                "source": "",
                "source_license": "",
                "extra": {},
                "content_hash": new_id("ast"),
                "size_bytes": 1,
                "container": "mp4",
                "codec": "h264",
                "width": 640,
                "height": 360,
                "fps_num": 24,
                "fps_den": 1,
                "vfr": False,
                "frames": 240,
                "duration_ms": 10_000,
                "bit_depth": 8,
                "audio": False,
                "probe": {},
            }
            self.assets[name] = {**values, "id": tx.insert(asset, **values)}
        return self.assets[name]

    def own(self, tx: WriteTx, name: str, valid_from_ms: int, **shares: tuple[int, int]) -> None:
        for who, (num, den) in shares.items():
            tx.insert(
                ownership, asset_id=self.clip(tx, name)["id"], contributor_id=self.person(tx, who)["id"],
                share_num=num, share_den=den, valid_from_ms=valid_from_ms,
            )  # fmt: skip

    def agree(
        self, tx: WriteTx, *, basis: str = "delivered_ms", share: str = "1/5", currency: str = "USD",
        upgrade_of: str | None = None, purpose: str = "research", terms: dict[str, Any] | None = None,
    ) -> str:  # fmt: skip
        public_id = new_id("agr")
        family = public_id
        if upgrade_of is not None:
            older = tx.row(agreement.select().where(agreement.c.public_id == upgrade_of))
            assert older is not None
            family = older["family"]
        tx.insert(
            agreement, public_id=public_id, version=1, family=family, offer=purpose, offer_version=1,
            purpose=purpose, terms={"share": share, "split_basis": basis, **(terms or {})},
            library_party=self.ws.party_id, lab_party=self.lab, fee_minor=1_000_000, currency=currency,
            upgrade_of=upgrade_of, starts_ms=tx.now_ms, ends_ms=tx.now_ms + 365 * DAY_MS, envelope="",
        )  # fmt: skip
        return public_id

    def deliver(self, tx: WriteTx, agreement_id: str, spans: Sequence[tuple[str, int, int]]) -> tuple[str, list[str]]:
        """spans: (asset name, start frame, milliseconds). Returns the delivery's id and the items' ids."""
        deal = tx.row(agreement.select().where(agreement.c.public_id == agreement_id))
        assert deal is not None
        release = new_id("rel")
        release_row = tx.insert(
            dataset_release, public_id=release, name=release, agreement_id=deal["id"], recipe={}, recipe_hash="",
            audit_size=0, audit_root="", root="0" * 64, items_digest="", items=len(spans), duration_ms=0, bytes=0,
        )  # fmt: skip
        secret = self.ws.keys.library_secret()
        items: list[str] = []
        for idx, (name, start, duration_ms) in enumerate(spans):
            clip = self.clip(tx, name)
            end = start + max(1, duration_ms * 24 // 1000)
            shot_row = tx.insert(
                shot, public_id=new_id("itm"), asset_id=clip["id"], version=new_id("rel"), start_frame=start,
                end_frame=end, start_ms=0, end_ms=duration_ms, motion_milli=0, sharpness_milli=0, luma_milli=0,
                black_milli=0, frozen_milli=0, phashes="",
            )  # fmt: skip
            who = next(row for row in self.contributors.values() if row["id"] == clip["contributor_id"])
            items.append(new_id("itm"))
            tx.insert(
                item, public_id=items[-1], dataset_release_id=release_row, idx=idx, asset_id=clip["id"],
                shot_id=shot_row, contributor_id=who["id"],
                asset_pseudonym=pseudonym(secret, deal["family"], clip["public_id"]),
                contributor_pseudonym=pseudonym(secret, deal["family"], who["public_id"]),
                start=start, end=end, unit="frame", duration_ms=duration_ms, content_hash="", bytes_hash="", line="",
            )  # fmt: skip
        return self.hand_over(tx, deal, release, len(spans)), items

    def hand_over(self, tx: WriteTx, deal: Row, release: str, items: int) -> str:
        public_id = new_id("dlv")
        tx.insert(
            delivery, public_id=public_id, direction="out", name=release, release=release,
            agreement=deal["public_id"], family=deal["family"], party=self.lab, root="0" * 64, items=items,
            duration_ms=0, envelope="",
        )  # fmt: skip
        return public_id

    def book(self, tx: WriteTx, agreement_id: str, amount: str, reference: str = "INV-1") -> revenue.Booked:
        return revenue.book(tx, agreement_id, self.usd(amount), reference)

    def usd(self, amount: str) -> Money:
        return parse_money(amount, "USD")

    def money(self, amount: str, currency: str) -> Money:
        return parse_money(amount, currency)


@pytest.fixture
def world(library: Workspace) -> World:
    return World(library)
