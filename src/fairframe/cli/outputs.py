"""Whether a result can be written, asked before something is done that is done once."""

import tempfile
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
