"""Checks a delivery folder: the signed delivery, its items, every clip, and that nothing else lies there."""

import os
from pathlib import Path

from fairframe.core.bundle import Bundle
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.verify.companions import SIGNED, check_companions, read_signed
from fairframe.verify.files import hash_file
from fairframe.verify.items import Items, read_items
from fairframe.verify.kind import Finding, Kind, Target, several
from fairframe.verify.trust import Trust


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a folder that should hold a delivery."""
    folder = target.path
    delivery, findings = read_signed(folder, "delivery.json", trust, now_ms)
    if delivery is None:
        return findings
    try:
        items, against = _items(folder, delivery)
        derived = _derived(delivery)
    except (BadDocument, InputError) as error:
        return [*findings, Finding(False, error.code, str(error))]
    taken_back, companions = check_companions(folder, delivery, trust, now_ms)
    return [
        *findings,
        *against,
        *_clips(folder, items, taken_back),
        *_derived_files(folder, derived),
        *_extra(folder, items.clips, derived),
        *companions,
    ]


def _items(folder: Path, delivery: Bundle) -> tuple[Items, list[Finding]]:
    body = Fields(delivery.body, "delivery.body")
    delivery_id, release = body.id("delivery", "dlv"), body.id("release", "rel")
    root, digest = body.hex("root"), body.hex("items_digest")
    count, size = body.integer("items"), body.integer("clips_bytes")
    items = read_items(folder / "items.jsonl", count)
    found = sum(items.clips.values())
    return items, [
        Finding(True, "delivery.names", f"delivery {delivery_id} of release {release}"),
        Finding(items.digest == digest, "items.digest", f"the SHA-256 of items.jsonl is {items.digest[:16]}..., "
                f"signed is {digest[:16]}..."),
        Finding(items.root == root, "items.root", f"the Merkle root over the lines of items.jsonl is "
                f"{items.root[:16]}..., signed is {root[:16]}..."),
        Finding(items.count == count, "items.count", f"{items.count} items, signed are {count}"),
        Finding(found == size, "items.bytes", f"{found} bytes of clips are listed, signed are {size}"),
        *several("items.form", items.bad, "every item is well-formed and named once"),
    ]  # fmt: skip


def _derived(delivery: Bundle) -> dict[str, str]:
    """Files that were made from the items: name -> SHA-256. BadDocument on a name that leads elsewhere."""
    if "derived" not in delivery.body:
        return {}
    listed = Fields(delivery.body, "delivery.body").object("derived")
    fields = Fields(listed, "delivery.body.derived")
    for name in listed:
        plain = name.isascii() and name.replace(".", "").replace("_", "").replace("-", "").isalnum()
        if not plain or name.startswith(".") or len(name) > 100 or name in (*SIGNED, "items.jsonl", "clips"):
            raise BadDocument(
                f"{name[:80]!r} is not a name for a derived file", code="delivery.path", where="delivery.json"
            )
    return {name: fields.hex(name) for name in listed}


def _clips(folder: Path, items: Items, taken_back: frozenset[str]) -> list[Finding]:
    """Every clip's presence and hash; one may be gone when the feed took back all items that it serves."""
    missing: list[str] = []
    changed: list[str] = []
    gone = 0
    for clip_hash, size in items.clips.items():
        name = f"clips/{clip_hash}.mp4"
        try:
            if hash_file(folder / name, size) != clip_hash:
                changed.append(f"{name}: its size or SHA-256 is not the signed one")
        except InputError as error:
            if error.code == "input.no_file" and taken_back.issuperset(items.users[clip_hash]):
                gone += 1
            else:
                missing.append(f"{name}: {error.message}")
    here = len(items.clips) - len(missing) - gone
    findings = [
        *several("clips.missing", missing, f"{here} of {len(items.clips)} clips are there, none is missing"),
        *several("clips.changed", changed, f"{here} clips have the signed size and SHA-256"),
    ]
    if taken_back:
        text = f"feed.json takes back {len(taken_back)} items; {gone} clips are gone for that reason"
        findings.append(Finding(True, "clips.taken_back", text))
    return findings


def _derived_files(folder: Path, derived: dict[str, str]) -> list[Finding]:
    findings: list[Finding] = []
    for name, expected in sorted(derived.items()):
        try:
            ok = hash_file(folder / name) == expected
            text = f"{name} {'has' if ok else 'does not have'} the signed SHA-256"
        except InputError as error:
            ok, text = False, str(error)
        findings.append(Finding(ok, "derived.changed", text))
    return findings


def _extra(folder: Path, clips: dict[str, int], derived: dict[str, str]) -> list[Finding]:
    """Files, links and folders that the delivery does not name."""
    extra: list[str] = []
    for entry in os.scandir(folder):
        if entry.name == "clips" and entry.is_dir(follow_symlinks=False):
            for clip in os.scandir(entry.path):
                stem, dot, suffix = clip.name.partition(".")
                if not (stem in clips and dot + suffix == ".mp4"):
                    extra.append(f"clips/{clip.name!r} belongs to no item")
        elif entry.name not in (*SIGNED, "items.jsonl", *derived):
            extra.append(f"{entry.name!r} is not part of the delivery")
    return several("files.extra", sorted(extra), "nothing else lies in the folder")


DELIVERY = Kind(
    name="delivery folder",
    matches=lambda target: target.is_folder,
    check=check,
    cannot_show=(
        "that the clips show what their captions say, or come from the named source frames (content_hash)",
        "that derived files such as items.parquet repeat items.jsonl: only that they are the signed ones",
        "that no contributor has opted out since: ask the library for its newest feed",
        "that the lease is still live on the lab's own clock",
    ),
)
