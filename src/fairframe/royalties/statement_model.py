"""The model that revenue came from, as a statement tells of it: by its lineage, what each training in it counted."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from fairframe.platform.tx import Row, Tx
from fairframe.rights.tables import agreement
from fairframe.training.tables import checkpoint

RUN = ("checkpoint", "usage", "counted", "part", "frames", "delivered_frames")


def names_licensee(terms: dict[str, Any]) -> bool:
    """Whether an agreement lets statements name its licensee. One that says nothing of it does."""
    return bool(terms.get("licensee_named", True))


def model_of(tx: Tx, event: Row, detail: dict[str, Any], named: bool) -> dict[str, Any] | None:
    """None for a fee. named: whether the agreement that the revenue came under lets its licensee be named.

    A model's name can give its lab away. So it is told only where that agreement, and the one that the training itself
    was under, let the licensee be named; what was not paid, of which it is not known who named it, where all do.
    """
    if event["subject_kind"] != "checkpoint":
        return None
    runs: list[dict[str, Any]] = detail.get("runs", [])
    open_ = _open(tx, {str(one.get("agreement") or "") for one in runs}) if named else set[str]()
    told = [one.get("agreement") in open_ for one in runs]
    root = [mine for mine, one in zip(told, runs, strict=True) if one.get("counted") == "model"]
    return {
        "checkpoint": event["subject"],
        "name": _name(tx, event["subject"]) if root and all(root) else "",
        "whole": detail.get("whole", "0"),
        "runs": [
            {key: one.get(key, "") for key in RUN} | {"name": one.get("name", "") if mine else ""}
            for mine, one in zip(told, runs, strict=True)
        ],
        "not_paid": [
            {"kind": one["kind"], "name": one["name"] if told and all(told) else "", "part": one["part"]}
            for one in detail.get("not_paid", [])
        ],
    }


def _open(tx: Tx, agreements: Iterable[str]) -> set[str]:
    """Of agreements (their ids, each the version that a training was under) those that let the licensee be named."""
    found = tx.rows(sa.select(agreement.c.public_id, agreement.c.terms).where(agreement.c.public_id.in_(agreements)))
    return {row["public_id"] for row in found if names_licensee(row["terms"])}


def _name(tx: Tx, model: str) -> str:
    return str(tx.scalar(sa.select(checkpoint.c.name).where(checkpoint.c.public_id == model)) or "")
