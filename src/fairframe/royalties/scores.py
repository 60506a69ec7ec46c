"""Scores from outside: whole numbers per asset by which an agreement's pools can be split.

A set is what one file said, whole: sets are added and never changed. Of the sets of an agreement, and of those that it
upgrades, the newest holds that is valid by the revenue's effective time: valid_from first, then the order of import.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import InputError
from fairframe.core.ids import new_id
from fairframe.core.plain import is_plain
from fairframe.core.time import to_rfc3339
from fairframe.platform import audit
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties.rows import insert_rows
from fairframe.royalties.tables import score, score_set

MAX_SCORE = 10**12
MAX_WHO = 200
_BATCH = 50_000


def add(
    tx: WriteTx, agreement: str, scores: Mapping[int, int], file_sha256: str, by: str, valid_from_ms: int | None = None
) -> Row:
    """Keep a set: asset id -> score. by: the person who hands it in, kept in the library only.

    valid_from_ms: from when it holds (now, where None). The newest set's file once more changes nothing.
    Raises InputError where a score is out of range, there is none, or `by` is no name.
    """
    if not scores or not all(0 <= one <= MAX_SCORE for one in scores.values()):
        raise InputError(f"scores are whole numbers from 0 to {MAX_SCORE}", code="scores.range", where=agreement)
    if not by.strip() or len(by) > MAX_WHO or not is_plain(by):
        raise InputError("say who hands in the scores", code="scores.who", remedy="Give a name: --by")
    audit.lock(tx.conn)  # the same file twice at once is one set
    last = tx.row(score_set.select().where(score_set.c.agreement == agreement).order_by(score_set.c.id.desc()).limit(1))
    if last is not None and last["file_sha256"] == file_sha256 and valid_from_ms in (None, last["valid_from_ms"]):
        return last
    public_id = new_id("scs")
    valid = tx.now_ms if valid_from_ms is None else valid_from_ms
    row_id = tx.insert(
        score_set,
        public_id=public_id,
        agreement=agreement,
        file_sha256=file_sha256,
        assets=len(scores),
        total=sum(scores.values()),
        imported_by=by,
        valid_from_ms=valid,
    )
    insert_rows(tx, score, ("score_set_id", "asset_id", "score"), ((row_id, *one) for one in sorted(scores.items())))
    body = {"scores": public_id, "file_sha256": file_sha256, "assets": len(scores), "valid_from": to_rfc3339(valid)}
    tx.record("scores.imported", agreement, body, {"by": by})
    return find(tx, public_id)


def find(tx: Tx, public_id: str) -> Row:
    """The row of a set that is known to be there."""
    row = tx.row(score_set.select().where(score_set.c.public_id == public_id))
    assert row is not None
    return row


def listing(tx: Tx, agreements: Sequence[str]) -> Sequence[Row]:
    """The sets of agreements, in the order of import."""
    return tx.rows(score_set.select().where(score_set.c.agreement.in_(list(agreements))).order_by(score_set.c.id))


def holding(tx: Tx, agreements: Sequence[str], effective_ms: int) -> Row | None:
    """The set that holds at a time, or None."""
    held = score_set.c
    where = held.agreement.in_(list(agreements)) & (held.valid_from_ms <= effective_ms)
    return tx.row(score_set.select().where(where).order_by(held.valid_from_ms.desc(), held.id.desc()).limit(1))


def of_set(tx: Tx, set_id: int) -> Iterator[tuple[int, int]]:
    """(asset id, score), a batch at a time."""
    statement = sa.select(score.c.asset_id, score.c.score).where(score.c.score_set_id == set_id)
    for row in tx.execute(statement.execution_options(yield_per=_BATCH)).mappings():
        yield row["asset_id"], row["score"]


def said(row: Row | None) -> dict[str, Any]:
    """What an allocation's record says of the set that decided."""
    if row is None:
        return {}
    return {"scores": {"set": row["public_id"], "file_sha256": row["file_sha256"]}}
