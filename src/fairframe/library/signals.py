"""What a file and its sidecars say about its use, and notes about where credentials cannot stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fairframe.core.canonical import Json
from fairframe.core.ids import new_id
from fairframe.library.tables import signal
from fairframe.library.wording import storable
from fairframe.platform.tx import Row, Tx, WriteTx


@dataclass(frozen=True)
class Found:
    """One signal. kind: c2pa, xmp, tdmrep, aipref or note; trust: trusted, untrusted, tampered, unreadable or none."""

    kind: str
    key: str
    value: str
    trust: str
    detail: Mapping[str, Json] = field(default_factory=dict[str, Json])
    raw_key: str | None = None


def add(tx: WriteTx, asset_id: int, found: Sequence[Found]) -> list[dict[str, str]]:
    """Append the signals of an asset as they were read now; returns what the caller's audit entry says of them."""
    said: list[dict[str, str]] = []
    for one in found:
        public = {
            "public_id": new_id("sig"),
            "kind": one.kind,
            "key": storable(one.key),
            "value": storable(one.value),
            "trust": one.trust,
        }
        detail = _storable(dict(one.detail))
        tx.insert(signal, **public, asset_id=asset_id, detail=detail, raw_key=one.raw_key, valid_from_ms=tx.now_ms)
        said.append(public)
    return said


def add_new(tx: WriteTx, row: Row, found: Sequence[Found]) -> int:
    """Append what a known asset's sidecars say and did not say before; returns how many. Nothing is ever taken back:
    what a file once said asks a person, also where the sidecar is gone."""
    there = {
        _identity(one["kind"], one["key"], one["value"], one["trust"], one["raw_key"])
        for one in of_asset(tx, row["id"])
    }
    new = [one for one in found if _identity(one.kind, one.key, one.value, one.trust, one.raw_key) not in there]
    if new:
        tx.record("asset.signals", row["public_id"], {"signals": add(tx, row["id"], new)})
    return len(new)


def of_asset(tx: Tx, asset_id: int) -> Sequence[Row]:
    """The signals of an asset (its BIGINT id), oldest first."""
    return tx.rows(signal.select().where(signal.c.asset_id == asset_id).order_by(signal.c.id))


def _identity(kind: str, key: str, value: str, trust: str, raw_key: str | None) -> tuple[str | None, ...]:
    return kind, storable(key), storable(value), trust, raw_key


def _storable(value: Json) -> Json:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): _storable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_storable(part) for part in value]
    return value
