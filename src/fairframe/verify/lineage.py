"""Reads the body of a signed lineage: what a model was trained on, what it descends from, and whether the sums agree.

The fields are documented in training/lineage.py.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fairframe.core.ancestors import METHODS, read_ancestors
from fairframe.core.canonical import digest, sha256_hex
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.model_release_body import check_path
from fairframe.verify.kind import Finding, several

LINEAGE = "lineage.json"
MAX_FILES = 10_000
MAX_USES = 1_000_000


@dataclass(frozen=True)
class Lineage:
    """A lineage that is well-formed. `findings` are on what can be checked in it alone.

    `files` maps a plain relative path to its SHA-256; `elsewhere` names the ancestors that are checkpoints themselves.
    """

    checkpoint: str
    weights_hash: str
    delivery: str
    root: str
    family: str
    files: dict[str, str]
    elsewhere: tuple[str, ...]
    findings: tuple[Finding, ...]


def read_lineage(value: dict[str, Any]) -> Lineage:
    """Read a body strictly. Raises BadDocument (document.field, model.files, model.path)."""
    body = Fields(value, "lineage.body")
    checkpoint, family = body.id("checkpoint", "ckp"), body.id("family", "agr")
    delivery = body.fields("delivery")
    named, root, items = delivery.id("id", "dlv"), delivery.hex("root"), delivery.integer("items", least=1)
    delivery.close()
    files, signed = _files(body), body.hex("weights_hash")
    elsewhere, ancestors = _ancestors(body)
    findings = [
        _names(body, f"on the delivery {named} of {items} items, root {root[:16]}..., agreement family {family}"),
        Finding(digest(dict(files)) == signed, "model.weights_hash", "the weights hash is that of the list of files"),
        *_recipe(body),
        *_usage(body, named, items),
        *ancestors,
    ]
    body.close()
    return Lineage(checkpoint, signed, named, root, family, files, tuple(elsewhere), tuple(findings))


def _names(body: Fields, text: str) -> Finding:
    name, code, made = body.text("name", max_chars=200), body.text("code", max_chars=100), body.time_ms("made_at")
    return Finding(made > 0, "model.names", f"{name} ({body.id('checkpoint')}), trained by {code} {text}")


def _files(body: Fields) -> dict[str, str]:
    listed = body.object("files")
    fields = Fields(listed, "lineage.body.files")
    files = {name: fields.hex(name) for name in listed}
    if len(files) > MAX_FILES or not files:
        raise BadDocument(f"{len(files)} files are listed", code="model.files", where=LINEAGE)
    for name in files:
        check_path(name, LINEAGE)
    return files


def _recipe(body: Fields) -> list[Finding]:
    text, signed = body.text("recipe", max_chars=1_000_000), body.hex("recipe_hash")
    return [Finding(sha256_hex(text.encode()) == signed, "model.recipe", "the recipe has the recipe hash")]


def _usage(body: Fields, delivery: str, items: int) -> list[Finding]:
    usage = body.fields("usage")
    method = usage.text("method", one_of=METHODS)
    total, house = usage.integer("frames"), usage.integer("house_frames")
    seen: set[tuple[str, str]] = set()
    frames = 0
    listed = usage.list("items", max_items=MAX_USES)
    for value in listed:
        one = Fields(value, "lineage.body.usage.items")
        seen.add((one.id("source", "dlv"), one.id("item", "itm")))
        frames += one.integer("frames", least=1)
        one.close()
    usage.close()
    once = len(seen) == len(listed) and len(seen) <= items
    text = f"{frames} delivered and {house} house frames sum to {total} ({method}), {len(seen)} items"
    others = sorted({f"frames of another delivery were used: {source}" for source, _ in seen if source != delivery})
    return [
        Finding(frames + house == total, "model.usage", text),
        Finding(once, "model.usage_once", f"every item is counted once, none beyond the {items} of the delivery"),
        *several("model.sources", others, "all delivered frames that were used are of the delivery that it names"),
    ]


def _ancestors(body: Fields) -> tuple[list[str], list[Finding]]:
    """Names of the ancestors that are checkpoints, and the findings. What an ancestor is, is the lab's word."""
    found: list[Finding] = []
    elsewhere: list[str] = []
    weight = Fraction(0)
    for one in read_ancestors(body):
        weight += Fraction(one.weight_num, one.weight_den)
        if one.kind == "checkpoint":
            elsewhere.append(one.name)
        text = f"by the lab's word it descends from {one.name} ({one.kind}, license {one.license}, data {one.data})"
        found.append(Finding(None, "model.ancestor", f"{text}: what that is made of stands in no document here"))
    text = f"the ancestors' weights sum to {float(weight):.3f}, at most 1"
    return elsewhere, [*found, Finding(weight <= 1, "model.weights", text)]
