"""A failure as one line for a person. What is not listed here is a bug of ours and keeps its traceback."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from fairframe.core.errors import FairframeError, Refused

EXPECTED = (FairframeError, ModuleNotFoundError, DBAPIError, sqlite3.Error, OSError, UnicodeEncodeError)

EXTRAS = {
    **dict.fromkeys(("av", "cv2", "c2pa", "numpy"), "media"),
    **dict.fromkeys(("torch", "diffusers", "transformers", "accelerate", "peft", "safetensors"), "train"),
    **dict.fromkeys(("psycopg", "adbc_driver_postgresql"), "postgres"),
}
"""Module -> the extra that brings it."""

DATABASE_REMEDY = (
    "See whether the disk is full, the server is up and FAIRFRAME_DATABASE_URL is right; "
    "restore a damaged fairframe.db from a backup."
)


class Problem(NamedTuple):
    code: str
    text: str
    reasons: Sequence[str] = ()


def explain(error: Exception) -> Problem | None:
    """What to print for an error of EXPECTED; None where it is a bug after all."""
    match error:
        case FairframeError():
            return Problem(error.code, str(error), error.reasons if isinstance(error, Refused) else ())
        case ModuleNotFoundError():
            extra = EXTRAS.get((error.name or "").split(".")[0])
            install = f"Install it with: pip install 'fairframe[{extra}]'."
            text = f"this needs {error.name}, which is not installed. {install}"
            return Problem("missing_extra", text) if extra else None
        case DBAPIError():
            return _database(error.orig or error)
        case sqlite3.Error():
            return _database(error)
        case OSError():
            where = f" ({error.filename})" if error.filename else ""
            return Problem("os", f"{error.strerror or type(error).__name__}{where}.")
        case UnicodeEncodeError() if any("\ud800" <= sign <= "\udfff" for sign in error.object):
            return Problem("input.encoding", "what was typed is not UTF-8 text.")  # only a path may be other bytes
        case _:
            return None


def _database(error: BaseException) -> Problem:
    # the first line only: what follows may quote a statement and its values
    said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return Problem("database", f"the database cannot be used: {said}. {DATABASE_REMEDY}")
