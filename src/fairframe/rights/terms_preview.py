"""What a new version of contributors' terms changes, in numbers, before it is added.

It is decided as always, over a snapshot: once as it is, and once with the version and its notices among the rows.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairframe.core.canonical import canonical
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing, offers, snapshot
from fairframe.rights.snapshot import Snapshot
from fairframe.rights.terms import Values
from fairframe.rights.vocabulary import PURPOSES

CONSENT = ("opted_out", "consent_denied", "no_consent")
"""The findings that consent makes; the others have nothing to do with terms."""


FLIPS = """
    with said as (
      select not list_has_any(a.findings, $codes) as before, not list_has_any(b.findings, $codes) as after
      from {} a join {} b using (asset_id)
    )
    select count(*) filter (before), count(*) filter (after), count(*) filter (after and not before),
      count(*) filter (before and not after)
    from said
"""


@dataclass(frozen=True)
class Flips:
    """Assets that all owners permit for a purpose on the day the version takes effect: without it, and with it.

    gains, loses: assets whose answer turns. Whether they clear is asked of an agreement: consent is one part of that.
    """

    purpose: str
    before: int
    after: int
    gains: int
    loses: int


def flips(ws: Workspace, terms: Values, told: Sequence[int], noticed_ms: int) -> list[Flips]:
    """By purpose, what a version does of which these contributors (BIGINT ids) were told at `noticed_ms`.

    Asked as of the day it takes effect, or now where that day is over. Writes nothing.
    """
    with tempfile.TemporaryDirectory(prefix="fairframe-terms-") as name:
        folder = Path(name)
        now = snapshot.extract(ws, folder / "now")
        then = Snapshot(folder / "then", now.audit_size, now.audit_root, now.latest_ms)
        _with(now, then, terms, told, noticed_ms)
        at_ms = max(terms.effective_ms, now.latest_ms)
        return [_flips(folder, now, then, purpose, at_ms) for purpose in PURPOSES]


def _with(now: Snapshot, then: Snapshot, terms: Values, told: Sequence[int], noticed_ms: int) -> None:
    """Make the folder of `then`: the files of `now`, and the rows that adding the version would insert."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    then.folder.mkdir()
    added: dict[str, dict[str, list[int] | list[str]]] = {
        "contributor_terms": {
            "id": [snapshot.NEVER_MS],
            "regime": [terms.regime],
            "notice_days": [terms.notice_days],
            "effective_ms": [terms.effective_ms],
            "names": [canonical(list(terms.names)).decode()],
        },
        "terms_acceptance": {
            "id": [snapshot.NEVER_MS + place for place in range(len(told))],
            "contributor_id": list(told),
            "contributor_terms_id": [snapshot.NEVER_MS] * len(told),
            "noticed_ms": [noticed_ms] * len(told),
            "valid_from_ms": [terms.effective_ms] * len(told),
            "recorded_at_ms": [now.latest_ms] * len(told),
        },
    }
    for file in now.folder.iterdir():
        rows = added.get(file.stem)
        if rows is None:
            (then.folder / file.name).hardlink_to(file)
            continue
        held = pq.read_table(file)
        more = pa.table({name: rows[name] for name in held.schema.names}, schema=held.schema)
        pq.write_table(pa.concat_tables([held, more]), then.folder / file.name)


def _flips(folder: Path, now: Snapshot, then: Snapshot, purpose: str, at_ms: int) -> Flips:
    import duckdb

    terms = offers.load("research").terms
    before = clearing.decide(now, terms, purpose, folder / f"{purpose}-now.parquet", at_ms)
    after = clearing.decide(then, terms, purpose, folder / f"{purpose}-then.parquet", at_ms)
    with duckdb.connect(":memory:") as db:
        row = db.execute(
            FLIPS.format(before.table, after.table),
            {"codes": list(CONSENT)},
        ).fetchone()
    assert row is not None
    return Flips(purpose, *row)
