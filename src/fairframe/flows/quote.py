"""A quote: what an offer would clear, cost and pay to contributors today. It is worked out as a release is built and a
receipt is allocated, by the same code, and writes nothing."""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fairframe.core.money import MICRO
from fairframe.core.split_basis import SplitBasis
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.curation import selection
from fairframe.curation.filters import Filters
from fairframe.curation.selection import Cap, SelectedShot
from fairframe.dataset.compose import assets_of
from fairframe.library.tables import contributor
from fairframe.platform import bundles
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, clashes, clearing, snapshot
from fairframe.rights.clearing import Cleared
from fairframe.rights.drafts import Ask, Draft, draft
from fairframe.rights.exclusivity import Scope
from fairframe.royalties import bulk, facts
from fairframe.royalties.methods import method

NEW = "a new agreement"
FAMILY = "quote"
"""Ties between contributors go by pseudonyms, which differ for each family; an agreement that is not made has none."""


@dataclass(frozen=True)
class Pay:
    """A contributor's part of the fee. clips, duration_ms: of all that would be delivered and that they own a part of;
    the amount counts a co-owned clip by their share."""

    contributor: str
    name: str
    clips: int
    duration_ms: int
    amount_micro: int


@dataclass(frozen=True)
class Quote:
    """`counts`: outcome -> assets; `findings`: code -> assets; `dropped`: why shots of cleared assets are no clips.

    `pay` sums to pool_micro, or is empty where there is nothing to deliver. estimated: the terms split by usage or
    scores, which nobody knows yet, so `pay` is by milliseconds. clashes: agreement -> why this one could not come
    into force.
    """

    draft: Draft
    lab: str
    counts: dict[str, int]
    findings: dict[str, int]
    assets: int
    clips: int
    duration_ms: int
    dropped: dict[str, int]
    pool_micro: int
    pay: tuple[Pay, ...]
    estimated: bool
    clashes: dict[str, list[str]]
    at_ms: int
    audit_size: int
    audit_root: str

    def to_json(self) -> dict[str, Any]:
        fee = self.draft.fee
        return {
            "offer": self.draft.offer.name,
            "offer_version": self.draft.offer.version,
            "lab": self.lab,
            "terms": self.draft.terms.to_json(),
            "fee_minor": fee.minor,
            "currency": fee.currency.code,
            "clears": {"counts": self.counts, "findings": self.findings},
            "delivers": {
                "assets": self.assets,
                "clips": self.clips,
                "duration_ms": self.duration_ms,
                "dropped": self.dropped,
            },
            "pool_micro": self.pool_micro,
            "estimated": self.estimated,
            "pay": [vars(one) for one in self.pay],
            "clashes": self.clashes,
            "at": to_rfc3339(self.at_ms),
            "audit_size": self.audit_size,
            "audit_root": self.audit_root,
        }

    def figures(self) -> dict[str, Any]:
        """What is kept of it: contributors by id, since names can be erased elsewhere."""
        nameless = [{name: value for name, value in vars(one).items() if name != "name"} for one in self.pay]
        return self.to_json() | {"pay": nameless}


def quote(ws: Workspace, offer_name: str, lab_party: str, ask: Ask | None = None) -> Quote:
    """Work out an offer to a pinned lab, with no filters, over the library as it stands.

    Raises what drafts.draft raises, NotFound (the lab is not pinned), Refused (allocate.shares: an asset's ownership
    shares do not sum to one).
    """
    with ws.read() as tx:
        drafted = draft(tx, offer_name, ask)
        lab = bundles.pinned(tx, lab_party)
    with tempfile.TemporaryDirectory(prefix="fairframe-quote-") as folder:
        place = Path(folder)
        taken = snapshot.extract(ws, place / "snapshot")
        terms = drafted.terms
        cleared = clearing.decide(taken, terms, terms.purpose, place / "decisions.parquet")
        allowed = allowed_assets(cleared)
    with ws.read() as tx:
        chosen = selection.select(tx, allowed, Filters(), cap=Cap(terms.cap_ms, terms.clip_cap))
        pool = terms.contributors_share().of(drafted.fee.minor * MICRO)
        basis = known_now(terms.split_basis)
        pay = _pay(tx, chosen.kept, pool, taken.audit_root, basis)
        scope = Scope(NEW, lab.id, terms, taken.latest_ms, taken.latest_ms + terms.term_days * DAY_MS)
        against = clashes.against(tx, scope, agreements.listing(tx))
    return Quote(
        draft=drafted,
        lab=lab.name,
        counts=cleared.counts,
        findings=cleared.findings,
        assets=len({one.asset_id for one in chosen.kept}),
        clips=len(chosen.kept),
        duration_ms=sum(one.end_ms - one.start_ms for one in chosen.kept),
        dropped=chosen.dropped,
        pool_micro=pool,
        pay=pay,
        estimated=basis != terms.split_basis,
        clashes=against,
        at_ms=cleared.at_ms,
        audit_size=cleared.audit_size,
        audit_root=cleared.audit_root,
    )


def allowed_assets(cleared: Cleared) -> list[int]:
    found: list[int] = []
    for batch in cleared.batches(["asset_id", "outcome"]):
        part = batch.to_pydict()
        found += [key for key, outcome in zip(part["asset_id"], part["outcome"], strict=True) if outcome == "ALLOW"]
    return found


def _pay(tx: Tx, shots: Sequence[SelectedShot], pool: int, root: str, basis: str) -> tuple[Pay, ...]:
    """The pool split as allocation splits it (royalties/bulk.py); empty without clips. By amount, then id."""
    if not shots:
        return ()
    brought = assets_of(tx, {one.asset_id for one in shots})
    lines = (_delivered(one, brought[one.asset_id]) for one in shots)
    salt = hashlib.sha256(f"fairframe quote {root}".encode()).digest()[:16]
    with bulk.connection() as con:
        bulk.fill(con, "delivered", lines)
        bulk.fill(con, "used", ())
        facts.fill_owned(con, tx)
        facts.claim(con, tx, FAMILY, method(basis), tx.now_ms)
        try:
            bulk.split(con, pool, salt)
        except ValueError:
            return ()
        amounts = dict(bulk.stream(con, "select contributor, amount from line"))
        part = "select o.contributor, d.item, d.duration_ms from delivered d join owner o using (asset)"
        clips, lengths = Counter[int](), Counter[int]()
        for who, _, length in bulk.stream(con, part):
            clips[who] += 1
            lengths[who] += length
    people = _people(tx, sorted(amounts))
    found = [Pay(*people[who], clips[who], lengths[who], amount) for who, amount in amounts.items()]
    return tuple(sorted(found, key=lambda one: (-one.amount_micro, one.name, one.contributor)))


def known_now(split_basis: str) -> str:
    """The basis that a pool is shown by before anything is used or scored."""
    return split_basis if set(SplitBasis.parse(split_basis).names) <= {"clips", "delivered_ms"} else "delivered_ms"


def _delivered(shot: SelectedShot, source: Row) -> tuple[str, int, int, str, int, int, int, int]:
    """A shot as a row of facts.py's table delivered."""
    length = shot.end_ms - shot.start_ms
    return shot.shot, shot.asset_id, source["contributor_id"], source["public_id"], shot.start, shot.end, length, 0


def _people(tx: Tx, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    columns = sa.select(contributor.c.id, contributor.c.public_id, contributor.c.name)
    rows = tx.rows(columns.where(among(tx.conn, contributor.c.id, ids)))
    return {row["id"]: (row["public_id"], row["name"]) for row in rows}
