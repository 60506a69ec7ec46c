"""Reads the body of a signed lineage: what a model was trained on, what it descends from, and whether the sums agree.

The fields are documented in training/lineage.py.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fairframe.core.ancestors import BASE, METHODS, read_ancestors
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

    `files` maps a plain relative path to its SHA-256; `elsewhere` the hash of each ancestor that is a checkpoint itself
    to its name. delivery, root, family: None where it consumed nothing itself (a merge).
    """

    checkpoint: str
    weights_hash: str
    delivery: str | None
    root: str | None
    family: str | None
    files: dict[str, str]
    elsewhere: dict[str, str]
    findings: tuple[Finding, ...]


def read_lineage(value: dict[str, Any]) -> Lineage:
    """Read a body strictly. Raises BadDocument (document.field, model.files, model.path)."""
    body = Fields(value, "lineage.body")
    checkpoint = body.id("checkpoint", "ckp")
    delivery = _delivery(body)
    files, signed = _files(body), body.hex("weights_hash")
    elsewhere, ancestors = _ancestors(body)
    on = "as a mean of others: it consumed nothing itself"
    if delivery is not None:
        named, family = f"{delivery.id} of {delivery.items} items", delivery.family
        on = f"on the delivery {named}, root {delivery.root[:16]}..., agreement family {family}"
    findings = [
        _names(body, on),
        Finding(digest(dict(files)) == signed, "model.weights_hash", "the weights hash is that of the list of files"),
        *_recipe(body),
        *_usage(body, delivery),
        *ancestors,
    ]
    body.close()
    if delivery is None:
        findings.append(Finding(bool(elsewhere), "model.merged", "what it is a mean of stands in its lineage"))
    return Lineage(
        checkpoint=checkpoint,
        weights_hash=signed,
        delivery=delivery and delivery.id,
        root=delivery and delivery.root,
        family=delivery and delivery.family,
        files=files,
        elsewhere=elsewhere,
        findings=tuple(findings),
    )


@dataclass(frozen=True)
class _Delivery:
    id: str
    root: str
    items: int
    family: str


def _delivery(body: Fields) -> _Delivery | None:
    """The delivery that it was trained on, None where it consumed nothing itself: then there is no family either."""
    if body.value("delivery") is None:
        if body.value("family") is not None:
            raise BadDocument("A lineage without a delivery names a family", code="document.field", where=LINEAGE)
        return None
    family, delivery = body.id("family", "agr"), body.fields("delivery")
    found = _Delivery(delivery.id("id", "dlv"), delivery.hex("root"), delivery.integer("items", least=1), family)
    delivery.close()
    return found


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


def _usage(body: Fields, on: _Delivery | None) -> list[Finding]:
    delivery, items = ("none", 0) if on is None else (on.id, on.items)
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
        Finding(frames + house == total and (on is not None or not total), "model.usage", text),
        Finding(once, "model.usage_once", f"every item is counted once, none beyond the {items} of the delivery"),
        *several("model.sources", others, "all delivered frames that were used are of the delivery that it names"),
    ]


def _ancestors(body: Fields) -> tuple[dict[str, str], list[Finding]]:
    """Hash and name of the ancestors that are checkpoints, and the findings. What an ancestor is, is the lab's word."""
    found: list[Finding] = []
    elsewhere: dict[str, str] = {}
    weight = Fraction(0)
    for one in read_ancestors(body):
        weight += Fraction(one.weight_num, one.weight_den)
        if one.kind == "checkpoint":
            elsewhere[one.hash] = one.name
        text = f"by the lab's word it descends from {one.name} ({one.kind}, license {one.license}, data {one.data})"
        text = f"{text} as its {one.role}" if one.role != BASE else text
        where = "its own lineage" if one.kind == "checkpoint" else "no document here"
        found.append(Finding(None, "model.ancestor", f"{text}: what that is made of stands in {where}"))
    text = f"the ancestors' weights sum to {float(weight):.3f}, at most 1"
    return elsewhere, [*found, Finding(weight <= 1, "model.weights", text)]
