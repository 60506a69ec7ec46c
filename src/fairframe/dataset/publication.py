"""Publishing a release: one write transaction that re-checks what changed, then writes the release and its items."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fairframe
from fairframe.core.bundle import Head
from fairframe.core.canonical import digest
from fairframe.core.errors import Conflict, Refused
from fairframe.core.ids import new_id
from fairframe.core.item_line import Item, root_of
from fairframe.curation.filters import Filters
from fairframe.curation.selection import SelectedShot, Selection
from fairframe.curation.version import SHOTS
from fairframe.dataset import caps, cutting
from fairframe.dataset.compose import compose
from fairframe.dataset.cutting import Cut, Uncut
from fairframe.dataset.funnel import Funnel, Gate
from fairframe.dataset.gate import close_behind
from fairframe.dataset.published import items_digest
from fairframe.dataset.tables import dataset_release, item
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements, recheck
from fairframe.rights.agreement import Agreement

MAX_ROWS = 1_000


@dataclass(frozen=True)
class Built:
    """A published release. `funnel` says how many were left after each gate and why the others fell out."""

    id: str
    name: str
    agreement: str
    root: str
    items: int
    contributors: int
    duration_ms: int
    size_bytes: int
    funnel: Funnel


@dataclass(frozen=True)
class Plan:
    """What was decided before publication. `allowed`: asset id -> codes of its findings."""

    agreement: Agreement
    name: str
    filters: Filters
    snapshot: Head
    clearance: Gate
    allowed: Mapping[int, tuple[str, ...]]
    selected: Selection
    assets: dict[int, Row]
    cuts: dict[int, Cut | Uncut]


def ready(tx: Tx, agreement_id: str, name: str) -> Agreement:
    """The agreement, if a release of that name may be built under it. Raises NotFound, Refused, Conflict."""
    agreement = agreements.find(tx, agreement_id)
    if not agreement.active(bundles.trusted_now_ms(tx)):
        raise Refused(
            f"the agreement {agreement_id} is not in force",
            code="agreement.inactive",
            where=agreement.state(bundles.trusted_now_ms(tx)),
            remedy="The lab signs it (fairframe rights sign); then: fairframe rights accept countersigned.json",
        )
    if tx.scalar(dataset_release.select().where(dataset_release.c.name == name)) is not None:
        raise Conflict(f"a release called {name} exists", code="release.exists", remedy="Choose another name.")
    return agreement


def publish(tx: WriteTx, plan: Plan) -> Built:
    """Re-check, compose and insert, in one transaction. Raises what `ready` raises, and Refused (release.empty;
    release.over_cap where another release took what was left meanwhile)."""
    close_behind(tx)
    ready(tx, plan.agreement.public_id, plan.name)
    kept, changed, codes = _still_allowed(tx, plan)
    funnel = _funnel(plan, kept, changed)
    if not kept:
        raise Refused(
            f"nothing is left for the release {plan.name}",
            reasons=funnel.lines(),
            code="release.empty",
            remedy="Loosen the filters, or see why assets do not clear: fairframe rights clear AGREEMENT",
        )
    caps.check(tx, plan.agreement, [shot for shot, _ in kept])
    composed = compose(tx, plan.agreement, kept, plan.assets, codes)
    lines = [one.line() for one, _ in composed]
    recipe = _recipe(plan)
    built = Built(
        id=new_id("rel"),
        name=plan.name,
        agreement=plan.agreement.public_id,
        root=root_of(lines),
        items=len(lines),
        contributors=len({one.contributor for one, _ in composed}),
        duration_ms=sum(one.duration_ms for one, _ in composed),
        size_bytes=sum({one.bytes_hash: one.size_bytes for one, _ in composed}.values()),
        funnel=funnel,
    )
    _insert(tx, plan, built, composed, lines, recipe)
    body = {"name": built.name, "agreement": built.agreement, "root": built.root, "items": built.items}
    tx.record("release.published", built.id, {**body, "recipe_hash": digest(recipe), "funnel": funnel.to_json()})
    return built


def _still_allowed(
    tx: Tx, plan: Plan
) -> tuple[list[tuple[SelectedShot, Cut]], Counter[str], dict[int, tuple[str, ...]]]:
    """The cut shots that every event since the snapshot still allows, and what the others now are, by finding.

    And asset id -> codes of the findings that stand now.
    """
    ready = [(shot, plan.cuts[shot.shot_id]) for shot in plan.selected.kept]
    cut = [(shot, clip) for shot, clip in ready if isinstance(clip, Cut)]
    ids = sorted({shot.asset_id for shot, _ in cut})
    decisions = recheck.recheck(tx, plan.agreement, plan.snapshot.size, ids)
    lost = {asset: decision for asset, decision in decisions.items() if decision.outcome != "ALLOW"}
    changed = Counter(lost[shot.asset_id].findings[0].code for shot, _ in cut if shot.asset_id in lost)
    codes = {**plan.allowed, **{asset: decision.codes for asset, decision in decisions.items()}}
    return [(shot, clip) for shot, clip in cut if shot.asset_id not in lost], changed, codes


def _funnel(plan: Plan, kept: Sequence[object], changed: Mapping[str, int]) -> Funnel:
    shots = len(plan.selected.kept)
    candidates = shots + sum(plan.selected.dropped.values())
    failed = Counter(cut.code for cut in plan.cuts.values() if isinstance(cut, Uncut))
    cut = shots - sum(failed.values())
    return Funnel(
        (
            plan.clearance,
            Gate("selection", "shots", candidates, shots, plan.selected.dropped),
            Gate("cutting", "clips", shots, cut, failed),
            Gate("publication", "clips", cut, len(kept), changed),
        )
    )


def _recipe(plan: Plan) -> dict[str, Any]:
    """All that decides the release besides the footage and the rights: sent to the lab, under its hash."""
    return {
        "filters": plan.filters.model_dump(mode="json"),
        "versions": {"fairframe": fairframe.__version__, "shots": SHOTS, "clip": cutting.CLIP_VERSION},
    }


def _insert(
    tx: WriteTx,
    plan: Plan,
    built: Built,
    composed: Sequence[tuple[Item, SelectedShot]],
    lines: Sequence[bytes],
    recipe: dict[str, Any],
) -> None:
    release_id = tx.insert(
        dataset_release,
        public_id=built.id,
        name=built.name,
        agreement_id=plan.agreement.id,
        recipe=recipe,
        recipe_hash=digest(recipe),
        audit_size=plan.snapshot.size,
        audit_root=plan.snapshot.root,
        root=built.root,
        items_digest=items_digest(lines),
        items=built.items,
        duration_ms=built.duration_ms,
        bytes=built.size_bytes,
    )
    rows = [
        {
            "public_id": one.id,
            "dataset_release_id": release_id,
            "idx": place,
            "asset_id": shot.asset_id,
            "shot_id": shot.shot_id,
            "contributor_id": plan.assets[shot.asset_id]["contributor_id"],
            "asset_pseudonym": one.asset,
            "contributor_pseudonym": one.contributor,
            "start": one.start,
            "end": one.end,
            "unit": one.unit,
            "duration_ms": one.duration_ms,
            "content_hash": one.content_hash,
            "bytes_hash": one.bytes_hash,
            "line": line.decode(),
        }
        for place, ((one, shot), line) in enumerate(zip(composed, lines, strict=True))
    ]
    for start in range(0, len(rows), MAX_ROWS):
        tx.insert_many(item, rows[start : start + MAX_ROWS])
