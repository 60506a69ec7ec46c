"""Content-addressed files: objects/ab/cd/<sha256>. An object is written before the row that names it."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fairframe.core.errors import IntegrityFailure, NotFound
from fairframe.core.time import DAY_MS, now_ms

_CHUNK = 1 << 20
_UNFINISHED = ".put-"
PRIVATE, PRIVATE_FOLDER = 0o600, 0o700
"""Modes of what is for its owner alone, whatever the umask: what people earned and were paid, and a workspace."""


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in 1 MiB chunks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class Objects:
    """The object store of one workspace. A key is the hex SHA-256 of the content."""

    root: Path

    def path(self, key: str) -> Path:
        """Where an object lies (whether or not it exists). Keys that are no SHA-256 raise NotFound."""
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise NotFound(f"{key[:80]!r} is not an object key", code="objects.bad_key")
        return self.root / key[:2] / key[2:4] / key

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def put_bytes(self, data: bytes) -> str:
        key = hashlib.sha256(data).hexdigest()
        if not self.exists(key):
            with self._writer(key) as stream:
                stream.write(data)
        return key

    def put_file(self, source: Path) -> str:
        """Copy a file in, hashing while copying; the content that was hashed is the content that is stored."""
        handle, name = tempfile.mkstemp(dir=self._folder(), prefix=_UNFINISHED)
        temporary = Path(name)
        try:
            sha = hashlib.sha256()
            with os.fdopen(handle, "wb") as out, source.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    sha.update(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            key = sha.hexdigest()
            _publish(temporary, self.path(key))
            return key
        finally:
            temporary.unlink(missing_ok=True)

    def put_written(self, write: Callable[[BinaryIO], None]) -> str:
        """Store what `write` writes to a file, however long. Returns its key."""
        handle, name = tempfile.mkstemp(dir=self._folder(), prefix=_UNFINISHED)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                write(out)
                out.flush()
                os.fsync(out.fileno())
            key = sha256_file(temporary)
            _publish(temporary, self.path(key))
            return key
        finally:
            temporary.unlink(missing_ok=True)

    def read(self, key: str) -> bytes:
        """The object's bytes, checked against its key; IntegrityFailure where they differ."""
        path = self.path(key)
        if not path.is_file():
            raise NotFound(f"object {key} is not in this workspace", code="objects.missing")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != key:
            raise IntegrityFailure(f"object {key} does not match its hash", code="objects.changed")
        return data

    def verify(self, key: str) -> bool:
        path = self.path(key)
        return path.is_file() and sha256_file(path) == key

    def delete(self, key: str) -> bool:
        """Delete an object; False where it was not there."""
        path = self.path(key)
        existed = path.is_file()
        path.unlink(missing_ok=True)
        return existed

    def sweep(self) -> int:
        """Delete what writes that died a day ago or earlier left unfinished; how many. No write takes a day."""
        swept = 0
        for path in self.root.glob(f"{_UNFINISHED}*"):
            with suppress(FileNotFoundError):  # another process finished or swept it
                if path.stat().st_mtime * 1000 < now_ms() - DAY_MS:
                    path.unlink()
                    swept += 1
        return swept

    def _writer(self, key: str) -> "_AtomicFile":
        return _AtomicFile(self.path(key), self._folder())

    def _folder(self) -> Path:
        self.root.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        return self.root


def _publish(temporary: Path, target: Path, mode: int = 0o444) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary.chmod(mode)
    temporary.replace(target)


class _AtomicFile:
    """A file that appears under its name whole, with its mode, or not at all. `folder`: where it lies until then, on
    the same disk."""

    def __init__(self, target: Path, folder: Path, mode: int = 0o444) -> None:
        self._target = target
        self._folder = folder
        self._mode = mode

    def __enter__(self) -> BinaryIO:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=_UNFINISHED)
        self._temporary = Path(name)
        self._stream = os.fdopen(handle, "wb")
        return self._stream

    def __exit__(self, kind: object, *_rest: object) -> None:
        try:
            if kind is None:
                self._stream.flush()
                os.fsync(self._stream.fileno())
                self._stream.close()
                _publish(self._temporary, self._target, self._mode)
        finally:
            self._stream.close()
            self._temporary.unlink(missing_ok=True)


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a user-visible file whole or not at all. Raises OSError, also where a device, a pipe, a folder or
    a link stands under that name: none of them is replaced."""
    _refuse_taken(path)
    with _AtomicFile(path, path.parent, mode) as stream:
        stream.write(data)


def copy_atomic(path: Path, source: Path, mode: int = 0o644) -> None:
    """As write_atomic, with the content of a file, however long."""
    _refuse_taken(path)
    with _AtomicFile(path, path.parent, mode) as stream, source.open("rb") as content:
        shutil.copyfileobj(content, stream, _CHUNK)


def _refuse_taken(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise FileExistsError(errno.EEXIST, "what is there is no regular file", str(path))
