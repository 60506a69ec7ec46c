"""Reads the list beside a document: it is compared with what was signed before one of its lines is believed."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from fairframe.core.beside import Beside, check_lines, name_beside, read_lines
from fairframe.core.errors import InputError, VerificationError
from fairframe.verify.files import open_regular


def beside(document: Path) -> Path:
    """Where the list of a document lies: in the same folder."""
    return document.with_name(name_beside(document.name))


@contextmanager
def signed_lines(path: Path, said: Beside) -> Generator[Iterator[bytes]]:
    """The lines of a list that is the signed one. A list of nothing may be missing: mail drops empty files.

    Read once to compare it, and again to give its lines out, from the same open file and compared again: memory does
    not grow with it. Raises VerificationError (list.missing, list.changed).
    """
    if not said.lines and not path.exists():
        check_lines(BytesIO(), said)
        yield iter(())
        return
    try:
        stream = open_regular(path)
    except InputError as error:
        raise VerificationError(
            f"{path.name}, which belongs to the document, is not there: {error.message[:1].lower()}{error.message[1:]}",
            code="list.missing",
            where=str(path),
            remedy="Put both files that you got into one folder",
        ) from error
    with stream:
        check_lines(stream, said)
        stream.seek(0)
        yield read_lines(stream, said)
