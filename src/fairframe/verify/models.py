"""Checks a model folder: its signed lineage.json, every file that makes the model, and that the sums agree."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

from fairframe.core.canonical import digest, sha256_hex
from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.verify.documents import open_checked
from fairframe.verify.files import hash_file, read_limited
from fairframe.verify.kind import Finding, Kind, Target, several
from fairframe.verify.trust import Trust

LINEAGE = "lineage.json"
BESIDE = frozenset({LINEAGE, "curves.json", "validation", "evaluation.json"})
"""What may lie in a model's folder without making it: training's records."""
MAX_FILES = 10_000
MAX_USES = 1_000_000


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a folder that holds a lineage.json."""
    try:
        data = read_limited(target.path / LINEAGE, MAX_ENVELOPE_BYTES, follow=False)
    except InputError as error:
        return [Finding(False, error.code, str(error))]
    bundle, findings = open_checked(data, trust, now_ms, LINEAGE)
    if bundle is None or not all(finding.ok for finding in findings):
        return findings
    if bundle.type != "lineage":
        return [*findings, Finding(False, "model.type", f"{LINEAGE} holds a {bundle.type}")]
    try:
        body = Fields(bundle.body, "lineage.body")
        found = [*_names(body), *_files(target.path, body), *_recipe(body), *_usage(body), *_ancestors(body)]
        body.close()
    except (BadDocument, InputError) as error:
        return [*findings, Finding(False, error.code, str(error))]
    return [*findings, *found]


def _names(body: Fields) -> list[Finding]:
    name, checkpoint = body.text("name", max_chars=200), body.id("checkpoint", "ckp")
    family, code, made = body.id("family", "agr"), body.text("code", max_chars=100), body.time_ms("made_at")
    delivery = body.fields("delivery")
    named, root, items = delivery.id("id", "dlv"), delivery.hex("root"), delivery.integer("items", least=1)
    delivery.close()
    text = f"{name} ({checkpoint}), trained by {code} on the delivery {named} of {items} items, root {root[:16]}..."
    return [Finding(made > 0, "model.names", f"{text}, agreement family {family}")]


def _files(folder: Path, body: Fields) -> list[Finding]:
    listed = body.object("files")
    signed = body.hex("weights_hash")
    fields = Fields(listed, "lineage.body.files")
    files = {name: fields.hex(name) for name in listed}
    if len(files) > MAX_FILES or not files:
        raise BadDocument(f"{len(files)} files are listed", code="model.files", where=LINEAGE)
    for name in files:
        _plain(name)
    changed: list[str] = []
    missing: list[str] = []
    for name, expected in files.items():
        try:
            if any(part.is_symlink() for part in (folder / name).parents if folder in part.parents):
                missing.append(f"{name}: a link is in its way")
            elif hash_file(folder / name) != expected:
                changed.append(f"{name}: its SHA-256 is not the signed one")
        except InputError as error:
            missing.append(f"{name}: {error.message}")
    return [
        Finding(digest(listed) == signed, "model.weights_hash", "the weights hash is that of the list of files"),
        *several("model.missing", missing, f"all {len(files)} files are there"),
        *several("model.changed", changed, f"{len(files) - len(missing)} files have the signed SHA-256"),
        *several("model.extra", _extra(folder, files), "nothing else lies in the folder that could be loaded"),
    ]


def _plain(name: str) -> None:
    parts = name.split("/")
    fine = all(part and part not in (".", "..") and "\\" not in part and part.isprintable() for part in parts)
    if not fine or len(name) > 300 or len(parts) > 8:
        raise BadDocument(f"{name[:80]!r} leads out of the folder", code="model.path", where=LINEAGE)


def _extra(folder: Path, files: dict[str, str]) -> list[str]:
    extra: list[str] = []
    for root, folders, names in os.walk(folder):
        if Path(root) == folder:
            folders[:] = [name for name in folders if name not in BESIDE or (folder / name).is_symlink()]
            names = [name for name in names if name not in BESIDE]
        linked = [name for name in folders if (Path(root) / name).is_symlink()]
        for name in [*names, *linked]:
            relative = (Path(root) / name).relative_to(folder).as_posix()
            if relative not in files:
                extra.append(f"{relative!r} is not in the lineage")
    return sorted(extra)


def _recipe(body: Fields) -> list[Finding]:
    text, signed = body.text("recipe", max_chars=1_000_000), body.hex("recipe_hash")
    return [Finding(sha256_hex(text.encode()) == signed, "model.recipe", "the recipe has the recipe hash")]


def _usage(body: Fields) -> list[Finding]:
    usage = body.fields("usage")
    method = usage.text("method", one_of=("measured", "attested", "declared"))
    total, house = usage.integer("frames"), usage.integer("house_frames")
    seen: set[tuple[str, str]] = set()
    frames = 0
    for value in usage.list("items", max_items=MAX_USES):
        one = Fields(value, "lineage.body.usage.items")
        seen.add((one.id("source", "dlv"), one.id("item", "itm")))
        frames += one.integer("frames", least=1)
        one.close()
    usage.close()
    once = len(seen) == len(Fields(body.value("usage"), "usage").list("items", max_items=MAX_USES))
    text = f"{frames} delivered and {house} house frames sum to {total} ({method}), {len(seen)} items"
    return [
        Finding(frames + house == total, "model.usage", text),
        Finding(once, "model.usage_once", "every item is counted once"),
    ]


def _ancestors(body: Fields) -> list[Finding]:
    found: list[Finding] = []
    weight = Fraction(0)
    for value in body.list("ancestors", max_items=1_000):
        one = Fields(value, "lineage.body.ancestors")
        kind = one.text("kind", one_of=("checkpoint", "external", "house"))
        told: dict[str, Any] = {key: one.text(key, max_chars=200) for key in ("name", "hash", "license")}
        data = one.text("data", one_of=("disclosed", "undisclosed"))
        weight += Fraction(one.integer("weight_num"), one.integer("weight_den", least=1))
        one.close()
        text = f"it descends from {told['name']} ({kind}, license {told['license']}, data {data})"
        found.append(Finding(True, "model.ancestor", text))
    text = f"the ancestors' weights sum to {float(weight):.3f}, at most 1"
    return [*found, Finding(weight <= 1, "model.weights", text)]


MODEL = Kind(
    name="model",
    matches=lambda target: target.is_folder and (target.path / LINEAGE).is_file(),
    check=check,
    cannot_show=(
        "that the weights come from the training that the lineage tells of, and from nothing else",
        "that the usage counts are true: they are the lab's word, counted by its own software",
        "what an ancestor with undisclosed data was trained on",
        "that the agreement still permits the model's use: see the agreement, its grants and the newest feed",
    ),
)
