"""The files of a delivery directory, and reading them when somebody else has written it.

    delivery.json  agreement.json  lease.json  feed.json  feed.items.jsonl
    items.jsonl  items.parquet  clips/<sha256>.mp4

Nothing is followed out of the directory: no symlinks, no names but these, regular files only.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fairframe.core.beside import name_beside
from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import InputError, NotFound, VerificationError
from fairframe.verify.files import hash_file, open_regular, read_limited

DELIVERY, AGREEMENT, LEASE, FEED = "delivery.json", "agreement.json", "lease.json", "feed.json"
FEED_ITEMS = name_beside(FEED)
ITEMS, PARQUET, CLIPS = "items.jsonl", "items.parquet", "clips"
MAX_BYTES = {DELIVERY: 1 << 20, AGREEMENT: 1 << 20, LEASE: 1 << 16, FEED: MAX_ENVELOPE_BYTES}
"""Largest document that is read whole."""
FAULTS = {
    "input.no_file": ("delivery.missing", "is missing"),
    "input.too_large": ("delivery.too_large", "is larger than such a document can be"),
    "input.not_a_file": ("delivery.not_a_file", "is a link or no regular file"),
}


@contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """A regular file, opened without following a link; VerificationError (delivery.not_a_file, delivery.missing)."""
    with _told(path):
        stream = open_regular(path)
    with stream:
        yield stream


def read_small(folder: Path, name: str) -> bytes:
    """One of the signed documents; VerificationError (delivery.too_large) above its limit."""
    with _told(folder / name):
        return read_limited(folder / name, MAX_BYTES[name], follow=False)


def hashed(path: Path, size: int | None = None, *, max_bytes: int | None = None) -> str | None:
    """Hex SHA-256 of a file; None where it is not of `size` or larger than `max_bytes` (it is not read on)."""
    with _told(path):
        return hash_file(path, size, max_bytes=max_bytes)


def strangers(folder: Path, clips: set[str]) -> list[str]:
    """What lies in the directory and should not: unknown names, links, folders. `clips` are names inside clips/."""
    found: list[str] = []
    known = {DELIVERY, AGREEMENT, LEASE, FEED, FEED_ITEMS, ITEMS, PARQUET}
    for entry in os.scandir(folder):
        if entry.name == CLIPS and entry.is_dir(follow_symlinks=False):
            inside = ((f"{CLIPS}/{one.name}", one, one.name in clips) for one in os.scandir(entry.path))
            found += [name for name, one, expected in inside if not (expected and _plain(one))]
        elif entry.name not in known or not _plain(entry):
            found.append(entry.name)
    return sorted(found)


def folder_of(path: Path) -> Path:
    """The directory that a person named; NotFound where there is none."""
    if not path.is_dir():
        raise NotFound(
            f"{path} is not a delivery directory", code="delivery.no_folder", remedy="Name the folder that you got."
        )
    return path


def _plain(entry: "os.DirEntry[str]") -> bool:
    return entry.is_file(follow_symlinks=False)


@contextmanager
def _told(path: Path) -> Generator[None]:
    """What is wrong with a file, as a fault of the delivery."""
    try:
        yield
    except InputError as error:
        code, text = FAULTS.get(error.code, FAULTS["input.not_a_file"])
        raise VerificationError(
            f"{path.name} {text}", code=code, where=str(path), remedy="Get the delivery again from the library."
        ) from error
