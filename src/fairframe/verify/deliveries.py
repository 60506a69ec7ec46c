"""Checks a delivery folder: the signed delivery, its items, every clip, and that nothing else lies there."""

import os
from collections.abc import Iterator
from pathlib import Path

from fairframe.core.bundle import Bundle
from fairframe.core.delivery_body import DeliveryBody
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.limits import derived_max_bytes
from fairframe.verify.companions import FEED_ITEMS, SIGNED, check_companions, read_signed
from fairframe.verify.documents import addressed
from fairframe.verify.files import hash_file
from fairframe.verify.items import Items, read_items
from fairframe.verify.kind import Finding, Kind, Target, several, strays
from fairframe.verify.trust import Trust


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a folder that should hold a delivery."""
    folder = target.path
    delivery, findings = read_signed(folder, "delivery.json", trust, now_ms)
    if delivery is None:
        return findings
    try:
        body = DeliveryBody.from_json(delivery.body)
        items, against = _items(folder, delivery, body)
    except (BadDocument, InputError) as error:
        return [*findings, Finding(False, error.code, str(error))]
    taken_back, companions = check_companions(folder, delivery, body, trust, now_ms)
    return [
        *findings,
        *addressed(delivery, trust),
        *against,
        *_clips(folder, items, taken_back),
        *_derived_files(folder, body.derived, derived_max_bytes(items.size_bytes)),
        *strays("files.extra", _extra(folder, items.clips, body.derived), "nothing else lies in the folder"),
        *companions,
    ]


def _items(folder: Path, delivery: Bundle, body: DeliveryBody) -> tuple[Items, list[Finding]]:
    items = read_items(folder / "items.jsonl", body.items, body.items_bytes)
    found = sum(items.clips.values())
    text = f"delivery {body.delivery} of release {body.release}"
    lines = f"items.jsonl has {items.size_bytes} bytes, signed are {body.items_bytes}"
    lasting = f"the items last {items.duration_ms} ms, signed are {body.duration_ms}"
    return items, [
        Finding(delivery.id == body.delivery, "delivery.names", text),
        # a body with another hash is not read
        Finding(True, "delivery.recipe", "the recipe has the signed recipe hash"),
        _same(items.digest, body.items_digest, "items.digest", "the SHA-256 of items.jsonl is"),
        _same(items.root, body.root, "items.root", "the Merkle root over the lines of items.jsonl is"),
        Finding(items.count == body.items, "items.count", f"{items.count} items, signed are {body.items}"),
        Finding(items.size_bytes == body.items_bytes, "items.size", lines),
        Finding(items.duration_ms == body.duration_ms, "items.duration", lasting),
        Finding(found == body.clips_bytes, "items.bytes",
                f"{found} bytes of clips are listed, signed are {body.clips_bytes}"),
        *several("items.form", items.bad, "every item is well-formed and named once"),
    ]  # fmt: skip


def _same(found: str, signed: str, code: str, text: str) -> Finding:
    return Finding(found == signed, code, f"{text} {found[:16]}..., signed is {signed[:16]}...")


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


def _derived_files(folder: Path, derived: dict[str, str], most: int) -> list[Finding]:
    findings: list[Finding] = []
    for name, expected in sorted(derived.items()):
        try:
            ok = hash_file(folder / name, max_bytes=most) == expected
            text = f"{name} {'has' if ok else 'does not have'} the signed SHA-256"
        except InputError as error:
            ok, text = False, str(error)
        findings.append(Finding(ok, "derived.changed", text))
    return findings


def _extra(folder: Path, clips: dict[str, int], derived: dict[str, str]) -> Iterator[str]:
    """Files, links and folders that the delivery does not name."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == "clips" and entry.is_dir(follow_symlinks=False):
                yield from _extra_clips(entry.path, clips)
            elif entry.name not in (*SIGNED, FEED_ITEMS, "items.jsonl", *derived):
                yield f"{entry.name!r} is not part of the delivery"


def _extra_clips(folder: str, clips: dict[str, int]) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for clip in entries:
            stem, dot, suffix = clip.name.partition(".")
            if not (stem in clips and dot + suffix == ".mp4"):
                yield f"clips/{clip.name!r} belongs to no item"


DELIVERY = Kind(
    name="delivery folder",
    matches=lambda target: target.is_folder,
    check=check,
    cannot_show=(
        "that the clips show what their captions say, or come from the named source frames (content_hash)",
        "that derived files such as items.parquet repeat items.jsonl: only that they are the signed ones",
        "that no contributor has opted out since feed.json was issued: ask the library for its newest feed",
        "that the lease is still live on the lab's own clock",
    ),
)
