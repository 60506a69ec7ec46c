"""A signed document that comes with a list: the two files that pass between the parties, and keeping the list."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fairframe.core.beside import Beside, write_lines
from fairframe.platform.objects import copy_atomic, write_atomic
from fairframe.platform.workspace import Workspace
from fairframe.verify.beside import beside


@dataclass(frozen=True)
class Papers:
    """A feed or an attestation. `items`: the file of its list; where nothing is listed there may be none."""

    envelope: bytes
    items: Path

    def write(self, path: Path, mode: int = 0o644) -> None:
        """Write both, the list first, so that a document never stands there without its list. Raises OSError."""
        copy_atomic(beside(path), self.items, mode)
        write_atomic(path, self.envelope, mode)


def keep_list(ws: Workspace, lines: Iterable[bytes]) -> Beside:
    """Put a list into the object store, under its hash, and tell what its document has to say of it."""
    found: list[Beside] = []

    def write(out: BinaryIO) -> None:
        found.append(write_lines(out, lines))

    ws.objects.put_written(write)
    return found[0]


def kept(ws: Workspace, envelope: bytes, said: Beside) -> Papers:
    """A document of this workspace's own with its list."""
    return Papers(envelope, ws.objects.path(said.digest))
