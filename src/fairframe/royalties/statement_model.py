"""The model that revenue came from, as a statement tells of it: by its lineage, what each training in it counted."""

from typing import Any

import sqlalchemy as sa

from fairframe.platform.tx import Row, Tx
from fairframe.training.tables import checkpoint

RUN = ("checkpoint", "usage", "counted", "part", "frames", "delivered_frames")


def model_of(tx: Tx, event: Row, detail: dict[str, Any], named: bool) -> dict[str, Any] | None:
    """None for a fee. named: whether the licensee may be named; names of models are left out where not."""
    if event["subject_kind"] != "checkpoint":
        return None
    name = tx.scalar(sa.select(checkpoint.c.name).where(checkpoint.c.public_id == event["subject"]))
    return {
        "checkpoint": event["subject"],
        "name": str(name or "") if named else "",
        "whole": detail.get("whole", "0"),
        "runs": [
            {key: one.get(key, "") for key in RUN} | {"name": one.get("name", "") if named else ""}
            for one in detail.get("runs", [])
        ],
        "not_paid": [
            {"kind": one["kind"], "name": one["name"] if named else "", "part": one["part"]}
            for one in detail.get("not_paid", [])
        ],
    }
