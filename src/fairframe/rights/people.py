"""People, by a person's ruling: whether anybody recognizable is to be seen on an asset.

No detector decides this: metadata says it, or a person who looked. Their ruling is a signed document with a reason,
like every ruling (rulings.py), and stands as a fact about the asset from then on. "seen" asks for model releases.
"none", that nobody recognizable is to be seen, expires as an allow does: then nobody has said anything.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from fairframe.core.ids import new_id
from fairframe.core.ruling_body import PEOPLE, RulingBody
from fairframe.library import facts as said
from fairframe.library.tables import asset_fact
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import rulings
from fairframe.rights.outcomes import reason_of
from fairframe.rights.rulings import Change, Ruled, Verdict

Seen = Literal["seen", "none"]
_VALUES: dict[Seen, str] = {"seen": "yes", "none": "no"}
_LIKE: dict[Seen, Verdict] = {"seen": "deny", "none": "allow"}


def rule(
    tx: WriteTx, assets: Sequence[Row], seen: Seen, *, reason: str, expires_ms: int | None = None, by: str = ""
) -> Ruled:
    """Say whether people are to be seen on `assets`, from now on. `by`: who looked, as a commitment in the audit tree.

    expires_ms: a "none" expires after rulings.ALLOW_DAYS where None, and after MAX_DAYS (core/ruling_body.py) at the
    latest; a "seen" holds until somebody says otherwise. Raises InputError (reason, expiry, no or too many assets).
    """
    text = reason_of(reason, "a ruling")
    until = rulings.expiry(tx.now_ms, _LIKE[seen], expires_ms)
    rulings.check_count(assets)
    document = new_id("doc")
    named = tuple((row["public_id"], "") for row in assets)
    body = RulingBody(PEOPLE, seen, text, tx.now_ms, until, named).to_json()
    envelope = bundles.issue(tx, rulings.DOCUMENT, "", body, id=document, private={"by": by} if by else None)
    for row in assets:
        _say(tx, row, _VALUES[seen], until)
        tx.record("ruling.people", row["public_id"], {"decision": seen, "document": document, "expires_ms": until})
    return Ruled(document, envelope, ())


def preview(tx: Tx, assets: Sequence[Row], seen: Seen) -> list[Change]:
    """What the ruling would change today, under each active agreement. Changes nothing."""
    return rulings.compare(tx, assets, lambda view: replace(view, people=_VALUES[seen]))


def _say(tx: WriteTx, row: Row, value: str, until_ms: int | None) -> None:
    """The fact from now on, also where an older ruling was to expire meanwhile, and that nobody says so after it."""
    said.say(tx, row, "people", value)
    older = asset_fact.select().where(
        asset_fact.c.asset_id == row["id"],
        asset_fact.c.name == "people",
        asset_fact.c.valid_from_ms > tx.now_ms,
    )
    for at_ms in sorted({one["valid_from_ms"] for one in tx.rows(older)}):
        if until_ms is None or at_ms < until_ms:
            said.say(tx, row, "people", value, valid_from_ms=at_ms)
    if until_ms is not None:
        said.say(tx, row, "people", "unknown", valid_from_ms=until_ms)
