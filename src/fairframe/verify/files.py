"""Reads files of unknown origin: regular files only, never through a link, never more than expected."""

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from fairframe.core.errors import InputError

_CHUNK_BYTES = 1 << 20


def open_regular(path: Path, *, follow: bool = False) -> BinaryIO:
    """Open a regular file for reading.

    InputError when it is missing (input.no_file), a link unless `follow`, a device or a pipe
    (input.not_a_file), or not readable.
    """
    # O_NONBLOCK: opening a pipe would otherwise wait for a writer before its kind could be looked at
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError as error:
        raise InputError("There is no such file", code="input.no_file", where=str(path)) from error
    except (OSError, ValueError) as error:
        linked = "It is a link" if path.is_symlink() else "It cannot be read"
        raise InputError(linked, code="input.not_a_file", where=str(path)) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError("It is not a regular file", code="input.not_a_file", where=str(path))
    return os.fdopen(handle, "rb")


def read_limited(path: Path, max_bytes: int, *, follow: bool = True) -> bytes:
    """The whole file; InputError when it is longer than `max_bytes`. Links that a person names are followed."""
    with open_regular(path, follow=follow) as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise InputError(f"It is longer than {max_bytes} bytes", code="input.too_large", where=str(path))
    return data


def hash_file(path: Path, size_bytes: int | None = None, *, max_bytes: int | None = None) -> str | None:
    """The hex SHA-256 of a file that is no link, or None when its size is not `size_bytes` or is above `max_bytes`.

    The size is compared first and reading stops beyond it, so a huge file in a clip's place costs nothing.
    """
    digest = hashlib.sha256()
    most = max_bytes if size_bytes is None else size_bytes
    with open_regular(path) as stream:
        found = os.fstat(stream.fileno()).st_size
        if (size_bytes is not None and found != size_bytes) or (most is not None and found > most):
            return None
        # a file that grows meanwhile is not read on either
        left = found + 1
        while left and (chunk := stream.read(min(_CHUNK_BYTES, left))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest() if left == 1 else None
