"""Several files that appear under their names together, or not at all as long as the process lives.

A process killed in between may leave a name taken by an empty file.
"""

import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fairframe.core.errors import Conflict, InputError


def check_free(path: Path, *, overwrite: bool) -> None:
    """Raises Conflict (output.exists) where a file is there and may not be replaced, InputError where none can be."""
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}", code="input.no_folder", remedy="Make it first.")
    if path.is_dir():
        raise InputError(f"{path} is a folder", code="input.is_folder", remedy="Name a file.")
    if path.is_symlink() or (path.exists() and not overwrite):
        raise _exists(path)


@contextmanager
def workshop(folder: Path) -> Generator[Path]:
    """A temporary folder on the same disk as `folder`, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".fairframe-", dir=folder) as made:
        yield Path(made)


def put(files: Mapping[Path, Path], aside: Path, *, overwrite: bool) -> None:
    """Move files (target -> source) to their names in this order; if one cannot be, all is put back as it was.

    `aside` is a folder on the disk of all sources and targets, where files that are replaced wait. Raises Conflict
    (output.exists) where a file has appeared meanwhile, which is never replaced unless `overwrite`.
    """
    done: list[tuple[Path, Path | None]] = []
    try:
        for target, source in files.items():
            before: Path | None = None
            if not overwrite:
                _claim(target)
            elif target.exists():
                before = aside / f"before-{len(done)}"
                target.rename(before)
            done.append((target, before))
            source.rename(target)
    except BaseException:
        for target, before in reversed(done):
            target.unlink(missing_ok=True)
            if before is not None:
                before.rename(target)
        raise


def _claim(path: Path) -> None:
    """Take a name that nobody has: an empty file, which the real one then replaces."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    except FileExistsError as error:
        raise _exists(path) from error


def _exists(path: Path) -> Conflict:
    return Conflict(f"{path} exists already", code="output.exists", remedy="Choose another name, or say --overwrite.")
