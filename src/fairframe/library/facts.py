"""Facts about an asset: said at one time, valid from another, never overwritten."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from fairframe.core.errors import InputError
from fairframe.library.tables import asset_fact
from fairframe.platform.tx import Row, Tx, WriteTx

Origin = Literal["metadata", "person"]


class Recorded(Protocol):
    """A row (or mapping) with id, valid_from_ms and recorded_at_ms."""

    def __getitem__(self, key: Any, /) -> Any: ...


R = TypeVar("R", bound=Recorded)

VALUES: Mapping[str, tuple[str, ...]] = {
    "people": ("yes", "no", "unknown"),
    "model_release": ("released", "not released", "not needed", "unknown"),
    "property_release": ("released", "not released", "not needed", "unknown"),
    "editorial": ("yes", "no", "unknown"),
}
"""Every fact and what it may say. What nobody has said is unknown."""


GRAVE: Mapping[str, str] = {
    "people": "yes",
    "model_release": "not released",
    "property_release": "not released",
    "editorial": "yes",
}
"""The word of each fact that asks for most."""


@dataclass(frozen=True)
class Said:
    """One fact as it was said."""

    name: str
    value: str
    origin: str
    valid_from_ms: int
    recorded_at_ms: int


def as_of(
    rows: Iterable[R],
    at_ms: int,
    *,
    known_at_ms: int | None = None,
    by: Callable[[R], Any] = lambda row: row["name"],
) -> dict[Any, R]:
    """Of append-only rows, the one that holds at `at_ms` for each key `by`, as it was known at `known_at_ms`.

    That is the latest by (valid_from, recorded_at, id) with valid_from <= at and recorded_at <= known_at
    (everything known where None). Serves every table with valid_from_ms and recorded_at_ms.
    """
    latest: dict[Any, R] = {}
    for row in rows:
        if row["valid_from_ms"] > at_ms or (known_at_ms is not None and row["recorded_at_ms"] > known_at_ms):
            continue
        found = latest.get(by(row))
        if found is None or _order(row) > _order(found):
            latest[by(row)] = row
    return latest


def _order(row: Recorded) -> tuple[int, int, int]:
    return row["valid_from_ms"], row["recorded_at_ms"], row["id"]


def current(tx: Tx, asset_id: int, *, at_ms: int | None = None, known_at_ms: int | None = None) -> dict[str, str]:
    """The four facts of an asset (its BIGINT id) at a time (now where None)."""
    rows = tx.rows(asset_fact.select().where(asset_fact.c.asset_id == asset_id))
    held = as_of(rows, tx.now_ms if at_ms is None else at_ms, known_at_ms=known_at_ms)
    return {name: held[name]["value"] if name in held else "unknown" for name in VALUES}


def history(tx: Tx, asset_id: int) -> list[Said]:
    """Everything ever said, oldest first."""
    rows = tx.rows(asset_fact.select().where(asset_fact.c.asset_id == asset_id).order_by(asset_fact.c.id))
    return [Said(r["name"], r["value"], r["origin"], r["valid_from_ms"], r["recorded_at_ms"]) for r in rows]


def say(
    tx: WriteTx, asset: Row, name: str, value: str, *, origin: Origin = "person", valid_from_ms: int | None = None
) -> None:
    """Append a fact about an asset. Raises InputError where the fact or its value is not one of VALUES."""
    _check(name, value)
    valid = tx.now_ms if valid_from_ms is None else valid_from_ms
    tx.insert(asset_fact, asset_id=asset["id"], name=name, value=value, origin=origin, valid_from_ms=valid)
    body = {"fact": name, "value": value, "origin": origin, "valid_from_ms": valid}
    tx.record("asset.fact", asset["public_id"], body)


def first_words(tx: WriteTx, asset_id: int, values: Mapping[str, str]) -> dict[str, str]:
    """The facts of a new asset, all of them, as its metadata says; the caller records them in the asset's entry."""
    said = {name: values.get(name, "unknown") for name in VALUES}
    for name, value in said.items():
        _check(name, value)
        tx.insert(asset_fact, asset_id=asset_id, name=name, value=value, origin="metadata", valid_from_ms=tx.now_ms)
    return said


def say_from_metadata(tx: WriteTx, asset: Row, values: Mapping[str, str]) -> list[str]:
    """Append what the metadata says now and did not say last time; returns the names of those facts.

    It is compared with the last metadata, not with what holds: the same CSV again never undoes a person's word. While a
    person's word that asks for most holds (GRAVE), no metadata is heard on that fact: only a person takes it back.
    """
    rows = tx.rows(asset_fact.select().where(asset_fact.c.asset_id == asset["id"]))
    held = as_of([row for row in rows if row["origin"] == "metadata"], tx.now_ms)
    seen = {
        name
        for name, row in as_of(rows, tx.now_ms).items()
        if row["origin"] == "person" and row["value"] == GRAVE.get(name)
    }
    changed = [
        name
        for name, value in values.items()
        if name not in seen and (name not in held or held[name]["value"] != value)
    ]
    for name in changed:
        say(tx, asset, name, values[name], origin="metadata")
    return changed


def _check(name: str, value: str) -> None:
    if name not in VALUES:
        raise InputError(f"{name!r} is no fact", code="input.bad_fact", remedy=f"Facts are {', '.join(VALUES)}")
    if value not in VALUES[name]:
        raise InputError(
            f"{name} cannot be {value!r}", code="input.bad_fact", remedy=f"Say one of: {', '.join(VALUES[name])}"
        )
