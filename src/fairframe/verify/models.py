"""Checks a model folder: its signed lineage.json, every file that makes the model, and that the sums agree."""

import os
from pathlib import Path

from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import BadDocument, InputError
from fairframe.verify.documents import open_checked
from fairframe.verify.files import hash_file, read_limited
from fairframe.verify.kind import Finding, Kind, Target, several
from fairframe.verify.lineage import LINEAGE, read_lineage
from fairframe.verify.trust import Trust

BESIDE = frozenset({LINEAGE, "curves.json", "validation", "evaluation.json"})
"""What may lie in a model's folder without making it: training's records."""


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
        lineage = read_lineage(bundle.body)
        found = [*lineage.findings, *_files(target.path, lineage.files)]
    except (BadDocument, InputError) as error:
        return [*findings, Finding(False, error.code, str(error))]
    return [*findings, *found]


def _files(folder: Path, files: dict[str, str]) -> list[Finding]:
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
        *several("model.missing", missing, f"all {len(files)} files are there"),
        *several("model.changed", changed, f"{len(files) - len(missing)} files have the signed SHA-256"),
        *several("model.extra", _extra(folder, files), "nothing else lies in the folder that could be loaded"),
    ]


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


MODEL = Kind(
    name="model",
    matches=lambda target: target.is_folder and (target.path / LINEAGE).is_file(),
    check=check,
    cannot_show=(
        "that the weights come from the training that the lineage tells of, and from nothing else",
        "that the usage counts are true: they are the lab's word, counted by its own software",
        "what an ancestor is, and what it was trained on: the lineage names it by the lab's word",
        "that the agreement still permits the model's use: see the agreement, its grants and the newest feed",
    ),
)
