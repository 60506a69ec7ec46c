"""The checkpoints of a workspace: found by name or id, checked against their lineage before they are used."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fairframe.core.ancestors import BASE, OF_WEIGHTS, AncestorRef
from fairframe.core.bundle import Bundle, read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import IntegrityFailure, NotFound, Refused
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.training import lineage
from fairframe.training.tables import ancestor, checkpoint, checkpoint_event, usage


def find(tx: Tx, name_or_id: str) -> Row:
    """An own checkpoint; of several by one name, the newest. Raises NotFound."""
    where = (checkpoint.c.name == name_or_id) | (checkpoint.c.public_id == name_or_id)
    statement = checkpoint.select().where(where, checkpoint.c.direction == "own").order_by(checkpoint.c.id.desc())
    row = tx.row(statement)
    if row is None:
        raise NotFound(
            f"no checkpoint is called {name_or_id[:80]!r}", code="model.missing", remedy="See: fairframe model list"
        )
    return row


def find_any(tx: Tx, name_or_id: str) -> Row:
    """An own checkpoint, or one that was reported; of several by one name, the newest. Raises NotFound."""
    where = (checkpoint.c.name == name_or_id) | (checkpoint.c.public_id == name_or_id)
    row = tx.row(checkpoint.select().where(where).order_by(checkpoint.c.id.desc()).limit(1))
    return find(tx, name_or_id) if row is None else row


def listing(tx: Tx) -> list[Row]:
    """Own and reported checkpoints, oldest first."""
    return list(tx.rows(checkpoint.select().order_by(checkpoint.c.id)))


def events(tx: Tx, checkpoint_id: int) -> list[Row]:
    """What happened to a checkpoint after it was made: grants, blocks, deletions."""
    where = checkpoint_event.c.checkpoint_id == checkpoint_id
    return list(tx.rows(checkpoint_event.select().where(where).order_by(checkpoint_event.c.id)))


def history(tx: Tx, row: Row) -> list[Row]:
    """What happened to a checkpoint; of a reported one also to its earlier reports, which are rows of their own."""
    if row["direction"] == "own":
        return events(tx, row["id"])
    same = (checkpoint.c.party == row["party"]) & (checkpoint.c.weights_hash == row["weights_hash"])
    joined = checkpoint_event.select().join(checkpoint, checkpoint.c.id == checkpoint_event.c.checkpoint_id)
    where = same & (checkpoint.c.direction == row["direction"])
    return list(tx.rows(joined.where(where).order_by(checkpoint_event.c.id)))


def with_weights(tx: Tx, weights_hash: str, like: Row) -> list[Row]:
    """The checkpoints with these weights of the same party, own or reported as `like` is; oldest first.

    Several own ones may have the same weights, and what is true of one is true of those bytes: all of them count. Of a
    reported one only its newest report, which corrects the others.
    """
    where = (checkpoint.c.weights_hash == weights_hash) & (checkpoint.c.party == like["party"])
    statement = checkpoint.select().where(where, checkpoint.c.direction == like["direction"])
    found = list(tx.rows(statement.order_by(checkpoint.c.id)))
    return found if like["direction"] == "own" else found[-1:]


def named_by(tx: Tx, one: Row, row: Row) -> Row | None:
    """The checkpoint that a row of `ancestor` of `row` names, or None: of several with those weights the newest of
    that name."""
    found = with_weights(tx, one["hash"], row) if one["kind"] == "checkpoint" else []
    return next((known for known in reversed(found) if known["name"] == one["name"]), found[-1] if found else None)


def usage_of(tx: Tx, checkpoint_id: int) -> list[Row]:
    """Rows (source, item, frames, method) of a checkpoint."""
    return list(tx.rows(usage.select().where(usage.c.checkpoint_id == checkpoint_id).order_by(usage.c.id)))


def ancestors_of(tx: Tx, checkpoint_id: int) -> list[Row]:
    return list(tx.rows(ancestor.select().where(ancestor.c.checkpoint_id == checkpoint_id).order_by(ancestor.c.id)))


def made_of(tx: Tx, rows: Sequence[Row]) -> list[Row]:
    """The checkpoints that the weights of others went into, however many steps on, and own ones with the same weights;
    of a reported one its newest row."""
    found: dict[int | str, Row] = {}
    given = {_itself(row) for row in rows}
    waiting = list(rows)
    while waiting:
        one = waiting.pop()
        joined = checkpoint.select().join(ancestor, ancestor.c.checkpoint_id == checkpoint.c.id)
        like = (checkpoint.c.direction == one["direction"]) & (checkpoint.c.party == one["party"])
        of_it = (ancestor.c.kind == "checkpoint") & (ancestor.c.hash == one["weights_hash"])
        role = sa.func.coalesce(ancestor.c.role, BASE).in_(sorted(OF_WEIGHTS))
        of_them = tx.rows(joined.where(like, of_it, role).order_by(checkpoint.c.id))
        for row in (*with_weights(tx, one["weights_hash"], one), *of_them):
            key = _itself(row)
            if key in given:
                continue
            if key not in found:
                waiting.append(row)
            if key not in found or found[key]["id"] < row["id"]:
                found[key] = row
    return sorted(found.values(), key=lambda row: int(row["id"]))


def _itself(row: Row) -> int | str:
    """What tells checkpoints apart: an own one is its row; the reports on one are several rows with its weights."""
    return int(row["id"]) if row["direction"] == "own" else str(row["weights_hash"])


def ancestor_rows(checkpoint_id: int, ancestors: Iterable[AncestorRef]) -> list[dict[str, Any]]:
    """Rows of `ancestor`; a base has no role there, as in documents."""
    return [{"checkpoint_id": checkpoint_id, "role": None, **one.to_json()} for one in ancestors]


def delivery_of(row: Row) -> str:
    """The delivery that a checkpoint was trained on. Raises Refused (evaluate.no_delivery) for a merge."""
    if row["delivery"] is None:
        raise Refused(
            f"{row['name']} was not trained on a delivery, so no clips were held out for it",
            code="evaluate.no_delivery",
            where=row["public_id"],
            remedy="Evaluate what it was merged from, or make films with it.",
        )
    return str(row["delivery"])


def folder_of(ws: Workspace, row: Row) -> Path:
    """Where an own checkpoint lies."""
    return ws.root / str(row["folder"])


def lineage_of(row: Row) -> Bundle:
    """The bundle in a checkpoint's row (it was signed here, or verified when it was taken)."""
    return read_payload(read_envelope(str(row["lineage"]).encode()).payload)


def check_files(ws: Workspace, row: Row) -> Path:
    """The folder of a checkpoint whose files match its lineage. Raises IntegrityFailure (model.changed), NotFound."""
    folder = folder_of(ws, row)
    found = lineage.model_files(folder)
    expected: dict[str, str] = lineage_of(row).body["files"]
    differing = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    if differing:
        raise IntegrityFailure(
            f"{len(differing)} files of the checkpoint {row['name']} do not match its lineage: "
            + ", ".join(differing[:5]),
            code="model.changed",
            remedy="Restore the folder from a backup, or train again",
        )
    return folder
