"""What a verification found: data, never an exception."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was checked. `code` is stable and dotted; `text` is one line for a person."""

    ok: bool
    code: str
    text: str
