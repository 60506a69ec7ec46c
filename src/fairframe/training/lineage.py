"""Lineage: the signed birth certificate of a checkpoint, a sealed bundle of type "lineage" in its folder.

body: checkpoint, name, weights_hash, files {path: sha256}, delivery {id, root, items} and family (both null where it
consumed nothing itself: a merge), recipe (as JSON text) and its hash, code (version), usage {method, frames,
house_frames, items: [{source, item, frames}]}, ancestors [{kind, name, hash, license, data, weight_num, weight_den,
role}], made_at. Without a role an ancestor is a base. Its weight is its part of all frames that the checkpoint's
weights ever consumed, and of a merge its part of the mean; the rest, up to 1, is this run's own.
"""

import json
from collections.abc import Mapping, Sequence
from math import gcd
from pathlib import Path
from typing import Any

from fairframe.core.ancestors import AncestorRef
from fairframe.core.canonical import digest, sha256_hex
from fairframe.core.errors import IntegrityFailure, NotFound
from fairframe.platform.objects import sha256_file
from fairframe.training.usage import UsageCount

TYPE = "lineage"
FILE = "lineage.json"
PARTS = ("vae", "transformer", "text_encoder", "tokenizer", "scheduler", "model_index.json", "window.json")


def model_files(folder: Path) -> dict[str, str]:
    """Relative path -> SHA-256 of every file that makes the model (weights and configuration)."""
    found: dict[str, str] = {}
    for part in PARTS:
        path = folder / part
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not file.is_symlink():
                found[file.relative_to(folder).as_posix()] = sha256_file(file)
    if not found:
        raise NotFound(f"{folder} holds no model", code="model.missing")
    return dict(sorted(found.items()))


def weights_hash(files: Mapping[str, str]) -> str:
    """One hash over all files of a model."""
    return digest(dict(files))


def recipe_text(recipe: Mapping[str, Any]) -> str:
    """A recipe as one JSON text: it holds floats, which canonical JSON refuses."""
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"))


def recipe_hash(recipe: Mapping[str, Any]) -> str:
    """SHA-256 hex of the recipe's text: the same in a run's row and in the lineage."""
    return sha256_hex(recipe_text(recipe).encode())


def base_ancestor(folder: Path, own_frames: int) -> AncestorRef:
    """The house base as an ancestor. Its weight is its share of all frames consumed, its own and this run's.

    Raises IntegrityFailure where a file of the base does not match base.json.
    """
    record: dict[str, Any] = json.loads((folder / "base.json").read_text("utf-8"))
    files = {name: sha for name, sha in record["files"].items() if name.split("/")[0] in PARTS}
    if files != model_files(folder):
        raise IntegrityFailure(
            f"the files of {folder} do not match its base.json", code="base.changed", remedy="Install fairframe again."
        )
    frames = sum(int(part["frames"]) for part in record["usage"].values())
    total = frames + own_frames
    factor = gcd(frames, total)
    return AncestorRef(
        kind="house",
        name=str(record["name"]),
        hash=weights_hash(files),
        license="Apache-2.0",
        data="disclosed",
        weight_num=frames // factor,
        weight_den=total // factor,
    )


def lineage_body(
    *,
    checkpoint: str,
    name: str,
    files: Mapping[str, str],
    delivery: Mapping[str, Any] | None,
    family: str | None,
    recipe: Mapping[str, Any],
    code: str,
    method: str,
    usage: Sequence[UsageCount],
    ancestors: Sequence[AncestorRef],
    made_at: str,
) -> dict[str, Any]:
    """The body of the bundle."""
    house = sum(count.frames for count in usage if count.source == "house")
    return {
        "checkpoint": checkpoint,
        "name": name,
        "weights_hash": weights_hash(files),
        "files": dict(files),
        "delivery": None if delivery is None else dict(delivery),
        "family": family,
        "recipe": recipe_text(recipe),
        "recipe_hash": recipe_hash(recipe),
        "code": code,
        "usage": {
            "method": method,
            "frames": sum(count.frames for count in usage),
            "house_frames": house,
            "items": [
                {"source": count.source, "item": count.item, "frames": count.frames}
                for count in usage
                if count.source != "house"
            ],
        },
        "ancestors": [ancestor.to_json() for ancestor in ancestors],
        "made_at": made_at,
    }
