"""What a report tells of a lab: deliveries, checkpoints with their lineage and losses, films."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fairframe.core.ancestors import BASE
from fairframe.core.item_line import Item
from fairframe.dataset import feeds, leases, listing
from fairframe.dataset.listing import Listed
from fairframe.dataset.loader import deleted, items_of
from fairframe.dataset.obligations import open_obligations
from fairframe.dataset.revocation import taken_back
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.tables import received_item
from fairframe.flows import report_pictures as pictures
from fairframe.flows.report_agreements import Deal, deals_of
from fairframe.flows.report_films import FilmTable, film_table
from fairframe.flows.report_pictures import Strip
from fairframe.flows.report_words import clean
from fairframe.generation import outputs
from fairframe.platform.tables import run
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.training import registry
from fairframe.training.tables import usage

SHOWN = 12
MAX_JSON_BYTES = 32 * 1024 * 1024
GIVEN_FRAMES = 9


@dataclass(frozen=True)
class Received:
    """A delivery in the lab. usable: items that may be used now; ages in ms, None where there is none."""

    listed: Listed
    usable: int
    taken_back: int
    deleted: int
    to_delete: int
    lease_ends_ms: int | None
    feed_age_ms: int | None
    feed_seq: int
    train: int
    heldout: int


@dataclass(frozen=True)
class Ancestor:
    kind: str
    name: str
    license: str
    data: str
    weight: float
    role: str


@dataclass(frozen=True)
class Model:
    """A checkpoint, what it came from and what it consumed. scores: the newest evaluation's result, or None."""

    id: str
    name: str
    weights_hash: str
    delivery: str
    recorded_at_ms: int
    frames: int
    house_frames: int
    items: int
    method: str
    ancestors: tuple[Ancestor, ...]
    events: tuple[tuple[str, str, int], ...]
    curves: Mapping[str, list[float]]
    scores: Mapping[str, Any] | None
    sheet: str

    @property
    def own_weight(self) -> float:
        """The part of the checkpoint that is none of its ancestors'."""
        return max(0.0, 1 - sum(one.weight for one in self.ancestors))


@dataclass(frozen=True)
class Film:
    """A film as its row tells it; the file itself is not kept in the workspace."""

    id: str
    mode: str
    purpose: str
    prompt: str
    frames: int
    fps: float
    width: int
    height: int
    model_size: int
    model: str
    bytes_hash: str
    recorded_at_ms: int


@dataclass(frozen=True)
class ClipStrip:
    """A delivered clip as frames."""

    item: str
    caption: str
    split: str
    strip: Strip


@dataclass(frozen=True)
class Lab:
    deals: tuple[Deal, ...]
    received: tuple[Received, ...]
    models: tuple[Model, ...]
    films: tuple[Film, ...]
    clips: tuple[ClipStrip, ...]
    film_table: FilmTable | None


def read_lab(ws: Workspace) -> Lab:
    """Read a lab's database, and the curves that lie beside its checkpoints."""
    with ws.read() as tx:
        received = tuple(_received(tx, one) for one in reversed(listing.listing(tx)[:SHOWN]))
        names = {row["id"]: row["name"] for row in registry.listing(tx)}
        films = tuple(_film(tx, row, names) for row in outputs.listing(tx)[-SHOWN:])
        return Lab(
            deals=deals_of(tx),
            received=received,
            models=models_of(tx, "own"),
            films=films,
            clips=_clips(tx),
            film_table=_film_table(tx, films),
        )


def models_of(tx: Tx, direction: str) -> tuple[Model, ...]:
    """The newest checkpoints, oldest first: own ones, or (in a library) those that labs reported."""
    rows = [row for row in registry.listing(tx) if row["direction"] == direction]
    return tuple(_model(tx, row) for row in rows[-SHOWN:])


def read_json(path: Path, most: int = MAX_JSON_BYTES) -> Any:
    """A JSON file of this project's own; None where it is missing, too big or none."""
    try:
        if not path.is_file() or path.stat().st_size > most:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def objects_in(value: object) -> list[Mapping[str, Any]]:
    """The JSON objects in what should be a list of them."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def curves_of(path: Path) -> dict[str, list[float]]:
    """stage -> loss per step, numbers only."""
    found = read_json(path)
    if not isinstance(found, dict):
        return {}
    named: dict[str, list[float]] = {}
    for name, values in found.items():
        if isinstance(values, list):
            named[clean(name, 20)] = [float(v) for v in values if isinstance(v, int | float)]
    return {name: values for name, values in named.items() if values}


def _received(tx: Tx, listed: Listed) -> Received:
    row = tx.row(delivery_table.select().where(delivery_table.c.public_id == listed.id))
    assert row is not None
    lease, feed = leases.newest(tx, listed.id), feeds.latest(tx, row["family"])
    splits = sa.select(received_item.c.split, sa.func.count().label("n")).where(
        received_item.c.delivery_id == row["id"]
    )
    counted = {one["split"]: int(one["n"]) for one in tx.rows(splits.group_by(received_item.c.split))}
    back = taken_back(tx, "in", listed.id)
    return Received(
        listed=listed,
        usable=listed.items - len(back) if listed.state == "open" else 0,
        taken_back=len(back),
        deleted=len(deleted(tx, listed.id)),
        to_delete=len(open_obligations(tx, listed.id, "in")),
        lease_ends_ms=lease["ends_ms"] if lease is not None else None,
        feed_age_ms=tx.now_ms - feed["issued_at_ms"] if feed is not None else None,
        feed_seq=feed["seq"] if feed is not None else 0,
        train=counted.get("train", 0),
        heldout=counted.get("heldout", 0),
    )


def _model(tx: Tx, row: Row) -> Model:
    sums = sa.select(sa.func.sum(usage.c.frames).label("frames"), sa.func.count().label("items"))
    delivered = tx.row(sums.where(usage.c.checkpoint_id == row["id"], usage.c.source != "house"))
    house = tx.row(sums.where(usage.c.checkpoint_id == row["id"], usage.c.source == "house"))
    method = tx.scalar(sa.select(usage.c.method).where(usage.c.checkpoint_id == row["id"]).limit(1))
    folder = registry.folder_of(tx.ws, row) if row["folder"] else None
    sheets = sorted((folder / "validation").glob("step-*.png")) if folder is not None else []
    return Model(
        id=row["public_id"],
        name=clean(row["name"], 60),
        weights_hash=row["weights_hash"],
        delivery=row["delivery"] or "",
        recorded_at_ms=row["recorded_at_ms"],
        frames=int(delivered["frames"] or 0) if delivered is not None else 0,
        house_frames=int(house["frames"] or 0) if house is not None else 0,
        items=int(delivered["items"] or 0) if delivered is not None else 0,
        method=str(method or ""),
        ancestors=tuple(
            Ancestor(
                kind=a["kind"],
                name=clean(a["name"], 60),
                license=clean(a["license"], 60),
                data=clean(a["data"], 20),
                weight=_weight(a),
                role=a["role"] or BASE,
            )
            for a in registry.ancestors_of(tx, row["id"])
        ),
        events=tuple(
            (one["kind"], clean(one["reason"]), one["recorded_at_ms"]) for one in registry.events(tx, row["id"])
        ),
        curves=curves_of(folder / "curves.json") if folder is not None else {},
        scores=_scores(tx, row["public_id"]),
        sheet=pictures.file_image(sheets[-1]) if sheets else "",
    )


def _weight(row: Row) -> float:
    return int(row["weight_num"]) / int(row["weight_den"]) if row["weight_den"] else 0.0


def _scores(tx: Tx, checkpoint: str) -> Mapping[str, Any] | None:
    """The result of the newest evaluation of a checkpoint."""
    found = _results(tx, "evaluate")
    return next((one for one in found if one.get("checkpoint") == checkpoint and "model" in one), None)


def _film_table(tx: Tx, films: Sequence[Film]) -> FilmTable | None:
    """The newest measures of each film that was scored."""
    scored: dict[str, Any] = {}
    for result in _results(tx, "generate.score"):
        for one in objects_in(result.get("films")):
            scored.setdefault(str(one.get("output")), one)
    return film_table([{"film": one.prompt, "score": scored[one.id]} for one in films if one.id in scored])


def _results(tx: Tx, kind: str) -> Iterator[Mapping[str, Any]]:
    """What the newest runs of a kind found, newest first."""
    where = (run.c.kind == kind) & (run.c.state == "done")
    for row in tx.rows(sa.select(run.c.result).where(where).order_by(run.c.id.desc()).limit(100)):
        if isinstance(row["result"], dict):
            yield row["result"]


def _film(tx: Tx, row: Row, names: Mapping[int, str]) -> Film:
    return Film(
        id=row["public_id"],
        mode=row["mode"],
        purpose=row["purpose"],
        prompt=clean(outputs.prompt_of(tx, row) or "(erased)"),
        frames=row["frames"],
        fps=row["fps_num"] / row["fps_den"],
        width=row["width"],
        height=row["height"],
        model_size=int(row["recipe"].get("model_size", 0)),
        model=clean(names.get(row["checkpoint_id"], ""), 60),
        bytes_hash=row["bytes_hash"],
        recorded_at_ms=row["recorded_at_ms"],
    )


def _clips(tx: Tx, most: int = 4) -> tuple[ClipStrip, ...]:
    """A few clips of the newest delivery that may still be used: of as many assets as there are, one held out."""
    row = tx.row(
        delivery_table.select().where(delivery_table.c.direction == "in").order_by(delivery_table.c.id.desc()).limit(1)
    )
    if row is None:
        return ()
    gone = taken_back(tx, "in", row["public_id"])
    chosen: dict[str, Item] = {}
    heldout: dict[str, Item] = {}
    for one in items_of(tx, row):
        if one.id not in gone:
            (heldout if one.split == "heldout" else chosen).setdefault(one.asset, one)
    first = list(heldout.values())[:1]
    rest = [one for asset, one in chosen.items() if asset not in heldout]
    # evenly through the delivery, which is in the order of its files
    step = max(1, len(rest) // max(1, most - len(first)))
    shown = [(one, clip_strip(tx.ws, one.bytes_hash, one.frames)) for one in [*rest[::step], *first][-most:]]
    return tuple(ClipStrip(one.id, clean(one.caption, 120), one.split, strip) for one, strip in shown if strip.frames)


def clip_strip(ws: Workspace, bytes_hash: str, frames: int, *, ending: int = 0) -> Strip:
    """Frames of a delivered clip (it was checked when it was received); `ending`: only its last so many frames."""
    start = max(0, frames - ending) if ending else 0
    return pictures.strip(ws.objects.path(bytes_hash), start, frames)
