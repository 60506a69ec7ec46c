"""Whether a result can be written, asked before something is done that is done once."""

import csv
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from fairframe.core.errors import InputError


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
