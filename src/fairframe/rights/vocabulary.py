"""The closed word lists of rights: purposes and actions."""

from typing import Literal

from fairframe.core.errors import InputError

Purpose = Literal["evaluate", "research", "commercial"]
Action = Literal["inspect", "deliver", "train", "fine_tune", "release_weights", "serve", "distill"]

PURPOSES: tuple[Purpose, ...] = ("evaluate", "research", "commercial")
ACTIONS: tuple[Action, ...] = ("inspect", "deliver", "train", "fine_tune", "release_weights", "serve", "distill")
ANY = "*"
"""In a consent event: every purpose, or every action."""


def check_purpose(text: str, *, or_any: bool = False) -> str:
    """Return `text` if it is a purpose (or "*" where allowed), else raise InputError."""
    return _check(text, PURPOSES, "purpose", or_any)


def check_action(text: str, *, or_any: bool = False) -> str:
    """Return `text` if it is an action (or "*" where allowed), else raise InputError."""
    return _check(text, ACTIONS, "action", or_any)


def _check(text: str, known: tuple[str, ...], what: str, or_any: bool) -> str:
    if text in known or (or_any and text == ANY):
        return text
    choices = ", ".join(known) + (" or * for all" if or_any else "")
    raise InputError(f"{text[:40]!r} is no {what}", code=f"input.bad_{what}", remedy=f"Say one of: {choices}")
