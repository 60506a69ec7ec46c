"""Which files of a folder are offered for ingest. Links never lead out of it; nothing is opened here."""

import os
import stat
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from fairframe.core.errors import FairframeError, InputError
from fairframe.library.wording import readable, visible
from fairframe.media.sidecars import form_of

SUFFIXES = frozenset(
    (
        ".3g2",
        ".3gp",
        ".avi",
        ".flv",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".ogv",
        ".ts",
        ".webm",
        ".wmv",
    )
)
MAX_FILE_BYTES = 64 * 1024**3
"""Largest file that is taken in."""


@dataclass
class Found:
    """files: (name from the folder down, NFC with "/"; path). ignored: names that are not offered, and why not.

    sidecars: the same of files that by their names are sidecars of some media file, by their names in lower case.
    """

    files: list[tuple[str, Path]] = field(default_factory=list[tuple[str, Path]])
    ignored: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    sidecars: dict[str, list[tuple[str, Path]]] = field(default_factory=dict[str, list[tuple[str, Path]]])


def walk(root: Path, *, named: Collection[str] = ()) -> Found:
    """Files under `root` (a folder) with a media suffix or a name in `named`, sorted by name.

    Hidden files and folders are left out without a word, linked folders and others are named in `ignored`.
    """
    found = Found()
    for folder, folders, files in os.walk(root, followlinks=False, onerror=_unreadable):
        here = Path(folder)
        for name in sorted(folders):
            if not name.startswith(".") and (here / name).is_symlink():
                found.ignored.append((_name(here / name, root), "a link to a folder"))
        folders[:] = sorted(n for n in folders if not n.startswith("."))
        for file in sorted(files):
            if file.startswith("."):
                continue
            path = here / file
            name = _name(path, root)
            if path.suffix.lower() in SUFFIXES or name in named:
                found.files.append((name, path))
            elif form_of(name) is not None:
                found.sidecars.setdefault(name.lower(), []).append((name, path))
            else:
                found.ignored.append((name, "not a video by its name"))
    found.files.sort()
    return found


def check_file(path: Path, root: Path, name: str) -> int:
    """The size in bytes of a file that may be read. Raises InputError (input.bad_file) where it must not be."""
    if "\ufffd" in name or not readable(name):
        raise bad_file("the file name is not readable text", name, "Rename it")
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve()):
            raise bad_file("the file is a link that leaves the folder", name, "Copy the file into the folder")
        about = path.stat()
    except (OSError, RuntimeError) as error:
        text = "the file is a link that leads nowhere" if path.is_symlink() else "the file cannot be read"
        raise bad_file(text, name, "Check the file and its permissions") from error
    if not stat.S_ISREG(about.st_mode):
        raise bad_file("the file is not a regular file", name, "Take it out of the folder")
    if about.st_size == 0:
        raise bad_file("the file is empty (0 bytes)", name, "Copy it again from its source")
    if about.st_size > MAX_FILE_BYTES:
        size = f"{about.st_size / 1e9:.1f} GB, over {MAX_FILE_BYTES / 1e9:.1f} GB"
        raise bad_file(f"the file has {size}", name, "Split it or export it smaller")
    return about.st_size


def bad_file(problem: str, name: str, remedy: str) -> FairframeError:
    return InputError(problem, code="input.bad_file", where=name, remedy=remedy)


def _name(path: Path, root: Path) -> str:
    text = path.relative_to(root).as_posix()
    # what no database or terminal takes becomes U+FFFD, by which check_file refuses it
    return visible(unicodedata.normalize("NFC", text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")))


def _unreadable(error: OSError) -> None:
    raise InputError(
        f"the folder cannot be read: {error.strerror}",
        code="input.bad_folder",
        where=str(error.filename),
        remedy="Check its permissions",
    ) from error
