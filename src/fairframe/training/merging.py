"""Merging: a checkpoint whose weights are the weighted mean of two others, tensor by tensor.

The mean is a plain linear interpolation in weight space ("model soups", Wortsman et al. 2022, for models that were
trained from the same base). It is computed in 64-bit floats and kept in 32. A merge consumes nothing: its lineage names
both as ancestors, by their parts of the mean, and it may be used for what both may be used for, at most.
"""

import json
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairframe.core.errors import InputError
from fairframe.core.rational import Share
from fairframe.platform.runs import Progress, alone, running, silent
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.training import ancestry, lineage, permissions, registry
from fairframe.training.publishing import Made, free, place_for, publish, resume

if TYPE_CHECKING:
    from fairframe.training.model import Model


@dataclass(frozen=True)
class Merged:
    """A published merge. related: whether the two have an ancestor in common."""

    checkpoint: str
    name: str
    folder: Path
    related: bool


def merge(
    ws: Workspace,
    first: str,
    second: str,
    name: str,
    *,
    part: Share = Share(1, 2),
    purpose: str = "research",
    tenant: str | None = None,
    show: Progress = silent,
) -> Merged:
    """Merge two own checkpoints and publish the result as `name`. part: the first one's.

    Raises Refused (guard.refused) where one of them may not be merged for the purpose, InputError
    (merge.architecture: they are not alike; merge.weight), Conflict where the name is taken, NotFound,
    IntegrityFailure (model.changed), MissingExtra.
    """
    place = place_for(ws, name)
    if part.num in (0, part.den):
        raise InputError("both take part in a merge", code="merge.weight", remedy="Give a part between 0 and 1.")
    with alone(ws, "train", name):
        free(ws, place)
        with ws.read() as tx:
            rows = registry.find(tx, first), registry.find(tx, second)
            _permit(rows, purpose, tenant)(tx)
            related = bool(ancestry.roots(tx, rows[0]) & ancestry.roots(tx, rows[1]))
        if rows[0]["weights_hash"] == rows[1]["weights_hash"]:
            raise InputError("both have the same weights", code="merge.architecture", where=second)
        folders = [registry.check_files(ws, row) for row in rows]
        parts = part.fraction, part.complement().fraction
        merged = [[row["public_id"], str(one)] for row, one in zip(rows, parts, strict=True)]
        recipe = {"merge": merged, **_sampling(rows[0])}
        arguments = {"name": name, "recipe": recipe}
        told = {**arguments, "recipe_hash": lineage.recipe_hash(recipe)}
        checkpoint_id = resume(place.part, arguments)
        with _or_nothing(place.part), running(ws, "merge", told, show) as run:
            _write(folders[0], folders[1], parts[0], place.part, run.progress)
            ancestors = [ancestry.as_ancestor(row, "merge", one) for row, one in zip(rows, parts, strict=True)]
            publish(ws, place, Made(checkpoint_id, recipe, ancestors, _permit(rows, purpose, tenant)))
            run.result = {"checkpoint": checkpoint_id}
    return Merged(checkpoint_id, name, place.target, related)


@contextmanager
def _or_nothing(part: Path) -> Generator[None]:
    """A merge that fails leaves nothing: it is made anew in a moment. One that was killed is made again by its call."""
    try:
        yield
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _permit(rows: tuple[Row, Row], purpose: str, tenant: str | None) -> Callable[[Tx], None]:
    def ask(tx: Tx) -> None:
        for row in rows:
            permissions.require(tx, row, "merge", purpose, tenant=tenant)

    return ask


def _sampling(row: Row) -> dict[str, Any]:
    """The first one's sampling settings, which the merge is sampled with."""
    recipe: dict[str, Any] = json.loads(registry.lineage_of(row).body["recipe"])
    return {"sampling": recipe["sampling"]} if "sampling" in recipe else {}


def _write(first: Path, second: Path, part: Fraction, out: Path, show: Progress) -> None:
    from fairframe.training.model import PARTS, load_model, save_model

    one, other = load_model(first), load_model(second)
    _same_window(one, other)
    for number, name in enumerate(PARTS):
        show(number, len(PARTS), name)
        _mean(name, getattr(one, name), getattr(other, name), part)
    save_model(one, out)


def _same_window(one: "Model", other: "Model") -> None:
    for key in ("fps", "size", "frames", "text_bytes", "shift"):
        if getattr(one, key) != getattr(other, key):
            raise _not_alike(f"{key} is {getattr(one, key)} of the one and {getattr(other, key)} of the other")


def _mean(name: str, one: Any, other: Any, part: Fraction) -> None:
    """Put the mean of two modules into the first. Buffers that are no floats have to be the same in both."""
    import torch

    if _config(one) != _config(other):
        raise _not_alike(f"the {name} is configured differently")
    mine, theirs = one.state_dict(), other.state_dict()
    if {key: value.shape for key, value in mine.items()} != {key: value.shape for key, value in theirs.items()}:
        raise _not_alike(f"the {name} has other tensors")
    weight = float(part)
    means: dict[str, torch.Tensor] = {}
    for key, tensor in mine.items():
        if tensor.is_floating_point():
            means[key] = (tensor.double() * weight + theirs[key].double() * (1 - weight)).to(tensor.dtype)
        elif not torch.equal(tensor, theirs[key]):
            raise _not_alike(f"{key} of the {name} differs")
    with torch.no_grad():
        # all are computed before one is written: tied weights are one tensor under two names
        for key, mean in means.items():
            mine[key].copy_(mean)


def _config(module: Any) -> dict[str, Any]:
    """What makes an architecture: without names of paths and versions, which begin with an underscore."""
    config = module.config if isinstance(module.config, dict) else module.config.to_dict()
    return {key: value for key, value in config.items() if not key.startswith("_") and key != "transformers_version"}


def _not_alike(text: str) -> InputError:
    return InputError(
        f"only checkpoints of the same architecture can be merged: {text}",
        code="merge.architecture",
        remedy="Merge checkpoints that were trained with the same preset.",
    )
