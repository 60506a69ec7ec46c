"""Many words of one contributor at once: one transaction, and for each word an event and an audit entry of its own.

An entry for each, under its asset, and not one for all: publication re-checks what entries touched (recheck.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fairframe.core.errors import InputError
from fairframe.core.ids import new_id
from fairframe.platform.tx import Row, WriteTx
from fairframe.rights import consent
from fairframe.rights.tables import consent_event
from fairframe.rights.vocabulary import ANY

MAX_WORDS = 20_000
"""Words in one go: they are in memory, and their transaction makes other writers wait."""


@dataclass(frozen=True)
class Word:
    """What is said about one asset (a row of `asset`)."""

    asset: Row
    effect: str
    purpose: str
    action: str = ANY
    reason: str = ""

    @property
    def about(self) -> tuple[int, str, str]:
        """What it is about: of two words about the same thing in one act, neither would be the later one."""
        return self.asset["id"], self.purpose, self.action


def say(tx: WriteTx, contributor: Row, words: Sequence[Word], valid_from_ms: int | None = None) -> list[str]:
    """Append the words; returns their ids, in order. The assets are the contributor's own (library/choose.py).

    Raises InputError (consent.words: none, too many, two about the same thing; what consent.set raises of a word),
    Conflict (a yes while the contributor has opted out).
    """
    _check(words)
    valid = tx.now_ms if valid_from_ms is None else valid_from_ms
    if any(one.effect == "allow" for one in words):
        consent.refuse_after_opt_out(tx, contributor, valid)
    ids = [new_id("cns") for _ in words]
    rows = [
        {
            "public_id": public_id,
            "scope": "asset",
            "contributor_id": contributor["id"],
            "collection_id": None,
            "asset_id": one.asset["id"],
            "purpose": one.purpose,
            "action": one.action,
            "effect": one.effect,
            "reason": one.reason,
            "valid_from_ms": valid,
        }
        for public_id, one in zip(ids, words, strict=True)
    ]
    tx.insert_many(consent_event, rows)
    for public_id, one in zip(ids, words, strict=True):
        about = one.asset, one.purpose, one.action, one.effect, one.reason
        consent.record(tx, public_id, contributor, "asset", *about, valid)
    return ids


def _check(words: Sequence[Word]) -> None:
    if not 0 < len(words) <= MAX_WORDS:
        raise InputError(
            f"1 to {MAX_WORDS:,} words are said in one go, not {len(words):,}",
            code="consent.words",
            remedy="Widen the filter" if not words else "Narrow the filter, or split the table",
        )
    seen = set[tuple[int, str, str]]()
    for one in words:
        consent.check_word(one.effect, one.purpose, one.action, one.reason)
        if one.about in seen:
            raise InputError(
                f"two words about {one.purpose}, {one.action}",
                code="consent.words",
                where=one.asset["public_id"],
                remedy="Keep one of them",
            )
        seen.add(one.about)
