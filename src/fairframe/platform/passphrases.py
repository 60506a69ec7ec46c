"""Where a passphrase comes from: an environment variable, or a file that a secret store mounts. None is ever logged."""

from pathlib import Path
from typing import Literal

from fairframe.core.errors import InputError
from fairframe.platform.settings import Settings
from fairframe.verify.files import read_limited

MAX_FILE_BYTES = 16_384


def given(settings: Settings, which: Literal["passphrase", "new_passphrase"] = "passphrase") -> str | None:
    """The passphrase of the settings; None where neither variable is set.

    Raises InputError (keys.passphrase) where both are, the file cannot be read, or there is nothing in it: an empty
    secret must not pass for no encryption.
    """
    name = f"FAIRFRAME_{which.upper()}"
    value = settings.passphrase if which == "passphrase" else settings.new_passphrase
    file = settings.passphrase_file if which == "passphrase" else settings.new_passphrase_file
    if value is not None and file is not None:
        raise InputError(f"{name} and {name}_FILE are both set", code="keys.passphrase", remedy="Unset one of them")
    if file is not None:
        return _first_line(file, f"{name}_FILE")
    if value is None:
        return None
    return _not_empty(value.get_secret_value(), name)


def _first_line(path: Path, name: str) -> str:
    try:
        text = read_limited(path, MAX_FILE_BYTES).decode("utf-8")
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(
            f"{name} names a file that cannot be read as text",
            code="keys.passphrase",
            where=str(path),
            remedy="Name a readable file with the passphrase on its first line",
        ) from error
    return _not_empty((text.splitlines() or [""])[0], name)


def _not_empty(text: str, name: str) -> str:
    if not text:
        raise InputError(
            f"{name} gives an empty passphrase", code="keys.passphrase", remedy="Set it right, or unset it"
        )
    return text
