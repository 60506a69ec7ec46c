"""Checks a model folder: its signed lineage.json, every file that makes the model, and that the sums agree."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import BadDocument, InputError
from fairframe.verify.documents import open_checked
from fairframe.verify.files import hash_file, read_limited
from fairframe.verify.kind import Finding, Kind, Target, several, strays
from fairframe.verify.lineage import LINEAGE, read_lineage
from fairframe.verify.trust import Trust

BESIDE = frozenset({LINEAGE, "curves.json", "validation", "evaluation.json"})
"""What may lie in a model's folder without making it: training's records."""

MAX_MODEL_BYTES = 256 * 2**30
"""What a model's files may have together: several times the largest open video models."""


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a folder that holds a lineage.json."""
    try:
        data = read_limited(target.path / LINEAGE, MAX_ENVELOPE_BYTES, follow=False)
    except InputError as error:
        return [Finding(False, error.code, str(error))]
    bundle, findings = open_checked(data, trust, now_ms, LINEAGE)
    if bundle is None or any(finding.ok is False for finding in findings):
        return findings
    if bundle.type != "lineage":
        return [*findings, Finding(False, "model.type", f"{LINEAGE} holds a {bundle.type}")]
    try:
        lineage = read_lineage(bundle.body)
        found = [*lineage.findings, *check_files(target.path, lineage.files, BESIDE)]
    except (BadDocument, InputError) as error:
        return [*findings, Finding(False, error.code, str(error))]
    return [*findings, *found]


def check_files(folder: Path, files: dict[str, str], beside: frozenset[str]) -> list[Finding]:
    """Whether every listed file has its SHA-256, and nothing else lies there but what `beside` names."""
    total = sum(_size(folder / name) for name in files)
    if total > MAX_MODEL_BYTES:
        # a lineage signs no sizes: without a bound, sparse files would be read for days before they failed
        text = f"its files have {total} bytes, more than the {MAX_MODEL_BYTES} that are read: nothing was hashed"
        return [Finding(False, "model.too_large", text)]
    changed: list[str] = []
    missing: list[str] = []
    for name, expected in files.items():
        try:
            if _linked(folder, (folder / name).parent):
                missing.append(f"{name}: a link is in its way")
            elif hash_file(folder / name, max_bytes=MAX_MODEL_BYTES) != expected:
                changed.append(f"{name}: its SHA-256 is not the signed one")
        except InputError as error:
            missing.append(f"{name}: {error.message}")
    return [
        *several("model.missing", missing, f"all {len(files)} files are there"),
        *several("model.changed", changed, f"{len(files) - len(missing)} files have the signed SHA-256"),
        *strays("model.extra", _extra(folder, files, beside), "nothing else lies in the folder that could be loaded"),
    ]


def _linked(folder: Path, inner: Path) -> bool:
    """Whether a link leads to a folder inside of `folder`."""
    return any(part.is_symlink() for part in (inner, *inner.parents) if folder in part.parents)


def _size(path: Path) -> int:
    """Bytes of what would be hashed; 0 for what is missing or no regular file, which is told later."""
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _extra(folder: Path, files: dict[str, str], beside: frozenset[str]) -> Iterator[str]:
    """Files, links and folders that no listed file needs. Only folders of listed files are looked into."""
    needed = {parent.as_posix() for name in files for parent in PurePosixPath(name).parents}
    for inner in sorted(needed):
        here = folder / inner
        if not here.is_dir() or _linked(folder, here):
            continue
        with os.scandir(here) as entries:
            for entry in entries:
                name = PurePosixPath(inner, entry.name).as_posix()
                listed = name in (needed if entry.is_dir(follow_symlinks=False) else files)
                if not listed and (name not in beside or entry.is_symlink()):
                    yield f"{name!r} is not in the signed list"


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
