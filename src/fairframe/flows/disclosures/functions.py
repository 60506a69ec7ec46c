"""The questions whose answers stand in signed documents, in the model's files or in the results of runs."""

import json
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import BadDocument
from fairframe.core.item_line import read_line
from fairframe.dataset.tables import delivery, received_item
from fairframe.flows.disclosures.figure import Answer, Cell, Parameters, Question, bound
from fairframe.flows.disclosures.parts import statement
from fairframe.platform.tables import run
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements
from fairframe.training import registry
from fairframe.training.tables import checkpoint

SAFETENSORS = ".safetensors"
MAX_HEADER_BYTES = 100_000_000
"""What the format's own reader accepts as a header."""
_BATCH = 10_000


def chain(tx: Tx, parameters: Parameters) -> list[Row]:
    """The checkpoint and its ancestors of this workspace, oldest first."""
    ids = tx.execute(bound(statement(("chain",), "select id from chain"), parameters)).scalars()
    return list(tx.rows(checkpoint.select().where(checkpoint.c.id.in_(list(ids))).order_by(checkpoint.c.id)))


def taken(tx: Tx, parameters: Parameters) -> list[Row]:
    """The deliveries that the chain was trained on."""
    ids = tx.execute(bound(statement(("chain", "taken"), "select id from taken"), parameters)).scalars()
    return list(tx.rows(delivery.select().where(delivery.c.id.in_(list(ids))).order_by(delivery.c.id)))


def window(tx: Tx, parameters: Parameters) -> Answer:
    """Of each training: pixels of a side, frames and rate of the window that the model sees, by its signed recipe."""
    lines: list[list[Cell]] = []
    for row in chain(tx, parameters):
        clip: dict[str, Any] = json.loads(registry.lineage_of(row).body["recipe"]).get("clip", {})
        lines.append([row["name"], clip.get("size"), clip.get("frames"), clip.get("fps")])
    return Answer(lines, len(lines))


def licensed_sides(tx: Tx, parameters: Parameters) -> Answer:
    """Of each agreement that clips were delivered under: fewest and most pixels of an asset's shorter side."""
    named = dict.fromkeys(row["agreement"] for row in chain(tx, parameters) if row["agreement"] is not None)
    terms = [(one, agreements.find(tx, one).terms) for one in named]
    lines: list[list[Cell]] = [[one, term.min_short_side, term.max_short_side] for one, term in terms]
    return Answer(lines, len(lines))


def clearance_findings(tx: Tx, parameters: Parameters) -> Answer:
    """Finding codes that the library's clearance left on delivered clips, and on how many; none is a clip's rule."""
    counts, seen = Counter[str](), 0
    for one in taken(tx, parameters):
        for line in _lines(tx, one["id"]):
            seen += 1
            counts.update(set(read_line(line).findings))
    return Answer([[code, counts[code]] for code in sorted(counts)], seen)


def _lines(tx: Tx, delivery_id: int) -> Iterator[bytes]:
    lines = sa.select(received_item.c.line).where(received_item.c.delivery_id == delivery_id)
    for line in tx.execute(lines.execution_options(yield_per=_BATCH)).scalars():
        yield line.encode()


def trainings(tx: Tx, parameters: Parameters) -> Answer:
    """When the trainings of the chain began and ended, by the rows of their runs: name, first, last."""
    lines: list[list[Cell]] = []
    for row in chain(tx, parameters):
        # a training that was stopped and called again is several runs
        of_it = [one for one in _runs(tx, "train", parameters) if one["arguments"].get("name") == row["name"]]
        begun = min((one["created_at_ms"] for one in of_it), default=None)
        lines.append([row["name"], begun, row["recorded_at_ms"]])
    return Answer(lines, len(lines))


def evaluation(tx: Tx, parameters: Parameters) -> Answer:
    """The newest evaluation on held-out clips: measure, what it is compared with, and both values."""
    done = [
        one
        for one in _runs(tx, "evaluate", parameters)
        if one["state"] == "done" and one["arguments"].get("checkpoint") == parameters.checkpoint
    ]
    if not done:
        return Answer([], 0)
    result: dict[str, Any] = done[-1]["result"]
    vae, film, text = (result["model"][part] for part in ("vae", "extension", "captions"))
    compared = (
        ("autoencoder, PSNR in dB", vae["psnr"], "8x bicubic", vae["psnr_bicubic"]),
        ("autoencoder, SSIM", vae["ssim"], "8x bicubic", vae["ssim_bicubic"]),
        ("extension, PSNR in dB", film["psnr"], "repeating the last frame", film["psnr_repeat"]),
        ("loss with its caption", text["right"], "with shuffled captions", text["shuffled"]),
    )
    lines: list[list[Cell]] = [
        [what, f"{mine:.3f}", against, f"{other:.3f}"] for what, mine, against, other in compared
    ]
    return Answer(lines, int(result["heldout_clips"]))


def _runs(tx: Tx, kind: str, parameters: Parameters) -> list[Row]:
    ended = sa.or_(run.c.finished_at_ms.is_(None), run.c.finished_at_ms <= parameters.read_at_ms)
    where = (run.c.kind == kind) & (run.c.created_at_ms <= parameters.read_at_ms) & ended
    return list(tx.rows(run.select().where(where).order_by(run.c.id)))


def tensors(tx: Tx, parameters: Parameters) -> Answer:
    """Numbers in the weights, by part of the model, from the headers of its safetensors files.

    Nothing of what is no checkpoint of this workspace: the id may come from a file.
    """
    where = (checkpoint.c.public_id == parameters.checkpoint) & (checkpoint.c.direction == "own")
    row = tx.row(checkpoint.select().where(where))
    if row is None:
        return Answer([], 0)
    folder = registry.folder_of(tx.ws, row)
    counts, files = Counter[str](), 0
    for name in registry.lineage_of(row).body["files"]:
        if name.endswith(SAFETENSORS):
            files += 1
            counts[name.split("/")[0]] += elements(folder / name)
    return Answer([[part, counts[part]] for part in sorted(counts)], files)


def elements(path: Path) -> int:
    """Numbers in a safetensors file, by its header (8 bytes of length, then JSON). Raises BadDocument."""
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > MAX_HEADER_BYTES:
                raise ValueError("its header is too long")
            header: dict[str, Any] = json.loads(stream.read(length))
        total = 0
        for name, tensor in header.items():
            if name != "__metadata__":
                size = 1
                for side in tensor["shape"]:
                    size *= int(side)
                total += size
        return total
    except (ValueError, KeyError, TypeError, struct.error, OSError) as error:
        raise BadDocument(f"This is no safetensors file: {error}", code="model.bad_file", where=str(path)) from error


def delivery_recipes(tx: Tx, parameters: Parameters) -> Answer:
    """How the library selected the clips: every setting of each delivery's signed recipe."""
    found = taken(tx, parameters)
    lines: list[list[Cell]] = []
    for one in found:
        recipe = read_payload(read_envelope(one["envelope"].encode()).payload).body["recipe"]
        lines += [[one["public_id"], name, value] for name, value in _settings(recipe)]
    return Answer(lines, len(found))


def _settings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """A recipe's settings by name, as text; "filters.min_ms" for one inside of another."""
    if isinstance(value, dict):
        for inner in sorted(value):
            yield from _settings(value[inner], f"{name}.{inner}" if name else inner)
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value)) or "none"
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


FUNCTIONS = (
    Question("windows", "window that the model sees at once in training", "list", window,
             columns=("checkpoint", "side, pixels", "frames", "frames per second")),
    Question("licensed_sides", "shorter side of the source assets that each agreement admits", "list", licensed_sides,
             ("agreement",), ("agreement", "fewest pixels", "most pixels")),
    Question("clearance_findings", "remarks of the library's clearance on delivered clips", "list", clearance_findings,
             ("delivery",), ("finding", "clips")),
    Question("delivery_recipes", "recipe by which the library selected the clips of each delivery", "list",
             delivery_recipes, ("delivery",), ("delivery", "setting", "value")),
    Question("trainings", "trainings, and when they were", "list", trainings,
             columns=("checkpoint", "begun", "published")),
    Question("evaluation", "newest evaluation on held-out clips", "list", evaluation,
             columns=("measure", "this model", "beside", "its value")),
    Question("tensors", "parameters of the model, by part", "list", tensors, columns=("part", "parameters")),
)  # fmt: skip
"""Every question that a function answers; a new one is one function and one entry here."""
