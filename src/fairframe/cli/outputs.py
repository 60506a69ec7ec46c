"""Whether a result can be written, asked before something is done that is done once."""

import csv
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from fairframe.cli.shell import note, read_input
from fairframe.core.errors import InputError
from fairframe.dataset.papers import Papers
from fairframe.verify.beside import beside


def check_writable(path: Path) -> Path:
    """The path, where a file can be written under it. Raises InputError (input.unwritable) with the reason.

    An attestation, an agreement or a feed that is signed and kept nowhere would be a document that nobody has.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        wrong = "it is no file" if path.exists() and not path.is_file() else ""
    except OSError as error:
        wrong = error.strerror or str(error)
    if wrong:
        raise InputError(f"{path} cannot be written: {wrong}", code="input.unwritable", remedy="Say another -o FILE.")
    return path


def check_papers(path: Path) -> None:
    """As check_writable, for a document and the list beside it."""
    check_writable(path)
    check_writable(beside(path))


def write_papers(path: Path, papers: Papers, mode: int = 0o644) -> None:
    """Write a document and the list beside it, and say where they are. Raises InputError (input.unwritable)."""
    try:
        papers.write(path, mode)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", code="input.unwritable") from error
    note(f"wrote {path} and, beside it, {beside(path).name}: they belong together")


def read_papers(path: Path) -> Papers:
    """A document and the list beside it. Raises InputError with the reason."""
    return Papers(read_input(path), beside(path))


@contextmanager
def write_csv(path: Path, columns: Sequence[str]) -> Generator[Callable[[Iterable[Sequence[str]]], None]]:
    """Gives a function that writes rows; the file (UTF-8, with a header) appears whole at the end, or not at all."""
    check_writable(path)
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, delete=False, newline="", encoding="utf-8", prefix=f".{path.name}-"
    ) as stream:
        part = Path(stream.name)
        try:
            lines = csv.writer(stream)
            lines.writerow(columns)
            yield lines.writerows
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    part.replace(path)
