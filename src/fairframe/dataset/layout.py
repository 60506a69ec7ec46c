"""The files of a delivery directory, and reading them when somebody else has written it.

    delivery.json  agreement.json  lease.json  feed.json  items.jsonl  items.parquet  clips/<sha256>.mp4

Nothing is followed out of the directory: no symlinks, no names but these, regular files only.
"""

import hashlib
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import NotFound, VerificationError

DELIVERY, AGREEMENT, LEASE, FEED = "delivery.json", "agreement.json", "lease.json", "feed.json"
ITEMS, PARQUET, CLIPS = "items.jsonl", "items.parquet", "clips"
MAX_BYTES = {DELIVERY: 1 << 20, AGREEMENT: 1 << 20, LEASE: 1 << 16, FEED: MAX_ENVELOPE_BYTES}
"""Largest document that is read whole."""
_CHUNK = 1 << 20


@contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """A regular file, opened without following a link; VerificationError (delivery.not_a_file, delivery.missing)."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise VerificationError(f"{path.name} is missing", code="delivery.missing", where=str(path)) from error
    except OSError as error:
        raise _not_a_file(path) from error
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise _not_a_file(path)
        yield stream


def read_small(folder: Path, name: str) -> bytes:
    """One of the signed documents; VerificationError (delivery.too_large) above its limit."""
    limit = MAX_BYTES[name]
    with opened(folder / name) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise VerificationError(f"{name} is larger than {limit} bytes", code="delivery.too_large", where=str(folder))
    return data


def hashed(path: Path, size: int) -> str | None:
    """Hex SHA-256 of a file of exactly `size` bytes; None where the size differs (it is not read on)."""
    sha = hashlib.sha256()
    with opened(path) as stream:
        if os.fstat(stream.fileno()).st_size != size:
            return None
        left = size + 1
        while left and (chunk := stream.read(min(_CHUNK, left))):
            sha.update(chunk)
            left -= len(chunk)
    return sha.hexdigest() if left == 1 else None


def digest(path: Path, max_bytes: int) -> str | None:
    """Hex SHA-256 of a whole file, in chunks; None where it is larger than `max_bytes` (it is not read on)."""
    with opened(path) as stream:
        size = os.fstat(stream.fileno()).st_size
    return hashed(path, size) if size <= max_bytes else None


def strangers(folder: Path, clips: set[str]) -> list[str]:
    """What lies in the directory and should not: unknown names, links, folders. `clips` are names inside clips/."""
    found: list[str] = []
    known = {DELIVERY, AGREEMENT, LEASE, FEED, ITEMS, PARQUET}
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


def _not_a_file(path: Path) -> VerificationError:
    return VerificationError(
        f"{path.name} is a link or no regular file",
        code="delivery.not_a_file",
        where=str(path),
        remedy="Get the delivery again from the library.",
    )
