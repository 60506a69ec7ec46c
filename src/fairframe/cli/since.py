"""--from: since when something is to hold."""

from typing import Annotated

import typer

from fairframe.cli.shell import moment_ms
from fairframe.core.errors import InputError

Since = Annotated[
    str, typer.Option("--from", metavar="DATE", help="Since when it is to hold: a time or a date (UTC); default: now.")
]


def since_ms(text: str) -> int | None:
    """--from in milliseconds; None where it is not said. Raises InputError."""
    if not text:
        return None
    ms = moment_ms(text)
    if ms < 0:
        raise InputError("it is valid from a time before 1970", code="input.bad_time", remedy="Say a later --from")
    return ms
