"""Rulings: what a person decided about a finding that asks for one. A signed, reasoned event with an expiry.

A ruling names assets and one finding. "allow" turns that finding into ALLOW on them, and nothing else: a contributor's
no, a trusted signer's do-not-train and every other DENY stand (RULABLE in core/ruling_body.py is the whole list, and
docs/review.md shows it). "deny" rules an asset out. One act is one signed document, however many assets it names.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fairframe.core.errors import InputError, Refused
from fairframe.core.ids import new_id
from fairframe.core.ruling_body import MAX_ASSETS, MAX_DAYS, RULABLE, RulingBody
from fairframe.core.time import DAY_MS
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements, facts, moment
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearance import CODES, SEVERITY, Decision, clear, reviewed
from fairframe.rights.facts import AssetView, RulingView
from fairframe.rights.outcomes import reason_of
from fairframe.rights.tables import ruling

Verdict = Literal["allow", "deny"]
ALLOW_DAYS = 365
"""How long an allow holds where nobody says otherwise. A deny then holds until a later ruling."""
DOCUMENT = "ruling"

INSTEAD = {
    "hold": "Lift the hold, or settle the appeal against it",
    "opted_out": "Only the contributor's own overall yes ends their overall no",
    "consent_denied": "Only the contributor's own later yes lifts their no",
    "no_consent": "Ask the contributor, and record their word: fairframe rights consent",
    "do_not_train": "A trusted signer's no stands; the signer can publish the file anew without it",
    "signal_tampered": "Take in the file as its signer left it",
    "model_release_no_ai": "Put one on file whose words cover training: fairframe library release add --ai-training",
    "model_release_territory": "Put one on file that holds there: fairframe library release add --territory",
    "model_release_term": "Put one on file that lasts as long as the agreement does",
    "model_release_revoked": "Put one on file that stands in for it, or rule that nobody is to be seen",
    "property_release_no_ai": "Put one on file whose words cover training: fairframe library release add --ai-training",
    "property_release_territory": "Put one on file that holds there: fairframe library release add --territory",
    "property_release_term": "Put one on file that lasts as long as the agreement does",
    "property_release_revoked": "Put one on file that stands in for it",
    "editorial": "If the fact is wrong, say it anew in the metadata and ingest again",
    "property_not_released": "If the fact is wrong, say it anew in the metadata and ingest again",
    "ruled_out": "Rule on the finding that the older ruling named",
}
"""What to do about a finding that no ruling can allow."""
OTHERWISE = "It follows from the agreement or from facts; change those"


@dataclass(frozen=True)
class Ruled:
    """One act: the signed document's id and envelope, and the rulings as (asset's public id, ruling's id)."""

    document: str
    envelope: bytes
    rulings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Change:
    """What a ruling changes under an agreement that is active: outcome -> assets, of those that it names."""

    agreement: str
    offer: str
    before: dict[str, int]
    after: dict[str, int]


def rule(
    tx: WriteTx,
    assets: Sequence[Row],
    finding: str,
    decision: Verdict,
    *,
    reason: str,
    expires_ms: int | None = None,
    by: str = "",
) -> Ruled:
    """Decide `finding` on `assets`, from now on. `by`: who decided; it enters the audit tree as a commitment only.

    expires_ms: an allow expires after ALLOW_DAYS where None, and after MAX_DAYS at the latest.

    Raises InputError (finding, reason, expiry, no or too many assets), Refused: ruling.not_rulable where no person can
    decide it so, ruling.nothing where the finding does not stand on an asset: nobody rules on what they have not seen.
    """
    check(finding, decision)
    text = reason_of(reason, "a ruling")
    until = expiry(tx.now_ms, decision, expires_ms)
    check_count(assets)
    _must_stand(tx, assets, finding)
    document = new_id("doc")
    rulings = tuple((str(row["public_id"]), new_id("rul")) for row in assets)
    body = RulingBody(finding, decision, text, tx.now_ms, until, rulings)
    envelope = bundles.issue(tx, DOCUMENT, "", body.to_json(), id=document, private={"by": by} if by else None)
    same = {"finding": finding, "decision": decision, "reason": text, "expires_ms": until, "document": document}
    rows = [
        {"public_id": ruling_id, "asset_id": row["id"], "valid_from_ms": tx.now_ms, **same}
        for row, (_, ruling_id) in zip(assets, rulings, strict=True)
    ]
    tx.insert_many(ruling, rows)
    for asset_id, ruling_id in rulings:
        said = {"ruling": ruling_id, "finding": finding, "document": document, "expires_ms": until}
        tx.record(f"ruling.{decision}", asset_id, said)
    return Ruled(document, envelope, rulings)


def check(finding: str, decision: Verdict) -> None:
    """Raises InputError for what is no finding, Refused (ruling.not_rulable) for one that no person can decide so."""
    if finding not in CODES:
        known = ", ".join(sorted(RULABLE))
        raise InputError(f"{finding[:60]!r} is no finding", code="ruling.finding", remedy=f"Say one of: {known}")
    if decision == "allow" and finding not in RULABLE:
        raise Refused(
            f"no ruling can allow {finding}",
            code="ruling.not_rulable",
            remedy=INSTEAD.get(finding, OTHERWISE),
        )
    if decision == "deny" and CODES[finding] != "REVIEW":
        raise Refused(
            f"{finding} does not wait for a person",
            code="ruling.not_rulable",
            remedy="To block an asset for a reason of your own: fairframe rights hold place",
        )


def preview(tx: Tx, assets: Sequence[Row], finding: str, decision: Verdict) -> list[Change]:
    """What the ruling would change today, under each active agreement. Changes nothing."""
    new = RulingView("this ruling", finding, decision, moment.present(tx).at_ms)
    return compare(tx, assets, lambda view: _with(view, new))


def compare(tx: Tx, assets: Sequence[Row], change: Callable[[AssetView], AssetView]) -> list[Change]:
    """What a change of each asset's view would change today, under each active agreement."""
    now = moment.present(tx)
    views = facts.load(tx, [row["id"] for row in assets], now)
    ruled = {key: change(view) for key, view in views.items()}
    active = [one for one in agreements.listing(tx) if one.active(now.at_ms)]
    return [
        Change(one.public_id, one.offer, counts(views, one, now.at_ms), counts(ruled, one, now.at_ms)) for one in active
    ]


def of_asset(tx: Tx, asset_id: int) -> Sequence[Row]:
    """All rulings about an asset (its BIGINT id), oldest first."""
    return tx.rows(ruling.select().where(ruling.c.asset_id == asset_id).order_by(ruling.c.id))


def _with(view: AssetView, new: RulingView) -> AssetView:
    return replace(view, rulings=(*(one for one in view.rulings if one.finding != new.finding), new))


def counts(views: Mapping[int, AssetView], under: Agreement, at_ms: int) -> dict[str, int]:
    """outcome -> assets, under an agreement."""

    def decide(view: AssetView) -> Decision:
        return clear(view, under.terms, under.purpose, at_ms, until_ms=under.ends_ms)

    found = Counter(decide(view).outcome for view in views.values())
    return {outcome: found[outcome] for outcome in SEVERITY}


def _must_stand(tx: Tx, assets: Sequence[Row], finding: str) -> None:
    views = facts.load(tx, [row["id"] for row in assets], moment.present(tx))
    without = [row for row in assets if finding not in {one.code for one in reviewed(views[row["id"]])}]
    if without:
        raise Refused(
            f"{finding} does not stand on {len(without)} of {len(assets)} assets",
            code="ruling.nothing",
            where=without[0]["public_id"],
            remedy="See what waits: fairframe rights review list",
            reasons=[f"{row['public_id']} {row['filename']}" for row in without[:5]],
        )


def check_count(assets: Sequence[Row]) -> None:
    """Raises InputError (ruling.assets) for no assets, or too many."""
    if not assets or len(assets) > MAX_ASSETS:
        raise InputError(
            f"a ruling names 1 to {MAX_ASSETS:,} assets, not {len(assets):,}",
            code="ruling.assets",
            remedy="Narrow the filter",
        )


def expiry(now_ms: int, decision: Verdict, expires_ms: int | None) -> int | None:
    """When a ruling expires, where that is asked for or not. Raises InputError (ruling.expiry)."""
    if expires_ms is None:
        return now_ms + ALLOW_DAYS * DAY_MS if decision == "allow" else None
    if expires_ms <= now_ms:
        raise InputError("the ruling would have expired already", code="ruling.expiry", remedy="Name a later day")
    if decision == "allow" and expires_ms > now_ms + MAX_DAYS * DAY_MS:
        raise InputError(
            f"an allow expires within {MAX_DAYS:,} days",
            code="ruling.expiry",
            remedy="Name an earlier day, and look again",
        )
    return expires_ms
